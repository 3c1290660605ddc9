// P6: 1,000 claims of 50 agents over 3 nodes: each contact has one owner, nobody more than the capacity. P5: a form that
// was acknowledged is stored, and the agents hear of it, whenever its node is killed.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { startNode, stopAll, until } from '../support/cluster.mjs';
import { agent, client, startContacts, submit } from '../support/contacts.mjs';
import { closeAll } from '../support/peer.mjs';

afterEach(closeAll);
after(stopAll);

test('P6: one owner for each contact, and capacity is respected', async (t) => {
  const AGENTS = 50, CAPACITY = 5, CONTACTS = 200, CLAIMS = 20;
  const c = await startContacts({ nodes: 3, env: { AGENT_CAPACITY: String(CAPACITY), AUTO_ASSIGN_MS: '0', STORE_TIMEOUT_MS: '60000' } });
  const ann = await client(c.nodes[0]);
  const ids = [];
  for (let i = 0; i < CONTACTS; i += 20) ids.push(...(await Promise.all(Array.from({ length: 20 }, () => submit(ann)))).map((a) => a.id));
  const agents = await Promise.all(Array.from({ length: AGENTS }, (_, i) => agent(c.nodes[i % 3], `a${i}`, `Agent ${i}`)));
  const start = Date.now();
  const answers = await Promise.all(agents.flatMap((who, i) => Array.from({ length: CLAIMS }, async (_, k) => {
    const id = ids[(i * 7 + k * 13) % CONTACTS];
    return { who: `a${i}`, id, answer: await who.ask('claimContact', id) };
  })));
  t.diagnostic(`${answers.length} claims in ${Date.now() - start} ms: ${answers.filter((x) => x.answer.ok).length} won`);
  const codes = new Set(answers.filter((x) => !x.answer.ok).map((x) => x.answer.code));
  assert.deepEqual([...codes].filter((code) => !['already_claimed', 'limit_reached'].includes(code)), []);
  const winners = new Map();
  for (const { who, id, answer } of answers.filter((x) => x.answer.ok)) {
    assert.ok(!winners.has(id) || winners.get(id) === who, `${id} has two owners`);
    winners.set(id, who);
  }
  const load = new Map();
  for (const who of winners.values()) load.set(who, (load.get(who) ?? 0) + 1);
  assert.ok(Math.max(...load.values()) <= CAPACITY);
  for (const { id, answer } of answers.filter((x) => x.answer.code === 'already_claimed')) // losers learn the owner
    assert.equal(answer.assignedTo, `Agent ${winners.get(id).slice(1)}`);
  const owned = [];
  for (let cursor; ;) {
    const page = await agents[0].ask('listContacts', { status: 'in_progress', limit: 100, ...(cursor ? { cursor } : {}) });
    owned.push(...page.contacts);
    cursor = page.cursor;
    if (!cursor) break;
  }
  assert.deepEqual(new Map(owned.map((x) => [x.id, x.assignedAdmin.id]).sort()), new Map([...winners].sort()));
  await until('all slots to be those of the owners', async () => {
    const list = (await agents[1].ask('listAgents')).agents;
    return list.every((a) => a.load === (load.get(a.agentId) ?? 0));
  });
});

test('P5: a form that was acknowledged is never lost, and told, though its node is killed at once', async () => {
  const c = await startContacts({ nodes: 2 });
  const told = new Set();
  const bob = await agent(c.nodes[1], 'bob', 'Bob');
  bob.socket.on('newContactSubmission', (e) => told.add(e.id));
  const sent = [];
  for (let round = 0; round < 3; round++) {
    const ann = await client(c.nodes[0], {}, { reconnection: false });
    const asked = Array.from({ length: 40 }, (_, i) => new Promise((done) => {
      ann.socket.emit('submitContactForm', { name: 'Ann', email: 'ann@example.org', message: `${round} ${i}` }, (answer) => {
        if (answer.ok) sent.push(answer.id);
        done();
      });
    }));
    await Promise.race(asked); // the first is stored, others are on their way
    await c.nodes[0].kill();
    ann.close();
    c.nodes[0] = await startNode({ redis: c.redis, program: 'ingoma-contacts', port: c.nodes[0].port,
      env: { ...c.store, FORMS_PER_HOUR: '0', RATE_EVENTS: '100000', BEAT_MS: '200', DEAD_MS: '3000' } });
  }
  assert.ok(sent.length >= 3);
  await until('everything that was acknowledged to be told', () => sent.every((id) => told.has(id)), 60000);
  const all = [];
  for (let cursor; ;) {
    const page = await bob.ask('listContacts', { limit: 100, ...(cursor ? { cursor } : {}) });
    all.push(...page.contacts.map((x) => x.id));
    cursor = page.cursor;
    if (!cursor) break;
  }
  assert.deepEqual(sent.filter((id) => !all.includes(id)), []);
  await until('what is stored to be told, acknowledged or not', () => all.every((id) => told.has(id)), 60000);
});
