// Each feature of the gateway can be left out of its list: the program starts, the others work, the events of that one are unknown.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startNode, startRedis, stopAll } from '../support/cluster.mjs';
import { closeAll, connect, schemaBreaches, token } from '../support/peer.mjs';
import { refused } from '../support/quiz.mjs';

const ENV = { STATS_INTERVAL_MS: '300', PRESENCE_INTERVAL_MS: '100' };
let redis;
before(async () => { redis = await startRedis(); });
after(async () => {
  await stopAll();
  assert.deepEqual(schemaBreaches(), []);
});

const ASKS = { // of a feature with events: one that is answered well
  rooms: ['joinRoom', { roomId: 'hall', roomType: 'chat' }],
  presence: ['updatePresence', 'busy'],
  private: ['privateMessage', { recipientId: 'bob', message: 'hi' }],
  quiz: ['joinQuiz', { quizId: 'old' }],
  ping: ['ping', {}],
};
const SAYS = { stats: 'serverStats', quiz: 'quizJoined', rooms: 'roomJoined', ping: 'pong', presence: 'onlineUsers' };

for (const without of ['rooms', 'presence', 'private', 'quiz', 'stats', 'ping']) {
  test(`without ${without}`, async () => {
    const node = await startNode({ redis, program: 'wire-features', args: [without], env: { ...ENV, ADAPTER_PREFIX: `without-${without}` } });
    const ann = await connect(node.url, { auth: { token: token({ id: 'ann', name: 'Ann' }) } });
    for (const [name, ask] of Object.entries(ASKS)) {
      if (name === without) await refused(ann.ask(...ask), 'unknown_event');
      else assert.equal((await ann.ask(...ask)).ok, true, name);
    }
    for (const [name, event] of Object.entries(SAYS)) if (name !== without) await ann.next(event);
    if (SAYS[without]) assert.equal(ann.count(SAYS[without]), 0);
    ann.close();
    closeAll();
    await node.stop();
  });
}
