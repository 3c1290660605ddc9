// For tests with one of our nodes and a Node.js server on one Redis: the application of both, what they send, and who is to
// hear it.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { connect } from './peer.mjs';

// The applications of wire-echo and wire-cluster once more, in Node.js. served: what other servers emitted to it.
export async function startNodeServer(adapter, options = {}) {
  const http = createServer();
  const io = new Server(http, { adapter, ...options });
  const served = [];
  io.on('greet', (...args) => {
    served.push(['greet', ...args]);
    if (typeof args.at(-1) === 'function') args.pop()({ theirs: args });
  });
  io.on('silent', (...args) => served.push(['silent', ...args]));
  io.of('/custom').on('connection', () => {});
  io.on('connection', (socket) => {
    socket.on('join', (...args) => {
      const done = args.pop();
      socket.join(args);
      done();
    });
    socket.on('leave', (room, done) => {
      socket.leave(room);
      done();
    });
    socket.on('message-with-ack', (...args) => args.pop()(...args));
    socket.on('broadcast', (how, name, ...args) => {
      let to = io;
      if (how.volatile) to = to.volatile;
      if (how.local) to = to.local;
      for (const room of how.to ?? []) to = to.to(room);
      for (const room of how.except ?? []) to = to.except(room);
      to.emit(name, ...args);
    });
  });
  io.on('greet', (...args) => typeof args.at(-1) === 'function' && args.pop()({ theirs: args }));
  await new Promise((done) => http.listen(0, '127.0.0.1', done));
  return { io, served, url: `http://127.0.0.1:${http.address().port}`, stop: () => io.close() };
}

// Buffers and views alike.
export function plain(value) {
  if (ArrayBuffer.isView(value)) return { bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex') };
  if (Array.isArray(value)) return value.map((v) => (v === undefined ? null : plain(v)));
  if (value instanceof Date) return value.toJSON();
  if (value && typeof value === 'object') {
    const kept = Object.entries(value).filter(([, v]) => v !== undefined);
    return Object.fromEntries(kept.map(([k, v]) => [k, plain(v)]));
  }
  return value;
}

const deep = (n) => (n ? { a: [deep(n - 1)] } : 'bottom');
export const range = (n) => Array.from({ length: n }, (_, i) => i);
export const bytes = (n) => Buffer.from(range(n).map((i) => (i * 31) & 255));

// name → arguments. What a client may send; the server of Node.js sends them too.
export const PAYLOADS = {
  'no arguments': [],
  'small things': [null, true, false, '', 'x', [], {}, 0],
  'text of all planes': ['é€😀 \u0000 \u2028 " \\ / \n', { 'ключ "k"': 'значение' }],
  integers: [1, -1, 127, 128, 255, 256, -32, -33, -128, -129, 65535, 65536, -32769, 2 ** 31, -(2 ** 31), 2 ** 32 - 1],
  '64-bit integers': [2 ** 32, -(2 ** 31) - 1, 2 ** 40 + 1, -(2 ** 40), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1795397279711],
  fractions: [0.1, -0.5, 1.5e-300, -5e-324, 3.141592653589793, 123456789.125],
  nested: [deep(12), { list: [[[[]]], { a: { b: { c: [1, { d: null }] } } }] }],
  'long arrays, maps and texts': [range(20), range(70000), Object.fromEntries(range(20).map((i) => [`k${i}`, i])), 'y'.repeat(40), 'z'.repeat(300), 'é'.repeat(40000)],
  'one binary': [bytes(10)],
  'binary in depth': [{ a: [bytes(1), 'text', { b: bytes(300) }] }, Buffer.alloc(0), bytes(70000), { _placeholder: false, num: 7 }],
  'ten binaries': [range(10).map((i) => bytes(i + 1))],
};

// Three clients a server: red, blue, and one in both rooms. servers: name → url.
export async function connectPeers(servers) {
  const peers = {};
  for (const [side, url] of Object.entries(servers)) {
    for (const [who, rooms] of [['red', ['red']], ['blue', ['blue']], ['both', ['red', 'blue']]]) {
      const peer = await connect(url, { gateway: false, name: `${side}.${who}` });
      await peer.ask('join', ...rooms);
      peer.rooms = [...rooms, peer.id];
      peers[peer.name] = peer;
    }
  }
  return peers;
}

// Unreadable on every channel: as MessagePack, as JSON and as a message between nodes of ours.
export const GARBAGE = {
  'nothing': Buffer.alloc(0),
  'a text': Buffer.from('garbage'),
  'broken JSON': Buffer.from('{"type":'),
  'a byte that MessagePack never uses': Buffer.from([0xc1]),
  'a cut array': Buffer.from([0x93, 0xa6, 0x61]),
  'an array of four billion': Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]),
  'a map of four billion': Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff]),
  'a text of four gigabytes': Buffer.from([0xdb, 0xff, 0xff, 0xff, 0xff, 0x61]),
  'a hundred thousand levels': Buffer.alloc(100000, 0x91),
  'two values': Buffer.from([0x91, 0xc0, 0xc0]),
  'five megabytes': Buffer.alloc(5000000, 0xc1),
};

// Clients of both sides and what they are to hear: `peers` by name ('ours.red', each with its `rooms`).
export function meeting(peers) {
  const names = Object.keys(peers);
  const m = { names, peers, number: 0 };

  // Everybody got what this sender (or, behind it, its server) sent before: the same connections all the way.
  m.fence = async (side) => {
    const mark = `fence-${++m.number}`;
    peers[`${side}.both`].emit('broadcast', {}, mark);
    await Promise.all(names.map((n) => peers[n].nextArgs(mark)));
  };

  const meets = (peer, list) => list.some((room) => peer.rooms.includes(room));
  m.hits = (how, side) => names.filter((n) => {
    if (how.local && !n.startsWith(side)) return false;
    return (!how.to || meets(peers[n], how.to)) && !(how.except && meets(peers[n], how.except));
  });

  // Broadcasts through a server; whom it is for gets it once, all others never.
  m.check = async (side, how, args, wanted = args) => {
    const event = `event-${++m.number}`;
    for (const n of names) await peers[n].ask('message-with-ack', 0); // idle: volatile has no reason to be dropped
    peers[`${side}.both`].emit('broadcast', how, event, ...args);
    await m.fence(side);
    const got = Object.fromEntries(names.map((n) => [n, peers[n].count(event)]));
    const want = Object.fromEntries(names.map((n) => [n, m.hits(how, side).includes(n) ? 1 : 0]));
    assert.deepEqual(got, want, `from ${side}: ${JSON.stringify(how)}`);
    for (const n of m.hits(how, side)) assert.deepEqual(plain(await peers[n].nextArgs(event)), plain(wanted), `${side} → ${n}`);
  };
  return m;
}

// The tests that every wire has to pass; `meet` gives the meeting, when they run.
export function castTests(test, meet) {
  for (const side of ['ours', 'theirs']) {
    for (const [title, args] of Object.entries(PAYLOADS))
      test(`from ${side}: ${title}`, () => meet().check(side, { to: ['red'] }, args));

    test(`from ${side}: rooms, except and flags`, async () => {
      const { check, names, peers, number } = meet();
      const ids = names.map((n) => peers[n].id);
      const rows = [
        {}, { to: ['red'] }, { to: ['blue'] }, { to: ['red', 'blue'] }, { to: ['nobody'] }, { to: ['nobody', 'red'] },
        { except: ['red'] }, { except: ['red', 'blue'] }, { to: ['red'], except: ['blue'] },
        { to: ['red', 'blue'], except: [ids[0], ids[4]] }, { to: [ids[1], ids[5]] }, { except: [ids[3]] },
        { volatile: true }, { to: ['red'], volatile: true }, { to: ['red'], except: [ids[2]], volatile: true },
        { local: true }, { to: ['red'], local: true },
      ];
      for (const how of rows) {
        await check(side, how, ['text', number]);
        await check(side, how, [bytes(20), { n: number }]);
      }
    });

    test(`from ${side}: five hundred in order, text and binary mixed`, async () => {
      const { fence, names, peers } = meet();
      const event = `order-${side}`;
      for (let i = 0; i < 500; i++) peers[`${side}.both`].emit('broadcast', { to: ['blue'] }, event, i, ...(i % 5 ? [] : [bytes(i)]));
      await fence(side);
      for (const n of names) {
        const got = peers[n].all.filter((e) => e[0] === event).map((e) => e[1]);
        assert.deepEqual(got, peers[n].rooms.includes('blue') ? range(500) : [], n);
      }
    });
  }
}

// Once more for every wire; `get` gives {ours, theirs, met}.
export function namespaceTest(test, get) {
  test('a namespace for itself', async () => {
    const { ours, theirs, met } = get();
    const guests = [];
    for (const [side, url] of [['ours', ours.url], ['theirs', theirs.url]])
      guests.push(await connect(`${url}/custom`, { gateway: false, name: `${side}.custom` }));
    theirs.io.of('/custom').emit('there', 1, bytes(3));
    theirs.io.emit('here', 2);
    for (const guest of guests) {
      assert.deepEqual(plain(await guest.nextArgs('there')), plain([1, bytes(3)]));
      assert.equal(guest.count('here'), 0);
    }
    await met.fence('theirs');
    for (const n of met.names) assert.deepEqual([met.peers[n].count('here'), met.peers[n].count('there')], [1, 0], n);
    guests.forEach((g) => g.close());
  });
}
