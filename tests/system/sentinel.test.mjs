// Redis behind sentinels: the master dies, is replaced, comes back as a replica; the duty is handed over by hand; a
// sentinel dies. Clients keep their connections, and rooms of all nodes come together again by themselves.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createClient } from 'redis';
import { nothingTwice, untilHeard } from '../support/chat.mjs';
import { freePort, startCluster, startNode, startRedis, startSentinel, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect, schemaBreaches } from '../support/peer.mjs';

const QUICK = { BEAT_MS: '500', DEAD_MS: '3000', REDIS_TIMEOUT_MS: '1000', RATE_EVENTS: '1000000', RATE_USER_EVENTS: '0' };
const FAIL_OVER_MS = 90000; // some seconds, on a machine that has nothing else to do
const USER = ['--user', 'gateway', 'on', '>hush:hush', '~*', '&*', '+@all'];

const tools = [];
async function tool(socket, password) {
  const client = createClient({ socket, password });
  client.on('error', () => {});
  await client.connect();
  tools.push(client);
  return client;
}

after(async () => {
  closeAll();
  for (const t of tools) if (t.isOpen) t.destroy();
  await stopAll();
  assert.deepEqual(schemaBreaches(), []);
});

// A master, a replica and three sentinels that know of each other.
async function startTopology() {
  const ports = [await freePort(), await freePort()];
  const servers = [await startRedis({ port: ports[0], args: USER })];
  servers.push(await startRedis({ port: ports[1], args: [...USER, '--replicaof', '127.0.0.1', String(ports[0])] }));
  const sentinels = [];
  for (let i = 0; i < 3; i++) {
    sentinels.push(await startSentinel({
      port: await freePort(),
      lines: ['requirepass quiet', 'sentinel sentinel-pass quiet', `sentinel monitor chat-1 127.0.0.1 ${ports[0]} 1`,
        'sentinel down-after-milliseconds chat-1 500', 'sentinel failover-timeout chat-1 3000'],
    }));
  }
  const asked = await tool({ port: sentinels[2].port, host: '127.0.0.1' }, 'quiet');
  await until('the sentinels to know each other and the replica', async () => {
    const master = await asked.sendCommand(['SENTINEL', 'MASTER', 'chat-1']);
    const figure = (name) => Number(master[master.indexOf(name) + 1]);
    return figure('num-other-sentinels') === 2 && figure('num-slaves') === 1;
  }, FAIL_OVER_MS);
  const url = `redis+sentinel://gateway:hush%3Ahush@${sentinels.map((s) => s.url).join(',')}/chat-1/0?sentinelPassword=quiet`;
  const masterPort = async () => Number((await asked.sendCommand(['SENTINEL', 'get-master-addr-by-name', 'chat-1']))[1]);
  return { url, servers, sentinels, asked, masterPort };
}

const isReplica = async (redis) => {
  const client = await tool({ path: redis.socketPath });
  const info = await client.sendCommand(['INFO', 'replication']);
  client.destroy();
  return /role:slave/.test(info) && /master_link_status:up/.test(info);
};

test('the master is killed and comes back as a replica; the duty is handed back by hand', { timeout: 400000 }, async (t) => {
  const topology = await startTopology();
  const cluster = await startCluster({ nodes: 2, shared: false, env: QUICK, redis: topology });
  const [a1, a2, b1, b2] = await Promise.all([0, 0, 1, 1].map((i) => connect(cluster.nodes[i].url)));
  const all = [a1, a2, b1, b2];
  for (const p of all) await p.join('chat');

  const isWhole = async () => {
    await Promise.all([untilHeard(a1, b1, FAIL_OVER_MS), untilHeard(b2, a2, FAIL_OVER_MS)]);
    await until('nobody to be degraded', async () => {
      const answers = await Promise.all(cluster.nodes.map((n) => n.ready()));
      return answers.every((r) => r?.status === 200 && r.body.degraded === false);
    }, FAIL_OVER_MS);
    await until('all members to be counted', async () => {
      const counts = await Promise.all([a1, b1].map((p) => p.ask('joinRoom', { roomId: 'chat' })));
      return counts.every((c) => c.ok && c.memberCount === 4);
    }, FAIL_OVER_MS);
  };
  // Of both nodes, all that they have are at the one that the sentinels name.
  const isAt = (server) => until('the connections to be at the master', async () => {
    const client = await tool({ path: server.socketPath });
    const list = String(await client.sendCommand(['CLIENT', 'LIST'])).split('\n').filter((l) => l.includes('name=ingoma-'));
    client.destroy();
    return list.length === 4 && list.every((line) => line.includes('user=gateway'));
  }, FAIL_OVER_MS);
  const movedFrom = async (port) => {
    const start = Date.now();
    await until('the sentinels to name another master', async () => (await topology.masterPort()) !== port, FAIL_OVER_MS);
    return Date.now() - start;
  };
  const serverAt = async (port) => topology.servers.find((s) => s.port === port);

  await isWhole();
  const first = await serverAt(await topology.masterPort());
  await isAt(first);

  await first.kill('SIGKILL');
  t.diagnostic(`the sentinels took ${await movedFrom(first.port)} ms`);
  let start = Date.now();
  await isWhole();
  t.diagnostic(`whole again ${Date.now() - start} ms after that`);
  const second = await serverAt(await topology.masterPort());
  await isAt(second);

  await first.restart(); // a master, as it believes
  await until('the old master to be a replica', () => isReplica(first), FAIL_OVER_MS);
  await isWhole();
  await isAt(second);

  await until('the sentinels to hand over', async () => { // refused until they have seen the replica
    return (await topology.asked.sendCommand(['SENTINEL', 'FAILOVER', 'chat-1']).catch(() => '')) === 'OK';
  }, FAIL_OVER_MS);
  await movedFrom(second.port);
  start = Date.now();
  await isAt(first);
  await isWhole();
  t.diagnostic(`whole again ${Date.now() - start} ms after a hand-over`);

  await topology.sentinels[0].process.kill('SIGKILL'); // who listens to it listens to another one
  const late = await startNode({ redis: topology, env: QUICK });
  const eve = await connect(late.url);
  await eve.join('chat');
  await untilHeard(a1, eve, FAIL_OVER_MS);
  eve.close();
  await isWhole();
  for (const p of all) assert.deepEqual(p.disconnects, []);
  nothingTwice(all);
  all.forEach((p) => p.close());
  await late.stop();
  await cluster.stop();
});

test('no sentinel knows the name yet: the node says why, and is there when they do', { timeout: 240000 }, async () => {
  const redis = await startRedis({ port: await freePort() });
  const sentinel = await startSentinel({
    port: await freePort(),
    lines: ['user watcher on >quiet resetchannels &+switch-master -@all +ping +subscribe +sentinel|get-master-addr-by-name'],
  });
  const asked = await tool({ port: sentinel.port, host: '127.0.0.1' });
  const starting = startNode({ redis: { url: `redis+sentinel://${sentinel.url}/chat-2?sentinelUser=watcher&sentinelPassword=quiet` }, env: QUICK });
  await until('the node to have asked', async () => {
    const [, count] = /total_connections_received:(\d+)/.exec(await asked.sendCommand(['INFO', 'stats']));
    return Number(count) >= 6; // the test's own are two
  });
  await asked.sendCommand(['SENTINEL', 'MONITOR', 'chat-2', '127.0.0.1', String(redis.port), '1']);
  const node = await starting;
  assert.match(node.logs(), /no sentinel knows a master of this name/);
  const list = String(await asked.sendCommand(['CLIENT', 'LIST'])).split('\n').filter((l) => l.includes('user=watcher'));
  assert.ok(list.length >= 2 && list.every((l) => l.includes(' sub=1 ')), list.join('\n'));
  await node.stop();
});
