// A developer's orders on the clients' port: a token for any name, the end of the node. There with DEV and DEMO alone.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { demoFolder, startNode, startRedis, stopAll } from '../support/cluster.mjs';
import { connect } from '../support/peer.mjs';

after(stopAll);

const post = (node, path, order, headers = {}) => fetch(node.url + path, { method: 'POST', body: JSON.stringify(order), headers });
const demo = () => ({ DEMO: 'on', STATIC_DIR: demoFolder() });

test('without DEV or without DEMO there are no such paths, and nothing dies', async () => {
  for (const env of [{ DEV: 'off', ...demo() }, { DEV: 'on', DEMO: 'off' }, { DEV: 'off', DEMO: 'off' }]) {
    const node = await startNode({ env });
    for (const path of ['/dev/token', '/dev/kill']) {
      assert.equal((await post(node, path, { name: 'Ann' })).status, 404, `${path} with ${JSON.stringify(env)}`);
      assert.equal((await fetch(node.url + path)).status, 404);
    }
    const health = await (await fetch(`${node.url}/health`)).json();
    assert.deepEqual([health.node, health.dev], [node.id, false]);
    assert.doesNotMatch(node.logs(), /ops\.dev_open/);
    await node.stop();
  }
});

test('a name is a user on every node, with private messages', async () => {
  const redis = await startRedis();
  const [a, b] = await Promise.all([1, 2].map(() => startNode({ redis, env: demo() })));
  const tokenAt = async (node, name) => (await (await post(node, '/dev/token', { name })).json()).token;
  const ann = await connect(a.url, { auth: { token: await tokenAt(a, 'Ann') } });
  const sent = await ann.ask('privateMessage', { recipientId: 'demo-bob', message: 'later' });

  assert.equal(sent.ok, true, JSON.stringify(sent));
  const bob = await connect(b.url, { auth: { token: await tokenAt(b, 'BOB') } });
  const got = await bob.next('privateMessage');
  assert.deepEqual([got.message, got.senderId, got.senderName], ['later', 'demo-ann', 'Ann']);
  assert.match(a.logs(), /"level":"warn","event":"ops\.dev_open"/);
  assert.equal((await (await fetch(`${a.url}/health`)).json()).dev, true);
  ann.close();
  bob.close();
  await Promise.all([a.stop(), b.stop()]);
});

test('what is no order is refused, another site too, and tokens have a rate', async () => {
  const node = await startNode({ env: demo() });
  const statuses = [await fetch(`${node.url}/dev/token`), await post(node, '/dev/token', {}), await post(node, '/dev/token', []),
    await post(node, '/dev/token', { name: 'x'.repeat(65) }), await post(node, '/dev/kill', {}, { Origin: 'http://elsewhere.example' })];
  assert.deepEqual(statuses.map((r) => r.status), [405, 400, 400, 400, 403]);
  const many = await Promise.all(Array.from({ length: 120 }, () => post(node, '/dev/token', { name: 'Ann' })));
  const limited = many.filter((r) => r.status === 429);
  assert.ok(limited.length > 0);
  assert.equal(limited[0].headers.get('retry-after'), '1');
  assert.ok(many.every((r) => [200, 429].includes(r.status)));
  await node.stop();
});

test('kill ends the node that is named as kill -9 would, after its answer', async () => {
  const node = await startNode({ env: demo() });
  assert.deepEqual(await (await post(node, '/dev/kill', { node: 'XXXX' })).json(), { ok: false, node: node.id });
  assert.equal((await fetch(`${node.url}/health`)).status, 200);
  node.expectEnd();
  assert.deepEqual(await (await post(node, '/dev/kill', { node: node.id })).json(), { ok: true, node: node.id });
  assert.deepEqual(await node.exited, { code: null, signal: 'SIGKILL' });
});
