// ./ingoma erase: nothing of the user is left in Redis, nor in the archive; what others say to each other stays.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { BUILD, startCluster, startRedis, stopAll, until } from '../support/cluster.mjs';
import { mongowireMissing, startMongowire } from '../support/mongowire.mjs';
import { closeAll, connect, schemaBreaches, token } from '../support/peer.mjs';
import { closeRedisClients, redisClient } from '../support/redis.mjs';

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

const user = (node, id, name = String(id)) => connect(node.url, { auth: { token: token({ id, name }) }, name: String(id) });
const erase = (...args) => new Promise((resolve) => {
  execFile(path.join(BUILD, 'ingoma-erase'), args,
    { env: { ...process.env, REDIS_URL: cluster.redis.url, MONGODB_URI: `${mongo.uri}site` } },
    (error, out, err) => resolve({ status: error ? error.code : 0, out, err }));
});
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
  await until('all to be archived', async () => (await db.keys('ingoma:{conv:*}:state')).length >= 6 && (await Promise.all(
    (await db.keys('ingoma:{conv:*}:log')).map((key) => db.hmGet(key.replace(/log$/, 'state'), ['a', 'seq'])),
  )).every(([a, seq]) => a === seq), 120000);
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

test('what it cannot do it says, and is run again', { skip, timeout: 180000 }, async () => {
  for (const args of [[], ['a', 'b'], ['--number', 'x'], ['a', '--unknown'], ['a', '--redis']])
    assert.equal((await erase(...args)).status, 2, args.join(' '));
  const away = await erase('a', '--mongodb', 'mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=50');
  assert.equal(away.status, 1);
  assert.match(away.err, /the archive: .*; run it again/);
  assert.equal((await erase('a', '--redis', 'unix:///nowhere.sock')).status, 1);
  assert.match((await erase('a', '--mongodb', '')).out, /the archive, which is off/);
});
