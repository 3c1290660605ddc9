// One of our nodes and a Node.js server (socket.io with createShardedAdapter, mode dynamic) on one Redis: what either
// broadcasts reaches the clients of both, whole and exactly once, and rooms are heard only where they have members.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createShardedAdapter } from '@socket.io/redis-adapter';
import { startCluster, startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { bytes, castTests, meeting, plain, startNodeServer } from '../support/interop.mjs';
import { closeAll, connect } from '../support/peer.mjs';
import { closeRedisClients, redisClient } from '../support/redis.mjs';

after(async () => {
  closeAll();
  await closeRedisClients();
  await stopAll();
});

const shardChannels = async (client) => (await client.sendCommand(['PUBSUB', 'SHARDCHANNELS'])).map(String).sort();
const listeners = async (client, channel) => Number((await client.sendCommand(['PUBSUB', 'SHARDNUMSUB', channel]))[1]);
const ECHO = { ADAPTER: 'redis-sharded', PING_INTERVAL_MS: '25000', PING_TIMEOUT_MS: '20000', CONNECT_TIMEOUT_MS: '45000' };

describe('with a server of Node.js', () => {
  let redis, ours, theirs, asker, peers, met;

  // Three clients a server: red, blue, and one in both rooms.
  before(async () => {
    redis = await startRedis();
    asker = await redisClient(redis);
    const adapter = createShardedAdapter(await redisClient(redis), await redisClient(redis), { subscriptionMode: 'dynamic' });
    theirs = await startNodeServer(adapter);
    ours = await startNode({ redis, program: 'wire-echo', args: ['socket'], env: ECHO });
    peers = {};
    for (const [side, url] of [['ours', ours.url], ['theirs', theirs.url]]) {
      for (const [who, rooms] of [['red', ['red']], ['blue', ['blue']], ['both', ['red', 'blue']]]) {
        const peer = await connect(url, { gateway: false, name: `${side}.${who}` });
        await peer.ask('join', ...rooms);
        peer.rooms = [...rooms, peer.id];
        peers[peer.name] = peer;
      }
    }
    for (const room of ['red', 'blue'])
      await until(`both to hear ${room}`, async () => (await listeners(asker, `socket.io#/#${room}#`)) === 2);
    met = meeting(peers);
  });
  after(async () => {
    closeAll();
    await theirs.stop();
    await ours.stop();
  });

  castTests(test, () => met);

  test('a namespace for itself', async () => {
    const guests = [];
    for (const [side, url] of [['ours', ours.url], ['theirs', theirs.url]])
      guests.push(await connect(`${url}/custom`, { gateway: false, name: `${side}.custom` }));
    theirs.io.of('/custom').emit('there', 1, bytes(3));
    theirs.io.emit('here', 2);
    for (const guest of guests) {
      assert.deepEqual(plain(await guest.nextArgs('there')), plain([1, bytes(3)]));
      assert.equal(guest.count('here'), 0);
    }
    await met.fence('theirs');
    for (const n of met.names) assert.deepEqual([peers[n].count('here'), peers[n].count('there')], [1, 0], n);
    guests.forEach((g) => g.close());
  });

  test('each counts the other', async () => {
    assert.equal(await listeners(asker, 'socket.io#/#'), 2);
    assert.equal(await theirs.io.of('/').adapter.serverCount(), 2);
  });

  test('a room without members on ours costs it nothing', async () => {
    await peers['theirs.red'].ask('join', 'there-alone');
    await until('the room to be heard', async () => (await listeners(asker, 'socket.io#/#there-alone#')) === 1);
    const start = (await ours.metrics()).ingoma_redis_received_total;
    for (let i = 0; i < 1000; i++) theirs.io.to('there-alone').emit('x', i, 'y'.repeat(1000));
    await met.fence('theirs');
    assert.ok((await ours.metrics()).ingoma_redis_received_total - start < 100, 'beats and the fence alone');
    assert.equal(peers['theirs.red'].count('x'), 1000);
  });

  test('nothing of all this was garbage to ours', async () => {
    const figures = await ours.metrics();
    assert.equal(figures.ingoma_redis_garbage_total, 0);
    assert.equal(figures.ingoma_redis_dropped_total, 0);
  });
});

test('roomJoined is said when the room is heard: the very next message of another node arrives', async () => {
  const cluster = await startCluster({ nodes: 2, shared: false, env: { ADAPTER: 'redis-sharded' } });
  const asker = await redisClient(cluster.redis);
  const [ann, bob] = await Promise.all(cluster.nodes.map((n) => connect(n.url)));
  for (let i = 0; i < 30; i++) {
    await ann.join(`room-${i}`);
    await bob.join(`room-${i}`);
    ann.say(`room-${i}`, `hello ${i}`);
    await bob.hears(`hello ${i}`);
  }
  closeAll();
  await until('no room to be left', async () => (await shardChannels(asker)).every((c) => !c.includes('room-')));
  await cluster.stop();
});
