// Promises P1 and P2 of private messages, by chance: users on three nodes send, go, come back on another node, nodes are
// killed and started again. Afterwards what every user got is compared with what was acknowledged: nothing lost, nothing
// out of order, nothing twice for a client that looks at messageId. SEED=n repeats a run, SECONDS=n makes it longer.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect, schemaBreaches, token } from '../support/peer.mjs';
import { random, SECONDS, SEED } from '../support/random.mjs';

const USERS = 6;
const ENV = { RATE_EVENTS: '1000000', RATE_USER_EVENTS: '0', RATE_STRIKES: '1000000', BEAT_MS: '200', DEAD_MS: '1500', REDIS_TIMEOUT_MS: '2000', PRIVATE_RESEND_MS: '5000' };

after(async () => {
  closeAll();
  await stopAll();
});

test(`nothing is lost and nothing out of order (SEED=${SEED}, ${SECONDS} s)`, async () => {
  const below = random(SEED);
  const redis = await startRedis();
  const nodes = await Promise.all([0, 1, 2].map(() => startNode({ redis, env: ENV })));
  const alive = () => nodes.filter((n) => n && !n.ended);
  const users = Array.from({ length: USERS }, (_, i) => ({ id: `p${i}`, peers: [], got: [], queue: [], number: 0, sending: false }));
  const acked = []; // {from, to, number, messageId, seq}
  let kills = 0;

  const hear = (u, peer) => {
    const take = peer.take.bind(peer);
    const log = []; // of this device
    u.got.push(log);
    peer.take = (event) => {
      if (event[0] === 'privateMessage') log.push(event[1]);
      return take(event);
    };
  };
  async function come(u) {
    const at = alive();
    const peer = await connect(at[below(at.length)].url, { wait: false, reconnection: false, auth: { token: token({ id: u.id }) } });
    hear(u, peer);
    await peer.settled();
    if (peer.socket.connected) u.peers.push(peer); // who is on the way is left alone: nobody else would tell its end
    else peer.close();
  }
  function go(u) {
    u.peers.splice(below(u.peers.length || 1), 1).forEach((p) => p.close());
  }
  // One after the other, each until it is acknowledged, by any device, on any node: an outbox as a page has it.
  async function drain(u) {
    if (u.sending) return;
    u.sending = true;
    while (u.queue.length) {
      const m = u.queue[0];
      u.peers = u.peers.filter((p) => p.socket.connected || (p.close(), false));
      if (!u.peers.length) await come(u);
      const peer = u.peers[below(u.peers.length || 1)];
      if (!peer?.socket.connected) continue;
      const ack = await new Promise((done) => {
        peer.socket.timeout(4000).emit('privateMessage', { recipientId: m.to, message: m.number, clientMsgId: `c${m.number}` }, (e, a) => done(e ? null : a));
        peer.socket.once('disconnect', () => done(null));
      });
      if (!ack?.ok) continue;
      acked.push({ from: u.id, ...m, messageId: ack.messageId, seq: ack.seq });
      u.queue.shift();
    }
    u.sending = false;
  }
  async function killOne() {
    const at = alive();
    if (at.length < 3) return;
    kills++;
    const i = nodes.indexOf(at[below(at.length)]);
    await nodes[i].kill();
    nodes[i] = await startNode({ redis, env: ENV, connected: true });
  }

  for (const u of users) await come(u);
  let killing = null;
  const end = Date.now() + SECONDS * 1000;
  const works = [];
  while (Date.now() < end) {
    const u = users[below(USERS)];
    const what = below(100);
    if (what < 80) {
      const to = users[below(USERS)];
      if (u.queue.length < 20) u.queue.push({ to: to.id, number: u.number++ });
      works.push(drain(u));
    } else if (what < 88) {
      if (u.peers.length < 4) works.push(come(u));
    } else if (what < 97) {
      go(u);
    } else {
      killing ??= killOne().finally(() => (killing = null));
    }
    await new Promise((done) => setTimeout(done, below(20)));
  }
  await killing;
  await Promise.all(works);
  await Promise.all(users.map(drain));
  assert.ok(kills > 0, 'no node was killed');
  for (const u of users) await come(u); // what waits comes now

  const wanted = new Map(users.map((u) => [u.id, acked.filter((m) => m.to === u.id)]));
  await until('everything to arrive', () => users.every((u) => {
    const ids = new Set(u.got.flat().map((m) => m.messageId));
    return wanted.get(u.id).every((m) => ids.has(m.messageId));
  }), 30000).catch((error) => {
    const lost = users.flatMap((u) => {
      const ids = new Set(u.got.flat().map((m) => m.messageId));
      return wanted.get(u.id).filter((m) => !ids.has(m.messageId));
    });
    throw new Error(`${error.message}; lost of ${acked.length}: ${JSON.stringify(lost.slice(0, 5))}`);
  });
  const numbers = new Set(acked.map((m) => `${m.from} ${m.number}`));
  assert.equal(numbers.size, acked.length);
  for (const u of users) {
    for (const log of u.got) inOrder(log, u.id);
    const seen = new Map(); // message → id: a retry got the same one
    for (const m of u.got.flat()) {
      const name = `${m.senderId} ${m.message}`;
      assert.equal(seen.get(name) ?? m.messageId, m.messageId, `${u.id} got ${name} as two messages`);
      seen.set(name, m.messageId);
      assert.ok(numbers.has(name), `${u.id} got ${name}, that nobody sent`);
    }
  }
  assert.deepEqual(schemaBreaches(), []);
  console.log(`${acked.length} messages, ${kills} kills, ${users.reduce((n, u) => n + u.got.length, 0)} devices`);
});

// Per conversation: ascending seq and ascending numbers of each sender, repetitions left out.
function inOrder(log, who) {
  const last = new Map();
  const known = new Set();
  for (const m of log) {
    if (known.has(m.messageId)) continue;
    known.add(m.messageId);
    const was = last.get(m.conversation);
    assert.ok(!was || m.seq > was.seq, `${who}: ${m.conversation} ${m.seq} after ${was?.seq}`);
    last.set(m.conversation, m);
    const own = last.get(`from ${m.senderId}`);
    assert.ok(own === undefined || m.message > own, `${who}: ${m.senderId}'s ${m.message} after ${own}`);
    last.set(`from ${m.senderId}`, m.message);
  }
}
