// The contacts service over MongoDB: the same cases as over SQLite, and its server killed in the middle of the forms.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { runAgain } from '../support/again.mjs';
import { stopAll, until } from '../support/cluster.mjs';
import { agent, client, FORM, startContacts } from '../support/contacts.mjs';
import { mongowireMissing, startMongowire } from '../support/mongowire.mjs';
import { closeAll } from '../support/peer.mjs';

const skip = mongowireMissing ?? false;

test('the server is killed under the forms: what was acknowledged is there, and it goes on by itself', { skip, timeout: 180000 }, async t => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ingoma-mongo-'));
  const file = path.join(folder, 'db');
  let server = await startMongowire({ file });
  const c = await startContacts({ nodes: 1, env: { MONGODB_URI: `${server.uri}faults`, STORE_TIMEOUT_MS: '3000' } });
  t.after(async () => { closeAll(); await stopAll(); await server.kill(); fs.rmSync(folder, { recursive: true, force: true }); });
  const visitor = await client(c.nodes[0]);
  const acked = [], refused = [];
  let isOver = false;
  async function send(lane) {
    for (let i = 0; !isOver; i++) {
      const ack = await visitor.ask('submitContactForm', { ...FORM, clientFormId: `lane-${lane}-form-${i}` });
      if (ack.ok) acked.push(ack.id);
      else {
        refused.push(ack.code);
        await new Promise(resolve => setImmediate(resolve));
      }
    }
  }
  const lanes = [0, 1, 2, 3].map(send);
  await until('forty forms', () => acked.length >= 40, 60000);
  await server.kill();
  await until('a refusal', () => refused.includes('unavailable'), 60000);
  const before = acked.length;
  server = await startMongowire({ file, port: server.port });
  await until('twenty more', () => acked.length >= before + 20, 60000);
  isOver = true;
  await Promise.all(lanes);
  assert.deepEqual(refused.filter(code => code !== 'unavailable' && code !== 'timeout'), [], 'clear errors, no others');
  const desk = await agent(c.nodes[0], 'a1');
  for (const id of acked) {
    const ack = await desk.ask('getContact', { contactId: id });
    assert.equal(ack.ok, true, `${id} of ${acked.length} was acknowledged and is lost: ${JSON.stringify(ack)}`);
  }
});

// Each file of the contacts again, in a process of its own, over MongoDB.
for (const name of ['contacts', 'contacts-assign', 'contacts-notice', 'contacts-race', 'contacts-rest', 'contacts-rest-desk', 'contacts-rights']) {
  test(`${name}.test.mjs over MongoDB`, { skip, timeout: 300000 }, async t => {
    const server = await startMongowire();
    t.after(() => server.kill());
    await runAgain(name, { CONTACTS_TEST_MONGODB_URI: `${server.uri}tests` });
  });
}
