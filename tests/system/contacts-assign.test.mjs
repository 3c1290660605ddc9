// Who gets a contact when nobody takes it, and what happens to those of agents who are gone or silent: with short times,
// over nodes that die.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, test } from 'node:test';
import { stopAll } from '../support/cluster.mjs';
import { agent, client, startContacts, submit } from '../support/contacts.mjs';
import { closeAll, schemaBreaches } from '../support/peer.mjs';

const about = (id) => (e) => e.contactId === id;
let c;
afterEach(async () => {
  closeAll();
  await stopAll();
});
after(() => assert.deepEqual(schemaBreaches().slice(0, 5), []));

test('what nobody claims is given to who is freest, and is that one’s then', async () => {
  c = await startContacts({ env: { AUTO_ASSIGN_MS: '700' } });
  const [bob, cleo, ann] = await Promise.all([agent(c.nodes[0], 'bob', 'Bob'), agent(c.nodes[1], 'cleo', 'Cleo'), client(c.nodes[0])]);
  await bob.ask('setAgentStatus', { available: false });
  const { id } = await submit(ann);
  const given = await cleo.next('autoAssignedContact', about(id));
  assert.equal(given.reason, 'Auto-assigned due to no manual claim');
  assert.equal(given.contact.assignedAdmin.id, 'cleo');
  assert.equal((await bob.ask('claimContact', id)).assignedTo, 'Cleo');
  assert.equal((await cleo.ask('sendContactMessage', { contactId: id, message: 'Hello' })).ok, true);
  await ann.next('contactMessage', about(id));
  assert.equal(bob.count('autoAssignedContact'), 0);
});

test('due jobs survive the node that wrote them and run once', async () => {
  c = await startContacts({ env: { AUTO_ASSIGN_MS: '1500' } });
  const [bob, ann] = await Promise.all([agent(c.nodes[1], 'bob', 'Bob'), client(c.nodes[0])]);
  const { id } = await submit(ann);
  await c.nodes[0].kill();
  await bob.next('autoAssignedContact', about(id));
  assert.equal(bob.count('contactClaimed', about(id)), 1);
});

test('an agent whose node dies is gone after a while: the visitor is told, another agent gets it', async () => {
  c = await startContacts({ nodes: 3, env: { AGENT_GONE_MS: '1000', AUTO_ASSIGN_MS: '60000' } });
  const [bob, cleo, ann] = await Promise.all([agent(c.nodes[0], 'bob', 'Bob'), agent(c.nodes[1], 'cleo', 'Cleo'), client(c.nodes[2])]);
  const { id } = await submit(ann);
  assert.equal((await bob.ask('claimContact', id)).ok, true);
  bob.socket.io.reconnection(false);
  await c.nodes[0].kill();
  const gone = { contactId: id, adminName: 'Bob', chatRoomId: `contact-${id}` };
  assert.deepEqual(await ann.next('adminDisconnected', about(id)), gone);
  assert.deepEqual(await cleo.next('adminDisconnected', about(id)), gone);
  await cleo.next('autoAssignedContact', about(id));
  const agents = (await cleo.ask('listAgents')).agents;
  assert.deepEqual(agents.map((a) => [a.agentId, a.online, a.load]).sort(), [['bob', false, 0], ['cleo', true, 1]]);
});

test('who does not answer at all loses it to another one, and the agents are told', async () => {
  c = await startContacts({ env: { FIRST_REPLY_MS: '1000', AUTO_ASSIGN_MS: '60000' } });
  const [bob, cleo, ann] = await Promise.all([agent(c.nodes[0], 'bob', 'Bob'), agent(c.nodes[1], 'cleo', 'Cleo'), client(c.nodes[0])]);
  const { id } = await submit(ann);
  await bob.ask('claimContact', id);
  await cleo.next('slaWarning', (e) => e.contactId === id && e.state === 'escalated');
  await ann.next('contactRequeued', about(id));
  await cleo.next('autoAssignedContact', about(id));
  assert.equal(bob.count('autoAssignedContact'), 0, 'not to the same one again');
});

test('promises of time are warned of at four fifths, and when they are broken', async () => {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'ingoma-sla-')), 'sla.json');
  fs.writeFileSync(file, JSON.stringify({ priorities: { normal: { firstMinutes: 1 }, urgent: { firstMinutes: 1 } }, warnPercent: 1 }));
  c = await startContacts({ env: { SLA_FILE: file } }); // one percent of a minute
  const [bob, ann] = await Promise.all([agent(c.nodes[0], 'bob', 'Bob'), client(c.nodes[1])]);
  const { id } = await submit(ann);
  const warned = await bob.next('slaWarning', about(id));
  assert.deepEqual([warned.clock, warned.state, warned.priority], ['first', 'warning', 'normal']);
  assert.ok(Date.parse(warned.dueAt) > Date.now());
  assert.equal(ann.count('slaWarning'), 0);
  fs.rmSync(path.dirname(file), { recursive: true });
});
