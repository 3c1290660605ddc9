// Promise P4 of quizzes, by chance: players on three nodes answer, ask again, refresh the page, come back on another node,
// nodes are killed in the middle of a question. Afterwards every answer that was accepted is in the log, once and as it was
// given, and scores, order, ranks and everybody's part of the board equal a replay of the log. SEED=n repeats a run, SECONDS=n makes it longer.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startNode, startRedis, stopAll } from '../support/cluster.mjs';
import { closeAll, schemaBreaches } from '../support/peer.mjs';
import { bare, create, ok, replay, standings, SUM, user } from '../support/quiz.mjs';
import { random, SECONDS, SEED } from '../support/random.mjs';

const PLAYERS = 24;
const ENV = { RATE_EVENTS: '1000000', RATE_USER_EVENTS: '0', RATE_STRIKES: '1000000', BEAT_MS: '200', DEAD_MS: '1500', REDIS_TIMEOUT_MS: '2000' };
const QUESTIONS = Array.from({ length: 4 }, () => ({ ...SUM, timeLimitMs: 60000, points: 1000 }));

after(async () => {
  closeAll();
  await stopAll();
});

test(`an accepted answer counts once (SEED=${SEED}, ${SECONDS} s)`, async () => {
  const below = random(SEED);
  const redis = await startRedis();
  const nodes = await Promise.all([0, 1, 2].map(() => startNode({ redis, env: ENV })));
  const did = { games: 0, answers: 0, retries: 0, refreshes: 0, kills: 0, looks: 0 };

  async function come(id) {
    for (;;) {
      const alive = nodes.filter((n) => !n.ended);
      const peer = await user(alive[below(alive.length)], id, id, { reconnection: false, wait: false });
      await peer.settled();
      if (peer.socket.connected) return peer;
      peer.close();
    }
  }
  // null: its node died, nobody knows whether it was done.
  const tell = (peer, event, what) => new Promise((done) => {
    peer.socket.timeout(10000).emit(event, what, (e, answer) => done(e ? null : answer));
    peer.socket.once('disconnect', () => done(null));
  });
  // Into the game, as the page does it after a refresh: the same seat as before.
  async function sit(p, game) {
    for (;;) {
      p.peer?.close();
      p.peer = await come(p.id);
      const seat = await tell(p.peer, 'joinQuiz', { quizId: game.quizId });
      if (!seat?.ok) continue;
      assert.equal(p.seat ?? seat.seatNumber, seat.seatNumber, `${p.id} lost the seat`);
      p.seat = seat.seatNumber;
      return;
    }
  }
  async function answer(p, game, q) {
    if (!below(4)) {
      did.refreshes++;
      await sit(p, game);
    }
    const what = { quizId: game.quizId, questionId: `q${q + 1}`, answer: below(3), timeSpent: 1 };
    let first;
    for (let more = below(3); !first || more-- > 0; did.retries++) {
      const said = await tell(p.peer, 'submitAnswer', what);
      if (!said) await sit(p, game);
      if (said && !said.ok) assert.ok(['unavailable', 'timeout'].includes(said.code), JSON.stringify(said)); // then asked again
      if (!said?.ok) continue;
      first ??= said;
      assert.equal(said.receivedAt, first.receivedAt, 'a retry gets the first answer');
    }
    did.answers++;
    did.retries--;
    p.given[q] = { answer: what.answer, receivedAt: first.receivedAt };
  }
  async function kill() {
    const i = below(3);
    did.kills++;
    await nodes[i].kill();
    nodes[i] = await startNode({ redis, env: ENV, connected: true });
  }
  // The board that a player is shown after a close: any part of it, the own row and two around it, from any node.
  async function look(p, game, want) {
    const from = below(PLAYERS), count = 1 + below(PLAYERS);
    const seen = await tell(p.peer, 'requestLeaderboard', { quizId: game.quizId, from, count });
    if (!seen?.ok) return;
    const at = want.findIndex((r) => r.seatNumber === p.seat);
    assert.deepEqual(seen.leaderboard.map(bare), want.slice(from, from + count));
    assert.deepEqual([bare(seen.me), seen.around.map(bare), seen.total], [want[at], want.slice(Math.max(at - 2, 0), at + 3), PLAYERS]);
    did.looks++;
  }
  async function play() {
    const players = Array.from({ length: PLAYERS }, (_, i) => ({ id: `p${i}`, given: [] }));
    let host = await come('host');
    const game = await create(host, QUESTIONS);
    const does = async (action) => {
      if (!host.socket.connected) host = await come('host');
      return ok(host.ask('quiz:control', { quizId: game.quizId, hostKey: game.hostKey, action }));
    };
    await Promise.all(players.map((p) => sit(p, game)));
    await does('start');
    for (let q = 0; q < QUESTIONS.length; q++) {
      const killing = below(2) || !did.kills ? kill() : null;
      await Promise.all(players.map((p) => answer(p, game, q)));
      await killing;
      await does('close');
      const { questions: log } = await ok(host.ask('quiz:results', { quizId: game.quizId, hostKey: game.hostKey }));
      const want = standings(replay(QUESTIONS, log), players.map((p) => p.seat));
      await Promise.all(players.map((p) => look(p, game, want)));
      await does('next');
    }
    const { rows, questions: log } = await ok(host.ask('quiz:results', { quizId: game.quizId, hostKey: game.hostKey }));
    const want = replay(QUESTIONS, log);
    assert.equal(rows.length, PLAYERS);
    assert.deepEqual(rows.map(bare), standings(want, players.map((p) => p.seat)));
    log.forEach((question, q) => {
      assert.equal(question.answers.length, PLAYERS);
      for (const p of players) {
        const { answer: kept, receivedAt } = question.answers.find((a) => a.seatNumber === p.seat);
        assert.deepEqual({ answer: kept, receivedAt }, p.given[q], `${p.id}, question ${q + 1}`);
      }
    });
    [host, ...players.map((p) => p.peer)].forEach((peer) => peer.close());
    did.games++;
  }

  for (const end = Date.now() + SECONDS * 1000; Date.now() < end;) await play();
  assert.deepEqual(schemaBreaches(), []);
  console.log(`${did.games} games, ${did.answers} answers, ${did.retries} asked again, ${did.refreshes} refreshes, ${did.kills} kills, ${did.looks} looks at the board: no mismatch`);
});
