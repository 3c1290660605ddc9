// Private conversations: sent, waiting, delivered, read; what came while one was away; unread counts over all devices.
import { $, clockOf, el, growing, icon, paintAvatar, textOf, toast } from './dom.js';
import { ask, askSurely, net, on, retryText } from './net.js';
import { session } from './session.js';

const conversations = new Map(); // partner's id as text → {userId, messages, delivered, read, unread, isLoaded}
let open_ = ''; // id of the partner on the screen
let isShown = false;
let list = { showLists() {}, nameOf: String, learn() {}, describe: () => '', watch() {} };

const keyOf = (id) => String(id);
const isMe = (id) => keyOf(id) === keyOf(session.id);
const shelf = () => `ingoma.partners.${session.id}`;

export const attach = (parts) => {
  list = parts;
};
export const partners = () => conversations;
export const openId = () => (isShown ? open_ : '');
export const unreadOf = (id) => conversations.get(keyOf(id))?.unread ?? 0;

export function meet(id, name) {
  list.learn(id, name);
  const known = conversations.get(keyOf(id));
  if (known) return known;
  const fresh = { userId: id, messages: [], delivered: 0, read: 0, unread: 0, isLoaded: false };
  conversations.set(keyOf(id), fresh);
  const rows = [...conversations.values()].slice(-50).map((c) => [c.userId, list.nameOf(c.userId)]);
  localStorage.setItem(shelf(), JSON.stringify(rows));
  list.watch([id]);
  return fresh;
}

// ---- one message

const STATES = { // of an own message
  sending: ['clock', 'Being sent'], stored: ['check', 'Kept by the server'], queued: ['clock', 'Waits until they are back'],
  delivered: ['ticks', 'Delivered'], read: ['ticks', 'Read'], failed: ['cross', 'Refused'],
};

function stateOf(c, m) {
  if (m.failed) return 'failed';
  if (!m.seq) return 'sending';
  if (m.seq <= c.read) return 'read';
  if (m.seq <= c.delivered) return 'delivered';
  return m.queued ? 'queued' : 'stored';
}

function tickOf(c, m) {
  const state = stateOf(c, m);
  const [sign, text] = STATES[state];
  return el(`span.tick.is-${state}`, { title: text, data: { state } }, icon(sign, 17), el('span.sr', { text }));
}

function rowOf(c, m, next) {
  const own = isMe(m.senderId);
  const row = el('li.message', { data: { id: m.messageId ?? m.clientMsgId } },
    el('div.bubble', null, el('p.words', { text: textOf(m.message) }),
      el('p.meta', null, el('time', { datetime: m.timestamp, text: clockOf(m.timestamp) }), own && tickOf(c, m))));
  row.classList.toggle('own', own);
  if (own && !next) row.append(el('p.small.fate', { text: STATES[stateOf(c, m)][1] }));
  return row;
}

function showMessages() {
  const c = conversations.get(open_);
  if (!c || !isShown) return;
  const box = $('private-scroll');
  $('private-messages').replaceChildren(...c.messages.map((m, i) => rowOf(c, m, c.messages[i + 1])));
  if (!c.messages.length) $('private-messages').append(el('li.note', { text: 'Nothing was said yet. They need not be here: it is kept for them.' }));
  box.scrollTop = box.scrollHeight;
}

export function showHead() {
  const c = conversations.get(open_);
  if (!c) return;
  const name = list.nameOf(c.userId);
  $('private-name').textContent = name;
  $('private-status').textContent = list.describe(c.userId);
  $('private-avatar').className = 'avatar';
  paintAvatar($('private-avatar'), c.userId, name);
}

// In its place, and once: what may come again is told by its messageId.
function put(c, m) {
  const same = c.messages.find((k) => (m.messageId && k.messageId === m.messageId) || (m.clientMsgId && k.clientMsgId === m.clientMsgId));
  if (same) Object.assign(same, m);
  else c.messages.push(m);
  c.messages.sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity));
  return !same;
}

// ---- asking the server

async function load(c) {
  const h = await ask('privateHistory', { userId: c.userId });
  if (!h.ok) return;
  c.isLoaded = true;
  c.delivered = Math.max(c.delivered, h.otherDeliveredSeq);
  c.read = Math.max(c.read, h.otherReadSeq);
  for (const m of h.messages) {
    put(c, m);
    if (!isMe(m.senderId)) list.learn(m.senderId, m.senderName);
  }
  const last = c.messages.at(-1);
  if (last && isMe(last.senderId) && last.seq > c.delivered && last.queued === undefined) last.queued = list.describe(c.userId).startsWith('Not here');
  showMessages();
  markRead(c);
}

function markRead(c) {
  if (!isShown || open_ !== keyOf(c.userId) || document.hidden || net.state !== 'on') return;
  if (!c.messages.some((m) => !isMe(m.senderId))) return;
  if (!c.unread && c.marked === c.messages.at(-1)?.seq) return;
  c.marked = c.messages.at(-1)?.seq;
  c.unread = 0;
  ask('markAsRead', { userId: c.userId });
  list.showLists();
}

export async function enter() {
  try {
    for (const [id, name] of JSON.parse(localStorage.getItem(shelf()) || '[]')) meet(id, name);
  } catch {
    localStorage.removeItem(shelf());
  }
  const counts = await ask('unreadCounts');
  if (counts.ok) {
    for (const c of conversations.values()) c.unread = 0;
    for (const row of counts.conversations) meet(row.userId).unread = row.unread;
  }
  for (const c of conversations.values()) if (c.isLoaded || keyOf(c.userId) === open_ || c.unread) await load(c);
  list.showLists();
}

// ---- what the server says

function onMessage(m) {
  const mine = isMe(m.senderId);
  const c = meet(mine ? m.recipientId : m.senderId, mine ? '' : m.senderName);
  if (!put(c, m)) return;
  if (!mine) {
    const isOnScreen = isShown && open_ === keyOf(c.userId) && !document.hidden;
    c.unread += isOnScreen ? 0 : 1;
    if (isOnScreen) markRead(c);
    else toast(`${list.nameOf(c.userId)}: ${textOf(m.message).slice(0, 80)}`);
  }
  showMessages();
  list.showLists();
}

function onQueued(e) {
  const m = conversations.get(keyOf(e.recipientId))?.messages.find((k) => k.messageId === e.messageId);
  if (m) m.queued = true;
  else early.add(e.messageId);
  showMessages();
}
const early = new Set(); // queued, heard before the acknowledgement

function onDelivered(e) {
  const c = conversations.get(keyOf(e.recipientId));
  if (c) c.delivered = Math.max(c.delivered, e.seq ?? 0);
  showMessages();
}

function onRead(e) {
  for (const c of conversations.values()) {
    if (!c.messages.some((m) => m.conversation === e.conversation)) continue;
    if (isMe(e.userId)) c.unread = 0;
    else c.read = Math.max(c.read, e.seq);
  }
  showMessages();
  list.showLists();
}

// ---- in and out

async function send(event) {
  event.preventDefault();
  const text = $('private-text').value.trim();
  const c = conversations.get(open_);
  if (!text || !c) return;
  const order = { recipientId: c.userId, message: text, type: 'text', clientMsgId: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` };
  const m = { ...order, senderId: session.id, timestamp: new Date().toISOString() };
  $('private-text').value = '';
  fit();
  put(c, m);
  showMessages();
  const answer = await askSurely('privateMessage', order); // over any number of connections: stored once
  if (answer.ok) Object.assign(m, { messageId: answer.messageId, seq: answer.seq, conversation: answer.conversation, timestamp: answer.timestamp, queued: early.delete(answer.messageId) || m.queued });
  else {
    m.failed = true;
    toast(retryText(answer));
  }
  put(c, m);
  showMessages();
}

export function open(id) {
  isShown = true;
  open_ = id;
  $('private-empty').hidden = Boolean(id);
  $('private-in').hidden = !id;
  if (!id) return;
  $('toasts').replaceChildren();
  const c = meet(id);
  showHead();
  showMessages();
  if (net.state === 'on') load(c);
  if (matchMedia('(min-width: 760px)').matches) $('private-text').focus();
}

export function close() {
  isShown = false;
}

export function forget() {
  conversations.clear();
  open_ = '';
}

const fit = growing($('private-text'), send);
$('private-form').addEventListener('submit', send);
$('private-back').addEventListener('click', () => {
  location.hash = '#people';
});
document.addEventListener('visibilitychange', () => {
  const c = conversations.get(open_);
  if (c) markRead(c);
});
on('privateMessage', onMessage);
on('privateMessageSync', onMessage);
on('messageQueued', onQueued);
on('messageDelivered', onDelivered);
on('messageRead', onRead);
