// A Redis Cluster for tests: three masters with a third of the slots each, and a replica of each when asked for.
import { createCluster } from 'redis';
import { freePort, startRedis, until } from './cluster.mjs';
import { keepClient, redisClient } from './redis.mjs';

const READY_MS = 60000;
const SLOTS = 16384;
const MASTERS = 3;

// Both ports of a server are below those of outgoing connections.
async function startServer() {
  const port = await freePort();
  const bus = await freePort();
  const server = await startRedis({
    port,
    args: ['--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-node-timeout', '2000', '--cluster-replica-validity-factor', '0'],
  });
  server.bus = bus;
  return server;
}

// startRedisCluster({replicas}) → {url, servers, slotOf(key), ownerOf(key), ownerOfSlot(slot), moveSlot(slot, to), client()};
// its clients end with closeRedisClients.
export async function startRedisCluster({ replicas = false } = {}) {
  const servers = [];
  for (let i = 0; i < (replicas ? 2 : 1) * MASTERS; i++) servers.push(await startServer());
  for (const s of servers) {
    s.client = await redisClient(s);
    s.id = await s.client.sendCommand(['CLUSTER', 'MYID']);
  }
  for (const [i, s] of servers.slice(0, MASTERS).entries()) {
    await s.client.sendCommand(['CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1)]);
    const edge = (n) => Math.floor((n * SLOTS) / MASTERS);
    await s.client.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', String(edge(i)), String(edge(i + 1) - 1)]);
  }
  for (const s of servers.slice(1)) await servers[0].client.sendCommand(['CLUSTER', 'MEET', '127.0.0.1', String(s.port), String(s.bus)]);
  const knowsAll = async (s) => {
    const info = String(await s.client.sendCommand(['CLUSTER', 'INFO']));
    return info.includes('cluster_state:ok') && info.includes('cluster_slots_ok:16384') && info.includes(`cluster_known_nodes:${servers.length}`);
  };
  const all = (check) => async () => (await Promise.all(servers.map(check))).every(Boolean);
  await until('the servers of the Redis Cluster to know each other', all(knowsAll), READY_MS);
  for (const [i, s] of servers.slice(MASTERS).entries()) {
    await until('a server to become a replica', async () => (await s.client.sendCommand(['CLUSTER', 'REPLICATE', servers[i].id]).catch(() => '')) === 'OK', READY_MS);
  }
  if (replicas) {
    await until('every master to have its replica', async () => {
      const roles = await Promise.all(servers.slice(0, MASTERS).map((s) => s.client.sendCommand(['ROLE'])));
      return roles.every((r) => r[2].length === 1);
    }, READY_MS);
  }
  const ranges = async () => servers.find((s) => !s.process.ended).client.sendCommand(['CLUSTER', 'SLOTS']);
  const ownerOfSlot = async (slot) => { // undefined while a slot passes from one to another: then it is nobody's
    const row = (await ranges()).find(([first, last]) => first <= slot && slot <= last);
    return servers.find((s) => s.port === row?.[2]?.[1]);
  };
  // A master that takes a slot before it has heard of the others' epochs may claim one that is theirs, and Redis' gossip then
  // gives the slot back, to nobody: one at a time, as redis-cli does with its own pauses.
  const allAgree = async (slot, owner) => {
    const maps = await Promise.all(servers.map((s) => s.client.sendCommand(['CLUSTER', 'SLOTS'])));
    const infos = await Promise.all(servers.map(async (s) => String(await s.client.sendCommand(['CLUSTER', 'INFO']))));
    const figures = (name) => new Set(infos.map((info) => new RegExp(`cluster_${name}:(\\d+)`).exec(info)[1])).size;
    return maps.every((rows) => rows.some(([first, last, master]) => first <= slot && slot <= last && master[1] === owner.port))
      && figures('current_epoch') === 1 && figures('my_epoch') === servers.length;
  };
  const slotOf = async (key) => servers.find((s) => !s.process.ended).client.sendCommand(['CLUSTER', 'KEYSLOT', key]);
  return {
    servers,
    url: `redis+cluster://${servers.slice(0, MASTERS).map((s) => `127.0.0.1:${s.port}`).join(',')}`,
    slotOf,
    ownerOf: async (key) => ownerOfSlot(await slotOf(key)),
    ownerOfSlot,
    // As redis-cli --cluster reshard does, keys included.
    moveSlot: async (slot, to) => {
      const from = await ownerOfSlot(slot);
      await to.client.sendCommand(['CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', from.id]);
      await from.client.sendCommand(['CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', to.id]);
      for (;;) {
        const keys = await from.client.sendCommand(['CLUSTER', 'GETKEYSINSLOT', String(slot), '100']);
        if (!keys.length) break;
        await from.client.sendCommand(['MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys.map(String)]);
      }
      const order = [to, from, ...servers.filter((s) => s !== to && s !== from)];
      for (const s of order) await s.client.sendCommand(['CLUSTER', 'SETSLOT', String(slot), 'NODE', to.id]).catch(() => {}); // not at replicas
      await until('all servers to agree', () => allAgree(slot, to), READY_MS);
    },
    client: () => keepClient(createCluster({ rootNodes: servers.slice(0, MASTERS).map((s) => ({ url: `redis://127.0.0.1:${s.port}` })) })),
  };
}
