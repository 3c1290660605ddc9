// The rest of the interop recipe (reference 9: points 7, 9 and 10) over each wire of @socket.io/redis-adapter: one of our
// nodes and a Node.js server on one Redis. Who subscribes to what while rooms come and go, what is left of both after
// Redis was away, and whether both publish the same for the same call, value by value.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, describe, test } from 'node:test';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { sleep, startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { bytes, plain, startNodeServer } from '../support/interop.mjs';
import { closeAll, connect } from '../support/peer.mjs';
import { closeRedisClients, redisClient, watchPublications } from '../support/redis.mjs';

const requireAsAdapter = createRequire(createRequire(import.meta.url).resolve('@socket.io/redis-adapter'));
const msgpack = requireAsAdapter('notepack.io');

const ADAPTERS = { redis: createAdapter, 'redis-sharded': createShardedAdapter };
const BACK_MS = 60000;

const theirServers = [];
after(async () => {
  closeAll();
  await Promise.all(theirServers.map((s) => s.stop()));
  await closeRedisClients();
  await stopAll();
});

// A server of each kind, with clients of both; N is theirs, S is ours, as in the recipe.
async function startPair(adapter, { mode = 'dynamic' } = {}) {
  const redis = await startRedis();
  const options = adapter === 'redis-sharded' ? { subscriptionMode: mode } : {};
  const theirs = await startNodeServer(ADAPTERS[adapter](await redisClient(redis), await redisClient(redis), options));
  theirServers.push(theirs);
  const ours = await startNode({ redis, program: 'wire-cluster', env: { ADAPTER: adapter, ADAPTER_SUBSCRIPTION_MODE: mode } });
  const s = await connect(ours.url, { gateway: false, name: 'S' });
  const n = await connect(theirs.url, { gateway: false, name: 'N' });
  for (const p of [s, n]) p.socket.on('question', (x, done) => done(plain(x)));
  const pair = { redis, theirs, ours, s, n, peers: { S: s, N: n }, tool: await redisClient(redis) };
  // Everything that this side has published so far has reached both; also told by the monitor, when there is one.
  let fences = 0;
  pair.fence = async (side) => {
    const mark = `fence-${side}-${++fences}`;
    if (side === 'S') s.emit('emit', {}, mark);
    else theirs.io.emit(mark);
    await Promise.all([s, n].map((p) => p.nextArgs(mark)));
    return mark;
  };
  await until('each to count the other', async () => await theirs.io.of('/').adapter.serverCount() === 2 && await s.ask('server-count') === 2);
  return pair;
}

// What either side can be told to do, in its own words: [how S is asked, how N is asked].
const CALLS = {
  'emit to all': [(s) => s.ask('emit', {}, 'e', 1, '2', { 3: [true, null, 1.5] }), (io) => io.emit('e', 1, '2', { 3: [true, null, 1.5] })],
  'emit to a room': [(s) => s.ask('emit', { to: ['red'] }, 'e', 'é'), (io) => io.to('red').emit('e', 'é')],
  'emit to rooms, not to one': [(s) => s.ask('emit', { to: ['red', 'blue'], except: ['green'] }, 'e'), (io) => io.to('red').to('blue').except('green').emit('e')],
  'emit of bytes': [(s) => s.ask('emit', { to: ['red'] }, 'e', bytes(20), { deep: [bytes(2)] }), (io) => io.to('red').emit('e', bytes(20), { deep: [bytes(2)] })],
  'emit with ack': [(s) => s.ask('ask', { timeout: 5000 }, 'question', 7), (io) => io.timeout(5000).emitWithAck('question', 7)],
  'emit of bytes with ack': [(s) => s.ask('ask', { to: ['red'], timeout: 5000 }, 'question', bytes(3)), (io) => io.to('red').timeout(5000).emitWithAck('question', bytes(3))],
  'emit with ack to nobody': [(s) => s.ask('ask', { to: ['nobody'], timeout: 5000 }, 'question', 7), (io) => io.to('nobody').timeout(5000).emitWithAck('question', 7)],
  fetchSockets: [(s) => s.ask('fetch', { to: ['red'] }), (io) => io.in('red').fetchSockets()],
  socketsJoin: [(s) => s.ask('sockets-join', { to: ['red'], except: ['green'] }, 'x', 'y'), (io) => io.in('red').except('green').socketsJoin(['x', 'y'])],
  socketsLeave: [(s) => s.ask('sockets-leave', { to: ['red'] }, 'x'), (io) => io.in('red').socketsLeave('x')],
  disconnectSockets: [(s) => s.ask('sockets-disconnect', { to: ['nobody'] }), (io) => io.in('nobody').disconnectSockets()],
  'disconnectSockets, closing': [(s) => s.ask('sockets-disconnect', { to: ['nobody'], close: true }), (io) => io.in('nobody').disconnectSockets(true)],
  serverSideEmit: [(s) => s.ask('server-emit', 'greet', 'x', { n: [1] }), (io) => io.serverSideEmit('greet', 'x', { n: [1] })],
  'serverSideEmit with ack': [(s) => s.ask('server-ask', 'greet', 5), (io) => io.serverSideEmitWithAck('greet', 5)],
};

// What is by chance, or is one side's alone, becomes its name; the shape of a handshake stays. Ours add to the classic
// answers who gives them (so that a silent node can be named), which the peers pass over.
function normal(value, names) {
  if (typeof value === 'string') return names.get(value) ?? value;
  if (Array.isArray(value)) return value.map((v) => normal(v, names));
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => {
    if (key === 'requestId') return [key, `an id: ${/^[\w-]{6,16}$/.test(v)}`];
    if (key === 'handshake') return [key, Object.fromEntries(Object.entries(v).map(([k, x]) => [k, typeof x]))];
    if (key === 'ours' || key === 'theirs') return ['answer', 'of its application'];
    return [key, normal(v, names)];
  }));
}

const decode = (payload) => (payload[0] === 0x7b ? JSON.parse(payload) : { packed: plain(msgpack.decode(payload)) });
function withoutGiver(value, channel) {
  const answer = value.packed ?? value;
  if (channel.startsWith('socket.io-response#') && answer.uid === 'other') delete answer.uid;
  return value;
}
const mentions = (p, text) => p.payload.includes(text);

for (const adapter of Object.keys(ADAPTERS)) {
  describe(`over ${adapter}`, () => {
    test('10: both publish the same for the same call, on the same channels', { timeout: 240000 }, async () => {
      const pair = await startPair(adapter);
      const { s, n, theirs } = pair;
      for (const p of [s, n]) await p.ask('join', 'red');
      const seen = await watchPublications(pair.redis, 'socket.io');
      const fenced = async (side) => {
        const mark = await pair.fence(side);
        await until('the monitor to have seen it', () => seen.some((p) => mentions(p, mark)));
      };
      // Each names itself in its own fence.
      const uidOf = { S: '', N: '' };
      for (const side of ['S', 'N']) {
        await fenced(side);
        const value = decode(seen.find((p) => mentions(p, `fence-${side}`)).payload);
        uidOf[side] = value.uid ?? value.packed[0];
      }
      assert.equal(uidOf.S.length, uidOf.N.length);
      for (const [title, [byOurs, byTheirs]] of Object.entries(CALLS)) {
        const said = {};
        for (const [side, call] of [['S', () => byOurs(s)], ['N', () => byTheirs(theirs.io)]]) {
          const [me, other] = side === 'S' ? [s, n] : [n, s];
          const names = new Map([[uidOf[side], 'asker'], [uidOf[side === 'S' ? 'N' : 'S'], 'other'], [me.id, 'my client'], [other.id, 'its client']]);
          seen.length = 0;
          await call();
          for (const x of ['S', 'N']) await fenced(x);
          said[side] = seen.filter((p) => !mentions(p, 'fence-')).map(({ command, channel, payload }) => [
            command, [...names].reduce((text, [from, to]) => text.replaceAll(from, to), channel),
            withoutGiver(normal(decode(payload), names), channel),
          ]);
        }
        assert.ok(said.N.length > 0, title);
        const sorted = (list) => list.map((x) => JSON.stringify(x, (_, v) => (v && typeof v === 'object' && !Array.isArray(v)
          ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1))) : v))).sort();
        assert.deepEqual(sorted(said.S), sorted(said.N), title);
      }
    });

    test('9: Redis is started again, and stops for two seconds: local emits do not wait, then all is as before', { timeout: 240000 }, async () => {
      const pair = await startPair(adapter);
      const { s, n, ours, theirs, redis } = pair;
      const local = await connect(ours.url, { gateway: false, name: 'local' });
      for (const p of [s, n, local]) await p.ask('join', 'red');
      let number = 0;
      const isHeard = async (side, how = {}) => { // again and again: what is said too early is lost
        const mark = `probe-${side}-${++number}-`;
        for (let i = 0, end = Date.now() + BACK_MS; ![s, n].every((p) => p.count(mark)); i++) {
          if (Date.now() > end) assert.fail(`${mark} was not heard by both`);
          if (side === 'S') s.emit('emit', how, mark, i);
          else (how.to ? theirs.io.to(how.to) : theirs.io).emit(mark, i);
          await sleep(50);
        }
      };
      const isAsBefore = async () => {
        for (const side of ['S', 'N']) for (const how of [{}, { to: ['red'] }]) await isHeard(side, how);
        await until('each to count the other', async () => await theirs.io.of('/').adapter.serverCount() === 2 && await s.ask('server-count') === 2, BACK_MS);
        for (const side of ['S', 'N']) { // point 2 again: once, in order
          const event = `order-${++number}`;
          for (let i = 0; i < 50; i++) {
            if (side === 'S') s.emit('emit', { to: ['red'] }, event, i, bytes(i));
            else theirs.io.to('red').emit(event, i, bytes(i));
          }
          await Promise.all([s, n, local].map((p) => p.nextArgs(event, (i) => i === 49)));
          for (const p of [s, n, local]) assert.deepEqual(p.all.filter((e) => e[0] === event).map((e) => e[1]), Array.from({ length: 50 }, (_, i) => i), p.name);
        }
        assert.equal((await theirs.io.in('red').fetchSockets()).length, 3);
        const all = await s.ask('fetch', { to: ['red'] });
        assert.deepEqual([all.rc, all.answers.length, all.missing], [0, 3, []]);
      };
      await isAsBefore();
      await redis.kill('SIGKILL');
      await redis.restart();
      await isAsBefore();

      redis.process.signal('SIGSTOP');
      try {
        for (const how of [{}, { to: ['red'] }, { to: ['red'], except: ['blue'] }]) {
          const event = `frozen-${++number}`;
          s.emit('emit', how, event);
          for (const p of [s, local]) await p.nextArgs(event); // before Redis goes on
          s.emit('sockets-join', { to: ['red'] }, event);
          s.emit('emit', { to: [event] }, event);
          for (const p of [s, local]) await p.nextArgs(event);
        }
        await sleep(2000);
      } finally {
        redis.process.signal('SIGCONT');
      }
      await isAsBefore();
      for (const p of [s, n, local]) assert.deepEqual(p.disconnects, [], p.name);
      assert.equal((await ours.metrics()).ingoma_redis_garbage_total, 0);
    });
  });
}

for (const mode of ['static', 'dynamic', 'dynamic-private']) {
  test(`7: redis-sharded, mode ${mode}: who listens while rooms come and go`, { timeout: 240000 }, async () => {
    const pair = await startPair('redis-sharded', { mode });
    let number = 0;
    const { s, n, theirs, tool } = pair;
    const channels = async () => (await tool.sendCommand(['PUBSUB', 'SHARDCHANNELS'])).map(String).filter((c) => c.startsWith('socket.io#/#'));
    const listeners = async (name) => Number((await tool.sendCommand(['PUBSUB', 'SHARDNUMSUB', `socket.io#/#${name}#`]))[1]);
    const until2 = (name, wanted) => until(`${wanted} to listen to ${name}`, async () => (await listeners(name)) === wanted);
    const rooms = mode === 'static' ? 0 : 1;
    const sids = mode === 'dynamic-private' ? 1 : 0;
    const atRest = 3 + 2 * sids; // the namespace, each server, and perhaps each client
    const until3 = (wanted) => until(`${wanted} channels`, async () => (await channels()).length === wanted);
    await until3(atRest);
    for (const p of [s, n]) await until2(p.id, sids);

    // Each in its turn hears what the other says to the room, to one client, to all: once.
    const isHeard = async (to, want) => {
      for (const side of ['S', 'N']) {
        const event = `${mode}-${to}-${side}-${++number}`;
        if (side === 'S') await s.ask('emit', to ? { to: [to] } : {}, event);
        else (to ? theirs.io.to(to) : theirs.io).emit(event);
        await pair.fence(side);
        // A channel of its own is not ordered with that of the fence.
        await Promise.all(want.map((p) => p.nextArgs(event)));
        for (const p of [s, n]) assert.equal(p.count(event), want.includes(p) ? 1 : 0, `${event} → ${p.name}`);
      }
    };
    await isHeard('', [s, n]);
    for (const p of [s, n]) await isHeard(p.id, [p]);
    await n.ask('join', 'r1');
    await until2('r1', rooms);
    await isHeard('r1', [n]);
    await s.ask('join', 'r1', 'r2');
    await until2('r1', 2 * rooms);
    await until2('r2', rooms);
    await until3(atRest + 2 * rooms);
    await isHeard('r1', [s, n]);
    await n.ask('leave', 'r1');
    await until2('r1', rooms);
    await isHeard('r1', [s]);
    await s.ask('sockets-leave', { to: ['r1'] }, 'r1', 'r2');
    await until3(atRest);

    for (let i = 0; i < 100; i++) for (const p of [s, n]) p.emit('join', `many-${i}`, ...(p === n ? [() => {}] : []));
    await until3(atRest + 100 * rooms);
    for (const p of [s, n]) p.close(); // and with them all their rooms
    await until3(3);
  });
}
