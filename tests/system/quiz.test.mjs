// Quizzes over two nodes with stock clients: old pages' sessions, and real games: the host on one node, players on both.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCluster, startNode, startRedis, stopAll, until } from '../support/cluster.mjs';
import { closeAll, connect, schemaBreaches, token, unseenEvents } from '../support/peer.mjs';
import { closeRedisClients, redisClient } from '../support/redis.mjs';
import { board, closeThem, create, join, ok, phase, refused, replay, say, SUM, user } from '../support/quiz.mjs';

const ENV = { RATE_EVENTS: '100000', RATE_USER_EVENTS: '0', BEAT_MS: '500', DEAD_MS: '3000' };
let redis, cluster, one, two;

before(async () => {
  redis = await startRedis();
  cluster = await startCluster({ nodes: 2, shared: false, redis, env: ENV });
  [one, two] = cluster.nodes;
});
after(async () => {
  closeAll();
  await closeRedisClients();
  await stopAll();
  assert.deepEqual(schemaBreaches(), []);
  assert.deepEqual(unseenEvents('quiz'), []);
});

const refusals = async (node) => {
  const text = await (await fetch(`${node.opsUrl}/metrics`)).text();
  return Object.fromEntries([...text.matchAll(/ingoma_events_refused_total\{code="(\w+)"\} (\d+)/g)].map(([, code, n]) => [code, Number(n)]));
};
const SEAT = /^[\w-]{22}$/;

describe("old pages' sessions, without a key", () => {
  test('join, progress, board and leaving have the shapes of today over two nodes', async () => {
    const ann = await user(one, 'u1', 'Ann');
    const bob = await connect(two.url, { version: '2.5.0', query: { token: token({ id: 'u2', name: 'Bob' }) } });
    ann.emit('joinQuiz', { quizId: 'old', userId: 'u9' });
    const mine = await ann.next('quizJoined');
    assert.deepEqual([mine.quizId, mine.participantCount, mine.status, mine.phase], ['old', 1, 'waiting', 'waiting']);
    bob.emit('joinQuiz', { quizId: 'old' });
    assert.equal((await bob.next('quizJoined')).participantCount, 2);
    const told = await ann.next('participantJoined');
    assert.deepEqual([told.userId, told.userName, told.participantCount], ['u2', 'Bob', 2]);
    for (const [questionId, n] of [['a', 1], ['b', 2], ['a', 2], [7, 3]]) {
      bob.emit('submitAnswer', { quizId: 'old', questionId, answer: 'x', timeSpent: 12 });
      const p = await ann.next('participantProgress');
      assert.deepEqual([p.userId, p.userName, p.questionsAnswered], ['u2', 'Bob', n]);
    }
    bob.emit('joinQuiz', { quizId: 'old' }); // again: answers are kept, nobody is told
    assert.equal((await bob.next('quizJoined')).participantCount, 2);
    ann.emit('requestLeaderboard', 'old');
    const b = await ann.next('leaderboardUpdate');
    assert.equal(b.isScored, false);
    assert.deepEqual(b.leaderboard.map((r) => [r.userId, r.userName, r.score, r.questionsAnswered, r.finished]),
      [['u1', 'Ann', 0, 0, false], ['u2', 'Bob', 0, 3, false]]);
    assert.equal(bob.count('participantProgress'), 0);
    assert.equal(ann.count('participantJoined'), 1);
    bob.close();
    const left = await ann.next('participantLeft');
    assert.deepEqual([left.userId, left.userName, left.participantCount], ['u2', 'Bob', 1]);
    ann.close();
  });

  test('strangers and what makes no sense are refused', async () => {
    const ann = await user(one, 'u1', 'Ann');
    const eve = await user(two, 'u3', 'Eve');
    await join(ann, { quizId: 'shut' });
    await refused(eve.ask('submitAnswer', { quizId: 'shut', questionId: 'a', answer: 1 }), 'not_a_member');
    await refused(eve.ask('requestLeaderboard', 'shut'), 'not_a_member');
    await refused(eve.ask('quiz:control', { quizId: 'shut', hostKey: 'A'.repeat(22), action: 'start' }), 'not_found');
    for (const payload of [null, 5, [], {}, { quizId: '' }, { quizId: { $ne: null } }, { quizId: 'x'.repeat(65) }, { quizId: 'a', pin: '12345678' }])
      await refused(eve.ask('joinQuiz', payload), 'invalid_payload');
    await refused(eve.ask('joinQuiz', { quizId: 'shut', seat: 'A'.repeat(22) }), 'not_found');
    await refused(eve.ask('joinQuiz', { pin: '00000000' }), 'not_found');
    for (const quizId of ['a\r\nDEL x', '{tag}', 'x}y', '*', '🎲'])
      assert.equal((await join(eve, { quizId })).participantCount, 1, quizId);
    const guest = await connect(two.url);
    for (const name of ['a\u202Eb', 'a\u200Bb', 'Z\u0301\u0301\u0301\u0301\u0301', `Z${'\u0301'.repeat(10000)}`, '\u0007'])
      await refused(guest.ask('joinQuiz', { quizId: 'shut', name }), 'invalid_payload');
    closeThem(ann, eve, guest);
  });
});

describe('a game', () => {
  test('from PIN to results: the key stays here until the close, ranks are 1, 2, 2, 4', async () => {
    const host = await user(one, 'h', 'Host');
    const game = await create(host, [SUM, { type: 'poll', text: 'Tea?', options: ['yes', 'no'] }]);
    assert.match(game.pin, /^\d{10}$/);
    assert.match(game.hostKey, SEAT);
    const ann = await user(two, 'u1', 'Ann');
    const bob = await connect(one.url);
    const cat = await connect(two.url);
    const dan = await user(one, 'u4', 'Dan');
    const seat = await ok(ann.ask('joinQuiz', { pin: game.pin }));
    assert.equal(seat.quizId, game.quizId);
    assert.match(seat.seat, SEAT);
    await join(bob, game, { name: '=Bob' });
    await join(cat, game, { name: 'Cat' });
    await join(dan, game);
    const eve = await user(two, 'e', 'Eve');
    await refused(eve.ask('quiz:control', { quizId: game.quizId, hostKey: seat.seat, action: 'start' }), 'forbidden');
    await refused(say(ann, game, 'q1', 1), 'closed');
    await game.does('start', { seq: 1 });
    await refused(game.control('start', { seq: 1 }), 'closed'); // the second click
    const open = await phase(ann, 'open', 0);
    assert.deepEqual([open.question.options.length, open.questionCount, open.question.correct, open.question.explanation], [3, 2, undefined, undefined]);
    assert.equal(Date.parse(open.endsAt) - Date.parse(open.startsAt), 20000);
    assert.ok(open.remainingMs > 0 && open.remainingMs <= 20000);
    for (const bad of [-1, 99, 1.5, 'NaN', [1], true, {}]) await refused(say(ann, game, 'q1', bad), 'invalid_payload');
    await refused(say(ann, game, 'q9', 1), 'not_found');
    await refused(say(ann, game, 'q2', 1), 'closed');
    const [first, again] = await Promise.all([say(ann, game, 'q1', 1), say(ann, game, 'q1', 1)]);
    assert.deepEqual(again, first); // a retry gives the same answer
    assert.equal(first.accepted, true);
    assert.ok(!('points' in first) && !('correct' in first));
    await refused(say(ann, game, 'q1', 2), 'closed');
    assert.deepEqual(await say(ann, game, 0, 1), first);
    await ok(say(bob, game, 'q1', 0));
    await ok(say(cat, game, 'q1', 2));
    await ok(say(dan, game, 'q1', 1));
    assert.deepEqual((await board(ann, game), (await ann.next('leaderboardUpdate')).leaderboard.map((r) => r.score)), [0, 0, 0, 0]);
    await game.does('close');
    const closed = await phase(bob, 'closed', 0);
    assert.deepEqual([closed.question.correct, closed.question.explanation, closed.question.stats.answered, closed.question.stats.right,
      closed.question.stats.options], [1, 'count', 4, 2, [1, 2, 1]]);
    const top = await bob.next('leaderboardUpdate');
    assert.deepEqual(top.leaderboard.map((r) => r.rank), top.leaderboard[0].totalTimeMs === top.leaderboard[1].totalTimeMs && top.leaderboard[0].score === top.leaderboard[1].score ? [1, 1, 3, 3] : [1, 2, 3, 3]);
    assert.equal(top.leaderboard[0].userName, 'Ann');
    await board(cat, game);
    const mine = await cat.next('leaderboardUpdate', (l) => l.me);
    assert.equal(mine.me.userName, 'Cat');
    assert.deepEqual(mine.around.map((r) => r.userName), ['Dan', '=Bob', 'Cat']);
    await refused(say(ann, game, 'q1', 0), 'closed');
    assert.deepEqual(await say(ann, game, 'q1', 1), first); // after the close, too
    await game.does('next');
    await phase(dan, 'open', 1);
    await ok(say(dan, game, 'q2', 0));
    await game.does('close');
    await game.does('next');
    assert.equal((await phase(ann, 'ended')).question.stats.options[0], 1);
    const results = await ok(host.ask('quiz:results', { quizId: game.quizId, hostKey: game.hostKey }));
    assert.equal(results.rows.length, 4);
    assert.equal(results.questions[0].answers.length, 4);
    assert.equal(results.questions[1].stats.answered, 1);
    const { csv } = await ok(host.ask('quiz:results', { quizId: game.quizId, hostKey: game.hostKey, format: 'csv' }));
    assert.equal(csv.trim().split('\r\n').length, 5);
    assert.match(csv, /"'=Bob"/);
    await refused(eve.ask('quiz:results', { quizId: game.quizId, hostKey: 'A'.repeat(22) }), 'forbidden');
    closeThem(host, ann, bob, cat, dan, eve);
  });

  test('what is not one\'s own: the seat, the buttons, the board, the results', async () => {
    const before = await refusals(two);
    const host = await user(one, 'h', 'Host');
    const game = await create(host, [SUM], { leadMs: 10000 });
    const ann = await user(two, 'u1', 'Ann');
    const bob = await user(one, 'u2', 'Bob');
    const eve = await user(two, 'u3', 'Eve');
    const seat = await join(ann, game);
    await join(bob, game);
    const buttons = ['watch', 'start', 'next', 'close', 'pause', 'resume', 'lock', 'unlock', 'end', 'extend', 'kick'];
    for (const action of buttons)
      await refused(ann.ask('quiz:control', { quizId: game.quizId, hostKey: seat.seat, action, ms: 1000, seat: 2 }), 'forbidden');
    await refused(eve.ask('requestLeaderboard', game.quizId), 'not_a_member');
    await refused(ann.ask('quiz:results', { quizId: game.quizId, hostKey: seat.seat }), 'forbidden');
    await game.does('start');
    assert.match((await refused(say(ann, game, 'q1', 1), 'closed')).message, /not begun/);
    await game.does('end');
    const next = await create(host, [SUM], { quizId: `${game.quizId.slice(0, 8)}-2` });
    const mine = await join(ann, next);
    const his = await join(bob, next);
    await next.does('start');
    const forged = { quizId: next.quizId, questionId: 'q1', answer: 1, seat: mine.seat, seatNumber: mine.seatNumber, userId: 'u1' };
    await refused(eve.ask('submitAnswer', forged), 'not_a_member');
    await ok(bob.ask('submitAnswer', forged)); // his own, whatever he says
    const acks = await Promise.all([say(ann, next, 'q1', 0), say(ann, next, 'q1', 2)]); // two at once
    assert.equal(acks.filter((a) => a.ok).length, 1);
    assert.equal(acks.find((a) => !a.ok).code, 'closed');
    await next.does('close');
    const { questions } = await ok(host.ask('quiz:results', { quizId: next.quizId, hostKey: next.hostKey }));
    assert.deepEqual(questions[0].answers.map((a) => [a.seatNumber, a.answer === 1]).sort(), [[mine.seatNumber, false], [his.seatNumber, true]]);
    assert.equal(questions[0].stats.answered, 2);
    const now = await refusals(two); // ann's and eve's node: each refusal is counted by its code
    assert.deepEqual(['forbidden', 'not_a_member', 'closed'].map((code) => now[code] - (before[code] ?? 0)), [buttons.length + 1, 2, 2]);
    closeThem(host, ann, bob, eve);
  });

  test('what changes of the board is told as it changes, four times a second at most, and to each player the own place', async () => {
    const host = await user(one, 'h', 'Host');
    const game = await create(host, [SUM, SUM, SUM, SUM, SUM, SUM], { answers: 'first' });
    const other = await user(two, 'h', 'Host');
    const players = await Promise.all(Array.from({ length: 12 }, (_, i) => user([one, two][i % 2], `p${i}`, `P${i}`)));
    const seats = await Promise.all(players.map((p) => join(p, game)));
    await ok(other.ask('quiz:control', { quizId: game.quizId, hostKey: game.hostKey, action: 'watch' }));
    const rowsTold = () => host.all.filter((e) => e[0] === 'quiz:board').reduce((n, [, c]) => n + c.rows.length, 0);
    await until('all rows to be told', () => rowsTold() === 12);
    const gone = seats.find((x) => x.seatNumber === 12);
    await game.does('kick', { seat: 12 });
    const less = await host.next('quiz:board', (c) => c.gone.length);
    assert.deepEqual([less.rows, less.gone, less.total], [[], [12], 11]); // rows that have not changed are left out
    players.splice(seats.indexOf(gone), 1)[0].close();
    seats.splice(seats.indexOf(gone), 1);
    await game.does('start');
    for (let q = 0; q < 6; q++) { // as fast as it goes, the buttons by turns on two nodes
      await Promise.all(players.map((p, i) => ok(say(p, game, q, i > q ? 1 : 0))));
      await ok((q % 2 ? host : other).ask('quiz:control', { quizId: game.quizId, hostKey: game.hostKey, action: 'close' }));
      if (q < 5) await game.does('next');
    }
    await game.does('end');
    const last = await host.next('leaderboardUpdate', (l) => l.leaderboard[0]?.finished);
    assert.equal(last.total, 11);
    const changes = host.all.filter((e) => e[0] === 'quiz:board').map((e) => e[1]);
    const shown = new Map();
    changes.forEach((c, i) => {
      assert.deepEqual([c.since, c.seq], [i, i + 1]);
      if (i) assert.ok(Date.parse(c.serverNow) - Date.parse(changes[i - 1].serverNow) >= 250, `${changes[i - 1].serverNow} ${c.serverNow}`);
      for (const row of c.rows) shown.set(row.seatNumber, row);
      for (const seat of c.gone) shown.delete(seat);
    });
    const { leaderboard, boardSeq } = await board(host, game);
    assert.equal(boardSeq, changes.length);
    assert.deepEqual([...shown.values()].sort((a, b) => a.rank - b.rank || a.totalTimeMs - b.totalTimeMs || a.seatNumber - b.seatNumber), leaderboard);
    for (const [i, p] of players.entries()) {
      const { me, around, total } = await p.next('quiz:rank', (r) => r.seq === boardSeq);
      const at = leaderboard.findIndex((r) => r.seatNumber === seats[i].seatNumber);
      assert.deepEqual([me, around, total], [leaderboard[at], leaderboard.slice(Math.max(at - 2, 0), at + 3), 11], `P${i}`);
    }
    const between = players[0].all.filter((e) => e[0] === 'quiz:board' || e[0] === 'quiz:rank' || e[0] === 'leaderboardUpdate');
    assert.ok(between.every((e) => !JSON.stringify(e).includes('"correct"')));
    closeThem(host, other, ...players);
  });

  test('the clock closes a question, late answers are late, the next one comes by itself', async () => {
    const host = await user(one, 'h', 'Host');
    const game = await create(host, [{ ...SUM, timeLimitMs: 1000 }, { ...SUM, timeLimitMs: 1000 }], { autoNextMs: 100 });
    const ann = await user(two, 'u1', 'Ann');
    await join(ann, game);
    await game.does('start');
    await phase(ann, 'open', 0);
    await phase(ann, 'closed', 0);
    assert.match((await refused(say(ann, game, 'q1', 1), 'closed')).message, /not open/);
    await phase(ann, 'open', 1);
    await ok(say(ann, game, 'q2', 1));
    await phase(ann, 'closed', 1);
    await phase(ann, 'ended');
    assert.equal(ann.count('quiz:state', (s) => s.phase === 'open'), 2);
    closeThem(host, ann);
  });

  test('half of the way there and back is given to the answer of who is far away, 250 ms at most', async () => {
    const client = await redisClient(redis);
    const host = await user(one, 'h', 'Host');
    const game = await create(host, [SUM]);
    const ann = await user(two, 'u1', 'Ann'); // her pongs are late
    const { engine } = ann.socket.io;
    const send = engine._sendPacket;
    engine._sendPacket = (type, ...rest) => (type === 'pong' ? setTimeout(() => send.call(engine, type, ...rest), 400) : send.call(engine, type, ...rest));
    const bob = await user(two, 'u2', 'Bob');
    await join(ann, game);
    await join(bob, game);
    await game.does('start');
    const end = async (agoMs) => { // the question's end, as it would be then
      const [s, us] = await client.sendCommand(['TIME']);
      const endsAt = Number(s) * 1000 + Math.floor(Number(us) / 1000) - agoMs;
      await client.hSet(`ingoma:{quiz:${game.quizId}}:game`, 'endsAt', String(endsAt));
      return endsAt;
    };
    await end(251);
    assert.match((await refused(say(ann, game, 'q1', 1), 'closed')).message, /time is over/);
    assert.match((await refused(say(bob, game, 'q1', 1), 'closed')).message, /time is over/);
    await until('an answer after the end that was under way before', async () => {
      const endsAt = await end(1);
      const said = await say(ann, game, 'q1', 1);
      return said.ok && said.receivedAt > endsAt;
    });
    await game.does('end');
    closeThem(host, ann, bob);
  });

  test('ten minutes after the end all of it is gone, and another game may have its name', async () => {
    const client = await redisClient(redis);
    const host = await user(one, 'h', 'Host');
    const ann = await user(two, 'u1', 'Ann');
    const game = await create(host, [SUM], { quizId: 'again' });
    const seat = await join(ann, game);
    await game.does('start');
    await ok(say(ann, game, 'q1', 1));
    await game.does('end');
    const keys = await client.keys('ingoma:{quiz:again}:*');
    assert.equal(keys.length, 5);
    for (const key of keys) {
      const ttl = await client.ttl(key);
      assert.ok(ttl > 590 && ttl <= 600, `${key} ${ttl}`);
    }
    await client.del(keys); // ten minutes later
    const bob = await user(one, 'u2', 'Bob');
    await refused(bob.ask('joinQuiz', { pin: game.pin }), 'not_found');
    await refused(bob.ask('joinQuiz', { quizId: 'again', seat: seat.seat }), 'not_found');
    await refused(game.control('watch'), 'not_found');
    const next = await create(host, [{ ...SUM, text: 'another', correct: 2 }], { quizId: 'again' });
    assert.equal((await join(ann, next)).score, 0); // ann's page was in the old one all the time
    await next.does('start');
    assert.equal((await phase(ann, 'open')).question.id, 'q1');
    await ok(say(ann, next, 'q1', 2));
    await next.does('close');
    assert.equal((await ann.next('quiz:state', (s) => s.phase === 'closed' && s.question.text === 'another')).question.stats.right, 1);
    closeThem(host, ann, bob);
  });

  test('pause keeps the time that is left, extend adds to it, change counts the last answer', async () => {
    const host = await user(one, 'h', 'Host');
    const game = await create(host, [SUM], { answers: 'change' });
    const ann = await user(two, 'u1', 'Ann');
    await join(ann, game);
    await game.does('start');
    await ok(say(ann, game, 'q1', 0));
    await ok(say(ann, game, 'q1', 1));
    const paused = await game.does('pause');
    assert.ok(paused.remainingMs > 0 && paused.remainingMs <= 20000 && !paused.endsAt);
    await refused(say(ann, game, 'q1', 0), 'closed');
    await refused(game.control('pause'), 'closed');
    const more = await game.does('extend', { ms: 5000 });
    assert.equal(more.remainingMs, paused.remainingMs + 5000);
    const resumed = await game.does('resume');
    assert.equal(resumed.remainingMs, more.remainingMs);
    assert.equal(Date.parse(resumed.endsAt) - Date.parse(resumed.startsAt), 25000); // the pause is in neither
    await ok(say(ann, game, 'q1', 0));
    await ok(say(ann, game, 'q1', 1));
    await game.does('close');
    await phase(ann, 'closed');
    await board(ann, game);
    const { me } = await ann.next('leaderboardUpdate', (l) => l.me);
    assert.ok(me.score > 500 && me.score <= 1000);
    const { questions } = await ok(host.ask('quiz:results', { quizId: game.quizId, hostKey: game.hostKey }));
    assert.deepEqual(questions[0].answers.map((a) => [a.answer, a.points]), [[1, me.score]]);
    assert.deepEqual([questions[0].stats.answered, questions[0].stats.right], [1, 1]);
    closeThem(host, ann);
  });

  test('lock, kick and who comes late', async () => {
    const host = await user(one, 'h', 'Host');
    const ann = await user(two, 'u1', 'Ann');
    const bob = await user(one, 'u2', 'Bob');
    const eve = await user(two, 'u3', 'Eve');
    const game = await create(host, [SUM], { lateJoin: 'spectate' });
    const seat = await join(ann, game);
    await game.does('lock');
    await refused(bob.ask('joinQuiz', { quizId: game.quizId }), 'forbidden');
    assert.equal((await join(ann, game)).seat, seat.seat); // who has a seat is not locked out
    await game.does('unlock');
    const gone = await join(bob, game);
    await game.does('kick', { seat: gone.seatNumber });
    await refused(bob.ask('joinQuiz', { quizId: game.quizId }), 'forbidden');
    await game.does('start');
    await refused(say(bob, game, 'q1', 1), 'forbidden');
    assert.equal((await join(eve, game)).isSpectator, true);
    await refused(say(eve, game, 'q1', 1), 'not_a_member');
    await phase(ann, 'open');
    await game.does('close');
    await phase(ann, 'closed');
    assert.equal(bob.count('quiz:state', (s) => s.phase === 'closed'), 0);
    const shut = await create(host, [SUM], { lateJoin: 'refuse', maxPlayers: 1 });
    await join(ann, shut);
    await refused(eve.ask('joinQuiz', { quizId: shut.quizId }), 'limit_reached');
    await shut.does('start');
    await refused(bob.ask('joinQuiz', { quizId: shut.quizId }), 'forbidden');
    await shut.does('end');
    await phase(ann, 'ended');
    await refused(shut.control('start'), 'closed');
    closeThem(host, ann, bob, eve);
  });

  test('a refresh on the other node: the same seat, score, question, answer and time', async () => {
    const host = await user(one, 'h', 'Host');
    const game = await create(host, [SUM, SUM]);
    const ann = await connect(one.url);
    const { seat, seatNumber } = await join(ann, game, { name: 'Ann' });
    await game.does('start');
    await ok(say(ann, game, 'q1', 1));
    await game.does('close');
    const opened = await game.does('next');
    await ok(say(ann, game, 'q2', 2));
    ann.close();
    const back = await connect(two.url);
    const now = await join(back, game, { seat });
    assert.deepEqual([now.seatNumber, now.questionIndex, now.question.id, now.answer, now.endsAt, now.participantCount],
      [seatNumber, 1, 'q2', 2, opened.endsAt, 1]);
    assert.ok(now.score > 500);
    await refused(say(back, game, 'q2', 1), 'closed');
    const other = await connect(two.url); // the host on another device and node
    assert.equal((await ok(other.ask('quiz:control', { quizId: game.quizId, hostKey: game.hostKey, action: 'watch' }))).questionIndex, 1);
    await ok(other.ask('quiz:control', { quizId: game.quizId, hostKey: game.hostKey, action: 'close' }));
    await phase(host, 'closed', 1);
    closeThem(host, back, other);
  });
});

test('property: random answers, retries and changes from three nodes; the scores equal a replay of the log', async () => {
  const third = await startNode({ redis, env: ENV });
  const nodes = [one, two, third];
  const pick = (n) => Math.floor(Math.random() * n);
  for (const answers of ['first', 'change']) {
    const questions = Array.from({ length: 6 }, (_, i) => [
      { ...SUM, points: 1000 },
      { type: 'multiple', text: 'm', options: ['a', 'b', 'c', 'd'], correct: [0, 3], timeLimitMs: 7000, points: 777 },
      { type: 'trueFalse', text: 't', correct: true, timeLimitMs: 5000, points: 10000 },
    ][i % 3]);
    const random = [() => pick(3), () => [0, 1, 2, 3].filter(() => pick(2)), () => pick(2) === 1];
    const host = await user(one, 'h', 'Host');
    const game = await create(host, questions, { answers });
    const players = await Promise.all(Array.from({ length: 24 }, async (_, i) => {
      const peer = await user(nodes[i % 3], `p${i}`, `P${i}`);
      return { peer, seat: (await join(peer, game)).seatNumber, accepted: questions.map(() => new Map()) };
    }));
    await game.does('start');
    for (let q = 0; q < questions.length; q++) {
      await Promise.all(players.map(async (p) => {
        for (let turn = pick(4); turn > 0; turn--) {
          const answer = random[q % 3]();
          const acks = await Promise.all([say(p.peer, game, q, answer), ...(pick(2) ? [say(p.peer, game, q, answer)] : [])]);
          for (const ack of acks) {
            assert.ok(ack.ok || ack.code === 'closed', JSON.stringify(ack));
            if (ack.ok) p.accepted[q].set(ack.receivedAt, JSON.stringify(answer));
          }
        }
      }));
      await game.does('close');
      await game.does('next');
    }
    const { rows, questions: log } = await ok(host.ask('quiz:results', { quizId: game.quizId, hostKey: game.hostKey }));
    const want = replay(questions, log);
    assert.equal(rows.length, players.length);
    for (const { seatNumber, score, totalTimeMs, questionsAnswered } of rows)
      assert.deepEqual({ score, totalTimeMs, questionsAnswered }, want.get(seatNumber) ?? { score: 0, totalTimeMs: 0, questionsAnswered: 0 }, `seat ${seatNumber}`);
    const better = (a, b) => b.score - a.score || a.totalTimeMs - b.totalTimeMs || a.seatNumber - b.seatNumber;
    assert.deepEqual(rows.map((r) => r.seatNumber), [...rows].sort(better).map((r) => r.seatNumber));
    for (const r of rows) assert.equal(r.rank, 1 + rows.filter((o) => better(o, { ...r, seatNumber: 0 }) < 0 && (o.score !== r.score || o.totalTimeMs !== r.totalTimeMs)).length);
    for (const p of players) p.accepted.forEach((given, q) => {
      const kept = log[q].answers.find((a) => a.seatNumber === p.seat);
      assert.equal(Boolean(kept), given.size > 0); // all that was accepted is in the log, and nothing else
      if (kept) assert.equal(given.get(kept.receivedAt), JSON.stringify(kept.answer));
    });
    log.forEach((question) => assert.equal(question.stats.answered, question.answers.length));
    closeThem(host, ...players.map((p) => p.peer));
  }
  await third.stop();
});

test('so many new seats a second on one PIN, and no more; who has a seat comes back', async () => {
  const node = await startNode({ redis, env: { ...ENV, QUIZ_JOIN_RATE: '1' } });
  const host = await user(node, 'h', 'Host');
  const game = await create(host, [SUM]);
  const guests = await Promise.all(Array.from({ length: 30 }, () => connect(node.url)));
  const acks = await Promise.all(guests.map((g) => g.ask('joinQuiz', { pin: game.pin })));
  const seated = acks.findIndex((a) => a.ok);
  assert.ok(acks.filter((a) => a.ok).length >= 2);
  assert.ok(acks.some((a) => a.code === 'rate_limited'));
  assert.ok(acks.every((a) => a.ok || a.code === 'rate_limited'));
  assert.equal((await join(guests[seated], game)).seat, acks[seated].seat);
  const late = guests[acks.findIndex((a) => !a.ok)];
  await until('a place for one more', async () => (await late.ask('joinQuiz', { pin: game.pin })).ok);
  closeThem(host, ...guests);
  await node.stop();
});

describe('faults', () => {
  test('the node that opened the question dies in the middle of it: another one closes it, once', async () => {
    const third = await startNode({ redis, env: ENV });
    const host = await user(third, 'h', 'Host', { reconnection: false });
    const game = await create(host, [{ ...SUM, timeLimitMs: 2000 }, { ...SUM, timeLimitMs: 1000 }], { autoNextMs: 200 });
    const ann = await user(two, 'u1', 'Ann');
    const bob = await user(third, 'u2', 'Bob', { reconnection: false });
    await join(ann, game);
    const seat = await join(bob, game);
    await game.does('start');
    await phase(ann, 'open', 0);
    await ok(say(bob, game, 'q1', 1));
    await third.kill();
    await ok(say(ann, game, 'q1', 1));
    const back = await user(one, 'u2', 'Bob');
    assert.equal((await join(back, game)).seatNumber, seat.seatNumber);
    const closed = await phase(ann, 'closed', 0);
    assert.equal(closed.question.stats.right, 2);
    await phase(ann, 'open', 1);
    await phase(ann, 'ended');
    const seqs = ann.all.filter((e) => e[0] === 'quiz:state').map((e) => e[1].seq);
    assert.deepEqual([...new Set(seqs)], [2, 3, 4, 5, 6]);
    await until('the dead node to be forgotten', async () => (await join(ann, game)).participantCount === 2);
    closeThem(ann, back);
  });

  test('Redis stands still in mid-game: an answer of unknown fate is asked again, and counts once', async () => {
    const own = await startRedis();
    const node = await startNode({ redis: own, env: { ...ENV, REDIS_TIMEOUT_MS: '1000' } });
    const host = await user(node, 'h', 'Host');
    const game = await create(host, [{ ...SUM, timeLimitMs: 60000 }]);
    const ann = await user(node, 'u1', 'Ann');
    await join(ann, game);
    await game.does('start');
    own.kill('SIGSTOP');
    const lost = await say(ann, game, 'q1', 1);
    assert.ok(['unavailable', 'timeout'].includes(lost.code), JSON.stringify(lost));
    own.kill('SIGCONT');
    await until('the same answer to be taken', async () => (await say(ann, game, 'q1', 1)).ok);
    await refused(say(ann, game, 'q1', 0), 'closed');
    await game.does('close');
    const { questions, rows } = await ok(host.ask('quiz:results', { quizId: game.quizId, hostKey: game.hostKey }));
    assert.deepEqual([questions[0].stats.answered, questions[0].stats.right, rows[0].questionsAnswered], [1, 1, 1]);
    closeThem(host, ann);
  });

  test('Redis away: clear errors, nothing half counted', async () => {
    const own = await startRedis();
    const node = await startNode({ redis: own, env: { ...ENV, REDIS_TIMEOUT_MS: '1000' } });
    const host = await user(node, 'h', 'Host');
    const game = await create(host, [SUM]);
    const ann = await user(node, 'u1', 'Ann');
    await join(ann, game);
    await game.does('start');
    await own.kill();
    const answer = await say(ann, game, 'q1', 1);
    assert.ok(['unavailable', 'timeout'].includes(answer.code), JSON.stringify(answer));
    await until('the node to notice', async () => (await game.control('pause')).code === 'unavailable');
    await refused(ann.ask('joinQuiz', { quizId: game.quizId }), 'unavailable');
    const alone = await startNode({ env: ENV });
    const bob = await user(alone, 'u2', 'Bob');
    await refused(bob.ask('joinQuiz', { quizId: 'x' }), 'unavailable');
    await refused(bob.ask('quiz:create', { questions: [SUM] }), 'unavailable');
    closeThem(host, ann, bob);
  });
});
