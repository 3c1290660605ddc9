// Hostile HTTP: heads, origins, limits, slow senders, query parameters. Rows A1-A10 and B1-B3, B6-B8, B10 of the security
// list; polling sessions are in hostile-polling, frames in hostile-ws, packets in hostile-sio.
//
// | row | why it has no test here |
// |-----|-------------------------|
// | A7  | a token that runs out makes a guest (unit tests of node/event); logout and roles come with accounts |
// | A9  | TLS ends in front of the node |
// | A10 | the node never reads X-Forwarded-For: no limit or log line depends on an address yet |
// | B8, second half | there is no cookie option: the server sets none (asserted with A2) |
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { JWT_SECRET, stopAll, until } from '../support/cluster.mjs';
import { ENGINE, Raw, answerOf, eioOpen, get, head, pollOpen, post, request, sioOpen, upgradeHead, within, withSid, wsOpen } from '../support/raw.mjs';
import { startWitness } from '../support/witness.mjs';

after(stopAll);

const refused = (status) => `ingoma_http_refused_total{status="${status}"}`;
const eioError = (code) => `ingoma_handshake_errors_total{code="${code}"}`;
const POLLING = `${ENGINE}polling`;
const WEBSOCKET = `${ENGINE}websocket`;

const upgrade = (port, target, options) => request(port, upgradeHead(target, options));
const json = (answer) => JSON.parse(answer.body);

function token(claims) {
  const part = (o) => Buffer.from(JSON.stringify(o)).toString('base64url');
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ exp: Math.floor(Date.now() / 1000) + 600, ...claims })}`;
  return `${body}.${crypto.createHmac('sha256', JWT_SECRET).update(body).digest('base64url')}`;
}

describe('origins and heads', () => {
  let w;
  before(async () => {
    w = await startWitness({ LOG_LEVEL: 'debug' });
  });
  after(() => w.end());

  test('A1 a WebSocket from a foreign origin gets 403; another case of the host or none at all is let in', async () => {
    const foreign = ['https://quizblog.rw.evil.example', 'https://evilquizblog.rw', 'null', 'https://quizblog.rw:444', 'https://quizblog.rw@evil.example'];
    await w.attack({ [eioError(4)]: foreign.length }, async () => {
      for (const origin of foreign) {
        const got = await upgrade(w.port, WEBSOCKET, { headers: [['Origin', origin]] });
        assert.deepEqual([got.status, got.body], [403, 'Forbidden'], origin);
      }
    });
    for (const headers of [[['Origin', 'https://QuizBlog.RW']], [['Origin', 'https://quizblog.rw']], []]) {
      (await wsOpen(w.port, { headers })).destroy();
    }
  });

  test('A2 a preflight or a poll from a foreign origin gets no allow-origin, and never a star with credentials', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `x-header-${i}`).join(',');
    await w.attack({ 'ingoma_http_responses_total{status="204"}': 2 }, async () => {
      for (const origin of ['https://evil.example', 'https://quizblog.rw.evil.example']) {
        const got = await request(w.port, head('OPTIONS', POLLING, [['Origin', origin], ['Access-Control-Request-Method', 'POST'],
          ['Access-Control-Request-Headers', names], ['Cookie', 'a=b']]));
        assert.equal(got.status, 204);
        assert.equal(got.headers['access-control-allow-origin'], undefined);
        assert.match(got.headers.vary, /Origin/);
        const poll = await get(w.port, POLLING, [['Origin', origin]]);
        assert.equal(poll.headers['access-control-allow-origin'], undefined);
        assert.match(poll.headers.vary, /Origin/);
        assert.equal(poll.headers['set-cookie'], undefined);
      }
    });
    const own = await get(w.port, POLLING, [['Origin', 'https://quizblog.rw']]);
    assert.equal(own.headers['access-control-allow-origin'], 'https://quizblog.rw');
    assert.equal(own.headers['access-control-allow-credentials'], 'true');
    assert.match(own.headers.vary, /Origin/);
    assert.match((await get(w.port, `${POLLING}&sid=x`)).headers.vary, /Origin/, 'on errors too');
  });

  test('A4 an upgrade that is none is refused: version, key, Connection', async () => {
    await w.attack({ 'ingoma_websocket_refused_total{status="426"}': 2, 'ingoma_websocket_refused_total{status="400"}': 4, [eioError(3)]: 1 }, async () => {
      for (const version of ['8', '13, 8']) {
        const got = await upgrade(w.port, WEBSOCKET, { version });
        assert.equal(got.status, 426);
        assert.equal(got.headers['sec-websocket-version'], '13');
      }
      for (const key of [null, 'c2hvcnQ=', `${'A'.repeat(23)}=`, crypto.randomBytes(17).toString('base64')]) {
        assert.equal((await upgrade(w.port, WEBSOCKET, { key })).status, 400, `key ${key}`);
      }
      const closed = await upgrade(w.port, WEBSOCKET, { connection: 'close' });
      assert.equal(closed.status, 400);
      assert.equal(json(closed).code, 3);
    });
  });

  test('A6 a guessed, changed or cut sid is unknown', async () => {
    const sid = await pollOpen(w.port);
    assert.match(sid, /^[A-Za-z0-9_-]{20}$/);
    const last = sid.charCodeAt(19);
    const guesses = [sid.slice(0, 19), `${sid}A`, `${sid.slice(0, 19)}${String.fromCharCode(last === 0x41 ? 0x42 : 0x41)}`, sid.toLowerCase() === sid ? sid.toUpperCase() : sid.toLowerCase(),
      sid.slice(0, 4), `${sid.slice(0, 4)}${'A'.repeat(16)}`, '..%2f..%2f..%2f..%2f', '%00'.repeat(20), "' OR 1=1 --".replaceAll(' ', '%20'), 'A'.repeat(4000)];
    await w.attack({ [eioError(1)]: guesses.length * 3 }, async () => {
      for (const guess of guesses) {
        const answers = [await get(w.port, withSid(guess)), await post(w.port, withSid(guess), '3')];
        for (const got of answers) assert.deepEqual([got.status, json(got)], [400, { code: 1, message: 'Session ID unknown' }], guess);
        const ws = await upgrade(w.port, withSid(guess, 'websocket'));
        assert.deepEqual([ws.status, ws.body], [400, 'Session ID unknown'], guess);
      }
    });
    assert.equal((await post(w.port, withSid(sid), '3')).body, 'ok', 'the real one goes on');
  });

  test('A8 a token in the URL or a header is in no log line', async () => {
    const secret = token({ id: 'spy', name: 'Spy' });
    await w.attack({ ingoma_sockets_connected_total: 1, ingoma_tokens_total: 1 }, async () => {
      const ws = await sioOpen(w.port, { target: `${WEBSOCKET}&token=${secret}`, headers: [['Authorization', `Bearer ${secret}`]] });
      await get(w.port, `${POLLING}&token=${secret}&sid=nope`);
      await get(w.port, `/socket.io/?EIO=9&token=${secret}&transport=polling`);
      ws.send('4nonsense');
      await ws.closed();
    });
    const text = w.node.logs();
    assert.ok(text.length > 0);
    assert.ok(!text.includes(secret.split('.')[2]) && !text.includes(secret.split('.')[1]), 'a token was logged');
  });

  test('B1 names of JavaScript and other nonsense as transport: code 0, on GET and on an upgrade', async () => {
    const names = ['constructor', '__proto__', 'toString', '%00', 'polling%00', 'Polling', 'hasOwnProperty', '', 'websocket,polling', 'x'.repeat(7000)];
    await w.attack({ [eioError(0)]: names.length * 2 + 1 }, async () => {
      for (const name of names) {
        const got = await get(w.port, `${ENGINE}${name}`);
        assert.deepEqual([got.status, json(got)], [400, { code: 0, message: 'Transport unknown' }], name);
        const ws = await upgrade(w.port, `${ENGINE}${name}`);
        assert.deepEqual([ws.status, ws.body], [400, 'Transport unknown'], name);
      }
      assert.equal(json(await get(w.port, '/socket.io/?EIO=4')).code, 0, 'absent');
    });
    await w.attack({ [refused(431)]: 2 }, async () => { // 10 kB is above the limit of the whole head
      assert.equal((await get(w.port, `${ENGINE}${'x'.repeat(10000)}`)).status, 431);
      assert.equal((await upgrade(w.port, `${ENGINE}${'x'.repeat(10000)}`)).status, 431);
    });
  });

  test('B2 EIO: foreign values are code 5, of two the first counts', async () => {
    const wrong = ['EIO=abc', 'EIO=5', 'EIO=', 'EIO=04', 'EIO=4%00', 'EIO=5&EIO=4', 'EIO=99999999999999999999'];
    await w.attack({ [eioError(5)]: wrong.length * 2 }, async () => {
      for (const query of wrong) {
        const got = await get(w.port, `/socket.io/?${query}&transport=polling`);
        assert.deepEqual([got.status, json(got)], [400, { code: 5, message: 'Unsupported protocol version' }], query);
        const ws = await upgrade(w.port, `/socket.io/?${query}&transport=websocket`);
        assert.deepEqual([ws.status, ws.body], [400, 'Unsupported protocol version'], query);
      }
    });
    assert.equal((await get(w.port, '/socket.io/?EIO=4&EIO=5&transport=polling')).status, 200);
  });

  test('B3 a body over the limit is 413 before it is read, and the session goes on', async () => {
    const sid = await pollOpen(w.port);
    const big = Buffer.alloc(1 << 20, 0x34);
    await w.attack({ 'ingoma_http_responses_total{status="413"}': 3 }, async () => {
      const announced = new Raw(w.port);
      announced.write(head('POST', withSid(sid), [['Content-Length', 100_000_000]]));
      assert.equal((await answerOf(announced)).status, 413);
      assert.equal(await announced.pour(big, 100), false, 'the server ends the connection');
      const chunked = new Raw(w.port);
      chunked.write(head('POST', withSid(sid), [['Transfer-Encoding', 'chunked']]));
      const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65536, 0x34), Buffer.from('\r\n')]);
      await chunked.pour(chunk, 16);
      assert.equal((await answerOf(chunked)).status, 413);
      assert.equal(await chunked.pour(chunk, 1600), false);
      const lie = await request(w.port, `${head('POST', withSid(sid), [['Transfer-Encoding', 'chunked']])}fffffffffffffff\r\n4`);
      assert.equal(lie.status, 413);
    });
    assert.equal((await post(w.port, withSid(sid), '3')).body, 'ok');
  });

  test('B3 contradicting or impossible framing is 400, also behind a good request', async () => {
    const at = (lines, body = '') => head('POST', POLLING, lines) + body;
    const rows = [
      at([['Content-Length', '-1']]), at([['Content-Length', '18446744073709551616']]), at([['Content-Length', '18446744073709551615']]), at([['Content-Length', '+5']], 'hello'),
      at([['Content-Length', '5, 5']], 'hello'), at([['Content-Length', '0x5']], 'hello'), at([['Content-Length', '']]), at([['Content-Length', '5'], ['Content-Length', '6']], 'hello'),
      at([['Content-Length', '5'], ['Transfer-Encoding', 'chunked']], '0\r\n\r\n'), at([['Transfer-Encoding', 'chunked'], ['Transfer-Encoding', 'chunked']], '0\r\n\r\n'),
      at(['Content-Length : 5'], 'hello'), at([' Content-Length: 5'], 'hello'), at([['X', 'a\nContent-Length: 5']], 'hello'), at([['X', 'a\r b']]), at([['X', 'a\0b']]),
      head('POST', POLLING, [['Host', 'second']]), head('GET', POLLING, [['Content-Length', '5']]), head('GET', '/socket.io /?a', []), head('G@T', POLLING), head('GET', POLLING, [], ''),
    ];
    await w.attack({ [refused(400)]: rows.length + 3 }, async () => {
      for (const row of rows) {
        const got = await request(w.port, row, { keep: true });
        assert.equal(got.status, 400, JSON.stringify(row.slice(0, 200)));
        assert.equal(got.headers.connection, 'close');
        await within(got.raw.ended, `the end after ${JSON.stringify(row.slice(0, 100))}`);
      }
      for (const body of ['zz\r\n', '1\r\n4x', `${'0'.repeat(16)}1\r\n4\r\n0\r\n\r\n`]) { // a bad size, no CR LF behind the data, too many digits
        const sid = await pollOpen(w.port);
        assert.equal((await request(w.port, `${head('POST', withSid(sid), [['Transfer-Encoding', 'chunked']])}${body}`)).status, 400, body);
      }
    });
    assert.equal((await request(w.port, at([['Transfer-Encoding', 'gzip, chunked']]))).status, 501);
    const raw = new Raw(w.port); // a second request on the connection is judged by itself
    raw.write(head('GET', `${ENGINE}polling`) + rows[0]);
    const first = await answerOf(raw);
    assert.equal(first.status, 200);
    await within(raw.ended, 'the end');
    assert.match(raw.bytes.subarray(first.used).toString(), /^HTTP\/1\.1 400 /);
  });

  test('B6 a reset right behind an invalid upgrade harms nobody', async () => {
    await w.attack({ [eioError(0)]: 60 }, async () => {
      for (let i = 0; i < 60; i++) {
        const raw = new Raw(w.port);
        await raw.opened;
        await new Promise((yes) => {
          raw.socket.write(upgradeHead(`${ENGINE}constructor`), yes);
        });
        raw.reset();
      }
    }, { back: ['ingoma_websocket_connections'] });
  });

  test('B7 heads over the limits are 431, and odd long ones take linear time', async () => {
    const many = Array.from({ length: 2000 }, (_, i) => `a${i % 10}:b`);
    const rows = [head('GET', POLLING, many), head('GET', POLLING, [['X', 'y'.repeat(65536)]]), head('GET', `/${'z'.repeat(65536)}`),
      upgradeHead(WEBSOCKET, { headers: [['Sec-WebSocket-Protocol', ' ,'.repeat(25000)]] }), head('GET', POLLING, Array.from({ length: 101 }, () => 'a:b')), 'G'.repeat(200000)];
    await w.attack({ [refused(431)]: rows.length }, async () => {
      for (const row of rows) {
        const got = await request(w.port, row);
        assert.equal(got.status, 431, row.slice(0, 60));
        assert.ok(got.ms < 15000, `${got.ms} ms for ${row.slice(0, 60)}`);
      }
    });
    const blanks = await wsOpen(w.port, { headers: [['Sec-WebSocket-Protocol', ' ,'.repeat(3500)]] });
    assert.equal(blanks.answer.headers['sec-websocket-protocol'], undefined);
    const upgrades = await wsOpen(w.port, { headers: Array.from({ length: 90 }, () => ['Upgrade', 'websocket, h2c']) });
    blanks.destroy();
    upgrades.destroy();
    await w.undisturbed();
  });

  test('B7 requests in a row whose answers nobody reads wait, and memory does not grow with them', async () => {
    await w.attack({ ingoma_http_requests_total: 1000 }, async () => {
      const raw = new Raw(w.port);
      await raw.opened;
      raw.socket.pause();
      raw.write(head('GET', `${POLLING}&sid=x`).repeat(400_000));
      await until('the queue to be full', async () => (await w.node.metrics()).ingoma_out_queue_bytes > 0);
      const full = (await w.node.metrics()).ingoma_received_bytes_total;
      await w.undisturbed();
      const later = await w.node.metrics();
      assert.ok(later.ingoma_out_queue_bytes < 256 * 1024, `${later.ingoma_out_queue_bytes} bytes of answers`);
      assert.ok(later.ingoma_received_bytes_total - full < 1 << 20, 'it goes on reading');
      raw.destroy();
    }, { back: ['ingoma_out_queue_bytes', 'ingoma_connections'], bytes: 24 << 20 });
  });

  test('other protocols and other methods get a clear no', async () => {
    const hello = Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), crypto.randomBytes(300), Buffer.from('\r\n')]);
    const rows = { 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n': 505, 'SSH-2.0-OpenSSH_9.2\r\n': 400, 'GET /\r\n\r\n': 400, 'GET / HTTP/0.9\r\n\r\n': 505, 'CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\n\r\n': 400,
      'GET / HTTP/1.1 \r\nHost: a\r\n\r\n': 505, '*3\r\n$3\r\nSET\r\n': 400, [`${'A'.repeat(17)} / HTTP/1.1\r\nHost: a\r\n\r\n`]: 400, '\n\n\n': 400 };
    await w.attack({ [refused(400)]: 7, [refused(505)]: 3 }, async () => {
      assert.equal((await request(w.port, hello)).status, 400);
      for (const [bytes, status] of Object.entries(rows)) assert.equal((await request(w.port, bytes)).status, status, bytes);
    });
    const sid = await pollOpen(w.port);
    for (const method of ['PUT', 'DELETE', 'PATCH', 'TRACE', 'get', 'CONNECT']) {
      assert.equal((await request(w.port, head(method, POLLING))).status, 400, method);
      assert.equal((await request(w.port, head(method, withSid(sid)))).status, 500, method);
    }
    assert.equal((await post(w.port, withSid(sid), '3')).body, 'ok', 'the session goes on');
  });

  test('B8 a Content-Type that is none of EIO 4: 400 and the end of the session', async () => {
    await w.attack({ 'ingoma_sessions_closed_total{reason="transport error"}': 1, [refused(400)]: 1 }, async () => {
      const sid = await pollOpen(w.port);
      const got = await request(w.port, `${head('POST', withSid(sid), [['Content-Type', 'application/octet-stream; x=y'], ['Content-Length', '1']])}3`);
      assert.deepEqual([got.status, got.body], [400, '']);
      assert.equal(json(await get(w.port, withSid(sid))).code, 1);
      assert.equal((await request(w.port, `${head('POST', POLLING, [['Content-Type', 'text/\x01plain'], ['Content-Length', '1']])}3`)).status, 400);
    });
  });

  test('B10 JSONP is not served, and the callback is not repeated', async () => {
    const calls = ['0', '%3Cscript%3Ealert(1)%3C/script%3E', 'alert', ''];
    await w.attack({ [eioError(3)]: calls.length }, async () => {
      for (const j of calls) {
        const got = await get(w.port, `${POLLING}&j=${j}`);
        assert.deepEqual([got.status, json(got)], [400, { code: 3, message: 'JSONP is not served' }], j);
        assert.equal(got.headers['content-type'], 'application/json');
      }
    });
  });
});

describe('slow senders', () => {
  let w;
  before(async () => {
    w = await startWitness({ HEAD_TIMEOUT_MS: '400', BODY_TIMEOUT_MS: '400', CONNECT_TIMEOUT_MS: '600', KEEP_ALIVE_MS: '600' });
  });
  after(() => w.end());

  test('A5 a head or a body at a byte at a time is 408, and the place is free again', async () => {
    await w.attack({ ingoma_http_timeouts_total: 3, [refused(408)]: 3 }, async () => {
      const slow = new Raw(w.port);
      slow.drip(head('GET', POLLING), 50);
      assert.equal((await answerOf(slow)).status, 408);
      await within(slow.ended, 'the end');
      const sid = await pollOpen(w.port);
      for (const lines of [[['Content-Length', 5000]], [['Transfer-Encoding', 'chunked']]]) {
        const body = new Raw(w.port);
        body.write(head('POST', withSid(lines[0][1] === 5000 ? sid : await pollOpen(w.port)), lines));
        body.drip(`1388\r\n${'4'.repeat(5000)}`, 50);
        assert.equal((await answerOf(body)).status, 408);
        await within(body.ended, 'the end');
      }
      assert.equal(json(await get(w.port, withSid(sid))).code, 1, 'its session is gone');
    }, { back: ['ingoma_connections', 'ingoma_sessions'] });
  });

  test('A5 silence is ended: before a request, after one, after 101, without CONNECT', async () => {
    await w.attack({ 'ingoma_sessions_closed_total{reason="connect timeout"}': 2 }, async () => {
      const mute = new Raw(w.port);
      const idle = await request(w.port, head('GET', '/health'), { keep: true });
      const ws = await eioOpen(w.port);
      const sid = await pollOpen(w.port);
      const parked = get(w.port, withSid(sid));
      await within(mute.ended, 'the end of a silent connection');
      await within(idle.raw.ended, 'the end of an idle connection');
      assert.equal(await ws.closed(), null);
      assert.equal((await parked).body, '1');
      assert.equal(json(await get(w.port, withSid(sid))).code, 1);
    }, { back: ['ingoma_connections', 'ingoma_sessions'] });
  });
});

test('B2 without protocol 3 an absent EIO and EIO=3 are code 5', async () => {
  const w = await startWitness({ EIO3: 'off' });
  await w.attack({ [eioError(5)]: 2 }, async () => {
    for (const query of ['transport=polling', 'EIO=3&transport=polling']) {
      assert.equal(json(await get(w.port, `/socket.io/?${query}`)).code, 5, query);
    }
  });
  w.end();
});

test('A3 a cookie is no token: where one is required, a page of another site stays outside', async () => {
  const good = token({ id: 'u1', name: 'One' });
  const w = await startWitness({ AUTH_REQUIRED: 'on' }, { auth: { token: good } });
  await w.attack({ ingoma_sockets_refused_total: 1 }, async () => {
    const cookie = [['Origin', 'https://evil.example'], ['Cookie', `token=${good}; auth=${good}; io=${good}`]];
    const sid = await pollOpen(w.port, '', cookie);
    assert.equal((await post(w.port, withSid(sid), '40', cookie)).body, 'ok');
    const got = await get(w.port, withSid(sid), cookie);
    assert.match(got.body, /^44\{"message":/);
    assert.equal(got.headers['access-control-allow-origin'], undefined);
  });
  w.end();
});
