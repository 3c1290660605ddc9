// Membership of rooms, by chance: users on three nodes come and go with several devices, join and leave rooms, hide and
// show themselves; nodes are killed and started again, stopped and continued. Whenever it is quiet every node has to count
// what the model counts and to name its members, and what is said is heard by the members alone. SEED=n repeats a run,
// SECONDS=n makes it longer.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { nothingTwice } from '../support/chat.mjs';
import { ROOT, startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect, schemaBreaches, token } from '../support/peer.mjs';
import { random, SECONDS, SEED } from '../support/random.mjs';

const USERS = 8;
const ROOMS = ['m0', 'm1', 'm2', 'm3'];
const DEAD_MS = 1500;
const ENV = { RATE_EVENTS: '1000000', RATE_PRESENCE: '1000000', RATE_USER_EVENTS: '0', RATE_STRIKES: '1000000', BEAT_MS: '200', DEAD_MS: String(DEAD_MS), REDIS_TIMEOUT_MS: '2000', PRESENCE_INTERVAL_MS: '100' };
const hasNames = fs.existsSync(path.join(ROOT, 'schemas/gateway/in/roomMembers.json'));

after(async () => {
  closeAll();
  await stopAll();
});

test(`rooms count and name who is in them, on all nodes (SEED=${SEED}, ${SECONDS} s)`, async () => {
  const below = random(SEED);
  const redis = await startRedis();
  const nodes = await Promise.all([0, 1, 2].map(() => startNode({ redis, env: ENV })));
  const users = Array.from({ length: USERS }, (_, i) => ({ id: `r${i}`, devices: [], hidden: false }));
  const everybody = []; // each peer that ever was
  const did = { rounds: 0, joins: 0, leaves: 0, kills: 0, stops: 0 };
  const device = async (i, id) => {
    const peer = await connect(nodes[i].url, { reconnection: false, auth: { token: token({ id, name: id }) } });
    everybody.push(peer);
    return peer;
  };
  const pick = (list) => list[below(list.length || 1)];
  const show = (peer, hidden) => peer.ask('updatePresence', hidden ? 'invisible' : 'online');

  async function come(u) {
    const i = below(3);
    const d = { i, peer: await device(i, u.id), rooms: new Set() };
    if (!u.devices.length) assert.equal((await show(d.peer, u.hidden)).ok, true); // how one showed is not this test's
    u.devices.push(d);
  }
  function go(u) {
    u.devices.splice(below(u.devices.length || 1), 1).forEach((d) => d.peer.close());
  }
  async function join(u) {
    const d = pick(u.devices);
    const roomId = pick(ROOMS);
    if (!d) return;
    did.joins++;
    assert.equal((await d.peer.ask('joinRoom', { roomId })).ok, true); // twice is once
    d.rooms.add(roomId);
  }
  async function leave(u) {
    const d = pick(u.devices);
    const roomId = pick(ROOMS); // one that it is not in, too
    if (!d) return;
    did.leaves++;
    assert.equal((await d.peer.ask('leaveRoom', { roomId })).ok, true);
    d.rooms.delete(roomId);
  }
  async function turn(u) {
    if (!u.devices.length) return;
    u.hidden = !u.hidden;
    assert.equal((await show(pick(u.devices).peer, u.hidden)).ok, true);
  }
  async function kill() {
    const i = below(3);
    did.kills++;
    await nodes[i].kill();
    for (const u of users) u.devices = u.devices.filter((d) => d.i !== i || (d.peer.close(), false));
    nodes[i] = await startNode({ redis, env: ENV, connected: true });
  }
  // Shorter than what makes a node dead, or longer: then the others drop its members, and have to take them back.
  async function pause() {
    const node = pick(nodes);
    did.stops++;
    node.signal('SIGSTOP');
    await new Promise((done) => setTimeout(done, below(2) ? DEAD_MS / 3 : DEAD_MS * 2));
    node.signal('SIGCONT');
  }

  const inside = (room) => users.flatMap((u) => u.devices.filter((d) => d.rooms.has(room)));
  async function names(probe, roomId) {
    const members = [];
    for (let after, hasMore = true; hasMore;) {
      const page = await probe.ask('roomMembers', after === undefined ? { roomId } : { roomId, after });
      members.push(...page.members.map((m) => m.userId));
      ({ last: after, hasMore } = page);
    }
    return members.sort();
  }
  // What each node says of each room, asked by somebody who is never shown, and counts in the own answer alone.
  async function check(probe, room) {
    const shown = users.filter((u) => !u.hidden && u.devices.some((d) => d.rooms.has(room)));
    const count = shown.flatMap((u) => u.devices).filter((d) => d.rooms.has(room)).length;
    const want = { count, ids: hasNames ? shown.map((u) => u.id).sort() : [] };
    let got;
    await until('the room to be right', async () => {
      const { memberCount } = await probe.ask('joinRoom', { roomId: room });
      got = { count: memberCount - 1, ids: hasNames ? await names(probe, room) : [] };
      return JSON.stringify(got) === JSON.stringify(want);
    }).catch((e) => assert.fail(`${e.message}: round ${did.rounds}, ${room}, wanted ${JSON.stringify(want)}, told ${JSON.stringify(got)}`));
  }
  // Said until everybody inside has heard one of it: a node that comes back has to subscribe again first.
  async function speak(probe, room) {
    const mark = `${did.rounds} ${room} ${Math.random()}`;
    const heard = (peer) => peer.count('roomMessage', (m) => m.message === mark);
    let said = 0;
    await until(`all in ${room} to hear`, async () => {
      if (said++ % 10 === 0) assert.equal((await probe.ask('roomMessage', { roomId: room, message: mark })).ok, true);
      return inside(room).every((d) => heard(d.peer));
    });
    const strangers = users.flatMap((u) => u.devices).filter((d) => !d.rooms.has(room));
    assert.equal(strangers.filter((d) => heard(d.peer)).length, 0, `a stranger heard ${room}`);
  }
  async function settle() {
    for (let i = 0; i < 3; i++) {
      const probe = await device(i, `probe${i}`);
      assert.equal((await show(probe, true)).ok, true);
      for (const room of ROOMS) await check(probe, room);
      for (const room of ROOMS) await speak(probe, room);
      probe.close();
    }
    did.rounds++;
  }

  const end = Date.now() + SECONDS * 1000;
  while (Date.now() < end || !did.kills || !did.stops) {
    for (let n = 0; n < 40; n++) {
      const u = pick(users);
      const what = below(100);
      if (what < 25 && u.devices.length < 3) await come(u);
      else if (what < 35) go(u);
      else if (what < 70) await join(u);
      else if (what < 90) await leave(u);
      else await turn(u);
    }
    if (below(2)) await kill();
    else await pause();
    await settle();
  }
  nothingTwice(everybody);
  assert.deepEqual(schemaBreaches(), []);
  console.log(`${did.rounds} rounds, ${did.joins} joins, ${did.leaves} leaves, ${did.kills} kills, ${did.stops} stops: every count and every member right`);
});
