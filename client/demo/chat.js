// A room: messages and their history, who is in it, who is typing.
import { $, clockOf, growing, paintAvatar, textOf } from './dom.js';
import { net, on, onConnected, onNet } from './net.js';
import { session } from './session.js';

const TYPING_EVERY_MS = 3000; // how often "is typing" is said again
const TYPING_IDLE_MS = 2500; // silence after which one has stopped
const TYPING_SEEN_MS = 6000; // a lost "stopped" is forgotten after so long
const FOLLOWS_MS = 180000; // messages of one sender that close together share a name
const MESSAGES_MAX = 500;

const state = {
  room: '', // empty: in none
  members: new Map(), // id as text → {name, sockets, typingUntil}
  count: 0, last: null, lastSent: '', lastNode: '',
};
const emit = (event, payload) => net.socket?.connected && net.socket.emit(event, payload);

// ---- the list of people

function keyOf(id) {
  return String(id);
}

function showMembers() {
  const rows = [...state.members].sort((a, b) => a[1].name.localeCompare(b[1].name));
  const list = rows.map(([id, member]) => {
    const row = $('member').content.firstElementChild.cloneNode(true);
    paintAvatar(row.querySelector('.avatar'), id, member.name);
    row.querySelector('.who').textContent = member.name;
    row.querySelector('.tag').textContent = id === keyOf(session.id) ? 'you' : '';
    return row;
  });
  $('member-list').replaceChildren(...list);
  state.count = Math.max(state.count, state.members.size);
  $('member-count').textContent = state.count;
  const unnamed = state.count - state.members.size;
  $('unnamed').hidden = unnamed <= 0;
  $('unnamed').textContent = `and ${unnamed} more`;
}

function meet(id, name) {
  if (id === undefined || id === null) return false;
  const known = state.members.get(keyOf(id));
  if (known) {
    known.name = name || known.name;
    return false;
  }
  state.members.set(keyOf(id), { name: name || 'Guest', sockets: 1, typingUntil: 0 });
  return true;
}

function showTyping() {
  const now = Date.now();
  const names = [...state.members.values()].filter((m) => m.typingUntil > now).map((m) => m.name);
  let text = '';
  if (names.length === 1) text = `${names[0]} is typing`;
  else if (names.length === 2) text = `${names[0]} and ${names[1]} are typing`;
  else if (names.length > 2) text = `${names.length} people are typing`;
  if ($('typing-text').textContent !== text) $('typing-text').textContent = text;
  $('typing').classList.toggle('active', names.length > 0);
}
setInterval(showTyping, 1000);

// ---- messages

function isAtEnd() {
  const box = $('scroll');
  return box.scrollHeight - box.scrollTop - box.clientHeight < 80;
}

function toEnd() {
  $('scroll').scrollTop = $('scroll').scrollHeight;
  $('newer').hidden = true;
}

function append(row, mine) {
  const stay = !mine && !isAtEnd();
  $('empty').hidden = true;
  $('messages').append(row);
  while ($('messages').children.length > MESSAGES_MAX) $('messages').firstChild.remove();
  if (stay) $('newer').hidden = false;
  else toEnd();
}

function note(text) {
  const row = document.createElement('li');
  row.className = 'note';
  row.textContent = text;
  state.last = null;
  append(row, false);
}

const isMine = (m) => m.senderId !== undefined && keyOf(m.senderId) === keyOf(session.id);

// The row of a message, and what the next one needs to know of it. last: the same of the one above, or null.
function rowOf(m, last) {
  const name = m.senderName || 'Guest';
  const time = new Date(m.timestamp).getTime();
  const clock = clockOf(m.timestamp);
  const row = $('message').content.firstElementChild.cloneNode(true);
  const follows = last && last.sender === keyOf(m.senderId) && time - last.time < FOLLOWS_MS;
  row.classList.toggle('own', isMine(m));
  row.classList.toggle('follows', Boolean(follows));
  row.classList.toggle('same-time', Boolean(follows) && last.clock === clock);
  row.dataset.id = m.messageId;
  row.dataset.time = m.timestamp;
  paintAvatar(row.querySelector('.avatar'), m.senderId, name);
  row.querySelector('.who').textContent = name;
  row.querySelector('.words').textContent = textOf(m.message);
  row.querySelector('time').textContent = clock;
  row.querySelector('time').dateTime = m.timestamp;
  return [row, { sender: keyOf(m.senderId), time, clock }];
}

function onMessage(m) {
  if (m.roomId !== state.room) return;
  const mine = isMine(m);
  const [row, mark] = rowOf(m, state.last);
  state.last = mark;
  if (!mine && meet(m.senderId, m.senderName)) showMembers();
  const sender = state.members.get(keyOf(m.senderId));
  if (sender) sender.typingUntil = 0;
  showTyping();
  append(row, mine);
}

// What was said before this page came, or while it was away: each message in its place, none twice.
function onHistory(h) {
  if (h.ok === false || h.roomId !== state.room) return;
  const rows = [...$('messages').children];
  const known = new Set(rows.map((r) => r.dataset.id));
  const isFresh = !rows.some((r) => r.dataset.time);
  const wasAtEnd = isAtEnd();
  let last = null;
  for (const m of h.messages) {
    if (known.has(m.messageId)) {
      last = null;
      continue;
    }
    const [row, mark] = rowOf(m, last);
    const next = isFresh ? rows[0] : rows.find((r) => r.dataset.time > m.timestamp);
    last = mark;
    $('empty').hidden = true;
    $('messages').insertBefore(row, next ?? null);
  }
  while ($('messages').children.length > MESSAGES_MAX) $('messages').firstChild.remove();
  if (wasAtEnd) toEnd();
}

// ---- typing of one's own

const typing = { is: false, saidAt: 0, timer: null };
function setTyping(is) {
  clearTimeout(typing.timer);
  if (is) typing.timer = setTimeout(() => setTyping(false), TYPING_IDLE_MS);
  if (is === typing.is && (!is || Date.now() - typing.saidAt < TYPING_EVERY_MS)) return;
  typing.is = is;
  typing.saidAt = Date.now();
  if (state.room) emit('typing', { roomId: state.room, isTyping: is });
}

// ---- what the server says

function onJoined(e) {
  if (e.roomId !== state.room) return;
  state.count = e.memberCount;
  meet(session.id, session.name);
  showMembers();
  net.socket.emit('roomHistory', { roomId: state.room }, onHistory);
}

function onUserJoined(e) {
  if (e.roomId !== state.room) return;
  const wasHere = e.isPresent === true; // counted in memberCount
  if (!wasHere) state.count += 1;
  if (!meet(e.userId, e.userName) && e.userId !== undefined) state.members.get(keyOf(e.userId)).sockets += 1;
  showMembers();
  if (!wasHere) note(`${e.userName || 'A guest'} came in`);
}

function onUserLeft(e) {
  if (e.roomId !== state.room || keyOf(e.userId) === keyOf(session.id)) return;
  state.count = Math.max(1, state.count - 1);
  const member = state.members.get(keyOf(e.userId));
  if (member) member.sockets -= 1; // another window of the same person may still be here
  if (!member?.sockets) state.members.delete(keyOf(e.userId));
  showMembers();
  showTyping();
  note(`${e.userName || 'A guest'} left`);
}

function onUserTyping(e) {
  if (e.roomId !== undefined && e.roomId !== state.room) return;
  const isNew = meet(e.userId, e.userName);
  const member = state.members.get(keyOf(e.userId));
  if (!member) return;
  member.typingUntil = e.isTyping ? Date.now() + TYPING_SEEN_MS : 0;
  if (isNew) showMembers();
  showTyping();
}

// ---- in and out

export function setRoom(room) {
  if (room === state.room) return;
  leave();
  Object.assign(state, { room, count: 0, last: null, lastNode: '', members: new Map() });
  $('messages').replaceChildren();
  $('member-list').replaceChildren();
  $('empty').hidden = false;
  if (net.state === 'on') enter();
}

function enter() {
  if (!state.room || !session.token) return;
  state.members.clear();
  emit('joinRoom', { roomId: state.room, roomType: 'chat' });
}

export function leave() {
  setTyping(false);
  if (state.room) emit('leaveRoom', state.room);
  state.room = '';
  openMembers(false);
}

export function show(room) {
  setRoom(room || state.room || 'lobby');
  if (!room) history.replaceState(null, '', `#chat/${encodeURIComponent(state.room)}`);
  toEnd();
  if (matchMedia('(min-width: 760px)').matches) $('text').focus();
  return `# ${state.room}`;
}

function send(event) {
  event.preventDefault();
  const message = $('text').value.trim();
  if (!message || net.state !== 'on') return;
  emit('roomMessage', { roomId: state.room, message, type: 'text' });
  state.lastSent = message;
  $('text').value = '';
  fitText();
  setTyping(false);
}

function openMembers(open) {
  if (open === document.body.classList.contains('members-open')) return;
  document.body.classList.toggle('members-open', open);
  $('show-members').setAttribute('aria-expanded', String(open));
  (open ? $('hide-members') : $('show-members')).focus();
}

onConnected(enter);
onNet(() => {
  if (net.state !== 'on' || !state.room) return;
  if (state.lastNode && state.lastNode !== net.node) note(`You are back, now served by node ${net.node}.`);
  state.lastNode = net.node;
});
on('roomJoined', onJoined);
on('userJoinedRoom', onUserJoined);
on('userLeftRoom', onUserLeft);
on('userTyping', onUserTyping);
on('roomMessage', onMessage);
on('roomHistory', onHistory);
on('messageError', (e) => {
  if (e.event === 'roomMessage' && !$('text').value) $('text').value = state.lastSent;
});

const fitText = growing($('text'), send, () => setTyping($('text').value.length > 0));
$('composer').addEventListener('submit', send);
$('newer').addEventListener('click', toEnd);
$('scroll').addEventListener('scroll', () => {
  if (isAtEnd()) $('newer').hidden = true;
});
$('show-members').addEventListener('click', () => openMembers(!document.body.classList.contains('members-open')));
$('hide-members').addEventListener('click', () => openMembers(false));
document.addEventListener('keydown', (e) => {
  if (e.key === 'Escape') openMembers(false);
});
