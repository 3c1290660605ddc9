// Hostile requests for a session of another node: what the owner refuses is refused the same through the node that the
// balancer happened to choose. Rows A6, B3, B4 and B5 of the security list over two nodes and Redis.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCluster, stopAll, until } from '../support/cluster.mjs';
import { Raw, answerOf, get, head, pollOpen, post, request, upgradeHead, withSid, wsOpen } from '../support/raw.mjs';
import { startWitness, witnessEnv } from '../support/witness.mjs';

after(stopAll);

const closed = (reason) => `ingoma_sessions_closed_total{reason="${reason}"}`;
const REMOTE = 'ingoma_remote_requests_total'; // of the node that was asked, the witness's own
const json = (answer) => JSON.parse(answer.body);

describe('through the wrong node', () => {
  let asked, owner, w, v;
  before(async () => {
    const c = await startCluster({ nodes: 2, shared: false, env: witnessEnv({ UPGRADE_TIMEOUT_MS: '400' }) });
    [w, v] = [await startWitness({}, { node: c.nodes[0] }), await startWitness({}, { node: c.nodes[1] })];
    [asked, owner] = [w.port, v.port];
  });
  after(() => {
    w.end();
    v.end();
  });

  // An attack that moves `here` on the node that is asked and `there` on the owner, and leaves neither disturbed.
  function attack(here, there, run) {
    const back = ['ingoma_sessions', 'ingoma_sockets', 'ingoma_websocket_connections'];
    return w.attack(here, () => v.attack(there, run, { back }), { back });
  }

  async function sioPoll() {
    const sid = await pollOpen(owner);
    assert.equal((await post(asked, withSid(sid), '40')).body, 'ok');
    assert.match((await get(asked, withSid(sid))).body, /^40\{/);
    return sid;
  }

  async function isGone(sid) {
    for (const port of [owner, asked]) {
      await until(`the session to be unknown on port ${port}`, async () => { // its owner hears of the end by Redis
        const got = await get(port, withSid(sid));
        assert.equal(got.status, 400);
        return json(got).code === 1;
      });
    }
  }

  test('A6 a guessed sid with the id of the other node, or of no node, is unknown', async () => {
    const sid = await pollOpen(owner);
    const guesses = [`${sid.slice(0, 4)}${'A'.repeat(16)}`, `${sid.slice(0, 19)}${sid.endsWith('A') ? 'B' : 'A'}`, '----AAAAAAAAAAAAAAAA', '____________________'];
    const unknown = 'ingoma_handshake_errors_total{code="1"}'; // two guesses reach a living owner, two nobody
    await attack({ [unknown]: 6 }, { [unknown]: 6 }, async () => {
      for (const guess of guesses) {
        for (const got of [await get(asked, withSid(guess)), await post(asked, withSid(guess), '3')]) {
          assert.equal(json(got).code, 1, guess);
          assert.ok(got.status === 400 || got.status === 503, `${guess}: ${got.status}`);
        }
        const ws = await request(asked, upgradeHead(withSid(guess, 'websocket')));
        assert.ok(ws.status === 400 || ws.status === 503, `${guess}: ${ws.status}`);
      }
    });
    assert.equal((await post(asked, withSid(sid), '1')).body, 'ok');
  });

  test('B3 a body over the limit is 413 here already, and the session goes on', async () => {
    const sid = await sioPoll();
    await w.attack({ 'ingoma_http_responses_total{status="413"}': 2 }, async () => {
      const announced = new Raw(asked);
      announced.write(head('POST', withSid(sid), [['Content-Length', 100_000_000]]));
      assert.equal((await answerOf(announced)).status, 413);
      const chunked = new Raw(asked);
      chunked.write(head('POST', withSid(sid), [['Transfer-Encoding', 'chunked']]));
      await chunked.pour(Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65536, 0x34), Buffer.from('\r\n')]), 16);
      assert.equal((await answerOf(chunked)).status, 413);
      announced.destroy();
      chunked.destroy();
    });
    assert.equal((await post(asked, withSid(sid), '420["unknown"]')).body, 'ok');
    assert.match((await get(asked, withSid(sid))).body, /430\[/);
    await post(asked, withSid(sid), '1');
  });

  test('B4 bodies that cannot be read: 200 "ok", the session is closed on its node', async () => {
    const rows = ['', '7', '4\x1e'.repeat(100_000), 'b!!!!', `b${'A'.repeat(900_000)}`, Buffer.from([0x34, 0xff]), '42["connect"]', `42["x",${'['.repeat(100_000)}`];
    await attack({ [REMOTE]: rows.length * 3 }, { [closed('parse error')]: rows.length }, async () => {
      for (const row of rows) {
        const sid = await sioPoll();
        const parked = new Raw(asked);
        parked.write(head('GET', withSid(sid)));
        await parked.opened;
        assert.equal((await post(asked, withSid(sid), row)).body, 'ok', String(row).slice(0, 50));
        for (let i = 0; i < 2 && (await get(asked, withSid(sid))).status === 200;) i++; // the last poll may be owed
        await isGone(sid);
        parked.destroy();
      }
    });
  });

  test('B5 crossing polls and posts over both nodes end the session as on one', async () => {
    await attack({ [REMOTE]: 4 }, { [closed('transport error')]: 3 }, async () => {
      let sid = await sioPoll();
      const polls = [new Raw(asked), new Raw(owner)];
      for (const raw of polls) raw.write(head('GET', withSid(sid)));
      const got = await Promise.all(polls.map((raw) => answerOf(raw)));
      assert.deepEqual(got.map((a) => `${a.status} ${a.body}`).sort(), ['200 1', '400 ']);
      await isGone(sid);
      for (const raw of polls) raw.destroy();

      sid = await sioPoll();
      const type = [['Content-Type', 'application/octet-stream'], ['Content-Length', '1']];
      assert.equal((await request(asked, `${head('POST', withSid(sid), type)}3`)).status, 400);
      await isGone(sid);

      sid = await sioPoll();
      const served = (await v.node.metrics()).ingoma_remote_served_total;
      const given = new Raw(asked);
      given.write(head('GET', withSid(sid)));
      await until('the poll to be at its owner', async () => (await v.node.metrics()).ingoma_remote_served_total > served);
      given.reset();
      await until('the session to end with its poll', async () => (await post(asked, withSid(sid), '3')).status === 400);
      await isGone(sid);
    });
  });

  test('B5 a probe through the other node that never ends, says nonsense, or is reset', async () => {
    await attack({ [REMOTE]: 3 }, { 'ingoma_upgrades_total{result="timeout"}': 1, 'ingoma_upgrades_total{result="failed"}': 2, [closed('transport close')]: 1 }, async () => {
      const sid = await sioPoll();
      const mute = await wsOpen(asked, { target: withSid(sid, 'websocket') });
      assert.equal(await mute.closed(), null);
      const bad = await wsOpen(asked, { target: withSid(sid, 'websocket') });
      bad.send('5');
      assert.equal(await bad.closed(), null);
      const gone = await wsOpen(asked, { target: withSid(sid, 'websocket') });
      gone.send('2probe');
      await gone.text('3probe');
      gone.raw.reset();
      assert.equal((await post(asked, withSid(sid), '1')).body, 'ok');
      await isGone(sid);
    });
  });

  test('C1 a breach of the protocol on an upgraded session ends it on its node too', async () => {
    await attack({ 'ingoma_websocket_protocol_errors_total{code="1002"}': 1 }, { [closed('transport error')]: 1 }, async () => {
      const sid = await sioPoll();
      const ws = await wsOpen(asked, { target: withSid(sid, 'websocket') });
      ws.send('2probe');
      await ws.text('3probe');
      ws.send('5');
      ws.send('420["unknown"]');
      await ws.text('430[');
      ws.write(Buffer.from([0xf1, 0x80, 0, 0, 0, 0]));
      assert.equal(await ws.closed(), 1002);
      await isGone(sid);
    });
  });
});
