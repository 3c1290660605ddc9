// Private messages that Redis lets go of are in MongoDB, and the history is one: two nodes, stock clients, a MongoDB-wire
// server that is killed, nodes that are killed, a Redis that forgets.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { runAgain } from '../support/again.mjs';
import { sleep, startCluster, startNode, stopAll, until } from '../support/cluster.mjs';
import { mongowireMissing, startMongowire } from '../support/mongowire.mjs';
import { closeAll, connect, schemaBreaches, token } from '../support/peer.mjs';
import { closeRedisClients, redisClient } from '../support/redis.mjs';

const skip = mongowireMissing ?? false;
const ENV = {
  RATE_EVENTS: '100000', RATE_USER_EVENTS: '0', RATE_STRIKES: '100000', BEAT_MS: '500', DEAD_MS: '8000',
  PRIVATE_KEEP_MESSAGES: '20', PRIVATE_ARCHIVE_BACKLOG: '100', STATS_INTERVAL_MS: '500',
};
const folders = [];
let mongo, cluster, one, two, db, file;

async function begin(env = {}, mode = '') {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ingoma-archive-'));
  folders.push(folder);
  file = path.join(folder, 'db');
  mongo = await startMongowire({ file, mode });
  cluster = await startCluster({ nodes: 2, shared: false, env: { ...ENV, MONGODB_URI: `${mongo.uri}site`, ...env } });
  [one, two] = cluster.nodes;
  db = await redisClient(cluster.redis);
}
const mongoBack = async () => { mongo = await startMongowire({ file, port: mongo.port }); };

afterEach(async () => {
  closeAll();
  await closeRedisClients();
  await stopAll();
  await mongo?.kill();
});
after(() => {
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
  assert.deepEqual(schemaBreaches(), []);
});

const user = (node, id) => connect(node.url, { auth: { token: token({ id, name: id }) }, name: id });
const send = (peer, recipientId, message, more) => peer.ask('privateMessage', { recipientId, message, ...more });
const history = (peer, userId, more) => peer.ask('privateHistory', { userId, ...more });
const number = async (conversation, field) => Number(await db.hGet(`ingoma:{conv:${conversation}}:state`, field) ?? 0);
const logLength = (conversation) => db.xLen(`ingoma:{conv:${conversation}}:log`);
const archived = (conversation) => until(`${conversation} to be archived`, async () =>
  await number(conversation, 'a') === await number(conversation, 'seq'), 120000);

// The whole history, page by page: down from the newest, or up from the first.
async function readAll(peer, userId, { limit = 37, up = false } = {}) {
  const all = [];
  let cursor = up ? 0 : undefined;
  for (;;) {
    const page = await history(peer, userId, { limit, ...(up ? { after: cursor } : cursor ? { before: cursor } : {}) });
    assert.equal(page.ok, true, JSON.stringify(page));
    assert.equal(page.archive, undefined);
    if (up) all.push(...page.messages);
    else all.unshift(...page.messages);
    if (!page.hasMore) return all;
    assert.ok(page.messages.length, 'there is more, and it is given');
    cursor = up ? page.messages.at(-1).seq : page.messages[0].seq;
  }
}

function wholeAndInOrder(all, acked) {
  const seqs = all.map((m) => m.seq);
  assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b), 'ascending, nothing twice');
  const there = new Set(all.map((m) => m.messageId));
  assert.deepEqual([...acked].filter((id) => !there.has(id)), [], 'what was acknowledged is there');
}

test('1,200 messages, MongoDB and a node killed in the middle: one history without gaps or doubles', { skip, timeout: 400000 }, async () => {
  await begin();
  const ann = await user(one, 'ann'), bob = await user(two, 'bob');
  const acked = new Set();
  let sent = 0, isOver = false, widest = 0;
  // Redis lets nothing go that is not archived.
  const watching = (async () => {
    while (!isOver) {
      const [entries, state] = await db.multi().xRange('ingoma:{conv:ann:bob}:log', '-', '+', { COUNT: 1 })
        .hGet('ingoma:{conv:ann:bob}:state', 'a').exec();
      if (entries.length) {
        assert.ok(Number(entries[0].id.split('-')[0]) <= Number(state) + 1, `${entries[0].id} is first, ${state} archived`);
        widest = Math.max(widest, await logLength('ann:bob'));
      }
      await sleep(20);
    }
  })();
  async function lane(peer, to, name) {
    while (sent < 1200) {
      const i = sent++;
      for (let tries = 0; ; tries++) {
        // As an application would: again until it is acknowledged, under one clientMsgId.
        const ack = await peer.socket.timeout(10000).emitWithAck('privateMessage', { recipientId: to, message: `${name} ${i}`, clientMsgId: `${name}-${i}` })
          .catch(() => ({ ok: false }));
        if (ack.ok) {
          acked.add(ack.messageId);
          break;
        }
        assert.ok(tries < 50, `${name} ${i}: ${JSON.stringify(ack)}`);
      }
    }
  }
  const lanes = [lane(ann, 'bob', 'a'), lane(ann, 'bob', 'b'), lane(bob, 'ann', 'c')];
  await until('messages that are archived', () => number('ann:bob', 'a').then((a) => a > 0), 120000);
  await until('300 messages', () => acked.size >= 300, 120000);
  await mongo.kill();
  const before = await number('ann:bob', 'a');
  await until('300 more', () => acked.size >= 600, 120000);
  assert.equal(await number('ann:bob', 'a'), before, 'the cursor waits');
  await mongoBack();
  await until('it goes on', async () => await number('ann:bob', 'a') > before, 120000);
  const port = two.port;
  await two.kill();
  two = await startNode({ redis: cluster.redis, port, env: { ...ENV, MONGODB_URI: `${mongo.uri}site` } });
  await Promise.all(lanes);
  await archived('ann:bob');
  isOver = true;
  await watching;
  assert.ok(widest > 20, 'it was kept for the archive');
  await until('Redis to let go', async () => await logLength('ann:bob') === 20);
  const down = await readAll(ann, 'bob');
  wholeAndInOrder(down, acked);
  assert.equal(down.length, acked.size);
  assert.deepEqual(await readAll(bob, 'ann', { limit: 100, up: true }), down);
  const texts = down.filter((m) => m.message.startsWith('a ')).map((m) => Number(m.message.slice(2)));
  assert.deepEqual(texts, [...texts].sort((x, y) => x - y), 'of one lane in its order');
});

describe('the archive', () => {
  test('hides what was hidden, and shows it to its sender', { skip, timeout: 180000 }, async () => {
    await begin();
    const ann = await user(one, 'ann'), bob = await user(two, 'bob');
    for (let i = 0; i < 10; i++) await send(ann, 'bob', `seen ${i}`);
    await bob.ask('blockUser', { userId: 'ann' });
    for (let i = 0; i < 10; i++) await send(ann, 'bob', `hidden ${i}`);
    await bob.ask('unblockUser', { userId: 'ann' });
    for (let i = 0; i < 25; i++) await send(ann, 'bob', `late ${i}`);
    await archived('ann:bob');
    await until('Redis to let go', async () => await logLength('ann:bob') === 20);
    assert.equal((await readAll(ann, 'bob')).length, 45);
    for (const up of [false, true]) {
      const seen = (await readAll(bob, 'ann', { limit: 7, up })).map((m) => m.message);
      assert.deepEqual(seen.filter((text) => text.startsWith('hidden')), []);
      assert.equal(seen.length, 35);
    }
    const eve = await user(two, 'eve');
    assert.deepEqual((await history(eve, 'ann')).messages, [], 'nobody else\'s');
  });

  test('away: messages go on, pages say what cannot be reached, the node is degraded, not dead', { skip, timeout: 180000 }, async () => {
    await begin();
    const ann = await user(one, 'ann'), bob = await user(two, 'bob');
    for (let i = 0; i < 40; i++) await send(ann, 'bob', i);
    await archived('ann:bob');
    await until('Redis to let go', async () => await logLength('ann:bob') === 20);
    await mongo.kill();
    const page = await history(ann, 'bob', { limit: 100 });
    assert.deepEqual([page.ok, page.messages.length, page.hasMore, page.archive], [true, 20, true, 'unavailable']);
    const up = await history(ann, 'bob', { after: 0 });
    assert.deepEqual([up.messages, up.hasMore, up.archive], [[], true, 'unavailable'], 'nothing is left out');
    assert.equal((await history(ann, 'bob', { limit: 5 })).archive, undefined, 'what Redis has does not need it');
    ann.emit('privateHistory', { userId: 'bob', limit: 100 }); // as an event: held against the schema
    assert.equal((await ann.next('privateHistory')).archive, 'unavailable');
    await until('the node to say so', async () => {
      const { status, body } = await one.ready();
      return status === 200 && body.ready && body.degraded && body.archive === 'away';
    });
    assert.equal((await one.health()).redis, 'connected');
    for (let i = 40; i < 60; i++) assert.equal((await send(ann, 'bob', i)).ok, true);
    await bob.next('privateMessage', (m) => m.message === 59);
    await mongoBack();
    await archived('ann:bob');
    await until('the node to say that it is back', async () => (await one.ready()).body.archive === 'up');
    assert.deepEqual((await readAll(ann, 'bob')).map((m) => m.message), [...Array(60).keys()]);
  });

  test('away for too long: the oldest go, and are counted', { skip, timeout: 180000 }, async () => {
    await begin({ PRIVATE_KEEP_MESSAGES: '10', PRIVATE_ARCHIVE_BACKLOG: '2' });
    const ann = await user(one, 'ann');
    await mongo.kill();
    for (let i = 0; i < 50; i++) assert.equal((await send(ann, 'bob', i)).ok, true);
    assert.equal(await logLength('ann:bob'), 20);
    await mongoBack();
    await archived('ann:bob');
    const lost = async () => {
      const all = await Promise.all([one, two].map((n) => n.metrics()));
      return all.reduce((sum, m) => sum + m.ingoma_archive_lost_total, 0);
    };
    await until('thirty to be counted', async () => await lost() === 30);
    assert.deepEqual((await readAll(ann, 'bob')).map((m) => m.message), [...Array(20).keys()].map((i) => i + 30));
  });

  test('a Redis that forgot all: what was archived is there, and what is new comes behind it', { skip, timeout: 180000 }, async () => {
    await begin();
    const ann = await user(one, 'ann');
    for (let i = 0; i < 30; i++) await send(ann, 'bob', i);
    await archived('ann:bob');
    await db.flushAll();
    assert.deepEqual((await readAll(ann, 'bob')).map((m) => m.message), [...Array(30).keys()]);
    for (let i = 30; i < 60; i++) assert.equal((await send(ann, 'bob', i)).ok, true);
    await archived('ann:bob');
    for (const up of [false, true])
      assert.deepEqual((await readAll(ann, 'bob', { up })).map((m) => m.message), [...Array(60).keys()]);
  });

  test('a server that refuses ARCHIVE_DAYS: each node says it once, and messages are archived', { skip, timeout: 180000 }, async () => {
    await begin({ ARCHIVE_DAYS: '7' }, 'no-ttl');
    const ann = await user(one, 'ann');
    for (let i = 0; i < 30; i++) await send(ann, 'bob', i);
    await archived('ann:bob');
    await until('Redis to let go', async () => await logLength('ann:bob') === 20);
    assert.equal((await readAll(ann, 'bob')).length, 30);
    assert.equal((await one.ready()).body.archive, 'up');
    for (const node of [one, two]) {
      const said = node.logs().split('\n').filter((line) => line.includes('archive.refused'));
      assert.deepEqual(said.map((line) => JSON.parse(line).why), ['ARCHIVE_DAYS: MongoDB: not authorized to make a TTL index']);
    }
  });

  test('a history from before there was an archive is archived when it is looked at', { skip, timeout: 180000 }, async () => {
    await begin({ MONGODB_URI: '' });
    const ann = await user(one, 'ann');
    for (let i = 0; i < 15; i++) await send(ann, 'bob', i);
    assert.equal((await send(ann, 'bob', 15)).seq, 16, 'numbers begin at 1 without one');
    const late = await startNode({ redis: cluster.redis, env: { ...ENV, MONGODB_URI: `${mongo.uri}site` } });
    const ann2 = await user(late, 'ann');
    assert.equal((await history(ann2, 'bob')).messages.length, 16);
    await archived('ann:bob');
    await db.del('ingoma:{conv:ann:bob}:log');
    assert.deepEqual((await readAll(ann2, 'bob')).map((m) => m.message), [...Array(16).keys()]);
  });
});

test('private.test.mjs with an archive', { skip, timeout: 400000 }, async () => {
  mongo = await startMongowire();
  await runAgain('private', { MONGODB_URI: `${mongo.uri}site` });
});
