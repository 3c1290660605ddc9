// Private messages over two nodes with stock clients: stored before the ack, delivered once and in order, now or at the
// next connect, whatever dies in between. Everything that is sent is held against schemas/gateway/out by peer.mjs.
// With MONGODB_URI the same over an archive, in a database of its own (archive.test.mjs runs it so).
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCluster, startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect, schemaBreaches, token, unseenEvents } from '../support/peer.mjs';
import { closeRedisClients, redisClient } from '../support/redis.mjs';

const MESSAGE_ID = /^msg_\d{13}_[a-z0-9]{9}$/;
const ARCHIVE = process.env.MONGODB_URI?.replace(/\/[^/?]*(\?|$)/, `/ingoma_private_${process.pid}$1`) ?? '';
const ENV = { RATE_EVENTS: '100000', RATE_USER_EVENTS: '0', RATE_STRIKES: '100000', PRIVATE_RESEND_MS: '300', MONGODB_URI: ARCHIVE };
let redis, cluster, one, two, db;

before(async () => {
  redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  cluster = await startCluster({ nodes: 2, shared: false, redis, env: ENV });
  [one, two] = cluster.nodes;
  db = await redisClient(redis);
});
after(async () => {
  closeAll();
  await closeRedisClients();
  await stopAll();
});

let people = 0;
const fresh = (name) => `${name}${++people}`; // every test has users of its own
const user = (node, id, options) => {
  const signed = { token: token({ id, name: `name of ${id}` }) };
  return connect(node.url, { auth: signed, ...(options?.version?.startsWith('2') ? { query: signed } : {}), ...options });
};
const send = (peer, recipientId, message, more) => peer.ask('privateMessage', { recipientId, message, ...more });
const texts = (peer, name = 'privateMessage') => peer.all.filter((e) => e[0] === name).map((e) => e[1].message);
const nextText = (peer, message, name = 'privateMessage') => peer.next(name, (m) => m.message === message);
const nodesOf = (id) => db.hKeys(`ingoma:{user:${id}}:nodes`);
const gone = (id) => until(`${id} to be offline`, async () => (await nodesOf(id)).length === 0);
const settled = async (...peers) => {
  for (const p of peers) await p.ask('unreadCounts', {});
};

describe('delivery', () => {
  test('reaches all devices on all nodes, syncs to the sender, never returns to the sending socket', async () => {
    const [a, b] = [fresh('ann'), fresh('bob')];
    const ann = await user(one, a);
    const ann2 = await user(two, a);
    const bob = await user(one, b);
    const bob2 = await user(two, b, { version: '2.5.0' });
    const since = Date.now();
    const ack = await send(ann, b, 'hello');
    assert.match(ack.messageId, MESSAGE_ID);
    const { seq } = ack;
    assert.ok(ARCHIVE ? seq >= since && seq <= Date.now() : seq === 1, `numbers begin at 1, with an archive at the clock: ${seq}`);
    assert.deepEqual({ ...ack, messageId: 0, timestamp: 0 }, { ok: true, messageId: 0, timestamp: 0, conversation: `${a}:${b}`, seq });
    const want = {
      senderId: a, senderName: `name of ${a}`, message: 'hello', type: 'text', timestamp: ack.timestamp,
      messageId: ack.messageId, recipientId: b, conversation: ack.conversation, seq,
    };
    for (const peer of [bob, bob2]) assert.deepEqual(await peer.next('privateMessage'), want);
    assert.deepEqual(await ann2.next('privateMessageSync'), want);
    for (const peer of [ann, ann2]) {
      const told = await peer.next('messageDelivered');
      assert.deepEqual({ ...told, timestamp: 0 },
        { recipientId: b, timestamp: 0, messageId: ack.messageId, conversation: ack.conversation, seq });
    }
    await settled(ann, bob);
    assert.deepEqual([texts(ann), texts(ann, 'privateMessageSync'), ann.count('messageQueued')], [[], [], 0]);
    for (const peer of [ann, ann2]) assert.equal(peer.count('messageDelivered'), 1);
    [ann, ann2, bob, bob2].forEach((p) => p.close());
  });

  test('takes any JSON, falsy too, and keeps it as it is', async () => {
    const [a, b] = [fresh('ann'), fresh('bob')];
    const ann = await user(one, a);
    const bob = await user(two, b);
    const all = ['', 0, false, null, 12.5, [], {}, { deep: [1, { x: null }] }, 'é€😀 " \\ \u2028 \u0000', '\r\nDEL x', '}{'];
    for (const message of all) assert.equal((await send(ann, b, message)).ok, true);
    assert.equal((await ann.ask('privateMessage', { recipientId: b })).ok, true); // no message: null
    for (const message of [...all, null]) assert.deepEqual((await bob.next('privateMessage')).message, message);
    [ann, bob].forEach((p) => p.close());
  });

  test('keeps the order of 300 messages that wait for nothing, from both sides', async () => {
    const [a, b] = [fresh('ann'), fresh('bob')];
    const ann = await user(one, a);
    const bob = await user(two, b);
    for (let i = 0; i < 300; i++) {
      ann.emit('privateMessage', { recipientId: b, message: i });
      bob.emit('privateMessage', { recipientId: a, message: i });
    }
    await nextText(bob, 299);
    await nextText(ann, 299);
    for (const peer of [ann, bob]) {
      assert.deepEqual(texts(peer), [...Array(300).keys()]);
      const seqs = peer.all.filter((e) => e[0] === 'privateMessage').map((e) => e[1].seq);
      assert.deepEqual(seqs, [...seqs].sort((x, y) => x - y));
    }
    [ann, bob].forEach((p) => p.close());
  });

  test('compares users by type and value', async () => {
    const id = 700000 + ++people;
    const ann = await user(one, fresh('ann'));
    const number = await user(two, id);
    assert.equal((await send(ann, String(id), 'to the text')).ok, true);
    assert.equal((await send(ann, id, 'to the number')).ok, true);
    await nextText(number, 'to the number');
    assert.deepEqual(texts(number), ['to the number']);
    const text = await user(two, String(id));
    await nextText(text, 'to the text');
    assert.deepEqual(texts(text), ['to the text']);
    // What is told to one of them, on both nodes: receipts, copies, cursors.
    const [number2, text2] = [await user(one, id), await user(one, String(id))];
    const mine = (peers, name) => peers.map((p) => p.count(name));
    await settled(number, number2, text, text2, ann);
    const before = mine([number, number2, text, text2], 'messageDelivered');
    const ack = await send(number, fresh('nobody'), 'into the void');
    assert.equal((await number2.next('privateMessageSync')).messageId, ack.messageId);
    assert.equal((await number.next('messageQueued')).messageId, ack.messageId);
    assert.equal((await number2.next('messageQueued')).messageId, ack.messageId);
    const sent = await send(text, fresh('nobody'), 'into the void');
    assert.equal((await text2.next('privateMessageSync')).messageId, sent.messageId);
    await settled(number, number2, text, text2);
    assert.deepEqual(mine([number, number2, text, text2], 'privateMessageSync'), [0, 1, 0, 1]);
    assert.deepEqual(mine([number, number2, text, text2], 'messageQueued'), [1, 1, 1, 1]);
    const back = await send(number, id, 'note'); // to oneself: all own devices
    await nextText(number2, 'note');
    assert.equal((await number2.next('messageDelivered', (m) => m.messageId === back.messageId)).recipientId, id);
    await settled(number, number2, text, text2);
    assert.equal((await number.ask('markAsRead', { userId: String(id) })).ok, true);
    assert.deepEqual(mine([text, text2], 'messageDelivered'), before.slice(2));
    assert.deepEqual(texts(text), ['to the text']);
    [ann, number, text, number2, text2].forEach((p) => p.close());
  });

  test('to oneself: all own devices, nothing unread', async () => {
    const a = fresh('ann');
    const ann = await user(one, a);
    const ann2 = await user(two, a);
    const ack = await send(ann, a, 'note');
    assert.equal(ack.ok, true);
    await nextText(ann, 'note');
    await nextText(ann2, 'note');
    assert.equal((await ann.next('messageDelivered')).messageId, ack.messageId);
    assert.equal((await ann.ask('unreadCounts', {})).total, 0);
    assert.equal(ann2.count('privateMessageSync'), 0);
    [ann, ann2].forEach((p) => p.close());
  });
});

describe('the inbox', () => {
  test('queues for who is away and delivers in order at the next connect, before anything newer', async () => {
    const [a, b, c] = [fresh('ann'), fresh('bob'), fresh('cid')];
    const ann = await user(one, a);
    const cid = await user(two, c);
    const acks = [];
    for (let i = 0; i < 5; i++) {
      acks.push(await send(ann, b, `a${i}`));
      await send(cid, b, `c${i}`);
    }
    for (const ack of acks) {
      const told = await ann.next('messageQueued');
      assert.deepEqual(told, { messageId: ack.messageId, recipientId: b, timestamp: ack.timestamp, conversation: ack.conversation, seq: ack.seq });
    }
    assert.equal(ann.count('messageDelivered'), 0);
    assert.equal(ann.count('messageError'), 0);
    const both = Promise.all([user(one, b), user(two, b)]); // at once: both get it
    ann.emit('privateMessage', { recipientId: b, message: 'newer' });
    for (const bob of await both) {
      await nextText(bob, 'newer');
      const got = [...new Set(texts(bob))];
      assert.deepEqual(got, [0, 1, 2, 3, 4].flatMap((i) => [`a${i}`, `c${i}`]).concat('newer'));
      bob.close();
    }
    for (const ack of acks) await ann.next('messageDelivered', (m) => m.messageId === ack.messageId && m.recipientId === b);
    await gone(b);
    await new Promise((done) => setTimeout(done, 350)); // PRIVATE_RESEND_MS is over: that is the thing tested
    const later = await user(one, b);
    await send(ann, b, 'last');
    await nextText(later, 'last');
    assert.deepEqual(texts(later), ['last']);
    [ann, cid, later].forEach((p) => p.close());
  });

  test('keeps the newest of the inbox, drops the oldest', async () => {
    const [a, b] = [fresh('ann'), fresh('bob')];
    const ann = await user(one, a);
    const { seq } = await send(ann, b, 0);
    for (let i = 1; i < 1005; i++) ann.emit('privateMessage', { recipientId: b, message: i });
    await ann.next('messageQueued', (m) => m.seq === seq + 1004);
    const bob = await user(two, b);
    await nextText(bob, 1004);
    assert.deepEqual(texts(bob), [...Array(1000).keys()].map((i) => i + 5));
    [ann, bob].forEach((p) => p.close());
  });

  test('lets go of what is in an inbox for longer than PRIVATE_KEEP_DAYS, whoever writes meanwhile', async () => {
    const [a, b] = [fresh('ann'), fresh('bob')];
    const inbox = `ingoma:{user:${b}}:inbox`, day = 86400000, old = Date.now() - 31 * day, young = Date.now() - 29 * day;
    for (const at of [old, old + 1, young])
      await db.xAdd(inbox, `${at}-0`, { c: `${a}:${b}`, s: '1', h: '0', f: a, i: 'm', to: b, b: '{}' });
    const ann = await user(one, a);
    await send(ann, b, 'new');
    assert.deepEqual((await db.xRange(inbox, '-', '+')).map((e) => Number(e.id.split('-')[0]) >= young), [true, true]);
    ann.close();
  });

  test('a clientMsgId sent again, on another node too, is one message', async () => {
    const [a, b] = [fresh('ann'), fresh('bob')];
    const ann = await user(one, a);
    const ann2 = await user(two, a);
    const first = await send(ann, b, 'once', { clientMsgId: 'c-1' });
    const again = await send(ann2, b, 'once, said otherwise', { clientMsgId: 'c-1' });
    assert.deepEqual(again, first);
    const [x, y] = await Promise.all([send(ann, b, 'race', { clientMsgId: 'c-2' }), send(ann2, b, 'race', { clientMsgId: 'c-2' })]);
    assert.deepEqual(x, y);
    const other = await user(two, fresh('eve'));
    assert.notEqual((await send(other, b, 'of another user', { clientMsgId: 'c-1' })).messageId, first.messageId);
    const bob = await user(one, b);
    await nextText(bob, 'of another user');
    assert.deepEqual(texts(bob), ['once', 'race', 'of another user']);
    [ann, ann2, bob, other].forEach((p) => p.close());
  });
});

describe('cursors', () => {
  test('unread and read are the same on all devices; the other side is told', async () => {
    const [a, b] = [fresh('ann'), fresh('bob')];
    const ann = await user(one, a);
    const bob = await user(one, b);
    const bob2 = await user(two, b);
    const { seq } = await send(ann, b, '1');
    for (const text of ['2', '3', '4']) await send(ann, b, text);
    await send(bob, a, 'mine'); // counts for the other one alone
    const conversation = `${a}:${b}`;
    const counts = (unread) => ({ ok: true, total: unread, conversations: unread ? [{ userId: a, conversation, unread, lastSeq: seq + 3 }] : [] });
    for (const peer of [bob, bob2]) assert.deepEqual(await peer.ask('unreadCounts', {}), counts(4));
    assert.deepEqual(await bob.ask('markAsRead', { userId: a, seq: seq + 2 }), { ok: true, conversation, seq: seq + 2 });
    for (const peer of [ann, bob2]) {
      const told = await peer.next('messageRead');
      assert.deepEqual({ ...told, timestamp: 0 }, { userId: b, conversation, seq: seq + 2, timestamp: 0 });
    }
    for (const peer of [bob, bob2]) assert.deepEqual(await peer.ask('unreadCounts', {}), counts(1));
    assert.equal((await bob2.ask('markAsRead', { userId: a, seq })).seq, seq + 2); // never back
    assert.equal((await bob2.ask('markAsRead', { userId: a })).seq, seq + 4);
    for (const peer of [bob, bob2]) assert.deepEqual(await peer.ask('unreadCounts', {}), counts(0));
    assert.equal(bob.count('messageRead', (m) => m.seq === seq + 2), 1); // of the second, that changed nothing
    bob2.emit('unreadCounts'); // without an ack: the event
    assert.deepEqual(await bob2.next('unreadCounts'), { total: 0, conversations: [] });
    [ann, bob, bob2].forEach((p) => p.close());
  });

  test('history goes back and forth by cursor, with the state of both sides', async () => {
    const [a, b] = [fresh('ann'), fresh('bob')];
    const ann = await user(one, a);
    const bob = await user(two, b);
    const base = (await send(ann, b, 'm1')).seq - 1; // below as if numbers began at 1
    for (let i = 2; i <= 12; i++) await send(i % 2 ? ann : bob, i % 2 ? b : a, `m${i}`);
    await bob.ask('markAsRead', { userId: a, seq: base + 7 });
    const ask = async (more) => {
      const h = await ann.ask('privateHistory', { userId: b, ...more });
      assert.equal(h.ok, true, JSON.stringify(h));
      return [h.messages.map((m) => m.seq - base).join(), h.hasMore];
    };
    assert.deepEqual(await ask({}), ['1,2,3,4,5,6,7,8,9,10,11,12', false]);
    assert.deepEqual(await ask({ limit: 3 }), ['10,11,12', true]);
    assert.deepEqual(await ask({ limit: 3, before: base + 10 }), ['7,8,9', true]);
    assert.deepEqual(await ask({ limit: 5, before: base + 4 }), ['1,2,3', false]);
    assert.deepEqual(await ask({ limit: 3, after: 0 }), ['1,2,3', true]);
    assert.deepEqual(await ask({ limit: 100, after: base + 9 }), ['10,11,12', false]);
    assert.deepEqual(await ask({ after: base + 12 }), ['', false]);
    assert.deepEqual(await ask({ after: 2 ** 60 }), ['', false]);
    await until('the last one to be delivered', async () => (await ann.ask('privateHistory', { userId: b })).otherDeliveredSeq === base + 11);
    ann.emit('privateHistory', { userId: b, limit: 1 });
    const h = await ann.next('privateHistory');
    assert.deepEqual({ ...h, messages: h.messages.map((m) => m.message) },
      { userId: b, conversation: `${a}:${b}`, messages: ['m12'], hasMore: true, lastSeq: base + 12, readSeq: 0, otherReadSeq: base + 7, otherDeliveredSeq: base + 11 });
    const eve = await user(one, fresh('eve'));
    assert.deepEqual((await eve.ask('privateHistory', { userId: b })).messages, []); // a conversation is its two users'
    [ann, bob, eve].forEach((p) => p.close());
  });
});

describe('the block list', () => {
  test('who is blocked sees no difference, who blocks sees nothing', async () => {
    const [a, b] = [fresh('ann'), fresh('bob')];
    const ann = await user(one, a);
    const bob = await user(two, b);
    await send(ann, b, 'before');
    assert.deepEqual(await bob.ask('blockUser', { userId: a }), { ok: true });
    assert.deepEqual(await bob.ask('blockedUsers', {}), { ok: true, userIds: [a] });
    const ack = await send(ann, b, 'hidden');
    assert.deepEqual(Object.keys(ack), ['ok', 'messageId', 'timestamp', 'conversation', 'seq']);
    await ann.next('messageDelivered', (m) => m.messageId === ack.messageId);
    bob.close();
    await gone(b);
    const queued = await send(ann, b, 'hidden, away');
    await ann.next('messageQueued', (m) => m.messageId === queued.messageId);
    const bob2 = await user(one, b);
    await ann.next('messageDelivered', (m) => m.messageId === queued.messageId);
    assert.equal((await bob2.ask('unreadCounts', {})).total, 1);
    assert.deepEqual((await bob2.ask('privateHistory', { userId: a })).messages.map((m) => m.message), ['before']);
    assert.deepEqual((await ann.ask('privateHistory', { userId: b })).messages.map((m) => m.message), ['before', 'hidden', 'hidden, away']);
    assert.deepEqual(await bob2.ask('unblockUser', { userId: a }), { ok: true });
    await send(ann, b, 'after');
    await nextText(bob2, 'after');
    assert.deepEqual(texts(bob2).filter((t) => t !== 'before'), ['after']);
    bob2.emit('blockedUsers');
    assert.deepEqual(await bob2.next('blockedUsers'), { userIds: [] });
    [ann, bob2].forEach((p) => p.close());
  });
});

describe('refusals', () => {
  test('guests may do none of it', async () => {
    const guest = await connect(one.url);
    for (const name of ['privateMessage', 'privateHistory', 'markAsRead', 'unreadCounts', 'blockUser', 'unblockUser', 'blockedUsers']) {
      const ack = await guest.ask(name, { recipientId: 'x', userId: 'x', message: 'x' });
      assert.deepEqual([ack.ok, ack.code], [false, 'forbidden'], name);
      assert.equal((await guest.next('messageError')).event, name);
    }
    guest.close();
  });

  test('what is wrong is told and nothing else', async () => {
    const [a, b] = [fresh('ann'), fresh('bob')];
    const ann = await user(one, a);
    const bob = await user(two, b);
    const long = 'x'.repeat(129);
    const wrong = [null, undefined, 'text', 7, [], {}, { recipientId: null }, { recipientId: '' }, { recipientId: { $ne: null } }, { recipientId: [b] },
      { recipientId: true }, { recipientId: long }, { recipientId: b, message: 'x'.repeat(4001) }, { recipientId: b, message: ['x'.repeat(16384)] },
      { recipientId: b, type: 7 }, { recipientId: b, type: '' }, { recipientId: b, clientMsgId: '' }, { recipientId: b, clientMsgId: long },
      { recipientId: b, clientMsgId: {} }];
    for (const data of wrong) assert.equal((await ann.ask('privateMessage', data)).code, 'invalid_payload', JSON.stringify(data));
    for (const name of ['privateHistory', 'markAsRead', 'blockUser', 'unblockUser'])
      for (const userId of [null, '', { $ne: null }, [], long]) assert.equal((await ann.ask(name, { userId })).code, 'invalid_payload', name);
    for (const more of [{ limit: 0 }, { limit: 101 }, { limit: 1.5 }, { before: 0 }, { before: 'x' }, { after: -1 }])
      assert.equal((await ann.ask('privateHistory', { userId: b, ...more })).code, 'invalid_payload', JSON.stringify(more));
    assert.equal((await ann.ask('markAsRead', { userId: b, seq: -1 })).code, 'invalid_payload');
    ann.emit('privateMessage', { recipientId: b, message: Buffer.from('x') });
    await ann.next('messageError', (e) => /binary/.test(e.error));
    await send(ann, b, 'still here');
    await nextText(bob, 'still here');
    assert.deepEqual(texts(bob), ['still here']);
    [ann, bob].forEach((p) => p.close());
  });

  test('names that look like keys, tags or lines are only names', async () => {
    const names = ['a\r\nDEL x', '{tag}', 'a}b{c', ':', 'u1:u2', '%41', 'A', 'é', 'e\u0301', '__proto__', 'block x', '\u202Eevil', ' ', '*'];
    const peers = new Map();
    for (const id of names) peers.set(id, await user(two, id));
    const ann = await user(one, fresh('ann'));
    const conversations = new Set();
    for (const id of names) conversations.add((await send(ann, id, `to ${id}`)).conversation);
    assert.equal(conversations.size, names.length);
    for (const [id, peer] of peers) {
      await nextText(peer, `to ${id}`);
      assert.deepEqual(texts(peer), [`to ${id}`]);
      const ack = await send(peer, names[0], 'and to the first', { clientMsgId: '} {x}\r\n' });
      assert.equal(ack.ok, true);
      peer.close();
    }
    ann.close();
  });
});

describe('faults', () => {
  test('the inbox survives a restart of Redis with appendonly; a live device goes on', async () => {
    const [a, b] = [fresh('ann'), fresh('bob')];
    const ann = await user(one, a);
    const live = await user(two, a);
    const acks = [await send(ann, b, 'kept 1'), await send(ann, b, 'kept 2')];
    await redis.kill();
    const refused = await send(ann, b, 'not stored');
    assert.equal(refused.ok, false);
    assert.ok(['unavailable', 'timeout'].includes(refused.code), refused.code);
    await redis.restart();
    await until('Redis to be used again', async () => (await send(ann, b, 'probe')).ok);
    const bob = await user(two, b);
    await nextText(bob, 'probe');
    assert.deepEqual(texts(bob).slice(0, 2), ['kept 1', 'kept 2']);
    assert.deepEqual(bob.all.filter((e) => e[0] === 'privateMessage').slice(0, 2).map((e) => e[1].messageId), acks.map((x) => x.messageId));
    await send(bob, a, 'back');
    await nextText(live, 'back');
    await nextText(ann, 'back');
    [ann, bob, live].forEach((p) => p.close());
  });

  test('what stopped between its two steps goes in front of the next message, once', async () => {
    const [a, b] = [fresh('ann'), fresh('bob')];
    const ann = await user(one, a);
    await db.set(`ingoma:{user:${b}}:inbox`, 'no stream'); // the second step fails
    for (const i of [1, 2]) assert.equal((await send(ann, b, `m${i}`, { clientMsgId: `c${i}` })).code, 'internal');
    await db.del(`ingoma:{user:${b}}:inbox`);
    const { seq } = await send(ann, b, 'm3', { clientMsgId: 'c3' });
    const ann2 = await user(two, a);
    for (const i of [1, 2]) assert.equal((await send(ann2, b, `m${i}`, { clientMsgId: `c${i}` })).seq, seq - 3 + i);
    const bob = await user(two, b);
    await send(ann, b, 'm4');
    await nextText(bob, 'm4');
    assert.deepEqual(texts(bob), ['m1', 'm2', 'm3', 'm4']);
    [ann, ann2, bob].forEach((p) => p.close());
  });

  test('a node killed between: what was acked comes at the next connect, what was not is sent again', async () => {
    const [a, b] = [fresh('ann'), fresh('bob')];
    const third = await startThird();
    const ann = await user(one, a);
    const bob = await connect(third.url, { auth: { token: token({ id: b }) }, reconnection: false });
    const sender = await connect(third.url, { auth: { token: token({ id: a }) }, reconnection: false });
    await send(ann, b, 'while it lives');
    await nextText(bob, 'while it lives');
    const acked = [];
    for (let i = 0; i < 200; i++) send(sender, b, `m${i}`, { clientMsgId: `c${i}` }).then((ack) => ack.ok && acked.push(i), () => {});
    await until('some to be acked', () => acked.length > 20);
    await third.kill();
    const sender2 = await user(two, a);
    for (let i = 0; i < 200; i++) await send(sender2, b, `m${i}`, { clientMsgId: `c${i}` });
    const bob2 = await user(two, b);
    await nextText(bob2, 'm199');
    const seen = [...texts(bob), ...texts(bob2)];
    assert.deepEqual([...new Set(seen)], ['while it lives', ...Array.from({ length: 200 }, (_, i) => `m${i}`)]);
    [ann, sender2, bob2].forEach((p) => p.close());
  });
});

test('everything that came was as the schemas say, and every event was seen', () => {
  assert.deepEqual(schemaBreaches(), []);
  assert.deepEqual(unseenEvents('private'), []);
});

async function startThird() {
  const node = await startNode({ redis, env: ENV });
  await until('three nodes', async () => (await one.health()).nodes === 3);
  return node;
}
