// The test's own connections to Redis.
import { setTimeout } from 'node:timers/promises';
import { createClient } from 'redis';

const clients = [];

// Connects a client, and closes it with the others.
export async function keepClient(client) {
  client.on('error', () => {});
  await client.connect();
  clients.push(client);
  return client;
}

export const redisClient = (redis) => keepClient(createClient({ socket: { path: redis.socketPath } }));

const ESCAPED = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };

// "a" "b\x00" as MONITOR writes them → Buffers.
function wordsOf(line) {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => Buffer.from(
    text.replace(/\\x([0-9a-f]{2})|\\(.)/g, (_, hex, c) => (hex ? String.fromCharCode(parseInt(hex, 16)) : ESCAPED[c] ?? c)), 'latin1'));
}

// All that is published from now on on channels that begin so: {command, channel, payload}, in Redis' order.
export async function watchPublications(redis, prefix) {
  const seen = [];
  const client = await redisClient(redis);
  await client.monitor((line) => {
    const [command, channel, payload] = wordsOf(String(line));
    if (/^s?publish$/i.test(command) && String(channel).startsWith(prefix))
      seen.push({ command: String(command).toUpperCase(), channel: String(channel), payload });
  });
  return seen;
}

// With a word where somebody listens: an adapter may still be waiting for an answer.
export async function closeRedisClients() {
  await Promise.all(clients.splice(0).map(async (client) => {
    if (!client.isOpen) return;
    const late = new AbortController();
    await Promise.race([client.close(), setTimeout(1000, undefined, { signal: late.signal })]).catch(() => {});
    late.abort();
    if (client.isOpen) client.destroy();
  }));
}
