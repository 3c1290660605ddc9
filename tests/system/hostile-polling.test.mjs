// Hostile use of polling and of the upgrade: bodies, crossing requests, abandoned sessions. Rows B4, B5 and B9 of the
// security list, and the loops that show that nothing is left behind.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { stopAll, until } from '../support/cluster.mjs';
import { ENGINE, Raw, RawSocket, answerOf, eioOpen, get, head, parseAnswer, pollOpen, post, request, sioOpen, upgradeHead, within, withSid, wsOpen } from '../support/raw.mjs';
import { startWitness } from '../support/witness.mjs';

after(stopAll);

const eioError = (code) => `ingoma_handshake_errors_total{code="${code}"}`;
const closed = (reason) => `ingoma_sessions_closed_total{reason="${reason}"}`;
const upgrades = (result) => `ingoma_upgrades_total{result="${result}"}`;
const GONE = { code: 1, message: 'Session ID unknown' };
const NO_SESSION_MORE = ['ingoma_sessions', 'ingoma_sockets', 'ingoma_websocket_connections'];

async function isGone(port, sid) {
  const got = await get(port, withSid(sid));
  assert.deepEqual([got.status, JSON.parse(got.body)], [400, GONE]);
}

// A polling session that is connected to "/".
async function sioPoll(port) {
  const sid = await pollOpen(port);
  await post(port, withSid(sid), '40');
  assert.match((await get(port, withSid(sid))).body, /^40\{/);
  return sid;
}

function hold(port, bytes) {
  const raw = new Raw(port);
  raw.write(bytes);
  return raw;
}

const park = (port, sid) => hold(port, head('GET', withSid(sid)));

describe('bodies', () => {
  let w;
  before(async () => {
    w = await startWitness();
  });
  after(() => w.end());

  test('B4 bodies that cannot be read: 200 "ok", the session is closed, the process lives', async () => {
    const base64 = 'A'.repeat(999_996);
    const rows = {
      'nothing at all': '', 'an empty packet': '3\x1e', 'only separators': '\x1e'.repeat(1000), 'a hundred thousand empty messages': '4\x1e'.repeat(100_000),
      'a hundred thousand pongs': `3${'\x1e3'.repeat(99_999)}`, 'no such type': '7', 'a JavaScript name': '__proto__', 'a protocol 3 body': '9:40',
      'a megabyte of binary that nobody announced': `b${base64}`, 'base64 with foreign letters': 'b!!!!', 'base64 cut short': 'bA', 'only padding': 'b====', 'padding in the middle': 'bAA==AAAA',
      'blanks in base64': 'bAQ ==', 'half a surrogate pair in UTF-8': Buffer.from([0x34, 0x32, 0xed, 0xa0, 0x80]), 'invalid UTF-8': Buffer.from([0x34, 0xff, 0xfe]),
      'overlong UTF-8': Buffer.from([0x34, 0xc0, 0xaf]), 'UTF-8 cut short': Buffer.from([0x34, 0x32, 0xe2, 0x82]),
    };
    for (const [name, body] of Object.entries(rows)) {
      await w.attack({ [closed('parse error')]: 1, ingoma_packet_errors_total: 1 }, async () => {
        const sid = await sioPoll(w.port);
        const parked = park(w.port, sid);
        await parked.opened;
        const got = await post(w.port, withSid(sid), body);
        assert.deepEqual([got.status, got.body], [200, 'ok'], name);
        assert.ok(got.ms < 15000, `${name}: ${got.ms} ms`);
        await isGone(w.port, sid);
        parked.destroy();
      }, { back: NO_SESSION_MORE });
    }
  });

  test('B4 the thousandth packet passes, the next one does not', async () => {
    const sid = await sioPoll(w.port);
    assert.equal((await post(w.port, withSid(sid), Array(1000).fill('3').join('\x1e'))).body, 'ok');
    assert.equal((await post(w.port, withSid(sid), '420["nobody knows this"]')).body, 'ok');
    assert.match((await get(w.port, withSid(sid))).body, /^430\[/);
    await w.attack({ [closed('parse error')]: 1 }, async () => {
      await post(w.port, withSid(sid), Array(1001).fill('3').join('\x1e'));
      await isGone(w.port, sid);
    });
  });

  test('B4 bodies of protocol 3 whose lengths lie', async () => {
    const engine3 = '/socket.io/?EIO=3&transport=polling';
    const rows = ['9999999999:4', '0:', ':', '3:4a', '-1:4a', '1:4a', '1e3:4', '2:4\u{1f600}', '99999999999999999999:4a',
      Buffer.from([0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0xff, 0x34]), Buffer.from([1, 0xff]), Buffer.from([2, 1, 0xff, 0x34]), Buffer.from([0, 5, 0xff, 0x34])];
    await w.attack({ [closed('parse error')]: rows.length }, async () => {
      for (const row of rows) {
        const open = await get(w.port, engine3);
        const { sid } = JSON.parse(open.body.slice(open.body.indexOf('{'), open.body.lastIndexOf('}') + 1));
        const type = Buffer.isBuffer(row) ? 'application/octet-stream' : 'text/plain;charset=UTF-8';
        const data = Buffer.from(row);
        const got = await request(w.port, Buffer.concat([Buffer.from(head('POST', `${engine3}&sid=${sid}`, [['Content-Type', type], ['Content-Length', data.length]])), data]));
        assert.deepEqual([got.status, got.body], [200, 'ok'], `${row}`);
        for (let i = 0; i < 2; i++) { // what was queued before the end may still be fetched, then "noop, close"
          const last = await get(w.port, `${engine3}&sid=${sid}`);
          if (last.status === 400) break;
          assert.match(last.body, i === 0 ? /^2:40$/ : /^1:61:1$/, `${row}`);
        }
        assert.equal(JSON.parse((await get(w.port, `${engine3}&sid=${sid}`)).body).code, 1, `${row}`);
      }
    }, { back: NO_SESSION_MORE });
  });

  test('B5 two polls at once: the first gets "1", the second 400, the session ends', async () => {
    await w.attack({ [closed('transport error')]: 1 }, async () => {
      const sid = await sioPoll(w.port);
      const first = park(w.port, sid);
      await first.opened;
      const second = park(w.port, sid);
      const [a, b] = await Promise.all([answerOf(first), answerOf(second)]);
      assert.deepEqual([a.status, b.status].sort(), [200, 400]);
      assert.deepEqual([a.body, b.body].sort(), ['', '1']);
      await isGone(w.port, sid);
      first.destroy();
      second.destroy();
    }, { back: NO_SESSION_MORE });
  });

  test('B5 two posts at once: one 400, the other cut, the session ends', async () => {
    await w.attack({ [closed('transport error')]: 1 }, async () => {
      const sid = await sioPoll(w.port);
      const half = `${head('POST', withSid(sid), [['Content-Length', 10]])}42`;
      const both = [hold(w.port, half), hold(w.port, half)];
      await Promise.all(both.map((raw) => within(raw.ended, 'the end of a post')));
      const answers = both.map((raw) => parseAnswer(raw.bytes, true)?.status).sort();
      assert.deepEqual(answers, [400, undefined]);
      await isGone(w.port, sid);
    }, { back: NO_SESSION_MORE });
  });

  test('B5 a poll or a post that is given up midway ends the session', async () => {
    await w.attack({ [closed('transport error')]: 4 }, async () => {
      for (const end of ['destroy', 'reset']) {
        for (const bytes of [(sid) => head('GET', withSid(sid)), (sid) => `${head('POST', withSid(sid), [['Content-Length', 9]])}42`]) {
          const sid = await sioPoll(w.port);
          const raw = hold(w.port, bytes(sid));
          const reads = (await w.node.metrics()).ingoma_http_requests_total;
          await until('the request to be read', async () => (await w.node.metrics()).ingoma_http_requests_total > reads || reads);
          await raw.opened;
          await new Promise((yes) => {
            raw.socket.write('', yes);
          });
          raw[end]();
          await until('the session to be gone', async () => (await post(w.port, withSid(sid), '3')).status === 400);
        }
      }
    }, { back: NO_SESSION_MORE });
  });

  test('B5 after the upgrade: polls, posts and a second WebSocket get code 3, the session goes on', async () => {
    await w.attack({ [upgrades('done')]: 1, [eioError(3)]: 4 }, async () => {
      const sid = await sioPoll(w.port);
      const ws = await wsOpen(w.port, { target: withSid(sid, 'websocket') });
      ws.send('2probe');
      assert.equal(await ws.text('3'), '3probe');
      assert.equal((await request(w.port, upgradeHead(withSid(sid, 'websocket')))).status, 400, 'a second probe while one runs');
      ws.send('5');
      ws.send('420["unknown"]');
      await ws.text('430[');
      for (const got of [await get(w.port, withSid(sid)), await post(w.port, withSid(sid), '3')]) {
        assert.deepEqual([got.status, JSON.parse(got.body).code], [400, 3]);
      }
      assert.equal((await request(w.port, upgradeHead(withSid(sid, 'websocket')))).status, 400);
      ws.send('421["unknown"]');
      await ws.text('431[');
      ws.destroy();
    }, { back: NO_SESSION_MORE });
  });

  test('B5 a probe that says something else is ended, the session goes on polling', async () => {
    const words = ['5', '2', '3probe', '2probe ', '40', '', '__proto__', '2probe2probe'];
    await w.attack({ [upgrades('failed')]: words.length + 2 }, async () => {
      const sid = await sioPoll(w.port);
      for (const word of words) {
        const ws = await wsOpen(w.port, { target: withSid(sid, 'websocket') });
        ws.send(word);
        assert.equal(await ws.closed(), null, word);
      }
      const twice = await wsOpen(w.port, { target: withSid(sid, 'websocket') });
      twice.send('2probe');
      twice.send('2probe');
      assert.equal(await twice.closed(), null);
      const binary = await wsOpen(w.port, { target: withSid(sid, 'websocket') });
      binary.sendBinary('2probe');
      assert.equal(await binary.closed(), null);
      assert.equal((await post(w.port, withSid(sid), '420["unknown"]')).body, 'ok');
      assert.match((await get(w.port, withSid(sid))).body, /430\[/);
      await post(w.port, withSid(sid), '1');
    }, { back: NO_SESSION_MORE });
  });

  test('B5 a close during the upgrade ends both', async () => {
    await w.attack({ [closed('transport close')]: 1 }, async () => {
      const sid = await sioPoll(w.port);
      const ws = await wsOpen(w.port, { target: withSid(sid, 'websocket') });
      ws.send('2probe');
      await ws.text('3probe');
      assert.equal((await post(w.port, withSid(sid), '1')).body, 'ok');
      assert.equal(await ws.closed(), null);
      await isGone(w.port, sid);
    }, { back: NO_SESSION_MORE });
  });
});

describe('nothing is left behind', () => {
  let w;
  const GAUGES = [...NO_SESSION_MORE, 'ingoma_connections', 'ingoma_buffers', 'ingoma_out_queue_bytes'];
  before(async () => {
    w = await startWitness({ PING_INTERVAL_MS: '1000', PING_TIMEOUT_MS: '1000', UPGRADE_TIMEOUT_MS: '300', CONNECT_TIMEOUT_MS: '60000', MAX_CONNECTIONS: '2500' });
  });
  after(() => w.end());

  async function inBatches(count, size, one) {
    for (let done = 0; done < count; done += size) await Promise.all(Array.from({ length: Math.min(size, count - done) }, one));
  }

  test('B9 two thousand handshakes, each abandoned: all time out, every sid is its own', async () => {
    const sids = new Set();
    await w.attack({ [closed('ping timeout')]: 2000, 'ingoma_sessions_opened_total{transport="polling"}': 2000 },
      () => inBatches(2000, 50, async () => sids.add(await pollOpen(w.port))), { back: GAUGES });
    assert.equal(sids.size, 2000);
    const random = [...sids].map((sid) => sid.slice(4)).sort();
    let shared = 0; // of neighbours in order: of 2,000 random ids no two share 8 characters (48 bits)
    for (let i = 1; i < random.length; i++) {
      let n = 0;
      while (random[i][n] === random[i - 1][n]) n++;
      shared = Math.max(shared, n);
    }
    assert.ok(shared < 8, `two sids share ${shared} characters`);
  });

  test('B9 sessions are capped as connections are: above MAX_CONNECTIONS 503, and back again', async () => {
    let opened = 0, full = 0;
    await w.attack({ [closed('ping timeout')]: 2000, 'ingoma_http_responses_total{status="503"}': 1 }, () => inBatches(4000, 50, async () => {
      const got = await get(w.port, `${ENGINE}polling`);
      if (got.status === 200) opened++;
      else if (got.status === 503) full++;
      else assert.fail(`${got.status} ${got.body}`);
    }), { back: GAUGES });
    assert.ok(full > 0 && opened >= 2000, `${opened} opened, ${full} refused`);
    await eioOpen(w.port).then((ws) => ws.destroy());
  });

  test('B5 five hundred upgrade probes that never finish: all time out, the sessions end by themselves', async () => {
    await w.attack({ [upgrades('timeout')]: 500, [closed('ping timeout')]: 500 }, () => inBatches(500, 50, async () => {
      const sid = await pollOpen(w.port);
      const raw = hold(w.port, upgradeHead(withSid(sid, 'websocket')));
      const ws = new RawSocket(raw, (await answerOf(raw)).used);
      if (sid.charCodeAt(19) & 1) ws.send('2probe'); // half of them stop after the probe
      assert.equal(await ws.closed(), null);
    }), { back: GAUGES });
  });

  test('B5 a thousand connections cut at every stage leave nothing', async () => {
    let i = 0;
    await w.attack({ ingoma_connections_accepted_total: 1000 }, () => inBatches(1000, 40, async () => {
      const stage = i++ % 5;
      if (stage === 0) {
        const raw = hold(w.port, 'GET /socket.io/?EIO=4&tra');
        await raw.opened;
        raw.reset();
      } else if (stage === 1) {
        const sid = await pollOpen(w.port);
        const raw = park(w.port, sid);
        await raw.opened;
        raw.reset();
      } else if (stage === 2) {
        const ws = await sioOpen(w.port);
        ws.send('42["joinRoom",{"roomId":"cut"}]');
        ws.write(Buffer.from([0x81, 0xfe])); // half a header
        ws.raw.reset();
      } else if (stage === 3) {
        const ws = await sioOpen(w.port);
        ws.send('452-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
        ws.sendBinary(Buffer.alloc(10000));
        ws.raw.reset();
      } else {
        const sid = await pollOpen(w.port);
        const raw = hold(w.port, `${head('POST', withSid(sid), [['Transfer-Encoding', 'chunked']])}1000\r\n4`);
        await raw.opened;
        raw.reset();
      }
    }), { back: [...GAUGES, 'ingoma_rooms'] });
  });
});
