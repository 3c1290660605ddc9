// What breaks in the night: Redis goes away, connections to it are cut, a node is killed or drained, clients come and go
// in crowds. Who is not concerned must not notice; all else must come back by itself.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, describe, test } from 'node:test';
import { startBalancer } from '../support/balancer.mjs';
import { nothingTwice, untilDegraded, untilHeard, untilMembers } from '../support/chat.mjs';
import { RELEASE, sleep, startCluster, startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect, connectTo, schemaBreaches } from '../support/peer.mjs';
import { closeRedisClients, redisClient } from '../support/redis.mjs';

const DEAD_MS = 3000;
const QUICK = { BEAT_MS: '500', DEAD_MS: String(DEAD_MS), REDIS_TIMEOUT_MS: '1000', RATE_EVENTS: '1000000', RATE_USER_EVENTS: '0' };
const OUTAGES_MS = [1000, 10000]; // shorter and longer than DEAD_MS

after(async () => {
  closeAll();
  await closeRedisClients();
  await stopAll();
  assert.deepEqual(schemaBreaches(), []);
});

// Two nodes with two clients each, all in one room.
async function startChat(env = {}) {
  const cluster = await startCluster({ nodes: 2, shared: false, env: { ...QUICK, ...env } });
  const [a1, a2, b1, b2] = await Promise.all([0, 0, 1, 1].map((i) => connect(cluster.nodes[i].url)));
  for (const p of [a1, a2, b1, b2]) await p.join('chat');
  return { ...cluster, a1, a2, b1, b2, all: [a1, a2, b1, b2] };
}

async function chatsLocally(from, to, title) {
  const wanted = Array.from({ length: 50 }, (_, i) => `${title} ${i}`);
  for (const message of wanted) from.say('chat', message);
  await to.hears(wanted.at(-1));
  const got = to.all.filter((e) => e[0] === 'roomMessage' && String(e[1].message).startsWith(title)).map((e) => e[1].message);
  assert.deepEqual(got, wanted, title);
}

describe('Redis', () => {
  for (const outageMs of OUTAGES_MS) {
    test(`is killed for ${outageMs / 1000} s under chat`, { timeout: 180000 }, async (t) => {
      const chat = await startChat();
      const { a1, a2, b1, b2 } = chat;
      await untilHeard(a1, b1);

      const end = Date.now() + outageMs;
      await chat.redis.kill('SIGKILL');
      await untilDegraded(chat.nodes, true);
      do {
        await chatsLocally(a1, a2, `in the dark ${Date.now()}`);
        await chatsLocally(b2, b1, `in the dark ${Date.now()}`);
        await sleep(100);
      } while (Date.now() < end);
      const alone = await a1.ask('joinRoom', { roomId: 'chat' }); // answered with what this node knows
      assert.equal(alone.ok, true);
      assert.equal(alone.memberCount, 2);
      assert.equal((await chat.nodes[0].metrics()).ingoma_degraded, 1);
      assert.equal((await chat.nodes[0].health()).redis, 'away');

      await chat.redis.restart();
      const start = Date.now();
      await Promise.all([untilHeard(a1, b1), untilHeard(b2, a2)]);
      const heard = Date.now() - start;
      await untilDegraded(chat.nodes, false);
      t.diagnostic(`rooms of both nodes joined again ${heard} ms after Redis, all as before after ${Date.now() - start} ms`);
      await untilMembers(a1, 4);
      await untilMembers(b1, 4);
      await untilHeard(a1, b1); // and stays so
      for (const p of chat.all) assert.deepEqual(p.disconnects, []);
      nothingTwice(chat.all);
      for (const n of chat.nodes) {
        const figures = await n.metrics();
        assert.equal(figures.ingoma_degraded, 0);
        assert.ok(figures.ingoma_redis_reconnects_total >= 1);
        assert.ok(figures.ingoma_redis_dropped_total >= 1);
      }
      chat.all.forEach((p) => p.close());
      await chat.stop();
    });
  }

  test('is stopped, and goes on as if nothing had happened', { timeout: 180000 }, async (t) => {
    const chat = await startChat();
    const { a1, a2, b1, b2 } = chat;
    chat.redis.process.signal('SIGSTOP');
    try {
      await chatsLocally(a1, a2, 'frozen');
      await untilDegraded(chat.nodes, true);
      await chatsLocally(b1, b2, 'still frozen');
    } finally {
      chat.redis.process.signal('SIGCONT');
    }
    const start = Date.now();
    await Promise.all([untilHeard(a1, b1), untilHeard(b2, a2)]);
    t.diagnostic(`joined again ${Date.now() - start} ms after Redis went on`);
    await untilDegraded(chat.nodes, false);
    await untilMembers(b2, 4);
    assert.deepEqual(chat.all.flatMap((p) => p.disconnects), []);
    chat.all.forEach((p) => p.close());
    await chat.stop();
  });

  test('cuts each connection, one by one', { timeout: 180000 }, async (t) => {
    const chat = await startChat();
    const { a1, a2, b1, b2 } = chat;
    const tool = await redisClient(chat.redis);
    const own = await tool.sendCommand(['CLIENT', 'ID']);
    const list = async () => String(await tool.sendCommand(['CLIENT', 'LIST'])).split('\n')
      .map((line) => Number(/^id=(\d+) /.exec(line)?.[1])).filter((id) => id && id !== own);
    const ids = await list();
    assert.ok(ids.length >= 4, 'each node publishes and listens on a connection of its own');
    for (const id of ids) {
      assert.equal(await tool.sendCommand(['CLIENT', 'KILL', 'ID', String(id)]), 1);
      await chatsLocally(a1, a2, `cut ${id}`);
      const ms = await Promise.all([untilHeard(a1, b1), untilHeard(b2, a2)]);
      t.diagnostic(`heard again ${Math.max(...ms)} ms after the cut`);
      await untilDegraded(chat.nodes, false);
    }
    await until('all connections to be there again', async () => (await list()).length === ids.length);
    for (const n of chat.nodes) assert.ok((await n.metrics()).ingoma_redis_reconnects_total >= ids.length / 2);
    await untilMembers(a1, 4);
    chat.all.forEach((p) => p.close());
    await chat.stop();
  });

  test('is away: who asks for the cluster is told so in time, who does not is not slower', { timeout: 240000 }, async (t) => {
    const deadlineMs = 4000;
    const chat = await startChat({ REDIS_TIMEOUT_MS: String(deadlineMs), DEAD_MS: '12000' });
    const { a1, a2, b1, nodes: [a, b] } = chat;
    const polling = (sid) => `${a.url}/socket.io/?EIO=4&transport=polling${sid ? `&sid=${sid}` : ''}`;
    const poll = async (url, body) => {
      const start = Date.now();
      const answer = await fetch(url, { method: body ? 'POST' : 'GET', body, signal: AbortSignal.timeout(60000) });
      return { status: answer.status, text: await answer.text(), ms: Date.now() - start };
    };
    const [given, sid] = (await Promise.all([0, 1].map(() => poll(`${b.url}/socket.io/?EIO=4&transport=polling`))))
      .map((answer) => JSON.parse(answer.text.slice(1)).sid); // given: a client that gives it up, as they do after a 503
    const roundTrips = async () => { // of messages to a room of this node
      const times = [];
      for (let i = 0; i < 100; i++) {
        const start = performance.now();
        assert.equal((await a1.ask('roomMessage', { roomId: 'chat', message: `timed ${Math.random()}` })).ok, true);
        times.push(performance.now() - start);
      }
      return times.sort((x, y) => x - y)[90];
    };
    const near = await roundTrips();

    chat.redis.process.signal('SIGSTOP'); // connected still: the deadline of a command is what ends it
    try {
      const frozen = roundTrips();
      const [asked, joined] = await Promise.all([poll(polling(given)), a2.ask('joinRoom', { roomId: 'chat' })]);
      t.diagnostic(`p90 of a message: ${near.toFixed(1)} ms, with Redis frozen ${(await frozen).toFixed(1)} ms; a foreign poll ended after ${asked.ms} ms`);
      assert.ok(await frozen < near + deadlineMs / 2, `${await frozen} ms`); // it would be all of it if anything waited
      assert.equal(asked.status, 503);
      assert.equal(JSON.parse(asked.text).code, 1);
      assert.ok(asked.ms < deadlineMs + 10000, `${asked.ms} ms`);
      assert.equal(joined.ok, true);
      assert.equal(joined.memberCount, 2, 'what this node knows');
      await untilDegraded(chat.nodes, true);
      for (const answer of [await poll(polling(sid)), await poll(polling(sid), '40')]) { // now it is known
        assert.equal(answer.status, 503);
        assert.equal(JSON.parse(answer.text).code, 1);
        assert.ok(answer.ms < deadlineMs / 2, `${answer.ms} ms`);
      }
      assert.equal((await poll(polling())).status, 200, 'its own sessions are served');

      // what was missed is counted, to the message
      const before = (await a.metrics()).ingoma_redis_dropped_total;
      await chatsLocally(a1, a2, 'missed');
      assert.equal((await a.metrics()).ingoma_redis_dropped_total - before, 50);
    } finally {
      chat.redis.process.signal('SIGCONT');
    }
    await untilDegraded(chat.nodes, false);
    await untilHeard(a1, b1);
    // The forwarded poll reached Redis and was carried out when it went on: what it held must not be answered to nobody.
    await until('the session of the client that got 503 to be ended', async () => {
      const f = await b.metrics();
      return f.ingoma_sessions === 3 && f.ingoma_remote_pipes === 0; // b1, b2 and the other poll's
    });
    assert.deepEqual(JSON.parse((await poll(polling(given))).text).code, 1);
    assert.equal(b1.count('roomMessage', (m) => m.message.startsWith('missed')), 0);
    assert.equal((await poll(polling(sid), '40')).text, 'ok'); // the session is still there
    assert.match((await poll(polling(sid))).text, /^40/);
    assert.deepEqual(chat.all.flatMap((p) => p.disconnects), []);
    chat.all.forEach((p) => p.close());
    await chat.stop();
  });

  test('takes nothing: the queue to it is bounded, what does not fit is counted', { timeout: 240000 }, async (t) => {
    const BYTES = 65536;
    const env = { ...QUICK, REDIS_TIMEOUT_MS: '60000', DEAD_MS: '120000', BEAT_MS: '60000', REDIS_QUEUE_BYTES: String(BYTES) };
    const cluster = await startCluster({ nodes: 2, shared: false, env });
    const [a, b] = cluster.nodes;
    const [a1, a2, b1] = await Promise.all([a, a, b].map((n) => connect(n.url)));
    for (const p of [a1, a2, b1]) await p.join('chat');
    await untilHeard(a1, b1);
    const before = await a.metrics();
    const count = 2000;
    const text = (i) => `${i} ${'x'.repeat(3500)}`;
    let now;
    cluster.redis.process.signal('SIGSTOP');
    try {
      for (let i = 0; i < count; i++) a1.say('chat', text(i)); // 7 MB
      await a2.hears(text(count - 1), 60000);
      assert.equal((await a.ready()).body.degraded, false, 'not known yet');
      now = await a.metrics(); // here: what asks below whether Redis is back may be dropped too
    } finally {
      cluster.redis.process.signal('SIGCONT');
    }
    await untilHeard(a1, b1);
    const dropped = now.ingoma_redis_dropped_total - before.ingoma_redis_dropped_total;
    const passed = await until('all that was taken to arrive', () => {
      const heard = b1.count('roomMessage', (m) => m.message.endsWith('xxx'));
      return heard + dropped === count && heard;
    }).catch((error) => { throw new Error(`${error.message}: ${b1.all.length} events heard, ${dropped} dropped of ${count}`); });
    t.diagnostic(`${passed} of ${count} waited in the queue and the kernel, ${dropped} were dropped and counted`);
    const got = b1.all.filter((e) => e[0] === 'roomMessage' && e[1].message.endsWith('xxx')).map((e) => Number(e[1].message.split(' ')[0]));
    // 64 KB here; the rest fits into the buffers of the connection
    assert.ok(passed * 3500 < BYTES + 4 * 1048576 && dropped > count / 4, `${passed} passed`);
    assert.deepEqual(got, [...new Set(got)].sort((x, y) => x - y), 'in order, once');
    assert.deepEqual([a1, a2, b1].flatMap((p) => p.disconnects), []);
    [a1, a2, b1].forEach((p) => p.close());
    await cluster.stop();
  });

  test('is not there when a node starts', { timeout: 240000 }, async () => {
    const redis = await startRedis();
    await redis.kill('SIGKILL');
    const node = await startNode({ redis, env: QUICK, connected: false });
    const early = await node.ready(); // it serves who comes, but a balancer is to send nobody yet
    assert.deepEqual([early.status, early.body.ready, early.body.degraded], [503, false, true]);
    const [ann, bob] = [await connect(node.url), await connect(node.url)];
    await ann.join('chat');
    assert.equal((await bob.join('chat')).memberCount, 2);
    await chatsLocally(ann, bob, 'alone');
    await redis.restart();
    await untilDegraded([node], false);
    const other = await startNode({ redis, env: QUICK });
    const eve = await connect(other.url);
    await eve.join('chat');
    await untilHeard(ann, eve);
    await untilMembers(eve, 3);
    [ann, bob, eve].forEach((p) => p.close());
    await Promise.all([node.stop(), other.stop()]);
  });
});

describe('a node', () => {
  test('is killed: its sessions are refused at once, its members are not counted any more', { timeout: 240000 }, async (t) => {
    const chat = await startChat();
    const { a1, b1, b2, nodes } = chat;
    const poll = async (node, sid) => {
      const start = Date.now();
      const answer = await fetch(`${node.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, { signal: AbortSignal.timeout(30000) });
      return { status: answer.status, text: await answer.text(), ms: Date.now() - start };
    };
    const opened = await (await fetch(`${nodes[1].url}/socket.io/?EIO=4&transport=polling`)).text();
    const { sid } = JSON.parse(opened.slice(1));
    assert.ok(sid.startsWith(nodes[1].id));
    await fetch(`${nodes[0].url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, { method: 'POST', body: '40' });
    assert.match((await poll(nodes[0], sid)).text, /^40\{"sid":/); // node 0 forwards to node 1
    const waiting = poll(nodes[0], sid);
    await until('the poll to wait on the other node', async () => (await nodes[1].metrics()).ingoma_remote_served_total >= 3);

    await untilMembers(a1, 4);
    await nodes[1].kill('SIGKILL');
    const refused = await poll(nodes[0], sid);
    assert.equal(refused.status, 400);
    assert.deepEqual(JSON.parse(refused.text), { code: 1, message: 'Session ID unknown' });
    t.diagnostic(`a session of the dead node was refused after ${refused.ms} ms`);
    assert.ok(refused.ms < DEAD_MS - 500, `${refused.ms} ms`); // not when it counts as dead
    const left = await waiting; // ends when the node counts as dead
    assert.ok(left.status >= 400, `${left.status} ${left.text}`);

    await untilMembers(a1, 2);
    await until('the node to be forgotten', async () => (await nodes[0].health()).nodes === 1);
    assert.equal((await nodes[0].metrics()).ingoma_cluster_nodes_lost_total, 1);
    assert.deepEqual(a1.disconnects, []);
    for (const p of [b1, b2]) assert.ok(['transport close', 'transport error'].includes(await p.next('$disconnect')));
    chat.all.forEach((p) => p.close());
    await chat.stop();
  });

  test('is drained: its clients move over, evenly; it ends with 0', { timeout: 180000 }, async (t) => {
    const cluster = await startCluster({ nodes: 2, shared: true, env: { ...QUICK, DRAIN_SECONDS: '2' } });
    const [first, second] = cluster.nodes;
    const staying = await connectTo(second);
    await staying.join('chat');
    const movers = [];
    for (let i = 0; i < 40; i++) movers.push(await connectTo(first));
    await Promise.all(movers.map((p) => p.join('chat')));

    const times = [];
    const moved = Promise.all(movers.map(async (p) => {
      assert.equal(await p.next('$disconnect'), 'transport close');
      times.push(Date.now());
      const id = await p.next('$connect', undefined, 60000);
      assert.ok(id.startsWith(second.id));
      await p.join('chat');
    }));
    const stopped = first.stop();
    const ready = await until('the node to say that it drains', async () => {
      const answer = await first.ready();
      return answer?.status === 503 && answer;
    });
    assert.equal(ready.body.status, 'draining');
    assert.equal(ready.body.ready, false);
    for (let i = 0; i < 10; i++) { // nobody new comes to it, though it still serves
      const late = await connect(cluster.url);
      assert.ok(late.id.startsWith(second.id));
      late.close();
    }
    await moved;
    assert.deepEqual(await stopped, { code: 0, signal: null });
    const spread = Math.max(...times) - Math.min(...times);
    t.diagnostic(`40 connections were closed over ${spread} ms`);
    assert.ok(spread > 500, `over ${spread} ms of 2000`);
    await untilMembers(staying, 41);
    for (const p of movers) await untilHeard(p, staying);
    assert.deepEqual(staying.disconnects, []);
    assert.equal((await second.metrics()).ingoma_cluster_nodes_lost_total, 0); // it said BYE
    assert.equal((await second.health()).nodes, 1);
    closeAll();
    await cluster.stop();
  });

  test('dies behind a balancer: all are back in the room by themselves', { timeout: 180000 }, async (t) => {
    const cluster = await startCluster({ nodes: 3, shared: false, env: QUICK });
    const balancer = await startBalancer(cluster.nodes);
    const dead = cluster.nodes[2];
    const transports = [['websocket'], ['polling'], ['polling', 'websocket']];
    const peers = [];
    for (let i = 0; i < 18; i++) peers.push(await connect(balancer.url, { transports: transports[i % 3] }));
    await Promise.all(peers.map((p) => p.join('chat')));
    const onDead = peers.filter((p) => p.id.startsWith(dead.id));
    assert.ok(onDead.length > 0);
    for (const p of peers) p.socket.on('connect', () => p.join('chat').catch(() => {}));

    await dead.kill('SIGKILL');
    const start = Date.now();
    for (const p of onDead) {
      await p.next('$disconnect', undefined, 60000);
      const id = await p.next('$connect', undefined, 60000);
      assert.ok(!id.startsWith(dead.id));
    }
    t.diagnostic(`${onDead.length} clients of the dead node were back after ${Date.now() - start} ms`);
    await untilMembers(peers[0], 18);
    for (const p of peers) await untilHeard(p, p === peers[0] ? peers[1] : peers[0]);
    closeAll();
    await balancer.stop();
    await cluster.stop();
  });

  test('is asked twice: it ends at once, with 0', { timeout: 180000 }, async () => {
    const node = await startNode({ env: { DRAIN_SECONDS: '3600' } });
    const peers = await Promise.all(Array.from({ length: 20 }, () => connect(node.url, { reconnection: false })));
    node.expectEnd();
    node.signal('SIGTERM');
    await until('the drain', async () => (await node.ready())?.status === 503);
    const start = Date.now();
    node.signal('SIGTERM');
    assert.deepEqual(await node.exited, { code: 0, signal: null });
    assert.ok(Date.now() - start < 100000); // not after DRAIN_SECONDS
    for (const p of peers) assert.notEqual(await p.next('$disconnect'), 'io server disconnect');
    peers.forEach((p) => p.close());
  });
});

describe('a crowd of 300 comes and goes', () => {
  const gauges = ['connections', 'websocket_connections', 'sessions', 'sockets', 'rooms', 'out_queue_bytes', 'buffers'];
  const kinds = [['websocket'], ['websocket'], ['websocket'], ['polling'], ['polling', 'websocket']];
  const read = async (node) => {
    const figures = await node.metrics();
    return Object.fromEntries(gauges.map((g) => [g, figures[`ingoma_${g}`]]));
  };

  const visit = async (node, start) => {
    const peers = [];
    for (let i = 0; i < 300; i += 50) { // in groups: this process is one thread, too
      peers.push(...await Promise.all(Array.from({ length: 50 }, (_, k) =>
        connect(node.url, { transports: kinds[k % 5], reconnection: false, version: k % 7 ? '4.8.4' : '2.5.0' }))));
    }
    assert.equal((await read(node)).sockets, 300);
    await Promise.all(peers.map((p, i) => p.join(`crowd-${i % 10}`)));
    peers.forEach((p, i) => p.say(`crowd-${i % 10}`, `m${i}`));
    await Promise.all(peers.map((p, i) => p.hears(`m${i}`)));
    for (const [i, p] of peers.entries()) {
      const { ws } = p.engine.transport;
      if (i % 3 === 0 && ws?.terminate) ws.terminate(); // without a word
      p.close();
    }
    const now = await until('the crowd to be gone', async () => {
      const figures = await read(node);
      return gauges.every((g) => figures[g] <= start[g]) && figures;
    }, 30000).catch(async (error) => {
      throw new Error(`${error.message}: ${JSON.stringify(start)} → ${JSON.stringify(await read(node))}`);
    });
    assert.deepEqual({ ...now, connections: 0 }, { ...start, connections: 0 });
  };

  test('five times: nothing is left of it', { timeout: 300000 }, async () => {
    const redis = await startRedis();
    const tool = await redisClient(redis);
    const node = await startNode({ redis, env: { ...QUICK, KEEP_ALIVE_MS: '1000' } });
    const start = await read(node);
    for (let round = 0; round < 5; round++) await visit(node, start);
    // what was said in them stays for an hour (ROOM_HISTORY)
    await until('the rooms to be gone from Redis', async () => (await tool.keys('ingoma:{room:*}:nodes')).length === 0);
    await node.stop(); // and a sanitizer looks for leaks
  });

  // Of the program as it is run: a sanitizer's own store would be what is measured.
  const noRelease = fs.existsSync(`${RELEASE}/ingoma-gateway`) ? false : 'build/release is not built: ./ingoma test does that';
  test('ten times: memory is what it was', { timeout: 300000, skip: noRelease }, async (t) => {
    const redis = await startRedis();
    const node = await startNode({ redis, build: RELEASE, env: { ...QUICK, KEEP_ALIVE_MS: '1000' } });
    const start = await read(node);
    const memory = [];
    for (let round = 0; round < 10; round++) {
      await visit(node, start);
      memory.push((await node.metrics()).ingoma_resident_memory_bytes / 1048576);
    }
    t.diagnostic(`resident MB after each round: ${memory.map((m) => m.toFixed(1)).join(' ')}`);
    assert.ok(memory.at(-1) <= Math.max(...memory.slice(0, 4)) * 1.05 + 0.5, `it grows: ${memory.join(' ')}`);
    await node.stop();
  });
});
