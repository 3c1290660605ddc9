// What is done to contacts over HTTP, beside agents and visitors on stock clients of two nodes: one path, whoever asks.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import Ajv from 'ajv/dist/2020.js';
import { ROOT, stopAll, until } from '../support/cluster.mjs';
import { FORM, agent, agentToken, call, client, startContacts, submit } from '../support/contacts.mjs';
import { closeAll, schemaBreaches, token } from '../support/peer.mjs';

let c;
before(async () => {
  c = await startContacts({ env: { AGENT_CAPACITY: '100', FORMS_PER_HOUR: '2', LIMITS_EXEMPT: '127.0.0.0/8', TRUSTED_PROXIES: '127.0.0.0/8' } });
});
afterEach(closeAll);
after(async () => {
  closeAll();
  await stopAll();
  assert.deepEqual(schemaBreaches().slice(0, 5), []);
});

const BOB = agentToken('bob', 'Bob');
const CLEO = agentToken('cleo', 'Cleo');
const USER = token({ id: 'u9', name: 'Zoe', email: 'zoe@example.org', role: 'user' });
const about = (id) => (e) => e.contactId === id;
const post = (i, url, body, more = {}) => call(c.nodes[i], 'POST', url, { body, ...more });
const of = (id, what) => `/api/contacts/${id}/${what}`;

async function form(i = 0, fields = {}, more = {}) {
  const answer = await post(i, '/api/contacts', { ...FORM, ...fields }, more);
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
}

async function claimed(fields) {
  const made = await form(0, fields);
  assert.equal((await post(1, of(made.id, 'claim'), undefined, { auth: BOB })).status, 200);
  return made;
}

test('a form over HTTP reaches the agents’ sockets, and its token opens the chat on a socket of the other node', async () => {
  const [bob, ann] = await Promise.all([agent(c.nodes[1], 'bob', 'Bob'), client(c.nodes[1])]);
  const { id, message, estimatedResponseTime, chatToken } = await form(0);
  assert.deepEqual([message, estimatedResponseTime], ['Your message has been received. We will get back to you shortly.', '24 hours']);
  assert.equal((await bob.next('newContactSubmission', (e) => e.id === id)).name, 'Ann');
  assert.equal((await ann.ask('joinContactChat', { chatToken })).contactId, id);
  assert.equal((await post(0, of(id, 'claim'), {}, { auth: BOB })).status, 200);
  assert.equal((await bob.next('contactClaimed', about(id))).adminName, 'Bob');
  const sent = await post(0, of(id, 'replies'), { message: 'How can I help?', clientMsgId: 'm1' }, { auth: BOB });
  assert.equal(sent.status, 201, sent.text);
  const heard = await ann.next('contactMessage');
  assert.deepEqual([heard.message, heard.senderName, heard.senderRole, heard.seq, heard.id], ['How can I help?', 'Bob', 'admin', sent.json.seq, sent.json.id]);
  const again = await post(1, of(id, 'replies'), { message: 'How can I help?', clientMsgId: 'm1' }, { auth: BOB });
  assert.deepEqual(again.json, sent.json, 'sent again, on the other node: the same message');
  assert.equal((await post(1, of(id, 'replies'), { message: 'My invoice', token: chatToken })).status, 201);
  assert.equal((await bob.next('contactMessage', (e) => e.message === 'My invoice')).seq, sent.json.seq + 1);
  assert.equal((await ann.ask('sendContactMessage', { contactId: id, message: 'and from the socket' })).seq, sent.json.seq + 2, 'nothing came twice');
  const written = await post(0, of(id, 'replies'), { message: 'Goodbye', token: chatToken, clientMsgId: 'm2' });
  assert.equal((await post(0, of(id, 'resolve'), {}, { auth: BOB })).status, 200);
  const late = await post(1, of(id, 'replies'), { message: 'Goodbye', token: chatToken, clientMsgId: 'm2' });
  assert.deepEqual([late.status, late.json], [201, written.json], 'it was written before the end');
  assert.equal((await post(1, of(id, 'replies'), { message: 'Hello?', token: chatToken, clientMsgId: 'm3' })).json.code, 'already_resolved');
});

test('who is signed in hears the answer as adminResponse, and writes by account', async () => {
  const zoe = await client(c.nodes[0], { token: USER });
  const { id } = await form(1, {}, { auth: USER });
  await post(1, of(id, 'claim'), {}, { auth: BOB });
  await post(1, of(id, 'replies'), { message: 'hello Zoe' }, { auth: BOB });
  assert.deepEqual((({ contactId, adminName, message }) => [contactId, adminName, message])(await zoe.next('adminResponse')), [id, 'Bob', 'hello Zoe']);
  assert.equal((await post(0, of(id, 'replies'), { message: 'thanks' }, { auth: USER })).status, 201);
  const { json } = await call(c.nodes[0], 'GET', `/api/contacts/${id}`, { auth: BOB });
  assert.deepEqual(json.messages.map((m) => [m.kind, m.message]), [['agent', 'hello Zoe'], ['visitor', 'thanks']]);
});

test('notes are for agents alone, and canned replies are counted', async () => {
  const [bob, ann] = await Promise.all([agent(c.nodes[1], 'bob', 'Bob'), client(c.nodes[0])]);
  const { id, chatToken } = await claimed();
  await ann.ask('joinContactChat', { chatToken });
  const { id: cannedId } = await bob.ask('saveCannedReply', { code: 'hello', text: 'Hello {{name}}' });
  const note = { message: 'a secret', note: true, clientMsgId: 'n1', cannedId };
  assert.equal((await post(0, of(id, 'replies'), note, { auth: BOB })).status, 201);
  assert.equal((await post(1, of(id, 'replies'), note, { auth: BOB })).status, 201);
  assert.equal((await bob.next('contactNote', about(id))).text, 'a secret');
  await Promise.all([0, 1, 0, 1].map((i) => post(i, of(id, 'replies'), { message: 'Hello Ann', cannedId }, { auth: BOB })));
  for (let i = 0; i < 4; i++) await ann.next('contactMessage', (e) => e.message === 'Hello Ann');
  assert.equal(bob.count('contactNote'), 1, 'sent again it is one');
  const read = await call(c.nodes[0], 'GET', `/api/contacts/${id}?token=${encodeURIComponent(chatToken)}`);
  assert.ok(!read.text.includes('a secret'));
  for (let uses = 0; uses !== 5;) uses = (await bob.ask('listCannedReplies', {})).replies.find((r) => r.id === cannedId).uses; // counted after the answer
});

test('a form that is sent again, also at one time, is one and is counted once', async () => {
  const more = { headers: { 'x-forwarded-for': '198.51.100.20' } };
  const fields = { clientFormId: 'form-0001-http' };
  const answers = await Promise.all([0, 1, 0, 1, 0, 1].map((i) => post(i, '/api/contacts', { ...FORM, ...fields }, more)));
  const stored = answers.filter((a) => a.status === 201);
  assert.ok(stored.length >= 2, 'two at least had a place');
  assert.equal(new Set(stored.map((a) => a.json.id)).size, 1);
  assert.equal((await form(0, fields, more)).id, stored[0].json.id);
  await form(1, { message: 'the second one of this hour' }, more);
  for (const i of [0, 1]) {
    const no = await post(i, '/api/contacts', FORM, more);
    assert.deepEqual([no.status, no.json.code], [429, 'rate_limited']);
    assert.ok(Number(no.headers['retry-after']) > 1700 && no.json.retryAfterMs <= 1_800_000, no.text);
    assert.equal((await form(i, fields, more)).id, stored[0].json.id, 'the first one is still answered');
  }
  const socket = await client(c.nodes[0], {}, { extraHeaders: { 'X-Forwarded-For': '198.51.100.20' } });
  assert.equal((await socket.ask('submitContactForm', FORM)).code, 'rate_limited', 'one count with the sockets');
});

test('of many who claim one wins, and the others learn who', async () => {
  const { id } = await form();
  const cleo = await agent(c.nodes[1], 'cleo', 'Cleo');
  const names = Array.from({ length: 12 }, (_, i) => `r${i}`);
  const [socket, ...answers] = await Promise.all([cleo.ask('claimContact', id), ...names.map((n, i) => post(i % 2, of(id, 'claim'), {}, { auth: agentToken(n, n) }))]);
  const won = answers.filter((a) => a.status === 200);
  assert.equal(won.length + (socket.ok ? 1 : 0), 1);
  const owner = (await call(c.nodes[0], 'GET', `/api/contacts/${id}`, { auth: BOB })).json.contact.assignedAdmin.name;
  for (const a of answers.filter((a) => a.status !== 200))
    assert.deepEqual([a.status, a.json.code, a.json.contactId, a.json.assignedTo], [409, 'already_claimed', id, owner]);
  const again = await post(0, of(id, 'claim'), undefined, { auth: agentToken(owner === 'Cleo' ? 'cleo' : owner, owner) });
  assert.equal(again.status, 200, 'asked again by its owner');
});

test('an end over HTTP gives the visitor the link for one rating; a token opens it again', async () => {
  const [bob, ann] = await Promise.all([agent(c.nodes[0], 'bob', 'Bob'), client(c.nodes[1])]);
  const { id, chatToken } = await claimed();
  const other = await claimed();
  await ann.ask('joinContactChat', { chatToken });
  assert.equal((await post(1, of(id, 'resolve'), {}, { auth: CLEO })).status, 403, 'it is Bob’s');
  assert.equal((await post(1, of(id, 'resolve'), {}, { auth: BOB })).status, 200);
  assert.deepEqual((({ status, json }) => [status, json.code])(await post(0, of(id, 'resolve'), {}, { auth: BOB })), [409, 'already_resolved']);
  const { rateToken } = await ann.next('contactResolved', about(id));
  assert.equal((await bob.next('contactResolved', about(id))).resolvedBy, 'Bob');
  assert.equal((await post(0, of(id, 'replies'), { message: 'too late', token: chatToken })).json.code, 'already_resolved');
  assert.equal((await post(0, of(other.id, 'rate'), { token: rateToken, score: 1 })).status, 403, 'of another contact');
  assert.equal((await post(0, of(id, 'rate'), { token: chatToken, score: 1 })).status, 401, 'for another purpose');
  for (const score of [0, 6, 2.5, '5', null]) assert.equal((await post(0, of(id, 'rate'), { token: rateToken, score })).status, 400, String(score));
  assert.equal((await call(c.nodes[0], 'GET', `${of(id, 'rate')}?token=${encodeURIComponent(rateToken)}&score=1`)).status, 405, 'a program that looks at links rates nothing');
  assert.equal((await post(0, of(id, 'rate'), { token: rateToken, score: 5, comment: 'quick' })).status, 200);
  assert.deepEqual((({ score, comment }) => [score, comment])(await bob.next('contactRated', about(id))), [5, 'quick']);
  assert.equal((await post(1, of(id, 'rate'), { token: rateToken, score: 1 })).status, 409);
  assert.equal((await post(1, of(id, 'reopen'), { token: other.chatToken })).status, 403);
  assert.equal((await post(1, of(id, 'reopen'), { token: chatToken })).status, 200);
  assert.equal((await ann.next('contactReopened', about(id))).contactId, id);
  assert.equal((await post(1, of(id, 'reopen'), undefined, { auth: BOB })).json.code, 'exists');
});

test('figures are those of the event', async () => {
  const bob = await agent(c.nodes[0], 'bob', 'Bob');
  await submit(bob);
  for (const range of [{}, { from: '2020-01-01', to: '2020-02-01' }, { from: '2020-01-01' }]) {
    await until('the same figures', async () => { // what was reopened before may be assigned in between
      const { ok, ...event } = await bob.ask('getContactStats', range);
      const answer = await call(c.nodes[1], 'GET', `/api/contacts/stats?${new URLSearchParams(range)}`, { auth: CLEO });
      return ok && isDeepStrictEqual(answer.json, event);
    });
  }
  const none = await call(c.nodes[1], 'GET', '/api/contacts/stats?from=2020-01-01&to=2020-02-01', { auth: CLEO });
  assert.equal(none.json.totalContacts, 0);
  assert.equal((await call(c.nodes[1], 'GET', '/api/contacts/stats?from=yesterday..', { auth: CLEO })).status, 400);
});

describe('nobody', () => {
  test('does what his role does not let him', async () => {
    const { id, chatToken } = await claimed();
    const other = await form();
    const rows = [ // url, body, then what a guest, a user who is not its visitor and another agent than its own get
      [of(id, 'replies'), { message: 'x' }, 401, 403, 403],
      [of(id, 'replies'), { message: 'x', note: true }, 401, 403, 201],
      [of(id, 'replies'), { message: 'x', note: true, token: chatToken }, 403, 403, 201],
      [of(id, 'replies'), { message: 'x', token: other.chatToken }, 403, 403, 403],
      [of(id, 'replies'), { message: 'x', token: `${chatToken}x` }, 403, 403, 403],
      [of(id, 'claim'), {}, 401, 403, 409],
      [of(id, 'resolve'), {}, 401, 403, 403],
      [of(id, 'reopen'), {}, 401, 403, 409],
      [of(id, 'rate'), { token: chatToken, score: 1 }, 401, 401, 401],
      [of('contact_1_none', 'claim'), {}, 401, 403, 404],
      [of('contact_1_none', 'replies'), { message: 'x' }, 401, 404, 404],
    ];
    for (const [url, body, ...wants] of rows)
      for (const [i, auth] of [undefined, USER, CLEO].entries()) {
        const answer = await post(i % 2, url, body, { auth });
        assert.equal(answer.status, wants[i], `${url} ${JSON.stringify(body)} ${['guest', 'user', 'agent'][i]}: ${answer.text}`);
        if (answer.status >= 400) assert.ok(answer.json.code && answer.json.message);
      }
    for (const [i, status] of [401, 403, 200].entries())
      assert.equal((await call(c.nodes[0], 'GET', '/api/contacts/stats', { auth: [undefined, USER, CLEO][i] })).status, status);
    const { json } = await call(c.nodes[0], 'GET', `/api/contacts/${id}`, { auth: BOB });
    assert.deepEqual([json.contact.status, json.contact.assignedAdmin.name, json.messages.filter((m) => m.kind !== 'note')], ['in_progress', 'Bob', []]);
  });

  test('smuggles anything in', async () => {
    const { id } = await claimed();
    const big = 'x'.repeat(1_000_000);
    const rows = [
      ['/api/contacts', { ...FORM, email: 'a@b.rw\r\nBcc: all@b.rw' }, 400, 'email'],
      ['/api/contacts', { ...FORM, message: { $ne: 1 } }, 400, 'message'],
      ['/api/contacts', { ...FORM, clientFormId: { $ne: '' } }, 400, 'clientFormId'],
      ['/api/contacts', { ...FORM, message: 'x'.repeat(10001) }, 400, 'message'],
      ['/api/contacts', { ...FORM, message: big }, 413],
      ['/api/contacts', [FORM], 400],
      [of(id, 'replies'), { message: { $ne: 1 } }, 400, 'message'],
      [of(id, 'replies'), { message: '' }, 400, 'message'],
      [of(id, 'replies'), { message: ' \n ' }, 400, 'message'],
      [of(id, 'replies'), { message: 'x', note: 'true' }, 400, 'note'],
      [of(id, 'replies'), { message: 'x', cannedId: { $gt: '' } }, 400, 'cannedId'],
      [of(id, 'replies'), { message: 'x', clientMsgId: 'x'.repeat(65) }, 400, 'clientMsgId'],
      [of(id, 'replies'), { message: big }, 413],
      [of(id, 'reopen'), { token: { $ne: null } }, 400, 'token'],
      [of(id, 'rate'), { token: [id], score: 1 }, 400, 'token'],
      [of(id, 'claim'), big, 413],
      [of('%7B%22$ne%22:null%7D', 'claim'), {}, 404],
      [of('a'.repeat(3000), 'claim'), {}, 404],
      [of('..', 'claim'), {}, 404],
    ];
    for (const [url, body, status, says] of rows) {
      const answer = await post(0, url, body, { auth: CLEO });
      assert.equal(answer.status, status, `${url.slice(0, 60)} ${JSON.stringify(body).slice(0, 60)}: ${answer.text.slice(0, 200)}`);
      if (says) assert.ok(answer.json.message.startsWith(says), answer.text);
    }
    assert.equal((await post(0, of(id, 'claim'), 'a=1', { auth: CLEO, headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status, 415);
    const own = await form(0, { status: 'resolved', assignedAdmin: { id: 'x' }, source: 'mail', id: 'mine' });
    const { json } = await call(c.nodes[1], 'GET', `/api/contacts/${own.id}`, { auth: BOB });
    assert.deepEqual([json.contact.status, json.contact.assignedAdmin, json.contact.source], ['pending', undefined, 'rest']);
    const trapped = await form(0, { website: 'http://buy.example' });
    assert.equal((await call(c.nodes[1], 'GET', `/api/contacts/${trapped.id}`, { auth: BOB })).status, 404, 'a machine is told nothing');
  });
});

test('answers are as docs/openapi.json says', async () => {
  const openapi = JSON.parse(fs.readFileSync(path.join(ROOT, 'docs/openapi.json')));
  const ajv = new Ajv({ strict: false });
  const { id, chatToken } = await form();
  const rows = [['claim', undefined], ['replies', { message: 'x' }], ['resolve', undefined], ['reopen', {}]];
  const check = (route, method, answer) => {
    const { content } = openapi.paths[route][method].responses[String(answer.status)];
    const fits = ajv.compile({ ...content['application/json'].schema, components: openapi.components });
    assert.ok(fits(answer.json), `${route}: ${JSON.stringify(fits.errors)}`);
  };
  check('/api/contacts', 'post', await post(0, '/api/contacts', FORM));
  for (const [what, body] of rows) check(`/api/contacts/{id}/${what}`, 'post', await post(0, of(id, what), body, { auth: BOB }));
  check('/api/contacts/{id}/replies', 'post', await post(0, of(id, 'replies'), { message: 'x', token: chatToken }));
  check('/api/contacts/stats', 'get', await call(c.nodes[0], 'GET', '/api/contacts/stats', { auth: BOB }));
});
