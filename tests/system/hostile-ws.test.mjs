// Hostile WebSocket frames (RFC 6455): lengths, reserved bits, fragments, control frames, extensions, UTF-8. Rows C1-C9 of
// the security list.
//
// | row | why it has no test here |
// |-----|-------------------------|
// | C6  | permessage-deflate is never negotiated: a compressed frame is a reserved bit (C2), nothing inflates |
// | C8  | the Autobahn suite is no package of this project; C1-C7 and C9 cover its sections 2-7 and 9 for a server that takes no extension |
// | C9, second half | MemorySanitizer needs instrumented libraries; the echoes are compared byte by byte under ASan |
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { stopAll } from '../support/cluster.mjs';
import { OP, closePayload, eioOpen, frame, request, sioOpen, upgradeHead, within, wsOpen, ENGINE } from '../support/raw.mjs';
import { startWitness } from '../support/witness.mjs';

after(stopAll);

const breach = (code) => `ingoma_websocket_protocol_errors_total{code="${code}"}`;
const ENDED = 'ingoma_sessions_closed_total{reason="transport error"}';
const BACK = { back: ['ingoma_sessions', 'ingoma_sockets', 'ingoma_websocket_connections', 'ingoma_connections'] };

describe('frames', () => {
  let w;
  before(async () => {
    w = await startWitness();
  });
  after(() => w.end());

  // rows: {name: bytes of one attack, or a function of the socket}; each on a session of its own, closed with `code`.
  async function refusedWith(code, rows, bytes) {
    const n = Object.keys(rows).length;
    await w.attack({ [breach(code)]: n, [ENDED]: n }, async () => {
      for (const [name, row] of Object.entries(rows)) {
        const ws = await sioOpen(w.port);
        if (typeof row === 'function') await row(ws);
        else ws.write(row);
        const got = await ws.closed().catch((error) => assert.fail(`${name}: ${error.message}`));
        assert.equal(got, code, name);
      }
    }, { ...BACK, ...(bytes ? { bytes } : {}) });
  }

  async function answers(ws, id = 0) { // an event that nobody knows is still answered
    ws.send(`42${id}["unknown"]`);
    await ws.text(`43${id}[`);
  }

  test('C1 a length that cannot be, or not in its shortest form, is 1002, before anything is allocated', async () => {
    await refusedWith(1002, {
      '2^63': frame(OP.TEXT, '4', { length: 2n ** 63n }), '2^64 - 1': frame(OP.BINARY, '4', { length: 2n ** 64n - 1n }),
      '64 bits for 5': frame(OP.TEXT, '4hell', { form: 64 }), '64 bits for 65535': frame(OP.TEXT, '4'.repeat(65535), { form: 64 }),
      '64 bits for 0': frame(OP.TEXT, '', { form: 64 }), '16 bits for 5': frame(OP.TEXT, '4hell', { form: 16 }), '16 bits for 125': frame(OP.TEXT, '4'.repeat(125), { form: 16 }),
    }, 32 << 20);
  });

  test('C1 a length over the limit is 1009, with no more than its header sent', async () => {
    const bare = (n) => frame(OP.TEXT, '', { length: n, form: 64 });
    await refusedWith(1009, { '2^32': bare(2n ** 32n), '2^62': bare(2n ** 62n), '2^63 - 1': bare(2n ** 63n - 1n), 'one above': bare(1_000_001) }, 32 << 20);
    await w.attack({ [breach(1009)]: 20 }, async () => { // twenty at once, and each goes on sending
      await Promise.all(Array.from({ length: 20 }, async () => {
        const ws = await eioOpen(w.port);
        ws.write(bare(2n ** 40n));
        const poured = ws.raw.pour(Buffer.alloc(1 << 16), 2000);
        assert.equal(await poured, false, 'the server ends it');
      }));
    }, BACK);
  });

  test('C1 a frame without a mask is 1002, one masked with zeros is as good as any', async () => {
    await refusedWith(1002, { text: frame(OP.TEXT, '3', { isMasked: false }), empty: frame(OP.TEXT, '', { isMasked: false }), ping: frame(OP.PING, '', { isMasked: false }), close: frame(OP.CLOSE, '', { isMasked: false }) });
    const ws = await sioOpen(w.port);
    ws.send('420["unknown"]', { mask: Buffer.alloc(4) });
    await ws.text('430[');
    ws.destroy();
  });

  test('C2 a reserved bit or opcode is 1002, also in the very packet of the upgrade', async () => {
    const rows = {};
    for (const rsv of [1, 2, 4, 7]) {
      for (const op of [OP.TEXT, OP.BINARY, OP.PING, OP.CLOSE]) rows[`rsv ${rsv} opcode ${op}`] = frame(op, '', { rsv });
    }
    for (const op of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) rows[`opcode ${op}`] = frame(op, 'x');
    await refusedWith(1002, rows);
    await w.attack({ [breach(1002)]: 3 }, async () => {
      for (const rsv of [1, 2, 4]) {
        const ws = await wsOpen(w.port, { early: frame(OP.TEXT, '40', { rsv }) });
        assert.equal(await ws.closed(), 1002, `rsv ${rsv}`);
      }
    }, BACK);
    const early = await wsOpen(w.port, { early: frame(OP.TEXT, '40') }); // a good one is taken there too
    await early.text('40{');
    early.destroy();
  });

  test('C3 more than a hundred fragments are 1008, however small', async () => {
    const rows = {};
    for (const [name, data] of [['131,000 of one byte', '4'], ['131,000 empty ones', '']]) {
      const first = frame(OP.TEXT, data, { fin: false });
      const more = Buffer.concat(Array.from({ length: 1000 }, () => frame(OP.CONT, data, { fin: false })));
      rows[name] = async (ws) => {
        ws.write(first);
        assert.equal(await ws.raw.pour(more, 131) && !(await within(ws.raw.ended, 'the end')), false);
      };
    }
    await refusedWith(1008, rows, 48 << 20);
    const ws = await sioOpen(w.port);
    const text = `420["${'u'.repeat(93)}"]`;
    assert.equal(text.length, 100);
    [...text].forEach((c, i) => ws.write(frame(i ? OP.CONT : OP.TEXT, c, { fin: i === 99 })));
    await ws.text('430[');
    ws.destroy();
  });

  test('C3 fragments out of order are 1002, fragments over the limit 1009', async () => {
    await refusedWith(1002, {
      'a continuation of nothing': frame(OP.CONT, 'x'), 'a last continuation of nothing': frame(OP.CONT, 'x', { fin: false }),
      'a new text inside': Buffer.concat([frame(OP.TEXT, '4', { fin: false }), frame(OP.TEXT, '3')]), 'a new binary inside': Buffer.concat([frame(OP.TEXT, '4', { fin: false }), frame(OP.BINARY, '3', { fin: false })]),
      'a continuation after the last': Buffer.concat([frame(OP.TEXT, '3', { fin: false }), frame(OP.CONT, ''), frame(OP.CONT, '')]),
    });
    const half = Buffer.alloc(600_000, 0x34);
    await refusedWith(1009, { 'two halves': Buffer.concat([frame(OP.TEXT, half, { fin: false }), frame(OP.CONT, half)]) });
  });

  test('C4 control frames that are too long or in fragments, and close frames that say nonsense, are 1002', async () => {
    const rows = { 'a close of one byte': frame(OP.CLOSE, 'x'), 'a close of 126 bytes': frame(OP.CLOSE, closePayload(1000, 'x'.repeat(124))) };
    for (const op of [OP.PING, OP.PONG, OP.CLOSE]) {
      rows[`opcode ${op}, 126 bytes`] = frame(op, 'x'.repeat(126));
      rows[`opcode ${op}, 70,000 bytes`] = frame(op, 'x'.repeat(70000));
      rows[`opcode ${op}, not the last`] = frame(op, '', { fin: false });
    }
    for (const code of [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]) rows[`close ${code}`] = frame(OP.CLOSE, closePayload(code));
    await refusedWith(1002, rows);
    await refusedWith(1007, { 'a reason that is not UTF-8': frame(OP.CLOSE, Buffer.concat([closePayload(1000), Buffer.from([0xc3, 0x28])])) });
  });

  test('C4 a flood of pings is 1008', async () => {
    const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(OP.PING, 'x'.repeat(100))));
    await refusedWith(1008, { pings, pongs: Buffer.concat(Array.from({ length: 101 }, () => frame(OP.PONG, ''))) });
    await w.attack({ [breach(1008)]: 1 }, async () => { // who does not stop is cut
      const ws = await sioOpen(w.port);
      assert.equal(await ws.raw.pour(pings, 1000), false);
    }, BACK);
  });

  test('C5 extensions are read and refused, whatever is offered', async () => {
    const offers = ['constructor', '__proto__', 'permessage-deflate', 'permessage-deflate, permessage-deflate', 'permessage-deflate; server_max_window_bits=99', 'permessage-deflate; client_max_window_bits="',
      ';;;===,,,', 'x'.repeat(7000), 'permessage-deflate; a=b, '.repeat(280)];
    await w.attack({ ingoma_websocket_accepted_total: offers.length, 'ingoma_http_refused_total{status="431"}': 1 }, async () => {
      for (const offer of offers) {
        const ws = await eioOpen(w.port, { headers: [['Sec-WebSocket-Extensions', offer]] });
        assert.equal(ws.answer.headers['sec-websocket-extensions'], undefined, offer);
        ws.destroy();
      }
      const long = await request(w.port, upgradeHead(`${ENGINE}websocket`, { headers: [['Sec-WebSocket-Extensions', 'x'.repeat(10000)]] }));
      assert.equal(long.status, 431);
    }, BACK);
  });

  test('C7 text that is not UTF-8 is 1007, wherever it is cut', async () => {
    const bad = { overlong: [0xc0, 0xaf], 'overlong of three': [0xe0, 0x80, 0xaf], surrogate: [0xed, 0xa0, 0x80], 'above U+10FFFF': [0xf4, 0x90, 0x80, 0x80], 'five bytes': [0xf8, 0x88, 0x80, 0x80, 0x80],
      'a lone tail': [0x80], 'cut short': [0xe2, 0x82], 'FF': [0xff] };
    const rows = {};
    for (const [name, bytes] of Object.entries(bad)) {
      const whole = Buffer.from([0x34, 0x32, ...bytes]);
      rows[name] = frame(OP.TEXT, whole);
      rows[`${name}, in fragments`] = Buffer.concat([...whole].map((b, i) => frame(i ? OP.CONT : OP.TEXT, Buffer.from([b]), { fin: i === whole.length - 1 })));
    }
    await refusedWith(1007, rows);
    const ws = await sioOpen(w.port);
    const good = Buffer.from('420["unknown","€😀"]');
    [...good].forEach((b, i) => ws.write(frame(i ? OP.CONT : OP.TEXT, Buffer.from([b]), { fin: i === good.length - 1 })));
    await ws.text('430[');
    ws.destroy();
  });

  test('C9 pings of every size come back exactly, between fragments too; a close is answered with its code', async () => {
    await w.attack({ ingoma_websocket_frames_out_total: 2 }, async () => {
      for (const [from, to] of [[0, 62], [63, 125]]) { // a second takes a hundred
        const ws = await sioOpen(w.port);
        for (let n = from; n <= to; n++) {
          const data = crypto.randomBytes(n);
          ws.write(frame(OP.PING, data));
          assert.deepEqual((await ws.frame(OP.PONG)).data, data, `${n} bytes`);
        }
        ws.write(frame(OP.TEXT, '420["unk', { fin: false }));
        ws.write(frame(OP.PING, 'within'));
        assert.equal((await ws.frame(OP.PONG)).data.toString(), 'within');
        ws.write(frame(OP.CONT, 'nown"]'));
        await ws.text('430[');
        ws.write(frame(OP.CLOSE, closePayload(from ? 4321 : 1001, 'r'.repeat(123))));
        assert.equal(await ws.closed(), from ? 4321 : 1001);
      }
      const bare = await sioOpen(w.port);
      bare.write(frame(OP.CLOSE));
      assert.equal(await bare.closed(), null);
    }, BACK);
  });

  test('Engine.IO over WebSocket: packets that end the session, and those that are passed over', async () => {
    const rows = ['', '7', '9', 'x', '__proto__', 'b!!!!', 'bA', '\0'];
    await w.attack({ 'ingoma_sessions_closed_total{reason="parse error"}': rows.length, ingoma_packet_errors_total: rows.length }, async () => {
      for (const row of rows) {
        const ws = await sioOpen(w.port);
        ws.send(row);
        assert.equal(await ws.closed(), null, row);
      }
    }, BACK);
    await w.attack({ [ENDED]: 2, 'ingoma_sessions_closed_total{reason="transport close"}': 1 }, async () => {
      for (const row of ['2', '2probe', '1']) { // a ping is the server's; 1 is a close
        const ws = await sioOpen(w.port);
        ws.send(row);
        assert.equal(await ws.closed(), null, row);
      }
    }, BACK);
    const ws = await sioOpen(w.port);
    for (const row of ['0', '0{"sid":"x"}', '5', '6', '3', '3probe']) ws.send(row);
    await answers(ws);
    ws.destroy();
  });

  test('frames at a byte at a time, a hundred in one packet, and whatever follows a close', async () => {
    await w.attack({ ingoma_websocket_messages_in_total: 102 }, async () => {
      const ws = await sioOpen(w.port);
      for (const b of frame(OP.TEXT, '427["unknown"]')) ws.write(Buffer.from([b]));
      await ws.text('437[');
      ws.write(Buffer.concat(Array.from({ length: 100 }, (_, i) => frame(OP.TEXT, `42${i}["unknown"]`))));
      for (let i = 0; i < 100; i++) await ws.text(`43${i}[`);
      ws.write(Buffer.concat([frame(OP.CLOSE, closePayload(1000)), frame(OP.TEXT, '42["unknown"]'), frame(3, 'x'), Buffer.alloc(100_000, 0xff)]));
      assert.equal(await ws.closed(), 1000);
    }, BACK);
  });
});
