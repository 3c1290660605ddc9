// No sticky sessions: three nodes behind a balancer that scatters all requests, stock clients of every transport that
// count what they say, while one node is drained and restarted and another one is killed. Who is not concerned must not
// notice; what the server acknowledged reaches everybody who stayed, once and in order. And what forwarding costs.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { startBalancer } from '../support/balancer.mjs';
import { sleep, startCluster, startNode, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect, schemaBreaches } from '../support/peer.mjs';
import { closeRedisClients, redisClient } from '../support/redis.mjs';

const DEAD_MS = 3000;
const QUICK = { BEAT_MS: '500', DEAD_MS: String(DEAD_MS), REDIS_TIMEOUT_MS: '2000', RATE_EVENTS: '1000000', RATE_USER_EVENTS: '0' };
const TRANSPORTS = [['websocket'], ['polling'], ['polling', 'websocket']];
const BACK_MS = 60000; // generous: an ASan build on a busy machine
const UNKNOWN_SID = { code: 1, message: 'Session ID unknown' };

const everybody = []; // who talks; a test that fails does not stop them
after(async () => {
  for (const x of everybody) x.isOver = true;
  closeAll();
  await closeRedisClients();
  await stopAll();
  assert.deepEqual(schemaBreaches(), []);
});

const polling = (url, sid) => `${url}/socket.io/?EIO=4&transport=polling${sid ? `&sid=${sid}` : ''}`;

// A kept connection that is closed before a byte of the answer: a GET is sent once more, as browsers do (RFC 9110, 9.2.2).
async function ask(url, body) {
  const start = Date.now();
  const send = () => fetch(url, { method: body === undefined ? 'GET' : 'POST', body, signal: AbortSignal.timeout(60000) });
  const answer = await send().catch((error) => {
    if (body === undefined && error.cause?.code === 'UND_ERR_SOCKET') return send();
    throw error;
  });
  return { status: answer.status, text: await answer.text(), ms: Date.now() - start };
}

// ---- talkers ----

// Says one thing after the other as long as it is a member; remembers what was acknowledged.
class Talker {
  constructor(peer, transports) {
    this.peer = peer;
    this.title = `${peer.name} ${transports.join('+')}`;
    this.isPollingOnly = !transports.includes('websocket');
    this.count = 0;
    this.acked = [];
    this.isMember = true;
    peer.socket.on('disconnect', () => { this.isMember = false; });
    peer.socket.on('connect', () => this.enter());
  }

  start() {
    this.left = this.peer.disconnects.length;
    this.isOver = false;
    this.talking = this.talk();
  }

  async enter() {
    if (await this.isAcked('joinRoom', { roomId: 'chat' })) this.isMember = true;
  }

  isAcked(...event) { // true: acknowledged; false: nobody knows
    return new Promise((done) => {
      const { socket } = this.peer;
      const timer = setTimeout(() => over(false), 20000);
      const over = (ok) => {
        clearTimeout(timer);
        socket.off('disconnect', lost);
        done(ok);
      };
      const lost = () => over(false);
      socket.once('disconnect', lost);
      socket.emit(...event, (answer) => over(answer.ok));
    });
  }

  async talk() {
    while (!this.isOver) {
      if (this.isMember && this.peer.socket.connected) {
        const n = this.count++;
        if (await this.isAcked('roomMessage', { roomId: 'chat', message: `${this.title}: ${n}` })) this.acked.push(n);
      }
      await sleep(20);
    }
  }

  async stop() {
    this.isOver = true;
    await this.talking;
  }

  hearsOf(other) {
    const start = `${other.title}: `;
    return this.peer.all.filter((e) => e[0] === 'roomMessage' && e[1].message.startsWith(start))
      .map((e) => Number(e[1].message.slice(start.length)));
  }

  get stayed() {
    return this.peer.disconnects.length === this.left;
  }
}

// At each of the urls one after the other, with each of the transports and the generations of clients in turn.
async function joinTalkers(urls, versions = ['4.8.4']) {
  const talkers = [];
  for (const [i, url] of urls.entries()) {
    const transports = TRANSPORTS[i % TRANSPORTS.length];
    const peer = await connect(url, { transports, version: versions[Math.floor(i / TRANSPORTS.length) % versions.length] });
    if (transports.length > 1) await peer.upgraded();
    await peer.join('chat');
    talkers.push(new Talker(peer, transports));
    everybody.push(talkers.at(-1));
  }
  return talkers;
}

// What was acknowledged came to everybody who stayed: once, in order. Others may miss, but nothing comes twice.
async function holdAll(talkers, since) {
  for (const to of talkers) {
    for (const from of talkers) {
      const wanted = from.acked.filter((n) => n >= (since?.get(from) ?? 0));
      if (to.stayed && wanted.length) {
        await until(`${to.title} to hear ${from.title}`, () => to.hearsOf(from).includes(wanted.at(-1)), BACK_MS);
      }
      const got = to.hearsOf(from);
      assert.deepEqual(got, [...new Set(got)].sort((x, y) => x - y), `${to.title} hears ${from.title} in order, nothing twice`);
      if (to.stayed) {
        const heard = new Set(got);
        assert.deepEqual(wanted.filter((n) => !heard.has(n)), [], `${to.title} misses of ${from.title}`);
      }
    }
  }
}

const allBack = (talkers, node) => until('everybody to be back', () => talkers.every((t) =>
  t.isMember && t.peer.socket.connected && !t.peer.socket.id.startsWith(node.id)), BACK_MS).catch((error) => {
  throw new Error(`${error.message}: ${JSON.stringify(talkers.map((t) => [t.title, t.isMember, t.peer.socket.id]))}`);
});

// Polls that must never fail: sessions of the given nodes by hand, each asked for through the balancer without a pause.
async function startPolls(url, owners) {
  const polls = { failed: [], count: 0, sids: [] };
  let isOver = false;
  const run = async (sid) => {
    while (!isOver) {
      const answer = await ask(polling(url, sid)).catch((error) => ({ status: 0, text: String(error.cause ?? error), ms: 0 }));
      polls.count++;
      if (answer.status !== 200) polls.failed.push([sid, answer.status, answer.text, answer.ms]);
      if (answer.status !== 200) return;
      if (answer.text.split('\x1e').includes('2')) await ask(polling(url, sid), '3');
    }
  };
  for (const owner of owners) {
    const { sid } = JSON.parse((await ask(polling(owner.url))).text.slice(1));
    await ask(polling(url, sid), '40');
    polls.sids.push(sid);
  }
  const runs = polls.sids.map(run);
  polls.stop = async () => {
    isOver = true;
    await Promise.all(polls.sids.map((sid) => ask(polling(url, sid), '1').catch(() => {})));
    await Promise.all(runs);
  };
  return polls;
}

describe('three nodes behind a round-robin, nobody sticks', () => {
  test('one is drained and restarted, one is killed, all the while everybody talks', { timeout: 300000 }, async (t) => {
    // short heartbeats: polls come and go
    const env = { ...QUICK, DRAIN_SECONDS: '2', PING_INTERVAL_MS: '2000', PING_TIMEOUT_MS: '20000' };
    const cluster = await startCluster({ nodes: 3, shared: false, env });
    const balancer = await startBalancer(cluster.nodes);
    const [first, second, third] = cluster.nodes;
    const steady = await joinTalkers([second.url, second.url]); // straight to a node that nothing happens to
    const talkers = [...steady, ...await joinTalkers(Array(12).fill(balancer.url))];
    const isOfFirst = (x) => x.peer.socket.id.startsWith(first.id);
    for (let i = 0; i < 20 && !(talkers.some(isOfFirst) && talkers.some((x) => x.isPollingOnly && !isOfFirst(x))); i++)
      talkers.push(...await joinTalkers(Array(3).fill(balancer.url))); // who gets which node is the balancer's affair
    for (const x of talkers) x.start(); // not before all are members
    const living = [second, third];
    const polls = await startPolls(balancer.url, [second, second, third, third]);
    await sleep(1500);
    await holdAll(talkers);

    // drained
    const movers = talkers.filter(isOfFirst);
    const keepers = talkers.filter((x) => x.isPollingOnly && !isOfFirst(x));
    assert.ok(movers.length > 0 && keepers.length > 0);
    const { sid: sidOfFirst } = JSON.parse((await ask(polling(first.url))).text.slice(1));
    const drained = first.stop();
    assert.deepEqual(await drained, { code: 0, signal: null });
    const refused = await ask(polling(second.url, sidOfFirst));
    assert.deepEqual([refused.status, JSON.parse(refused.text)], [400, UNKNOWN_SID]);
    assert.ok(refused.ms < DEAD_MS - 500, `${refused.ms} ms`);
    await allBack(talkers, first);
    assert.deepEqual(polls.failed, [], 'polls to living owners');
    for (const x of keepers) assert.deepEqual(x.peer.disconnects, [], x.title);
    await balancer.give(0, false); // as a balancer that looks at /ready: it listens before it has reached Redis
    const restarted = await startNode({ port: first.port, redis: cluster.redis, env });
    await balancer.give(0, true);
    await until('three nodes', async () => (await second.health()).nodes === 3);
    await sleep(1500);
    await polls.stop();
    await Promise.all(talkers.map((x) => x.stop()));
    await holdAll(talkers);
    t.diagnostic(`drain: ${talkers.filter((x) => x.stayed).length} of ${talkers.length} stayed, ${movers.length} were its own, ${polls.count} polls`);
    for (const x of steady) assert.deepEqual(x.peer.disconnects, [], x.title);
    assert.deepEqual(polls.failed, []);
    for (const node of living) assert.equal((await node.metrics()).ingoma_cluster_nodes_lost_total, 0, 'it said goodbye');

    // killed
    for (const x of talkers) x.start();
    const since = new Map(talkers.map((x) => [x, x.count]));
    await sleep(1000);
    const { sid: sidOfThird } = JSON.parse((await ask(polling(third.url))).text.slice(1));
    await third.kill('SIGKILL');
    const gone = await ask(polling(second.url, sidOfThird));
    assert.deepEqual([gone.status, JSON.parse(gone.text)], [400, UNKNOWN_SID]);
    assert.ok(gone.ms < DEAD_MS - 500, `${gone.ms} ms`); // not after DEAD_MS
    await until('the node to be forgotten', async () => (await second.health()).nodes === 2);
    await allBack(talkers, third);
    await sleep(1500);
    await Promise.all(talkers.map((x) => x.stop()));
    await holdAll(talkers, since);
    const stayed = talkers.filter((x) => x.stayed);
    t.diagnostic(`kill: ${stayed.length} of ${talkers.length} stayed; ${talkers.reduce((n, x) => n + x.acked.length, 0)} messages acknowledged of ${talkers.reduce((n, x) => n + x.count, 0)}`);
    for (const x of steady) assert.deepEqual(x.peer.disconnects, [], x.title);

    closeAll();
    await until('nothing to be left', async () => (await Promise.all([restarted, second].map((n) => n.metrics()))).every((f) =>
      f.ingoma_sessions === 0 && f.ingoma_sockets === 0 && f.ingoma_rooms === 0 && f.ingoma_remote_pipes === 0), BACK_MS);
    await balancer.stop();
    await Promise.all([restarted.stop(), cluster.stop()]);
  });
});

// As operators do it: the balancer gives the node nothing new, then it is drained, started again and given its share.
describe('three nodes behind a round-robin, each restarted in its turn', () => {
  test('stock clients 2.5 and 4.8 of each transport reconnect once, and are told of no error', { timeout: 300000 }, async (t) => {
    const env = { ...QUICK, DRAIN_SECONDS: '2', PING_INTERVAL_MS: '5000', PING_TIMEOUT_MS: '20000' };
    const cluster = await startCluster({ nodes: 3, shared: false, env });
    const balancer = await startBalancer(cluster.nodes);
    const nodes = [...cluster.nodes];
    const talkers = await joinTalkers(Array(12).fill(balancer.url), ['4.8.4', '2.5.0']);
    for (const x of talkers) x.start();
    for (const [i, old] of cluster.nodes.entries()) {
      const others = nodes.filter((n) => n !== old);
      const movers = talkers.filter((x) => x.peer.socket.id.startsWith(old.id));
      const before = talkers.map((x) => x.peer.disconnects.length);
      await balancer.give(i, false);
      assert.deepEqual(await old.stop(), { code: 0, signal: null });
      await allBack(talkers, old);
      for (const [k, x] of talkers.entries()) { // a WebSocket may have been upgraded there for a session of another node
        const lost = x.peer.disconnects.length - before[k];
        if (movers.includes(x)) assert.equal(lost, 1, x.title);
        else assert.ok(lost <= (x.isPollingOnly ? 0 : 1), x.title);
      }
      nodes[i] = await startNode({ port: old.port, redis: cluster.redis, env });
      await until('three nodes', async () => (await Promise.all(nodes.map((n) => n.health()))).every((h) => h.nodes === 3));
      await balancer.give(i, true);
      for (const n of others) assert.equal((await n.metrics()).ingoma_cluster_nodes_lost_total, 0, 'it said goodbye');
      t.diagnostic(`restarted with ${movers.length} of 12 clients on it`);
    }
    const since = new Map(talkers.map((x) => [x, x.count])); // everybody is a member again, and hears everybody
    for (const x of talkers) x.left = x.peer.disconnects.length;
    await until('everybody to have talked on', () => talkers.every((x) => x.acked.at(-1) > since.get(x) + 5), BACK_MS);
    await Promise.all(talkers.map((x) => x.stop()));
    await holdAll(talkers, since);
    for (const x of talkers) {
      assert.deepEqual(x.peer.errors, [], x.title);
      assert.equal(x.peer.count('messageError') + x.peer.count('connectionError'), 0, x.title);
    }
    closeAll();
    await balancer.stop();
    await Promise.all(nodes.map((n) => n.stop()));
    await cluster.stop();
  });
});

describe('what forwarding costs', () => {
  test('a poll that is forwarded is two PUBLISH, there and back', { timeout: 180000 }, async () => {
    const cluster = await startCluster({ nodes: 2, shared: false, env: { BEAT_MS: '60000', DEAD_MS: '600000', REDIS_TIMEOUT_MS: '60000', RATE_EVENTS: '1000000', RATE_USER_EVENTS: '0' } });
    const [owner, asker] = cluster.nodes;
    const tool = await redisClient(cluster.redis);
    const { sid } = JSON.parse((await ask(polling(owner.url))).text.slice(1));
    await ask(polling(owner.url, sid), '40');
    await ask(polling(owner.url, sid)); // 40{…}
    await ask(polling(owner.url, sid), '42["joinRoom",{"roomId":"chat"}]');
    await ask(polling(owner.url, sid));
    const calls = async () => {
      const out = {};
      for (const [, name, n] of String(await tool.sendCommand(['INFO', 'commandstats'])).matchAll(/^cmdstat_(\S+):calls=(\d+)/gm)) out[name] = Number(n);
      delete out.info;
      delete out.ping; // of an idle connection
      return out;
    };
    for (let before = {}, now = await calls(); JSON.stringify(now) !== JSON.stringify(before);) { // what a join asks for is over
      await sleep(500);
      [before, now] = [now, await calls()];
    }
    const spent = async (what) => {
      const before = await calls();
      await what();
      const now = await calls();
      return Object.fromEntries(Object.entries(now).map(([k, v]) => [k, v - (before[k] ?? 0)]).filter(([, v]) => v));
    };
    // The duties of the minute (who is alive, figures, lists) may fall into a measurement: not into three in a row.
    const costs = async (what, want, why) => {
      let got;
      for (let i = 0; i < 3; i++) {
        got = await spent(what);
        if (isDeepStrictEqual(got, want)) return;
      }
      assert.deepEqual(got, want, why);
    };

    // A POST by the owner's own door makes the data that the forwarded poll fetches: "pong" costs Redis nothing.
    const event = '42["ping",{}]';
    await costs(async () => {
      await ask(polling(owner.url, sid), event);
      assert.match((await ask(polling(owner.url, sid))).text, /pong/);
    }, {}, 'at the owner itself nothing is asked of Redis');
    for (let i = 0; i < 5; i++) {
      await costs(async () => {
        await ask(polling(owner.url, sid), event);
        assert.match((await ask(polling(asker.url, sid))).text, /pong/);
      }, { publish: 2 });
    }
    await costs(async () => { // the same when it has to wait
      const waiting = ask(polling(asker.url, sid));
      await sleep(300);
      await ask(polling(owner.url, sid), event);
      assert.match((await waiting).text, /pong/);
    }, { publish: 2 });
    await costs(async () => { // head and body leave one after the other
      await ask(polling(asker.url, sid), event);
      assert.match((await ask(polling(owner.url, sid))).text, /pong/);
    }, { publish: 3 });
    await ask(polling(owner.url, sid), '1');
    await cluster.stop();
  });
});
