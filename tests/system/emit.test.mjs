// Emitting from outside: POST /emit on one node's ops port, `ingoma emit`, and @socket.io/redis-emitter reach the clients
// of all nodes; everything that POST /emit refuses, with status, code and sentence, held against schemas/ops/emit.json.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Emitter } from '@socket.io/redis-emitter';
import Ajv2020 from 'ajv/dist/2020.js';
import { createClient } from 'redis';
import { BUILD, ROOT, startCluster, startNode, startRedis, stopAll } from '../support/cluster.mjs';
import { closeAll, connect, token } from '../support/peer.mjs';

const TOKEN = 'a token of the tests for emitting, long enough';
const schema = JSON.parse(fs.readFileSync(path.join(ROOT, 'schemas/ops/emit.json')));
const fits = new Ajv2020({ strict: false }).compile(schema);

let cluster, client, ann, bob, cid, all;

before(async () => {
  cluster = await startCluster({ nodes: 2, shared: false, env: { EMIT_TOKEN: TOKEN, MAX_PAYLOAD_BYTES: '20000' } });
  client = createClient({ socket: { path: cluster.redis.socketPath } });
  await client.connect();
  // ann and cid on the first node, bob on the second; gateway: false, as these events are in no schema.
  [ann, bob, cid] = await Promise.all([0, 1, 0].map((n, i) => connect(cluster.nodes[n].url, {
    gateway: false, name: 'abc'[i], auth: { token: token({ id: `u${i}`, role: 'user', name: 'abc'[i] }) },
  })));
  all = [ann, bob, cid];
  for (const peer of [ann, bob]) await peer.join('r');
  for (const [i, peer] of all.entries()) await peer.join(`user-u${i}`);
});
after(async () => {
  closeAll();
  await client?.close();
  await stopAll();
});

// One request to the ops port → {status, headers, body}.
function post(node, body, { method = 'POST', authorization = `Bearer ${TOKEN}`, target = '/emit', headers = {} } = {}) {
  const bytes = body === undefined ? null : Buffer.from(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const request = http.request(`${node.opsUrl}${target}`, {
      method, agent: false, timeout: 10000,
      headers: { ...(authorization ? { authorization } : {}), ...(bytes && !headers['transfer-encoding'] ? { 'content-length': bytes.length } : {}), ...headers },
    }, (answer) => {
      let text = '';
      answer.on('data', (d) => (text += d));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: text ? JSON.parse(text) : null }));
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
    if (bytes && method !== 'HEAD') request.write(bytes);
    request.end();
  });
}

let mode = 'dynamic'; // ADAPTER_SUBSCRIPTION_MODE of the command line
function ingomaEmit(...args) {
  return new Promise((done) => {
    execFile(path.join(BUILD, 'ingoma-emit'), args, { env: { ...process.env, ADAPTER: 'redis', ADAPTER_SUBSCRIPTION_MODE: mode, REDIS_URL: cluster.redis.url, REDIS_TIMEOUT_MS: '3000' } },
      (error, stdout, stderr) => done({ status: error ? error.code : 0, stdout, stderr }));
  });
}

let number = 0;
// Sends with `send(event)`, then a mark over the same way; who got the event, and its arguments.
async function reached(send, mark) {
  const event = `event-${++number}`, end = `end-${++number}`;
  await send(event);
  await mark(end);
  await Promise.all(all.map((p) => p.nextArgs(end)));
  const got = all.filter((p) => p.count(event)).map((p) => p.name).join('');
  assert.ok(all.every((p) => p.count(event) <= 1), 'nobody gets it twice');
  const args = all.flatMap((p) => p.all.filter((e) => e[0] === event).map((e) => e.slice(1)));
  return { got, args };
}

describe('POST /emit', () => {
  const ROWS = [
    [{}, 'abc', [2, 1]],
    [{ rooms: ['r'] }, 'ab', [1, 1]],
    [{ user: 'u1' }, 'b', [0, 1]],
    [{ user: 'u2', rooms: ['r'] }, 'abc', [2, 1]],
    [{ rooms: ['nobody'] }, '', [0, 0]],
    [{ rooms: ['r'], except: ['user-u0'] }, 'b', [0, 1]],
    [{ except: ['r'] }, 'c', [1, 0]],
    [{ rooms: ['r', 'user-u0'], namespace: '/' }, 'ab', [1, 1]],
    [{ volatile: true }, 'abc', [2, 1]],
  ];
  for (const i of [0, 1])
    test(`on node ${i + 1} reaches the clients of both`, async () => {
      const node = cluster.nodes[i];
      const mark = (event) => post(node, { event });
      for (const [order, want, local] of ROWS) {
        const body = { event: '', data: { text: 'é "q"', list: [1, null] }, ...order };
        const { got, args } = await reached(async (event) => {
          const answer = await post(node, { ...body, event });
          assert.deepEqual([answer.status, answer.body], [202, { ok: true, local: local[i] }], JSON.stringify(order));
        }, mark);
        assert.equal(got, want, JSON.stringify(order));
        for (const a of args) assert.deepEqual(a, [body.data]);
      }
    });

  test('data, args, or none of them', async () => {
    const mark = (event) => post(cluster.nodes[0], { event });
    for (const [how, want] of [[{}, []], [{ data: null }, [null]], [{ data: [] }, [[]]], [{ args: [] }, []], [{ args: [1, ['two'], { three: 3 }] }, [1, ['two'], { three: 3 }]]]) {
      const { got, args } = await reached((event) => post(cluster.nodes[0], { event, ...how }), mark);
      assert.equal(got, 'abc');
      for (const a of args) assert.deepEqual(a, want, JSON.stringify(how));
    }
  });

  test('a socket by its id', async () => {
    const { got } = await reached((event) => post(cluster.nodes[0], { event, rooms: [bob.id] }), (event) => post(cluster.nodes[0], { event }));
    assert.equal(got, 'b');
  });

  test('the examples of the schema pass', async () => {
    for (const example of schema.examples) {
      assert.ok(fits(example), JSON.stringify(example));
      assert.equal((await post(cluster.nodes[0], example)).status, 202, JSON.stringify(example));
    }
  });

  const KNOWN = 'event, data, args, rooms, user, except, namespace, volatile';
  const names = (n) => Array.from({ length: n }, (_, i) => `r${i}`);
  const LIST = 'must be an array of 1 to 8 texts of 1 to 256 bytes';
  // body (object: also held against the schema), code, sentence
  const REFUSED = [
    [{}, 'invalid_payload', 'event: is missing'],
    [{ event: '' }, 'invalid_payload', 'event: must be a text of 1 to 256 bytes'],
    [{ event: 5 }, 'invalid_payload', 'event: must be a text of 1 to 256 bytes'],
    [{ event: 'x'.repeat(257) }, 'invalid_payload', 'event: must be a text of 1 to 256 bytes'],
    ...['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'].map((event) => [
      { event }, 'invalid_payload', `event: "${event}" is reserved by Socket.IO`]),
    [{ event: 'x', data: 1, args: [2] }, 'invalid_payload', 'data and args: give one of them'],
    [{ event: 'x', args: 'text' }, 'invalid_payload', 'args: must be an array'],
    [{ event: 'x', rooms: [] }, 'invalid_payload', 'rooms: is empty; leave it out to reach the whole namespace'],
    [{ event: 'x', rooms: 'r' }, 'invalid_payload', `rooms: ${LIST}`],
    [{ event: 'x', rooms: [''] }, 'invalid_payload', `rooms: ${LIST}`],
    [{ event: 'x', rooms: ['r', 1] }, 'invalid_payload', `rooms: ${LIST}`],
    [{ event: 'x', rooms: names(9) }, 'invalid_payload', `rooms: ${LIST}`],
    [{ event: 'x', rooms: names(8), user: 'u' }, 'invalid_payload', 'rooms: 7 at most beside user, who is a room as well'],
    [{ event: 'x', user: '' }, 'invalid_payload', 'user: must be a text of 1 to 251 bytes'],
    [{ event: 'x', user: 7 }, 'invalid_payload', 'user: must be a text of 1 to 251 bytes'],
    [{ event: 'x', except: 'r' }, 'invalid_payload', 'except: must be an array of 0 to 8 texts of 1 to 256 bytes'],
    [{ event: 'x', except: names(9) }, 'invalid_payload', 'except: must be an array of 0 to 8 texts of 1 to 256 bytes'],
    [{ event: 'x', namespace: 'desk' }, 'invalid_payload', 'namespace: must be a text of 1 to 256 bytes that begins with a slash'],
    [{ event: 'x', volatile: 'yes' }, 'invalid_payload', 'volatile: must be true or false'],
    [{ event: 'x', room: 'r' }, 'invalid_payload', `"room": is not known; known are ${KNOWN}`],
    [[], 'invalid_payload', 'the body must be a JSON object'],
    ['{"event":"x","event":"y"}', 'invalid_payload', 'event: is given twice'],
    ['{"event":"x","namespace":"/other"}', 'not_found', 'namespace: "/other" is not served here'],
    ['{"event":"x"', 'bad_request', 'the body is not JSON: malformed data for this protocol'],
    ['{"event":"x"} 1', 'bad_request', 'the body is not JSON: malformed data for this protocol'],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'bad_utf8', 'the body is not JSON: text that is not UTF-8'],
    [`{"event":"x","data":${'['.repeat(40)}${']'.repeat(40)}}`, 'too_deep', 'the body is not JSON: nested deeper than the limit'],
    ['', 'bad_request', 'the body is empty'],
  ];
  // What the nodes say by themselves may come at any time.
  const OWN = new Set(['serverStats', 'onlineUsers', 'userOnline', 'userOffline']);
  const emittedTo = (p) => p.all.filter(([name]) => !OWN.has(name)).length;
  test('every refusal has its status, code and sentence, and nobody hears a thing', async () => {
    const node = cluster.nodes[0];
    await post(node, { event: 'before-refusals' });
    await Promise.all(all.map((p) => p.nextArgs('before-refusals')));
    const heard = all.map(emittedTo);
    for (const [body, code, error] of REFUSED) {
      if (typeof body === 'object' && !Buffer.isBuffer(body)) assert.ok(!fits(body), `the schema allows ${JSON.stringify(body)}`);
      const answer = await post(node, body);
      assert.deepEqual([answer.status, answer.body], [400, { error, code }], String(body.event ?? body));
      assert.equal(answer.headers['content-type'], 'application/json');
    }
    await post(node, { event: 'after-refusals' });
    await Promise.all(all.map((p) => p.nextArgs('after-refusals')));
    assert.deepEqual(all.map(emittedTo), heard.map((n) => n + 1));
  });

  test('401 without the token, counted, and the token never in a log', async () => {
    const node = cluster.nodes[0];
    const count = async () => (await node.metrics())['ingoma_emits_total{result="auth_invalid"}'] ?? 0;
    const start = await count();
    const rows = [null, 'Bearer', 'Bearer wrong', `Basic ${TOKEN}`, TOKEN, `Bearer ${TOKEN}!`, `Bearer ${TOKEN.slice(0, -1)}`, `Bearer ${TOKEN.toUpperCase()}`];
    for (const authorization of rows) {
      const answer = await post(node, { event: 'x' }, { authorization, target: `/emit?token=${encodeURIComponent(TOKEN)}` });
      assert.equal(answer.status, 401, String(authorization));
      assert.equal(answer.body.code, 'auth_invalid');
      assert.equal(answer.headers['www-authenticate'], 'Bearer');
    }
    assert.equal(await count(), start + rows.length);
    // Also before a large body has arrived, and the node stays well.
    assert.equal((await post(node, 'x'.repeat(15000), { authorization: null })).status, 401);
    assert.ok(!node.logs().includes(TOKEN));
  });

  test('405 for other methods, 413 over the limit', async () => {
    const node = cluster.nodes[0];
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const answer = await post(node, undefined, { method });
      assert.equal(answer.status, 405, method);
      assert.equal(answer.headers.allow, 'POST');
    }
    const big = JSON.stringify({ event: 'x', data: 'x'.repeat(20001) });
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      const answer = await post(node, big, { headers });
      assert.deepEqual([answer.status, answer.body.code], [413, 'payload_too_large']);
    }
    assert.equal((await post(node, JSON.stringify({ event: 'x', data: 'x'.repeat(19000) }), { headers: { 'transfer-encoding': 'chunked' } })).status, 202);
  });

  test('who leaves in the middle of a body harms nobody', async () => {
    for (let i = 0; i < 5; i++) {
      const request = http.request(`${cluster.nodes[0].opsUrl}/emit`, { method: 'POST', agent: false, headers: { authorization: `Bearer ${TOKEN}`, 'content-length': 100 } });
      request.on('error', () => {});
      request.write('{"event":');
      await new Promise((done) => setTimeout(done, 30));
      request.destroy();
    }
    assert.equal((await post(cluster.nodes[0], { event: 'still-here' })).status, 202);
  });

  test('is a 404 where EMIT_TOKEN is empty, and on the port of clients', async () => {
    const plain = await startNode({});
    assert.equal((await post(plain, { event: 'x' })).status, 404);
    assert.equal((await post(plain, undefined, { method: 'GET' })).status, 404);
    assert.equal((await post({ opsUrl: cluster.nodes[0].url }, { event: 'x' })).status, 404);
    await plain.stop();
  });

  test('without Redis it serves its own clients and says so', async () => {
    const redis = await startRedis();
    const node = await startNode({ redis, env: { EMIT_TOKEN: TOKEN, REDIS_TIMEOUT_MS: '300' } });
    const eve = await connect(node.url, { gateway: false });
    await redis.kill();
    let answer;
    for (let i = 0; i < 100 && !answer?.body.degraded; i++) {
      answer = await post(node, { event: 'alone' });
      assert.equal(answer.status, 202);
    }
    assert.deepEqual(answer.body, { ok: true, local: 1, degraded: true });
    await eve.nextArgs('alone');
    eve.close();
    await node.stop();
  });
});

describe('ingoma emit', () => {
  const mark = (event) => ingomaEmit('--event', event);

  test('reaches the clients of all nodes', async () => {
    const rows = [
      [[], 'abc', []],
      [['--room', 'r'], 'ab', []],
      [['--room=r', '--room', 'user-u2'], 'abc', []],
      [['--user', 'u1', '--data', '{"a":[1,"é"]}'], 'b', [{ a: [1, 'é'] }]],
      [['--except', 'r', '--args', '[1, "two"]', '--volatile'], 'c', [1, 'two']],
      [['--namespace', '/', '--data', '"text"'], 'abc', ['text']],
    ];
    for (const [flags, want, wantArgs] of rows) {
      const { got, args } = await reached(async (event) => {
        const ended = await ingomaEmit('--event', event, ...flags);
        assert.deepEqual(ended, { status: 0, stdout: 'heard by 2 servers\n', stderr: '' }, flags.join(' '));
      }, mark);
      assert.equal(got, want, flags.join(' '));
      for (const a of args) assert.deepEqual(a, wantArgs);
    }
  });

  test('says by its status what became of it', async () => {
    const rows = [
      [['--event', 'x', '--namespace', '/nobody'], 3, 'heard by 0 servers\n', ''],
      [['--event', 'x', '--prefix', 'other'], 3, 'heard by 0 servers\n', ''],
      [['--event', 'x', '--redis', 'unix:///nowhere.sock'], 1, '', 'Redis cannot be reached'],
      [['--event', 'x', '--redis', 'ftp://x'], 2, '', 'REDIS_URL'],
      [[], 2, '', 'event: is missing'],
      [['--event', 'disconnect'], 2, '', 'reserved'],
      [['--event', 'x', '--data', 'text'], 2, '', 'is not JSON'],
      [['--event', 'x', '--data', '1,"rooms":["r"]'], 2, '', 'is not JSON'],
      [['--event', 'x', '--args', '{}'], 2, '', 'args: must be an array'],
      [['--event'], 2, '', '--event: needs a value'],
      [['--evnt', 'x'], 2, '', '--evnt: no such option'],
    ];
    for (const [args, status, stdout, why] of rows) {
      const ended = await ingomaEmit(...args);
      assert.deepEqual([ended.status, ended.stdout], [status, stdout], `${args.join(' ')}: ${ended.stderr}`);
      assert.ok(ended.stderr.includes(why), `${args.join(' ')}: ${ended.stderr}`);
    }
    assert.equal((await ingomaEmit('--help')).status, 0);
  });
});

test('@socket.io/redis-emitter of a back end reaches the clients of all nodes', async () => {
  const emitter = new Emitter(client);
  const mark = async (event) => void emitter.emit(event);
  for (const [to, want] of [[emitter, 'abc'], [emitter.to('r'), 'ab'], [emitter.to('user-u2'), 'c'], [emitter.except('r'), 'c']]) {
    const { got, args } = await reached(async (event) => void to.emit(event, { a: 1 }, Buffer.from([1, 2])), mark);
    assert.equal(got, want);
    for (const a of args) assert.deepEqual([a[0], [...a[1]]], [{ a: 1 }, [1, 2]]);
  }
});

for (const [adapter, kind] of [['redis-sharded', 'static'], ['redis-sharded', 'dynamic'], ['redis-streams', 'dynamic']])
  test(`with ADAPTER=${adapter}, ${kind}: POST /emit and the command line`, async () => {
    mode = kind;
    const prefix = `${adapter}-${mode}`;
    const env = { ADAPTER: adapter, ADAPTER_SUBSCRIPTION_MODE: mode, EMIT_TOKEN: TOKEN };
    const other = await startCluster({ nodes: 2, shared: false, redis: cluster.redis, env: { ...env, ADAPTER_PREFIX: prefix } });
    const guests = await Promise.all(other.nodes.map((n, i) => connect(n.url, { gateway: false, name: 'xy'[i] })));
    for (const guest of guests) await guest.join('both');
    await guests[1].join('one');
    // In mode dynamic only the servers with members hear of a room, and there may be none.
    const only = adapter === 'redis-sharded' && mode === 'dynamic';
    const rows = [
      [{}, [], 'xy', 2], [{ rooms: ['both'] }, ['--room', 'both'], 'xy', 2], [{ rooms: ['one'] }, ['--room', 'one'], 'y', only ? 1 : 2],
      [{ rooms: ['one', 'both'] }, ['--room', 'one', '--room', 'both'], 'xy', 2], [{ rooms: ['none'] }, ['--room', 'none'], '', only ? 0 : 2],
      [{ rooms: [guests[0].id] }, ['--room', guests[0].id], 'x', 2],
    ];
    for (const [order, flags, want, servers] of rows) {
      assert.equal((await post(other.nodes[0], { event: 'posted', ...order })).status, 202);
      const ended = await ingomaEmit('--event', 'told', '--adapter', adapter, '--prefix', prefix, ...flags);
      assert.deepEqual([ended.status, ended.stdout], [servers ? 0 : 3, `heard by ${servers} server${servers === 1 ? '' : 's'}\n`], ended.stderr);
      await post(other.nodes[0], { event: 'end-1' });
      for (const guest of guests) await guest.nextArgs('end-1');
      for (const event of ['posted', 'told'])
        for (const guest of guests.filter((g) => want.includes(g.name))) await guest.nextArgs(event);
      for (const guest of guests) {
        const counts = ['posted', 'told'].map((event) => guest.count(event));
        const due = want.includes(guest.name) ? 1 : 0;
        assert.deepEqual(counts, [due, due], `${guest.name} ${JSON.stringify(order)}`);
        guest.all.length = 0;
      }
    }
    guests.forEach((g) => g.close());
    await other.stop();
  });

test('nothing of all this was garbage or lost', async () => {
  for (const node of cluster.nodes) {
    const figures = await node.metrics();
    assert.equal(figures.ingoma_redis_garbage_total, 0);
    assert.equal(figures.ingoma_redis_dropped_total, 0);
  }
});
