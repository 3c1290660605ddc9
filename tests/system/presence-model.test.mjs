// Promise P7 of presence, by chance: users on three nodes come and go with several devices and change their status, nodes are
// killed and started again, stopped and continued. Whenever it is quiet, every node has to show what the model knows: nobody
// who is not there, nobody missing. SEED=n repeats a run, SECONDS=n makes it longer.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect, schemaBreaches, token } from '../support/peer.mjs';
import { random, SECONDS, SEED } from '../support/random.mjs';

const USERS = 8;
const STATUSES = ['online', 'away', 'busy', 'invisible'];
const DEAD_MS = 1500;
const ENV = { RATE_EVENTS: '1000000', RATE_PRESENCE: '1000000', RATE_USER_EVENTS: '0', RATE_STRIKES: '1000000', BEAT_MS: '200', DEAD_MS: String(DEAD_MS), REDIS_TIMEOUT_MS: '2000', PRESENCE_INTERVAL_MS: '100' };

after(async () => {
  closeAll();
  await stopAll();
});

test(`no ghosts, and nobody missing (SEED=${SEED}, ${SECONDS} s)`, async () => {
  const below = random(SEED);
  const redis = await startRedis();
  const nodes = await Promise.all([0, 1, 2].map(() => startNode({ redis, env: ENV })));
  const users = Array.from({ length: USERS }, (_, i) => ({ id: `q${i}`, devices: [], status: 'online' }));
  const did = { rounds: 0, kills: 0, stops: 0 };
  const device = (i, id) => connect(nodes[i].url, { reconnection: false, auth: { token: token({ id, name: id }) } });

  async function come(u) {
    const i = below(3);
    u.devices.push({ i, peer: await device(i, u.id) });
  }
  async function go(u) {
    const [gone] = u.devices.splice(below(u.devices.length || 1), 1);
    gone?.peer.close();
  }
  async function turn(u) {
    if (!u.devices.length) return;
    const status = STATUSES[below(STATUSES.length)];
    const ack = await u.devices[below(u.devices.length)].peer.ask('updatePresence', status);
    assert.deepEqual(ack, { ok: true, status });
    u.status = status;
  }
  async function kill() {
    const i = below(3);
    did.kills++;
    await nodes[i].kill();
    for (const u of users) u.devices = u.devices.filter((d) => d.i !== i || (d.peer.close(), false));
    nodes[i] = await startNode({ redis, env: ENV, connected: true });
  }
  // Shorter than what makes a node dead, or longer: then the others drop its users, and have to take them back.
  async function pause() {
    const node = nodes[below(3)];
    did.stops++;
    node.signal('SIGSTOP');
    await new Promise((done) => setTimeout(done, below(2) ? DEAD_MS / 3 : DEAD_MS * 2));
    node.signal('SIGCONT');
  }
  const shown = (list) => Object.fromEntries(list.users.map((u) => [u.userId, u.status]).sort());
  // What a status becomes when the last device goes is not this test's: who comes back chooses again.
  async function settle() {
    for (const u of users) {
      if (u.devices.length) assert.equal((await u.devices[0].peer.ask('updatePresence', u.status)).ok, true);
    }
    const want = Object.fromEntries(users.filter((u) => u.devices.length && u.status !== 'invisible').map((u) => [u.id, u.status]).sort());
    for (const probe of probes()) {
      let got;
      await until('the list to be right', async () => {
        got = shown(await (await probe).ask('presence:list', {}));
        return JSON.stringify(got) === JSON.stringify(want);
      }, 30000).catch((e) => assert.fail(`${e.message}: round ${did.rounds}, wanted ${JSON.stringify(want)}, shown ${JSON.stringify(got)}`));
      (await probe).close();
    }
    did.rounds++;
  }
  // One on each node, who is never shown.
  const probes = () => [0, 1, 2].map(async (i) => {
    const probe = await device(i, `probe${i}`);
    assert.equal((await probe.ask('updatePresence', 'invisible')).ok, true);
    return probe;
  });

  const end = Date.now() + SECONDS * 1000;
  while (Date.now() < end || !did.kills || !did.stops) {
    for (let n = 0; n < 25; n++) {
      const u = users[below(USERS)];
      const what = below(100);
      if (what < 45 && u.devices.length < 3) await come(u);
      else if (what < 70) await go(u);
      else await turn(u);
    }
    if (below(2)) await kill();
    else await pause();
    await settle();
  }
  assert.deepEqual(schemaBreaches(), []);
  console.log(`${did.rounds} rounds, ${did.kills} kills, ${did.stops} stops: no ghost, nobody missing`);
});
