// Hostile Socket.IO packets and JSON. Rows D1-D10 of the security list: what cannot be read closes the connection, what is
// merely odd is answered, and nothing crashes or grows.
//
// | row | what is left out |
// |-----|------------------|
// | D9  | recovery does not exist yet: its fields in the auth data are a plain new session (tested so) |
// | D10 | there is no msgpack server; its packets at this one are closed |
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { stopAll } from '../support/cluster.mjs';
import { OP, eioOpen, frame, get, pollOpen, post, sioOpen, withSid } from '../support/raw.mjs';
import { startWitness } from '../support/witness.mjs';

after(stopAll);

const PARSE = 'ingoma_sessions_closed_total{reason="parse error"}';
const ERRORS = 'ingoma_packet_errors_total';
const UNKNOWN = 'ingoma_events_unknown_total';
const BACK = { back: ['ingoma_sessions', 'ingoma_sockets', 'ingoma_websocket_connections', 'ingoma_buffers'] };
const hole = (num) => `{"_placeholder":true,"num":${num}}`;

describe('packets', () => {
  let w;
  before(async () => {
    w = await startWitness();
  });
  after(() => w.end());

  // Each packet (text, or a function of the socket) on a connection of its own, which is closed without a code.
  async function closes(packets, open = sioOpen) {
    await w.attack({ [PARSE]: packets.length, [ERRORS]: packets.length }, async () => {
      for (const packet of packets) {
        const ws = await open(w.port);
        const name = String(packet).slice(0, 120);
        const from = Date.now();
        if (typeof packet === 'function') await packet(ws);
        else ws.send(`4${packet}`);
        const code = await ws.closed().catch((error) => assert.fail(`${name}: ${error.message}`));
        assert.equal(code, null, name);
        assert.ok(Date.now() - from < 15000, name);
      }
    }, BACK);
  }

  // Each packet must have the ack id 0; the answer must be a refusal with this code, and the connection goes on.
  async function isAnswered(packets, code, moves) {
    await w.attack(moves, async () => {
      const ws = await sioOpen(w.port);
      for (const packet of packets) {
        const from = Date.now();
        ws.send(`4${packet}`);
        const got = JSON.parse((await ws.text('430[')).slice(3));
        assert.equal(got[0].ok, false, packet.slice(0, 120));
        assert.equal(got[0].code, code, packet.slice(0, 120));
        assert.ok(Date.now() - from < 15000, packet.slice(0, 120));
      }
      ws.destroy();
    }, BACK);
  }

  test('D1 an event that is no array with a name', () => closes(['2[{"toString":"foo"}]', '2[true]', '2[null]', '2[[]]', '2[]', '2{}', '2', '2"x"', '2null', '21', '20[]', '2[{"length":1}]']));

  test('D1 the same over polling, and with protocol 3', async () => {
    const packets = ['2[{"toString":"foo"}]', '2[]', '2', '51-["x",{"_placeholder":true,"num":9}]', '7'];
    await w.attack({ [PARSE]: packets.length * 2 }, async () => {
      for (const packet of packets) {
        const sid = await pollOpen(w.port);
        await post(w.port, withSid(sid), '40');
        await get(w.port, withSid(sid));
        assert.equal((await post(w.port, withSid(sid), `4${packet}`)).body, 'ok');
        assert.equal((await get(w.port, withSid(sid))).body, '6\x1e1', packet);
        assert.equal(JSON.parse((await get(w.port, withSid(sid))).body).code, 1, packet);
        const ws = await eioOpen(w.port, { target: '/socket.io/?EIO=3&transport=websocket' });
        await ws.text('40');
        ws.send(`4${packet}`);
        assert.equal(await ws.closed(), null, packet);
      }
    }, BACK);
  });

  test('D2 placeholders that lead nowhere', () => closes([
    ...['"splice"', '-1', '1e9', '0.5', 'null', '"0"', '[0]', '{}', 'true', '4294967296', '18446744073709551616', '1', '-0.5', '1e-1'].map((num) => `51-["x",${hole(num)}]`),
    `51-["x",${hole(0)},${hole(0)}]`, `52-["x",${hole(0)},${hole(0)}]`, '51-["x"]', `52-["x",${hole(0)}]`, '51-["x",{"_placeholder":true}]', `51-[${hole(0)}]`, `61-0[${hole(7)}]`,
  ]));

  test('D3 counts of attachments that lie', () => closes(['5999999-["x"]', `511-["x",${Array.from({ length: 11 }, (_, i) => hole(i))}]`, '5', '51', '5a-', '51.23-', '5-', '5-1-["x"]', '50-["x"]', '599999999999999999999999-["x"]', '51-', '6', '61-', '51["x"]',
    '5+1-["x"]', '5 1-["x"]', '50x1-["x"]']));

  test('D3 attachments out of turn, and those that never come', async () => {
    await closes([
      (ws) => { // a text while one is due
        ws.send(`451-["x",${hole(0)}]`);
        ws.send('42["x"]');
      },
      (ws) => ws.sendBinary('nobody announced it'),
      (ws) => ws.sendBinary(''),
      (ws) => {
        ws.send(`451-["x",${hole(0)}]`);
        ws.sendBinary('the one');
        ws.sendBinary('one too many');
      },
      (ws) => { // more bytes than one message may have
        ws.send(`452-["x",${hole(0)},${hole(1)}]`);
        ws.sendBinary(Buffer.alloc(600_000));
        ws.sendBinary(Buffer.alloc(600_000));
      },
    ]);
    await w.attack({ 'ingoma_sessions_closed_total{reason="transport close"}': 50 }, async () => {
      for (let i = 0; i < 50; i++) {
        const ws = await sioOpen(w.port);
        ws.send(`4510-["x",${Array.from({ length: 10 }, (_, k) => hole(k))}]`);
        for (let k = 0; k < 9; k++) ws.sendBinary(Buffer.alloc(100_000));
        ws.send('1');
        await ws.closed();
      }
    }, BACK);
    await w.attack({ [UNKNOWN]: 1 }, async () => { // ten are allowed
      const ws = await sioOpen(w.port);
      ws.send(`4510-0["x",${Array.from({ length: 10 }, (_, k) => hole(9 - k))}]`);
      for (let k = 0; k < 10; k++) ws.sendBinary(`${k}`);
      await ws.text('430[');
      ws.destroy();
    }, BACK);
  });

  test('D4 names that only the emitter of Node.js may use', async () => {
    const names = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'];
    await closes([...names.map((name) => `2["${name}","x"]`), ...names.map((name) => `2["\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}"]`), `51-["connect",${hole(0)}]`]);
    await isAnswered(['20["error"]', '20["error",{"code":"x"}]', '20["connection"]', '20["Connect"]', '20["message"]'], 'unknown_event', { [UNKNOWN]: 5 });
  });

  test('D5 odd names are ordinary unknown events, names that are no names close', async () => {
    const names = ['1', '0', '-1', '1e3', '1e999', '-0', '""', '"__proto__"', '"constructor"', '"toString"', '"hasOwnProperty"', '"\\u0000"', '"joinRoom\\u0000"', '"joinroom"', '" joinRoom"', '"\\ud800"', `"${'n'.repeat(10_000)}"`, '"%s%n"', '"../../etc/passwd"', '"42"'];
    await isAnswered(names.map((name) => `20[${name},"x"]`), 'unknown_event', { [UNKNOWN]: names.length });
    await closes(['2[["joinRoom"]]', '2[{"a":1},"x"]', '2[false]', '2["joinRoom', '2[joinRoom]']);
  });

  test('D6 packets that are none', async () => {
    await closes(['999', '7', '8', '9', 'x', '-1', '0[]', '0"x"', '01', '0true', '0/admin,"x"', '1/admin,{}', '1{}', '1[]', '2/admin,"x', '2["some","data"', '2[some]', '3x', '3', '3[]x', '35{}', '35', '4{"message":"x"}', '4', '2abc["x"]', '2-1["x"]', '2 ["x"]', '21 2["x"]',
      '2["x"]]', '2["x"]["y"]', "2['x']", '2["x",]', '2[,"x"]', '2["x",NaN]', '2["x",undefined]', '2["x",01]', '2["x",/**/1]', '3999999999999999999999[]', '2999999999999999999999["x"]', '2/nowhere,["x"]', '1/nowhere,', '3/nowhere,1[]', '0']);
    await closes(['2/,x', '0{"a"', '0/x,[', '0{} {}'], eioOpen);
    await w.attack({ [UNKNOWN]: 2 }, async () => { // acks that nobody asked for, and big ids, harm nobody
      const ws = await sioOpen(w.port);
      for (const ack of ['37[]', '30["x"]', '39007199254740993[]', '399999999999999999999[]', '3[]']) ws.send(`4${ack}`);
      ws.send('4212345678901234567890["unknown"]');
      assert.match(await ws.text('43'), /^4312345678901234567890\[/);
      ws.send('420["unknown"]');
      await ws.text('430[');
      ws.destroy();
    }, BACK);
  });

  test('D7 namespaces: unknown ones are refused, knocking without end is ended', async () => {
    await w.attack({ ingoma_sockets_refused_total: 160, 'ingoma_sessions_closed_total{reason="forced server close"}': 1 }, async () => {
      const ws = await eioOpen(w.port);
      await ws.raw.pour(Buffer.concat(Array.from({ length: 10_000 }, (_, i) => frame(OP.TEXT, `40/n${i},{}`))));
      assert.equal(await ws.text('44/n0,'), '44/n0,{"message":"Invalid namespace"}');
      assert.equal(await ws.closed(), null);
    }, BACK);
    await w.attack({ ingoma_sockets_refused_total: 3 }, async () => {
      const ws = await sioOpen(w.port);
      const long = `/${'n'.repeat(999_000)}`;
      for (const nsp of [long, '/__proto__', '/\u0000']) {
        ws.send(`40${nsp},`);
        assert.equal(await ws.text(`44${nsp.slice(0, 5)}`), `44${nsp},{"message":"Invalid namespace"}`);
      }
      ws.send('420["unknown"]');
      await ws.text('430[');
      ws.destroy();
    }, BACK);
  });

  test('D7 CONNECT twice, an event before CONNECT', async () => {
    await closes(['0', '0{}']);
    await closes(['2["joinRoom","x"]', '1', '30[]', '2/admin,["x"]', `51-["x",${hole(0)}]`].map((packet) => (ws) => {
      ws.send(`4${packet}`);
      if (packet[0] === '5') ws.sendBinary('x');
    }), eioOpen);
  });

  test('D8 JSON without bottom or end', async () => {
    const deep = (n) => `20["unknown",${'['.repeat(n)}${']'.repeat(n)}]`;
    await closes([`2["x",${'['.repeat(100_000)}`, deep(100_000), `2["x",${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}]`, deep(32), `0${'{"a":'.repeat(40)}1${'}'.repeat(40)}`, '2["x","\\ud800\\u12"]', '2["x","\\x"]', '2["x","a\tb"]', '2["x","a\u0000b"]', '2["x",1e]', '2["x",.5]', '2["x",+1]', '2["x",--1]']);
    await isAnswered([deep(31), `20["unknown",${'9'.repeat(990_000)}]`, `20["unknown",0.${'0'.repeat(990_000)}1]`, '20["unknown",1e999,-1e999,-0,1e-999]', '20["unknown","\\u0000\\ud800\\udfff"]', `20["unknown","${'\\u0041'.repeat(160_000)}"]`], 'unknown_event', { [UNKNOWN]: 6 });
  });

  test('D8 objects with very many keys are read in linear time, also by a decoder', async () => {
    const many = Array.from({ length: 80_000 }, (_, i) => `"k${i}":0`).join(',');
    const same = Array.from({ length: 90_000 }, () => '"roomId":1').join(',');
    const empty = Array.from({ length: 190_000 }, () => '"":0').join(',');
    await isAnswered([`20["unknown",{${many}}]`, `20["unknown",{${empty}}]`], 'unknown_event', { [UNKNOWN]: 2 });
    await isAnswered([`20["joinRoom",{${many}}]`, `20["joinRoom",{${same}}]`, `20["roomMessage",{${empty}}]`, `20["roomMessage",{"roomId":"r","message":{${many}}}]`], 'invalid_payload', { 'ingoma_events_refused_total{code="invalid_payload"}': 4 });
  });

  test('D8 values at the edge have one meaning: the last of two keys, no NUL in a name, numbers as they are', async () => {
    const ws = await sioOpen(w.port);
    const join = async (arg) => {
      ws.send(`420["joinRoom",${arg}]`);
      return JSON.parse((await ws.text('430[')).slice(3))[0];
    };
    assert.equal((await join('{"roomId":"first","roomId":"last"}')).roomId, 'last');
    assert.equal((await join('{"\\u0072oomId":"escaped"}')).roomId, 'escaped');
    assert.equal((await join('{"roomId":"__proto__"}')).roomId, '__proto__');
    assert.equal((await join('{"__proto__":{"roomId":"x"}}')).code, 'invalid_payload');
    for (const bad of ['""', '{"roomId":""}', '{"roomId":null}', '{"roomId":1}', '{"roomId":-0}', '{"roomId":1e999}', '{"roomId":["a"]}', '{"roomId":{}}', '{}', '[]', 'null', '1', `"${'r'.repeat(201)}"`, '{"roomId":"a","roomType":1}']) {
      assert.equal((await join(bad)).code, 'invalid_payload', bad);
    }
    const nul = await join('{"roomId":"a\\u0000b"}'); // a whole name or none, never its first part
    assert.ok(nul.code === 'invalid_payload' || nul.roomId === 'a\0b', JSON.stringify(nul));
    const half = await join('{"roomId":"\\ud800"}');
    assert.ok(half.code === 'invalid_payload' || half.ok === true, JSON.stringify(half));
    ws.destroy();
    await w.attack({ 'ingoma_websocket_protocol_errors_total{code="1007"}': 1 }, async () => {
      const cut = await sioOpen(w.port);
      cut.send(Buffer.concat([Buffer.from('42["joinRoom",{"a":"'), Buffer.from([0xc2])]));
      assert.equal(await cut.closed(), 1007);
    }, BACK);
  });

  test('D9 fields of a recovery are a plain new session', async () => {
    await w.attack({ ingoma_sockets_connected_total: 4 }, async () => {
      const other = await sioOpen(w.port);
      for (const auth of [{ pid: 'x', offset: '../../' }, { pid: other.socketId, offset: '0-0' }, { pid: ['x'], offset: {} }]) {
        const ws = await eioOpen(w.port);
        ws.send(`40${JSON.stringify(auth)}`);
        const got = JSON.parse((await ws.text('40{')).slice(2));
        assert.deepEqual(Object.keys(got), ['sid']);
        assert.notEqual(got.sid, other.socketId);
        ws.destroy();
      }
      other.destroy();
    }, BACK);
    await w.attack({ ingoma_sockets_refused_total: 1 }, async () => {
      const ws = await eioOpen(w.port);
      ws.send(`40{"pid":"x","offset":"${'0'.repeat(990_000)}"}`);
      assert.match(await ws.text('44'), /^44\{"message":/);
      ws.destroy();
    }, BACK);
  });

  test('D10 msgpack at a JSON server', () => closes([Buffer.from('83a474797065 00a36e7370a12fa464617461c0'.replace(' ', ''), 'hex'), Buffer.from('84a47479706502a36e7370a12fa26964c0a46461746191a178', 'hex'), Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]), Buffer.from([0xc6, 0xff, 0xff, 0xff, 0xff, 0])]
    .map((packet) => (ws) => ws.sendBinary(packet))));
});

test('persistent abuse: refused events are counted as strikes, and the connection is closed', async () => {
  const w = await startWitness({ RATE_EVENTS: '50', RATE_STRIKES: '30' });
  await w.attack({ ingoma_rate_closed_total: 1, 'ingoma_events_refused_total{code="rate_limited"}': 20, 'ingoma_sessions_closed_total{reason="forced server close"}': 1 }, async () => {
    const ws = await sioOpen(w.port);
    await ws.raw.pour(Buffer.concat(Array.from({ length: 5000 }, (_, i) => frame(OP.TEXT, `42${i}["unknown"]`))));
    const refused = JSON.parse((await ws.frame((f) => f.data.includes('rate_limited'))).data.toString().replace(/^43\d+/, ''))[0];
    assert.ok(refused.retryAfterMs > 0);
    assert.equal(await ws.closed(), null);
  }, BACK);
  w.end();
});
