// Over the sharded wire a node hears the rooms in which it has members and no others: what was joined and left leaves no
// subscription behind, and a room of others costs a node nothing. (How much, and the memory: ./ingoma bench churn.)
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createClient } from 'redis';
import { startCluster, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect } from '../support/peer.mjs';

const ROOMS = 20000;
const CLIENTS = 20;
const IN_FLIGHT = 100; // of each client
const MINUTE = { BEAT_MS: '60000', DEAD_MS: '600000' }; // nothing but casts is on the line
let cluster, redis;

before(async () => {
  cluster = await startCluster({
    nodes: 2, shared: false, env: { ADAPTER: 'redis-sharded', MAX_ROOMS: '2000', RATE_EVENTS: '1000000', ...MINUTE },
  });
  redis = createClient({ socket: { path: cluster.redis.socketPath } });
  redis.on('error', () => {});
  await redis.connect();
});
after(async () => {
  closeAll();
  await redis.close();
  await stopAll();
});

const channels = async () => (await redis.sendCommand(['PUBSUB', 'SHARDCHANNELS', 'socket.io#/#churn-*#'])).length;

// Each client asks for its share of the rooms, some at a time, and waits for every acknowledgement.
async function forAllRooms(clients, event) {
  await Promise.all(clients.map(async (client, c) => {
    const rooms = Array.from({ length: ROOMS / CLIENTS }, (_, i) => `churn-${i * CLIENTS + c}`);
    for (let i = 0; i < rooms.length; i += IN_FLIGHT) {
      const acks = await Promise.all(rooms.slice(i, i + IN_FLIGHT).map((roomId) => client.ask(event, { roomId })));
      assert.ok(acks.every((ack) => ack.ok), JSON.stringify(acks.find((ack) => !ack.ok)));
    }
  }));
}

test(`${ROOMS} rooms joined and left, twice: each was heard, none is any more`, async () => {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connect(cluster.nodes[0].url)));
  for (let i = 0; i < 2; i++) {
    await forAllRooms(clients, 'joinRoom');
    assert.equal(await channels(), ROOMS);
    await forAllRooms(clients, 'leaveRoom');
    await until('no room to be heard', async () => (await channels()) === 0, 60000);
  }
  for (const client of clients) client.close();
});

test('a node without members of a room gets no message of it', async () => {
  const [first, second] = cluster.nodes;
  const [ann, ben, zoe] = await Promise.all([first, first, second].map((node) => connect(node.url)));
  await Promise.all([ann.join('far-away'), ben.join('far-away')]);
  await zoe.join('near');
  await ann.join('near');
  await zoe.next('userJoinedRoom');
  const start = await second.metrics();
  for (let i = 0; i < 1000; i++) ann.say('far-away', `${i} ${'x'.repeat(200)}`);
  for (let i = 0; i < 1000; i++) await ben.next('roomMessage');
  ann.say('near', 'behind them'); // on the same connections: they would have come by now
  await zoe.hears('behind them');
  const now = await second.metrics();
  assert.ok(now.ingoma_redis_received_total - start.ingoma_redis_received_total <= 3, 'this one, and perhaps a beat');
  assert.ok(now.ingoma_redis_received_bytes_total - start.ingoma_redis_received_bytes_total < 10000, 'a thousand are 400,000');
});
