// REST of the contacts service, over two nodes and one store: who may do what, hostile input, browsers of other sites,
// and the document that describes it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import { ROOT, stopAll } from '../support/cluster.mjs';
import { agent, agentToken, call, client, startContacts, submit } from '../support/contacts.mjs';
import { closeAll, sign, token } from '../support/peer.mjs';

let c, visitor, staff, mine, other;
const openapi = JSON.parse(fs.readFileSync(path.join(ROOT, 'docs/openapi.json')));
const ADMIN = agentToken('boss', 'Boss', 'SuperAdmin');

before(async () => {
  c = await startContacts({ nodes: 2, env: { CORS_ORIGINS: 'https://quizblog.rw' } });
  visitor = await client(c.nodes[0]);
  staff = await agent(c.nodes[1], 'a1', 'Bob');
  mine = await submit(visitor, { name: '<b>Ann</b>', email: 'ann@example.org', message: '<img src=x onerror=alert(1)>' });
  other = await submit(visitor, { name: 'Zoe', email: 'zoe@example.org', subject: 'Invoice', message: 'another' });
  assert.ok((await staff.ask('claimContact', { contactId: mine.id })).ok);
  for (const message of ['one', 'two', 'three']) assert.ok((await staff.ask('sendContactMessage', { contactId: mine.id, message })).ok);
  assert.ok((await staff.ask('addContactNote', { contactId: mine.id, text: 'a secret note' })).ok);
});
after(async () => {
  closeAll();
  await stopAll();
});

describe('who may', () => {
  test('agents list, filter, turn pages; nobody else does', async () => {
    for (const [auth, status, code] of [[undefined, 401, 'auth_required'], ['a.b.c', 401, 'auth_invalid'], [token({ id: 'u', role: 'user' }), 403, 'forbidden'],
      [sign({ id: 'x', role: 'admin', exp: 1 }), 401, 'auth_expired'], [sign({ id: 'x', role: 'admin' }, { secret: 'wrong' }), 401, 'auth_invalid']]) {
      const no = await call(c.nodes[0], 'GET', '/api/contacts', { auth });
      assert.deepEqual([no.status, no.json.code], [status, code]);
    }
    for (const role of ['admin', 'Admin', 'SuperAdmin']) assert.equal((await call(c.nodes[0], 'GET', '/api/contacts', { auth: agentToken('x', 'x', role) })).status, 200);
    const all = await call(c.nodes[1], 'GET', '/api/contacts?limit=1', { auth: ADMIN });
    assert.equal(all.json.total, 2);
    const next = await call(c.nodes[0], 'GET', `/api/contacts?limit=1&cursor=${encodeURIComponent(all.json.cursor)}`, { auth: ADMIN });
    assert.deepEqual(new Set([all.json.contacts[0].id, next.json.contacts[0].id]), new Set([mine.id, other.id]));
    const ids = async (query) => (await call(c.nodes[0], 'GET', `/api/contacts?${query}`, { auth: ADMIN })).json.contacts.map((x) => x.id);
    assert.deepEqual(await ids('status=pending'), [other.id]);
    assert.deepEqual(await ids('email=ZOE%40example.org'), [other.id]);
    assert.deepEqual(await ids('text=Invoice'), [other.id]);
    assert.deepEqual(await ids('owner=a1'), [mine.id]);
    assert.deepEqual(await ids('to=1'), []);
  });

  test('a visitor reads the own chat by its token, without notes; nobody reads another’s', async () => {
    const url = (id, t) => `/api/contacts/${id}?token=${encodeURIComponent(t)}`;
    const own = await call(c.nodes[1], 'GET', url(mine.id, mine.chatToken));
    assert.equal(own.status, 200);
    assert.deepEqual(own.json.messages.filter((m) => m.kind === 'agent').map((m) => m.message), ['one', 'two', 'three']);
    assert.ok(!own.text.includes('a secret note'));
    const seen = await call(c.nodes[1], 'GET', `/api/contacts/${mine.id}`, { auth: ADMIN });
    assert.ok(seen.text.includes('a secret note'), 'agents see notes');
    assert.equal((await call(c.nodes[0], 'GET', url(other.id, mine.chatToken))).status, 403);
    assert.equal((await call(c.nodes[0], 'GET', `/api/contacts/${mine.id}`)).status, 401);
    assert.equal((await call(c.nodes[0], 'GET', url(mine.id, `${mine.chatToken}x`))).status, 401);
    assert.equal((await call(c.nodes[0], 'GET', `/api/contacts/${mine.id}/transcript?token=${encodeURIComponent(other.chatToken)}`)).status, 403);
    assert.equal((await call(c.nodes[0], 'DELETE', `/api/contacts/${mine.id}`, { auth: token({ id: 'u', role: 'user' }) })).status, 403);
  });

  test('a transcript is inert and keeps the notes to itself', async () => {
    const html = await call(c.nodes[0], 'GET', `/api/contacts/${mine.id}/transcript?format=html`, { auth: ADMIN });
    assert.match(html.headers['content-type'], /^text\/html/);
    assert.match(html.headers['content-security-policy'], /default-src 'none'/);
    assert.equal(html.headers['x-content-type-options'], 'nosniff');
    assert.ok(!/<img|<b>Ann/.test(html.text), html.text);
    assert.ok(html.text.includes('three') && !html.text.includes('a secret note'));
    const text = await call(c.nodes[1], 'GET', `/api/contacts/${mine.id}/transcript`, { auth: ADMIN });
    assert.match(text.headers['content-type'], /^text\/plain/);
    assert.ok(text.text.includes('<img src=x onerror=alert(1)>'));
  });

  test('erased is erased, on every node', async () => {
    const gone = await submit(visitor, { message: 'to be erased' });
    assert.deepEqual((await call(c.nodes[0], 'DELETE', `/api/contacts/${gone.id}`, { auth: ADMIN })).json, { ok: true });
    assert.equal((await call(c.nodes[1], 'GET', `/api/contacts/${gone.id}`, { auth: ADMIN })).status, 404);
    assert.equal((await call(c.nodes[1], 'DELETE', `/api/contacts/${gone.id}`, { auth: ADMIN })).status, 404);
  });
});

describe('hostile input', () => {
  test('operators, long ids, broken JSON and paths are refused one by one', async () => {
    const big = 'x'.repeat(1_000_000);
    const rows = [
      ['GET', '/api/contacts?status[$ne]=x', undefined, 200], // another name: no filter at all
      ['GET', '/api/contacts?status=%7B%22$ne%22:null%7D', undefined, 400],
      ['GET', '/api/contacts?email=%7B%22$gt%22:%22%22%7D', undefined, 200],
      ['GET', '/api/contacts?limit=1e9', undefined, 400],
      ['GET', '/api/contacts?limit=-1', undefined, 400],
      ['GET', '/api/contacts?cursor=%00%ff', undefined, 400],
      ['GET', '/api/contacts/%7B%22$ne%22:null%7D', undefined, 404],
      ['GET', `/api/contacts/${'a'.repeat(3000)}`, undefined, 404],
      ['GET', '/api/contacts/../../etc/passwd', undefined, 404],
      ['GET', '/api/contacts/constructor', undefined, 404],
      ['POST', '/api/contacts/notices', { contactId: { $ne: null }, id: 'x' }, 400],
      ['POST', '/api/contacts/notices', { contactId: big, id: 'x' }, 413],
      ['POST', '/api/contacts/notices', `${'['.repeat(50)}${']'.repeat(50)}`, 400],
      ['POST', '/api/contacts/notices', '{"contactId":"x"', 400],
      ['POST', '/api/contacts/notices', '', 400],
      ['POST', '/api/contacts/notices', undefined, 400], // nothing at all is an empty object
      ['PUT', '/api/contacts', { a: 1 }, 405],
      ['TRACE', '/api/contacts', undefined, 405],
      ['POST', `/api/contacts/${mine.id}`, {}, 405],
      ['GET', '/api/', undefined, 404],
    ];
    for (const [method, url, body, status] of rows) {
      const answer = await call(c.nodes[0], method, url, { auth: ADMIN, body });
      assert.equal(answer.status, status, `${method} ${url.slice(0, 80)}: ${answer.text.slice(0, 200)}`);
      if (status >= 400) assert.ok(answer.json.code && answer.json.message, url);
    }
    const form = await call(c.nodes[0], 'POST', '/api/contacts/notices', { auth: ADMIN, body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    assert.equal(form.status, 415, 'no form of another site can send it');
    assert.equal((await call(c.nodes[0], 'GET', '/api/contacts', { auth: ADMIN })).json.total, 2, 'nothing was lost');
  });

  test('HEAD is a GET without its body', async () => {
    const head = await call(c.nodes[0], 'HEAD', '/api/contacts', { auth: ADMIN });
    assert.deepEqual([head.status, head.text], [200, '']);
  });

  test('pages of the list may ask and read; others get no leave', async () => {
    const ask = (origin) => call(c.nodes[0], 'OPTIONS', `/api/contacts/${mine.id}`, { headers: { origin, 'access-control-request-method': 'DELETE', 'access-control-request-headers': 'authorization' } });
    const good = await ask('https://quizblog.rw');
    assert.equal(good.status, 204);
    assert.equal(good.headers['access-control-allow-origin'], 'https://quizblog.rw');
    assert.match(good.headers['access-control-allow-methods'], /DELETE/);
    assert.match(good.headers['access-control-allow-headers'], /Authorization/i);
    for (const origin of ['https://evil.example', 'https://quizblog.rw.evil.example', 'null'])
      assert.equal((await ask(origin)).headers['access-control-allow-origin'], undefined, origin);
  });

  test('limits that are used up count here, too', async () => {
    const limited = await startContacts({ nodes: 1, redis: c.redis, env: { LIMITS_EXEMPT: '192.0.2.0/24', RATE_IP_EVENTS: '60', ADAPTER_PREFIX: 'limited', ...c.store } });
    let refused;
    for (let i = 0; i < 200 && !refused; i++) {
      const answer = await call(limited.nodes[0], 'GET', '/api/contacts', { auth: ADMIN });
      if (answer.status === 429) refused = answer;
      else assert.equal(answer.status, 200);
    }
    assert.equal(refused?.json.code, 'rate_limited');
    assert.ok(Number(refused.headers['retry-after']) >= 1 && refused.json.retryAfterMs > 0);
    await limited.nodes[0].stop();
  });
});

test('answers are as docs/openapi.json says', async () => {
  const ajv = new Ajv({ strict: false });
  const rows = [['/api/contacts', '/api/contacts', 'get'], [`/api/contacts/${mine.id}`, '/api/contacts/{id}', 'get'], ['/api/contacts/notices', '/api/contacts/notices', 'get']];
  assert.equal(openapi.openapi, '3.1.0');
  for (const [url, route, method] of rows) {
    const answer = await call(c.nodes[0], 'GET', url, { auth: ADMIN });
    const schema = openapi.paths[route][method].responses['200'].content['application/json'].schema;
    const check = ajv.compile({ ...schema, components: openapi.components });
    assert.ok(check(answer.json), `${url}: ${JSON.stringify(check.errors)}`);
  }
  const no = await call(c.nodes[0], 'GET', '/api/contacts');
  assert.ok(ajv.compile({ ...openapi.components.schemas.error, components: openapi.components })(no.json));
});

test('health is on this port, too', async () => {
  for (const url of ['/health', '/api/health']) {
    const answer = await call(c.nodes[0], 'GET', url);
    assert.deepEqual([answer.status, answer.json.service], [200, 'contacts']);
  }
});
