// A game as its host and its players see it, and its scores computed again.
import assert from 'node:assert/strict';
import { connect, token } from './peer.mjs';

export const user = (node, id, name, more = {}) => connect(node.url, { auth: { token: token({ id, ...(name ? { name } : {}) }) }, ...more });
export const closeThem = (...peers) => peers.forEach((p) => p.close());
export const SUM = { type: 'single', text: '1+1?', options: ['1', '2', '3'], correct: 1, timeLimitMs: 20000, explanation: 'count' };

export async function ok(promise) {
  const answer = await promise;
  assert.equal(answer.ok, true, JSON.stringify(answer));
  return answer;
}
export async function refused(promise, code) {
  const answer = await promise;
  assert.deepEqual([answer.ok, answer.code], [false, code], JSON.stringify(answer));
  return answer;
}
export async function create(host, questions, more = {}) {
  const game = await ok(host.ask('quiz:create', { questions, leadMs: 0, ...more }));
  const control = (action, rest = {}) => host.ask('quiz:control', { quizId: game.quizId, hostKey: game.hostKey, action, ...rest });
  return { ...game, control, does: (action, rest) => ok(control(action, rest)) };
}
export const join = async (peer, game, more = {}) => ok(peer.ask('joinQuiz', { quizId: game.quizId, ...more }));
export const say = (peer, game, questionId, answer) => peer.ask('submitAnswer', { quizId: game.quizId, questionId, answer, timeSpent: 1 });
export const phase = (peer, name, index) => peer.next('quiz:state', (s) => s.phase === name && (index === undefined || s.questionIndex === index));
export const board = (peer, game) => ok(peer.ask('requestLeaderboard', game.quizId));

// Order and ranks of what replay gives; seats that never answered are in it, too: 1, 2, 2, 4.
export function standings(scores, seats) {
  const none = { score: 0, totalTimeMs: 0, questionsAnswered: 0 };
  const rows = seats.map((seatNumber) => ({ seatNumber, ...(scores.get(seatNumber) ?? none) }));
  const worse = (a, b) => b.score - a.score || a.totalTimeMs - b.totalTimeMs;
  rows.sort((a, b) => worse(a, b) || a.seatNumber - b.seatNumber);
  return rows.map((r) => ({ rank: 1 + rows.filter((o) => worse(o, r) < 0).length, ...r }));
}
export const bare = ({ rank, seatNumber, score, totalTimeMs, questionsAnswered }) => ({ rank, seatNumber, score, totalTimeMs, questionsAnswered });

// What the log says, computed again here: nothing of the server's but the times of the answers.
export function replay(questions, log) {
  const players = new Map();
  log.forEach((question, q) => question.answers.forEach((a) => {
    const { correct, timeLimitMs: limit = 20000, points: base = 1000, type } = questions[q];
    let share = a.answer === correct ? 1000 : 0;
    if (type === 'multiple') {
      const right = a.answer.filter((i) => correct.includes(i)).length;
      share = Math.max(0, Math.floor((1000 * (2 * right - a.answer.length)) / correct.length));
    }
    const points = Math.floor((base * share * (2 * limit - Math.min(a.elapsedMs, limit))) / (2000 * limit));
    const p = players.get(a.seatNumber) ?? { score: 0, totalTimeMs: 0, questionsAnswered: 0 };
    players.set(a.seatNumber, {
      score: p.score + points, totalTimeMs: p.totalTimeMs + (points ? a.elapsedMs : 0), questionsAnswered: p.questionsAnswered + 1,
    });
  }));
  return players;
}
