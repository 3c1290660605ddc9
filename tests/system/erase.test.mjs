// ./ingoma export: all that is kept of a user comes out. ./ingoma erase: nothing of the user is left in Redis, nor in the
// archive; what others say to each other stays.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { BUILD, startCluster, startRedis, stopAll, until } from '../support/cluster.mjs';
import { mongowireMissing, startMongowire } from '../support/mongowire.mjs';
import { closeAll, connect, schemaBreaches, token } from '../support/peer.mjs';
import { closeRedisClients, redisClient } from '../support/redis.mjs';
import { startRedisCluster } from '../support/redis-cluster.mjs';

const skip = mongowireMissing ?? false;
const ENV = {
  RATE_EVENTS: '100000', RATE_USER_EVENTS: '0', RATE_IP_EVENTS: '0', RATE_STRIKES: '100000', PRIVATE_KEEP_MESSAGES: '20',
  PRIVATE_RESEND_MS: '0',
};
const ANN = 'ann to be forgotten/ü';
const NAME = 'Ann of no trace';
let mongo, cluster, one, two, db;

before(async () => {
  if (skip) return;
  mongo = await startMongowire();
  cluster = await startCluster({ nodes: 2, shared: false, redis: await startRedis(), env: { ...ENV, MONGODB_URI: `${mongo.uri}site` } });
  [one, two] = cluster.nodes;
  db = await redisClient(cluster.redis);
});
after(async () => {
  closeAll();
  await closeRedisClients();
  await stopAll();
  await mongo?.kill();
  assert.deepEqual(schemaBreaches(), []);
});

const user = (node, id, name = String(id), more = {}) =>
  connect(node.url, { auth: { token: token({ id, name, ...more }) }, name: String(id) });
const tool = (name, args, env = {}) => new Promise((resolve) => {
  execFile(path.join(BUILD, `ingoma-${name}`), args,
    { env: { ...process.env, REDIS_URL: cluster?.redis.url, MONGODB_URI: mongo ? `${mongo.uri}site` : '', ...env }, maxBuffer: 1e8 },
    (error, out, err) => resolve({ status: error ? error.code : 0, out, err }));
});
const erase = (...args) => tool('erase', args);

// {kind: its lines}, of an export that is whole.
function parse({ status, out, err }) {
  assert.deepEqual([status, err], [0, '']);
  const lines = out.split('\n');
  assert.equal(lines.pop(), '');
  const all = lines.map((line) => JSON.parse(line));
  assert.equal(all[0].type, 'ingoma-user');
  assert.deepEqual(all.at(-1), { type: 'end', lines: all.length - 2 });
  const kinds = Object.fromEntries(['head', ...all[0].kinds].map((kind) => [kind, []]));
  kinds.head.push(all[0]);
  for (const line of all.slice(1, -1)) kinds[line.type].push(line);
  return kinds;
}
const exported = async (...args) => parse(await tool('export', args));
const NOTHING = { status: 1, out: '', err: 'ingoma export: nothing is kept of that user\n' };

// Each conversation's messages follow it, in order and once.
function inOrder(kinds) {
  for (const { conversation } of kinds.conversation) {
    const seqs = kinds.message.filter((m) => m.message.conversation === conversation).map((m) => m.message.seq);
    assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b), conversation);
  }
  return kinds.message.map((m) => m.message.message).sort();
}
const say = async (from, to, text, count) => {
  for (let i = 0; i < count; i++) assert.equal((await from.ask('privateMessage', { recipientId: to, message: `${text} ${i}` })).ok, true);
};
const texts = async (peer, userId) => (await peer.ask('privateHistory', { userId, limit: 100 })).messages.map((m) => m.message);

// All of Redis as text: names and contents.
async function dump() {
  const all = [];
  for await (const keys of db.scanIterator({ COUNT: 1000 }))
    for (const key of [keys].flat()) {
      const read = {
        string: () => db.get(key), hash: () => db.hGetAll(key), zset: () => db.zRangeWithScores(key, 0, -1),
        stream: () => db.xRange(key, '-', '+'), set: () => db.sMembers(key), list: () => db.lRange(key, 0, -1),
      }[await db.type(key)];
      all.push(`${key} ${JSON.stringify(read ? await read() : null)}`);
    }
  return all;
}
const spellings = [ANN, NAME, encodeURIComponent(ANN), 'ann%20to%20be', 'of Ann '];
const hits = async () => (await dump()).filter((line) => spellings.some((s) => line.toLowerCase().includes(s.toLowerCase())));

const allArchived = (conversations) => async () => (await db.keys('ingoma:{conv:*}:state')).length >= conversations && (await Promise.all(
  (await db.keys('ingoma:{conv:*}:log')).map((key) => db.hmGet(key.replace(/log$/, 'state'), ['a', 'seq'])),
)).every(([a, seq]) => a === seq);

function checkExport(all) {
  const count = (text, n) => [...Array(n).keys()].map((i) => `${text} ${i}`);
  assert.equal(all.head[0].userId, ANN);
  assert.deepEqual(inOrder(all), [
    ...count('of Ann to Bob', 30), ...count('of Ann no word', 3), ...count('of Ann to 7', 2), ...count('of Ann to nobody', 2),
    ...count('of Ann to herself', 2),
  ].sort(), 'over Redis and the archive, both directions, nobody else\'s');
  assert.deepEqual(all.conversation.map((c) => String(c.userId)).sort(), [ANN, 'bob', 'cid', 'nobody there', '7'].sort());
  const bob = all.conversation.find((c) => c.userId === 'bob');
  assert.ok(bob.lastSeq && bob.otherReadSeq === bob.lastSeq && bob.readSeq === 0, JSON.stringify(bob));
  assert.equal(typeof all.conversation.find((c) => c.userId === 7).userId, 'number');
  assert.deepEqual(all.blocked, [{ type: 'blocked', userId: 'cid' }], 'whom she blocks, not who blocks her');
  assert.deepEqual(all.unread.map((u) => [u.userId, u.unread]).sort(), [['bob', 3], [ANN, 0]].sort());
  assert.deepEqual(all.online.map((o) => [o.userId, o.status, o.userName ?? o.name]), [[ANN, 'away', NAME]]);
}

test('nothing of the user is left, in no spelling; the others keep what is theirs', { skip, timeout: 240000 }, async () => {
  const ann = await user(one, ANN, NAME), bob = await user(two, 'bob'), number = await user(two, 7);
  ann.emit('updatePresence', { status: 'away' });
  await say(ann, 'bob', 'of Ann to Bob', 30); // ten of them are in the archive alone
  await say(bob, ANN, 'of Ann no word', 3);
  await say(ann, 7, 'of Ann to 7', 2);
  await say(ann, 'nobody there', 'of Ann to nobody', 2); // it waits in an inbox
  await say(ann, ANN, 'of Ann to herself', 2);
  await say(bob, 7, 'of Bob', 30);
  await ann.ask('blockUser', { userId: 'cid' });
  await bob.ask('blockUser', { userId: ANN });
  await bob.ask('blockUser', { userId: 'dan' });
  await bob.ask('markAsRead', { userId: ANN });
  await until('all to be archived', allArchived(6), 120000);
  checkExport(await exported(ANN));
  ann.close();
  await until('her to be offline', () => db.zScore('ingoma:{presence:socket.io}:left', ANN));
  assert.ok((await hits()).length >= 10, 'there was something to find');
  const { status, out, err } = await erase(ANN);
  assert.deepEqual([status, err], [0, '']);
  assert.match(out, /^erased [1-9]\d* entries in Redis and 39 messages in the archive\n$/);
  await until('her devices to be forgotten', async () => (await hits()).length === 0).catch(async (error) => {
    throw new Error(`${error.message}; left: ${(await hits()).join('\n')}`);
  });
  assert.match((await erase(ANN)).out, /^erased 0 entries in Redis and 0 messages in the archive\n$/);
  assert.deepEqual(await tool('export', [ANN]), NOTHING);
  assert.deepEqual(await texts(bob, ANN), []);
  assert.deepEqual(await texts(number, ANN), []);
  assert.equal((await texts(number, 'bob')).length, 30, 'over Redis and the archive');
  assert.deepEqual((await bob.ask('blockedUsers', {})).userIds, ['dan']);
  assert.deepEqual((await number.ask('unreadCounts', {})).conversations.map((c) => c.userId), ['bob']);
});

test('7 and "7" are two', { skip, timeout: 180000 }, async () => {
  const number = await user(one, 70), text = await user(one, '70'), eve = await user(two, 'eve');
  await say(eve, 70, 'to the number', 2);
  await say(eve, '70', 'to the text', 2);
  number.close();
  assert.equal((await erase('70', '--number')).status, 0);
  assert.deepEqual(await texts(eve, 70), []);
  assert.deepEqual(await texts(eve, '70'), ['to the text 0', 'to the text 1']);
  assert.deepEqual((await text.ask('unreadCounts', {})).conversations.map((c) => c.unread), [2]);
});

test('what was hidden is shown to who blocks, as hidden; a sender sees no difference', { skip, timeout: 180000 }, async () => {
  const eve = await user(one, 'eve h'), dan = await user(two, 'dan h');
  await say(dan, 'eve h', 'seen', 2);
  await eve.ask('blockUser', { userId: 'dan h' });
  await say(dan, 'eve h', 'hidden', 30); // of them some in the archive alone
  await until('all to be archived', allArchived(1), 120000);
  const [hers, his] = [await exported('eve h'), await exported('dan h')];
  assert.equal(inOrder(hers).length, 32);
  assert.deepEqual(inOrder(his), inOrder(hers));
  assert.deepEqual(hers.message.filter((m) => m.hidden).map((m) => m.message.message).sort(), [...Array(30).keys()].map((i) => `hidden ${i}`).sort());
  assert.deepEqual(his.message.filter((m) => 'hidden' in m), []);
  assert.deepEqual([hers.blocked.length, his.blocked.length], [1, 0]);
});

test('a room from which somebody was kicked, or in which the user is muted', { skip, timeout: 180000 }, async () => {
  const root = await user(one, 'root', 'root', { role: 'Admin' }), fay = await user(two, 'fay');
  await fay.ask('joinRoom', { roomId: 'talk: all' });
  for (const order of ['roomMute', 'roomKick'])
    assert.equal((await root.ask(order, { roomId: 'talk: all', userId: 'fay', forMs: 600000 })).ok, true);
  const { room } = await exported('fay');
  assert.deepEqual(room.map(({ namespace, roomId }) => [namespace, roomId]), [['/', 'talk: all']]);
  for (const until of [room[0].mutedUntil, room[0].kickedUntil]) assert.ok(Date.parse(until) > Date.now(), until);
});

test('over a Redis Cluster', { timeout: 180000 }, async () => {
  const redis = await startRedisCluster();
  const { nodes: [a, b] } = await startCluster({ nodes: 2, shared: false, env: ENV, redis });
  const env = { REDIS_URL: redis.url, MONGODB_URI: '' };
  const ann = await user(a, 'ann'), bob = await user(b, 'bob');
  for (let i = 0; i < 10; i++) await say(ann, `friend ${i}`, `to ${i}`, 3);
  await say(bob, 'ann', 'of Bob', 250); // the last twenty are kept
  const all = parse(await tool('export', ['ann'], env));
  assert.equal(inOrder(all).length, 50);
  assert.equal(all.conversation.length, 11);
  assert.equal(all.head[0].archive, false);
  ann.close();
  await until('nothing to be left', async () => {
    await tool('erase', ['ann'], env);
    return (await tool('export', ['ann'], env)).status === 1;
  });
  assert.deepEqual(await tool('export', ['ann'], env), NOTHING);
});

test('what it cannot do it says, and is run again', { skip, timeout: 180000 }, async () => {
  for (const args of [[], ['a', 'b'], ['--number', 'x'], ['a', '--unknown'], ['a', '--redis']])
    assert.equal((await erase(...args)).status, 2, args.join(' '));
  const away = await erase('a', '--mongodb', 'mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=50');
  assert.equal(away.status, 1);
  assert.match(away.err, /the archive: .*; run it again/);
  assert.equal((await erase('a', '--redis', 'unix:///nowhere.sock')).status, 1);
  assert.match((await erase('a', '--mongodb', '')).out, /the archive, which is off/);
  for (const args of [[], ['a', 'b'], ['--number', 'x'], ['--number', '{}'], ['a', '--unknown']])
    assert.equal((await tool('export', args)).status, 2, args.join(' '));
  assert.deepEqual(await tool('export', ['nobody']), NOTHING);
  assert.deepEqual(await tool('export', ['eve', '--redis', 'unix:///nowhere.sock']),
    { status: 3, out: '', err: 'ingoma export: Redis cannot be reached; nothing was written\n' });
  const without = await tool('export', ['eve', '--mongodb', 'mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=50']);
  assert.deepEqual([without.status, without.out], [3, '']);
  assert.match(without.err, /^ingoma export: the archive: .*; nothing was written\n$/m);
});
