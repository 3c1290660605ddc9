// The quiz service at the ops port: POST /quiz makes a game that is played on two nodes, its state, its buttons, its results as
// JSON and CSV; what is refused, with status and code; the questions held against schemas/ops/quiz.json.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import Ajv2020 from 'ajv/dist/2020.js';
import { ROOT, startCluster, stopAll } from '../support/cluster.mjs';
import { closeAll, connect, schemaBreaches } from '../support/peer.mjs';
import { closeThem, join, ok, phase, refused, replay, say, SUM, user } from '../support/quiz.mjs';
import { head, request } from '../support/raw.mjs';

const TOKEN = 'a token of the tests for quizzes, long enough';
const schema = JSON.parse(fs.readFileSync(path.join(ROOT, 'schemas/ops/quiz.json')));
const fits = new Ajv2020({ strict: false }).compile(schema);
let cluster, one, two;

before(async () => {
  cluster = await startCluster({ nodes: 2, shared: false, env: { QUIZ_TOKEN: TOKEN, QUIZ_JOIN_RATE: '10000', RATE_EVENTS: '100000', RATE_USER_EVENTS: '0' } });
  [one, two] = cluster.nodes;
});
after(async () => {
  closeAll();
  await stopAll();
  assert.deepEqual(schemaBreaches(), []);
});

async function call(node, method, target, body, authorization = `Bearer ${TOKEN}`) {
  const answer = await fetch(`${node.opsUrl}${target}`, { method, headers: { authorization }, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }) });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const type = answer.headers.get('content-type');
  return { status: answer.status, type, headers: answer.headers, bytes, text: bytes.toString(), body: type === 'application/json' ? JSON.parse(bytes) : null };
}
const get = (node, target) => call(node, 'GET', target);
const post = (node, target, body) => call(node, 'POST', target, body);
const count = async (node, result) => Number((await (await fetch(`${node.opsUrl}/metrics`)).text()).match(`ingoma_orders_total\\{result="${result}"\\} (\\d+)`)?.[1] ?? 0);

describe('a game of the quiz service', () => {
  test('is made at one node, played on both, and its results are those that the players saw', async () => {
    const questions = [SUM, { type: 'multiple', text: 'm', options: ['a', 'b', 'c'], correct: [0, 2] }, { type: 'trueFalse', text: 't', correct: false }, { type: 'text', text: '=cmd', correct: ['Kigali'] }];
    const made = await post(one, '/quiz', { quizId: 'service 1/ä', questions, leadMs: 0 });
    assert.deepEqual([made.status, made.body.ok, made.body.quizId, made.body.phase], [200, true, 'service 1/ä', 'lobby']);
    assert.match(made.body.pin, /^\d{10}$/);
    const at = `/quiz/${encodeURIComponent(made.body.quizId)}`;
    const game = { quizId: made.body.quizId };
    const players = await Promise.all(Array.from({ length: 130 }, (_, i) => connect([one, two][i % 2].url)));
    const seats = await Promise.all(players.map((p, i) => join(p, game, { name: i ? `P${i}` : '+Ann' })));
    assert.equal((await post(two, `${at}/start`)).body.phase, 'open');
    const open = await get(one, at);
    assert.deepEqual([open.status, open.body.phase, open.body.players, open.body.pin, open.body.question.id], [200, 'open', 130, made.body.pin, 'q1']);
    await Promise.all(players.map((p, i) => ok(say(p, game, 'q1', i % 3))));
    for (const target of [at, `${at}/results`, `${at}/results.csv`, `${at}/questions.csv`])
      assert.ok(!/"correct":1|explanation/.test((await get(two, target)).text), `${target} keeps the key`);
    assert.deepEqual((await get(two, `${at}/results`)).body.questions, []);
    const closed = await post(one, `${at}/close`);
    assert.deepEqual([closed.body.question.correct, closed.body.question.stats.answered, closed.body.question.stats.options], [1, 130, [44, 43, 43]]);
    const answers = [null, (i) => [i % 3], (i) => i % 2 === 0, (i) => ['kigali', 'Huye'][i % 2]];
    for (let q = 1; q < questions.length; q++) {
      assert.equal((await post(one, `${at}/next`)).status, 200);
      await Promise.all(players.map((p, i) => ok(say(p, game, `q${q + 1}`, answers[q](i)))));
      await post(two, `${at}/close`);
    }
    await post(two, `${at}/kick?seat=${seats[129].seatNumber}`);
    await refused(players[129].ask('joinQuiz', { quizId: game.quizId, seat: seats[129].seat }), 'forbidden');
    assert.equal((await post(two, `${at}/end`)).body.phase, 'ended');
    await phase(players[0], 'ended');
    const { body: results, headers, bytes } = await get(one, `${at}/results`);
    assert.equal(headers.get('repr-digest'), `sha-256=:${crypto.createHash('sha256').update(bytes).digest('base64')}:`);
    assert.deepEqual([results.total, results.rows.length, results.isOver, results.next], [129, 129, true, undefined]);
    const plain = results.rows.map(({ answers: _, ...row }) => row);
    await Promise.all(players.slice(0, 129).map(async (p, i) => { // each of them has been told the own place, over pages of the board
      const { me, around } = await p.next('quiz:rank', (r) => r.me.finished);
      const row = plain.findIndex((r) => r.seatNumber === seats[i].seatNumber);
      assert.deepEqual([me, around], [plain[row], plain.slice(Math.max(row - 2, 0), row + 3)], `P${i}`);
    }));
    const log = questions.map((_, q) => ({ answers: results.rows.flatMap((r) => (r.answers[q] ? [{ seatNumber: r.seatNumber, ...r.answers[q] }] : [])) }));
    const want = replay(questions.slice(0, 3), log.slice(0, 3));
    for (const row of results.rows) {
      assert.equal(row.answers.slice(0, 3).reduce((n, a) => n + a.points, 0), want.get(row.seatNumber).score);
      assert.equal(row.answers.reduce((n, a) => n + a.points, 0), row.score);
    }
    assert.deepEqual(results.questions.map((q) => [q.id, q.stats.answered, q.stats.right, q.stats.rightShare, q.stats.options]),
      [['q1', 130, 43, 0.331, [44, 43, 43]], ['q2', 130, 0, 0, [44, 43, 43]], ['q3', 130, 65, 0.5, [65, 65]], ['q4', 130, 65, 0.5, []]]);
    results.questions.forEach((q, i) => assert.equal(q.correct === undefined ? null : JSON.stringify(q.correct), JSON.stringify(questions[i].correct)));
    const csv = await get(two, `${at}/results.csv`);
    assert.match(csv.type, /^text\/csv; charset=utf-8/);
    const lines = csv.text.trimEnd().split('\r\n');
    assert.equal(lines.length, 130);
    assert.ok(lines.some((l) => l.includes('"\'+Ann"')));
    assert.deepEqual(lines.slice(1).map((l) => Number(l.split(',')[1])), results.rows.map((r) => r.seatNumber));
    const table = await get(two, `${at}/questions.csv`);
    assert.match(table.text, /\r\n4,"q4","text","'=cmd","\[""Kigali""\]",130,65,0\.500,\d+,""\r\n$/);
    assert.equal((await get(two, `${at}/results.csv?from=128`)).text.split('\r\n').length, 2, 'a part of it');
    closeThem(...players);
  });

  test('its host is whoever the service gives the key to', async () => {
    const { body: made } = await post(one, '/quiz', { questions: [SUM], leadMs: 0 });
    const host = await connect(two.url);
    assert.equal((await ok(host.ask('quiz:control', { quizId: made.quizId, hostKey: made.hostKey, action: 'start' }))).phase, 'open');
    assert.deepEqual([(await post(one, `/quiz/${made.quizId}/start`)).status, (await post(one, `/quiz/${made.quizId}/pause?seq=1`)).body.code], [409, 'closed']);
    closeThem(host);
  });
});

test('what is not in order is refused, with a status and a code, and counted', async () => {
  const before = await count(one, 'refused'), strangers = await count(one, 'auth_invalid');
  const { body: made } = await post(one, '/quiz', { quizId: 'taken', questions: [SUM] });
  const rows = [
    ['POST', '/quiz', '{', 400, 'bad_request'],
    ['POST', '/quiz', '', 400, 'bad_request'],
    ['POST', '/quiz', {}, 400, 'invalid_payload'],
    ['POST', '/quiz', { quizId: 'taken', questions: [SUM] }, 409, 'forbidden'],
    ['GET', '/quiz/nothing', undefined, 404, 'not_found'],
    ['GET', '/quiz/nothing/results.csv', undefined, 404, 'not_found'],
    ['POST', `/quiz/${made.quizId}/next`, undefined, 409, 'closed'],
    ['POST', `/quiz/${made.quizId}/kick`, undefined, 400, 'invalid_payload'],
    ['POST', `/quiz/${made.quizId}/kick?seat=77`, undefined, 404, 'not_found'],
    ['POST', `/quiz/${made.quizId}/tick`, undefined, 404, 'not_found'],
    ['DELETE', `/quiz/${made.quizId}`, undefined, 405, 'bad_request'],
  ];
  for (const [method, target, body, status, code] of rows) {
    const answer = await call(one, method, target, body);
    assert.deepEqual([answer.status, answer.body.code], [status, code], `${method} ${target} ${answer.text}`);
  }
  const large = await request(one.opsPort, head('POST', '/quiz', [['Authorization', `Bearer ${TOKEN}`], ['Content-Length', 2000000]]));
  assert.deepEqual([large.status, JSON.parse(large.body).code], [413, 'payload_too_large'], 'by its length: nothing of the body was sent');
  for (const authorization of ['', 'Bearer x', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
    const answer = await call(one, 'GET', `/quiz/${made.quizId}/results`, undefined, authorization);
    assert.deepEqual([answer.status, answer.body.code, answer.headers.get('www-authenticate')], [401, 'auth_invalid', 'Bearer']);
  }
  assert.equal(await count(one, 'refused') - before, rows.length + 1);
  assert.equal(await count(one, 'auth_invalid') - strangers, 4);
});

test('the schema of the questions says what the server takes', async () => {
  const good = [...schema.examples, { questions: [SUM] }, { questions: [{ type: 'poll', text: 'p', options: ['a', 'b'], correct: null }] }];
  for (const [i, body] of good.entries()) {
    assert.ok(fits(body), JSON.stringify(fits.errors));
    assert.equal((await post(two, '/quiz', { ...body, quizId: `good-${i}` })).status, 200, JSON.stringify(body));
  }
  const q = { type: 'single', text: 't', options: ['a', 'b'], correct: 0 };
  const bad = [
    { ...q, type: 'essay' }, { ...q, text: '' }, { ...q, text: 'x'.repeat(1001) }, { ...q, options: ['a'] }, { ...q, options: Array(21).fill('a') },
    { ...q, options: ['a', ''] }, { ...q, correct: '0' }, { ...q, correct: -1 }, { ...q, correct: 0.5 }, { ...q, correct: undefined }, { ...q, options: undefined },
    { ...q, timeLimitMs: 999 }, { ...q, timeLimitMs: 600001 }, { ...q, points: -1 }, { ...q, points: 10001 }, { ...q, explanation: '' }, { ...q, id: '' },
    { ...q, type: 'multiple', correct: [] }, { ...q, type: 'multiple', correct: [0, 0] }, { ...q, type: 'multiple', correct: 1 },
    { type: 'trueFalse', text: 't', correct: 1 }, { ...q, type: 'trueFalse', correct: true }, { type: 'number', text: 't', correct: '1' },
    { type: 'number', text: 't', correct: 1, tolerance: -1 }, { type: 'text', text: 't', correct: [] }, { type: 'text', text: 't', correct: 'a' },
    { ...q, type: 'order', correct: [0] }, { ...q, type: 'poll' }, 5, null,
  ].map((question) => ({ questions: [question] }));
  bad.push({ questions: [] }, { questions: Array(101).fill(q) }, { questions: q }, { questions: [q], lateJoin: 'no' }, { questions: [q], answers: 'both' },
    { questions: [q], leadMs: 10001 }, { questions: [q], maxPlayers: 0 }, { questions: [q], quizId: 'x'.repeat(65) });
  for (const body of bad) {
    assert.ok(!fits(body), JSON.stringify(body));
    const { status, body: said } = await post(two, '/quiz', body);
    assert.deepEqual([status, said.code], [400, 'invalid_payload'], JSON.stringify(body));
  }
});
