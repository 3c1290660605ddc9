// Presence: who is here and how they show; the list from which a private conversation is opened (private.js).
import { $, avatar, el, paintAvatar, toast } from './dom.js';
import { ask, on, onConnected, retryText } from './net.js';
import { idOfName, session } from './session.js';
import * as talk from './private.js';

const STATUSES = [
  ['online', 'Online', 'Everybody sees that you are here.'], ['away', 'Away', 'You are here, but not at the desk.'],
  ['busy', 'Busy', 'You are here, and others may wait.'], ['invisible', 'Invisible', 'To everybody else you are offline; messages still reach you.'],
];
const online = new Map(); // id as text → {userId, name, status, lastActivity}
const lastSeen = new Map(); // id as text → time, of partners who are not here
const names = new Map(); // id as text → name as it was last heard
let own = 'online';
let watched = new Set();

const keyOf = (id) => String(id);
const isMe = (id) => keyOf(id) === keyOf(session.id);

export const statusOf = (id) => online.get(keyOf(id))?.status ?? 'offline';

export function describe(id) {
  const status = statusOf(id);
  if (status !== 'offline') return STATUSES.find(([s]) => s === status)?.[1] ?? status;
  const seen = lastSeen.get(keyOf(id));
  return seen ? `Not here; last seen ${new Date(seen).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}` : 'Not here';
}

export const nameOf = (id) => names.get(keyOf(id)) || keyOf(id).replace(/^demo-/, '');

function learn(id, name) {
  if (name) names.set(keyOf(id), name);
}

// ---- lists

function newRow(id) {
  return el('li', { data: { user: id } }, el('a.folk-row', { href: `#people/${encodeURIComponent(id)}` },
    el('span.face', null, avatar(id, nameOf(id)), el('i.dot')),
    el('span.folk-text', null, el('span.folk-name', { text: nameOf(id) }), el('span.small')), el('b.badge', { hidden: true })));
}

// Rows stay the same elements while they change: a finger may be on one.
function fill(list, ids, none) {
  const old = new Map([...list.children].map((li) => [li.dataset.user, li]));
  const rows = ids.map((id) => {
    const li = old.get(keyOf(id)) ?? newRow(id);
    const status = statusOf(id);
    const unread = talk.unreadOf(id);
    li.querySelector('.folk-name').textContent = nameOf(id);
    const [link, dot, text, badge] = ['a', '.dot', '.small', '.badge'].map((s) => li.querySelector(s));
    link.dataset.status = status;
    if (talk.openId() === keyOf(id)) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
    dot.className = `dot is-${status}`;
    text.textContent = describe(id);
    badge.hidden = !unread;
    badge.textContent = unread;
    badge.setAttribute('aria-label', `${unread} unread`);
    return li;
  });
  if (!rows.length && none) rows.push(el('li.small.none', { text: none }));
  if (rows.length !== list.children.length || rows.some((li, i) => li !== list.children[i])) list.replaceChildren(...rows);
}

export function showLists() {
  const here = [...online.values()].filter((u) => !isMe(u.userId)).sort((a, b) => nameOf(a.userId).localeCompare(nameOf(b.userId)));
  const gone = [...talk.partners().values()].filter((p) => !online.has(keyOf(p.userId)) && !isMe(p.userId));
  fill($('online'), here.map((u) => u.userId), 'Nobody else yet. Open this page in a second window, under another name.');
  fill($('offline'), gone.map((p) => p.userId));
  $('away-head').hidden = !gone.length;
  $('online-count').textContent = here.length || '';
  const total = [...talk.partners().keys()].reduce((sum, id) => sum + talk.unreadOf(id), 0);
  $('badge').hidden = !total;
  $('badge').textContent = total;
  talk.showHead();
}

function put(user) {
  online.set(keyOf(user.userId), { ...online.get(keyOf(user.userId)), ...user });
  learn(user.userId, user.name);
}

function onOnlineUsers(e) {
  if ((e.page ?? 0) === 0) online.clear();
  for (const user of e.users) put(user);
  showLists();
}

function onUserOnline(e) {
  put({ status: 'online', ...online.get(keyOf(e.userId)), userId: e.userId, name: e.name });
  showLists();
}

function onUserOffline(e) {
  online.delete(keyOf(e.userId));
  lastSeen.set(keyOf(e.userId), e.timestamp);
  learn(e.userId, e.name);
  showLists();
}

function onDiff(e) {
  for (const user of e.joins) put(user);
  for (const user of e.leaves) {
    online.delete(keyOf(user.userId));
    if (user.lastSeen) lastSeen.set(keyOf(user.userId), user.lastSeen);
  }
  showLists();
}

// Partners are followed one by one: the list of all may be long, and comes in pages.
export async function watch(ids) {
  const fresh = ids.map(keyOf).filter((id) => !watched.has(id)).slice(0, 100);
  if (!fresh.length || !session.token) return;
  fresh.forEach((id) => watched.add(id));
  const answer = await ask('presence:subscribe', { userIds: fresh });
  for (const user of answer.users ?? []) {
    if (user.status === 'offline') {
      if (user.lastSeen) lastSeen.set(keyOf(user.userId), user.lastSeen);
    } else put(user);
  }
  showLists();
}

// ---- one's own status

function showOwn() {
  $('me-name').textContent = session.name;
  $('me-avatar').className = 'avatar';
  paintAvatar($('me-avatar'), session.id, session.name);
  $('statuses').replaceChildren(...STATUSES.map(([status, text]) => {
    const input = el('input.sr', { type: 'radio', name: 'status', value: status, id: `status-${status}`, onchange: () => setOwn(status) });
    input.checked = status === own;
    return el('label.status-choice', { for: `status-${status}` }, input, el(`i.dot.is-${status}`, { 'aria-hidden': 'true' }), el('span', { text }));
  }));
  $('status-hint').textContent = STATUSES.find(([s]) => s === own)[2];
}

async function setOwn(status) {
  const answer = await ask('updatePresence', { status });
  if (answer.ok) {
    own = answer.status ?? status;
    sessionStorage.setItem('ingoma.status', own);
  } else toast(retryText(answer));
  showOwn();
  $(`status-${own}`).focus();
}

// ---- in and out

async function enter() {
  if (!session.token) return;
  watched = new Set();
  own = sessionStorage.getItem('ingoma.status') || 'online';
  if (own !== 'online') await ask('updatePresence', { status: own }); // away and busy end with the last device
  await talk.enter();
  watch([...talk.partners().keys()]);
  showOwn();
}

export function show(rest) {
  showOwn();
  talk.open(rest);
  document.body.dataset.talk = rest ? 'open' : '';
  showLists();
  return 'People';
}

export function hide() {
  talk.close();
}

export async function leave() {
  sessionStorage.removeItem('ingoma.status');
  talk.forget();
  online.clear();
  lastSeen.clear();
  own = 'online';
}

talk.attach({ showLists, nameOf, learn, describe, watch });
onConnected(enter);
on('onlineUsers', onOnlineUsers);
on('userOnline', onUserOnline);
on('userOffline', onUserOffline);
on('presence:diff', onDiff);
$('write').addEventListener('submit', (e) => {
  e.preventDefault();
  const name = $('write-name').value.trim();
  const known = [...online.values()].find((u) => u.name?.toLowerCase() === name.toLowerCase());
  if (!name) return;
  if (!known && !session.isDev) {
    toast(`${name} is not here, and has an id that only a token tells.`);
    return;
  }
  talk.meet(known?.userId ?? idOfName(name), known?.name ?? name);
  $('write-name').value = '';
  location.hash = `#people/${encodeURIComponent(known?.userId ?? idOfName(name))}`;
});
