// One of our nodes and a Node.js server (socket.io with @socket.io/redis-adapter) on one Redis: what either broadcasts
// reaches the clients of both, whole and exactly once; @socket.io/redis-emitter reaches ours; garbage on our channels is
// counted and harms nobody.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { createAdapter } from '@socket.io/redis-adapter';
import { Emitter } from '@socket.io/redis-emitter';
import { startCluster, startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { GARBAGE, bytes, castTests, connectPeers, meeting, plain, startNodeServer } from '../support/interop.mjs';
import { closeAll, connect } from '../support/peer.mjs';
import { closeRedisClients, redisClient } from '../support/redis.mjs';

// The adapter's own encoder, for messages that its API cannot be made to send.
const requireAsAdapter = createRequire(createRequire(import.meta.url).resolve('@socket.io/redis-adapter'));
const msgpack = requireAsAdapter('notepack.io');

after(async () => {
  closeAll();
  await closeRedisClients();
  await stopAll();
});

describe('with a server of Node.js', () => {
  let redis, ours, theirs, peers, met;

  before(async () => {
    redis = await startRedis();
    theirs = await startNodeServer(createAdapter(await redisClient(redis), await redisClient(redis)));
    ours = await startNode({ redis, program: 'wire-echo', args: ['socket'],
      env: { PING_INTERVAL_MS: '25000', PING_TIMEOUT_MS: '20000', CONNECT_TIMEOUT_MS: '45000' } });
    peers = await connectPeers({ ours: ours.url, theirs: theirs.url });
    met = meeting(peers);
  });
  after(async () => {
    closeAll();
    await theirs.stop();
    await ours.stop();
  });

  castTests(test, () => met);

  // The encoder of the adapter makes 64-bit rubbish of these; ours does not.
  test('from ours: whole numbers too large for 64 bits', () => met.check('ours', {}, [1.5e300, -1e21, 2 ** 64, 2 ** 70]));

  // Things that only a server can send.
  test('from theirs: dates, undefined and typed arrays become what JSON makes of them', async () => {
    const event = `event-${++met.number}`;
    const when = new Date('2026-11-23T17:01:55.123Z');
    theirs.io.to('red').emit(event, when, undefined, { a: undefined, b: 1, when, list: [undefined, when] }, { n: NaN }, new Uint8Array([1, 2, 3]));
    await met.fence('theirs');
    for (const n of met.hits({ to: ['red'] })) {
      assert.equal(peers[n].count(event), 1);
      const [date, nothing, object, nan, typed] = await peers[n].nextArgs(event);
      assert.equal(date, '2026-11-23T17:01:55.123Z', n);
      assert.equal(nothing, null, n);
      assert.deepEqual(object, { b: 1, when: date, list: [null, date] }, n);
      assert.deepEqual(nan, { n: null }, n);
      assert.deepEqual(plain(typed), { bytes: '010203' }, n);
    }
  });

  test('64-bit integers beyond what JavaScript holds pass through ours to the digit', async () => {
    const big = { cf: 'ffffffffffffffff', d3: '8000000000000000' };
    const packet = { type: 2, nsp: '/', data: ['big', '@max@', '@min@', '@odd@'] };
    let hex = Buffer.from(msgpack.encode(['else01', packet, { rooms: [], except: [], flags: {} }])).toString('hex');
    const put = (mark, code, digits) => {
      const old = Buffer.concat([Buffer.from([0xa0 + mark.length]), Buffer.from(mark)]).toString('hex');
      assert.ok(hex.includes(old));
      hex = hex.replace(old, code + digits);
    };
    put('@max@', 'cf', big.cf);
    put('@min@', 'd3', big.d3);
    put('@odd@', 'cf', '0020000000000001'); // 2^53 + 1
    const raw = new Promise((done) => {
      peers['ours.red'].engine.on('data', (text) => typeof text === 'string' && text.startsWith('2["big"') && done(text));
    });
    await (await redisClient(redis)).publish('socket.io#/#', Buffer.from(hex, 'hex'));
    assert.equal(await raw, '2["big",18446744073709551615,-9223372036854775808,9007199254740993]');

    const event = `event-${++met.number}`; // and out of ours: what the server of Node.js makes of the same bytes
    peers['ours.both'].engine.send(`2["broadcast",{},"${event}",9007199254740993,-9223372036854775808,1e3]`);
    await met.fence('ours');
    for (const n of met.names) {
      const got = await peers[n].nextArgs(event);
      assert.deepEqual(got.map(Number), [Number('9007199254740993'), -(2 ** 63), 1000], n);
    }
  });

  test('a namespace for itself', async () => {
    const guests = [];
    for (const [side, url] of [['ours', ours.url], ['theirs', theirs.url]])
      guests.push(await connect(`${url}/custom`, { gateway: false, name: `${side}.custom` }));
    theirs.io.of('/custom').emit('there', 1, bytes(3));
    theirs.io.emit('here', 2);
    const emitter = new Emitter(await redisClient(redis));
    emitter.of('/custom').emit('there', 3);
    for (const guest of guests) {
      assert.deepEqual(plain(await guest.nextArgs('there')), plain([1, bytes(3)]));
      assert.deepEqual(await guest.nextArgs('there'), [3]);
      assert.equal(guest.count('here'), 0);
    }
    await met.fence('theirs');
    for (const n of met.names) assert.deepEqual([peers[n].count('here'), peers[n].count('there')], [1, 0], n);
    guests.forEach((g) => g.close());
  });

  test('the emitter: to all, to a room, with except, binary', async () => {
    const emitter = new Emitter(await redisClient(redis));
    const rows = [
      [emitter, {}],
      [emitter.to('red'), { to: ['red'] }],
      [emitter.to('red').to('blue'), { to: ['red', 'blue'] }],
      [emitter.except('blue'), { except: ['blue'] }],
      [emitter.to('red').except(peers['ours.both'].id), { to: ['red'], except: [peers['ours.both'].id] }],
      [emitter.volatile.to('blue'), { to: ['blue'], volatile: true }],
    ];
    for (const [to, how] of rows) {
      for (const args of [['text', { a: [1, null] }], [bytes(500), { deep: [bytes(2)] }]]) {
        const event = `event-${++met.number}`;
        for (const n of met.names) await peers[n].ask('message-with-ack', 0);
        to.emit(event, ...args);
        const mark = `fence-${++met.number}`; // the same connection to Redis: it comes after
        emitter.emit(mark);
        await Promise.all(met.names.map((n) => peers[n].nextArgs(mark)));
        const got = Object.fromEntries(met.names.map((n) => [n, peers[n].count(event)]));
        assert.deepEqual(got, Object.fromEntries(met.names.map((n) => [n, met.hits(how).includes(n) ? 1 : 0])), JSON.stringify(how));
        for (const n of met.hits(how)) assert.deepEqual(plain(await peers[n].nextArgs(event)), plain(args), n);
      }
    }
  });

  test('nothing of all this was garbage to ours', async () => {
    const figures = await ours.metrics();
    assert.equal(figures.ingoma_redis_garbage_total, 0);
    assert.equal(figures.ingoma_redis_dropped_total, 0);
  });
});

describe('garbage on our channels', () => {
  // Readable, but not what belongs there.
  const packet = (data) => ({ type: 2, nsp: '/', data });
  const opts = { rooms: [], except: [], flags: {} };
  const WRONG_CLASSIC = [
    null, 5, 'text', {}, [], ['uid'], ['uid', null, opts], ['uid', packet(['x']), 1], [7, packet(['x']), opts],
    ['uid', packet('x'), opts], ['uid', packet([]), opts], ['uid', { type: 'x', nsp: '/', data: ['x'] }, opts],
    ['uid', { type: 2, nsp: 5, data: ['x'] }, opts], ['uid', packet(['x']), { rooms: 'r', except: [], flags: {} }],
    ['uid', packet(['x']), { rooms: [{}], except: [], flags: {} }],
  ];

  const sharded = (data, more) => ({ type: 3, uid: 'else', nsp: '/', data, ...more });
  const WRONG_SHARDED = [
    null, 5, 'text', [], sharded(undefined), sharded(7), sharded({}), sharded({ opts }), sharded({ packet: { type: 2, data: 'x' }, opts }),
    sharded({ packet: { type: 2, data: [] }, opts }), sharded({ packet: { type: 2, data: ['x'] }, opts: 1 }),
    sharded({ packet: { type: 2, data: ['x'] }, opts: { ...opts, rooms: 'r' } }), sharded({ packet: { type: 2, data: ['x'] }, opts }, { type: 'x' }),
  ];
  const OURS = [/^ingoma:socket\.io:nodes$/, /^ingoma:socket\.io:node:/];
  const WIRES = { // what is subscribed to, and where casts are read
    redis: { wrong: WRONG_CLASSIC, casts: ['socket.io#/#', 'socket.io#/#r#'], more: ['socket.io#/#', 'socket.io#/#r#'],
      kinds: [/^socket\.io-request#\/#$/, /^socket\.io-response#\/#$/, /^socket\.io-response#\/#.+#$/, ...OURS] },
    'redis-sharded': { wrong: WRONG_SHARDED, casts: ['S socket.io#/#', 'S socket.io#/#r#'], more: [],
      kinds: [/^S socket\.io#\/#$/, /^S socket\.io#\/#[0-9a-f]{16}#$/, /^S socket\.io#\/#r#$/, ...OURS] },
  };

  for (const [adapter, wire] of Object.entries(WIRES)) test(`over ${adapter}: it is counted, nobody hears it, and casts go on`, { timeout: 240000 }, async () => {
    const cluster = await startCluster({ nodes: 2, shared: false, env: { ADAPTER: adapter } });
    const publisher = await redisClient(cluster.redis);
    const [ann, bob] = await Promise.all(cluster.nodes.map((n) => connect(n.url)));
    await ann.join('r');
    await bob.join('r');
    const garbage = async () => (await Promise.all(cluster.nodes.map((n) => n.metrics()))).reduce((sum, f) => sum + f.ingoma_redis_garbage_total, 0);

    const shards = (await publisher.sendCommand(['PUBSUB', 'SHARDCHANNELS'])).map((c) => `S ${c}`);
    const subscribed = [...await publisher.pubSubChannels(), ...shards];
    const publish = (channel, data) => (channel.startsWith('S ') ? publisher.sPublish(channel.slice(2), data) : publisher.publish(channel, data));
    for (const kind of wire.kinds) assert.ok(subscribed.some((c) => kind.test(c)), `${kind} is among ${subscribed}`);
    for (const channel of [...subscribed, ...wire.more]) {
      const start = await garbage();
      let due = 0;
      for (const bytes of Object.values(GARBAGE)) due += await publish(channel, bytes);
      assert.ok(due > 0);
      await until(`${due} pieces of garbage on ${channel} to be counted`, async () => (await garbage()) - start >= due);
      assert.equal((await garbage()) - start, due, channel);
    }
    for (const value of wire.wrong) {
      const start = await garbage();
      let due = 0;
      for (const channel of wire.casts) due += await publish(channel, Buffer.from(msgpack.encode(value)));
      await until(`${JSON.stringify(value)} to be counted ${due} times`, async () => (await garbage()) - start >= due);
      assert.equal((await garbage()) - start, due);
    }

    for (const [from, to] of [[ann, bob], [bob, ann]]) {
      from.say('r', `after all this from ${from.name}`);
      await to.hears(`after all this from ${from.name}`);
    }
    assert.equal(ann.count('x') + bob.count('x'), 0);
    assert.deepEqual([...ann.disconnects, ...bob.disconnects], []);
    for (const node of cluster.nodes) {
      const { body } = await node.ready();
      assert.equal(body.degraded, false);
      assert.equal((await node.health()).nodes, 2);
    }
    closeAll();
    await cluster.stop();
  });
});
