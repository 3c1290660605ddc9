// The player's view, made for a phone: in by PIN or QR code, a seat that is kept, answers that count once.
import { $, avatar, el, icon, toast } from './dom.js';
import { ask, askSurely, connected, hearClock, net, on, onConnected, retryText, serverNow } from './net.js';
import { lastName, session } from './session.js';
import { boardList, HINTS, isRightOption, keyOf, mergeBoard, optionsOf, podium, ring, shape, shapeName } from './shapes.js';

const KEPT = 'ingoma.play'; // of this tab
const stage = $('play');
let me = null; // {quizId, pin, seat, seatNumber, name, score, state, answer, sending, refused, picked, row, rows, gained, count}
let pin = '';
let timer = null;
let lead = null; // until the question begins
let isShown = false;

const shelf = (p) => `ingoma.seat.${p}`; // for who closed the page and scans the code again
function keep() {
  const text = JSON.stringify({ quizId: me.quizId, pin: me.pin, seat: me.seat, name: me.name });
  sessionStorage.setItem(KEPT, text);
  if (me.pin && me.seat) localStorage.setItem(shelf(me.pin), text);
}
function kept(store, key) {
  try {
    return JSON.parse(store.getItem(key));
  } catch {
    return null;
  }
}

// ---- joining

const WHY = { not_found: 'No quiz has this PIN.', forbidden: 'The quiz is closed for newcomers.', limit_reached: 'The quiz is full.', closed: 'The quiz is over.' };

async function join(order, more = {}) {
  await connected();
  const answer = await ask('joinQuiz', order);
  if (!answer.ok) return answer;
  me = { picked: [], count: 0, rows: [], ...me, ...more, quizId: answer.quizId };
  takeJoined(answer);
  return answer;
}

function takeJoined(a) {
  if (!me || a.quizId !== me.quizId) return;
  if (a.seat) me.seat = a.seat;
  Object.assign(me, { seatNumber: a.seatNumber ?? me.seatNumber, isSpectator: a.isSpectator, score: a.score ?? me.score ?? 0, count: a.participantCount, joined: true });
  if (a.answer !== undefined && !me.sending) Object.assign(me, { answer: a.answer, taken: true });
  keep();
  take(a);
}

async function enter(event) {
  event.preventDefault();
  const form = new FormData(event.target);
  const name = (session.name || form.get('player') || '').trim();
  const digits = String(form.get('pin')).replace(/\D/g, '');
  const go = event.target.querySelector('.primary');
  go.disabled = true;
  const old = event.submitter?.dataset.back ? kept(localStorage, shelf(digits)) : null;
  const answer = old ? await join({ quizId: old.quizId, seat: old.seat }, old) : await join({ pin: digits, ...(session.token ? {} : { name }) }, { pin: digits, name });
  go.disabled = false;
  if (answer.ok) {
    localStorage.setItem('ingoma.name', name || lastName());
    return;
  }
  if (old) localStorage.removeItem(shelf(digits));
  const error = $('play-error');
  if (error) error.textContent = WHY[answer.code] ?? retryText(answer);
}

// ---- what the server says

function take(s) {
  if (!me || s.quizId !== me.quizId) return;
  if (me.state && s.seq < me.state.seq) return;
  const isSame = me.state?.seq === s.seq && me.state.phase === s.phase;
  const isNext = s.questionIndex !== me.state?.questionIndex && me.state !== undefined && s.phase === 'open';
  hearClock(s.serverNow);
  if (isNext) Object.assign(me, { answer: undefined, taken: false, sending: false, refused: null, picked: [], gained: undefined });
  me.state = s;
  if (!isSame || me.joined) render();
  me.joined = false;
  if (!isSame && ['closed', 'ended'].includes(s.phase)) readBoard();
}

async function readBoard() {
  const e = await askSurely('requestLeaderboard', { quizId: me.quizId, count: 10 });
  if (e.ok) takeBoard(e);
}

function takeBoard(e) {
  if (!me || e.quizId !== me.quizId) return;
  me.rows = mergeBoard((me.board ??= new Map()), e);
  const row = e.me ?? me.rows.find((r) => r.seatNumber === me.seatNumber);
  if (row && ['closed', 'ended'].includes(me.state?.phase)) {
    if (me.state.phase === 'closed' && me.gained === undefined) me.gained = row.score - (me.score ?? 0);
    me.row = row;
    me.score = row.score;
    showBoard();
  }
}

// What the board tells, without building again what is being looked at.
function showBoard() {
  const { phase, question: q } = me.state;
  const seen = JSON.stringify([phase, me.row, me.rows.map((r) => [r.seatNumber, r.score])]);
  if (seen === me.seen) return;
  me.seen = seen;
  const verdict = stage.querySelector('.verdict');
  if (phase !== 'closed' || !verdict || verdict.dataset.verdict !== kindOf(q)) return render();
  $('play-score').textContent = me.score;
  if ($('gained')) $('gained').textContent = `+${me.gained}`;
  $('place').replaceChildren(...place());
}

function onCount(e) {
  if (!me || e.quizId !== me.quizId) return;
  me.count = Math.max(me.count, e.participantCount);
  const node = $('play-count');
  if (node) node.textContent = `${me.count} ${me.count === 1 ? 'player is' : 'players are'} in`;
}

// ---- answering

async function answer(value) {
  const { state } = me;
  if (state.phase !== 'open' || me.taken || me.sending || me.isSpectator) return;
  Object.assign(me, { answer: value, sending: true, refused: null });
  render();
  const a = await askSurely('submitAnswer', { quizId: me.quizId, questionId: state.question.id, answer: value });
  if (!me || me.state.questionIndex !== state.questionIndex) return;
  Object.assign(me, { sending: false, taken: Boolean(a.ok), elapsedMs: a.elapsedMs, refused: a.ok ? null : a });
  if (!a.ok) {
    me.answer = undefined;
    toast(retryText(a));
  }
  render();
}

function pick(value) {
  const { type } = me.state.question;
  if (['single', 'trueFalse', 'poll'].includes(type)) return answer(value);
  me.picked = me.picked.includes(value) ? me.picked.filter((v) => v !== value) : [...me.picked, value];
  render();
}

function wasRight(q) {
  const given = me.answer;
  if (given === undefined || q.correct === undefined) return false;
  if (q.type === 'number') return Math.abs(given - q.correct) <= (q.tolerance ?? 0);
  if (q.type === 'text') return [q.correct].flat().some((t) => t.trim().toLowerCase() === String(given).trim().toLowerCase());
  if (q.type === 'order') return JSON.stringify(given) === JSON.stringify(q.correct);
  if (q.type === 'multiple') return given.length === q.correct.length && given.every((i) => q.correct.includes(i));
  return isRightOption(q, given);
}

// ---- the views

function door() {
  const old = pin && kept(localStorage, shelf(pin));
  return el('form.play-door', { onsubmit: enter, autocomplete: 'off' },
    el('img.mark', { src: 'icon.svg', alt: '', width: 64, height: 64 }), el('h1', { text: 'Join the quiz' }),
    el('div.card', null,
      el('label', { for: 'play-pin', text: 'PIN' }),
      el('input.pin-field', { id: 'play-pin', name: 'pin', required: true, inputmode: 'numeric', pattern: '[0-9 ]{8,16}', maxlength: 16, value: pin, placeholder: '0000 000 000' }),
      !session.token && el('label', { for: 'player', text: 'Your name in the game' }),
      !session.token && el('input', { id: 'player', name: 'player', required: true, maxlength: 40, value: lastName(), placeholder: 'Ann', spellcheck: 'false' }),
      el('p.hint', { id: 'play-error', role: 'alert' }),
      el('button.primary.big', { type: 'submit', text: session.token ? `Play as ${session.name}` : 'Play', id: 'play-go' }),
      old?.seat && el('button.secondary', { type: 'submit', data: { back: '1' }, formnovalidate: true, text: `Back to the seat of ${old.name || 'before'}` })));
}

function bar() {
  return el('header.play-bar', null, avatar(session.id ?? me.seatNumber, me.name || session.name),
    el('strong', { text: me.name || session.name || `Player ${me.seatNumber}` }), el('span.play-seat', { id: 'play-seat', text: me.seatNumber ? `seat ${me.seatNumber}` : 'looking on' }),
    el('b.play-score', { id: 'play-score', text: me.score ?? 0, 'aria-label': `${me.score ?? 0} points` }));
}

function waiting() {
  return el('div.play-wait', null, el('span.big-face', null, avatar(session.id ?? me.seatNumber, me.name || session.name)),
    el('h1', { text: 'You are in!' }), el('p.lead', { text: 'See your name on the big screen? It begins when the host says so.' }),
    el('p.small', { id: 'play-count', text: `${me.count} ${me.count === 1 ? 'player is' : 'players are'} in` }), el('span.beats', { 'aria-hidden': 'true' }, el('i'), el('i'), el('i')));
}

function tiles(q, isOff) {
  const many = ['multiple', 'order'].includes(q.type);
  const chosen = me.answer === undefined ? me.picked : [me.answer].flat();
  return el('div.tiles.is-touch', { role: 'group', 'aria-label': HINTS[q.type] }, optionsOf(q).map((o, i) => {
    const at = chosen.indexOf(o.value);
    const tile = el(`button.tile.answer-${i % 6}`, { type: 'button', disabled: isOff, 'aria-pressed': String(at >= 0), data: { shape: shapeName(i) }, onclick: () => pick(o.value) },
      shape(i, 34), el('span.tile-text', { text: o.text }), q.type === 'order' && at >= 0 && el('b.tile-place', { text: at + 1 }), many && q.type !== 'order' && at >= 0 && el('span.tile-place', null, icon('check', 20)));
    if (at >= 0) tile.classList.add('is-chosen');
    return tile;
  }));
}

function field(q, isOff) {
  return el('form.answer-form', { onsubmit: (e) => {
    e.preventDefault();
    const text = new FormData(e.target).get('answer');
    answer(q.type === 'number' ? Number(text) : text);
  } }, el('label.sr', { for: 'answer-field', text: 'Your answer' }),
  el('input.answer-field', { id: 'answer-field', name: 'answer', required: true, type: q.type === 'number' ? 'number' : 'text', step: 'any', maxlength: 200, disabled: isOff, value: me.answer, placeholder: HINTS[q.type] }),
  el('button.primary.big', { type: 'submit', text: 'Send', disabled: isOff }));
}

function fate() {
  if (me.isSpectator) return 'You are looking on.';
  if (me.sending) return 'On its way …';
  if (me.taken) return me.elapsedMs === undefined ? 'Your answer is in.' : `Your answer is in, after ${(me.elapsedMs / 1000).toFixed(1)} s.`;
  return '';
}

function question(s) {
  const q = s.question;
  const isOff = s.phase !== 'open' || me.taken || me.sending || me.isSpectator;
  const many = ['multiple', 'order'].includes(q.type);
  const isFull = q.type === 'order' ? me.picked.length === q.options.length : me.picked.length > 0;
  timer = ring();
  timer.show(s);
  return el('div.play-ask', null,
    el('div.play-ask-head', null, timer.node, el('div', null, el('p.small', { text: `Question ${s.questionIndex + 1} of ${s.questionCount} · ${HINTS[q.type] ?? ''}` }), el('h1.ask-text', { text: q.text, tabindex: '-1' }))),
    optionsOf(q).length ? tiles(q, isOff) : field(q, isOff),
    many && !me.taken && el('button.primary.big', { type: 'button', text: 'Send', disabled: isOff || !isFull, onclick: () => answer(me.picked), id: 'answer-send' }),
    el('p.fate', { id: 'fate', role: 'status', text: s.phase === 'paused' ? 'The host has stopped the clock.' : fate(), data: { state: me.taken ? 'taken' : me.sending ? 'sending' : 'free' } }));
}

function ready(s) {
  const left = Math.max(1, Math.ceil((Date.parse(s.startsAt) - serverNow()) / 1000));
  return el('div.play-ready', null, el('p.small', { text: `Question ${s.questionIndex + 1} of ${s.questionCount}` }), el('h1.ask-text', { text: s.question.text }), el('p.count-in', { text: left, 'aria-live': 'assertive' }));
}

const SIGNS = { wrong: 'cross', none: 'clock' };
const VERDICTS = { poll: 'Thank you', right: 'Right!', some: 'Partly right', wrong: 'Not this time', none: 'No answer' };
function kindOf(q) {
  if (q.type === 'poll') return 'poll';
  if (me.answer === undefined) return 'none';
  if (wasRight(q)) return 'right';
  return me.gained > 0 ? 'some' : 'wrong';
}

const place = () => (me.row ? ['Place ', el('b', { text: me.row.rank }), ` with ${me.row.score} points`] : []);

function closed(s) {
  const q = s.question;
  const kind = kindOf(q);
  return el(`div.verdict.is-${kind}`, { data: { verdict: kind } },
    el('span.verdict-sign', null, icon(SIGNS[kind] ?? 'check', 56)), el('h1', { text: VERDICTS[kind], tabindex: '-1' }),
    kind !== 'poll' && el('p.verdict-points', { id: 'gained', text: me.gained === undefined ? '' : `+${me.gained}` }),
    keyOf(q) && el('p.key', null, el('span.small', { text: 'The answer' }), el('strong', { text: keyOf(q) })), q.explanation && el('p.explain', { text: q.explanation }),
    el('p.place', { id: 'place' }, place()));
}

function ended() {
  return el('div.ended', null, el('h1', { text: me.row ? `Place ${me.row.rank}` : 'The end' }),
    me.row && el('p.lead', { id: 'final', text: `${me.row.score} points` }), podium(me.rows, me.seatNumber),
    me.rows.length > 3 && boardList(me.rows.slice(3, 10), { me: me.seatNumber }),
    el('button.secondary', { type: 'button', text: 'Another quiz', onclick: () => {
      forget();
      render();
    } }));
}

function view() {
  const s = me?.state;
  if (!s) return [door()];
  if (s.phase === 'open' && Date.parse(s.startsAt) > serverNow() + 50) {
    const left = Date.parse(s.startsAt) - serverNow();
    lead = setTimeout(render, left % 1000 || 1000); // the next second, or the start
    return [bar(), ready(s)];
  }
  return [bar(), { waiting, lobby: waiting, open: question, paused: question, closed, ended }[s.phase](s)];
}

function render() {
  if (!isShown) return;
  timer?.stop();
  clearTimeout(lead);
  const focus = document.activeElement?.closest('#play') ? document.activeElement.id : '';
  const phase = `${me?.state?.phase ?? 'none'}-${me?.state?.questionIndex ?? ''}`;
  const isNew = stage.dataset.phase !== phase;
  stage.dataset.phase = phase;
  stage.replaceChildren(...view());
  if (isNew) {
    stage.scrollTop = 0;
    stage.querySelector('h1[tabindex]')?.focus({ preventScroll: true });
  } else if (focus) $(focus)?.focus();
}

// ---- in and out

export function show(rest) {
  isShown = true;
  pin = (rest ?? '').replace(/\D/g, '');
  const old = kept(sessionStorage, KEPT);
  if (!me && old && (!pin || pin === old.pin)) {
    me = { picked: [], rows: [], count: 0, ...old };
    if (net.state === 'on') back();
  }
  render();
  if (!me) $(pin && $('player') ? 'player' : 'play-pin')?.focus();
  return 'Quiz';
}

// The same seat, score and question, whichever node is met. Not before the seat was given.
async function back() {
  if (!me?.quizId) return;
  const answer = await ask('joinQuiz', { quizId: me.quizId, ...(me.seat && !session.token ? { seat: me.seat } : {}) });
  if (answer.ok) takeJoined(answer);
  else if (answer.code !== 'timeout' && answer.code !== 'unavailable') {
    forget();
    render();
  }
}

export function hide() {
  isShown = false;
  timer?.stop();
  clearTimeout(lead);
}

function forget() {
  sessionStorage.removeItem(KEPT);
  me = null;
}

export async function leave() {
  forget();
  hide();
  stage.replaceChildren();
}

document.addEventListener('keydown', (e) => {
  if (!isShown || e.target.closest('input, textarea, select') || !/^[1-9]$/.test(e.key)) return;
  stage.querySelectorAll('.tiles button')[Number(e.key) - 1]?.click();
});
onConnected(back);
on('quizJoined', takeJoined);
on('quiz:state', take);
on('leaderboardUpdate', takeBoard);
on('participantJoined', onCount);
