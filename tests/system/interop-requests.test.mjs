// Requests between servers on the classic wire: two nodes of ours and a Node.js server (socket.io with
// @socket.io/redis-adapter) on one Redis; @socket.io/redis-emitter orders ours about.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { createAdapter } from '@socket.io/redis-adapter';
import { Emitter } from '@socket.io/redis-emitter';
import { stopAll, until } from '../support/cluster.mjs';
import { requestTests } from '../support/interop-requests.mjs';
import { closeAll, connect } from '../support/peer.mjs';
import { closeRedisClients, redisClient } from '../support/redis.mjs';

after(async () => {
  closeAll();
  await closeRedisClients();
  await stopAll();
});

// The prefix is an option of both sides (key, ADAPTER_PREFIX).
for (const [title, options] of [['on the shared response channel', {}],
  ['on the specific response channel, with another prefix', { publishOnSpecificResponseChannel: true, key: 'other-io' }]]) {
  describe(`requests, a server of Node.js that answers ${title}`, () => {
    const emitterTests = (get) => {
      test('the emitter makes sockets of ours join, leave and go, and emits to servers', async () => {
          const { redis, ours, peers, inRoom } = get();
        const emitter = new Emitter(await redisClient(redis), options.key ? { key: options.key } : {});
        emitter.in('red').socketsJoin(['e1', 'e2']);
        await until('e2 to fill', async () => (await inRoom('e2')).length === 3);
        emitter.in('e1').except(peers['a.red'].id).socketsLeave('e1');
        await until('e1 to empty', async () => (await inRoom('e1')).join() === peers['a.red'].id);
        const seen = peers['b.blue'].count('served');
        emitter.serverSideEmit('greet', 'from outside');
        assert.deepEqual(await peers['b.blue'].nextArgs('served', (name, text) => text === 'from outside'), ['greet', 'from outside']);
        assert.ok(peers['b.blue'].count('served') > seen);
        const victim = await connect(ours[0].url, { gateway: false, name: 'victim', reconnection: false });
        await victim.ask('join', 'e-end');
        emitter.in('e-end').disconnectSockets(true);
        await victim.next('$disconnect');
        victim.close();
      });
    };

    requestTests({
      makeAdapter: async (redis) => createAdapter(await redisClient(redis), await redisClient(redis), options),
      env: options.key ? { ADAPTER_PREFIX: options.key } : {},
      more: emitterTests,
    });
  });
}
