// Tokens that lie, end, are renewed or revoked, on two nodes with stock clients: who is somebody, who is a guest and is
// told so, and when a live socket ends. Keys are made anew in each run.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BUILD, JWT_SECRET, startCluster, startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect, schemaBreaches, sign, token } from '../support/peer.mjs';

const REVOKE_TOKEN = 'a token of the tests for revoking, long enough';
const PREVIOUS = 'the-secret-before-of-the-tests-32-bytes-or-more';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ingoma-auth-'));
const jwksFile = path.join(folder, 'jwks.json');
const pemFile = path.join(folder, 'key.pem');
const pairs = {
  rsa: crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
  rsa2: crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ec: crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ec2: crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};
const now = () => Math.floor(Date.now() / 1000);
const b64 = (v) => Buffer.from(typeof v === 'string' ? v : JSON.stringify(v)).toString('base64url');
const pem = (pair) => pair.publicKey.export({ format: 'pem', type: 'spki' });

// Beside the old file, then in its place: nobody reads half of it.
function writeJwks(keys) {
  const text = JSON.stringify({ keys: Object.entries(keys).map(([kid, pair]) => ({ ...pair.publicKey.export({ format: 'jwk' }), kid, use: 'sig' })) });
  fs.writeFileSync(`${jwksFile}.new`, text);
  fs.renameSync(`${jwksFile}.new`, jwksFile);
}

function signWith(pair, claims, { kid, header = {} } = {}) {
  const isRsa = pair.privateKey.asymmetricKeyType === 'rsa';
  const text = `${b64({ alg: isRsa ? 'RS256' : 'ES256', typ: 'JWT', ...(kid ? { kid } : {}), ...header })}.${b64({ exp: now() + 600, ...claims })}`;
  const key = isRsa ? pair.privateKey : { key: pair.privateKey, dsaEncoding: 'ieee-p1363' };
  return `${text}.${crypto.sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

// Who a node takes the bearer of this token for: 'user', or what authError said, or 'guest'.
async function taken(node, text) {
  const peer = await connect(node.url, { auth: { token: text }, reconnection: false });
  const answer = await peer.ask('typing', { roomId: 'nowhere' }); // for users; ahead of it comes authError, if any
  const errors = peer.all.filter((e) => e[0] === 'authError').map((e) => e[1].code);
  peer.close();
  if (errors.length) {
    assert.equal(answer.code, 'forbidden');
    return errors.join();
  }
  return answer.code === 'forbidden' ? 'guest' : 'user';
}

function post(node, body, authorization = `Bearer ${REVOKE_TOKEN}`, method = 'POST') {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = http.request(`${node.opsUrl}/revoke`, { method, agent: false, headers: { 'content-length': Buffer.byteLength(text), ...(authorization ? { authorization } : {}) } }, (answer) => {
      let got = '';
      answer.on('data', (d) => (got += d));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: got ? JSON.parse(got) : null }));
    });
    request.on('error', reject);
    request.end(text);
  });
}

function ingomaRevoke(...args) {
  return new Promise((done) => {
    execFile(path.join(BUILD, 'ingoma-revoke'), args, { env: { ...process.env, REDIS_URL: cluster.redis.url, REDIS_TIMEOUT_MS: '3000' } },
      (error, stdout, stderr) => done({ status: error ? error.code : 0, stdout, stderr }));
  });
}

let cluster;
before(async () => {
  writeJwks({ one: pairs.rsa, two: pairs.ec });
  fs.writeFileSync(pemFile, pem(pairs.rsa2));
  cluster = await startCluster({ nodes: 2, shared: false, env: {
    REVOKE_TOKEN, JWT_SECRET_PREVIOUS: PREVIOUS, JWKS_FILE: jwksFile, JWT_PUBLIC_KEY_FILE: pemFile, AUTH_GRACE_MS: '2000',
  } });
});
after(async () => {
  closeAll();
  await stopAll();
  fs.rmSync(folder, { recursive: true, force: true });
  assert.deepEqual(schemaBreaches(), []);
});

describe('whose token', () => {
  test('every algorithm by its own key, on both nodes', async () => {
    const rows = [
      ['the secret', () => token({ id: 'a' })],
      ['the secret before', () => sign({ id: 'a', exp: now() + 60 }, { secret: PREVIOUS })],
      ['RS256 of the set', () => signWith(pairs.rsa, { _id: 'a' }, { kid: 'one' })],
      ['ES256 of the set', () => signWith(pairs.ec, { sub: 'a' }, { kid: 'two' })],
      ['RS256 of the file', () => signWith(pairs.rsa2, { id: 'a' })],
      ['RS256 of the file, any kid', () => signWith(pairs.rsa2, { id: 'a' }, { kid: 'whatever' })],
    ];
    for (const [name, make] of rows)
      for (const node of cluster.nodes) assert.equal(await taken(node, make()), 'user', name);
    assert.equal(await taken(cluster.nodes[0], ''), 'guest');
  });

  test('forgeries are guests, and told', async () => {
    const node = cluster.nodes[0];
    const hmac = (header, key, claims = { id: 'a', exp: now() + 60 }) => sign(claims, { header, secret: key });
    const half = (header) => `${b64(header)}.${b64({ id: 'a', exp: now() + 60 })}`;
    const rows = {
      'alg none': `${half({ alg: 'none' })}.`,
      'alg none with a signature': `${half({ alg: 'none' })}.${b64('x')}`,
      'HS256 with the public key': hmac({ alg: 'HS256', kid: 'one' }, pem(pairs.rsa)),
      'HS256 with the file': hmac({ alg: 'HS256' }, pem(pairs.rsa2)),
      'HS512 with the secret': sign({ id: 'a' }, { header: { alg: 'HS512' }, hash: 'sha512' }),
      'RS256 header, HS256 signature': hmac({ alg: 'RS256', kid: 'one' }, JWT_SECRET),
      'the other key of the set': signWith(pairs.rsa, { id: 'a' }, { kid: 'two' }),
      'the set without a kid': signWith(pairs.rsa, { id: 'a' }),
      'an unknown kid': signWith(pairs.ec, { id: 'a' }, { kid: '../../dev/null' }),
      'a kid for a database': signWith(pairs.ec, { id: 'a' }, { kid: "' or 1=1 --" }),
      'a key of its own': signWith(pairs.ec2, { id: 'a' }, { kid: 'x', header: { jwk: pairs.ec2.publicKey.export({ format: 'jwk' }) } }),
      'a place to fetch a key': signWith(pairs.ec2, { id: 'a' }, { kid: 'two', header: { jku: `${node.url}/jwks`, x5u: `${node.url}/x` } }),
      'ES256, r = s = 0': `${half({ alg: 'ES256', kid: 'two' })}.${Buffer.alloc(64).toString('base64url')}`,
      'ES256, 3,000 characters': `${half({ alg: 'ES256', kid: 'two' })}.${'A'.repeat(3000)}`,
      '64 kB': `${half({ alg: 'HS256' })}.${'A'.repeat(60000)}`,
      'a critical header': hmac({ alg: 'HS256', crit: ['exp'] }, JWT_SECRET),
      'padding': `${token({ id: 'a' })}=`,
      'exp as text': hmac({ alg: 'HS256' }, JWT_SECRET, { id: 'a', exp: '9999999999' }),
      'nbf in the future': hmac({ alg: 'HS256' }, JWT_SECRET, { id: 'a', nbf: now() + 600 }),
      'nobody': token({ name: 'a' }),
    };
    for (const [name, text] of Object.entries(rows)) {
      if (name === '64 kB') continue; // more than CONNECT takes: below
      assert.equal(await taken(node, text), 'auth_invalid', name);
    }
    for (const claims of [{ exp: now() - 1 }, { exp: -5 }, { exp: 0.5 }])
      assert.equal(await taken(node, hmac({ alg: 'HS256' }, JWT_SECRET, { id: 'a', ...claims })), 'auth_expired');
    assert.equal(await taken(node, token({ id: 'a' })), 'user', 'and the node is well');
    assert.ok(!node.logs().includes(token({ id: 'a' }).split('.')[2]));
  });

  test('64 kB of token by any way in', async () => {
    const node = cluster.nodes[0];
    const long = `${token({ id: 'a' })}${'A'.repeat(65536)}`;
    const status = (suffix, headers) => new Promise((resolve, reject) => {
      http.get(`${node.url}/socket.io/?EIO=4&transport=polling${suffix}`, { agent: false, headers }, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode));
      }).on('error', reject);
    });
    assert.equal(await status(`&token=${long}`, {}), 431);
    assert.equal(await status('', { authorization: `Bearer ${long}` }), 431);
    const peer = await connect(node.url, { auth: { token: long }, wait: false, reconnection: false });
    await until('an answer', () => peer.errors.length || peer.disconnects.length || peer.count('authError'));
    if (peer.socket.connected) assert.equal((await peer.ask('typing', { roomId: 'r' })).code, 'forbidden');
    peer.close();
    assert.equal(await taken(node, token({ id: 'a' })), 'user', 'and the node is well');
  });

  test('of two claims of one name the last one counts, everywhere', async () => {
    const node = cluster.nodes[0];
    const raw = (text) => sign(text);
    assert.equal(await taken(node, raw(`{"id":"a","exp":${now() - 5},"exp":${now() + 60}}`)), 'user');
    assert.equal(await taken(node, raw(`{"id":"a","exp":${now() + 60},"exp":${now() - 5}}`)), 'auth_expired');
    const peer = await connect(node.url, { auth: { token: raw(`{"id":"first","id":"second","role":"superadmin","role":"user"}`) } });
    assert.equal((await peer.ask('joinRoom', 'user-first')).code, 'forbidden');
    assert.equal((await peer.ask('joinRoom', 'user-second')).ok, true);
    peer.close();
  });

  test('bad tokens by the thousand: the limit of handshakes comes before any cryptography', async () => {
    const node = await startNode({ env: { HANDSHAKES_PER_IP: '20', LIMITS_EXEMPT: '203.0.113.1' } });
    const bad = sign({ id: 'a' }, { secret: 'another secret of thirty-two bytes or more' });
    const peers = await Promise.all(Array.from({ length: 300 }, () => connect(node.url, { auth: { token: bad }, wait: false, reconnection: false })));
    await until('all to be answered', () => peers.every((p) => p.errors.length || p.count('authError')));
    assert.equal(peers.filter((p) => p.count('authError')).length, 20);
    assert.equal((await node.metrics())['ingoma_tokens_total{result="auth_invalid"}'], 20);
    for (const p of peers) p.close();
    await node.stop();
  });

  test('names are cut, and stay text', async () => {
    const node = cluster.nodes[0];
    const watcher = await connect(node.url);
    await watcher.join('names');
    for (const name of [`a${'\u0301'.repeat(800)}`, '\u202Eevil\u200B', '😀'.repeat(300), `<img src=x onerror=alert(1)>`]) {
      const peer = await connect(node.url, { auth: { token: token({ id: 'n', name }) } });
      await peer.join('names');
      const { userName } = await watcher.next('userJoinedRoom');
      assert.ok(Buffer.byteLength(userName) <= 200 && name.startsWith(userName) && userName.length > 0, userName);
      peer.close();
      await watcher.next('userLeftRoom');
    }
    watcher.close();
  });

  test('a set that changes is read again; a broken one changes nothing', async () => {
    const node = cluster.nodes[1];
    const old = signWith(pairs.ec, { id: 'a' }, { kid: 'two' });
    fs.writeFileSync(jwksFile, '{"keys":[');
    const fails = async () => (await node.metrics())['ingoma_key_files_read_total{result="failed"}'];
    await until('the broken file to be seen', async () => {
      assert.equal(await taken(node, old), 'user');
      return (await fails()) > 0;
    });
    assert.equal(await taken(node, old), 'user');
    writeJwks({ three: pairs.ec2 });
    await until('the new set', async () => (await taken(node, signWith(pairs.ec2, { id: 'a' }, { kid: 'three' }))) === 'user');
    assert.equal(await taken(node, old), 'auth_invalid');
    writeJwks({ one: pairs.rsa, two: pairs.ec });
  });

  test('issuer and audience, where they are asked for', async () => {
    const node = await startNode({ env: { JWT_ISSUER: 'quizblog', JWT_AUDIENCE: 'ingoma' } });
    assert.equal(await taken(node, token({ id: 'a', iss: 'quizblog', aud: ['x', 'ingoma'] })), 'user');
    for (const claims of [{}, { iss: 'quizblog' }, { aud: 'ingoma' }, { iss: 'other', aud: 'ingoma' }, { iss: 'quizblog', aud: 'ingoma2' }])
      assert.equal(await taken(node, token({ id: 'a', ...claims })), 'auth_invalid', JSON.stringify(claims));
    await node.stop();
  });

  test('AUTH_REQUIRED refuses with the reason', async () => {
    const node = await startNode({ env: { AUTH_REQUIRED: 'on' } });
    const rows = [[undefined, 'AUTH_REQUIRED'], ['garbage', 'AUTH_INVALID'], [token({ id: 'a', exp: now() - 5 }), 'AUTH_EXPIRED']];
    for (const [text, message] of rows) {
      const peer = await connect(node.url, { wait: false, reconnection: false, ...(text ? { auth: { token: text } } : {}) });
      const error = await peer.next('$connect_error');
      assert.deepEqual([error.message, error.data], [message, { code: message.toLowerCase() }]);
      peer.close();
    }
    await node.stop();
  });

  test('roles have no case', async () => {
    const peer = await connect(cluster.nodes[0].url, { auth: { token: token({ id: 'adm', role: 'SuperAdmin' }) } });
    assert.notEqual((await peer.ask('typing', { roomId: 'r' })).code, 'forbidden');
    peer.close();
  });
});

describe('the end of a token', () => {
  test('is told at exp, the connection ends, and the client comes back as a guest', async () => {
    const exp = now() + 2;
    const peer = await connect(cluster.nodes[0].url, { auth: { token: token({ id: 'late', exp }) } });
    assert.equal((await peer.next('authError')).code, 'auth_expired');
    assert.ok(Date.now() >= exp * 1000, 'not before exp');
    const [reason] = await peer.nextArgs('$disconnect');
    assert.notEqual(reason, 'io server disconnect', 'stock clients would stay away');
    assert.ok(Date.now() < exp * 1000 + 30000, 'within exp + 30 s');
    await peer.next('$connect');
    assert.equal((await peer.next('authError')).code, 'auth_expired', 'with the same token it is a guest');
    assert.equal((await peer.ask('typing', { roomId: 'r' })).code, 'forbidden');
    peer.close();
  });

  test('auth:refresh puts it off, for the same user only', async () => {
    const peer = await connect(cluster.nodes[1].url, { auth: { token: token({ id: 'r1', exp: now() + 2 }) } });
    const other = await connect(cluster.nodes[1].url);
    assert.equal((await other.ask('auth:refresh', { token: token({ id: 'r1' }) })).code, 'forbidden', 'a guest does not become somebody');
    assert.equal((await peer.ask('auth:refresh', { token: token({ id: 'r2' }) })).code, 'forbidden');
    assert.equal((await peer.ask('auth:refresh', { token: token({ id: 'r1', exp: now() - 1 }) })).code, 'auth_expired');
    assert.equal((await peer.ask('auth:refresh', 'garbage')).code, 'auth_invalid');
    assert.equal((await peer.ask('auth:refresh', {})).code, 'invalid_payload');
    assert.equal((await peer.ask('auth:refresh', null)).code, 'invalid_payload');
    await peer.next('authError'); // it ran out meanwhile: there is a little time left
    const exp = now() + 600;
    assert.deepEqual(await peer.ask('auth:refresh', token({ id: 'r1', exp })), { ok: true, expiresAt: exp });
    const watch = await connect(cluster.nodes[1].url, { auth: { token: token({ id: 'w', exp: now() + 3 }) } });
    await watch.nextArgs('$disconnect'); // by then the first one would have been over too
    assert.deepEqual(peer.disconnects, []);
    assert.notEqual((await peer.ask('typing', { roomId: 'r' })).code, 'forbidden');
    for (const p of [peer, other, watch]) p.close();
  });
});

describe('revocation', () => {
  const ways = {
    'POST /revoke': async (order) => assert.deepEqual((await post(cluster.nodes[0], order)).body, { ok: true }),
    'ingoma revoke': async (order) => {
      const [[name, value]] = Object.entries(order);
      assert.deepEqual(await ingomaRevoke(`--${name}`, value), { status: 0, stdout: 'revoked; heard by 2 nodes\n', stderr: '' });
    },
  };
  for (const [way, revoke] of Object.entries(ways)) {
    test(`${way}: a user is out on every node within a second, later tokens are good`, async () => {
      const id = `user of ${way}`;
      const old = token({ id, iat: now() - 5 });
      const peers = await Promise.all([0, 1, 1].map((n) => connect(cluster.nodes[n].url, { auth: { token: old } })));
      const bystander = await connect(cluster.nodes[1].url, { auth: { token: token({ id: 'bystander' }) } });
      const start = Date.now();
      await revoke({ user: id });
      for (const peer of peers) {
        assert.equal((await peer.next('authError')).code, 'auth_revoked');
        assert.deepEqual(await peer.nextArgs('$disconnect'), ['io server disconnect']);
      }
      console.log(`# ${way}: closed on both nodes after ${Date.now() - start} ms`);
      for (const node of cluster.nodes) {
        assert.equal(await taken(node, old), 'auth_revoked');
        assert.equal(await taken(node, token({ id })), 'auth_revoked', 'without iat nobody knows how old it is');
        assert.equal(await taken(node, token({ id, iat: now() + 2 })), 'user');
      }
      assert.deepEqual(bystander.disconnects, []);
      for (const p of [...peers, bystander]) p.close();
    });

    test(`${way}: one token`, async () => {
      const jti = `jti of ${way}`;
      const gone = await connect(cluster.nodes[1].url, { auth: { token: token({ id: 'j', jti }) } });
      const stays = await connect(cluster.nodes[1].url, { auth: { token: token({ id: 'j', jti: 'another' }) } });
      await revoke({ jti });
      assert.equal((await gone.next('authError')).code, 'auth_revoked');
      await gone.nextArgs('$disconnect');
      assert.equal(await taken(cluster.nodes[0], token({ id: 'j', jti })), 'auth_revoked');
      assert.equal((await stays.ask('auth:refresh', token({ id: 'j', jti }))).code, 'auth_revoked');
      assert.deepEqual(stays.disconnects, []);
      for (const p of [gone, stays]) p.close();
    });
  }

  test('a refreshed socket is known by its new jti', async () => {
    const peer = await connect(cluster.nodes[0].url, { auth: { token: token({ id: 'f', jti: 'f1' }) } });
    assert.equal((await peer.ask('auth:refresh', token({ id: 'f', jti: 'f2' }))).ok, true);
    await post(cluster.nodes[1], { jti: 'f2' });
    await peer.nextArgs('$disconnect');
    peer.close();
  });

  test('a node that comes later knows', async () => {
    await post(cluster.nodes[0], { user: 'gone before' });
    const node = await startNode({ redis: cluster.redis });
    await until('the list to be read', async () => (await taken(node, token({ id: 'gone before', iat: 5 }))) === 'auth_revoked');
    await node.stop();
  });

  test('Redis away: what the node knows holds, what it was told is told on later', async () => {
    const redis = await startRedis();
    const [a, b] = await Promise.all([0, 1].map(() => startNode({ redis, env: { REVOKE_TOKEN, REDIS_TIMEOUT_MS: '300', BEAT_MS: '300', DEAD_MS: '3000' } })));
    await post(a, { jti: 'known' });
    await until('both to know', async () => (await taken(b, token({ id: 'x', jti: 'known' }))) === 'auth_revoked');
    await redis.kill();
    let answer;
    await until('the node to notice', async () => (answer = await post(a, { jti: 'meanwhile' })).body.degraded);
    assert.deepEqual(answer.body, { ok: true, degraded: true });
    assert.equal(await taken(a, token({ id: 'x', jti: 'meanwhile' })), 'auth_revoked');
    assert.equal(await taken(b, token({ id: 'x', jti: 'known' })), 'auth_revoked');
    assert.equal(await taken(b, token({ id: 'x', jti: 'meanwhile' })), 'user');
    await redis.restart();
    await until('the other node to hear of it', async () => (await taken(b, token({ id: 'x', jti: 'meanwhile' }))) === 'auth_revoked');
    await Promise.all([a.stop(), b.stop()]);
  });

  test('orders that are none are refused', async () => {
    const node = cluster.nodes[0];
    const rows = ['', '{', '[]', '{}', { user: '' }, { user: 'x'.repeat(129) }, { user: {} }, { jti: null }, { user: 'a', jti: 'b' }, { user: 'a', more: 1 },
      { user: 'a', until: 'tomorrow' }, { user: 'a', until: -1 }, '{"user":"a","user":"b"}', { user: { $ne: null } }];
    const known = (await node.metrics()).ingoma_denied_entries;
    for (const row of rows) {
      const answer = await post(node, row);
      assert.equal(answer.status, 400, JSON.stringify(row));
      assert.ok(answer.body.error && answer.body.code);
    }
    for (const authorization of [null, 'Bearer', 'Bearer wrong', `Basic ${REVOKE_TOKEN}`, `Bearer ${REVOKE_TOKEN}x`])
      assert.equal((await post(node, { user: 'a' }, authorization)).status, 401);
    assert.equal((await post(node, { user: 'a' }, undefined, 'PUT')).status, 405);
    assert.equal((await node.metrics()).ingoma_denied_entries, known);
    assert.ok(!node.logs().includes(REVOKE_TOKEN));
    for (const args of [[], ['--user'], ['--user', ''], ['--user', 'a', '--jti', 'b'], ['--nobody', 'a'], ['--user', 'a', '--until', 'x']])
      assert.equal((await ingomaRevoke(...args)).status, 2, args.join(' '));
    assert.equal((await ingomaRevoke('--user', 'a', '--prefix', 'other')).status, 3);
    assert.equal((await ingomaRevoke('--user', 'a', '--redis', 'unix:///nowhere.sock')).status, 1);
  });
});

test('the log, at its loudest, has no message, no token and no mail address', async () => {
  const node = await startNode({ env: { LOG_LEVEL: 'debug', RATE_EVENTS: '20' } });
  const secrets = ['a-word-in-a-message', 'a-word-in-private', 'ann@mail.example', 'a-word-of-a-refusal'];
  const mine = token({ id: 'ann', email: secrets[2] });
  const forged = sign({ id: 'ann', email: secrets[2] }, { secret: 'another secret of thirty-two bytes or more' });
  const ann = await connect(node.url, { auth: { token: mine } });
  const byQuery = await connect(node.url, { query: { token: mine } });
  const guest = await connect(node.url, { auth: { token: forged } });
  await ann.join('r');
  await ann.ask('roomMessage', { roomId: 'r', message: secrets[0] });
  await ann.ask('privateMessage', { recipientId: 'bob', message: secrets[1] });
  await guest.ask('roomMessage', { roomId: 'r', message: secrets[3] });
  await ann.ask('auth:refresh', { token: forged });
  for (let i = 0; i < 40; i++) await ann.ask('roomMessage', { roomId: secrets[3], message: secrets[3] });
  for (const p of [ann, byQuery, guest]) p.close();
  await node.stop();
  const log = node.logs();
  assert.ok(log.includes('event.refused'), 'it is loud');
  for (const secret of [...secrets, mine.split('.')[2], forged.split('.')[2], JWT_SECRET]) assert.ok(!log.includes(secret), secret);
});
