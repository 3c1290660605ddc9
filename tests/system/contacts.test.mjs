// The contacts service as its clients see it: stock clients on two nodes over one store, agents and visitors on either.
// Everything that is sent here is held against schemas/contacts/out by peer.mjs.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { stopAll, until } from '../support/cluster.mjs';
import { FORM, agent, client, startContacts, submit } from '../support/contacts.mjs';
import { closeAll, schemaBreaches, token } from '../support/peer.mjs';

let c;
before(async () => {
  c = await startContacts();
});
afterEach(closeAll);
after(async () => {
  closeAll();
  await stopAll();
  assert.deepEqual(schemaBreaches().slice(0, 5), []);
});

const [A, B] = [() => c.nodes[0], () => c.nodes[1]];
const about = (id) => (e) => e.contactId === id;

test('a form is answered as ever, and agents on every node are told, the message left out', async () => {
  const [bob, cleo, ann] = await Promise.all([agent(A(), 'bob', 'Bob'), agent(B(), 'cleo', 'Cleo'), client(B())]);
  ann.emit('submitContactForm', { ...FORM, assignedAdmin: { id: 'me' }, status: 'resolved' });
  const sent = await ann.next('contactFormSubmitted');
  assert.match(sent.id, /^contact_\d+_[a-z0-9]+$/);
  assert.equal(sent.message, 'Your message has been received. We will get back to you shortly.');
  assert.equal(sent.estimatedResponseTime, '24 hours');
  for (const who of [bob, cleo]) {
    const told = await who.next('newContactSubmission', (e) => e.id === sent.id);
    const { submittedAt, ...rest } = told;
    assert.deepEqual(rest, { id: sent.id, name: 'Ann', email: 'ann@example.org', subject: 'Account', priority: 'normal' });
    assert.match(submittedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }
  bob.emit('getPendingContacts');
  const [pending] = await bob.nextArgs('pendingContacts');
  assert.ok(Array.isArray(pending));
  const row = pending.find((p) => p.id === sent.id);
  assert.deepEqual(Object.keys(row), ['id', 'name', 'email', 'subject', 'priority', 'submittedAt']);
});

test('claimed: one wins, the claimer is told twice in two shapes, who comes late learns whose it is', async () => {
  const [bob, cleo, ann] = await Promise.all([agent(A(), 'bob', 'Bob'), agent(B(), 'cleo', 'Cleo'), client(A())]);
  const { id } = await submit(ann);
  bob.emit('claimContact', id); // a bare string, as old pages send it
  assert.deepEqual(await bob.next('contactClaimed', about(id)), { contactId: id, adminName: 'Bob', adminId: 'bob' });
  const second = await bob.next('contactClaimed', about(id));
  assert.deepEqual(Object.keys(second), ['contactId', 'contact', 'chatRoomId']);
  assert.equal(second.chatRoomId, `contact-${id}`);
  assert.equal(second.contact.message, FORM.message);
  assert.equal(second.contact.status, 'in_progress');
  const { claimedAt, ...admin } = second.contact.assignedAdmin;
  assert.deepEqual(admin, { id: 'bob', name: 'Bob', email: 'bob@desk.rw' });
  assert.ok(claimedAt);
  assert.deepEqual(await cleo.next('contactClaimed', about(id)), { contactId: id, adminName: 'Bob', adminId: 'bob' });
  cleo.emit('claimContact', { contactId: id });
  const late = await cleo.next('claimError');
  assert.equal(late.error, 'Contact already claimed by another admin');
  assert.equal(late.assignedTo, 'Bob');
});

test('the chat goes both ways over the nodes; a guest comes back by the token and gets what came meanwhile', async () => {
  const [bob, ann] = await Promise.all([agent(A(), 'bob', 'Bob'), client(B())]);
  const { id, chatToken } = await submit(ann);
  assert.equal((await bob.ask('claimContact', id)).ok, true);
  await ann.ask('sendContactMessage', { contactId: id, message: 'Are you there?' });
  const asked = await bob.next('contactMessage', about(id));
  assert.deepEqual([asked.senderName, asked.senderRole, asked.message, asked.type], ['Ann', undefined, 'Are you there?', 'text']);
  bob.emit('contactTyping', { contactId: id, isTyping: true });
  const typing = await ann.next('contactUserTyping');
  assert.deepEqual([typing.userName, typing.userRole, typing.isTyping], ['Bob', 'admin', true]);
  ann.close();
  const said = await bob.ask('sendContactMessage', { contactId: id, message: 'Yes', type: 'text', clientMsgId: 'm-1' });
  assert.equal((await bob.ask('sendContactMessage', { contactId: id, message: 'Yes', clientMsgId: 'm-1' })).id, said.id);
  assert.equal((await bob.ask('addContactNote', { contactId: id, text: 'a private note' })).ok, true);
  const back = await client(A());
  back.emit('joinContactChat', { chatToken, afterSeq: asked.seq });
  const history = await back.next('contactChatHistory');
  assert.deepEqual(history.messages.map((m) => [m.message, m.senderName, m.senderRole]), [['Yes', 'Bob', 'admin']]);
  assert.equal(history.status, 'in_progress');
  await bob.ask('sendContactMessage', { contactId: id, message: 'Still there?' });
  await back.next('contactMessage', (m) => m.message === 'Still there?');
  await back.ask('markContactRead', { contactId: id, seq: 99 });
  assert.equal((await bob.next('contactRead', about(id))).by, 'visitor');
  assert.ok(!JSON.stringify(back.all).includes('private note'));
});

test('a signed-in visitor owns what has its address, and hears of agents on each device', async () => {
  const auth = { token: token({ id: 'u-eve', name: 'Eve', email: 'Eve@Example.org' }) };
  const [bob, eve, phone, guest] = await Promise.all([agent(A(), 'bob', 'Bob'), client(A(), auth), client(B(), auth), client(B())]);
  const { id } = await submit(guest, { email: 'eve@example.org' });
  eve.emit('joinContactChat', id);
  assert.deepEqual((await eve.next('contactChatHistory')).messages, []);
  await bob.ask('claimContact', id);
  await bob.ask('sendContactMessage', { contactId: id, message: 'Hello' });
  for (const device of [eve, phone]) {
    const told = await device.next('adminResponse', about(id));
    assert.deepEqual([told.adminName, told.message], ['Bob', 'Hello']);
  }
  await eve.next('contactMessage', about(id));
  assert.equal(phone.count('contactMessage'), 0, 'that device has not joined');
});

test('resolved in two shapes, rated once by the link, opened again', async () => {
  const [bob, cleo, ann] = await Promise.all([agent(A(), 'bob', 'Bob'), agent(B(), 'cleo', 'Cleo'), client(B())]);
  const { id, chatToken } = await submit(ann);
  await bob.ask('claimContact', id);
  bob.emit('resolveContact', id);
  assert.deepEqual(await bob.next('contactResolved', about(id)), { contactId: id, resolvedBy: 'Bob', responseTime: 0 });
  const mine = await bob.next('contactResolved', about(id));
  assert.deepEqual([Object.keys(mine), mine.contact.status], [['contactId', 'contact'], 'resolved']);
  await cleo.next('contactResolved', about(id));
  const { rateToken } = await ann.next('contactResolved', about(id));
  assert.equal((await ann.ask('rateContact', { token: rateToken, score: 5, comment: 'quick' })).ok, true);
  assert.equal((await ann.ask('rateContact', { token: rateToken, score: 1 })).ok, false);
  assert.deepEqual(await cleo.next('contactRated', about(id)), { contactId: id, score: 5, comment: 'quick' });
  ann.emit('sendContactMessage', { contactId: id, message: 'one more thing' });
  assert.equal((await ann.next('messageError')).error, 'Chat session not found');
  assert.equal((await ann.ask('reopenContact', { contactId: id, chatToken })).ok, true);
  await bob.next('autoAssignedContact', about(id)); // to who had it, if there is room
  assert.equal((await ann.ask('sendContactMessage', { contactId: id, message: 'one more thing' })).ok, true);
});

test('sent again by its clientMsgId a message has its first ack, whatever has become of the contact', async () => {
  const [bob, cleo, ann] = await Promise.all([agent(A(), 'bob', 'Bob'), agent(B(), 'cleo', 'Cleo'), client(A())]);
  const { id, chatToken } = await submit(ann);
  const say = (who, clientMsgId, more) => who.ask('sendContactMessage', { contactId: id, message: clientMsgId, clientMsgId, ...more });
  await bob.ask('claimContact', id);
  const anns = await say(ann, 'm-1');
  const bobs = await say(bob, 'm-1');
  assert.deepEqual([anns.ok, anns.seq, bobs.ok, bobs.seq], [true, 1, true, 2], 'each sender has names of its own');
  assert.equal((await bob.ask('transferContact', { contactId: id, toAgentId: 'cleo' })).ok, true);
  assert.deepEqual(await say(bob, 'm-1'), bobs, 'somebody else has it');
  assert.equal((await say(bob, 'm-2')).code, 'forbidden');
  assert.equal((await cleo.ask('resolveContact', id)).ok, true);
  ann.close();
  const back = await client(B()); // its ack was lost with its connection
  assert.deepEqual(await say(back, 'm-1', { chatToken }), anns, 'it is over');
  assert.deepEqual(await say(bob, 'm-1'), bobs, 'it is over');
  assert.equal((await say(back, 'm-2', { chatToken })).code, 'already_resolved');
  assert.equal((await say(cleo, 'm-1')).code, 'already_resolved', 'that is not hers');
  assert.equal((await say(await client(A()), 'm-1')).code, 'not_a_member', 'who does not show that it is the visitor');
  const { messages } = await cleo.ask('getContact', id);
  assert.deepEqual(messages.map((m) => m.id), [anns.id, bobs.id]);
  assert.equal(cleo.count('contactMessage'), 0, 'nothing is told again');
});

test('handed over, given back, tagged, weighed; lists, transcript, figures', async () => {
  const [bob, cleo, ann] = await Promise.all([agent(A(), 'bob', 'Bob'), agent(B(), 'cleo', 'Cleo'), client(B())]);
  const { id } = await submit(ann, { subject: 'Billing' });
  await bob.ask('claimContact', id);
  await bob.ask('sendContactMessage', { contactId: id, message: '<script>alert(1)</script>' });
  assert.equal((await bob.ask('transferContact', { contactId: id, toAgentId: 'cleo', note: 'yours' })).ok, true);
  assert.deepEqual(await ann.next('contactTransferred', about(id)), { contactId: id, fromName: 'Bob', toName: 'Cleo' });
  await cleo.next('contactClaimed', (e) => e.contactId === id && e.contact);
  assert.equal((await bob.ask('sendContactMessage', { contactId: id, message: 'x' })).ok, false, 'it is not his any more');
  await cleo.ask('tagContact', { contactId: id, add: ['billing'] });
  await cleo.ask('setContactPriority', { contactId: id, priority: 'high' });
  assert.deepEqual((await bob.next('contactUpdated', (e) => e.contactId === id && e.priority === 'high')).tags, ['billing']);
  assert.equal((await cleo.ask('requeueContact', { contactId: id, reason: 'lunch' })).ok, true);
  await ann.next('contactRequeued', about(id));
  assert.ok(!JSON.stringify(ann.all).includes('lunch'));
  const list = await bob.ask('listContacts', { tag: 'billing', status: 'pending' });
  assert.deepEqual(list.contacts.map((x) => x.id), [id]);
  const all = await bob.ask('getContact', id);
  assert.deepEqual(all.messages.map((m) => Boolean(m.note)), [false, true]);
  const html = (await ann.ask('getTranscript', { contactId: id, format: 'html' }));
  assert.equal(html.ok, false, 'a guest needs the token');
  const script = await bob.ask('getTranscript', { contactId: id, format: 'html' });
  assert.ok(!script.text.includes('<script>alert') && script.text.includes('alert(1)'));
  const stats = await bob.ask('getContactStats', {});
  assert.ok(stats.totalContacts >= 1 && stats.onlineAdmins >= 2 && stats.details);
});

test('those who wait are told their place as it changes', async () => {
  const [bob, ann, eve] = await Promise.all([agent(A(), 'bob', 'Bob'), client(A()), client(B())]);
  const first = await submit(ann, { priority: 'urgent' });
  const second = await submit(eve, { priority: 'low' });
  const before = await eve.next('queue:update', about(second.id));
  await bob.ask('claimContact', first.id);
  const later = await eve.next('queue:update', (e) => e.contactId === second.id && e.position < before.position);
  assert.ok(later.etaSeconds >= 0);
});

test('canned replies are filled in and shared', async () => {
  const [bob, cleo, ann] = await Promise.all([agent(A(), 'bob', 'Bob'), agent(B(), 'cleo', 'Cleo'), client(B())]);
  const { id } = await submit(ann);
  const saved = await bob.ask('saveCannedReply', { code: 'hello', text: 'Hello {{name}}, {{agent}} here' });
  assert.equal(saved.ok, true);
  await cleo.next('cannedReplies', (e) => e.replies.some((r) => r.id === saved.id));
  const mine = await cleo.ask('listCannedReplies', { contactId: id });
  assert.equal(mine.replies.find((r) => r.id === saved.id).filled, 'Hello Ann, Cleo here');
  assert.equal((await cleo.ask('deleteCannedReply', saved.id)).ok, true);
});

test('an agent who is away keeps what he has for a while; it is there after a restart, too', async () => {
  const ann = await client(A());
  const { id, chatToken } = await submit(ann);
  let dora = await agent(A(), 'dora', 'Dora');
  assert.equal((await dora.ask('claimContact', id)).ok, true);
  dora.close();
  dora = await agent(B(), 'dora', 'Dora');
  await until('the room of the chat', async () => { // it is entered when the store has said what he has
    await ann.ask('sendContactMessage', { contactId: id, message: `there? ${Date.now()}` });
    return dora.count('contactMessage', about(id)) > 0;
  });
  assert.equal((await dora.ask('listContacts', { owner: 'dora', status: 'in_progress' })).contacts.some((x) => x.id === id), true);
  const back = await client(B());
  assert.ok((await back.ask('joinContactChat', { chatToken })).messages.length > 0);
});
