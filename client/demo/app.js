// The demo page: one room, stock socket.io-client, no framework. Texts of people enter the page by textContent only.
'use strict';

const $ = (id) => document.getElementById(id);
const TYPING_EVERY_MS = 3000; // how often "is typing" is said again
const TYPING_IDLE_MS = 2500; // silence after which one has stopped
const TYPING_SEEN_MS = 6000; // a lost "stopped" is forgotten after so long
const HELLO_EVERY_MS = 3000; // newcomers are answered together
const FOLLOWS_MS = 180000; // messages of one sender that close together share a name
const MESSAGES_MAX = 500;

const state = {
  socket: null, room: '', me: { id: null, name: '' }, token: null,
  members: new Map(), // id as text → {name, typingUntil}
  count: 0, last: null, lastSent: '', lastNode: '',
};

// ---- small helpers

function toneOf(text) {
  let sum = 7;
  for (const c of String(text)) sum = (sum * 31 + c.codePointAt(0)) >>> 0;
  return `tone-${sum % 10}`;
}

function paintAvatar(element, id, name) {
  element.textContent = [...(name || '?')][0];
  element.classList.add(toneOf(id ?? name));
}

function clockOf(timestamp) {
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? '' : date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

function textOf(message) {
  return typeof message === 'string' ? message : JSON.stringify(message);
}

function toast(text) {
  const box = document.createElement('div');
  box.className = 'toast';
  box.textContent = text;
  $('toasts').append(box);
  while ($('toasts').children.length > 3) $('toasts').firstChild.remove();
  setTimeout(() => box.remove(), 6000);
}

function claimsOf(token) {
  try {
    const bytes = atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0))));
  } catch {
    return {};
  }
}

// ---- the connection, as people see it

function showState(kind, text) {
  document.body.dataset.state = kind;
  $('status-text').textContent = text;
  $('send').disabled = kind !== 'on';
  if (kind !== 'on') $('transport').textContent = '';
}

function showBanner(text, canRetry = false) {
  $('banner').hidden = !text;
  $('banner-text').textContent = text;
  $('again').hidden = !canRetry;
}

function showConnected() {
  const engine = state.socket.io.engine;
  const node = engine.id.slice(0, 4); // the sid begins with its node's id
  showState('on', 'Connected');
  $('transport').textContent = engine.transport.name === 'websocket' ? 'by WebSocket' : 'by polling';
  $('node').textContent = `node ${node}`;
  $('node').hidden = false;
  $('status').dataset.node = node;
  showBanner('');
  if (state.lastNode && state.lastNode !== node) note(`You are back, now served by node ${node}.`);
  state.lastNode = node;
}

async function fetchToken(name) {
  const answer = await fetch(`demo/token?name=${encodeURIComponent(name)}`);
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok || !body.token) throw new Error(body.error || `the server answered ${answer.status}`);
  return body.token;
}

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
    row.querySelector('.tag').textContent = id === keyOf(state.me.id) ? 'you' : '';
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
  state.members.set(keyOf(id), { name: name || 'Guest', typingUntil: 0 });
  return true;
}

// A newcomer knows nobody: everybody inside answers with "is not typing", which carries a name.
let helloAt = 0;
let helloTimer = null;
function sayHello() {
  if (helloTimer) return;
  const wait = Math.max(0, helloAt + HELLO_EVERY_MS - Date.now()) + 100 + Math.random() * 500;
  helloTimer = setTimeout(() => {
    helloTimer = null;
    helloAt = Date.now();
    if (state.socket?.connected) state.socket.emit('typing', { roomId: state.room, isTyping: typing.is });
  }, wait);
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

const isMine = (m) => m.senderId !== undefined && keyOf(m.senderId) === keyOf(state.me.id);

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
  if (!h.ok || h.roomId !== state.room) return;
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
  if (state.socket?.connected) state.socket.emit('typing', { roomId: state.room, isTyping: is });
}

// ---- what the server says

function onJoined(e) {
  if (e.roomId !== state.room) return;
  state.count = e.memberCount;
  meet(state.me.id, state.me.name);
  showMembers();
  state.socket.emit('roomHistory', { roomId: state.room }, onHistory);
}

function onUserJoined(e) {
  if (e.roomId !== state.room) return;
  if (e.isPresent) { // was there before us: roomJoined has counted them
    meet(e.userId, e.userName);
    showMembers();
    return;
  }
  state.count += 1;
  if (e.userId !== undefined) sayHello();
  meet(e.userId, e.userName);
  showMembers();
  note(`${e.userName || 'A guest'} came in`);
}

function onUserLeft(e) {
  if (e.roomId !== state.room || keyOf(e.userId) === keyOf(state.me.id)) return;
  state.count = Math.max(1, state.count - 1);
  state.members.delete(keyOf(e.userId));
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

// Every refusal of the server has a code and a sentence, whatever its event is called.
function onAnything(event, e) {
  if (!e || typeof e !== 'object' || typeof e.code !== 'string') return;
  if (event === 'authError') return toast('The server did not accept your name: you are a guest.');
  const wait = e.retryAfterMs ? `, try again in ${Math.max(1, Math.ceil(e.retryAfterMs / 1000))} s` : '';
  const text = String(e.error || e.code);
  toast(`${text[0].toUpperCase()}${text.slice(1)}${wait}.`);
  if (event === 'messageError' && !$('text').value) $('text').value = state.lastSent;
}

function connect() {
  const socket = io({ auth: { token: state.token } });
  state.socket = socket;
  socket.on('connect', () => {
    state.members.clear();
    socket.emit('joinRoom', { roomId: state.room, roomType: 'chat' });
    showConnected();
    socket.io.engine.once('upgrade', showConnected);
  });
  socket.on('disconnect', (reason) => {
    const final = reason === 'io server disconnect';
    showState(final ? 'off' : 'wait', final ? 'Disconnected' : 'Reconnecting');
    $('node').hidden = true;
    showBanner(final ? 'The server ended the connection.' : 'The connection is lost; it comes back by itself.', final);
  });
  socket.on('connect_error', (error) => {
    showState('wait', 'Reconnecting');
    showBanner(socket.active ? 'No answer from the server; trying again.' : `The server refused: ${error.message}`, !socket.active);
  });
  socket.on('roomJoined', onJoined);
  socket.on('userJoinedRoom', onUserJoined);
  socket.on('userLeftRoom', onUserLeft);
  socket.on('userTyping', onUserTyping);
  socket.on('roomMessage', onMessage);
  socket.onAny(onAnything);
}

// ---- in and out

async function enter(event) {
  event.preventDefault();
  const name = $('name').value.trim();
  const room = $('room').value.trim();
  if (!name || !room) return;
  $('enter').disabled = true;
  $('join-error').textContent = '';
  try {
    state.token = await fetchToken(name);
  } catch (error) {
    $('join-error').textContent = `You cannot come in: ${error.message}.`;
    return;
  } finally {
    $('enter').disabled = false;
  }
  const claims = claimsOf(state.token);
  Object.assign(state, {
    room, count: 0, last: null, lastNode: '', members: new Map(),
    me: { id: claims.id ?? claims._id ?? claims.sub ?? null, name: claims.name || name },
  });
  localStorage.setItem('ingoma.name', name);
  history.replaceState(null, '', `#${encodeURIComponent(room)}`);
  document.title = `${room} · Ingoma`;
  $('room-title').textContent = room;
  $('messages').replaceChildren();
  $('member-list').replaceChildren();
  $('empty').hidden = false;
  $('node').hidden = true;
  showState('wait', 'Connecting');
  showBanner('');
  document.body.dataset.view = 'room';
  $('house').hidden = false;
  $('text').focus();
  connect();
}

function leave() {
  setTyping(false);
  state.socket.emit('leaveRoom', state.room);
  state.socket.disconnect();
  state.socket = null;
  document.body.dataset.view = 'door';
  document.body.classList.remove('members-open');
  document.title = 'Ingoma';
  $('house').hidden = true;
  $('room').focus();
}

function send(event) {
  event.preventDefault();
  const message = $('text').value.trim();
  if (!message || !state.socket?.connected) return;
  state.socket.emit('roomMessage', { roomId: state.room, message, type: 'text' });
  state.lastSent = message;
  $('text').value = '';
  growText();
  setTyping(false);
}

// For browsers without field-sizing: as tall as its text.
function growText() {
  if (CSS.supports('field-sizing', 'content')) return;
  $('text').style.height = 'auto';
  $('text').style.height = `${$('text').scrollHeight + 2}px`;
}

function openMembers(open) {
  document.body.classList.toggle('members-open', open);
  $('show-members').setAttribute('aria-expanded', String(open));
  (open ? $('hide-members') : $('show-members')).focus();
}

$('join').addEventListener('submit', enter);
$('leave').addEventListener('click', leave);
$('composer').addEventListener('submit', send);
$('text').addEventListener('input', () => {
  growText();
  setTyping($('text').value.length > 0);
});
$('text').addEventListener('keydown', (e) => {
  if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) send(e);
});
$('newer').addEventListener('click', toEnd);
$('scroll').addEventListener('scroll', () => {
  if (isAtEnd()) $('newer').hidden = true;
});
$('again').addEventListener('click', () => state.socket.connect());
$('show-members').addEventListener('click', () => openMembers(!document.body.classList.contains('members-open')));
$('hide-members').addEventListener('click', () => openMembers(false));
document.addEventListener('keydown', (e) => {
  if (e.key === 'Escape' && document.body.classList.contains('members-open')) openMembers(false);
});

$('name').value = localStorage.getItem('ingoma.name') || '';
$('room').value = decodeURIComponent(location.hash.slice(1)) || 'lobby';
$($('name').value ? 'room' : 'name').focus();
