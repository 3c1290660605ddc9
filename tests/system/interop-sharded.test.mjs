// One of our nodes and a Node.js server (socket.io with createShardedAdapter, mode dynamic) on one Redis: what either
// broadcasts reaches the clients of both, whole and exactly once, and rooms are heard only where they have members.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createShardedAdapter } from '@socket.io/redis-adapter';
import { startCluster, startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { castTests, connectPeers, meeting, namespaceTest, startNodeServer } from '../support/interop.mjs';
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

  before(async () => {
    redis = await startRedis();
    asker = await redisClient(redis);
    const adapter = createShardedAdapter(await redisClient(redis), await redisClient(redis), { subscriptionMode: 'dynamic' });
    theirs = await startNodeServer(adapter);
    ours = await startNode({ redis, program: 'wire-echo', args: ['socket'], env: ECHO });
    peers = await connectPeers({ ours: ours.url, theirs: theirs.url });
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

  namespaceTest(test, () => ({ ours, theirs, met }));

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
