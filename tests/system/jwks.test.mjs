// JWKS_URL against a provider over TLS: its keys are there before the first client is, a new one is fetched when a token
// names it, and a provider that is away, lies or cannot be trusted changes nothing.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { freePort, startNode, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect } from '../support/peer.mjs';
import { makeCertificate } from '../support/tls.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ingoma-jwks-'));
const certificate = makeCertificate(folder);
const pairs = { one: crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }), two: crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }) };
const provider = { published: ['one'], status: 200, requests: 0 };
const b64 = (v) => Buffer.from(JSON.stringify(v)).toString('base64url');

function serve(request, response) {
  provider.requests++;
  response.writeHead(provider.status, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify({ keys: provider.published.map((kid) => ({ ...pairs[kid].publicKey.export({ format: 'jwk' }), kid, use: 'sig' })) }));
}

function sign(kid) {
  const isRsa = pairs[kid].privateKey.asymmetricKeyType === 'rsa';
  const text = `${b64({ alg: isRsa ? 'RS256' : 'ES256', kid })}.${b64({ id: 'u7', exp: Math.floor(Date.now() / 1000) + 600 })}`;
  const key = isRsa ? pairs[kid].privateKey : { key: pairs[kid].privateKey, dsaEncoding: 'ieee-p1363' };
  return `${text}.${crypto.sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

// Does the node let the bearer in (AUTH_REQUIRED)?
async function isTaken(node, kid) {
  const peer = await connect(node.url, { auth: { token: sign(kid) }, reconnection: false, wait: false });
  const answer = await new Promise((done) => {
    peer.socket.once('connect', () => done('connect'));
    peer.socket.once('connect_error', (error) => done(error.data?.code ?? String(error)));
  });
  peer.close();
  if (answer !== 'connect') assert.equal(answer, 'auth_invalid');
  return answer === 'connect';
}

let server, port;
const start = (env) => startNode({ env: { AUTH_REQUIRED: 'on', JWT_SECRET: '', JWKS_URL: `https://localhost:${port}/keys`, ...env } });
const listen = () => new Promise((done) => {
  server = https.createServer(certificate, serve).listen(port, '127.0.0.1', done);
});

before(async () => {
  port = await freePort();
  await listen();
});
after(async () => {
  closeAll();
  await stopAll();
  server.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

test('keys are there before the first client, and new ones when a token names them', async () => {
  const node = await start({ OUTBOUND_CA_FILE: certificate.file });
  assert.ok(await isTaken(node, 'one'), 'the first token of the node’s life');
  assert.ok(!(await isTaken(node, 'two')), 'not published');
  const before = provider.requests;
  for (let i = 0; i < 20; i++) await isTaken(node, 'two');
  assert.ok(provider.requests - before <= 1, 'tokens cost the provider one request in ten seconds');
  provider.published = ['two'];
  await until('the new key', () => isTaken(node, 'two'));
  assert.ok(!(await isTaken(node, 'one')), 'withdrawn');
  provider.published = ['one'];
  provider.status = 500;
  await until('a failed question', async () => {
    await isTaken(node, 'one');
    return (await node.metrics())['ingoma_jwks_asked_total{result="failed"}'] > 0;
  });
  assert.ok(await isTaken(node, 'two'), 'what was known stays');
  provider.status = 200;
  await node.stop();
});

test('a provider without a good certificate is not believed; the node serves without its keys', async () => {
  provider.published = ['one'];
  const node = await start();
  assert.ok(!(await isTaken(node, 'one')));
  assert.match(node.logs(), /auth\.jwks_failed.*certificate/);
  await node.stop();
});

test('a provider that is away when the node starts is asked until it is there', async () => {
  await new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  });
  const node = await start({ OUTBOUND_CA_FILE: certificate.file });
  assert.ok(!(await isTaken(node, 'one')));
  await listen();
  await until('the keys', () => isTaken(node, 'one'));
  await node.stop();
});
