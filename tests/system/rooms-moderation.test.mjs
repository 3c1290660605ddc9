// Who is in a room, and what admins decide about it: right on both nodes at once, after the death of a node and after
// Redis was away; who may come into which room; how rooms end.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCluster, startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { createClient } from 'redis';
import { closeAll, connect, schemaBreaches, token, unseenEvents } from '../support/peer.mjs';

const FREE = { RATE_EVENTS: '100000', RATE_USER_EVENTS: '0', RATE_STRIKES: '100000', BEAT_MS: '300', DEAD_MS: '1500' };
let redis, keys, cluster, one, two;

before(async () => {
  redis = await startRedis();
  keys = await createClient({ socket: { path: redis.socketPath } }).connect();
  cluster = await startCluster({ nodes: 2, shared: false, redis, env: FREE });
  [one, two] = cluster.nodes;
});
after(async () => {
  closeAll();
  await keys.close();
  await stopAll();
});

const user = (node, id, more = {}) => connect(node.url, { auth: { token: token({ id, name: `name of ${id}`, ...more }) } });
const admin = (node) => user(node, 'root', { role: 'Admin' });
const close = (...peers) => peers.forEach((p) => p.close());
const enter = async (room, ...peers) => {
  for (const p of peers) assert.equal((await p.ask('joinRoom', { roomId: room })).ok, true);
};
const say = (peer, room, message = 'x') => peer.ask('roomMessage', { roomId: room, message });
const members = async (peer, room) => (await peer.ask('roomMembers', { roomId: room })).members;
const ids = async (peer, room) => (await members(peer, room)).map((m) => m.userId);
const ok = (answer) => assert.equal(answer.ok, true, JSON.stringify(answer));

describe('who is in a room', () => {
  test('a newcomer is told of everybody on both nodes, once, with names; guests have none', async () => {
    const [ann, again, bob, guest] = [await user(one, 'u1'), await user(two, 'u1'), await user(two, 2), await connect(one.url)];
    await enter('names', ann, again, bob, guest);
    const eve = await user(one, 'u3');
    await until('the last row', async () => (await members(ann, 'names')).length === 3);
    await enter('names', eve);
    await until('all to be told', () => eve.count('userJoinedRoom') === 3);
    const told = eve.all.filter((e) => e[0] === 'userJoinedRoom').map((e) => e[1]);
    assert.deepEqual(told.map((t) => t.userId ?? '-').sort(), ['-', 'u1', 2].sort());
    assert.equal(told.find((t) => t.userId === 'u1').userName, 'name of u1');
    assert.ok(told.every((t) => t.roomId === 'names' && t.isPresent === true && !('memberId' in t)));

    bob.emit('roomMembers', { roomId: 'names' }); // nobody waits for an ack
    const { members: rows } = await bob.next('roomMembers');
    assert.equal(rows.length, 4);
    assert.match(rows.find((m) => !m.userId).memberId, /^g[0-9a-f]{24}$/); // of a guest, not the socket's id
    again.emit('leaveRoom', 'names'); // ann is still there with a device
    guest.close();
    await until('the guest to be gone', async () => (await members(bob, 'names')).length === 3);
    assert.deepEqual((await ids(bob, 'names')).sort(), ['u1', 'u3', 2].sort());
    ann.emit('leaveRoom', 'names');
    await until('ann to be gone', async () => (await members(bob, 'names')).length === 2);
    assert.equal((await ann.ask('roomMembers', { roomId: 'names' })).code, 'not_a_member');
    close(ann, again, bob, eve);
  });

  test('more than 200 come in pages, none twice and none missing', async () => {
    const peers = [];
    for (let i = 0; i < 230; i++) peers.push(await user(i % 2 ? one : two, `m${i}`));
    await Promise.all(peers.map((p) => p.ask('joinRoom', { roomId: 'pages' })));
    const last = peers.at(-1);
    const all = async () => {
      const first = await last.ask('roomMembers', { roomId: 'pages' });
      const rest = await last.ask('roomMembers', { roomId: 'pages', after: first.last });
      return [first, rest];
    };
    const [first, rest] = await until('everybody to be written', async () => {
      const pages = await all();
      return pages[0].members.length + pages[1].members.length === 230 && pages;
    });
    assert.deepEqual([first.members.length, first.hasMore, rest.members.length, rest.hasMore], [200, true, 30, false]);
    const seen = [...first.members, ...rest.members].map((m) => m.userId);
    assert.deepEqual([...new Set(seen)].sort(), peers.map((_, i) => `m${i}`).sort());
    const late = await user(one, 'n-late');
    await enter('pages', late);
    await late.next('roomHistory');
    assert.equal(late.count('userJoinedRoom'), 200);
    close(...peers, late);
  });

  test('the invisible are in no list', async () => {
    const [ann, bob] = [await user(one, 'i1'), await user(two, 'i2')];
    await enter('ghosts', ann, bob);
    await until('both', async () => (await members(bob, 'ghosts')).length === 2);
    ok(await ann.ask('updatePresence', 'invisible'));
    await until('ann to be hidden', async () => (await members(bob, 'ghosts')).length === 1);
    const eve = await user(two, 'i3');
    await enter('ghosts', eve);
    await eve.next('roomHistory');
    assert.deepEqual(eve.all.filter((e) => e[0] === 'userJoinedRoom').map((e) => e[1].userId), ['i2']);
    ok(await ann.ask('updatePresence', 'online'));
    await until('ann to show', async () => (await ids(bob, 'ghosts')).includes('i1'));
    close(ann, bob, eve);
  });
});

describe('what admins decide', () => {
  test('only admins, and not in the room of a user; every order is acknowledged', async () => {
    const [bob, root] = [await user(two, 'o2'), await admin(one)];
    await enter('orders', bob);
    const orders = [['roomKick', { userId: 'o2' }], ['roomMute', { userId: 'o2', forMs: 1 }], ['roomSlowMode', { intervalMs: 1 }], ['roomLock', { isLocked: true }]];
    for (const [name, payload] of orders) {
      assert.deepEqual(await bob.ask(name, { roomId: 'orders', ...payload }), { ok: false, code: 'forbidden', message: 'not allowed' });
      assert.equal((await root.ask(name, { roomId: 'user-o2', ...payload })).code, 'forbidden');
    }
    assert.equal((await root.ask('roomKick', { roomId: 'orders' })).code, 'invalid_payload');
    assert.equal((await root.ask('roomMute', { roomId: 'orders', memberId: 'g'.repeat(25), forMs: 5 })).code, 'invalid_payload');
    assert.deepEqual(await root.ask('roomLock', { roomId: 'orders', isLocked: false }), { ok: true, roomId: 'orders' });
    await bob.next('roomModerated');
    assert.equal(bob.count('roomModerated'), 1);
    close(bob, root);
  });

  test('who is kicked is out on all nodes and stays out for the time', async () => {
    const [ann, bob, bob2, root] = [await user(one, 'k1'), await user(one, 'k2'), await user(two, 'k2'), await admin(two)];
    await enter('kicks', ann, bob, bob2);
    ok(await root.ask('roomKick', { roomId: 'kicks', userId: 'k2', forMs: 60000 }));
    for (const p of [ann, bob, bob2]) {
      const told = await p.next('roomModerated');
      assert.deepEqual({ ...told, timestamp: 0 }, { roomId: 'kicks', action: 'kick', userId: 'k2', ms: 60000, timestamp: 0 });
    }
    for (const [p, n] of [[bob, 1], [bob2, 2]]) {
      assert.equal((await say(p, 'kicks')).code, 'not_a_member', `device ${n}`);
      const refused = await p.ask('joinRoom', { roomId: 'kicks' });
      assert.equal(refused.code, 'kicked');
      assert.ok(refused.retryAfterMs > 50000 && refused.retryAfterMs <= 60000);
    }
    await until('others to hear of both', () => ann.count('userLeftRoom') === 2);
    assert.equal((await ann.ask('joinRoom', { roomId: 'kicks' })).memberCount, 1);
    ok(await root.ask('roomKick', { roomId: 'kicks', userId: 'k2' })); // the way back is open
    await enter('kicks', bob2);
    close(ann, bob, bob2, root);
  });

  test('a guest is known by the list', async () => {
    const [ann, guest, root] = [await user(one, 'g1'), await connect(two.url), await admin(one)];
    await enter('guests', ann, guest);
    const row = await until('the guest in the list', async () => (await members(ann, 'guests')).find((m) => m.memberId));
    ok(await root.ask('roomMute', { roomId: 'guests', memberId: row.memberId, forMs: 60000 }));
    assert.equal((await guest.next('roomModerated')).memberId, row.memberId);
    assert.equal((await say(guest, 'guests')).code, 'muted');
    ok(await root.ask('roomKick', { roomId: 'guests', memberId: row.memberId, forMs: 60000 }));
    assert.equal((await guest.next('roomModerated')).action, 'kick');
    assert.equal((await guest.ask('joinRoom', { roomId: 'guests' })).code, 'kicked');
    ok(await say(ann, 'guests'));
    close(ann, guest, root);
  });

  test('who is muted is silent for the time, on both nodes, and comes back muted', async () => {
    const [ann, bob, root] = [await user(one, 'm1'), await user(two, 'm2'), await admin(one)];
    await enter('mutes', ann, bob);
    ok(await root.ask('roomMute', { roomId: 'mutes', userId: 'm2', forMs: 60000 }));
    await bob.next('roomModerated');
    for (const event of [['roomMessage', { roomId: 'mutes', message: 'x' }], ['typing', { roomId: 'mutes', isTyping: true }]]) {
      const refused = await bob.ask(...event);
      assert.equal(refused.code, 'muted');
      assert.ok(refused.retryAfterMs > 50000 && refused.retryAfterMs <= 60000);
    }
    bob.close();
    const back = await user(one, 'm2'); // on the other node, too
    assert.ok((await back.ask('joinRoom', { roomId: 'mutes' })).mutedMs > 50000);
    assert.equal((await say(back, 'mutes')).code, 'muted');
    ok(await say(ann, 'mutes'));
    ok(await root.ask('roomMute', { roomId: 'mutes', userId: 'm2', forMs: 0 }));
    ok(await say(back, 'mutes'));
    ok(await root.ask('roomMute', { roomId: 'mutes', userId: 'm2', forMs: 300 }));
    await until('the mute to end by itself', async () => (await say(back, 'mutes')).ok);
    close(ann, back, root);
  });

  test('slow mode counts over devices and nodes, says when, and spares admins', async () => {
    const [bob, bob2, root] = [await user(one, 's2'), await user(two, 's2'), await admin(two)];
    await enter('slow', bob, bob2, root);
    ok(await root.ask('roomSlowMode', { roomId: 'slow', intervalMs: 60000 }));
    for (const p of [bob, bob2]) await p.next('roomModerated', (m) => m.action === 'slowMode' && m.ms === 60000);
    ok(await say(bob, 'slow', 'first'));
    const refused = await say(bob2, 'slow', 'second');
    assert.equal(refused.code, 'slow_mode');
    assert.ok(refused.retryAfterMs >= 1 && refused.retryAfterMs <= 60000);
    for (let i = 0; i < 3; i++) ok(await say(root, 'slow', `r${i}`));
    assert.equal((await (await user(one, 's3')).ask('joinRoom', { roomId: 'slow' })).slowModeMs, 60000);
    await enter('less slow', bob);
    ok(await root.ask('roomSlowMode', { roomId: 'less slow', intervalMs: 500 }));
    ok(await say(bob, 'less slow'));
    await until('the next word', async () => (await say(bob, 'less slow')).ok);
    ok(await root.ask('roomSlowMode', { roomId: 'slow', intervalMs: 0 }));
    await bob.next('roomModerated', (m) => m.roomId === 'slow' && m.action === 'slowMode' && m.ms === 0); // his node knows
    for (let i = 0; i < 3; i++) ok(await say(bob, 'slow', `fast ${i}`));
    assert.equal(bob2.count('roomMessage', (m) => m.message === 'second'), 0);
    close(bob, bob2, root);
  });

  test('a locked room is closed to newcomers on a node that never heard of it, not to admins', async () => {
    const [ann, root] = [await user(one, 'l1'), await admin(one)];
    await enter('locks', ann);
    ok(await root.ask('roomLock', { roomId: 'locks', isLocked: true }));
    const bob = await user(two, 'l2');
    // a page that does not wait for the answer must not slip through
    bob.emit('joinRoom', { roomId: 'locks' });
    const answers = await Promise.all([say(bob, 'locks', 'slipped'), bob.ask('joinRoom', { roomId: 'locks' })]);
    assert.deepEqual(answers.map((a) => a.code), ['not_a_member', 'room_locked']);
    assert.equal((await bob.next('roomError')).code, 'room_locked');
    ok(await say(ann, 'locks'));
    assert.equal((await root.ask('joinRoom', { roomId: 'locks' })).isLocked, true);
    assert.equal(ann.count('roomMessage', (m) => m.message === 'slipped'), 0);
    ok(await root.ask('roomLock', { roomId: 'locks', isLocked: false }));
    bob.emit('joinRoom', { roomId: 'locks' }); // nor must it lose its first word
    ok(await say(bob, 'locks', 'at last'));
    await ann.hears('at last');
    close(ann, bob, root);
  });
});

describe('who may come in', () => {
  test('contact and quiz rooms by right: admins, and whom the token names', async () => {
    const [ann, root] = [await user(one, 'r1', { rooms: ['contact-7', 'quiz-7', 5, null] }), await admin(two)];
    const rows = [['contact-7', true], ['quiz-7', true], ['contact-8', false], ['quiz-8', false], ['contact-', false], ['contact-7 ', false]];
    for (const [roomId, may] of rows) {
      const answer = await ann.ask('joinRoom', { roomId, roomType: 'chat' });
      assert.equal(answer.ok, may, roomId);
      if (!may) assert.equal(answer.code, 'forbidden');
      else assert.equal(answer.roomType, roomId.split('-')[0]); // the name says it, not the joiner
      ok(await root.ask('joinRoom', { roomId }));
    }
    const guest = await connect(one.url);
    assert.equal((await guest.ask('joinRoom', { roomId: 'contact-7' })).code, 'forbidden');
    close(ann, root, guest);
  });

  test('names are names: whatever is in them, they reach nothing else', async () => {
    const [ann, bob] = [await user(one, 'h1'), await user(two, 'h2')];
    const names = ['a\r\nDEL x', '{tag}', '}{', 'user', ':type', 'a b', 'café', 'cafe\u0301', '\u202Eabc', '__proto__', '*', '[a-z]*', '\u0000', "'; return 1 --"];
    await enter('fence', ann, bob);
    for (const name of names) {
      await enter(name, ann);
      ok(await say(ann, name, `in ${name}`)); // Redis may not have passed it on yet
      ok(await say(ann, 'fence', name));
      await until('what was said before bob comes to be over', () => bob.count('roomMessage', (m) => m.message === name) === 1);
      assert.equal((await bob.ask('roomMembers', { roomId: name })).code, 'not_a_member');
      const joined = await bob.ask('joinRoom', { roomId: name });
      assert.deepEqual([joined.ok, joined.roomId, joined.memberCount], [true, name, 2], JSON.stringify(name));
      await until('both', async () => (await members(bob, name)).length === 2);
      assert.deepEqual((await ids(bob, name)).sort(), ['h1', 'h2']);
      assert.equal(bob.count('roomMessage', (m) => m.roomId === name), 0);
    }
    assert.equal((await ann.ask('joinRoom', { roomId: 'x'.repeat(10240) })).code, 'invalid_payload');
    assert.equal((await ann.ask('roomMembers', { roomId: 'a b', after: '\r\nDEL x \n[+' })).ok, true); // a cursor of nobody
    const twin = await user(one, 'é');
    assert.equal((await twin.ask('joinRoom', { roomId: 'user-e\u0301' })).code, 'forbidden');
    close(ann, bob, twin);
  });
});

describe('deaths and returns', () => {
  test('the members of a killed node leave count and list at once; what was decided stays', async () => {
    const [ann, root] = [await user(one, 'd1'), await admin(one)];
    const third = await startNode({ redis, env: FREE });
    await until('the third to be known', async () => (await one.health()).nodes === 3);
    const bob = await user(third, 'd2');
    await enter('deaths', ann, bob);
    await until('both', async () => (await members(ann, 'deaths')).length === 2);
    ok(await root.ask('roomMute', { roomId: 'deaths', userId: 'd2', forMs: 60000 }));
    ok(await root.ask('roomLock', { roomId: 'deaths', isLocked: true }));
    await third.kill();
    await until('the dead to be gone', async () => (await members(ann, 'deaths')).length === 1);
    await until('the count', async () => (await ann.ask('joinRoom', { roomId: 'deaths' })).memberCount === 1);
    bob.close();
    const back = await user(two, 'd2');
    assert.equal((await back.ask('joinRoom', { roomId: 'deaths' })).code, 'room_locked');
    ok(await root.ask('roomLock', { roomId: 'deaths', isLocked: false }));
    await enter('deaths', back);
    assert.equal((await say(back, 'deaths')).code, 'muted');
    close(ann, root, back);
  });
});

describe('the end of a room', () => {
  test('a room whose last members died with their node has its minute, too; one with others lives', async () => {
    const third = await startNode({ redis, env: FREE });
    await until('the third to be known', async () => (await one.health()).nodes === 3);
    const [ann, bob] = [await user(one, 'z1'), await user(third, 'z2')];
    await enter('shared', ann, bob);
    for (let i = 0; i < 70; i++) {
      await enter(`lonely${i}`, bob);
      ok(await say(bob, `lonely${i}`));
    }
    ok(await say(bob, 'shared'));
    const ttl = (room) => keys.ttl(`ingoma:{room:/:${room}}:log`);
    await until('the logs', async () => (await ttl('lonely69')) > 3000 && (await ttl('shared')) > 3000);
    await third.kill();
    for (let i = 0; i < 70; i++) await until(`lonely${i} to end`, async () => (await ttl(`lonely${i}`)) <= 60);
    assert.ok((await ttl('shared')) > 3000);
    await until('nothing to be left of the node', async () => !(await keys.exists(`ingoma:{rooms:socket.io:${third.id}}:here`)));
    close(ann, bob);
  });

  test('a minute after the last one has left nothing is kept; with members it lives', async () => {
    const ann = await user(one, 'e1');
    await enter('ends', ann);
    ok(await say(ann, 'ends', 'kept'));
    await ann.next('roomHistory');
    const ttl = async (what) => keys.ttl(`ingoma:{room:/:ends}:${what}`);
    await until('the log', async () => (await ttl('log')) > 3000);
    await until('the row', async () => (await ttl('members')) > 3000);
    ann.emit('leaveRoom', 'ends');
    await until('the log to end', async () => (await ttl('log')) <= 60);
    assert.ok((await ttl('members')) <= 60 && (await ttl('rows')) <= 60);
    await enter('ends', ann); // within the minute it is the same room
    const history = await ann.next('roomHistory');
    assert.deepEqual(history.messages.map((m) => m.message), ['kept']);
    await until('the log to live', async () => (await ttl('log')) > 3000);
    ann.close();
  });

  test('an idle room ends on both nodes; one in which something is said does not', async () => {
    const quick = await startCluster({ nodes: 2, shared: false, redis, env: { ...FREE, ROOM_IDLE_CHAT_MS: '4000', ROOM_IDLE_CONTACT_MS: '0', ADAPTER_PREFIX: 'idle' } });
    const [ann, bob, root] = [await user(quick.nodes[0], 'n1'), await user(quick.nodes[1], 'n2'), await admin(quick.nodes[1])];
    await enter('still', ann, bob);
    await enter('busy', ann, bob);
    await enter('contact-1', root);
    const start = Date.now();
    let words = 0;
    while (!ann.count('roomEnded') || !bob.count('roomEnded')) { // words from one node keep the members of the other
      ok(await say(bob, 'busy', `w${words++}`));
      assert.ok(Date.now() - start < 60000);
      await new Promise((done) => setTimeout(done, 100));
    }
    assert.ok(Date.now() - start >= 3900);
    for (const p of [ann, bob]) {
      const ended = await p.next('roomEnded');
      assert.deepEqual([ended.roomId, ended.reason], ['still', 'idle']);
      assert.equal((await say(p, 'still')).code, 'not_a_member');
      assert.equal(p.count('roomEnded'), 1);
    }
    ok(await say(ann, 'busy'));
    ok(await say(root, 'contact-1'));
    assert.equal((await ann.ask('joinRoom', { roomId: 'still' })).memberCount, 1);
    close(ann, bob, root);
  });
});

test('everything that came was as the schemas say, and every event of them was seen', () => {
  assert.deepEqual(schemaBreaches(), []);
  assert.deepEqual(unseenEvents('rooms').filter((e) => e !== 'userTyping'), []);
});
