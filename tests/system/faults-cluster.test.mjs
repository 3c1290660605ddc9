// Faults between the nodes, over each wire: a node that is stopped while casts pour, until Redis closes its subscriber for
// the bytes that wait for it; a node that is stopped in the middle of a question. Nobody stays deaf, nobody waits for ever.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { nothingTwice, untilDegraded, untilHeard, untilMembers } from '../support/chat.mjs';
import { startCluster, startRedis, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect, schemaBreaches } from '../support/peer.mjs';
import { closeRedisClients, redisClient } from '../support/redis.mjs';

const ERR_TIMEOUT = -12;
const BUFFER_BYTES = 262144;
const CALM = { BEAT_MS: '500', DEAD_MS: '600000', REDIS_TIMEOUT_MS: '5000', RATE_EVENTS: '1000000', RATE_USER_EVENTS: '0' }; // nobody dies of a pause

after(async () => {
  closeAll();
  await closeRedisClients();
  await stopAll();
  assert.deepEqual(schemaBreaches(), []);
});

for (const adapter of ['redis', 'redis-sharded']) {
  describe(`over ${adapter}`, () => {
    test('a node is too slow for its casts and Redis closes its subscriber: it hears everything again', { timeout: 240000 }, async (t) => {
      const redis = await startRedis({ args: ['--client-output-buffer-limit', 'pubsub', String(BUFFER_BYTES), '0', '0'] });
      const cluster = await startCluster({ nodes: 2, shared: false, redis, env: { ...CALM, ADAPTER: adapter } });
      const [a, b] = cluster.nodes;
      const all = await Promise.all([a, a, b, b].map((n) => connect(n.url)));
      const [a1, a2, b1, b2] = all;
      for (const p of all) await p.join('chat');
      await Promise.all([untilHeard(a1, b1), untilHeard(b2, a2)]);
      const tool = await redisClient(redis);
      const subscriber = `name=ingoma-${b.id}-subscriber`;
      const isThere = async () => String(await tool.sendCommand(['CLIENT', 'LIST'])).includes(subscriber);
      assert.ok(await isThere());
      const before = await b.metrics();

      let said = 0;
      b.signal('SIGSTOP');
      try {
        while (await isThere()) { // its socket takes some, then the buffer fills
          for (let i = 0; i < 50; i++) a1.say('chat', `poured ${said++} ${'x'.repeat(3500)}`);
          await a2.hears(`poured ${said - 1} ${'x'.repeat(3500)}`); // who is here is not concerned
        }
        assert.equal((await a.ready()).body.degraded, false);
      } finally {
        b.signal('SIGCONT');
      }
      const start = Date.now();
      await Promise.all([untilHeard(a1, b1), untilHeard(b2, a2)]);
      await untilDegraded(cluster.nodes, false);
      t.diagnostic(`${said} casts were said; heard again ${Date.now() - start} ms after it went on`);
      await untilMembers(a1, 4);
      await untilMembers(b2, 4);
      const got = b1.all.filter((e) => e[0] === 'roomMessage' && e[1].message.startsWith('poured')).map((e) => Number(e[1].message.split(' ')[1]));
      assert.deepEqual(got, Array.from({ length: got.length }, (_, i) => i), 'what had reached it before, in order and without a gap');
      assert.ok(got.length < said, 'the rest is lost');
      nothingTwice(all);
      assert.deepEqual(all.flatMap((p) => p.disconnects), []);
      const now = await b.metrics(); // and it says so
      assert.ok(now.ingoma_redis_reconnects_total > before.ingoma_redis_reconnects_total);
      assert.equal(now.ingoma_redis_garbage_total, before.ingoma_redis_garbage_total);
      assert.match(b.logs(), /redis\.down.*subscriber/);
      for (const n of cluster.nodes) assert.equal((await n.metrics()).ingoma_cluster_nodes_lost_total, 0);
      all.forEach((p) => p.close());
      await cluster.stop();
      await redis.stop();
    });

    test('a node is stopped in the middle of a question: it is named in time, what it answers later is nobody\'s', { timeout: 240000 }, async () => {
      const cluster = await startCluster({ nodes: 3, shared: false, program: 'wire-cluster', env: { ...CALM, ADAPTER: adapter } });
      const [a, b, c] = cluster.nodes;
      const peers = await Promise.all([a, b, c].map((n) => connect(n.url, { gateway: false })));
      const [pa, pb, pc] = peers;
      for (const p of peers) p.socket.on('question', (n, done) => done({ from: p.id, n }));
      const ask = (name, ...args) => pa.ask(name, ...args);
      const whole = [
        ['fetch', { timeout: 60000 }, (r) => assert.deepEqual(r.answers.map((s) => s.id).sort(), peers.map((p) => p.id).sort())],
        ['ask', { timeout: 60000 }, (r) => assert.deepEqual(r.answers.map((x) => x.from).sort(), peers.map((p) => p.id).sort())],
      ];
      const isWhole = async () => {
        for (const [name, how, holds] of whole) {
          const got = await ask(name, how, 'question', 1);
          assert.deepEqual([got.rc, got.asked, got.answered, got.missing], [0, 2, 2, []], name);
          holds(got);
        }
        const got = await ask('server-ask', 'greet', 1);
        assert.deepEqual([got.rc, got.asked, got.answered, got.missing, got.answers.length], [0, 2, 2, [], 2]);
      };
      await until('all to be subscribed', async () => (await ask('server-count')) === 3);
      await isWhole();

      c.signal('SIGSTOP');
      let parts;
      try {
        parts = await Promise.all([ask('fetch', { timeout: 2000 }), ask('ask', { timeout: 2000 }, 'question', 2), ask('server-ask', 'greet', 2)]);
      } finally {
        c.signal('SIGCONT');
      }
      for (const part of parts) assert.deepEqual([part.rc, part.asked, part.answered, part.missing], [ERR_TIMEOUT, 2, 1, [c.id]]);
      assert.deepEqual(parts[0].answers.map((s) => s.id).sort(), [pa.id, pb.id].sort());
      assert.deepEqual(parts[1].answers.map((x) => x.from).sort(), [pa.id, pb.id].sort());
      assert.deepEqual([...parts[1].counts], [1, 1]);
      assert.deepEqual(parts[2].answers, [{ ours: ['greet', 2] }]);

      // It answers now. Its client's answer comes last of all, and this behind it.
      await pc.nextArgs('question', (n) => n === 2).catch(() => assert.fail('the cast with ack reaches its clients late'));
      assert.equal((await pc.ask('ask', { timeout: 60000 }, 'question', 3)).rc, 0);
      await isWhole();
      for (const p of peers) {
        assert.equal(p.count('question', (n) => n === 2), 1, p.name);
        assert.deepEqual(p.disconnects, []);
      }
      const figures = await Promise.all(cluster.nodes.map((n) => n.metrics()));
      assert.equal(figures[0].ingoma_cluster_requests_partial_total, 3);
      for (const f of figures) assert.deepEqual([f.ingoma_redis_garbage_total, f.ingoma_cluster_nodes_lost_total, f.ingoma_degraded], [0, 0, 0]);
      peers.forEach((p) => p.close());
      await cluster.stop();
    });
  });
}
