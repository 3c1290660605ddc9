// What holds of a room of gateways, awaited: for tests in which Redis or a node goes away and comes back.
import assert from 'node:assert/strict';
import { sleep, until } from './cluster.mjs';

const BACK_MS = 60000; // generous: an ASan build on a busy machine

// Says something again and again until the other one hears one of it; gives the time that took.
export async function untilHeard(from, to, ms = BACK_MS, room = 'chat') {
  const start = Date.now();
  const mark = `probe ${Math.random()} `;
  let heard = false;
  const hearing = to.next('roomMessage', (m) => String(m.message).startsWith(mark), ms).then(() => (heard = true));
  hearing.catch(() => {});
  for (let i = 0; !heard && Date.now() - start < ms; i++) {
    from.say(room, mark + i);
    await Promise.race([hearing, sleep(20)]);
  }
  await hearing;
  return Date.now() - start;
}

export const untilDegraded = (nodes, wanted, ms = BACK_MS) => until(`degraded to be ${wanted}`, async () => {
  const answers = await Promise.all(nodes.map((n) => n.ready()));
  return answers.every((r) => r && r.status === 200 && r.body.ready && r.body.degraded === wanted &&
    r.body.status === (wanted ? 'degraded' : 'ok'));
}, ms);

export const untilMembers = (peer, wanted, ms = BACK_MS) => until(`memberCount ${wanted}`, async () => {
  const answer = await peer.ask('joinRoom', { roomId: 'chat' });
  assert.equal(answer.ok, true);
  return answer.memberCount === wanted;
}, ms);

export const untilNodes = (nodes, wanted, ms = BACK_MS) => until(`${wanted} nodes`, async () => {
  const all = await Promise.all(nodes.map((n) => n.health()));
  return all.every((h) => h?.nodes === wanted);
}, ms);

export function nothingTwice(peers) {
  for (const p of peers) {
    const seen = p.all.filter((e) => e[0] === 'roomMessage').map((e) => e[1].messageId);
    assert.equal(new Set(seen).size, seen.length, `${p.name} got something twice`);
  }
}
