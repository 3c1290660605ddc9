// The test's own connections to Redis.
import { createClient } from 'redis';

const clients = [];

export async function redisClient(redis) {
  const client = createClient({ socket: { path: redis.socketPath } });
  client.on('error', () => {});
  await client.connect();
  clients.push(client);
  return client;
}

export function closeRedisClients() {
  for (const client of clients.splice(0)) if (client.isOpen) client.destroy();
}
