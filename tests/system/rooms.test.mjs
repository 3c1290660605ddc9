// The events of rooms over two nodes, with their exact payloads; tokens; refusals; the rate limit. Everything that the
// gateways send here is held against schemas/gateway/out by peer.mjs.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCluster, startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect, schemaBreaches, sign, token, unseenEvents } from '../support/peer.mjs';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const MESSAGE_ID = /^msg_\d{13}_[a-z0-9]{9}$/;
const LIMITS = { RATE_EVENTS: '100000', RATE_USER_EVENTS: '0' }; // the rate limit has tests of its own
let redis, cluster, one, two;

before(async () => {
  redis = await startRedis();
  cluster = await startCluster({ nodes: 2, shared: false, redis, env: LIMITS });
  [one, two] = cluster.nodes;
});
after(async () => {
  closeAll();
  await stopAll();
});

const now = () => Math.floor(Date.now() / 1000);
const user = (node, id, name) => connect(node.url, { auth: { token: token({ id, ...(name ? { name } : {}) }) } });
// After its answer everything that the peer sent before was handled.
async function settled(...peers) {
  for (const peer of peers) {
    const mark = Math.random();
    peer.emit('ping', { mark });
    await peer.next('pong', (p) => p.mark === mark);
  }
}
// And everything that it caused at the others of the room was delivered, on the other node too.
async function fence(from, room, ...to) {
  const message = `fence ${Math.random()}`;
  from.say(room, message);
  for (const peer of to) await peer.hears(message);
}
const fresh = (time) => assert.ok(ISO.test(time) && Math.abs(Date.parse(time) - Date.now()) < 60000, `a time of now: ${time}`);

describe('joining and leaving', () => {
  test('the joiner gets roomJoined with the count of both nodes, the others userJoinedRoom', async () => {
    const ann = await user(one, 'u1', 'Ann');
    const bob = await user(two, 'u2', 'Bob');
    const [eve, dan] = await Promise.all([one, two].map((n) => connect(n.url)));
    for (const p of [eve, dan]) await p.join('beside');
    assert.deepEqual(await ann.join('class', 'chat'), { roomId: 'class', memberCount: 1, roomType: 'chat' });
    await fence(eve, 'beside', dan); // node two has read of Ann's coming before Bob is there to hear of it
    assert.deepEqual(await bob.join('class', 'quiz'), { roomId: 'class', memberCount: 2, roomType: 'chat' }); // the first joiner's type
    const told = await ann.next('userJoinedRoom');
    assert.deepEqual({ ...told, timestamp: 0 }, { userId: 'u2', userName: 'Bob', roomId: 'class', timestamp: 0 });
    fresh(told.timestamp);

    const ack = await bob.ask('joinRoom', { roomId: 'class' }); // again: answered, nobody is told
    assert.deepEqual(ack, { ok: true, roomId: 'class', memberCount: 2, roomType: 'chat' });
    await bob.next('roomJoined');
    await fence(bob, 'class', ann);
    assert.equal(ann.count('userJoinedRoom'), 1);
    assert.deepEqual(bob.all.filter((e) => e[0] === 'userJoinedRoom').map((e) => e[1].userId), ['u1']); // who was there: not oneself, once

    bob.emit('leaveRoom', 'class');
    const left = await ann.next('userLeftRoom');
    assert.deepEqual({ ...left, timestamp: 0 }, { userId: 'u2', userName: 'Bob', roomId: 'class', timestamp: 0 });
    bob.emit('leaveRoom', 'class'); // a stranger by now
    await settled(bob);
    await fence(ann, 'class', ann);
    assert.equal(ann.count('userLeftRoom'), 1);
    assert.equal(bob.count('userLeftRoom'), 0);
    assert.equal((await ann.join('class')).memberCount, 1);
    [ann, bob, eve, dan].forEach((p) => p.close());
  });

  test('a bare text is a roomId, a guest has neither id nor name, a disconnection is told', async () => {
    const ann = await user(one, 'u1', 'Ann');
    const guest = await connect(two.url);
    ann.emit('joinRoom', 'open door');
    assert.deepEqual(await ann.next('roomJoined'), { roomId: 'open door', memberCount: 1 });
    guest.emit('joinRoom', 'open door');
    assert.deepEqual(await guest.next('roomJoined'), { roomId: 'open door', memberCount: 2 });
    assert.deepEqual(Object.keys(await ann.next('userJoinedRoom')).sort(), ['roomId', 'timestamp']);
    guest.close();
    assert.deepEqual(Object.keys(await ann.next('userLeftRoom')).sort(), ['roomId', 'timestamp']);
    assert.equal((await ann.ask('joinRoom', 'open door')).memberCount, 1);
    ann.emit('leaveRoom', { roomId: 'open door' }); // an object is understood, too
    await settled(ann);
    assert.equal((await ann.ask('roomMessage', { roomId: 'open door', message: 'x' })).code, 'not_a_member');
    ann.close();
  });

  test('sockets are counted over the nodes while twenty come and go', async () => {
    const peers = [];
    for (let i = 0; i < 20; i++) peers.push(await connect((i % 2 ? one : two).url));
    const counts = await Promise.all(peers.map((p) => p.join('crowd').then((r) => r.memberCount)));
    assert.ok(counts.every((n) => n >= 1 && n <= 20));
    assert.equal((await peers[0].ask('joinRoom', { roomId: 'crowd' })).memberCount, 20);
    for (const p of peers.splice(5)) p.close();
    for (;;) { // the last one's leaving is on its way from the other node
      const { memberCount } = await peers[0].ask('joinRoom', { roomId: 'crowd' });
      assert.ok(memberCount >= 5 && memberCount <= 20);
      if (memberCount === 5) break;
    }
    peers.forEach((p) => p.close());
  });

  test("a personal room is its user's alone, a connection's room nobody's", async () => {
    const ann = await user(one, 'u1', 'Ann');
    const bob = await user(two, 'u2', 'Bob');
    assert.deepEqual(await ann.join('user-u1', 'personal'), { roomId: 'user-u1', memberCount: 1, roomType: 'personal' });
    for (const roomId of ['user-u1', 'user-', ann.id]) {
      bob.emit('joinRoom', { roomId });
      const refusal = await bob.next('roomError');
      assert.deepEqual({ ...refusal, error: '' }, { event: 'joinRoom', code: 'forbidden', error: '' }, roomId);
    }
    ann.close();
    bob.close();
  });
});

describe('talking', () => {
  test('the whole room hears the same object, the sender included', async () => {
    const ann = await user(one, 'u1', 'Ann');
    const bob = await user(two, 'u2', 'Bob');
    const eve = await user(two, 'u3', 'Eve');
    await ann.join('talk');
    await bob.join('talk');
    const said = ['hello', 'é€😀 " \\ \u2028 \n \u0000', { image: 'a.png', deep: [1, { n: null }] }, [1, 'two'], 12.5];
    for (const message of said) {
      ann.emit('roomMessage', { roomId: 'talk', message, type: 'note', senderId: 'u9', role: 'admin' });
      const mine = await ann.next('roomMessage');
      const its = await bob.next('roomMessage');
      assert.deepEqual(its, mine);
      assert.match(its.messageId, MESSAGE_ID);
      fresh(its.timestamp);
      assert.deepEqual({ ...its, messageId: 0, timestamp: 0 },
        { messageId: 0, senderId: 'u1', senderName: 'Ann', message, type: 'note', roomId: 'talk', timestamp: 0 });
    }
    ann.emit('roomMessage', { roomId: 'talk', message: 'plain' });
    assert.equal((await bob.next('roomMessage')).type, 'text');
    await settled(eve);
    assert.equal(eve.all.filter((e) => !['pong', 'userOnline', 'userOffline', 'onlineUsers'].includes(e[0])).length, 0);
    assert.equal(bob.count('roomMessage'), said.length + 1);
    for (const p of [ann, bob, eve]) p.close();
  });

  test('500 messages come once each and in their order', async () => {
    const ann = await user(one, 'u1', 'Ann');
    const bob = await user(two, 'u2', 'Bob');
    await ann.join('order');
    await bob.join('order');
    for (let i = 0; i < 500; i++) ann.say('order', `m${i}`);
    await fence(ann, 'order', ann, bob);
    for (const peer of [ann, bob]) {
      const got = peer.all.filter((e) => e[0] === 'roomMessage').map((e) => e[1].message).filter((m) => m[0] === 'm');
      assert.deepEqual(got, Array.from({ length: 500 }, (_, i) => `m${i}`));
    }
    ann.close();
    bob.close();
  });

  test('members only may send, and what is wrong is said', async () => {
    const ann = await user(one, 'u1', 'Ann');
    const bob = await user(two, 'u2', 'Bob');
    await ann.join('closed');
    const rows = [
      [{ roomId: 'closed', message: 'let me in' }, 'not_a_member', 'join the room first'],
      [undefined, 'invalid_payload', 'payload: not an object'],
      [null, 'invalid_payload', 'payload: not an object'],
      [[], 'invalid_payload', 'payload: not an object'],
      [{}, 'invalid_payload', 'roomId: missing'],
      [{ roomId: 5, message: 'x' }, 'invalid_payload', 'roomId: not a string'],
      [{ roomId: '', message: 'x' }, 'invalid_payload', 'roomId: shorter than 1'],
      [{ roomId: 'r'.repeat(201), message: 'x' }, 'invalid_payload', 'roomId: longer than 200'],
      [{ roomId: 'closed' }, 'invalid_payload', 'message: missing'],
      [{ roomId: 'closed', message: '' }, 'invalid_payload', 'message: shorter than 1'],
      [{ roomId: 'closed', message: 'x'.repeat(4001) }, 'invalid_payload', 'message: longer than 4000'],
    ];
    for (const [payload, code, error] of rows) {
      if (payload === undefined) bob.emit('roomMessage');
      else bob.emit('roomMessage', payload);
      assert.deepEqual(await bob.next('messageError'), { event: 'roomMessage', code, error });
    }
    const refused = await bob.ask('roomMessage', { roomId: 'closed', message: 'x' });
    assert.deepEqual(refused, { ok: false, code: 'not_a_member', message: 'join the room first' });
    bob.emit('joinRoom', {});
    assert.deepEqual(await bob.next('roomError'), { event: 'joinRoom', code: 'invalid_payload', error: 'roomId: missing' });
    assert.equal((await bob.ask('noSuchEvent', 1)).code, 'unknown_event');
    await fence(ann, 'closed', ann);
    assert.equal(ann.count('roomMessage'), 1); // the fence
    ann.close();
    bob.close();
  });

  test('typing is told to the others, by members with a name', async () => {
    const ann = await user(one, 'u1', 'Ann');
    const bob = await user(two, 'u2', 'Bob');
    const guest = await connect(two.url);
    for (const p of [ann, bob, guest]) await p.join('desk');
    ann.emit('typing', { roomId: 'desk', isTyping: true }).emit('typing', { roomId: 'desk' });
    for (const isTyping of [true, false]) {
      const told = await bob.next('userTyping');
      assert.deepEqual({ ...told, timestamp: 0 }, { userId: 'u1', userName: 'Ann', isTyping, roomId: 'desk', timestamp: 0 });
      fresh(told.timestamp);
    }
    guest.emit('typing', { roomId: 'desk', isTyping: true });
    assert.equal((await guest.next('roomError')).code, 'forbidden');
    ann.emit('typing', { roomId: 'elsewhere', isTyping: true });
    assert.equal((await ann.next('roomError')).code, 'not_a_member');
    await fence(ann, 'desk', ann, bob);
    assert.equal(ann.count('userTyping'), 0);
    assert.equal(bob.count('userTyping'), 2);
    for (const p of [ann, bob, guest]) p.close();
  });

  test('ping is answered with its fields and the time', async () => {
    const guest = await connect(one.url);
    guest.emit('ping', { timestamp: 5, deep: { a: [null, true] } });
    const pong = await guest.next('pong');
    fresh(pong.serverTime);
    assert.deepEqual(pong, { timestamp: 5, deep: { a: [null, true] }, serverTime: pong.serverTime });
    guest.emit('ping');
    assert.deepEqual(Object.keys(await guest.next('pong')), ['serverTime']);
    guest.emit('ping', 'x'.repeat(9000));
    assert.equal((await guest.next('eventError')).error, 'payload: larger than 8192 bytes');
    guest.emit('latencyUpdate', { latency: 42 }); // what a page has measured comes back to it
    assert.deepEqual(await guest.next('latencyUpdate'), { latency: 42 });
    guest.close();
  });
});

describe('tokens', () => {
  // Who the token makes of its bearer, as the others of a room hear it.
  async function heardAs(options) {
    const ear = await connect(one.url);
    const mouth = await connect(two.url, options);
    const room = `who ${Math.random()}`;
    await ear.join(room);
    await mouth.join(room);
    const heard = await ear.next('userJoinedRoom');
    await mouth.ask('leaveRoom', 'nothing'); // what was sent before is here now; `ping` is not theirs to send in 2.5
    const errors = mouth.all.filter((e) => e[0] === 'authError').map((e) => e[1].code);
    ear.close();
    mouth.close();
    return { id: heard.userId, name: heard.userName, errors };
  }

  test('an identity is id, else _id, else sub; a number stays a number', async () => {
    const rows = [
      [{ id: 'a', _id: 'b', sub: 'c', name: 'N' }, 'a', 'N'],
      [{ _id: 'b', sub: 'c', role: 'Admin' }, 'b', undefined],
      [{ sub: 'c', email: 'c@example.org' }, 'c', undefined],
      [{ id: 42, name: 'Ünïcødé "quoted"' }, 42, 'Ünïcødé "quoted"'],
      [{ id: '42' }, '42', undefined],
    ];
    for (const [claims, id, name] of rows)
      assert.deepEqual(await heardAs({ auth: { token: token(claims) } }), { id, name, errors: [] }, JSON.stringify(claims));
  });

  test('it is taken from auth.token, ?token= and the Authorization header, in this order', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((id) => token({ id }));
    const header = (t) => ({ extraHeaders: { Authorization: t } });
    const rows = [
      ['auth', { auth: { token: a } }, 'a'],
      ['auth with Bearer', { auth: { token: `Bearer ${a}` } }, 'a'],
      ['query', { query: { token: b } }, 'b'],
      ['header with Bearer', header(`Bearer ${c}`), 'c'],
      ['header without', header(c), 'c'],
      ['all', { auth: { token: a }, query: { token: b }, ...header(`Bearer ${c}`) }, 'a'],
      ['query and header', { query: { token: b }, ...header(`Bearer ${c}`) }, 'b'],
      ['a header of a proxy', header('Basic dXNlcjpwYXNz'), undefined],
    ];
    for (const [title, options, id] of rows)
      assert.deepEqual(await heardAs(options), { id, name: undefined, errors: [] }, title);
    assert.equal((await heardAs({ version: '2.5.0', query: { token: b } })).id, 'b'); // clients of old have no auth
  });

  test('a bad one makes a guest, who is told why', async () => {
    const good = token({ id: 'x' });
    const [head, body, signature] = good.split('.');
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    const rows = [
      ['expired', sign({ id: 'x', exp: now() - 3600 }), 'auth_expired'],
      ['another secret', sign({ id: 'x', exp: now() + 60 }, { secret: 'another secret of thirty-two bytes and more' }), 'auth_invalid'],
      ['alg none', `${none}.${body}.`, 'auth_invalid'],
      ['alg none, signed', `${none}.${body}.${signature}`, 'auth_invalid'],
      ['HS512 with our secret', sign({ id: 'x' }, { header: { alg: 'HS512', typ: 'JWT' }, hash: 'sha512' }), 'auth_invalid'],
      ['changed claims', `${head}.${Buffer.from('{"id":"root"}').toString('base64url')}.${signature}`, 'auth_invalid'],
      ['cut', good.slice(0, -4), 'auth_invalid'],
      ['two parts', `${head}.${body}`, 'auth_invalid'],
      ['no id', sign({ name: 'Nobody' }), 'auth_invalid'],
      ['not yet', sign({ id: 'x', nbf: now() + 3600 }), 'auth_invalid'],
      ['exp is a text', sign({ id: 'x', exp: 'tomorrow' }), 'auth_invalid'],
      ['claims are no object', sign('[1]'), 'auth_invalid'],
      ['garbage', 'not a token', 'auth_invalid'],
    ];
    for (const [title, bad, code] of rows)
      assert.deepEqual(await heardAs({ auth: { token: bad } }), { id: undefined, name: undefined, errors: [code] }, title);
  });

  test('AUTH_REQUIRED refuses guests with a reason', async () => {
    const strict = await startNode({ redis, env: { AUTH_REQUIRED: 'on' } });
    const rows = [
      [undefined, 'AUTH_REQUIRED', 'auth_required'],
      ['garbage', 'AUTH_INVALID', 'auth_invalid'],
      [sign({ id: 'x', exp: now() - 3600 }), 'AUTH_EXPIRED', 'auth_expired'],
    ];
    for (const [bad, message, code] of rows) {
      const peer = await connect(strict.url, { auth: bad ? { token: bad } : {}, wait: false });
      const error = await peer.next('$connect_error');
      assert.equal(error.message, message);
      assert.deepEqual(error.data, { code });
      peer.close();
    }
    const peer = await connect(strict.url, { auth: { token: token({ id: 'ok' }) } });
    peer.close();
    await strict.stop();
  });
});

describe('the rate limit', () => {
  let node;
  before(async () => {
    node = await startNode({ redis, env: { RATE_EVENTS: '100', RATE_STRIKES: '50' } });
  });
  after(() => node.stop());

  test('100 events a minute, then an error that says when to come back; others are not touched', async () => {
    const loud = await connect(node.url);
    const calm = await connect(node.url);
    await loud.join('r');
    await calm.join('r');
    const start = Date.now();
    for (let i = 0; i < 120; i++) loud.say('r', `m${i}`);
    const refusal = await loud.next('messageError');
    await settled(loud); // ping has a bucket of its own
    const refilled = Math.ceil((Date.now() - start + 2000) / 600); // one every 600 ms
    const passed = loud.count('roomMessage');
    assert.ok(passed >= 99 && passed <= 99 + refilled, `${passed} of 120 passed`);
    assert.equal(loud.count('messageError'), 120 - passed);
    assert.equal(refusal.code, 'rate_limited');
    assert.ok(Number.isInteger(refusal.retryAfterMs) && refusal.retryAfterMs >= 1 && refusal.retryAfterMs <= 600);
    assert.equal((await calm.ask('roomMessage', { roomId: 'r', message: 'still here' })).ok, true);

    for (;;) { // as it said: after that time an event is accepted again
      const answer = await loud.ask('roomMessage', { roomId: 'r', message: 'patient' });
      if (answer.ok) break;
      assert.equal(answer.code, 'rate_limited');
      assert.ok(answer.retryAfterMs >= 1 && answer.retryAfterMs <= 600);
      await new Promise((done) => setTimeout(done, answer.retryAfterMs));
    }
    loud.close();
    calm.close();
  });

  test('who goes on and on is closed, and does not come back by itself', async () => {
    const loud = await connect(node.url);
    const calm = await connect(node.url);
    await calm.join('s');
    await loud.join('s');
    for (let i = 0; i < 250; i++) loud.say('s', `m${i}`);
    assert.equal(await loud.next('$disconnect'), 'io server disconnect');
    assert.ok(loud.count('messageError') >= 49 && loud.count('messageError') <= 50);
    await calm.next('userLeftRoom');
    assert.equal((await node.metrics()).ingoma_rate_closed_total, 1);
    await settled(calm);
    calm.close();
  });

  test('what old clients echo back is swallowed and does not count', async () => {
    const old = await connect(node.url, { version: '2.5.0' });
    const before = (await node.metrics()).ingoma_events_swallowed_total;
    const echoes = ['serverStats', 'onlineUsers', 'userOnline', 'userOffline', 'connectionError'];
    for (let i = 0; i < 100; i++) for (const name of echoes) old.emit(name, { users: [], n: i });
    await old.join('t');
    for (let i = 0; i < 90; i++) old.say('t', `m${i}`);
    await old.hears('m89');
    assert.equal(old.count('messageError'), 0);
    assert.equal(old.all.filter((e) => echoes.includes(e[0]) || e[0] === 'eventError').length, 0);
    assert.equal((await node.metrics()).ingoma_events_swallowed_total - before, 500);
    old.close();
  });
});

describe('the history of a room', () => {
  const said = (history) => history.messages.map((m) => m.message);

  test('the newest in order for who comes later, on the other node; pages by cursors; what was missed', async () => {
    const ann = await user(one, 'u1', 'Ann');
    await ann.join('diary', 'chat');
    for (let i = 0; i < 60; i++) ann.say('diary', `m${i}`);
    await ann.hears('m59');
    const bob = await user(two, 'u2', 'Bob');
    assert.equal((await bob.ask('roomHistory', { roomId: 'diary' })).code, 'not_a_member');
    await bob.join('diary');
    // Ann has her own message before Redis has it: the last one is waited for
    await until('the last one to be kept', async () => said(await bob.ask('roomHistory', { roomId: 'diary', limit: 1 })).at(-1) === 'm59');
    const newest = await bob.ask('roomHistory', { roomId: 'diary' });
    assert.deepEqual(said(newest), Array.from({ length: 50 }, (_, i) => `m${i + 10}`)); // ROOM_HISTORY
    assert.equal(newest.hasMore, false);
    assert.deepEqual(newest.messages.at(-1), ann.all.filter((e) => e[0] === 'roomMessage').at(-1)[1]); // as it was said

    const last = await bob.ask('roomHistory', { roomId: 'diary', limit: 3 });
    assert.deepEqual([said(last), last.hasMore], [['m57', 'm58', 'm59'], true]);
    const before = await bob.ask('roomHistory', { roomId: 'diary', limit: 2, before: last.first });
    assert.deepEqual([said(before), before.hasMore], [['m55', 'm56'], true]);
    const behind = await bob.ask('roomHistory', { roomId: 'diary', after: before.last });
    assert.deepEqual([said(behind), behind.hasMore, behind.hasGap], [['m57', 'm58', 'm59'], false, false]);
    for (let i = 0; i < 60; i++) ann.say('diary', `n${i}`);
    await bob.hears('n59'); // behind its keeping
    const missed = await bob.ask('roomHistory', { roomId: 'diary', after: behind.last, limit: 100 });
    assert.deepEqual([said(missed)[0], missed.messages.length, missed.hasGap], ['n10', 50, true]);
    assert.equal((await bob.next('roomHistory')).messages.length, 50); // unasked, to the newcomer
    bob.emit('roomHistory', { roomId: 'diary', limit: 1 }); // nobody waits for an ack
    assert.deepEqual(said(await bob.next('roomHistory')), ['n59']);
    [ann, bob].forEach((p) => p.close());
  });

  test('quiz and contact rooms keep nothing, nor does the room of a user', async () => {
    const ann = await user(one, 'u1', 'Ann');
    for (const [room, type] of [['diary-game', 'quiz'], ['diary-desk', 'contact'], ['user-u1', 'personal']]) {
      await ann.join(room, type);
      ann.say(room, `in ${room}`);
      await ann.hears(`in ${room}`);
      assert.deepEqual(said(await ann.ask('roomHistory', { roomId: room })), []);
    }
    ann.close();
  });
});

test('everything that came was as the schemas say, and every event of them was seen', () => {
  assert.deepEqual(schemaBreaches(), []);
  assert.deepEqual(unseenEvents('rooms', 'ping', 'auth', 'refusal').filter((e) => !['roomEnded', 'roomMembers', 'roomModerated'].includes(e)), []); // those: rooms-*.test.mjs
});
