// Notices that cannot be lost: webhooks that fail, are away, are refused; mail to the team and to visitors who are away;
// nodes that are killed between the write and the notice, with Redis emptied meanwhile.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { BUILD, startNode, stopAll, until } from '../support/cluster.mjs';
import { agent, agentToken, client, startContacts, submit } from '../support/contacts.mjs';
import { closeAll } from '../support/peer.mjs';
import { startHook, startMailServer } from '../support/receivers.mjs';
import { closeRedisClients, redisClient } from '../support/redis.mjs';
import { makeCertificate } from '../support/tls.mjs';

const SECRET = 'a-secret-of-the-webhooks-of-the-tests';
let c, hook, second, mail, folder;

before(async () => {
  folder = fs.mkdtempSync('/tmp/ingoma-notice-');
  const tls = makeCertificate(folder);
  hook = await startHook({ secret: SECRET });
  second = await startHook({ secret: SECRET, tls });
  mail = await startMailServer();
  c = await startContacts({ nodes: 2, env: {
    WEBHOOK_URLS: `${hook.url},${second.url}`, WEBHOOK_SECRET: SECRET, OUTBOUND_CA_FILE: tls.file, NOTICE_TRIES: '3',
    SMTP_URL: mail.url, SMTP_FROM: 'Quiz Blog <help@quizblog.rw>', NOTICE_MAIL_TO: 'team@quizblog.rw', MAIL_AWAY_MS: '0', CONTACTS_URL: 'https://desk.quizblog.rw',
  } });
});
after(async () => {
  closeAll();
  await closeRedisClients();
  await stopAll();
  await Promise.all([hook.stop(), second.stop(), mail.stop()]);
  fs.rmSync(folder, { recursive: true, force: true });
});

const about = (list, id, type) => list.filter((m) => m.data.contact.id === id && (!type || m.type === type));

async function rest(node, path, { method = 'GET', body, who = 'ann' } = {}) {
  const answer = await fetch(`${node.url}${path}`, { method, body: body && JSON.stringify(body),
    headers: { authorization: `Bearer ${agentToken(who)}`, ...(body ? { 'content-type': 'application/json' } : {}) } });
  return { status: answer.status, body: await answer.json() };
}

describe('webhooks', () => {
  test('each is told what happens, signed, once', async () => {
    const visitor = await client(c.nodes[0]);
    const staff = await agent(c.nodes[1], 'a1');
    const { id } = await submit(visitor);
    await until('both to hear of the form', () => about(hook.got, id, 'contact.created').length && about(second.got, id, 'contact.created').length);
    assert.ok((await staff.ask('claimContact', { contactId: id })).ok);
    assert.ok((await staff.ask('sendContactMessage', { contactId: id, message: 'Muraho' })).ok);
    assert.ok((await staff.ask('resolveContact', { contactId: id })).ok);
    await until('the end of it', () => about(hook.got, id, 'contact.resolved').length);
    await until('the message', () => about(hook.got, id, 'message.agent').length);
    const mine = about(hook.got, id);
    assert.ok(mine.every((m) => m.signed && m.timestamp), 'every one is signed');
    assert.equal(new Set(mine.map((m) => m.id)).size, mine.length, 'none came twice');
    assert.equal(about(hook.got, id, 'message.agent')[0].data.message.message, 'Muraho');
    assert.equal(about(hook.got, id, 'contact.created')[0].data.contact.email, 'ann@example.org');
    visitor.close();
    staff.close();
  });

  test('a receiver that fails is told again under the same id; one that is away does not hold up the other', async () => {
    const visitor = await client(c.nodes[0]);
    hook.answer(500);
    await second.stop();
    const { id } = await submit(visitor);
    await until('a first try', () => about(hook.got, id).length === 1);
    hook.answer(204);
    await until('a second one', () => about(hook.taken(), id).length === 1, 60000);
    assert.equal(new Set(about(hook.got, id).map((m) => m.id)).size, 1);
    await second.start();
    await until('the one that was away', () => about(second.taken(), id).length === 1, 60000);
    visitor.close();
  });

  test('what was given up is in the list of the dead, and tried again when somebody says so', async () => {
    const visitor = await client(c.nodes[0]);
    hook.answer(410); // gone for ever: given up at once
    const { id } = await submit(visitor);
    const dead = await until('it to be given up', async () => (await rest(c.nodes[1], '/api/contacts/notices')).body.notices.find((n) => n.contactId === id));
    assert.equal(dead.why, 'status 410');
    assert.equal(dead.event, 'contact.created');
    hook.answer(204);
    const again = await rest(c.nodes[0], '/api/contacts/notices', { method: 'POST', body: { contactId: id, id: dead.id } });
    assert.equal(again.status, 202);
    await until('the third time', () => about(hook.taken(), id).length === 1);
    assert.ok(!(await rest(c.nodes[1], '/api/contacts/notices')).body.notices.some((n) => n.contactId === id));
    assert.equal((await rest(c.nodes[0], '/api/contacts/notices', { method: 'POST', body: { contactId: id, id: 'none' } })).status, 404);
    visitor.close();
  });
});

// ./ingoma contacts over the store of the nodes.
function command(...words) {
  const done = spawnSync(`${BUILD}/ingoma-contacts-store`, words, { env: { ...process.env, ...c.store }, encoding: 'utf8', timeout: 30000 });
  return { status: done.status, lines: done.stdout.split('\n').filter(Boolean), said: done.stderr };
}

describe('the command line, beside the nodes', () => {
  const givenUp = (id) => command('notices').lines.map((line) => JSON.parse(line)).filter((n) => n.contactId === id);

  test('lists what was given up, and tries it again: one of them, or all', async () => {
    const visitor = await client(c.nodes[0]);
    hook.answer(410);
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push((await submit(visitor)).id);
    const dead = await until('three to be given up', () => {
      const all = ids.map((id) => givenUp(id));
      return all.every((list) => list.length === 1) && all.flat();
    });
    assert.deepEqual(dead.map((n) => [n.event, n.why, n.kind]), ids.map(() => ['contact.created', 'status 410', 'webhook']));
    assert.equal(dead[0].lease, undefined);

    hook.answer(204);
    assert.deepEqual(command('retry', ids[1], dead[1].id), { status: 0, lines: [], said: '1 tried again\n' });
    assert.deepEqual([givenUp(ids[0]).length, givenUp(ids[1]).length], [1, 0]);
    await submit(visitor); // a node looks at once when it has something to tell, else within a minute
    await until('the one', () => about(hook.taken(), ids[1]).length === 1);
    assert.equal(about(hook.taken(), ids[0]).length, 0);

    const all = command('retry', '--all');
    assert.equal(all.status, 0);
    assert.match(all.said, /^[2-9] tried again\n$/);
    assert.deepEqual(command('notices').lines, []);
    await submit(visitor);
    await until('the others', () => about(hook.taken(), ids[0]).length === 1 && about(hook.taken(), ids[2]).length === 1);
    visitor.close();
  });

  test('says what it does not know', () => {
    assert.deepEqual(command('retry', 'contact_1_a', 'none'), { status: 1, lines: [], said: 'ingoma contacts retry: no such notice was given up\n' });
    for (const words of [[], ['retry'], ['retry', 'contact_1_a'], ['retry', '--db', 'x'], ['retry', '--all', 'x'], ['notices', 'x'], ['notices', '--db'], ['other']]) {
      const { status, said } = command(...words);
      assert.equal(status, 2, words.join(' '));
      assert.match(said, /ingoma contacts/, words.join(' '));
    }
    const missing = `${folder}/mistyped.db`;
    assert.deepEqual(command('export', '--db', missing), { status: 1, lines: [], said: `ingoma contacts export: there is no file ${missing}\n` });
    assert.equal(fs.existsSync(missing), false);
    const help = command('--help');
    assert.equal(help.status, 0);
    assert.ok(help.lines.some((line) => line.includes('retry --all')));
  });
});

describe('mail', () => {
  test('a form goes to the team; an answer to a visitor who is away, in one thread; names cannot break out', async () => {
    const visitor = await client(c.nodes[0]);
    const staff = await agent(c.nodes[1], 'a2', 'Agnès');
    const { id } = await submit(visitor, { name: 'Zoë', email: 'zoe@example.org', subject: 'Compte=bloqué', message: 'Bonjour\n.\nfin' });
    visitor.close();
    const [toTeam] = await until('mail to the team', () => {
      const mails = mail.to('team@quizblog.rw').filter((m) => m.text.includes(`<${id}.0@quizblog.rw>`));
      return mails.length ? mails : null;
    });
    assert.equal(toTeam.from, '<help@quizblog.rw>');
    assert.match(toTeam.text, /\r\n\.\r\nfin\r\n/);
    assert.ok((await staff.ask('claimContact', { contactId: id })).ok);
    assert.ok((await staff.ask('sendContactMessage', { contactId: id, message: 'Je regarde.' })).ok);
    const [toVisitor] = await until('mail to the visitor', () => (mail.to('zoe@example.org').length ? mail.to('zoe@example.org') : null));
    assert.match(toVisitor.text, /Je regarde\./);
    assert.match(toVisitor.text, new RegExp(`References: <${id}\\.0@quizblog\\.rw>`));
    assert.match(toVisitor.text, new RegExp(`Reply-To: <help\\+${id}\\.[a-z0-9]+@quizblog\\.rw>`));
    assert.match(toVisitor.text, /\/widget\/#contact=3D/);
    const head = toVisitor.text.split('\r\n\r\n')[0];
    assert.ok(/^[\x20-\x7e\r\n]*$/.test(head), 'a head of ASCII');
    staff.close();
  });

  test('an address that is none is mailed to by nobody', async () => {
    const visitor = await client(c.nodes[0]);
    const ack = await visitor.ask('submitContactForm', { name: 'x', email: 'a@b.rw\r\nBcc: all@example.org', message: 'hi' });
    assert.equal(ack.ok, false);
    const named = await submit(visitor, { name: 'x Bcc: all@example.org', email: 'x@example.org', message: 'hi' });
    await until('its mail', () => mail.to('team@quizblog.rw').some((m) => m.text.includes(`<${named.id}.0@`)));
    assert.ok(mail.mails.every((m) => !/^bcc:/im.test(m.text.split('\r\n\r\n')[0])));
    assert.ok(mail.commands.every((line) => !line.includes('all@example.org')));
    visitor.close();
  });
});

test('a node that is killed while it tells: the webhook hears of it within 5 s of its return, Redis empty', async () => {
  const empty = await redisClient(c.redis);
  const env = { ...c.store, FORMS_PER_HOUR: '0', WEBHOOK_URLS: hook.url, WEBHOOK_SECRET: SECRET, BEAT_MS: '200', DEAD_MS: '3000' };
  for (const node of c.nodes) await node.stop();
  for (let round = 0; round < 3; round++) {
    const first = await startNode({ redis: c.redis, program: 'ingoma-contacts', env });
    const visitor = await client(first, {}, { reconnection: false });
    hook.isHolding = true;
    const { id } = await submit(visitor, { message: `round ${round}` });
    await until('it to be on its way', () => about(hook.got, id).length === 1);
    await first.kill();
    hook.isHolding = false;
    await empty.flushAll();
    const again = await startNode({ redis: c.redis, program: 'ingoma-contacts', env });
    await until('the webhook', () => about(hook.taken(), id, 'contact.created').length === 1, 5000);
    assert.equal(new Set(about(hook.got, id).map((m) => m.id)).size, 1, 'under the same id');
    const kept = await rest(again, `/api/contacts/${id}`);
    assert.equal(kept.body.contact.message, `round ${round}`, 'what was acknowledged is there');
    visitor.close();
    await again.stop();
  }
});

test('Redis away: a form that was acknowledged meanwhile is told to the agents of other nodes when it is back', async () => {
  const d = await startContacts({ nodes: 2 });
  const told = [];
  const bob = await agent(d.nodes[1], 'bob', 'Bob');
  bob.socket.on('newContactSubmission', (e) => told.push(e.id));
  const visitor = await client(d.nodes[0]);
  await d.redis.kill();
  await until('both to notice', async () => (await Promise.all(d.nodes.map((n) => n.ready()))).every((r) => r?.body.degraded));
  const first = await submit(visitor);
  const second = await submit(visitor);
  await d.nodes[0].kill(); // and back before Redis is: the letters are due, and nobody else can be told
  visitor.close();
  d.nodes[0] = await startNode({ program: 'ingoma-contacts', redis: d.redis, connected: false,
    env: { ...d.store, FORMS_PER_HOUR: '0', BEAT_MS: '200', DEAD_MS: '3000' } });
  await until('a look at what is due', async () => (await d.nodes[0].metrics())['ingoma_store_calls_total{operation="outbox_take"}'] > 2);
  await d.redis.restart();
  await until('both', () => told.includes(first.id) && told.includes(second.id));
  bob.close();
});
