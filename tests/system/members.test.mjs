// Who belongs to the cluster: a node that is stopped (SIGSTOP), or cut off from Redis, for longer than DEAD_MS is dead to
// the others at once and in full; when it goes on it learns so, drops what it lost and is a member like before.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { nothingTwice, untilMembers, untilNodes } from '../support/chat.mjs';
import { freePort, sleep, startCluster, startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect, schemaBreaches } from '../support/peer.mjs';

const DEAD_MS = 3000;
const QUICK = { BEAT_MS: '500', DEAD_MS: String(DEAD_MS), REDIS_TIMEOUT_MS: '1000', RATE_EVENTS: '1000000', RATE_USER_EVENTS: '0' };
const UNKNOWN_SID = { code: 1, message: 'Session ID unknown' };

after(async () => {
  closeAll();
  await stopAll();
  assert.deepEqual(schemaBreaches(), []);
});

// ---- sessions by hand, asked for through any node ----

const polling = (node, sid) => `${node.url}/socket.io/?EIO=4&transport=polling${sid ? `&sid=${sid}` : ''}`;

async function ask(url, body) {
  const start = Date.now();
  const answer = await fetch(url, { method: body === undefined ? 'GET' : 'POST', body, signal: AbortSignal.timeout(60000) });
  return { status: answer.status, text: await answer.text(), ms: Date.now() - start };
}

// A Socket.IO session of `owner`, connected to the namespace through `asker`.
async function openSession(owner, asker) {
  const { sid } = JSON.parse((await ask(polling(owner))).text.slice(1));
  assert.ok(sid.startsWith(owner.id));
  assert.equal((await ask(polling(asker, sid), '40')).text, 'ok');
  assert.match((await ask(polling(asker, sid))).text, /^40\{"sid":/);
  return sid;
}

// The session moves to a WebSocket at `asker`. closed: resolves with the code.
async function upgrade(sid, asker) {
  const ws = new WebSocket(`${asker.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket&sid=${sid}`);
  const got = [];
  const hears = (what) => until(`the WebSocket to bring ${what}`, () => got.find((m) => m.startsWith(what)));
  ws.on('message', (m) => {
    got.push(String(m));
    if (String(m) === '2') ws.send('3');
  });
  ws.on('error', () => {});
  ws.closed = new Promise((done) => ws.on('close', done));
  await new Promise((done, failed) => {
    ws.on('open', done);
    ws.on('unexpected-response', (_, answer) => failed(Object.assign(new Error(`status ${answer.statusCode}`), { status: answer.statusCode })));
  });
  ws.send('2probe');
  await hears('3probe');
  ws.send('5');
  ws.send('421["joinRoom",{"roomId":"aside"}]');
  await hears('431');
  return ws;
}

// ---- what is so ----

const messagesOf = (peer, title) => peer.all
  .filter((e) => e[0] === 'roomMessage' && e[1].message.startsWith(title)).map((e) => e[1].message);

const numbered = (title, n) => Array.from({ length: n }, (_, i) => `${title} ${i}`);

// Each says ten things, everybody hears all of them once and in order.
async function allChat(peers, title) {
  const titles = peers.map((p) => `${title} of ${p.name}`);
  for (let i = 0; i < 10; i++) peers.forEach((p, k) => p.say('chat', `${titles[k]} ${i}`));
  for (const to of peers) {
    for (const t of titles) {
      await to.hears(`${t} 9`);
      assert.deepEqual(messagesOf(to, t), numbered(t, 10), `${to.name} hears ${t}`);
    }
  }
}

const figuresOf = (nodes) => Promise.all(nodes.map((n) => n.metrics()));

describe('a node is stopped', () => {
  test('for longer than DEAD_MS: gone at once for all, and back as if it were new', { timeout: 180000 }, async (t) => {
    const cluster = await startCluster({ nodes: 3, shared: false, env: QUICK });
    const [a, b, c] = cluster.nodes;
    const [a1, a2, b1, c1] = await Promise.all([a, a, b, c].map((n) => connect(n.url)));
    const all = [a1, a2, b1, c1];
    for (const p of all) await p.join('chat');
    await allChat(all, 'before');

    const held = await openSession(a, b); // a's, its poll waits at b
    const moved = await openSession(a, b); // a's, its WebSocket is at b
    const foreign = await openSession(b, a); // b's, its WebSocket is at the node that will stop
    const patient = await openSession(b, c); // b's, polled through whoever is there
    const sockets = [await upgrade(moved, b), await upgrade(foreign, a)];
    const waiting = ask(polling(b, held));
    await until('the poll to wait on the other node', async () => (await b.metrics()).ingoma_remote_pipes === 3);

    a.signal('SIGSTOP');
    const stopped = Date.now();
    const late = []; // what clients send to it meanwhile
    try {
      await untilNodes([b, c], 2);
      const noticed = Date.now() - stopped;
      t.diagnostic(`the others noticed after ${noticed} ms`);
      assert.ok(noticed >= DEAD_MS / 2, `too early: ${noticed} ms`); // its last beat may be one interval old

      await untilMembers(b1, 2);
      await untilMembers(c1, 2);
      for (const node of [b, c]) { // its connection to Redis still stands: nobody says that it does not listen
        for (const answer of [await ask(polling(node, moved)), await ask(polling(node, held), '2')]) {
          assert.equal(answer.status, 400);
          assert.deepEqual(JSON.parse(answer.text), UNKNOWN_SID);
          assert.ok(answer.ms < DEAD_MS - 500, `refused after ${answer.ms} ms`);
        }
        await assert.rejects(upgrade(held, node), { status: 400 });
      }
      const left = await waiting;
      assert.equal(left.status, 400);
      assert.deepEqual(JSON.parse(left.text), UNKNOWN_SID);
      assert.equal(await sockets[0].closed, 1001);
      await allChat([b1, c1], 'without it');

      late.push(ask(polling(a, patient), '42["joinRoom",{"roomId":"aside"}]')); // to a living owner
      for (const message of numbered('into the dark', 10)) a1.say('chat', message);
      await sleep(1000);
    } finally {
      a.signal('SIGCONT');
    }
    const start = Date.now();
    await untilNodes([a, b, c], 3);
    t.diagnostic(`a member again after ${Date.now() - start} ms`);
    for (const answer of await Promise.all(late)) assert.equal(answer.text, 'ok');
    await sockets[1].closed; // b has ended its session: it must not stay open and deaf
    for (const p of all) await untilMembers(p, 4);
    for (const p of all) {
      await p.hears('into the dark 9');
      assert.deepEqual(messagesOf(p, 'into the dark'), numbered('into the dark', 10));
    }
    await allChat(all, 'after');
    assert.deepEqual(messagesOf(a1, 'without it').length, 20, 'what Redis kept for it');
    nothingTwice(all);
    for (const p of all) assert.deepEqual(p.disconnects, []);

    const again = await openSession(a, c); // and it answers for sessions again
    const socket = await upgrade(again, b);
    socket.close();
    await ask(polling(c, patient), '41');
    await ask(polling(c, patient), '1');
    await until('all that was opened by hand to be gone', async () => (await figuresOf(cluster.nodes)).every((f, i) =>
      f.ingoma_remote_pipes === 0 && f.ingoma_sessions === [2, 1, 1][i] && f.ingoma_sockets === [2, 1, 1][i] &&
      f.ingoma_websocket_connections === [2, 1, 1][i] && f.ingoma_rooms === 1)).catch(async (error) => {
      throw new Error(`${error.message}: ${JSON.stringify((await figuresOf(cluster.nodes)).map((f) =>
        [f.ingoma_remote_pipes, f.ingoma_sessions, f.ingoma_sockets, f.ingoma_websocket_connections, f.ingoma_rooms]))}`);
    });
    const [fa, fb, fc] = await figuresOf(cluster.nodes);
    assert.equal(fa.ingoma_cluster_returns_total, 1);
    assert.equal(fa.ingoma_cluster_nodes_lost_total, 0, 'it declares nobody dead for its own sleep');
    for (const f of [fb, fc]) {
      assert.equal(f.ingoma_cluster_nodes_lost_total, 1);
      assert.equal(f.ingoma_cluster_returns_total, 0);
    }
    for (const f of [fa, fb, fc]) {
      assert.equal(f.ingoma_cluster_id_collisions_total, 0);
      assert.equal(f.ingoma_redis_garbage_total, 0);
    }
    all.forEach((p) => p.close());
    await cluster.stop();
  });

  test('for a moment: nobody is lost, and what is forwarded goes on', { timeout: 240000 }, async () => {
    const cluster = await startCluster({ nodes: 2, shared: false, env: QUICK });
    const [a, b] = cluster.nodes;
    const [a1, b1] = await Promise.all([a, b].map((n) => connect(n.url)));
    for (const p of [a1, b1]) await p.join('chat');
    const foreign = await upgrade(await openSession(b, a), a);
    const own = await upgrade(await openSession(a, b), b);
    a.signal('SIGSTOP');
    await sleep(DEAD_MS / 3);
    a.signal('SIGCONT');
    await allChat([a1, b1], 'after a moment');
    await sleep(DEAD_MS);
    for (const [ws, node] of [[foreign, b], [own, a]]) {
      assert.equal(ws.readyState, WebSocket.OPEN);
      ws.close();
      await until('the session to end', async () => (await node.metrics()).ingoma_sessions === 1);
    }
    for (const f of await figuresOf(cluster.nodes)) {
      assert.equal(f.ingoma_cluster_nodes_lost_total, 0);
      assert.equal(f.ingoma_cluster_returns_total, 0);
      assert.equal(f.ingoma_remote_pipes, 0);
    }
    for (const p of [a1, b1]) {
      assert.deepEqual(p.disconnects, []);
      p.close();
    }
    await cluster.stop();
  });

  test('for longer than the heartbeat: its sessions end in the ordinary way', { timeout: 240000 }, async () => {
    const env = { ...QUICK, PING_INTERVAL_MS: '1000', PING_TIMEOUT_MS: '1500' };
    const cluster = await startCluster({ nodes: 2, shared: false, env });
    const [a, b] = cluster.nodes;
    const [a1, b1] = await Promise.all([a, b].map((n) => connect(n.url)));
    for (const p of [a1, b1]) await p.join('chat');
    const mute = new WebSocket(`${a.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`); // answers no ping
    const closed = new Promise((done) => mute.on('close', done));
    await new Promise((done) => mute.on('open', done));

    a.signal('SIGSTOP');
    await untilNodes([b], 1);
    assert.equal(await a1.next('$disconnect'), 'ping timeout'); // it tries again and waits at the door
    await untilMembers(b1, 1);
    a.signal('SIGCONT');
    await untilNodes([a, b], 2);
    await closed;
    await a1.next('$connect');
    await a1.join('chat');
    await allChat([a1, b1], 'again');
    for (const p of [a1, b1]) await untilMembers(p, 2);
    await until('the old sessions to be gone', async () => (await figuresOf([a, b])).every((f) => f.ingoma_sessions === 1));
    [a1, b1].forEach((p) => p.close());
    await cluster.stop();
  });
});

// A way to Redis that can be frozen: connections stand, nothing passes.
async function startWay(redisPort) {
  const port = await freePort();
  const ends = new Set();
  let frozen = false;
  const server = net.createServer((near) => {
    const far = net.connect(redisPort, '127.0.0.1');
    for (const [from, to] of [[near, far], [far, near]]) {
      ends.add(from);
      from.on('data', (d) => frozen || to.write(d));
      from.on('error', () => {});
      from.on('close', () => {
        ends.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  return {
    url: `redis://127.0.0.1:${port}`,
    freeze: () => { frozen = true; },
    thaw: () => { // what was lost on the way would leave half a reply: begin anew
      frozen = false;
      for (const s of ends) s.destroy();
    },
    stop: () => {
      for (const s of ends) s.destroy();
      server.close();
    },
  };
}

describe('a node is cut off from Redis', () => {
  test('for longer than DEAD_MS: it is told that it was dead, and drops what the others dropped', { timeout: 240000 }, async () => {
    const redis = await startRedis({ port: await freePort() });
    const way = await startWay(redis.port);
    const a = await startNode({ redis: { url: way.url }, env: QUICK });
    const b = await startNode({ redis, env: QUICK });
    await untilNodes([a, b], 2);
    const [a1, a2, b1] = await Promise.all([a, a, b].map((n) => connect(n.url)));
    for (const p of [a1, a2, b1]) await p.join('chat');
    await untilMembers(b1, 3);
    const foreign = await upgrade(await openSession(b, a), a);
    const own = await upgrade(await openSession(a, b), b);
    const sid = await openSession(a, b);

    way.freeze();
    await untilNodes([b], 1);
    assert.equal(await own.closed, 1001);
    const refused = await ask(polling(b, sid));
    assert.deepEqual(JSON.parse(refused.text), UNKNOWN_SID);
    assert.ok(refused.ms < DEAD_MS - 500, `${refused.ms} ms`);
    await untilMembers(b1, 1);
    await allChat([a1, a2], 'among ourselves');
    assert.equal((await a.ready()).body.degraded, true);
    assert.equal((await a.health()).nodes, 2, 'who hears nothing judges nobody');
    assert.equal(foreign.readyState, WebSocket.OPEN);

    way.thaw();
    await untilNodes([a, b], 2);
    await foreign.closed;
    for (const p of [a1, a2, b1]) await untilMembers(p, 3);
    await allChat([a1, a2, b1], 'together');
    nothingTwice([a1, a2, b1]);
    await ask(polling(a, sid), '1');
    await until('what was forwarded to be gone', async () => (await figuresOf([a, b])).every((f, i) =>
      f.ingoma_remote_pipes === 0 && f.ingoma_sessions === [2, 1][i])).catch(async (error) => {
      throw new Error(`${error.message}: ${JSON.stringify((await figuresOf([a, b])).map((f) => [f.ingoma_remote_pipes, f.ingoma_sessions]))}`);
    });
    const [fa, fb] = await figuresOf([a, b]);
    assert.equal(fa.ingoma_cluster_returns_total, 1);
    assert.equal(fa.ingoma_cluster_nodes_lost_total, 0);
    assert.equal(fb.ingoma_cluster_nodes_lost_total, 1);
    for (const p of [a1, a2, b1]) {
      assert.deepEqual(p.disconnects, []);
      p.close();
    }
    await Promise.all([a.stop(), b.stop()]);
    way.stop();
    await redis.stop();
  });
});
