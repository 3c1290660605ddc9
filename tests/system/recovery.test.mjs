// Connection state recovery over ADAPTER=redis-streams: a client that was cut comes back to any server, ours or Node's, as
// who it was, and is sent what it missed, in order and once. Nobody comes back as somebody else.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, afterEach, before, test } from 'node:test';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import { startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { bytes, plain, range, startNodeServer } from '../support/interop.mjs';
import { closeAll, connect, token } from '../support/peer.mjs';
import { closeRedisClients, redisClient } from '../support/redis.mjs';

const { decode, encode } = createRequire(createRequire(import.meta.url).resolve('@socket.io/redis-streams-adapter'))('@msgpack/msgpack');
const RECOVERY_MS = 60000;
const ENV = {
  ADAPTER: 'redis-streams', RECOVERY_MS: String(RECOVERY_MS),
  PING_INTERVAL_MS: '25000', PING_TIMEOUT_MS: '20000', CONNECT_TIMEOUT_MS: '45000',
};

let redis, client, servers;
const startOurs = () => startNode({ redis, program: 'wire-echo', args: ['socket'], env: ENV });

before(async () => {
  redis = await startRedis();
  client = await redisClient(redis);
  const adapter = createAdapter(await redisClient(redis));
  servers = {
    a: await startOurs(),
    b: await startOurs(),
    theirs: await startNodeServer(adapter, { connectionStateRecovery: { maxDisconnectionDuration: RECOVERY_MS } }),
  };
  // Node's reader begins at `$` with each XREAD until it has read something: wait until all wait.
  await until('three readers to wait', async () => /blocked_clients:3\b/.test(await client.info('clients')));
});
after(async () => {
  closeAll();
  await servers.theirs.stop();
  await closeRedisClients();
  await stopAll();
});
afterEach(closeAll);

const sessionOf = (peer) => client.get(`sio:session:${peer.socket._pid}`);

// A client with rooms that has heard something: it can come back.
async function enter(where, rooms, options = {}) {
  const peer = await connect(servers[where].url, { gateway: false, reconnection: false, ...options });
  assert.ok(peer.socket._pid, `${where} gives a pid`);
  await peer.ask('join', ...rooms);
  return peer;
}

let marks = 0;
// Everything said through this server until now has arrived.
async function fence(where, peer) {
  const mark = `mark-${++marks}`;
  peer.emit('broadcast', { to: [peer.id] }, mark);
  await peer.nextArgs(mark);
}

async function cut(peer) {
  peer.engine.close();
  await peer.next('$disconnect');
}

async function comeBack(peer, url) {
  peer.socket.io.uri = url;
  peer.socket.connect();
  await peer.next('$connect');
}

// Rooms as a server of Node.js sees them.
const roomsOf = async (id) => [...(await servers.theirs.io.in(id).fetchSockets()).flatMap((s) => [...s.rooms])].sort();
const named = (peer, name) => peer.all.filter((e) => e[0] === name).map((e) => plain(e.slice(1)));
const withoutOffset = (list) => list.map((args) => {
  assert.match(args.at(-1), /^\d+-\d+$/);
  return args.slice(0, -1);
});

const WAYS = [['a', 'theirs', 'theirs'], ['theirs', 'a', 'a'], ['a', 'b', 'b'], ['a', 'theirs', 'b'], ['theirs', 'b', 'a'], ['a', 'a', 'a'], ['theirs', 'a', 'theirs']];
for (const [from, by, to] of WAYS) {
  test(`cut from ${from}, said by ${by}, back to ${to}`, async () => {
    const ann = await enter(from, ['red', 'blue']);
    const bob = await enter(by, ['green']);
    await fence(from, ann);
    const { id } = ann;
    const pid = ann.socket._pid;
    await cut(ann);
    await until('the session to be stored for good', () => sessionOf(ann));
    const say = (how, ...args) => bob.emit('broadcast', how, ...args);
    for (const i of range(250)) say({ to: ['red'] }, 'missed', i, ...(i % 50 ? [] : [bytes(i)]));
    say({}, 'all');
    say({ to: ['nobody', 'blue'] }, 'blue');
    say({ to: [id] }, 'own', 'text');
    say({ to: ['green'] }, 'not mine');
    say({ to: ['red'], except: ['blue'] }, 'not mine');
    say({ to: ['red'], volatile: true }, 'volatile');
    await fence(by, bob);
    await comeBack(ann, servers[to].url);
    assert.equal(ann.socket.recovered, true);
    assert.deepEqual([ann.socket.id, ann.socket._pid], [id, pid]);
    assert.deepEqual(withoutOffset(named(ann, 'missed')), range(250).map((i) => plain([i, ...(i % 50 ? [] : [bytes(i)])])));
    for (const name of ['all', 'blue', 'own']) assert.equal(ann.count(name), 1, name);
    assert.equal(ann.count('not mine'), 0);
    if (to !== 'theirs') assert.equal(ann.count('volatile'), 0);
    // It is in its rooms again, and hears each thing once.
    assert.deepEqual(await roomsOf(id), ['blue', id, 'red'].sort());
    say({ to: ['red', 'blue'] }, 'now', 1);
    await ann.nextArgs('now');
    await fence(to, ann);
    assert.equal(ann.count('now'), 1);
    assert.equal(ann.count('missed'), 250);
  });
}

const peerOf = (where, auth, options = {}) => connect(servers[where].url, { gateway: false, reconnection: false, auth, ...options });
const offsetOf = (peer) => peer.socket._lastOffset;

for (const to of ['b', 'theirs']) {
  test(`killed with its node, back to ${to}`, { timeout: 120000 }, async () => {
    servers.dying = await startOurs();
    const ann = await enter('dying', ['red']);
    const bob = await enter('a', []);
    await fence('dying', ann);
    const { id } = ann;
    await until('its rooms to be stored', async () => (await sessionOf(ann)) && Buffer.from(await sessionOf(ann), 'base64').includes('red'));
    await servers.dying.kill();
    await ann.next('$disconnect');
    for (const i of range(3)) bob.emit('broadcast', { to: ['red'] }, 'missed', i);
    await fence('a', bob);
    await comeBack(ann, servers[to].url);
    assert.deepEqual([ann.socket.recovered, ann.socket.id], [true, id]);
    assert.deepEqual(withoutOffset(named(ann, 'missed')), [[0], [1], [2]]);
  });
}

for (const to of ['a', 'b']) {
  test(`back to ${to} before the old connection on a was given up`, async () => {
    const old = await enter('a', ['red']);
    await fence('a', old);
    const { id } = old;
    const ann = await peerOf(to, { pid: old.socket._pid, offset: offsetOf(old) });
    assert.equal(ann.id, id);
    assert.deepEqual(await old.nextArgs('$disconnect'), ['io server disconnect']);
    assert.deepEqual(await roomsOf(id), [id, 'red'].sort());
    ann.emit('broadcast', { to: ['red'] }, 'still here');
    await ann.nextArgs('still here');
    await fence(to, ann);
    assert.equal(ann.count('still here'), 1);
    // The end of the old one took nothing from the new one.
    await cut(ann);
    const again = await peerOf('b', { pid: old.socket._pid, offset: offsetOf(ann) ?? offsetOf(old) });
    assert.equal(again.id, id);
  });
}

test('twice in a row, and from server to server', async () => {
  const ann = await enter('a', ['red']);
  const bob = await enter('b', []);
  await fence('a', ann);
  const { id } = ann;
  for (const [i, to] of ['b', 'theirs', 'a', 'a', 'theirs', 'b'].entries()) {
    await cut(ann);
    await until('the session to be stored', () => sessionOf(ann));
    bob.emit('broadcast', { to: ['red'] }, 'missed', i);
    await fence('b', bob);
    await comeBack(ann, servers[to].url);
    assert.deepEqual([ann.socket.recovered, ann.socket.id], [true, id], `${i}: ${to}`);
    assert.deepEqual(withoutOffset(named(ann, 'missed')), range(i + 1).map((n) => [n]));
  }
});

test('one that heard nothing yet gets all since it came', async () => {
  const ann = await enter('a', ['red']);
  const bob = await enter('b', []);
  await until('its hello', () => offsetOf(ann)); // wire-echo greets each client
  const fresh = await peerOf('b', { pid: ann.socket._pid });
  assert.equal(fresh.id, ann.id);
  for (const what of ['the old greeting', 'a new one']) assert.ok(await fresh.nextArgs('auth'), what);
  bob.close();
});

// The stock client takes any text at the end of an event for an offset.
test('volatile and local events that end in a text do no harm', async () => {
  const ann = await enter('a', ['red']);
  const bob = await enter('b', []);
  await fence('a', ann);
  ann.emit('broadcast', { local: true }, 'here', 'text');
  assert.equal((await ann.nextArgs('here'))[0], 'text');
  bob.emit('broadcast', { volatile: true }, 'perhaps', 'text');
  ann.emit('broadcast', { volatile: true }, 'perhaps', 'text');
  await fence('b', bob);
  await fence('a', ann);
  await cut(ann);
  await until('the session to be stored', () => sessionOf(ann));
  await comeBack(ann, servers.theirs.url);
  assert.equal(ann.socket.recovered, true);
});

test('who left for good does not come back', async () => {
  for (const where of ['a', 'b']) {
    const ann = await enter(where, ['red']);
    await fence(where, ann);
    const auth = { pid: ann.socket._pid, offset: offsetOf(ann) };
    const key = `sio:session:${auth.pid}`;
    ann.socket.disconnect();
    await until('the session to be gone', async () => !(await client.get(key)));
    const back = await peerOf('a', auth);
    assert.notEqual(back.id, ann.id);
    assert.notEqual(back.socket._pid, auth.pid);
    assert.deepEqual(await roomsOf(back.id), [back.id]);
  }
});

test('what is no offset, or none of this stream, gives an ordinary connection', async () => {
  const last = async () => (await client.xRevRange('socket.io', '+', '-', { COUNT: 1 }))[0].id;
  const offsets = (ms, seq) => ['', 'x', '-', '1-', '-1', '1', `${ms}`, `${ms}-${seq}x`, ` ${ms}-${seq}`, `${ms}-99999999`, `${Number(ms) + 86400000}-0`,
    '18446744073709551615-18446744073709551615', '18446744073709551616-0', `${'9'.repeat(3000)}-0`, '1-0', '+', '$', '\u0000', 7, null, {}, []];
  for (const i of range(offsets('1', '1').length)) {
    const ann = await enter('a', ['red']);
    await fence('a', ann);
    const offset = offsets(...(await last()).split('-'))[i];
    const back = await peerOf('b', { pid: ann.socket._pid, offset });
    const same = back.id === ann.id;
    assert.equal(same, offset === '1-0', `${JSON.stringify(offset)}: before it came is as good as when it came`);
    ann.close();
    back.close();
  }
});

test('forged pids give an ordinary connection', async () => {
  const bob = await enter('a', []);
  await fence('a', bob);
  const offset = offsetOf(bob);
  for (const pid of ['', 'x', 'A'.repeat(20), 'A'.repeat(21), `${'A'.repeat(19)}*`, '../../../etc/passwd0', 'A'.repeat(3000), 'é'.repeat(10), 7, null, {}, []]) {
    const ann = await peerOf('b', { pid, offset });
    assert.match(ann.socket._pid, /^[\w-]{20}$/);
    assert.notEqual(ann.socket._pid, pid);
    ann.close();
  }
});

test('garbage in the place of a session is counted, and gives an ordinary connection', async () => {
  const bob = await enter('a', []);
  await fence('a', bob);
  const offset = offsetOf(bob);
  const garbage = async () => (await servers.b.metrics()).ingoma_redis_garbage_total;
  const before = await garbage();
  const pid = 'P'.repeat(20);
  const key = `sio:session:${pid}`;
  const values = ['', 'x', 'gA==', '3f////8=', '3P//', 'kA==', Buffer.alloc(200000, 0x91).toString('base64'), 'A'.repeat(1 << 20), Buffer.from([0x84, 0xa3, 0x73]).toString('base64')];
  for (const value of values) {
    await client.set(key, value);
    const ann = await peerOf('b', { pid, offset });
    assert.notEqual(ann.socket._pid, pid);
    ann.close();
  }
  assert.equal(await garbage(), before + values.length - 1, 'an empty one is none');
  await client.sendCommand(['LPUSH', key, 'a list']);
  const ann = await peerOf('b', { pid, offset });
  assert.notEqual(ann.socket._pid, pid);
  await client.del(key);
  const session = (more) => Buffer.from(encode({ sid: 'S'.repeat(20), pid, rooms: ['S'.repeat(20)], data: {}, ...more })).toString('base64');
  for (const more of [{ pid: 'Q'.repeat(20) }, { sid: 'short' }, { sid: 'S'.repeat(200) }, { rooms: 7 }, { rooms: [7] }, { rooms: [''] }, { rooms: ['r'.repeat(300)] },
    { rooms: range(200).map(String) }, { rooms: range(5000).map(String) }, { who: 'another' }]) {
    await client.set(key, session(more));
    const back = await peerOf('b', { pid, offset });
    assert.notEqual(back.socket._pid, pid, JSON.stringify(more).slice(0, 80));
    back.close();
  }
});

test('what is no longer in the stream is not passed over', { timeout: 120000 }, async () => {
  const ann = await enter('a', ['red']);
  const bob = await enter('b', []);
  await fence('a', ann);
  const { id } = ann;
  await cut(ann);
  bob.emit('broadcast', { to: ['red'] }, 'missed');
  await fence('b', bob);
  await client.sendCommand(['XTRIM', 'socket.io', 'MAXLEN', '1']);
  await comeBack(ann, servers.b.url);
  assert.equal(ann.socket.recovered, false);
  assert.notEqual(ann.socket.id, id);
  assert.equal(ann.count('missed'), 0);
});

test('while others talk nothing is lost or repeated', { timeout: 120000 }, async () => {
  const ann = await enter('a', ['red']);
  const bob = await enter('b', []);
  await fence('a', ann);
  let said = 0;
  const talk = () => {
    for (let i = 0; i < 20; i++) bob.emit('broadcast', { to: ['red'] }, 'n', said++);
  };
  const timer = setInterval(talk, 5);
  try {
    for (const to of ['b', 'a', 'theirs', 'a', 'b']) {
      const heard = ann.count('n');
      await until('some more', () => ann.count('n') > heard + 50);
      await cut(ann);
      await until('the session to be stored', () => sessionOf(ann));
      await comeBack(ann, servers[to].url);
      assert.equal(ann.socket.recovered, true, to);
    }
  } finally {
    clearInterval(timer);
  }
  await fence('b', bob);
  await until('all of it', () => ann.count('n') >= said);
  assert.deepEqual(named(ann, 'n').map((args) => args[0]), range(said));
});

test('socket.data of a Node.js server goes with the client', async () => {
  const ann = await enter('theirs', ['red']);
  await fence('theirs', ann);
  const data = { name: 'Ann', bytes: bytes(3), list: [1, { deep: null }] };
  servers.theirs.io.sockets.sockets.get(ann.id).data = data;
  for (const to of ['a', 'b', 'theirs']) {
    await cut(ann);
    await until('the session to be stored', () => sessionOf(ann));
    await comeBack(ann, servers[to].url);
    assert.equal(ann.socket.recovered, true, to);
  }
  assert.deepEqual(plain(servers.theirs.io.sockets.sockets.get(ann.id).data), plain(data));
});

test('a session is kept while its client is there', { timeout: 120000 }, async () => {
  const node = await startNode({ redis, program: 'wire-echo', args: ['socket'], env: { ...ENV, RECOVERY_MS: '1000' } });
  const ann = await connect(node.url, { gateway: false, reconnection: false });
  const stored = async () => decode(Buffer.from(await sessionOf(ann), 'base64'));
  await until('the session', () => sessionOf(ann));
  const start = Date.now();
  await until('three lifetimes', () => Date.now() - start > 4500);
  await ann.ask('join', 'late');
  await until('the new room to be stored', async () => (await stored()).rooms.includes('late'));
  assert.deepEqual([(await stored()).sid, (await stored()).live], [ann.id, true]);
  await cut(ann);
  await until('it to be gone', async () => !(await sessionOf(ann)));
  await node.stop();
});

// The gateway: tokens are checked although Node.js would skip it, and rooms are counted again.
test('only its own user comes back, and is counted again', { timeout: 120000 }, async () => {
  const gateway = () => startNode({ redis, env: { ...ENV, AUTH_REQUIRED: 'on', ADAPTER_STREAM_NAME: 'gateways', ADAPTER_PREFIX: 'gateways' } });
  const nodes = [await gateway(), await gateway()];
  await until('the nodes to know each other', async () => (await nodes[0].health()).nodes === 2);
  const enterAs = (node, id, more = {}) => connect(node.url, { gateway: false, reconnection: false, auth: { token: token({ id }), ...more } });
  const members = async (peer) => (await peer.ask('joinRoom', { roomId: 'chat' })).memberCount;
  const [ann, bob] = [await enterAs(nodes[0], 'ann'), await enterAs(nodes[1], 'bob')];
  assert.equal(await members(ann), 1);
  assert.equal(await members(bob), 2);
  await bob.next('roomJoined');
  await ann.next('userJoinedRoom');
  await cut(ann);
  await until('ann to be out', async () => (await members(bob)) === 1);
  const auth = { pid: ann.socket._pid, offset: offsetOf(ann) };

  const refused = await connect(nodes[1].url, { gateway: false, reconnection: false, auth: { token: 'bad', ...auth }, wait: false });
  assert.equal((await refused.next('$connect_error')).message, 'AUTH_INVALID');
  assert.ok(await sessionOf(ann), 'it was not even asked for');

  bob.say('chat', 'missed');
  await bob.hears('missed');
  await comeBack(ann, nodes[1].url);
  assert.equal(ann.socket.recovered, true);
  assert.equal((await ann.hears('missed')).senderId, 'bob');
  const cleo = await enterAs(nodes[0], 'cleo'); // on the other node
  await until('all three to be counted', async () => (await members(cleo)) === 3);
  cleo.close();
  await until('cleo to be out', async () => (await members(bob)) === 2);
  assert.equal(await members(ann), 2);
  assert.equal((await bob.next('userJoinedRoom', (e) => e.userId === 'ann')).roomId, 'chat');

  await cut(ann);
  await until('the session', () => sessionOf(ann));
  const eve = await enterAs(nodes[0], 'eve', { pid: ann.socket._pid, offset: offsetOf(ann) });
  assert.notEqual(eve.id, ann.id);
  assert.equal(eve.count('roomMessage'), 0);
  await until('nobody but bob to be counted', async () => (await members(bob)) === 1);
  // A name that could be somebody's own room.
  assert.equal((await eve.ask('joinRoom', { roomId: ann.id })).code, 'forbidden');
  await Promise.all(nodes.map((n) => n.stop()));
});

test('without Redis clients of one server hear each other, and come back when it is there again', { timeout: 120000 }, async () => {
  const own = await startRedis();
  const node = await startNode({ redis: own, program: 'wire-echo', args: ['socket'], env: ENV });
  const ann = await connect(node.url, { gateway: false, reconnection: false });
  const bob = await connect(node.url, { gateway: false, reconnection: false });
  await fence('own', ann);
  await own.process.kill();
  await until('it to notice', async () => (await node.ready()).body.degraded === true);
  bob.emit('broadcast', {}, 'meanwhile', 1);
  assert.equal((await ann.nextArgs('meanwhile'))[0], 1);
  const { id } = ann;
  await cut(ann);
  await comeBack(ann, node.url);
  assert.equal(ann.socket.recovered, false);
  assert.notEqual(ann.socket.id, id);
  await own.restart();
  await until('it to be back', async () => (await node.ready()).body.degraded !== true);
  bob.emit('broadcast', {}, 'again', 1);
  assert.equal((await ann.nextArgs('again'))[0], 1);
  const cleo = await connect(node.url, { gateway: false, reconnection: false });
  await fence('own', cleo);
  await cut(cleo);
  await comeBack(cleo, node.url);
  assert.equal(cleo.socket.recovered, true);
  await node.stop();
  await own.stop();
});
