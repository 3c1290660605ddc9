// The host's view: a quiz is chosen, players come by PIN or QR code, questions, figures, the podium.
// Whoever has the host's key holds the buttons: after a refresh of the page it goes on where the game is.
import { $, avatar, el, icon, setTitle, svg, toast } from './dom.js';
import { ask, askSurely, connected, hearClock, net, on, onConnected, retryText } from './net.js';
import { qrPath, qrRows } from './qr.js';
import { QUIZZES } from './quizzes.js';
import { boardList, HINTS, isRightOption, keyOf, mergeBoard, optionsOf, podium, ring, shape, shapeName } from './shapes.js';

const LEAD_MS = 3000;
const KEPT = 'ingoma.host';
const stage = $('host');
let game = null; // {quizId, pin, hostKey, title, closesItself, state, players, count, answered, board, rows, before}
let timer = null; // the ring on the screen
let isShown = false;

const keep = () => {
  const { quizId, pin, hostKey, title, closesItself } = game;
  sessionStorage.setItem(KEPT, JSON.stringify({ quizId, pin, hostKey, title, closesItself }));
};
const empty = () => ({ state: { phase: 'lobby', seq: -1 }, players: new Map(), count: 0, answered: 0, board: new Map(), rows: [], before: new Map() });
const nameOf = (p) => p.userName || `Player ${p.seatNumber}`;
const button = (kind, text, onclick, more = {}) => el(`button.${kind}`, { type: 'button', text, onclick, ...more });

// ---- what the server says

function take(s) {
  if (!game || s.quizId !== game.quizId || (s.seq < game.state.seq)) return;
  const isSame = s.seq === game.state.seq;
  if (s.phase === 'open' && s.questionIndex !== game.state.questionIndex) {
    game.answered = 0;
    game.before = new Map(game.rows.map((r) => [r.seatNumber, r.score]));
  }
  hearClock(s.serverNow);
  game.state = s;
  if (s.players !== undefined) game.count = s.players;
  if (!isSame || !stage.firstChild) render();
}

async function watch() {
  if (!game) return;
  const s = await ask('quiz:control', { quizId: game.quizId, hostKey: game.hostKey, action: 'watch' });
  if (s.ok) {
    game.state.seq = Math.min(game.state.seq, s.seq - 1); // shown again in any case
    game.pin = s.pin || game.pin;
    take(s);
    readBoard();
  } else if (['not_found', 'forbidden', 'auth_invalid'].includes(s.code)) {
    forget();
    render();
  }
}

async function readBoard() {
  const e = await ask('requestLeaderboard', { quizId: game?.quizId ?? '', count: 200 });
  if (e.ok) takeBoard(e);
}

function takeBoard(e) {
  if (!game || e.quizId !== game.quizId) return;
  game.rows = mergeBoard(game.board, e);
  for (const row of game.rows) if (!game.players.has(row.seatNumber)) game.players.set(row.seatNumber, { ...row, isHere: true });
  game.count = Math.max(game.count, e.total ?? 0, game.players.size);
  showBoard();
  showPlayers();
}

// The board alone: the bars beside it have grown once. A podium is built again only when somebody else stands on it.
function showBoard() {
  const { phase } = game.state;
  const list = stage.querySelector('.board');
  if (phase === 'closed' && list) list.replaceWith(boardList(game.rows.slice(0, 5), { before: game.before }));
  const seen = JSON.stringify(game.rows.map((r) => [r.seatNumber, r.score]));
  if (phase === 'ended' && seen !== game.seen) render();
  game.seen = seen;
}

function onJoined(e) {
  if (!game || e.quizId !== game.quizId || !e.seatNumber) return;
  game.players.set(e.seatNumber, { ...e, isHere: true });
  game.count = Math.max(game.count, e.participantCount);
  showPlayers();
}

function onLeft(e) {
  const player = game?.quizId === e.quizId && game.players.get(e.seatNumber);
  if (player) player.isHere = false; // the seat is kept
  showPlayers();
}

function onProgress(e) {
  if (!game || e.quizId !== game.quizId || e.answered === undefined || e.questionIndex !== game.state.questionIndex) return;
  game.answered = Math.max(game.answered, e.answered);
  showAnswered();
  const here = [...game.players.values()].filter((p) => p.isHere).length;
  if (game.closesItself && game.state.phase === 'open' && game.answered >= Math.max(here, 1)) press('close');
}

// ---- buttons

async function press(action, more = {}) {
  const s = await askSurely('quiz:control', { quizId: game.quizId, hostKey: game.hostKey, action, seq: game.state.seq, ...more });
  if (s.ok) take(s);
  else await watch(); // the game has moved on: another button, another device, or the clock
}

async function create(quiz, form) {
  const seconds = Number(form.get('seconds'));
  await connected();
  const made = await ask('quiz:create', {
    title: quiz.title, leadMs: LEAD_MS, autoNextMs: form.get('auto') ? 6000 : 0,
    questions: quiz.questions.map((q) => ({ ...q, timeLimitMs: seconds * 1000 })),
  });
  if (!made.ok) {
    toast(retryText(made));
    return;
  }
  game = { ...empty(), quizId: made.quizId, pin: made.pin, hostKey: made.hostKey, title: quiz.title, closesItself: Boolean(form.get('early')) };
  keep();
  take(made);
}

async function download() {
  let from = 0;
  let text = '';
  while (from !== undefined) {
    const page = await ask('quiz:results', { quizId: game.quizId, hostKey: game.hostKey, format: 'csv', from });
    if (!page.ok) return toast(retryText(page));
    text += page.csv;
    from = page.next;
  }
  const link = el('a', { href: URL.createObjectURL(new Blob([text], { type: 'text/csv' })), download: `${game.title}.csv` });
  link.click();
  URL.revokeObjectURL(link.href);
}

function forget() {
  sessionStorage.removeItem(KEPT);
  timer?.stop();
  game = null;
}

// ---- the views

const pinText = (pin) => pin.replace(/^(\d{4})(\d{3})(\d{3})$/, '$1 $2 $3');
const joinUrl = () => `${location.origin}${location.pathname}?pin=${game.pin}`;

function setup() {
  const form = el('form.setup', { onsubmit: (e) => {
    e.preventDefault();
    const data = new FormData(form);
    create(QUIZZES[Number(data.get('quiz'))], data);
  } },
  el('h1', { text: 'Host a quiz' }),
  el('p.lead', { text: 'You show the questions, the others answer on their phones. No account is needed to play.' }),
  el('fieldset.choices', null, el('legend', { text: 'Which one?' }), QUIZZES.map((q, i) => {
    const input = el('input.sr', { type: 'radio', name: 'quiz', value: i, id: `quiz-${i}` });
    input.checked = i === 0;
    return el('label.choice', { for: `quiz-${i}` }, input, el('span.choice-shape', null, shape(i, 26)),
      el('span', null, el('strong', { text: q.title }), el('span.small', { text: q.about })));
  })),
  el('div.knobs', null,
    el('label', null, 'Seconds for a question ', el('select', { name: 'seconds' }, [10, 20, 30, 60].map((n) => el('option', { value: n, text: n, selected: n === 20 })))),
    el('label.check', null, el('input', { type: 'checkbox', name: 'early', checked: true }), 'Close when all have answered'),
    el('label.check', null, el('input', { type: 'checkbox', name: 'auto' }), 'Go on by itself')),
  el('button.primary.big', { type: 'submit', text: 'Open the lobby', id: 'open-lobby' }));
  return form;
}

function qr() {
  const rows = qrRows(joinUrl());
  const box = rows.length + 8;
  return svg('svg', { viewBox: `0 0 ${box} ${box}`, class: 'qr', role: 'img', 'aria-label': `QR code of ${joinUrl()}`, id: 'qr', 'shape-rendering': 'crispEdges' },
    svg('rect', { width: box, height: box, fill: '#fff' }), svg('path', { d: qrPath(rows), fill: '#1b1512' }));
}

function lobby() {
  const { isLocked } = game.state;
  return el('div.lobby', null,
    el('section.ticket', { 'aria-label': 'How to join' },
      el('div.ticket-text', null,
        el('p.ticket-how', null, 'Join at ', el('strong', { text: location.host }), ' with the PIN'),
        el('p.pin', { id: 'pin', text: pinText(game.pin), data: { pin: game.pin } }),
        el('p.about', null, el('span', { text: 'or point a camera at the code' }), el('span', { text: isLocked ? 'Nobody else may come in now.' : '' }))),
      qr()),
    el('section.crowd', null,
      el('h3', null, el('b.crowd-count', { id: 'player-count', text: game.count }), ' ', el('span', { id: 'player-word', text: game.count === 1 ? 'player' : 'players' })),
      el('ul.chips', { id: 'chips', 'aria-live': 'polite' })),
    el('div.actions', null,
      button('secondary', isLocked ? 'Unlock' : 'Lock', () => press(isLocked ? 'unlock' : 'lock')),
      button('secondary', 'Cancel', () => press('end').then(forget).then(render)),
      button('primary.big', 'Start', () => press('start'), { id: 'start' })));
}

function bars(question) {
  const stats = question.stats;
  const most = Math.max(1, ...(stats?.options ?? []));
  const isClosed = Boolean(stats);
  const index = question.type === 'trueFalse' ? (value) => (value ? 1 : 0) : (value) => value;
  return el('ul.tiles', { class: `tiles ${isClosed ? 'is-closed' : ''}` }, optionsOf(question).map((o, i) => {
    const n = stats?.options?.[index(o.value)] ?? 0;
    const isRight = isClosed && isRightOption(question, o.value);
    const bar = el('span.bar-fill');
    const tile = el(`li.tile.answer-${i % 6}`, { data: { shape: shapeName(i) } }, shape(i, isClosed ? 28 : 44), el('span.tile-text', { text: o.text }),
      isRight && el('span.tile-right', null, icon('check', 26), el('span.sr', { text: 'right' })),
      isClosed && question.stats.options?.length > 0 && el('span.bar', null, bar, el('b', { text: n })));
    bar.style.inlineSize = `${(100 * n) / most}%`;
    if (isClosed && question.correct !== undefined && question.type !== 'order') tile.classList.add(isRight ? 'is-right' : 'is-wrong');
    return tile;
  }));
}

function head(s) {
  return el('header.ask-head', null,
    el('span.ask-count', { text: `Question ${s.questionIndex + 1} of ${s.questionCount}` }),
    el('span.ask-pin', null, 'PIN ', el('b', { text: pinText(game.pin) })));
}

function question(s) {
  timer = ring();
  timer.show(s);
  const isOpen = s.phase === 'open';
  return el('div.ask', null, head(s),
    el('h1.ask-text', { text: s.question.text, tabindex: '-1' }), el('p.small.ask-hint', { text: HINTS[s.question.type] ?? '' }),
    el('div.ask-mid', null, timer.node, el('p.answered', { role: 'status' }, el('b', { id: 'answered', text: game.answered }), ' of ',
      el('span', { id: 'answered-of', text: game.count }), ' answered')),
    bars(s.question),
    el('div.actions', null,
      button('secondary', isOpen ? 'Pause' : 'Go on', () => press(isOpen ? 'pause' : 'resume'), { id: 'pause' }),
      isOpen && button('secondary', '+10 s', () => press('extend', { ms: 10000 })),
      button('primary.big', 'Close the question', () => press('close'), { id: 'close', disabled: !isOpen })));
}

function closed(s) {
  const isLast = s.questionIndex + 1 >= s.questionCount;
  const { stats } = s.question;
  const key = keyOf(s.question);
  return el('div.ask.is-done', null, head(s), el('h1.ask-text', { text: s.question.text, tabindex: '-1' }),
    el('div.columns', null,
      el('section', null,
        key && !optionsOf(s.question).some((o) => isRightOption(s.question, o.value)) && el('p.key', null, icon('check', 22), el('span', { text: key })),
        bars(s.question),
        s.question.explanation && el('p.explain', { text: s.question.explanation }),
        stats && el('p.small', { text: `${stats.answered} answered${s.question.type === 'poll' ? '' : `, ${stats.right} right`}, ${(stats.averageMs / 1000).toFixed(1)} s on average` })),
      el('section', null, el('h3', { text: 'Leaderboard' }), boardList(game.rows.slice(0, 5), { before: game.before }))),
    el('div.actions', null, button('primary.big', isLast ? 'To the podium' : 'Next question', () => press(isLast ? 'end' : 'next'), { id: 'next' })));
}

function ended() {
  return el('div.ended', null, el('h1', { text: game.title || 'The podium' }),
    game.rows.length ? podium(game.rows) : el('p.lead', { text: 'Nobody played.' }),
    game.rows.length > 3 && boardList(game.rows.slice(3, 50)),
    el('div.actions', null, button('secondary', 'Results as CSV', download), button('primary.big', 'New quiz', () => {
      forget();
      render();
    }, { id: 'again-quiz' })));
}

// ---- what changes within a view

function showPlayers() {
  if (!game || !$('chips')) {
    if ($('answered-of') && game) $('answered-of').textContent = game.count;
    return;
  }
  $('player-count').textContent = game.count;
  $('player-word').textContent = game.count === 1 ? 'player' : 'players';
  $('start').disabled = !game.count;
  const known = new Set([...$('chips').children].map((c) => c.dataset.seat));
  for (const p of game.players.values()) {
    if (!known.has(String(p.seatNumber))) $('chips').append(el('li.chip', { data: { seat: p.seatNumber } }, avatar(p.userId ?? p.seatNumber, nameOf(p)), nameOf(p)));
  }
  for (const chip of $('chips').children) chip.classList.toggle('is-away', !game.players.get(Number(chip.dataset.seat))?.isHere);
}

function showAnswered() {
  if ($('answered')) $('answered').textContent = game.answered;
}

function render() {
  if (!isShown) return;
  timer?.stop();
  const phase = game?.state.phase ?? 'none';
  const isNew = stage.dataset.phase !== phase;
  stage.dataset.phase = phase;
  const s = game?.state;
  setTitle(game?.title ?? 'Host a quiz');
  const view = { none: setup, lobby, open: question, paused: question, closed, ended }[phase];
  stage.replaceChildren(view(s));
  showPlayers();
  if (isNew) stage.scrollTop = 0;
  if (isNew && phase !== 'none') stage.querySelector('.primary:not(:disabled)')?.focus({ preventScroll: true });
}

// ---- in and out

export function show() {
  isShown = true;
  if (!game && sessionStorage.getItem(KEPT)) {
    game = { ...JSON.parse(sessionStorage.getItem(KEPT)), ...empty() };
    if (net.state === 'on') watch();
  }
  render();
  return game?.title ?? 'Host a quiz';
}

export function hide() {
  isShown = false;
  timer?.stop();
}

export async function leave() {
  forget();
  isShown = false;
  stage.replaceChildren();
}

onConnected(() => {
  if (isShown || game) return watch();
});
on('quiz:state', take);
on('leaderboardUpdate', takeBoard);
on('participantJoined', onJoined);
on('participantLeft', onLeft);
on('participantProgress', onProgress);
