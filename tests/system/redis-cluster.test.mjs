// Our nodes over a Redis Cluster: beside a Node.js server, while slots move, and while a master dies and its replica takes
// over. Clients keep their connections, and rooms of all nodes come together again by themselves.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createShardedAdapter } from '@socket.io/redis-adapter';
import { nothingTwice, untilDegraded, untilHeard } from '../support/chat.mjs';
import { sleep, startCluster, startNode, stopAll, until } from '../support/cluster.mjs';
import { castTests, connectPeers, meeting, startNodeServer } from '../support/interop.mjs';
import { closeAll, connect, schemaBreaches } from '../support/peer.mjs';
import { closeRedisClients, redisClient } from '../support/redis.mjs';
import { startRedisCluster } from '../support/redis-cluster.mjs';

const FAIL_OVER_MS = 90000; // some seconds, on a machine that has nothing else to do
const QUICK = { ADAPTER: 'redis-sharded', BEAT_MS: '500', DEAD_MS: '10000', REDIS_TIMEOUT_MS: '1000', RATE_EVENTS: '1000000', RATE_USER_EVENTS: '0' };

after(async () => {
  closeAll();
  await closeRedisClients();
  await stopAll();
  assert.deepEqual(schemaBreaches(), []);
});

// Order between a room and all is kept by one channel only: mode static.
describe('with a server of Node.js, subscription mode static', () => {
  let redis, ours, theirs, peers, met;

  before(async () => {
    redis = await startRedisCluster();
    theirs = await startNodeServer(createShardedAdapter(await redis.client(), await redis.client(), { subscriptionMode: 'static' }));
    ours = await startNode({
      redis, program: 'wire-echo', args: ['socket'],
      env: {
        ADAPTER: 'redis-sharded', ADAPTER_SUBSCRIPTION_MODE: 'static',
        PING_INTERVAL_MS: '25000', PING_TIMEOUT_MS: '20000', CONNECT_TIMEOUT_MS: '45000',
      },
    });
    peers = await connectPeers({ ours: ours.url, theirs: theirs.url });
    const owner = await redis.ownerOf('socket.io#/#');
    await until('both to hear the namespace', async () =>
      Number((await owner.client.sendCommand(['PUBSUB', 'SHARDNUMSUB', 'socket.io#/#']))[1]) === 2);
    met = meeting(peers);
  });
  after(async () => {
    closeAll();
    // Without io.close(): it unsubscribes twice at one server, and node-redis 5 has closed that connection after the first.
    theirs.io.engine.close();
    await new Promise((done) => theirs.io.httpServer.close(done));
    await ours.stop();
  });

  castTests(test, () => met);

  test('nothing of all this was garbage to ours', async () => {
    const figures = await ours.metrics();
    assert.equal(figures.ingoma_redis_garbage_total, 0);
    assert.equal(figures.ingoma_redis_dropped_total, 0);
  });
});

const ROOMS = Array.from({ length: 12 }, (_, i) => `room-${i}`);

async function chat(redis) {
  const cluster = await startCluster({ nodes: 2, shared: false, env: QUICK, redis });
  const [ann, bob] = await Promise.all(cluster.nodes.map((n) => connect(n.url)));
  for (const room of ROOMS) for (const p of [ann, bob]) await p.join(room);
  const isWhole = async () => {
    for (const room of ROOMS) await Promise.all([untilHeard(ann, bob, FAIL_OVER_MS, room), untilHeard(bob, ann, FAIL_OVER_MS, room)]);
    await untilDegraded(cluster.nodes, false, FAIL_OVER_MS);
    await until('all members to be counted', async () => {
      const answers = await Promise.all(ROOMS.map((roomId) => ann.ask('joinRoom', { roomId })));
      return answers.every((c) => c.ok && c.memberCount === 2);
    }, FAIL_OVER_MS);
  };
  const end = async () => {
    for (const p of [ann, bob]) assert.deepEqual(p.disconnects, []);
    nothingTwice([ann, bob]);
    for (const p of [ann, bob]) p.close();
    await cluster.stop();
  };
  return { cluster, ann, bob, isWhole, end };
}

test('slots move under chat, those of rooms, of the namespace and of the nodes too', { timeout: 400000 }, async () => {
  const redis = await startRedisCluster();
  const { cluster, isWhole, ann, bob, end } = await chat(redis);
  await isWhole();
  const channels = [...ROOMS.map((r) => `socket.io#/#${r}#`), 'socket.io#/#', 'ingoma:socket.io:nodes',
    ...cluster.nodes.map((n) => `ingoma:socket.io:node:${n.id}`)];
  const slots = new Set();
  for (const c of channels) slots.add(await redis.slotOf(c));
  for (const server of redis.servers) // and those of all keys that there are
    for (const key of await server.client.sendCommand(['KEYS', '*'])) slots.add(await redis.slotOf(String(key)));
  for (let pass = 1; pass <= 2; pass++) {
    for (const slot of slots) {
      const from = await redis.ownerOfSlot(slot);
      await redis.moveSlot(slot, redis.servers[(redis.servers.indexOf(from) + pass) % 3]);
      ann.say(ROOMS[slot % ROOMS.length], 'in the middle of it');
      bob.say(ROOMS[(slot + 1) % ROOMS.length], 'in the middle of it');
    }
    await isWhole();
  }
  for (const node of cluster.nodes) {
    const figures = await node.metrics();
    assert.equal(figures.ingoma_redis_garbage_total, 0);
    assert.ok(figures.ingoma_redis_redirects_total > 0);
    assert.ok(!node.logs().includes('"redis.script"'), 'no script failed');
  }
  await end();
});

test('a master is killed, its replica takes over, the old one comes back', { timeout: 400000 }, async (t) => {
  const redis = await startRedisCluster({ replicas: true });
  const { isWhole, end } = await chat(redis);
  await isWhole();
  const first = await redis.ownerOf('socket.io#/#');
  await first.kill('SIGKILL');
  let start = Date.now();
  await until('the replica to take over', async () => ![first, undefined].includes(await redis.ownerOf('socket.io#/#')), FAIL_OVER_MS);
  t.diagnostic(`the Redis Cluster took ${Date.now() - start} ms`);
  start = Date.now();
  await isWhole();
  t.diagnostic(`whole again ${Date.now() - start} ms after that`);
  await first.restart();
  first.client = await redisClient(first);
  await until('the old master to be a replica', async () => (await first.client.sendCommand(['ROLE']))[0] === 'slave', FAIL_OVER_MS);
  await isWhole();
  await until('it to be the master again, by hand', async () => { // Redis gives an attempt up after five seconds
    await first.client.sendCommand(['CLUSTER', 'FAILOVER']).catch(() => {});
    await sleep(200);
    return (await redis.ownerOf('socket.io#/#')) === first;
  }, FAIL_OVER_MS);
  await isWhole();
  await end();
});
