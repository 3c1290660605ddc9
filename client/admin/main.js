// The desk: signs in, keeps what is known in step with the server, and draws the view that is chosen.

import * as chat from './chat.js';
import { $, toast } from './dom.js';
import * as list from './list.js';
import * as net from './net.js';
import * as numbers from './numbers.js';
import * as replies from './replies.js';
import * as side from './side.js';
import { changed, give, merge, state, waits, watch } from './state.js';
import * as team from './team.js';

const WIDE = { numbers: () => numbers.view(changed), replies: replies.view, team: team.view };
const VIEWS = ['queue', 'mine', 'all', ...Object.keys(WIDE)];
const MINUTE_MS = 60000;
let wideDrawn = '';

// ---- events of the server

const EVENTS = {
  newContactSubmission: (e) => {
    merge({ ...e, status: 'pending' });
    toast(`${e.name || e.email || 'A visitor'} waits${e.subject ? `: ${e.subject}` : '.'}`);
  },
  contactClaimed: (e) => (e.contact ? merge({ ...e.contact, id: e.contactId }) : give(e.contactId, { id: e.adminId, name: e.adminName })),
  autoAssignedContact: (e) => { merge({ ...e.contact, id: e.contactId }); toast(`${e.contact.name || 'A contact'} was given to you.`); },
  contactResolved: (e) => merge(e.contact ? { ...e.contact, id: e.contactId } : { id: e.contactId, status: 'resolved' }),
  contactRequeued: (e) => waits(e.contactId),
  adminDisconnected: (e) => waits(e.contactId),
  contactReopened: (e) => merge({ id: e.contactId, status: e.status }),
  contactTransferred: (e) => give(e.contactId, { id: e.toAgentId, name: e.toName }),
  contactUpdated: (e) => merge({ id: e.contactId, status: e.status, priority: e.priority, tags: e.tags }),
  contactRated: (e) => merge({ id: e.contactId, score: e.score, comment: e.comment }),
  contactRead: (e) => e.by === 'visitor' && merge({ id: e.contactId, visitorRead: e.seq }),
  contactNote: (e) => chat.add(e),
  contactUserTyping: (e) => chat.sawTyping(e),
  contactMessage: (e) => {
    merge({ id: e.contactId, [e.senderRole ? 'agentAt' : 'visitorAt']: e.timestamp, hasNews: !e.senderRole && e.contactId !== state.open ? true : state.contacts.get(e.contactId)?.hasNews });
    chat.add(e);
  },
  slaWarning: (e) => {
    merge({ id: e.contactId, sla: { clock: e.clock, state: e.state } });
    toast(`${state.contacts.get(e.contactId)?.name ?? 'A contact'}: ${e.clock} ${e.state}.`);
  },
  agentStatus: (e) => { state.agents.set(String(e.agentId), { ...state.agents.get(String(e.agentId)), ...e }); changed(); },
  cannedReplies: (e) => { state.replies = e.replies; changed(); },
};

// ---- drawing

function drawTop() {
  const me = state.agents.get(String(state.me?.id));
  $('available').checked = Boolean(me?.available);
  $('my-load').textContent = me ? `${me.load} / ${me.capacity}` : '';
  $('my-load').hidden = !me;
}

function drawWide() {
  const draw = WIDE[state.view];
  $('panes').classList.toggle('is-wide', Boolean(draw));
  $('wide-pane').hidden = !draw;
  const isTyping = $('wide-pane').contains(document.activeElement) && ['INPUT', 'TEXTAREA'].includes(document.activeElement.tagName);
  if (!draw || (isTyping && wideDrawn === state.view)) return; // who types is not disturbed
  $('wide-pane').replaceChildren(draw());
  wideDrawn = state.view;
}

function draw() {
  for (const link of document.querySelectorAll('.nav a')) {
    if (link.dataset.to === state.view) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  drawTop();
  list.draw();
  chat.draw();
  side.draw();
  drawWide();
}

async function show(view) {
  state.view = VIEWS.includes(view) ? view : 'queue';
  changed();
  if (state.view === 'all') await list.search(false);
  if (state.view === 'numbers') await numbers.load();
  if (state.view === 'team') await team.load();
  if (state.view === 'replies') await replies.load();
  changed();
}

// ---- coming and going

async function catchUp() {
  await Promise.all([list.load(), team.load(), replies.load()]);
  if (state.open) await chat.open(state.open);
  await show(location.hash.slice(1));
}

function showState(kind, text) {
  document.body.dataset.state = kind;
  $('state-text').textContent = text;
  if (kind === 'on') catchUp().catch((error) => toast(error.message));
}

function enter(token) {
  const claims = net.claims(token);
  state.me = { id: claims.id ?? claims._id ?? claims.sub, name: claims.name ?? 'Agent', role: String(claims.role ?? '').toLowerCase() };
  document.body.dataset.view = 'desk';
  $('desk').hidden = false;
  net.open(token, { state: showState, event: (name, payload) => EVENTS[name]?.(payload ?? {}) });
}

async function start() {
  list.init((id) => chat.open(id).catch((error) => toast(error.message)));
  chat.init();
  side.init();
  watch(draw);
  setInterval(changed, MINUTE_MS); // "3 min ago"
  window.addEventListener('hashchange', () => show(location.hash.slice(1)).catch((error) => toast(error.message)));
  $('available').addEventListener('change', () => ask({ available: $('available').checked }));
  $('sign-out').addEventListener('click', () => { net.close(); location.reload(); });
  $('sign-in').addEventListener('submit', (e) => { e.preventDefault(); knock($('token').value.trim()); });
  const given = await net.redeem().catch((error) => { $('door-error').textContent = error.message; return null; });
  const token = given ?? net.kept();
  if (token) knock(token);
}

function ask(status) {
  net.ask('setAgentStatus', status).catch((error) => toast(error.message));
}

function knock(token) {
  if (!net.isAgent(token)) $('door-error').textContent = 'This token is of nobody who may work here.';
  else enter(token);
}

start();
