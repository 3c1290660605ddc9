// Stock clients of four generations over each transport: a conversation over two nodes, binary data both ways, and a
// way back after their node was drained.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startBalancer } from '../support/balancer.mjs';
import { startCluster, startNode, stopAll, until } from '../support/cluster.mjs';
import { CLIENTS, MODES, closeAll, connect, connectTo, schemaBreaches } from '../support/peer.mjs';

after(async () => {
  closeAll();
  await stopAll();
});

const each = (body) => {
  for (const version of Object.keys(CLIENTS))
    for (const [mode, options] of Object.entries(MODES)) body(`socket.io-client ${version}, ${mode}`, { version, ...options });
};

describe('a conversation over two nodes', () => {
  let cluster;
  before(async () => {
    cluster = await startCluster({ nodes: 2, shared: false });
  });
  after(() => cluster.stop());

  each((title, options) => {
    test(title, { timeout: 180000 }, async () => {
      const room = `room of ${title}`;
      const ann = await connect(cluster.nodes[0].url, options);
      const bob = await connect(cluster.nodes[1].url, options);
      assert.ok(ann.id.startsWith(cluster.nodes[0].id) && ann.id.length === 20);
      assert.deepEqual(await ann.join(room, 'chat'), { roomId: room, memberCount: 1, roomType: 'chat' });
      assert.deepEqual(await bob.join(room, 'chat'), { roomId: room, memberCount: 2, roomType: 'chat' });
      await ann.next('userJoinedRoom', (u) => u.roomId === room);
      if (options.transports.length > 1) await Promise.all([ann.upgraded(), bob.upgraded()]);

      for (const [from, to] of [[ann, bob], [bob, ann]]) {
        const message = `é€😀 "from" ${from.name}`;
        from.say(room, message);
        const got = await to.hears(message);
        assert.deepEqual(await from.hears(message), got);
        assert.match(got.messageId, /^msg_\d+_[a-z0-9]{9}$/);
      }
      const ack = await ann.ask('roomMessage', { roomId: room, message: 'asked' });
      assert.equal(ack.ok, true);
      assert.equal((await bob.hears('asked')).messageId, ack.messageId);
      assert.equal((await bob.ask('roomMessage', { roomId: 'elsewhere', message: 'x' })).code, 'not_a_member');

      const long = 'z'.repeat(3900); // compressed on its way where polling is used
      ann.say(room, long);
      await bob.hears(long);
      assert.equal(bob.count('roomMessage'), 4);
      assert.equal(ann.transport, options.transports.at(-1));
      bob.close();
      await ann.next('userLeftRoom', (u) => u.roomId === room);
      ann.close();
      assert.deepEqual(schemaBreaches(), []);
    });
  });
});

describe('binary data', () => {
  let node;
  before(async () => {
    node = await startNode({ program: 'wire-echo', args: ['socket'], env: { EIO3: 'on', PING_INTERVAL_MS: '25000', PING_TIMEOUT_MS: '20000', CORS_ORIGINS: '*' } });
  });
  after(() => node.stop());

  const bytes = (n, seed) => Buffer.from(Array.from({ length: n }, (_, i) => (i * 7 + seed) & 255));
  each((title, options) => {
    test(title, { timeout: 180000 }, async () => {
      const peer = await connect(node.url, { gateway: false, ...options });
      if (options.transports.length > 1) await peer.upgraded();
      const sent = [bytes(300, 1), { deep: [bytes(1, 2), 'text é', null, { again: bytes(70000, 3) }] }, 5, Buffer.alloc(0)];
      peer.emit('message', ...sent);
      const back = await peer.nextArgs('message-back');
      assert.deepEqual(plain(back), plain(sent));
      const acked = await peer.ask('message-with-ack', ...sent);
      assert.deepEqual(plain(acked), plain(sent));
      peer.emit('message');
      assert.deepEqual(await peer.nextArgs('message-back'), []);
      peer.close();
    });
  });

  // Buffers, ArrayBuffers and views alike, for comparing.
  function plain(value) {
    if (value instanceof ArrayBuffer) return { bytes: Buffer.from(value).toString('hex') };
    if (ArrayBuffer.isView(value)) return { bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex') };
    if (Array.isArray(value)) return value.map(plain);
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
    return value;
  }
});

describe('three nodes behind a round-robin balancer: no request need reach the node of its session', () => {
  let cluster, balancer;
  before(async () => {
    cluster = await startCluster({ nodes: 3, shared: false, env: { RATE_EVENTS: '100000', RATE_USER_EVENTS: '0' } });
    balancer = await startBalancer(cluster.nodes);
  });
  after(async () => {
    await balancer.stop();
    await cluster.stop();
  });

  each((title, options) => {
    test(title, { timeout: 240000 }, async () => {
      const room = `scattered ${title}`;
      const peers = [];
      for (let i = 0; i < 4; i++) peers.push(await connect(balancer.url, options));
      for (const [i, peer] of peers.entries()) assert.equal((await peer.join(room)).memberCount, i + 1);
      for (let i = 0; i < 100; i++) for (const peer of peers) peer.say(room, `${peer.id} ${i}`); // while some upgrade
      for (const to of peers) {
        for (const from of peers) await to.hears(`${from.id} 99`, 60000);
        for (const from of peers) {
          const got = to.all.filter((e) => e[0] === 'roomMessage' && e[1].message.startsWith(from.id)).map((e) => e[1].message);
          assert.deepEqual(got, Array.from({ length: 100 }, (_, i) => `${from.id} ${i}`));
        }
      }
      if (options.transports.length > 1) await Promise.all(peers.map((p) => p.upgraded()));
      assert.equal((await peers[0].ask('roomMessage', { roomId: room, message: 'at last' })).ok, true);
      await peers[3].hears('at last');
      for (const peer of peers) {
        assert.deepEqual(peer.disconnects, []);
        peer.close();
      }
      assert.deepEqual(schemaBreaches(), []);
    });
  });

  test('nothing is left when all are gone', async () => {
    await until('the sessions to end', async () => (await Promise.all(cluster.nodes.map((n) => n.metrics())))
      .every((f) => f.ingoma_sessions === 0 && f.ingoma_sockets === 0 && f.ingoma_rooms === 0));
    const figures = await Promise.all(cluster.nodes.map((n) => n.metrics()));
    for (const f of figures) {
      assert.ok(f.ingoma_remote_served_total > 20, `${f.ingoma_remote_served_total} requests served for others`);
      assert.equal(f.ingoma_redis_garbage_total, 0);
    }
  });
});

describe('a node is drained', () => {
  test('every client comes back by itself on the other node and talks on', { timeout: 180000 }, async () => {
    const cluster = await startCluster({ nodes: 2, shared: true, env: { DRAIN_SECONDS: '1' } });
    const [first, second] = cluster.nodes;
    const staying = await connectTo(second);
    const movers = [];
    await staying.join('lobby');
    for (const version of Object.keys(CLIENTS)) {
      for (const [mode, options] of Object.entries(MODES)) {
        const peer = await connectTo(first, { version, ...options });
        peer.title = `${version}, ${mode}`;
        if (options.transports.length > 1) await peer.upgraded();
        await peer.join('lobby');
        movers.push(peer);
      }
    }
    const stopped = first.stop();
    for (const peer of movers) {
      const reason = await peer.next('$disconnect');
      assert.equal(reason, 'transport close', peer.title);
      const id = await peer.next('$connect', undefined, 60000);
      assert.ok(id.startsWith(second.id), `${peer.title} is on the other node`);
    }
    assert.deepEqual(await stopped, { code: 0, signal: null });
    for (const peer of movers) {
      await peer.join('lobby');
      peer.say('lobby', `back: ${peer.title}`);
      await staying.hears(`back: ${peer.title}`);
    }
    const joined = await staying.join('lobby');
    assert.equal(joined.memberCount, movers.length + 1);
    closeAll();
    await cluster.stop();
    assert.deepEqual(schemaBreaches(), []);
  });
});
