// What nobody may do to the contacts service: read, write or claim what is not theirs, smuggle operators, flood it.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { stopAll } from '../support/cluster.mjs';
import { FORM, agent, client, startContacts, submit } from '../support/contacts.mjs';
import { closeAll, schemaBreaches, token } from '../support/peer.mjs';

let c;
before(async () => {
  c = await startContacts({ env: { FORMS_PER_HOUR: '5', LIMITS_EXEMPT: '10.0.0.0/8', TRUSTED_PROXIES: '127.0.0.0/8', RATE_IP_EVENTS: '0' } });
});
afterEach(closeAll);
after(async () => {
  closeAll();
  await stopAll();
  assert.deepEqual(schemaBreaches().slice(0, 5), []);
});

let address = 0;
// Each client has an address of its own, as behind a proxy, unless it is given one.
const from = (ip = `192.0.2.${++address}`) => ({ extraHeaders: { 'X-Forwarded-For': ip } });
const guest = (i, ip) => client(c.nodes[i], {}, from(ip));
const user = (i, claims) => client(c.nodes[i], { token: token(claims) }, from());
const OF_AGENTS = {
  claimContact: {}, resolveContact: {}, requeueContact: {}, transferContact: { toAgentId: 'u1' }, addContactNote: { text: 'x' },
  tagContact: { add: ['x'] }, setContactPriority: { priority: 'low' }, getContact: {}, getPendingContacts: {}, getContactStats: {},
  listContacts: {}, listAgents: {}, listCannedReplies: {}, saveCannedReply: { code: 'a', text: 'a' }, deleteCannedReply: { id: 'a' },
  setAgentStatus: { available: true },
};

test('what agents do is refused to everybody else, with the event that it would have answered', async () => {
  const ann = await guest(0);
  const { id } = await submit(ann);
  const eve = await user(1, { id: 'u-eve', name: 'Eve', role: 'user' });
  for (const who of [ann, eve]) {
    for (const [event, more] of Object.entries(OF_AGENTS)) {
      const answer = await who.ask(event, { contactId: id, ...more });
      assert.deepEqual([event, answer.ok, answer.code], [event, false, 'forbidden']);
    }
    assert.equal((await who.next('claimError')).event, 'claimContact');
    assert.equal((await who.next('resolveError')).event, 'resolveContact');
  }
  const bob = await agent(c.nodes[0], 'bob', 'Bob', 'ADMIN'); // roles without case
  assert.equal((await bob.ask('getContact', id)).contact.status, 'pending');
});

test('a stranger neither reads nor writes nor ends what is another one’s', async () => {
  const ann = await guest(0);
  const { id } = await submit(ann);
  const others = [await guest(1), await user(1, { id: 'u-eve', email: 'eve@example.org' }), await user(0, { id: 'u-mallory' })];
  const own = await submit(others[0]);
  for (const who of others) {
    for (const [event, more] of [['joinContactChat', {}], ['joinContactChat', { chatToken: own.chatToken }],
      ['joinContactChat', { chatToken: own.chatToken.replace(/contact_\d+_\w+/, id) }], ['getTranscript', {}],
      ['sendContactMessage', { message: 'x' }], ['contactTyping', { isTyping: true }], ['markContactRead', { seq: 1 }],
      ['reopenContact', {}]]) {
      const answer = await who.ask(event, { contactId: id, ...more });
      assert.equal(answer.ok, false, `${event} ${JSON.stringify(more)}`);
      assert.ok(['forbidden', 'not_a_member', 'auth_required'].includes(answer.code), `${event}: ${answer.code}`);
    }
    assert.equal((await who.ask('rateContact', { token: own.chatToken, score: 1 })).code, 'forbidden');
  }
  assert.equal(ann.count('contactMessage') + ann.count('contactUserTyping') + ann.count('contactRead'), 0);
});

test('no operator of a database is an id, and nothing else than a text is one', async () => {
  const bob = await agent(c.nodes[0], 'bob', 'Bob');
  const { id } = await submit(await guest(0));
  for (const bad of [{ $ne: null }, { $gt: '' }, [id], 7, true, { toString: id }]) {
    for (const event of ['claimContact', 'resolveContact', 'getContact', 'joinContactChat', 'sendContactMessage', 'reopenContact'])
      assert.equal((await bob.ask(event, { contactId: bad, message: 'x' })).code, 'invalid_payload', `${event} ${JSON.stringify(bad)}`);
  }
  for (const filter of [{ status: { $ne: 'x' } }, { email: { $regex: '.*' } }, { tag: ['a'] }, { cursor: '{"$gt":1}' }])
    assert.equal((await bob.ask('listContacts', filter)).code, 'invalid_payload', JSON.stringify(filter));
  assert.equal((await bob.ask('getContact', id)).contact.status, 'pending');
});

test('forms with what must not be in them are refused; fields that are not the form’s are ignored', async () => {
  const ann = await guest(0);
  for (const [bad, field] of [[{ email: 'a@b.rw\r\nBcc: all@b.rw' }, 'email'], [{ email: 'none' }, 'email'], [{ name: 'x'.repeat(1_00_000) }, 'name'],
    [{ message: '' }, 'message'], [{ message: 'x'.repeat(10001) }, 'message'], [{ message: { $ne: 1 } }, 'message'], [{ subject: 'a\u0000b' }, 'subject']]) {
    const answer = await ann.ask('submitContactForm', { ...FORM, ...bad });
    assert.deepEqual([answer.ok, answer.message?.startsWith(field)], [false, true], JSON.stringify(answer));
    assert.equal((await ann.next('contactFormError')).event, 'submitContactForm');
  }
  const { id } = await submit(ann, { status: 'resolved', assignedAdmin: { id: 'x' }, owner_id: 'x', tags: ['vip'], id: 'mine', version: 9 });
  const bob = await agent(c.nodes[1], 'bob', 'Bob');
  const { contact } = await bob.ask('getContact', id);
  assert.deepEqual([contact.status, contact.assignedAdmin, contact.tags ?? [], contact.version], ['pending', undefined, [], 1]);
  assert.equal((await bob.ask('claimContact', id)).ok, true);
});

test('five forms an hour from one address, over the nodes', async () => {
  const [a, b] = await Promise.all([guest(0, '198.51.100.7'), guest(1, '198.51.100.7')]);
  for (let i = 0; i < 5; i++) await submit(i % 2 ? a : b);
  for (const who of [a, b]) {
    const answer = await who.ask('submitContactForm', FORM);
    assert.equal(answer.code, 'rate_limited');
    assert.ok(answer.retryAfterMs > 600_000 && answer.retryAfterMs <= 720_000, String(answer.retryAfterMs));
  }
  await submit(await guest(0, '198.51.100.8'));
});

test('a form that is sent again is one; who knows its name alone gets no key to its chat', async () => {
  const [a, b, eve] = await Promise.all([guest(0), guest(1), guest(1)]);
  const form = { clientFormId: 'form-0001-abcdef' };
  const first = await submit(a, form);
  const again = await submit(b, form); // on another node: the first answer was lost, say
  assert.equal(again.id, first.id);
  const other = await submit(eve, { ...form, message: 'another' });
  assert.notEqual(other.id, first.id);
});

test('one event with nothing, or with rubbish, disturbs nobody', async () => {
  const [ann, eve] = await Promise.all([guest(0), guest(0)]);
  for (const event of [...Object.keys(OF_AGENTS), 'submitContactForm', 'sendContactMessage', 'contactTyping', 'joinContactChat', 'rateContact'])
    for (const payload of [undefined, null, 0, '', [], 'x', { contactId: null }]) eve.emit(event, payload);
  await submit(ann);
});
