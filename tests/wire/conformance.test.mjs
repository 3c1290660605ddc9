// The protocol suites of tests/wire/conformance (STRICT) against wire-echo: on one node, on three nodes behind a
// balancer that scatters the requests of a session, and on three nodes that share one port.
import { spawn } from 'node:child_process';
import path from 'node:path';
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { ROOT, startCluster, startNode, stopAll, until } from '../support/cluster.mjs';
import { startBalancer } from '../support/balancer.mjs';

after(stopAll);

const SUITES = [
  { name: 'engine.io-v4', checks: 57, args: ['engine'], env: { EIO3: 'off' } },
  { name: 'engine.io-v3', checks: 30, args: ['engine'], env: { EIO3: 'on' } },
  { name: 'socket.io-v5', checks: 104, args: ['socket'], env: { EIO3: 'off' } },
];

// What the suites count on, on both sides. Longer than their defaults: under ASan two cores must carry three nodes,
// a Redis, a balancer and the suite. The connect timeout is longer than the three heartbeats that a check waits for.
const TIMES = { interval: 800, timeout: 1000, connect: 3500 };
const nodeTimes = {
  CORS_ORIGINS: '*', MAX_PAYLOAD_BYTES: '1000000', PING_INTERVAL_MS: String(TIMES.interval),
  PING_TIMEOUT_MS: String(TIMES.timeout), CONNECT_TIMEOUT_MS: String(TIMES.connect),
};
const suiteTimes = {
  STRICT: '1', MAX_PAYLOAD: '1000000', PING_INTERVAL: String(TIMES.interval),
  PING_TIMEOUT: String(TIMES.timeout), CONNECT_TIMEOUT: String(TIMES.connect),
};

const DEPLOYMENTS = [
  {
    name: 'one node',
    start: async ({ args, env }) => {
      const node = await startNode({ program: 'wire-echo', args, env: { ...nodeTimes, ...env } });
      return { url: node.url, nodes: [node], stop: () => node.stop() };
    },
  },
  {
    name: 'three nodes behind a round-robin balancer',
    start: async ({ args, env }) => {
      const c = await startCluster({ nodes: 3, shared: false, program: 'wire-echo', args, env: { ...nodeTimes, ...env } });
      const balancer = await startBalancer(c.nodes);
      return { url: balancer.url, nodes: c.nodes, stop: async () => { await balancer.stop(); await c.stop(); } };
    },
  },
  {
    name: 'three nodes on one port',
    start: async ({ args, env }) => {
      const c = await startCluster({ nodes: 3, shared: true, program: 'wire-echo', args, env: { ...nodeTimes, ...env } });
      return { url: c.url, nodes: c.nodes, stop: () => c.stop() };
    },
  },
];

// The figures and failed checks of one run, read from its TAP.
function readTap(tap) {
  const figure = (what) => Number(new RegExp(`^# ${what} (\\d+)`, 'm').exec(tap)?.[1] ?? -1);
  const failed = [];
  const lines = tap.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const row = /^( *)not ok \d+ - (.*)$/.exec(lines[i]);
    if (!row) continue;
    const block = lines.slice(i + 1, i + 40);
    const end = block.findIndex((l) => l.trim() === '...');
    const text = block.slice(0, end < 0 ? 40 : end).join('\n');
    if (/type: 'suite'/.test(text) || /failureType: 'subtestsFailed'/.test(text)) continue;
    failed.push(`${row[2]}: ${/error: \|?-?\s*([\s\S]*?)\n\s*(code|name|expected|stack):/.exec(text)?.[1].trim() ?? ''}`);
  }
  return { passed: figure('pass'), failed: failed, skipped: figure('skipped') + figure('todo'), cancelled: figure('cancelled') };
}

function runSuite(name, url) {
  const env = { ...process.env, ...suiteTimes, SIO_URL: url };
  delete env.NODE_TEST_CONTEXT; // the suite is a run of its own
  const args = ['--test', '--test-reporter=tap', `tests/wire/conformance/${name}/suite.test.mjs`];
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  child.stdout.on('data', (d) => (out += d));
  child.stderr.on('data', (d) => (out += d));
  return new Promise((done) => child.on('close', (code) => done({ code, out, ...readTap(out) })));
}

for (const deployment of DEPLOYMENTS) {
  describe(deployment.name, () => {
    for (const suite of SUITES) {
      test(`${suite.name}: all ${suite.checks} checks`, { timeout: 300000 }, async (t) => {
        const server = await deployment.start(suite);
        try {
          const got = await runSuite(suite.name, server.url);
          t.diagnostic(`${path.basename(suite.name)}: ${got.passed} passed, ${got.failed.length} failed`);
          assert.deepEqual(got.failed, []);
          assert.equal(got.passed, suite.checks, got.out.slice(-3000));
          assert.equal(got.skipped + got.cancelled, 0);
          assert.equal(got.code, 0, got.out.slice(-3000));
          if (server.nodes.length > 1) { // else the deployment would prove nothing
            const figures = await Promise.all(server.nodes.map((n) => n.metrics()));
            assert.ok(figures.every((f) => f.ingoma_remote_served_total > 0), 'each node served requests of the others');
          }
        } finally {
          await server.stop();
        }
      });
    }
  });
}

// A rolling restart as operators do it: out of the balancer, wait until nothing is left on the node, SIGTERM, start, in
// again; one node after the other as long as the suite runs. Sessions of the other two nodes must notice nothing.
describe('three nodes behind a round-robin balancer, restarted one after the other', () => {
  for (const suite of SUITES) {
    test(`${suite.name}: all ${suite.checks} checks`, { timeout: 300000 }, async (t) => {
      const env = { ...nodeTimes, ...suite.env, DRAIN_SECONDS: '1' };
      const c = await startCluster({ nodes: 3, shared: false, program: 'wire-echo', args: suite.args, env });
      const balancer = await startBalancer(c.nodes);
      const nodes = [...c.nodes];
      let isOver = false;
      let restarts = 0;
      const restart = async (i) => {
        await balancer.give(i, false);
        await until('the node to be idle', async () => {
          const f = await nodes[i].metrics();
          return f.ingoma_sessions === 0 && f.ingoma_remote_pipes === 0;
        }, 30000);
        assert.deepEqual(await nodes[i].stop(), { code: 0, signal: null });
        nodes[i] = await startNode({ port: nodes[i].port, redis: c.redis, program: 'wire-echo', args: suite.args, env });
        await until('all to know each other', async () => (await Promise.all(nodes.map((n) => n.health()))).every((h) => h?.nodes === 3), 30000);
        await balancer.give(i, true);
        restarts++;
      };
      const rolling = (async () => {
        for (let i = 0; !isOver; i = (i + 1) % 3) await restart(i);
      })();
      rolling.catch(() => {}); // awaited below
      try {
        const got = await runSuite(suite.name, balancer.url).finally(() => {
          isOver = true;
        });
        await rolling;
        t.diagnostic(`${got.passed} passed, ${got.failed.length} failed, ${restarts} restarts`);
        assert.deepEqual(got.failed, []);
        assert.equal(got.passed, suite.checks, got.out.slice(-3000));
        assert.equal(got.skipped + got.cancelled, 0);
        assert.ok(restarts > 0);
        for (const n of nodes) assert.equal((await n.metrics()).ingoma_cluster_nodes_lost_total, 0);
      } finally {
        isOver = true;
        await rolling.catch(() => {});
        await balancer.stop();
        await Promise.all(nodes.map((n) => n.stop()));
        await c.redis.stop();
      }
    });
  }
});
