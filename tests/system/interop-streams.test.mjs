// Our nodes and a Node.js server (socket.io with @socket.io/redis-streams-adapter 0.3) on one Redis: what either broadcasts
// reaches the clients of both, whole, once and in order; requests are answered by all; the bytes are the same; garbage and
// a Redis that comes back empty harm nobody.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import { startCluster, startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { GARBAGE, bytes, castTests, connectPeers, meeting, namespaceTest, plain, startNodeServer } from '../support/interop.mjs';
import { requestTests } from '../support/interop-requests.mjs';
import { closeAll, connect } from '../support/peer.mjs';
import { closeRedisClients, redisClient } from '../support/redis.mjs';

const { decode, encode } = createRequire(createRequire(import.meta.url).resolve('@socket.io/redis-streams-adapter'))('@msgpack/msgpack');
const ENV = { ADAPTER: 'redis-streams', PING_INTERVAL_MS: '25000', PING_TIMEOUT_MS: '20000', CONNECT_TIMEOUT_MS: '45000' };

after(async () => {
  closeAll();
  await closeRedisClients();
  await stopAll();
});

// Node's reader begins at `$` with each XREAD until it has read something: wait until all wait.
async function readersWait(client, count) {
  const blocked = async () => Number(/blocked_clients:(\d+)/.exec(await client.info('clients'))[1]);
  await until(`${count} readers to wait`, async () => (await blocked()) === count);
}

describe('with a server of Node.js', () => {
  let redis, ours, theirs, asker, peers, met;

  before(async () => {
    redis = await startRedis();
    asker = await redisClient(redis);
    theirs = await startNodeServer(createAdapter(await redisClient(redis)));
    ours = await startNode({ redis, program: 'wire-echo', args: ['socket'], env: ENV });
    peers = await connectPeers({ ours: ours.url, theirs: theirs.url });
    await readersWait(asker, 2);
    met = meeting(peers);
  });
  after(async () => {
    closeAll();
    await theirs.stop();
    await ours.stop();
  });

  castTests(test, () => met);

  // With binary beside them they travel as MessagePack, which has a type for dates.
  test('from theirs: dates and undefined become what JSON makes of them', async () => {
    const when = new Date('2026-11-23T17:01:55.123Z');
    for (const more of [[], [bytes(3)]]) {
      const event = `event-${++met.number}`;
      theirs.io.to('red').emit(event, when, undefined, { b: 1, when, list: [undefined, when] }, ...more);
      await met.fence('theirs');
      for (const n of met.hits({ to: ['red'] }).filter((x) => x.startsWith('ours'))) {
        assert.equal(peers[n].count(event), 1);
        const iso = when.toJSON();
        assert.deepEqual(plain(await peers[n].nextArgs(event)), plain([iso, null, { b: 1, when: iso, list: [null, iso] }, ...more]), n);
      }
    }
  });

  namespaceTest(test, () => ({ ours, theirs, met }));

  test('each counts the other, and a killed one no longer', async () => {
    assert.equal(await theirs.io.of('/').adapter.serverCount(), 2);
    const third = await startNode({ redis, program: 'wire-echo', args: ['socket'], env: ENV });
    assert.equal(await theirs.io.of('/').adapter.serverCount(), 3);
    await third.kill();
    await until('it to be gone', async () => (await theirs.io.of('/').adapter.serverCount()) === 2);
  });

  test('nothing of all this was garbage to ours, nor missed', async () => {
    const figures = await ours.metrics();
    for (const what of ['redis_garbage', 'redis_dropped', 'redis_stream_missed']) assert.equal(figures[`ingoma_${what}_total`], 0, what);
  });

  test('garbage on the channels is counted, and casts go on', { timeout: 120000 }, async () => {
    const garbage = async () => (await ours.metrics()).ingoma_redis_garbage_total;
    const channels = (await asker.pubSubChannels('socket.io#/#*')).map(String);
    assert.equal(channels.length, 3, 'one for all, and one for each server');
    const start = await garbage();
    let due = 0;
    for (const bad of Object.values(GARBAGE)) {
      for (const channel of channels) await asker.publish(channel, bad);
      due += 2; // the third channel is theirs alone
    }
    await until(`${due} pieces of garbage to be counted`, async () => (await garbage()) - start >= due);
    assert.equal((await garbage()) - start, due);
    await met.check('ours', { to: ['red'] }, ['still', bytes(5)]);
    await met.check('theirs', { to: ['red'] }, ['here', bytes(5)]);
  });

  test('Redis comes back empty: both go on', { timeout: 60000 }, async () => {
    await redis.process.kill();
    await until('ours to notice', async () => (await ours.ready()).body.degraded === true);
    await redis.restart();
    await until('ours to be back', async () => (await ours.ready()).body.degraded !== true);
    await readersWait(asker, 2);
    await until('both to be counted', async () => (await theirs.io.of('/').adapter.serverCount()) === 2);
    for (const side of ['ours', 'theirs']) {
      await met.check(side, {}, ['back', 1]);
      await met.check(side, { to: ['blue'] }, [bytes(9)]);
    }
    assert.equal((await ours.metrics()).ingoma_redis_stream_missed_total, 0);
  });

  test('Redis hangs: clients of ours hear each other meanwhile', { timeout: 60000 }, async () => {
    redis.process.signal('SIGSTOP');
    peers['ours.both'].emit('broadcast', {}, 'meanwhile');
    for (const n of met.names.filter((x) => x.startsWith('ours'))) await peers[n].nextArgs('meanwhile');
    redis.process.signal('SIGCONT');
    await until('ours to be well', async () => (await ours.ready()).body.degraded !== true);
    await until('both to be counted', async () => (await theirs.io.of('/').adapter.serverCount()) === 2);
    await met.fence('ours');
  });
});

// uids and request ids differ, of course.
const anonymous = (message) => JSON.parse(JSON.stringify(plain(message)), (key, v) => (['uid', 'requestId'].includes(key) ? /^[0-9a-f]{16}$/.test(v) : v));

describe('requests', () => {
  const sameBytes = (get) => {
    test('what ours writes is what theirs writes', async () => {
      const { redis, theirs, peers } = get();
      const client = await redisClient(redis);
      const watcher = client.duplicate();
      const published = [];
      watcher.on('error', () => {});
      await watcher.connect();
      // A pattern does not count as a server.
      await watcher.pSubscribe('socket.io#/#*', (payload, channel) => published.push([String(channel).replace(/[0-9a-f]{16}/, 'UID'), decode(payload)]), true);
      const tap = async (act, count) => {
        const last = (await client.xRevRange('socket.io', '+', '-', { COUNT: 1 }))[0].id;
        published.length = 0;
        await act();
        const entries = async () => (await client.xRange('socket.io', `(${last}`, '+')).map((e) => ({ ...e.message }));
        await until(`${count} messages`, async () => (await entries()).length + published.length >= count);
        return {
          entries: (await entries()).map((e) => ({ ...e, keys: Object.keys(e), data: e.data.startsWith('{') ? JSON.parse(e.data) : { binary: decode(Buffer.from(e.data, 'base64')) } })).map(anonymous),
          published: published.map(anonymous),
        };
      };
      const io = () => theirs.io;
      const told = (...args) => peers['a.red'].emit(...args);
      const rows = [
        [() => told('emit', {}, 'x', 1, { a: [null, 'é'] }), () => io().emit('x', 1, { a: [null, 'é'] }), 1],
        [() => told('emit', { to: ['red'], except: ['blue'] }, 'x', bytes(5)), () => io().to('red').except('blue').emit('x', bytes(5)), 1],
        [() => told('sockets-join', { to: ['red'] }, 'j1', 'j2'), () => io().in('red').socketsJoin(['j1', 'j2']), 1],
        [() => told('sockets-leave', { to: ['red'] }, 'j1', 'j2'), () => io().in('red').socketsLeave(['j1', 'j2']), 1],
        [() => told('sockets-disconnect', { to: ['nobody'], close: true }), () => io().in('nobody').disconnectSockets(true), 1],
        [() => told('server-emit', 'greet', 'you', 2), () => io().serverSideEmit('greet', 'you', 2), 1],
        [() => peers['a.red'].ask('server-ask', 'greet', 3), () => io().serverSideEmitWithAck('greet', 3), 3],
        [() => peers['a.red'].ask('ask', { to: ['nobody'], timeout: 700 }, 'question', 1), () => io().to('nobody').timeout(700).emitWithAck('question', 1), 3],
        [() => peers['a.red'].ask('fetch', { to: ['nobody'] }), () => io().in('nobody').fetchSockets(), 3],
      ];
      for (const [i, [ofOurs, ofTheirs, count]] of rows.entries()) {
        const got = await tap(ofOurs, count), want = await tap(ofTheirs, count);
        for (const side of [got, want]) side.published = side.published.filter(([channel]) => channel === 'socket.io#/#');
        assert.deepEqual(got, want, `row ${i}`);
      }
      await watcher.close();
    });
  };
  requestTests({ makeAdapter: async (redis) => createAdapter(await redisClient(redis)), env: { ADAPTER: 'redis-streams' }, more: sameBytes });
});

// Without a server of Node.js: an entry of type 3 without data makes it read the same entry for ever.
test('garbage in the stream is counted, and casts go on', { timeout: 120000 }, async () => {
  const cluster = await startCluster({ nodes: 2, shared: false, env: { ADAPTER: 'redis-streams' } });
  const client = await redisClient(cluster.redis);
  const [ann, bob] = await Promise.all(cluster.nodes.map((n) => connect(n.url)));
  for (const peer of [ann, bob]) await peer.join('r');
  let due = 0;
  const add = async (entry) => {
    await client.sendCommand(['XADD', 'socket.io', '*', ...Object.entries(entry).flat()]);
    due += cluster.nodes.length;
  };
  for (const bad of Object.values(GARBAGE)) {
    const whole = { uid: 'someone', nsp: '/', type: '3', data: '{"packet":{"type":2,"data":["x"]}}' };
    await add({ ...whole, data: bad });
    await add({ ...whole, data: bad.toString('base64') });
    await add({ ...whole, type: bad });
    await add({ ...whole, uid: Buffer.concat([bad, Buffer.alloc(65, 0xff)]) });
  }
  await add({ of: 'another program' });
  await add({ nsp: '/' });
  for (const type of ['1', '2', '13', '77']) await client.sendCommand(['XADD', 'socket.io', '*', 'uid', 'someone', 'nsp', '/', 'type', type]);
  const garbage = async () => (await Promise.all(cluster.nodes.map((n) => n.metrics()))).reduce((sum, f) => sum + f.ingoma_redis_garbage_total, 0);
  await until(`${due} pieces of garbage to be counted`, async () => (await garbage()) >= due);
  ann.say('r', 'hello');
  await bob.hears('hello');
  bob.say('r', 'and back');
  await ann.hears('and back');
  assert.equal(await garbage(), due);
  closeAll();
  await cluster.stop();
});

describe('four streams, another name and prefix', () => {
  test('a namespace is in the stream that Node.js gives it', async () => {
    const redis = await startRedis();
    const theirs = await startNodeServer(createAdapter(await redisClient(redis), { streamName: 's', streamCount: 4, channelPrefix: 'other' }));
    const ours = await startNode({
      redis, program: 'wire-echo', args: ['socket'],
      env: { ...ENV, ADAPTER_STREAM_NAME: 's', ADAPTER_STREAM_COUNT: '4', ADAPTER_PREFIX: 'other' },
    });
    const client = await redisClient(redis);
    assert.equal(await theirs.io.of('/').adapter.serverCount(), 2);
    const peers = await connectPeers({ ours: ours.url, theirs: theirs.url });
    const met = meeting(peers);
    for (const side of ['ours', 'theirs']) await met.check(side, { to: ['red'] }, [1, bytes(2)]);
    const guest = await connect(`${ours.url}/custom`, { gateway: false, name: 'ours.custom' });
    theirs.io.of('/custom').emit('there', 1);
    assert.deepEqual(await guest.nextArgs('there'), [1]);
    const names = (await client.sendCommand(['SCAN', '0', 'TYPE', 'stream', 'COUNT', '1000']))[1].map(String).sort();
    assert.deepEqual(names, ['s-0', 's-3']);
    closeAll();
    await theirs.stop();
    await ours.stop();
  });
});
