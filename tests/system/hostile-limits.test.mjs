// Floods and crowds, on two nodes: limits of users and addresses over the cluster, caps, handshakes, bans, and whose
// address counts. The clients come through a "proxy" on 127.0.0.1 that is trusted, so that each can have its own address.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { startCluster, startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect, schemaBreaches, token } from '../support/peer.mjs';

after(async () => {
  closeAll();
  await stopAll();
  assert.deepEqual(schemaBreaches(), []);
});

const PROXY = { TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8' };
const from = (address) => ({ extraHeaders: { 'X-Forwarded-For': address } });
const as = (id, more = {}) => ({ auth: { token: token({ id, ...more }) } });
let number = 0;
const someone = () => `user-${++number}`;

// A handshake by hand → {status, retryAfter, body}.
function handshake(node, forwarded, more = {}) {
  return new Promise((resolve, reject) => {
    const request = http.get(`${node.url}/socket.io/?EIO=4&transport=polling`, {
      agent: false, headers: { ...(forwarded ? { 'x-forwarded-for': forwarded } : {}), ...more },
    }, (answer) => {
      let body = '';
      answer.on('data', (d) => (body += d));
      answer.on('end', () => resolve({ status: answer.statusCode, retryAfter: Number(answer.headers['retry-after']), body, headers: answer.headers }));
    });
    request.on('error', reject);
  });
}

describe('events over all nodes', () => {
  let cluster;
  before(async () => {
    cluster = await startCluster({ nodes: 2, shared: false, env: { ...PROXY, RATE_EVENTS: '100000', RATE_STRIKES: '1000000', RATE_USER_EVENTS: '100', RATE_IP_EVENTS: '200' } });
  });

  // Sends rounds of one event from each; how many were taken, and the refusals.
  async function rounds(peers, times) {
    const answers = [];
    for (let i = 0; i < times; i++) answers.push(...(await Promise.all(peers.map((p) => p.ask('typing', { roomId: 'r' })))));
    const refused = answers.filter((a) => a.code === 'rate_limited');
    return { taken: answers.length - refused.length, refused };
  }

  test('a user has one bucket on all nodes, and is told when to come back', async () => {
    const id = someone();
    const peers = await Promise.all([0, 1, 0].map((n) => connect(cluster.nodes[n].url, { ...as(id), ...from('192.0.2.1') })));
    const start = Date.now();
    const { taken, refused } = await rounds(peers, 60); // 180 events
    const grown = ((Date.now() - start) / 60000) * 100;
    assert.ok(taken >= 90 && taken <= 110 + grown, `${taken} of 180 were taken, the limit is 100`);
    for (const r of refused) assert.ok(r.retryAfterMs > 0 && r.retryAfterMs <= 60000, JSON.stringify(r));
    const other = await connect(cluster.nodes[0].url, { ...as(someone()), ...from('192.0.2.1') });
    assert.equal((await rounds([other], 3)).refused.length, 0, 'others are not harmed');
    for (const p of [...peers, other]) p.close();
  });

  test('an address has one bucket for all its guests and users', async () => {
    const peers = await Promise.all([0, 1, 0, 1].map((n) => connect(cluster.nodes[n].url, { ...as(someone()), ...from('192.0.2.2') })));
    const { taken, refused } = await rounds(peers, 75); // 300 events, 75 a user
    assert.ok(taken >= 180 && taken <= 235, `${taken} of 300 were taken, the limit is 200`);
    assert.ok(refused.length > 0);
    for (const p of peers) p.close();
  });

  test('far from the limit Redis is not asked', async () => {
    const leases = async () => (await Promise.all(cluster.nodes.map((n) => n.metrics()))).reduce((sum, m) => sum + (m.ingoma_limit_leases_total ?? 0), 0);
    const before = await leases();
    const peers = await Promise.all([0, 1].flatMap((n) => [1, 2, 3, 4, 5].map((i) => connect(cluster.nodes[n].url, { ...as(someone()), ...from(`198.51.100.${10 * n + i}`) }))));
    assert.equal((await rounds(peers, 2)).refused.length, 0);
    assert.equal(await leases(), before);
    for (const p of peers) p.close();
  });

  test('echoes of old clients and pings never count', async () => {
    const peer = await connect(cluster.nodes[0].url, { ...as(someone()), ...from('192.0.2.3') });
    for (let i = 0; i < 250; i++) for (const event of ['onlineUsers', 'userOnline', 'userOffline', 'serverStats']) peer.emit(event, { users: [] });
    for (let i = 0; i < 50; i++) peer.emit('ping', { timestamp: i });
    assert.equal((await rounds([peer], 20)).refused.length, 0);
    assert.equal(peer.count('pong'), 50);
    peer.close();
  });

  test('Redis away: each node goes on by itself', async () => {
    const redis = await startRedis();
    const node = await startNode({ redis, env: { ...PROXY, RATE_EVENTS: '100000', RATE_STRIKES: '1000000', RATE_USER_EVENTS: '60', REDIS_TIMEOUT_MS: '300' } });
    const peer = await connect(node.url, { ...as(someone()), ...from('192.0.2.4') });
    await redis.kill();
    await until('the node to notice', async () => (await node.ready()).body.degraded);
    const { taken } = await rounds([peer], 90);
    assert.ok(taken >= 58 && taken <= 66, `${taken} of 90 were taken, the limit is 60`);
    peer.close();
    await node.stop();
  });
});

describe('classes of events', () => {
  test('presence and typing have buckets of their own; a flood of one leaves the others', async () => {
    const node = await startNode({ env: { RATE_EVENTS: '20', RATE_TYPING: '15' } });
    const peer = await connect(node.url, as(someone()));
    const taken = async (event, payload, times) => {
      const answers = await Promise.all(Array.from({ length: times }, () => peer.ask(event, payload)));
      for (const a of answers) if (!a.ok) assert.ok(a.code !== 'rate_limited' || a.retryAfterMs > 0, JSON.stringify(a));
      return answers.filter((a) => a.code !== 'rate_limited').length;
    };
    const about = (got, want) => assert.ok(got === want || got === want + 1, `${got} were taken, the limit is ${want}`); // one may have grown
    about(await taken('updatePresence', 'away', 14), 10); // the default
    about(await taken('typing', { roomId: 'r' }, 20), 15);
    about(await taken('joinRoom', 'r', 25), 20);
    assert.equal(await taken('ping', {}, 30), 30);
    assert.equal(await taken('latencyUpdate', { latency: 5 }, 30), 30);
    assert.equal(peer.count('latencyUpdate', (l) => l.latency === 5), 30);
    peer.close();
    await node.stop();
  });
});

describe('bans', () => {
  let cluster;
  const BAN_SECONDS = 3;
  before(async () => {
    cluster = await startCluster({ nodes: 2, shared: false, env: { ...PROXY, RATE_EVENTS: '10', RATE_STRIKES: '20', BAN_SECONDS: String(BAN_SECONDS) } });
  });

  function flood(peer) {
    for (let i = 0; i < 60; i++) peer.emit('joinRoom', { roomId: 'r' });
  }

  test('refused with retryAfterMs, told, disconnected, shut out on all nodes, and back after the time', async () => {
    const id = someone();
    const [bad, second, other] = await Promise.all([[0, id], [1, id], [0, someone()]].map(([n, who]) => connect(cluster.nodes[n].url, { ...as(who), ...from('192.0.2.10'), reconnection: false })));
    flood(bad);
    assert.ok((await bad.next('roomError', (e) => e.code === 'rate_limited')).retryAfterMs > 0);
    for (const peer of [bad, second]) { // the other device on the other node, too
      const said = await peer.next('authError');
      assert.equal(said.code, 'banned');
      assert.ok(said.retryAfterMs > 0 && said.retryAfterMs <= BAN_SECONDS * 1000);
      assert.deepEqual(await peer.nextArgs('$disconnect'), ['io server disconnect']);
    }
    for (const node of cluster.nodes) {
      const again = await connect(node.url, { ...as(id), ...from('192.0.2.11'), wait: false, reconnection: false });
      const error = await again.next('$connect_error');
      assert.equal(error.message, 'BANNED');
      assert.equal(error.data.code, 'banned');
      assert.ok(error.data.retryAfterMs > 0);
      again.close();
    }
    assert.deepEqual(other.disconnects, [], 'the same address, another user');
    await until('the ban to end', async () => {
      const again = await connect(cluster.nodes[1].url, { ...as(id), ...from('192.0.2.10'), wait: false, reconnection: false });
      const isIn = await Promise.race([again.next('$connect').then(() => true), again.next('$connect_error').then(() => false)]);
      again.close();
      return isIn;
    });
    const metrics = await Promise.all(cluster.nodes.map((n) => n.metrics()));
    assert.equal(metrics[0]['ingoma_denied_added_total{kind="banned_user"}'], 1);
    assert.ok(metrics[1]['ingoma_denied_closed_total{kind="banned_user"}'] >= 1);
    for (const p of [bad, second, other]) p.close();
  });

  test("a guest's address is shut out at the handshake, of both nodes", async () => {
    const bad = await connect(cluster.nodes[0].url, { ...from('192.0.2.20'), reconnection: false });
    flood(bad);
    assert.equal((await bad.next('authError')).code, 'banned');
    await bad.nextArgs('$disconnect');
    const answer = await until('the other node to know', async () => {
      const got = await handshake(cluster.nodes[1], '192.0.2.20');
      return got.status === 503 && got;
    });
    assert.ok(answer.retryAfter >= 1 && answer.retryAfter <= BAN_SECONDS);
    assert.equal((await handshake(cluster.nodes[1], '192.0.2.21')).status, 200);
    await until('the ban to end', async () => (await handshake(cluster.nodes[1], '192.0.2.20')).status === 200);
    bad.close();
  });

  test('an exempt address is disconnected, but not banned', async () => {
    const bad = await connect(cluster.nodes[0].url, { reconnection: false }); // 127.0.0.1 itself
    flood(bad);
    await bad.nextArgs('$disconnect');
    assert.equal(bad.count('authError'), 0);
    assert.equal((await handshake(cluster.nodes[0])).status, 200);
    bad.close();
  });
});

describe('crowds', () => {
  test('sockets of one user and of one address', async () => {
    const node = await startNode({ env: { ...PROXY, MAX_CONNECTIONS_PER_USER: '3', MAX_CONNECTIONS_PER_IP: '5' } });
    const id = someone();
    const refused = async (options) => {
      const peer = await connect(node.url, { ...options, wait: false, reconnection: false });
      const error = await peer.next('$connect_error');
      peer.close();
      assert.deepEqual([error.message, error.data.code], ['LIMIT_REACHED', 'limit_reached']);
      assert.ok(error.data.retryAfterMs > 0);
    };
    const peers = [];
    for (let i = 0; i < 3; i++) peers.push(await connect(node.url, { ...as(id), ...from('192.0.2.30') }));
    await refused({ ...as(id), ...from('192.0.2.31') });
    for (let i = 0; i < 2; i++) peers.push(await connect(node.url, from('192.0.2.30')));
    await refused(from('192.0.2.30'));
    peers[0].close();
    await until('room for one more', async () => {
      const peer = await connect(node.url, { ...as(id), ...from('192.0.2.31'), wait: false, reconnection: false });
      const isIn = await Promise.race([peer.next('$connect').then(() => true), peer.next('$connect_error').then(() => false)]);
      if (isIn) peers.push(peer);
      return isIn;
    });
    const metrics = await node.metrics();
    assert.ok(metrics['ingoma_limit_refused_total{limit="user_sockets"}'] >= 1);
    assert.ok(metrics['ingoma_limit_refused_total{limit="ip_sockets"}'] >= 1);
    for (const p of peers) p.close();
    await node.stop();
  });

  test('handshakes of one address, and of a whole node', async () => {
    const node = await startNode({ env: { ...PROXY, HANDSHAKES_PER_IP: '20' } });
    const got = [];
    for (let i = 0; i < 30; i++) got.push(await handshake(node, '192.0.2.40', { origin: 'https://quizblog.rw' }));
    assert.equal(got.filter((a) => a.status === 200).length, 20);
    const no = got.at(-1);
    assert.equal(no.status, 503);
    assert.ok(no.retryAfter >= 1);
    assert.equal(no.headers['access-control-allow-origin'], 'https://quizblog.rw', 'so that a page can read the answer');
    assert.equal((await handshake(node, '192.0.2.41')).status, 200);
    await node.stop();
    const slow = await startNode({ env: { HANDSHAKES_PER_SECOND: '10' } });
    const many = await Promise.all(Array.from({ length: 60 }, () => handshake(slow)));
    assert.ok(many.some((a) => a.status === 503) && many.filter((a) => a.status === 200).length >= 10);
    assert.ok((await slow.metrics())['ingoma_limit_refused_total{limit="node_handshakes"}'] > 0);
    await slow.stop();
  });
});

describe('whose address', () => {
  // How many handshakes of these headers share one bucket of 2: the third one of a client is refused.
  async function third(node, headers) {
    const statuses = [];
    for (const h of headers) statuses.push((await handshake(node, h)).status);
    return statuses;
  }

  test('X-Forwarded-For of a stranger is ignored', async () => {
    const node = await startNode({ env: { LIMITS_EXEMPT: '203.0.113.1', HANDSHAKES_PER_IP: '2' } });
    assert.deepEqual(await third(node, ['192.0.2.50', '192.0.2.51', '192.0.2.52']), [200, 200, 503]);
    await node.stop();
  });

  test('behind trusted proxies the right-most stranger counts; garbage is nobody', async () => {
    const node = await startNode({ env: { ...PROXY, LIMITS_EXEMPT: '203.0.113.1', HANDSHAKES_PER_IP: '2' } });
    const rows = [
      ['192.0.2.60', '1.1.1.1, 192.0.2.60', '2.2.2.2,192.0.2.60, 10.1.2.3'], // what stands left of it is invented
      ['192.0.2.61:4711', '192.0.2.61', '::ffff:192.0.2.61'],
      ['2001:db8::1', '[2001:db8:0::1]:443', '2001:DB8::1'],
    ];
    for (const row of rows) assert.deepEqual(await third(node, row), [200, 200, 503], row[0]);
    const garbage = ['', ',', 'unknown', '1.2.3', '999.1.1.1', '-', '_hidden', '[', '[::1', '::::', `${'1.1.1.1,'.repeat(200)}x`, '%00', '1.1.1.1\t\t,;'];
    const statuses = await third(node, garbage);
    assert.deepEqual(statuses, garbage.map((_, i) => (i < 2 ? 200 : 503)), 'all of them are the proxy itself');
    assert.equal((await handshake(node, '192.0.2.62')).status, 200);
    await node.stop();
  });
});
