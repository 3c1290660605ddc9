// A user is one, over devices and nodes: what Redis holds of it, also when a node dies, sleeps, or Redis forgets.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { startCluster, startNode, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect, token } from '../support/peer.mjs';
import { closeRedisClients, redisClient } from '../support/redis.mjs';

const ENV = { BEAT_MS: '200', DEAD_MS: '2000' };
let cluster, redis;

before(async () => {
  cluster = await startCluster({ nodes: 3, shared: false, env: ENV });
  redis = await redisClient(cluster.redis);
});
afterEach(closeAll);
after(async () => {
  await closeRedisClients();
  await stopAll();
});

const device = (node, id) => connect(node.url, { auth: { token: token({ id, name: id }) } });

// Devices of a user by node, as Redis has them.
const untilDevices = (id, want) => until(`${id} to be on ${JSON.stringify(want)}`, async () => {
  const got = Object.entries(await redis.hGetAll(`ingoma:{user:${id}}:nodes`)).map(([node, text]) => [node, Number(text.split('@')[0])]);
  return JSON.stringify(got.sort()) === JSON.stringify(want.sort());
});
const users = (node) => redis.zRange(`ingoma:{people:socket.io:${node.id}}:users`, 0, -1);

test('devices of one user are counted over the nodes', async () => {
  const [a, b] = cluster.nodes;
  const tabs = [await device(a, 'ann'), await device(a, 'ann'), await device(b, 'ann')];
  await untilDevices('ann', [[a.id, 2], [b.id, 1]]);
  await until('the lists', async () => (await users(a)).includes('ann') && (await users(b)).includes('ann'));
  assert.deepEqual(await tabs[2].join('user-ann', 'personal'), { roomId: 'user-ann', memberCount: 3, roomType: 'personal' });
  assert.equal((await tabs[2].ask('leaveRoom', 'user-ann')).ok, true);
  assert.deepEqual(await tabs[0].join('user-ann', 'personal'), { roomId: 'user-ann', memberCount: 3, roomType: 'personal' }, 'nobody has left');
  tabs[0].close();
  await untilDevices('ann', [[a.id, 1], [b.id, 1]]);
  tabs[1].close();
  tabs[2].close();
  await untilDevices('ann', []);
  await until('the lists to be empty', async () => (await users(a)).length + (await users(b)).length === 0);
});

test('a node that sleeps is reaped, and its users are there again when it wakes', async () => {
  const [a, b] = cluster.nodes;
  await device(b, 'bob');
  await device(a, 'ann');
  await device(b, 'ann');
  await untilDevices('bob', [[b.id, 1]]);
  await untilDevices('ann', [[a.id, 1], [b.id, 1]]);
  b.signal('SIGSTOP');
  try {
    await untilDevices('bob', []);
    await untilDevices('ann', [[a.id, 1]]);
    await until('the list to be empty', async () => (await users(b)).length === 0);
  } finally {
    b.signal('SIGCONT');
  }
  await untilDevices('bob', [[b.id, 1]]);
  await untilDevices('ann', [[a.id, 1], [b.id, 1]]);
  await until('the list', async () => (await users(b)).length === 2);
});

test('Redis comes back with nothing in it', async () => {
  const [a, b] = cluster.nodes;
  await device(a, 'ann');
  const bob = await device(b, 'bob');
  await untilDevices('bob', [[b.id, 1]]);
  await closeRedisClients();
  await cluster.redis.restart();
  redis = await redisClient(cluster.redis);
  await untilDevices('ann', [[a.id, 1]]);
  await untilDevices('bob', [[b.id, 1]]);
  await until('the lists', async () => (await users(a)).includes('ann') && (await users(b)).includes('bob'));
  bob.close();
  await untilDevices('bob', []);
});

test('a killed node leaves nothing behind', async () => {
  const [a, , c] = cluster.nodes;
  const many = Array.from({ length: 150 }, (_, i) => `u${i}`);
  await Promise.all(many.map((id) => device(c, id)));
  await device(a, 'u0');
  await until('the list', async () => (await users(c)).length === many.length);
  c.kill('SIGKILL');
  await until('the list to be empty', async () => (await users(c)).length === 0);
  await untilDevices('u0', [[a.id, 1]]);
  assert.equal(await redis.exists(many.slice(1).map((id) => `ingoma:{user:${id}}:nodes`)), 0);
});

test('the users of a cluster that died as a whole are cleared away by the next one', async () => {
  await redis.hSet('ingoma:{people:socket.io}:nodes', 'gone', 'live@1700000000');
  await redis.zAdd('ingoma:{people:socket.io:gone}:users', { score: 0, value: 'old' });
  await redis.hSet('ingoma:{user:old}:nodes', 'gone', '1@1700000000');
  const next = await startNode({ redis: cluster.redis, env: ENV });
  await until('the old user to be gone', async () => !(await redis.exists('ingoma:{user:old}:nodes')));
  assert.match(await redis.hGet('ingoma:{people:socket.io}:nodes', 'gone'), /^reaped@/);
  await next.stop();
});
