// The list of contacts: the queue and mine from what is known, all from the server, a page at a time.

import { $, ago, el } from './dom.js';
import { ask } from './net.js';
import { changed, merge, mine, queue, state } from './state.js';

const EMPTY = { queue: 'Nobody waits. ☕', mine: 'You have no contact. Take one from the queue.', all: 'Nothing was found.' };
let openContact = () => {};

function chips(contact) {
  const out = [];
  if (contact.hasNews) out.push(['unread', 'new']);
  if (contact.priority && contact.priority !== 'normal') out.push([contact.priority, contact.priority]);
  if (contact.sla) out.push([contact.sla.state, `${contact.sla.clock} ${contact.sla.state}`]);
  else if (contact.slaBreached && contact.status !== 'resolved') out.push(['breached', 'late']);
  if (contact.status === 'resolved') out.push(['resolved', 'resolved']);
  if (state.view === 'all' && contact.status === 'pending') out.push(['', 'waiting']);
  if (state.view !== 'mine' && contact.status === 'in_progress') out.push(['', contact.assignedAdmin?.name ?? 'in progress']);
  for (const tag of (contact.tags ?? []).slice(0, 3)) out.push(['', tag]);
  return out.map(([kind, text]) => el('span', { class: `chip ${kind}` }, text));
}

function row(contact) {
  return el('li', {}, el('button', {
    class: 'row', type: 'button', 'data-id': contact.id, 'aria-current': state.open === contact.id ? 'true' : null,
    onclick: () => openContact(contact.id),
  },
  el('span', { class: 'who' }, contact.name || contact.email || 'A visitor'),
  el('span', { class: 'ago' }, ago(contact.submittedAt)),
  el('span', { class: 'about' }, contact.subject || contact.message || contact.email || ''),
  el('span', { class: 'chips' }, ...chips(contact))));
}

function shown() {
  if (state.view === 'queue') return queue();
  if (state.view === 'mine') return mine();
  return state.order.map((id) => state.contacts.get(id)).filter(Boolean);
}

function badge(id, count) {
  $(id).textContent = count > 99 ? '99+' : String(count);
  $(id).hidden = count === 0;
}

export function draw() {
  const contacts = shown();
  const focused = document.activeElement?.dataset?.id;
  $('filters').hidden = state.view !== 'all';
  $('rows').replaceChildren(...contacts.map(row));
  if (focused) $('rows').querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  $('rows-empty').hidden = contacts.length > 0;
  $('rows-empty').textContent = EMPTY[state.view] ?? '';
  $('rows-more').hidden = state.view !== 'all' || !state.cursor;
  badge('badge-queue', queue().length);
  badge('badge-mine', mine().filter((c) => c.hasNews).length);
}

export async function search(more) {
  const filter = { limit: 30, sort: 'newest' };
  if ($('search').value.trim()) filter.text = $('search').value.trim();
  if ($('filter-status').value) filter.status = $('filter-status').value;
  if (more && state.cursor) filter.cursor = state.cursor;
  const answer = await ask('listContacts', filter);
  for (const contact of answer.contacts) merge(contact);
  const ids = answer.contacts.map((c) => c.id);
  state.order = more ? [...state.order, ...ids] : ids;
  state.cursor = answer.cursor ?? null;
  state.total = answer.total;
  changed();
}

// What this page has to know from the start, and again after the connection was away.
export async function load() {
  const [waiting, own] = await Promise.all([
    ask('listContacts', { status: 'pending', sort: 'oldest', limit: 100 }),
    ask('listContacts', { status: 'in_progress', limit: 100 }),
  ]);
  for (const contact of state.contacts.values()) if (contact.status !== 'resolved') state.contacts.delete(contact.id);
  for (const contact of [...waiting.contacts, ...own.contacts]) merge(contact);
  changed();
}

export function init(open) {
  openContact = open;
  let wait;
  const again = () => { clearTimeout(wait); wait = setTimeout(() => search(false).catch(() => {}), 250); };
  $('search').addEventListener('input', again);
  $('filter-status').addEventListener('change', again);
  $('filters').addEventListener('submit', (e) => { e.preventDefault(); again(); });
  $('rows-more').addEventListener('click', () => search(true).catch(() => {}));
}
