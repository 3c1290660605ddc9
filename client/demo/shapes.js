// Questions as both views show them: colour and shape of an option, the ring that counts down, boards, the podium.
import { avatar, el, icon, svg } from './dom.js';
import { serverNow } from './net.js';

const SHAPES = [ // in a box of 24: what a player sees on the phone is what the host shows
  ['triangle', 'M12 3.2L22 20.8H2z'],
  ['diamond', 'M12 1.6L22.4 12 12 22.4 1.6 12z'],
  ['circle', 'M12 2.4a9.6 9.6 0 1 0 0 19.2 9.6 9.6 0 0 0 0-19.2z'],
  ['square', 'M3.2 3.2h17.6v17.6H3.2z'],
  ['pentagon', 'M12 2l10.4 7.6-4 12.2H5.6l-4-12.2z'],
  ['star', 'M12 1.6l3.1 7 7.5.7-5.7 5 1.7 7.5L12 17.9l-6.6 3.9 1.7-7.5-5.7-5 7.5-.7z'],
];

export const shapeName = (i) => SHAPES[i % SHAPES.length][0];

export function shape(i, size = 28) {
  const path = svg('path', { d: SHAPES[i % SHAPES.length][1], fill: 'currentColor' });
  return svg('svg', { viewBox: '0 0 24 24', width: size, height: size, 'aria-hidden': 'true', class: 'shape' }, path);
}

// What can be tapped or is shown for a question: [{value, text}]; true and false are its options, too.
export function optionsOf(question) {
  if (question.type === 'trueFalse') return [{ value: true, text: 'True' }, { value: false, text: 'False' }];
  return (question.options ?? []).map((text, value) => ({ value, text: String(text) }));
}

export function isRightOption(question, value) {
  const { correct, type } = question;
  if (type === 'order' || correct === undefined) return false;
  return Array.isArray(correct) ? correct.includes(value) : correct === value;
}

// The key in words, after the close.
export function keyOf(question) {
  const { correct, type } = question;
  if (correct === undefined || type === 'poll') return '';
  if (type === 'number') return question.tolerance ? `${correct} (± ${question.tolerance})` : String(correct);
  if (type === 'text') return [correct].flat().join(' or ');
  if (type === 'order') return correct.map((i) => question.options[i]).join(' → ');
  return optionsOf(question).filter((o) => isRightOption(question, o.value)).map((o) => o.text).join(', ');
}

export const HINTS = {
  single: 'One is right', multiple: 'Several may be right', trueFalse: 'True or false?', number: 'A number', text: 'A word',
  order: 'Tap them in their order', poll: 'Nothing is right or wrong here',
};

// ---- the countdown

const ROUND = 2 * Math.PI * 20;
const STEP_MS = 100; // smooth enough for a ring that takes seconds, and cheap on an old phone

// A ring with the seconds that are left by the server's clock. {node, show(state), stop()}; it moves itself while open.
export function ring() {
  const arc = svg('circle', { cx: 24, cy: 24, r: 20, class: 'ring-arc', 'stroke-dasharray': ROUND });
  const digits = el('span.ring-digits', { text: '' });
  const node = el('div.ring', { role: 'timer', 'aria-label': 'Seconds left' },
    svg('svg', { viewBox: '0 0 48 48', 'aria-hidden': 'true' }, svg('circle', { cx: 24, cy: 24, r: 20, class: 'ring-back' }), arc), digits);
  let step = 0;
  let timing = null;
  const paint = (left, limit) => {
    const text = String(Math.max(0, Math.ceil(left / 1000)));
    if (digits.textContent !== text) digits.textContent = text;
    arc.style.strokeDashoffset = String(ROUND * (1 - Math.max(0, Math.min(1, left / limit))));
    node.classList.toggle('hurry', left < 5000);
  };
  const tick = () => {
    paint(Math.min(timing.limit, timing.ends - serverNow()), timing.limit);
    step = setTimeout(tick, STEP_MS);
  };
  const stop = () => clearTimeout(step);
  const show = (s) => {
    stop();
    const limit = s.question?.timeLimitMs || 20000;
    node.classList.toggle('is-paused', s.phase === 'paused');
    if (s.phase === 'open') {
      timing = { ends: Date.parse(s.endsAt), limit: Math.max(limit, Date.parse(s.endsAt) - Date.parse(s.startsAt)) };
      tick();
    } else if (s.phase === 'paused') paint(s.remainingMs, limit);
  };
  return { node, show, stop };
}

// ---- boards

const nameOf = (row) => row.userName || `Player ${row.seatNumber}`;

export function boardList(rows, { me, before } = {}) {
  return el('ol.board', { 'aria-label': 'Leaderboard' }, rows.map((row) => {
    const gained = before ? row.score - (before.get(row.seatNumber) ?? 0) : 0;
    const line = el('li.board-row', { data: { seat: row.seatNumber } },
      el('span.board-rank', { text: row.rank }), avatar(row.userId ?? row.seatNumber, nameOf(row)), el('span.board-name', { text: nameOf(row) }),
      gained > 0 && el('span.board-gain', { text: `+${gained}` }), el('span.board-score', { text: row.score }));
    if (row.seatNumber === me) line.classList.add('is-me');
    return line;
  }));
}

// Rows of leaderboardUpdate into what is known, by seat: whole pages, and changed rows alone.
export function mergeBoard(known, e) {
  const rows = e.changed ?? e.leaderboard ?? [];
  if (!e.changed && (e.from ?? 0) === 0 && rows.length >= Math.min(known.size, e.total ?? 0)) known.clear();
  for (const row of rows) known.set(row.seatNumber, row);
  const all = [...known.values()].sort((a, b) => b.score - a.score || a.totalTimeMs - b.totalTimeMs || a.seatNumber - b.seatNumber);
  all.forEach((row, i) => {
    const above = all[i - 1];
    row.rank = above && above.score === row.score && above.totalTimeMs === row.totalTimeMs ? above.rank : i + 1;
  });
  return all;
}

const PLACES = [[1, 'second'], [0, 'first'], [2, 'third']]; // as they stand

function confetti() {
  return el('div.confetti', { 'aria-hidden': 'true' }, Array.from({ length: 32 }, (_, i) => {
    const piece = el('i');
    piece.style.left = `${(i * 37 + 11) % 100}%`;
    piece.style.animationDelay = `${1.2 + ((i * 53) % 90) / 100}s`;
    piece.style.setProperty('--drift', `${((i * 29) % 80) - 40}px`);
    piece.style.setProperty('--turn', `${(i * 97) % 720}deg`);
    return piece;
  }));
}

export function podium(rows, me) {
  const steps = PLACES.filter(([i]) => rows[i]).map(([i, place]) => {
    const row = rows[i];
    const step = el(`li.step.step-${place}`, { 'aria-label': `Place ${row.rank}: ${nameOf(row)}, ${row.score} points`, data: { place: i + 1 } },
      place === 'first' && el('span.crown', null, icon('crown', 30)), avatar(row.userId ?? row.seatNumber, nameOf(row)),
      el('span.step-name', { text: nameOf(row) }), el('span.step-block', null, el('b', { text: row.rank }), el('span', { text: `${row.score}` })));
    if (row.seatNumber === me) step.classList.add('is-me');
    return step;
  });
  return el('div.podium', null, confetti(), el('ol.steps', null, steps));
}
