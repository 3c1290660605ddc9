// Who is online, as stock clients on two nodes see it: devices, status, invisible, chosen users, faults.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { startCluster, startNode, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect, schemaBreaches, token, unseenEvents } from '../support/peer.mjs';

const ENV = { RATE_EVENTS: '10000', RATE_PRESENCE: '1000000', RATE_USER_EVENTS: '0', BEAT_MS: '200', DEAD_MS: '2000', PRESENCE_INTERVAL_MS: '100' };
let cluster;
const start = async () => {
  cluster = await startCluster({ nodes: 2, shared: false, env: ENV });
};

before(start);
afterEach(async () => {
  closeAll();
  for (const node of cluster.nodes) { // everybody has gone, on both; invisible is kept: nobody hears of the one who asks
    const probe = await device(node, 'probe');
    assert.equal((await probe.ask('updatePresence', 'invisible')).ok, true);
    await until('nobody to be online', async () => (await probe.ask('presence:list', {})).count === 0);
    probe.close();
  }
});
after(async () => {
  await stopAll();
  assert.deepEqual(schemaBreaches(), []);
  assert.deepEqual(unseenEvents('presence'), []);
});

const device = (node, id, more = {}) => connect(node.url, { auth: { token: token({ id, name: `N${id}`, ...more }) } });

// The newest list that a client has, as {id: status}.
function listOf(peer) {
  const last = peer.all.findLast((e) => e[0] === 'onlineUsers')?.[1];
  return last && Object.fromEntries(last.users.map((u) => [u.userId, u.status]));
}
const isList = (peer, want) => {
  const got = listOf(peer) ?? {};
  return Object.keys(got).length === want.length && want.every((w) => got[w.id ?? w] === (w.status ?? 'online'));
};
const untilList = (peer, want, ms) => until(`${peer.name} to see ${JSON.stringify(want)}`, () => isList(peer, want), ms);

test('the first device comes online, the last one goes offline, over nodes', async () => {
  const [a, b] = cluster.nodes;
  const ann = await device(a, 'ann');
  await untilList(ann, ['ann']);
  const bob = await device(b, 'bob');
  const online = await ann.next('userOnline');
  assert.deepEqual([online.userId, online.name], ['bob', 'Nbob']);
  assert.match(online.timestamp, /^\d{4}-.*Z$/);
  await untilList(ann, ['ann', 'bob']);
  await untilList(bob, ['ann', 'bob']);
  const tab = await device(a, 'bob');
  await untilList(tab, ['ann', 'bob']);
  bob.close();
  const carl = await device(b, 8);
  await untilList(ann, ['ann', 'bob', 8]);
  assert.equal(ann.count('userOffline'), 0, 'bob has a tab open');
  assert.equal(ann.count('userOnline', (u) => u.userId === 'bob'), 1);
  assert.equal(ann.count('userOnline', (u) => u.userId === 'ann'), 0, 'not to himself');
  assert.strictEqual((await ann.next('userOnline', (u) => u.userId !== 'bob')).userId, 8, 'a number stays one');
  tab.close();
  assert.equal((await ann.next('userOffline')).userId, 'bob');
  assert.equal((await carl.next('userOffline')).userId, 'bob');
  await untilList(ann, ['ann', 8]);
  const list = ann.all.findLast((e) => e[0] === 'onlineUsers')[1];
  assert.equal(list.count, 2);
  assert.deepEqual(Object.keys(list.users[0]).sort(), ['lastActivity', 'name', 'status', 'userId']);
});

test('guests see the list and are not in it', async () => {
  const [a, b] = cluster.nodes;
  const guest = await connect(a.url);
  await device(b, 'ann');
  await untilList(guest, ['ann']);
  assert.deepEqual((await guest.ask('updatePresence', 'away')).ok, false);
});

test('a status holds for all devices and is told to all', async () => {
  const [a, b] = cluster.nodes;
  const ann = await device(a, 'ann');
  const tab = await device(b, 'ann');
  const bob = await device(b, 'bob');
  assert.deepEqual(await ann.ask('updatePresence', 'busy'), { ok: true, status: 'busy' });
  await untilList(bob, [{ id: 'ann', status: 'busy' }, 'bob']);
  assert.deepEqual(await tab.ask('updatePresence', { status: 'Away' }), { ok: true, status: 'away' });
  await untilList(bob, [{ id: 'ann', status: 'away' }, 'bob']);
  assert.equal(bob.count('userOffline'), 0);
  assert.equal((await ann.ask('updatePresence', 'dancing')).code, 'invalid_payload');
});

test('who subscribes is told of the chosen users alone', async () => {
  const [a, b] = cluster.nodes;
  const ann = await device(a, 'ann');
  const answer = await ann.ask('presence:subscribe', { userIds: ['bob', '8', 'nobody'] });
  assert.equal(answer.ok, true);
  assert.deepEqual(answer.users.map((u) => [u.userId, u.status]).sort(), [['8', 'offline'], ['bob', 'offline'], ['nobody', 'offline']]);
  assert.equal(answer.seq, 0);
  const bob = await device(b, 'bob');
  const first = await ann.next('presence:diff');
  assert.deepEqual([first.joins[0].userId, first.joins[0].status, first.leaves, first.seq], ['bob', 'online', [], 1]);
  await device(b, 'carl');
  await untilList(ann, ['ann', 'bob', 'carl']);
  await bob.ask('updatePresence', 'away');
  assert.equal((await ann.next('presence:diff')).joins[0].status, 'away');
  bob.close();
  const left = await ann.next('presence:diff');
  assert.deepEqual([left.joins, left.leaves[0].userId, left.seq], [[], 'bob', 3]);
  const later = await ann.ask('presence:subscribe', { userIds: ['bob'] });
  assert.match(later.users[0].lastSeen, /Z$/);
  assert.equal((await ann.ask('presence:unsubscribe', { userIds: ['bob', '8', 'nobody'] })).ok, true);
  const again = await device(b, 'bob');
  await untilList(ann, ['ann', 'bob', 'carl']);
  again.close();
  await untilList(ann, ['ann', 'carl']);
  assert.equal(ann.count('presence:diff'), 3);
});

test('invisible is offline to everybody, also after coming back', async () => {
  const [a, b] = cluster.nodes;
  const bob = await device(b, 'bob');
  await bob.ask('presence:subscribe', { userIds: ['ivy'] });
  let ann = await device(a, 'ivy');
  await untilList(bob, ['ivy', 'bob']);
  assert.deepEqual(await ann.ask('updatePresence', 'invisible'), { ok: true, status: 'invisible' });
  assert.equal((await bob.next('userOffline')).userId, 'ivy');
  await untilList(bob, ['bob']);
  await untilList(ann, ['bob']);
  const seen = (await bob.ask('presence:subscribe', { userIds: ['ivy'] })).users[0].lastSeen;
  ann.close();
  ann = await device(b, 'ivy');
  const page = await ann.ask('presence:list', {});
  assert.deepEqual([page.users.map((u) => u.userId), page.count, page.page, page.pages], [['bob'], 1, 0, 1]);
  await device(a, 'carl');
  await untilList(bob, ['bob', 'carl']);
  ann.close();
  await device(a, 'dora');
  await untilList(bob, ['bob', 'carl', 'dora']);
  assert.equal(bob.count('userOnline', (u) => u.userId === 'ivy'), 1);
  assert.equal(bob.count('userOffline', (u) => u.userId === 'ivy'), 1, 'nobody hears that she has gone');
  assert.equal((await bob.ask('presence:subscribe', { userIds: ['ivy'] })).users[0].lastSeen, seen);
  ann = await device(b, 'ivy');
  assert.equal((await ann.ask('updatePresence', 'online')).ok, true);
  assert.equal((await bob.next('userOnline', (u) => u.userId === 'ivy', 30000)).userId, 'ivy');
  await untilList(bob, ['ivy', 'bob', 'carl', 'dora']);
});

test('invisible is not in rooms either', async () => {
  const [a, b] = cluster.nodes;
  const bob = await device(b, 'bob');
  const ann = await device(a, 'iris');
  const tab = await device(b, 'iris');
  await bob.join('class');
  await ann.join('class');
  assert.equal((await bob.next('userJoinedRoom')).userId, 'iris');
  await ann.ask('updatePresence', 'invisible');
  assert.equal((await bob.next('userLeftRoom')).userId, 'iris');
  await until('the count to be told', async () => (await bob.ask('joinRoom', 'class')).memberCount === 1);
  await ann.ask('typing', { roomId: 'class', isTyping: true });
  await tab.join('class');
  assert.equal((await bob.ask('joinRoom', 'class')).memberCount, 1);
  tab.close();
  await ann.join('other');
  await ann.ask('updatePresence', 'online');
  assert.equal((await bob.next('userJoinedRoom')).userId, 'iris');
  assert.deepEqual([bob.count('userTyping'), bob.count('userJoinedRoom'), bob.count('userLeftRoom')], [0, 2, 1]);
});

test('typing ends by itself', async () => {
  const [a, b] = cluster.nodes;
  const [ann, bob] = [await device(a, 'ann'), await device(b, 'bob')];
  await Promise.all([ann.join('class'), bob.join('class')]);
  ann.emit('typing', { roomId: 'class', isTyping: true });
  assert.equal((await bob.next('userTyping')).isTyping, true);
  assert.equal((await bob.next('userTyping')).isTyping, false);
});

test('more than 200 are told in pages', async () => {
  const [a, b] = cluster.nodes;
  const ann = await device(a, 'ann');
  await Promise.all(Array.from({ length: 230 }, (_, i) => device(i % 2 ? a : b, `u${i}`)));
  await until('all to be counted', () => ann.all.findLast((e) => e[0] === 'onlineUsers')?.[1].count === 231);
  const last = ann.all.findLast((e) => e[0] === 'onlineUsers')[1];
  assert.deepEqual([last.users.length, last.page, last.pages], [200, 0, 2]);
  const pages = [await ann.ask('presence:list', { page: 0 }), await ann.ask('presence:list', { page: 1 })];
  assert.deepEqual(pages.map((p) => p.users.length), [200, 31]);
  assert.equal(new Set(pages.flatMap((p) => p.users.map((u) => u.userId))).size, 231);
});

test('a killed node takes its users with it', async () => {
  const [a, b] = cluster.nodes;
  const ann = await device(a, 'ann');
  await device(b, 'bob');
  await device(b, 'carl');
  await device(a, 'carl');
  await untilList(ann, ['ann', 'bob', 'carl']);
  await b.kill('SIGKILL');
  assert.equal((await ann.next('userOffline')).userId, 'bob');
  await untilList(ann, ['ann', 'carl']);
  assert.equal(ann.count('userOffline'), 1);
  cluster.nodes[1] = await startNode({ redis: cluster.redis, env: ENV });
});

test('a node that slept has its users back', async () => {
  const [a, b] = cluster.nodes;
  const ann = await device(a, 'ann');
  const bob = await device(b, 'bob');
  await untilList(ann, ['ann', 'bob']);
  b.signal('SIGSTOP');
  try {
    await ann.next('userOffline', (u) => u.userId === 'bob');
  } finally {
    b.signal('SIGCONT');
  }
  await ann.next('userOnline', (u) => u.userId === 'bob' && ann.count('userOffline') === 1);
  await untilList(ann, ['ann', 'bob']);
  await untilList(bob, ['ann', 'bob']);
});

test('Redis comes back with nothing in it, and nobody was offline', async () => {
  const [a, b] = cluster.nodes;
  const ann = await device(a, 'ann');
  const bob = await device(b, 'bob');
  await untilList(ann, ['ann', 'bob']);
  await cluster.redis.stop();
  assert.equal((await until('the node to see it', async () => {
    const answer = await ann.ask('updatePresence', 'away');
    return answer.ok ? null : answer;
  })).code, 'unavailable');
  bob.close();
  await cluster.redis.restart();
  assert.equal((await ann.next('userOffline')).userId, 'bob');
  const carl = await device(b, 'carl');
  await untilList(carl, ['ann', 'carl']);
  await untilList(ann, ['ann', 'carl']);
  assert.equal(ann.count('userOffline', (u) => u.userId === 'ann'), 0);
});

test('one node without Redis has its own view', async () => {
  const node = await startNode({ env: ENV });
  const ann = await device(node, 'ann');
  const bob = await device(node, 'bob');
  await untilList(ann, ['ann', 'bob']);
  assert.equal((await bob.ask('updatePresence', 'invisible')).ok, true);
  await untilList(ann, ['ann']);
  bob.close();
  ann.close();
  await node.stop();
});
