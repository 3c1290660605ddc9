// ./ingoma up: a program that died is started again, at most so often; a prefix of one's own keeps the two services apart;
// nothing is left when it ends. In a folder and on ports of its own, over build/release.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { freePort, RELEASE, ROOT, until } from '../support/cluster.mjs';

const skip = fs.existsSync(`${RELEASE}/ingoma-contacts`) ? false : 'no build/release: ./ingoma test builds it';
const NAMES = ['redis', 'gateway-1', 'gateway-2', 'contacts-1'];

// The first of two ports that are free.
async function twoPorts() {
  for (;;) {
    const port = await freePort();
    const next = await fetch(`http://127.0.0.1:${port + 1}/`).then(() => false, () => true);
    if (next) return port;
  }
}

const isAlive = (pid) => fs.existsSync(`/proc/${pid}/exe`) && !/\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));

// A place for ./ingoma: run(command…) → {text(), ended: promise of the status}; pid(name); health(name); everything ends with the test.
async function place(t, env = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ingoma-up-'));
  const ports = { PORT: await freePort(), OPS_PORT: await twoPorts(), CONTACTS_PORT: await freePort(), CONTACTS_OPS_PORT: await freePort() };
  const ops = { 'gateway-1': ports.OPS_PORT, 'gateway-2': ports.OPS_PORT + 1, 'contacts-1': ports.CONTACTS_OPS_PORT };
  const all = { ...process.env, HOST: '127.0.0.1', INGOMA_RUN: folder, DRAIN_SECONDS: '0', BEAT_MS: '200', DEAD_MS: '2000', DEV: 'on', ...env };
  for (const [name, port] of Object.entries(ports)) all[name] = String(port);
  const p = { folder };
  const children = [], pids = new Set();
  p.run = (...words) => {
    const child = spawn(path.join(ROOT, 'ingoma'), words, { env: all, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (d) => { text += d; });
    children.push(child);
    return { child, text: () => text, ended: new Promise((done) => child.on('exit', (code) => done(code))) };
  };
  p.pid = (name) => {
    const pid = Number(fs.readFileSync(path.join(folder, `${name}.pid`), 'utf8').split('\n')[0]);
    pids.add(pid);
    return pid;
  };
  p.health = async (name) => {
    try {
      return await (await fetch(`http://127.0.0.1:${ops[name]}/health`)).json();
    } catch {
      return null;
    }
  };
  p.left = () => [...pids].filter(isAlive);
  t.after(async () => {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    if (fs.existsSync(path.join(folder, 'redis.pid'))) await p.run('down').ended;
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return p;
}

async function untilText(what, run, pattern) {
  await until(what, () => pattern.test(run.text()) || run.child.exitCode !== null, 60000);
  assert.match(run.text(), pattern);
}

test('what died is started again; the sixth time in a minute everything is stopped', { skip, timeout: 120000 }, async (t) => {
  const p = await place(t, { ADAPTER_PREFIX: 'shop' });
  const up = p.run('up');
  await untilText('everything to be up', up, /Ingoma is up\./);
  const before = Object.fromEntries(NAMES.map((name) => [name, p.pid(name)]));
  await until('the gateways to know each other', async () => (await p.health('gateway-1'))?.nodes === 2);
  assert.equal((await p.health('contacts-1')).nodes, 1, 'the contacts service is none of them');

  for (const [i, name] of ['gateway-1', 'contacts-1', 'gateway-2', 'gateway-1', 'gateway-1'].entries()) {
    const dead = p.pid(name);
    process.kill(dead, 'SIGKILL');
    await untilText(`${name} to be back`, up, new RegExp(`${name} ended by itself; starting it again \\(${i + 1} of at most 5 in a minute\\)[^]*${name} is back`));
    assert.notEqual(p.pid(name), dead);
    assert.ok(await p.health(name), `${name} answers`);
  }
  assert.equal(p.pid('redis'), before.redis, 'the others stay as they are');
  assert.equal((await p.health('contacts-1')).nodes, 1);

  process.kill(p.pid('gateway-2'), 'SIGKILL');
  assert.equal(await up.ended, 1);
  assert.match(up.text(), /5 restarts within a minute are too many/);
  assert.match(up.text(), /gateway-2 ended by itself; stopping the others/);
  assert.deepEqual(p.left(), []);
});

test('detached it is the same, until ./ingoma down', { skip, timeout: 120000 }, async (t) => {
  const p = await place(t);
  const up = p.run('up', '--detach');
  assert.equal(await up.ended, 0, up.text());
  const dead = p.pid('gateway-2');
  NAMES.forEach(p.pid);
  process.kill(dead, 'SIGKILL');
  await until('gateway-2 to be back', async () => p.pid('gateway-2') !== dead && p.health('gateway-2'), 60000);
  const status = p.run('status');
  assert.equal(await status.ended, 0);
  assert.match(status.text(), /gateway-2 +running/);
  p.pid('supervisor');
  const down = p.run('down');
  assert.equal(await down.ended, 0, down.text());
  assert.deepEqual(p.left(), []);
});

test('with DEV=off nothing is started again: what is left is stopped', { skip, timeout: 120000 }, async (t) => {
  const p = await place(t, { DEV: 'off' });
  const up = p.run('up');
  await untilText('everything to be up', up, /Ingoma is up\./);
  NAMES.forEach(p.pid);
  process.kill(p.pid('gateway-1'), 'SIGKILL');
  assert.equal(await up.ended, 1);
  assert.match(up.text(), /gateway-1 ended by itself; stopping the others/);
  assert.deepEqual(p.left(), []);
});
