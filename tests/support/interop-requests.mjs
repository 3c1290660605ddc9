// Requests between servers, the tests that every wire has to pass: two nodes of ours and a Node.js server on one Redis.
// Each operation over the whole cluster, started on either side, reaches the clients of all three; what is asked is
// answered by all of them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startNode, startRedis, until } from './cluster.mjs';
import { startNodeServer } from './interop.mjs';
import { closeAll, connect } from './peer.mjs';

const ERR_TIMEOUT = -12;

// Within a describe. makeAdapter(redis): of the Node.js server; env: of our nodes; more(get): further tests, get gives
// {redis, theirs, ours, peers, inRoom} when they run.
export function requestTests({ makeAdapter, env = {}, more = () => {} }) {
  let redis, theirs, ours, peers, names;
  const ourNode = () => ({ redis, program: 'wire-cluster', env });

  before(async () => {
    redis = await startRedis();
    theirs = await startNodeServer(await makeAdapter(redis));
    ours = [];
    for (let i = 0; i < 2; i++) ours.push(await startNode(ourNode()));
    await until('our nodes to know each other', async () => (await Promise.all(ours.map((n) => n.health()))).every((h) => h.nodes === 2));
    peers = {};
    for (const [side, url] of [['a', ours[0].url], ['b', ours[1].url], ['t', theirs.url]]) {
      for (const who of ['red', 'blue']) {
        const peer = await connect(url, { gateway: false, name: `${side}.${who}`, auth: { who } });
        await peer.ask('join', who);
        peer.socket.on('question', (n, done) => done({ from: peer.name, n }));
        peer.socket.on('shy', (done) => done());
        peers[peer.name] = peer;
      }
    }
    names = Object.keys(peers);
  });
  after(async () => {
    closeAll();
    await theirs.stop();
    await Promise.all(ours.map((n) => n.stop()));
    await redis.stop();
  });

  const ask = (name, ...args) => peers['a.red'].ask(name, ...args);
  const ids = (...which) => which.map((n) => peers[n].id).sort();
  const sorted = (list, key = (x) => JSON.stringify(x)) => [...list].sort((x, y) => (key(x) < key(y) ? -1 : 1));
  // Who is in a room, as a Node.js server sees it.
  const inRoom = async (room) => (await theirs.io.in(room).fetchSockets()).map((s) => s.id).sort();

  test('both sides count three servers', async () => {
    assert.equal(await theirs.io.of('/').adapter.serverCount(), 3);
    assert.equal(await ask('server-count'), 3);
  });

  test('fetchSockets of theirs describes ours', async () => {
    const all = await theirs.io.fetchSockets();
    assert.deepEqual(all.map((s) => s.id).sort(), ids(...names));
    const red = await theirs.io.in('red').fetchSockets();
    assert.deepEqual(red.map((s) => s.id).sort(), ids('a.red', 'b.red', 't.red'));
    const mine = red.find((s) => s.id === peers['b.red'].id);
    assert.deepEqual([...mine.rooms].sort(), [peers['b.red'].id, 'red'].sort());
    assert.deepEqual(mine.data, {});
    const own = red.find((s) => s.id === peers['t.red'].id).handshake;
    const h = mine.handshake;
    assert.deepEqual(Object.keys(h).sort(), Object.keys(own).sort());
    for (const key of Object.keys(own)) assert.equal(typeof h[key], typeof own[key], key);
    assert.deepEqual(h.auth, { who: 'red' });
    assert.equal(h.address, '127.0.0.1');
    assert.equal(h.query.EIO, '4');
    assert.ok(h.url.startsWith('/socket.io/?EIO=4'));
    assert.ok(Math.abs(Date.parse(h.time) - h.issued) < 1000);
    assert.ok(Math.abs(Date.now() - h.issued) < 600000);
    assert.equal(h.secure, false);
  });

  test('fetch of ours describes theirs', async () => {
    const all = await ask('fetch', {});
    assert.deepEqual([all.rc, all.asked, all.answered, all.missing], [0, 2, 2, []]);
    assert.deepEqual(all.answers.map((s) => s.id).sort(), ids(...names));
    const blue = await ask('fetch', { to: ['blue'], except: [peers['b.blue'].id] });
    assert.deepEqual(blue.answers.map((s) => s.id).sort(), ids('a.blue', 't.blue'));
    const theirBlue = blue.answers.find((s) => s.id === peers['t.blue'].id);
    assert.deepEqual(theirBlue.handshake.auth, { who: 'blue' });
  });

  test('socketsJoin and socketsLeave of both sides move all', async () => {
    theirs.io.in('red').socketsJoin(['x1', 'x2']);
    await until('x1 to fill', async () => (await inRoom('x1')).length === 3);
    assert.deepEqual(await inRoom('x2'), ids('a.red', 'b.red', 't.red'));
    theirs.io.in('x1').except(peers['t.red'].id).socketsLeave('x2');
    await until('x2 to empty', async () => (await inRoom('x2')).length === 1);

    await ask('sockets-join', { to: ['blue'], except: [peers['b.blue'].id] }, 'y1', 'y2');
    await until('y1 to fill', async () => (await inRoom('y1')).length === 2);
    assert.deepEqual(await inRoom('y2'), ids('a.blue', 't.blue'));
    await ask('sockets-leave', { to: ['y1'] }, 'y2');
    await until('y2 to empty', async () => (await inRoom('y2')).length === 0);
    assert.deepEqual(await inRoom('y1'), ids('a.blue', 't.blue'));
  });

  test('an order and the emits around it keep their places', async () => {
    peers['a.red'].emit('sockets-join', { to: ['blue'] }, 'order');
    peers['a.red'].emit('emit', { to: ['order'] }, 'after-join');
    peers['a.red'].emit('sockets-leave', { to: ['blue'] }, 'order');
    peers['a.red'].emit('emit', { to: ['order'] }, 'after-leave');
    await ask('emit', {}, 'fence');
    await Promise.all(names.map((n) => peers[n].nextArgs('fence')));
    for (const n of ['a.blue', 'b.blue']) assert.deepEqual([peers[n].count('after-join'), peers[n].count('after-leave')], [1, 0], n);
  });

  test('emitWithAck of theirs gathers the answers of all', async () => {
    const answers = await theirs.io.timeout(5000).emitWithAck('question', 7);
    assert.deepEqual(sorted(answers), sorted(names.map((from) => ({ from, n: 7 }))));
    const red = await theirs.io.to('red').timeout(5000).emitWithAck('question', Buffer.from([1, 2]));
    assert.deepEqual(red.map((r) => r.from).sort(), ['a.red', 'b.red', 't.red']);
    for (const r of red) assert.equal(Buffer.from(r.n).toString('hex'), '0102', r.from);
    const shy = await theirs.io.to('blue').timeout(5000).emitWithAck('shy');
    assert.deepEqual(shy.length, 3);
    assert.deepEqual(await theirs.io.to('nobody').timeout(5000).emitWithAck('question', 1), []);
  });

  test('emit with ack of ours gathers the answers of all', async () => {
    const all = await ask('ask', { timeout: 5000 }, 'question', 8);
    assert.deepEqual([all.rc, all.asked, all.answered, all.missing], [0, 2, 2, []]);
    assert.deepEqual(sorted(all.answers), sorted(names.map((from) => ({ from, n: 8 }))));
    assert.deepEqual([...all.counts].sort(), [2, 2, 2]);
    const some = await ask('ask', { to: ['red'], except: [peers['a.red'].id], timeout: 5000 }, 'question', 9);
    assert.deepEqual(some.answers.map((r) => r.from).sort(), ['b.red', 't.red']);
    const shy = await ask('ask', { to: ['blue'], timeout: 5000 }, 'shy');
    assert.deepEqual([shy.rc, shy.answers], [0, [null, null, null]]);
    const none = await ask('ask', { to: ['nobody'], timeout: 5000 }, 'question', 1);
    assert.deepEqual([none.rc, none.answers], [0, []]);
  });

  test('clients that do not answer leave a partial result', async () => {
    const mute = await connect(ours[1].url, { gateway: false, name: 'mute' });
    await mute.ask('join', 'partly');
    await peers['b.red'].ask('join', 'partly');
    await assert.rejects(theirs.io.to('partly').timeout(2000).emitWithAck('question', 1), (error) => {
      assert.deepEqual(error.responses, [{ from: 'b.red', n: 1 }]);
      return true;
    });
    const part = await ask('ask', { to: ['partly'], timeout: 2000 }, 'question', 2);
    assert.equal(part.rc, ERR_TIMEOUT);
    assert.deepEqual(part.answers, [{ from: 'b.red', n: 2 }]);
    assert.deepEqual(part.missing, []);
    mute.close();
    await until('mute to be gone', async () => (await theirs.io.fetchSockets()).length === names.length);
  });

  test('serverSideEmit goes to the other servers, with and without an answer', async () => {
    theirs.io.serverSideEmit('greet', 'hello', { n: [1] });
    for (const n of names.filter((x) => !x.startsWith('t')))
      assert.deepEqual(await peers[n].nextArgs('served'), ['greet', 'hello', { n: [1] }], n);
    const answers = await theirs.io.serverSideEmitWithAck('greet', 'you');
    assert.deepEqual(answers, [{ ours: ['greet', 'you'] }, { ours: ['greet', 'you'] }]);

    theirs.served.length = 0;
    await ask('server-emit', 'greet', 'from ours');
    await until('theirs to be served', () => theirs.served.length === 1);
    assert.deepEqual(theirs.served, [['greet', 'from ours']]);
    assert.equal(peers['a.red'].count('served', (name, text) => text === 'from ours'), 0, 'not to oneself');
    const got = await ask('server-ask', 'greet', 5);
    assert.deepEqual([got.rc, got.asked, got.answered], [0, 2, 2]);
    assert.deepEqual(sorted(got.answers), sorted([{ theirs: [5] }, { ours: ['greet', 5] }]));
  });

  test('disconnectSockets of both sides ends clients of all', async () => {
    const victims = {};
    for (const [side, url] of [['a', ours[0].url], ['b', ours[1].url], ['t', theirs.url]]) {
      for (const room of ['end1', 'end2']) {
        victims[side + room] = await connect(url, { gateway: false, name: `${side}.${room}`, reconnection: false });
        await victims[side + room].ask('join', room);
      }
    }
    theirs.io.in('end1').disconnectSockets();
    for (const side of 'abt') assert.equal(await victims[`${side}end1`].next('$disconnect'), 'io server disconnect');
    await ask('sockets-disconnect', { to: ['end2'], close: true });
    for (const side of 'abt') assert.match(await victims[`${side}end2`].next('$disconnect'), /io server disconnect|transport close/);
    for (const n of names) assert.deepEqual(peers[n].disconnects, [], n);
    Object.values(victims).forEach((v) => v.close());
  });

  more(() => ({ redis, theirs, ours, peers, inRoom }));

  test('nothing of all this was garbage to ours', async () => {
    for (const node of ours) {
      const figures = await node.metrics();
      assert.equal(figures.ingoma_redis_garbage_total, 0);
      assert.equal(figures.ingoma_redis_dropped_total, 0);
    }
  });

  test('a server that stays silent is named when it is ours, counted when it is theirs', { timeout: 180000 }, async () => {
    const got = await ask('server-ask', 'silent'); // the default deadline of five seconds
    assert.deepEqual([got.rc, got.asked, got.answered, got.answers], [ERR_TIMEOUT, 2, 0, []]);
    assert.deepEqual(got.missing, [ours[1].id]);
  });

  test('a node that is killed is no longer waited for', { timeout: 180000 }, async () => {
    const third = await startNode(ourNode());
    await until('it to be known', async () => (await ours[0].health()).nodes === 3);
    assert.equal(await ask('server-count'), 4);
    await third.kill();
    await until('the count to be right again', async () => (await ask('server-count')) === 3);
    assert.equal(await theirs.io.of('/').adapter.serverCount(), 3);
    const after = await ask('fetch', {});
    assert.deepEqual([after.rc, after.asked, after.answered], [0, 2, 2]);
    assert.equal((await theirs.io.fetchSockets()).length, names.length);
  });
}
