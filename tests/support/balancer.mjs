// HAProxy in front of nodes: round-robin per request, no affinity, so that polls, POSTs and upgrades of one session land
// on different nodes.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { freePort, until } from './cluster.mjs';

// abortonclose: a client that gives up its poll is given up at the node, too. No reuse of server connections: a
// connection that a node has just closed would be answered 502 by the balancer, not by the node. The check of the
// backends is left out, tests decide who is there.
function settings(port, nodes, socket) {
  return `global
  maxconn 4000
  stats socket ${socket} mode 600 level admin
  nbthread 1
defaults
  mode http
  maxconn 4000
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 120s
  option abortonclose
  option http-no-delay
  option redispatch
  retries 2
  http-reuse never
frontend clients
  bind 127.0.0.1:${port}
  default_backend nodes
backend nodes
  balance roundrobin
${nodes.map((n, i) => `  server n${i} 127.0.0.1:${n.port}`).join('\n')}
`;
}

// One command of HAProxy's own; resolves with its answer.
function command(socket, line) {
  return new Promise((resolve, reject) => {
    let text = '';
    const s = net.connect(socket, () => s.end(`${line}\n`));
    s.on('data', (d) => (text += d));
    s.on('error', reject);
    s.on('close', () => resolve(text.trim()));
  });
}

// startBalancer(nodes) → {url, port, give(i, yes), stop()}; give: whether the i-th node gets new requests.
export async function startBalancer(nodes) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ingoma-haproxy-'));
  const port = await freePort();
  const file = path.join(folder, 'haproxy.cfg');
  const socket = path.join(folder, 'admin.sock');
  fs.writeFileSync(file, settings(port, nodes, socket));
  const child = spawn('haproxy', ['-db', '-f', file], {
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let ended = null;
  child.stdout.on('data', (d) => (text += d));
  child.stderr.on('data', (d) => (text += d));
  const exited = new Promise((done) => {
    child.on('error', (e) => done((ended = String(e))));
    child.on('close', (code, signal) => done((ended = `status ${code} ${signal ?? ''}`)));
  });
  // A test that fails never comes to stop(): then it does not hold the run up and goes with it.
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  for (const handle of [child, child.stdout, child.stderr]) handle.unref();
  const url = `http://127.0.0.1:${port}`;
  await until('HAProxy to pass a request on', async () => {
    if (ended) throw new Error(`HAProxy ended: ${ended}\n${text}`);
    return fetch(`${url}/health`, { signal: AbortSignal.timeout(3000) }).then((r) => r.ok, () => false);
  }, 60000);
  return {
    url,
    port,
    give: async (i, yes) => {
      const answer = await command(socket, `set server nodes/n${i} state ${yes ? 'ready' : 'maint'}`);
      if (answer) throw new Error(`HAProxy: ${answer}`);
    },
    stop: async () => {
      child.ref();
      child.kill('SIGTERM');
      await exited;
      process.off('exit', kill);
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
