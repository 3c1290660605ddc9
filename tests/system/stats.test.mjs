// serverStats over two nodes: today's keys, sums, and what a dead node leaves.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { startCluster, startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect, schemaBreaches, token } from '../support/peer.mjs';
import { create, join, ok, SUM } from '../support/quiz.mjs';

const ENV = { BEAT_MS: '200', DEAD_MS: '2000', STATS_INTERVAL_MS: '300', PRESENCE_INTERVAL_MS: '100' };
let redis, cluster;
before(async () => {
  redis = await startRedis();
  cluster = await startCluster({ nodes: 2, shared: false, redis, env: ENV });
});
afterEach(closeAll);
after(async () => {
  await stopAll();
  assert.deepEqual(schemaBreaches(), []);
});

const device = (node, id) => connect(node.url, { auth: { token: token({ id, name: id }) } });

test('all sockets are told of the whole cluster, with the keys of today', async () => {
  const [a, b] = cluster.nodes;
  const guest = await connect(a.url);
  const bob = await device(b, 'bob');
  const tab = await device(a, 'bob');
  await bob.join('class');
  await tab.join('class'); // on both nodes: one room
  await tab.join('user-bob', 'personal');
  for (const peer of [guest, bob, tab]) {
    const got = await peer.next('serverStats', (s) => s.connections.currentConnections === 3 && s.onlineUsers === 1 && s.activeRooms === 1);
    assert.equal(got.nodes, 2);
    assert.equal(got.connections.peakConnections, 3);
    assert.ok(got.connections.totalConnections >= 3);
    assert.match(got.connections.lastPeak, /Z$/);
    assert.ok(got.memoryUsage.rss > 1e6);
    assert.equal(got.quizSessions, 0);
    assert.ok(Number.isInteger(got.uptime));
    assert.deepEqual(Object.keys(got.rates), ['eventsPerSecond', 'deliveriesPerSecond', 'errorsPerSecond', 'eventMs', 'redisMs', 'cpuPercent']);
  }
  const health = await a.health();
  assert.equal(health.cluster.sockets, 3);
  assert.equal(health.cluster.onlineUsers, 1);
  assert.equal(health.cluster.rooms, 1);
  assert.equal(health.cluster.nodes, 2);
  assert.equal(health.cluster.socketsPeak, 3);
  assert.ok(health.cluster.socketsTotal >= 3);
  assert.ok(health.cluster.memory > health.memory.rss);
  assert.deepEqual(Object.keys(health.rates), Object.keys(health.cluster.rates));
  await until('the events to show in the rates', async () => {
    tab.emit('ping', {});
    const { rates, cluster: { rates: all } } = await a.health();
    return rates.eventsPerMinute > 0 && all.eventsPerMinute >= rates.eventsPerMinute && all.cpuPermille > 0;
  });
  const metrics = await a.metrics();
  assert.equal(metrics.ingoma_cluster_sockets, 3);
  assert.equal(metrics.ingoma_cluster_rooms, 1);
  assert.ok(metrics.ingoma_cluster_cpu_permille >= 0 && metrics.ingoma_cpu_permille >= 0);
});

test('quizzes are counted once over the nodes, until nobody is in them, they are over, or their node dies', async () => {
  const [a, b] = cluster.nodes;
  const third = await startNode({ redis, env: ENV });
  const watcher = await connect(a.url);
  const counted = async (n) => {
    await until(`${n} quizzes on all nodes`, async () => {
      for (const node of [a, b, third]) if (node.isUp !== false && (await node.metrics()).ingoma_cluster_quiz_sessions !== n) return false;
      return true;
    });
    await watcher.next('serverStats', (s) => s.quizSessions === n);
  };
  const host = await device(a, 'host');
  const game = await create(host, [SUM]);
  await counted(0); // nobody is in it
  const ann = await device(a, 'ann');
  const bob = await device(b, 'bob');
  await join(ann, game);
  await join(bob, game);
  await counted(1);
  await join(bob, { quizId: 'old' });
  const cat = await device(third, 'cat');
  await join(cat, { quizId: 'far' });
  await counted(3);
  await game.does('end');
  await counted(2);
  await ok(ann.ask('joinQuiz', { quizId: game.quizId })); // back in a game that is over
  await counted(2);
  bob.close();
  await counted(1);
  third.isUp = false;
  await third.kill('SIGKILL');
  await counted(0);
});

test('a dead node leaves the sum, and what it had stays in the total', async () => {
  const [a, b] = cluster.nodes;
  const ann = await device(a, 'ann');
  await device(b, 'bob');
  const before = await ann.next('serverStats', (s) => s.connections.currentConnections === 2);
  await b.kill('SIGKILL');
  const after = await ann.next('serverStats', (s) => s.nodes === 1 && s.onlineUsers === 1);
  assert.equal(after.connections.currentConnections, 1);
  assert.ok(after.connections.totalConnections >= before.connections.totalConnections);
  assert.ok(after.connections.peakConnections >= 3);
});
