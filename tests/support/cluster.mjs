// A cluster for tests: a private Redis on a unix socket and gateway nodes, started from build/asan (or INGOMA_BUILD),
// waited for by /ready, stopped by pid. A crash, an unexpected exit or a sanitizer's report fails the test: stopAll throws.
//
//   import { startCluster, stopAll } from '../support/cluster.mjs';
//   after(stopAll);
//   const c = await startCluster({ nodes: 2 });          // one port, SO_REUSEPORT: c.url
//   const d = await startCluster({ nodes: 3, shared: false }); // a port each: d.nodes[i].url
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const RELEASE = path.join(ROOT, 'build/release');
export const BUILD = process.env.INGOMA_BUILD || ['asan', 'release'].map((b) => path.join(ROOT, 'build', b)).find(fs.existsSync) || '';
export const JWT_SECRET = 'a-secret-of-the-tests-of-32-bytes-or-more';
process.env.MONGOC_DISABLE_SHM = '1'; // as ./ingoma does: of all programs that are started here
const READY_MS = 60000;
const STOP_MS = 60000;

const running = new Set(); // every process that is to be stopped
const folders = [];
let ownReports = null;

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Polls until `check` gives something true; the error says what was awaited.
export async function until(what, check, ms = 30000) {
  const end = Date.now() + ms;
  for (;;) {
    const got = await check();
    if (got) return got;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain for ${what}`);
    await sleep(30);
  }
}

// Below the range of outgoing connections, so that none of them can hold the port when the node starts, and of this lane
// alone (tools/ingoma.d/lanes.sh): with SO_REUSEPORT nodes of two tests could share a port and never notice.
const LANE_PORTS = 2500;
const FIRST_PORT = 10000 + LANE_PORTS * Number(process.env.INGOMA_LANE ?? 0);
const given = new Set();
export function freePort() {
  return new Promise((resolve, reject) => {
    let tries = 0;
    const tryOne = () => {
      const port = FIRST_PORT + Math.floor(Math.random() * LANE_PORTS);
      if (given.has(port) && ++tries < 50) return tryOne();
      given.add(port);
      const server = net.createServer();
      server.on('error', (error) => (++tries < 50 ? tryOne() : reject(error)));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)));
    };
    tryOne();
  });
}

function tempFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ingoma-'));
  folders.push(folder);
  return folder;
}

function reportFolder() {
  if (process.env.INGOMA_REPORTS) return process.env.INGOMA_REPORTS;
  ownReports ??= tempFolder();
  return ownReports;
}

// A child process with its output kept. `exited` resolves with {code, signal}; `expectEnd` says that its end is wanted.
function launch(name, file, args, env) {
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const p = { name, child, pid: child.pid, text: '', ended: null, wanted: false };
  const keep = (chunk) => {
    p.text = (p.text + chunk).slice(-4_000_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  p.exited = new Promise((done) => {
    child.on('error', (error) => {
      p.text += `${error}\n`;
      p.ended ??= { code: -1, signal: null };
      done(p.ended);
    });
    child.on('close', (code, signal) => {
      p.ended ??= { code, signal };
      done(p.ended);
    });
  });
  p.logs = () => p.text;
  p.expectEnd = () => {
    p.wanted = true;
  };
  p.signal = (signal) => (p.ended ? false : child.kill(signal));
  // Orderly: SIGTERM, and the status must be 0.
  p.stop = async () => {
    p.signal('SIGTERM');
    const slow = setTimeout(() => {
      p.text += `did not stop within ${STOP_MS} ms\n`;
      p.signal('SIGKILL');
    }, STOP_MS);
    await p.exited;
    clearTimeout(slow);
    return p.ended;
  };
  // A crash on purpose.
  p.kill = async (signal = 'SIGKILL') => {
    p.wanted = true;
    p.signal(signal);
    return p.exited;
  };
  running.add(p);
  return p;
}

function fail(p, why) {
  return new Error(`${p.name} ${why}\n--- its last lines:\n${p.text.split('\n').slice(-40).join('\n')}`);
}

async function untilAnswers(p, what, check, ms = READY_MS) {
  await until(`${p.name} to ${what}`, async () => {
    if (p.ended) throw fail(p, `ended while starting (${JSON.stringify(p.ended)})`);
    return check();
  }, ms).catch((error) => {
    throw p.ended ? error : fail(p, error.message);
  });
}

function answersPing(where) {
  return new Promise((done) => {
    const s = net.connect(where, () => s.write('PING\r\n'));
    const end = (ok) => {
      s.destroy();
      done(ok);
    };
    s.on('data', (d) => end(/^(\+PONG|-NOAUTH)/.test(d)));
    s.on('error', () => end(false));
    s.setTimeout(1000, () => end(false));
  });
}

// startRedis({port}) → {url, socketPath, port, kill(), stop(), restart()}; with port also on TCP 127.0.0.1.
export async function startRedis({ port = 0, folder = tempFolder(), args = [] } = {}) {
  const socketPath = path.join(folder, 'redis.sock');
  const redis = { socketPath, port, url: `unix://${socketPath}` };
  const begin = async () => {
    redis.process = launch('redis', 'redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--unixsocket', socketPath,
      '--unixsocketperm', '700', '--dir', folder, '--save', '', '--appendonly', 'no', '--daemonize', 'no', ...args], {});
    await untilAnswers(redis.process, 'answer', () => answersPing(socketPath));
  };
  redis.kill = (signal) => redis.process.kill(signal);
  redis.stop = () => redis.process.stop();
  redis.restart = async () => {
    if (!redis.process.ended) await redis.process.stop();
    await begin();
  };
  await begin();
  return redis;
}

// startSentinel({port, lines}) → {url: its host and port, process}; lines: of its configuration, which it writes on itself.
export async function startSentinel({ port, lines }) {
  const folder = tempFolder();
  const file = path.join(folder, 'sentinel.conf');
  fs.writeFileSync(file, [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, ...lines, ''].join('\n'));
  const sentinel = launch('redis-sentinel', 'redis-server', [file, '--sentinel'], {});
  await untilAnswers(sentinel, 'answer', () => answersPing({ port, host: '127.0.0.1' }));
  return { process: sentinel, port, url: `127.0.0.1:${port}` };
}

// On a connection of its own: one that is kept may be closed by the node in the moment of the next question.
function getText(url) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false, timeout: 20000 }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (d) => (text += d));
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode, text }));
    });
    request.on('timeout', () => request.destroy(new Error(`${url}: no answer within 20 s`)));
    request.on('error', reject);
  });
}

async function getJson(url) {
  try {
    const { status, text } = await getText(url);
    return { status, body: JSON.parse(text) };
  } catch {
    return null;
  }
}

// The demo page as `./ingoma up` would lay it out, made once per run from the sources and the npm packages of tests/.
let staticFolder = null;
export function demoFolder() {
  if (staticFolder) return staticFolder;
  staticFolder = tempFolder();
  const demo = path.join(ROOT, 'client/demo');
  for (const name of fs.readdirSync(demo)) fs.copyFileSync(path.join(demo, name), path.join(staticFolder, name));
  const client = path.join(ROOT, 'tests/node_modules/socket.io-client/dist/socket.io.min.js');
  fs.copyFileSync(client, path.join(staticFolder, 'socket.io.min.js'));
  return staticFolder;
}

let nodeCount = 0;
// startNode({port, opsPort, redis, env, args, program, build, connected}) → the process with url, opsUrl, health(), ready(), metrics().
// build: folder of the program. redis: what startRedis gave; without it ADAPTER=local. connected: wait until Redis is reached (default: with redis); false: wait for any answer.
export async function startNode({ port, opsPort, redis, env = {}, args = [], program = 'ingoma-gateway', build = BUILD, connected } = {}) {
  const file = path.join(build, program);
  if (!fs.existsSync(file)) throw new Error(`${file} is not built: ./ingoma test does that`);
  const name = `${program}-${++nodeCount}`;
  port ??= await freePort();
  while (!opsPort || opsPort === port) opsPort = await freePort();
  const reports = reportFolder();
  fs.mkdirSync(reports, { recursive: true });
  const node = launch(name, file, args, {
    HOST: '127.0.0.1', PORT: String(port), OPS_PORT: String(opsPort), NODE_NAME: name, DEV: 'on', DRAIN_SECONDS: '0', JWT_SECRET,
    ...(redis ? { ADAPTER: 'redis', REDIS_URL: redis.url } : { ADAPTER: 'local' }),
    ASAN_OPTIONS: `log_path=${path.join(reports, `asan-${name}`)}:detect_leaks=1`,
    UBSAN_OPTIONS: `print_stacktrace=1:log_path=${path.join(reports, `ubsan-${name}`)}`,
    TSAN_OPTIONS: `log_path=${path.join(reports, `tsan-${name}`)}`,
    ...env,
  });
  node.port = port;
  node.opsPort = opsPort;
  node.url = `http://127.0.0.1:${port}`;
  node.opsUrl = `http://127.0.0.1:${opsPort}`;
  node.ready = () => getJson(`${node.opsUrl}/ready`);
  node.health = async () => (await getJson(`${node.opsUrl}/health`))?.body ?? null;
  // Figures as {'ingoma_sessions': 3, 'ingoma_http_responses_total{status="200"}': 7}; a labelled metric also as its sum.
  node.metrics = async () => {
    const { text } = await getText(`${node.opsUrl}/metrics`);
    const out = {};
    for (const line of text.split('\n')) {
      const match = /^([a-z_0-9]+)(\{.*\})? (\S+)$/.exec(line);
      if (!match) continue;
      if (match[2]) out[match[1] + match[2]] = Number(match[3]);
      out[match[1]] = (match[2] ? out[match[1]] ?? 0 : 0) + Number(match[3]);
    }
    return out;
  };
  const wantConnected = connected ?? Boolean(redis);
  await untilAnswers(node, 'be ready', async () => {
    const answer = await node.ready();
    if (connected === false) return answer;
    return answer?.status === 200 && (!wantConnected || answer.body.degraded !== true);
  });
  node.id = (await node.health())?.node;
  return node;
}

// startCluster({nodes, shared, env, program, redis, demo}): nodes that know each other.
// shared: one port for all (SO_REUSEPORT); otherwise each has its own. env: an object, or a function of the index.
export async function startCluster({ nodes = 2, shared = true, env = {}, args = [], program, redis, demo = false } = {}) {
  const cluster = { redis: redis ?? await startRedis(), nodes: [] };
  const port = shared ? await freePort() : undefined;
  for (let i = 0; i < nodes; i++) {
    cluster.nodes.push(await startNode({
      port, redis: cluster.redis, program, args,
      env: { ...(demo ? { DEMO: 'on', STATIC_DIR: demoFolder() } : {}), ...(typeof env === 'function' ? env(i) : env) },
    }));
  }
  await until(`${nodes} nodes to know each other`, async () => {
    const all = await Promise.all(cluster.nodes.map((n) => n.health()));
    return all.every((h) => h && h.nodes === nodes);
  }, READY_MS).catch((error) => {
    throw fail(cluster.nodes[0], error.message);
  });
  cluster.url = cluster.nodes[0].url;
  cluster.stop = async () => {
    await Promise.all(cluster.nodes.map((n) => n.stop()));
    if (!redis) await cluster.redis.stop();
  };
  return cluster;
}

function readReports() {
  const folder = process.env.INGOMA_REPORTS || ownReports;
  if (!folder || !fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).map((name) => `${name}:\n${fs.readFileSync(path.join(folder, name), 'utf8').slice(0, 4000)}`);
}

// Stops all that is left, Redis last; throws when anything crashed, did not end with 0, or left a sanitizer's report.
export async function stopAll() {
  const wrong = [];
  const left = [...running];
  const isRedis = (p) => p.name.startsWith('redis');
  await Promise.all(left.filter((p) => !isRedis(p)).map((p) => p.stop()));
  await Promise.all(left.filter(isRedis).map((p) => p.stop()));
  for (const p of left) {
    running.delete(p);
    if (!p.wanted && p.ended.code !== 0) wrong.push(fail(p, `ended with ${JSON.stringify(p.ended)}`).message);
  }
  wrong.push(...readReports());
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
  staticFolder = null;
  ownReports = null;
  if (wrong.length) throw new Error(wrong.join('\n\n'));
}

process.on('exit', () => {
  for (const p of running) if (!p.ended) p.child.kill('SIGKILL');
});
