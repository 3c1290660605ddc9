// The conversation that is open: messages, private notes, typing, canned replies, and what may be done with it.

import { $, clock, el, toast } from './dom.js';
import { ask, tell } from './net.js';
import { changed, give, isMine, merge, same, state } from './state.js';

const TYPING_EVERY_MS = 3000;
const TYPING_SEEN_MS = 6000;
let messages = new Map(); // seq → message or note of the open contact
let hasMore = false;
let lastTyping = 0;
let typingTimer;
let canned = null; // {id, contact}: the reply that is in the box

const current = () => state.contacts.get(state.open);
const refuse = (error) => toast(error.message);
const textOf = (m) => (typeof m === 'string' ? m : JSON.stringify(m));

// A note comes as contactNote {text}, and among the messages of getContact with note: true.
const isNoteOf = (m) => m.note === true || m.text !== undefined;

function bubble(m) {
  const isNote = isNoteOf(m);
  const isAgent = isNote || Boolean(m.senderRole);
  const who = isNote ? `${m.authorName ?? m.senderName ?? 'Note'} · note` : m.senderName ?? (isAgent ? 'Agent' : 'Visitor');
  const isRead = isAgent && !isNote && m.seq <= (current()?.visitorRead ?? 0);
  return el('li', { class: `message${isNote ? ' note' : isAgent ? ' own' : ''}`, 'data-seq': m.seq },
    el('div', { class: 'bubble' }, textOf(m.text ?? m.message)),
    el('div', { class: 'meta' }, el('span', {}, who), el('time', { datetime: m.timestamp }, clock(m.timestamp)),
      isRead ? el('span', { class: 'read' }, 'read') : null));
}

function drawMessages() {
  const scroll = $('scroll');
  const isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  const contact = current();
  const first = contact?.message && !hasMore && ![...messages.values()].some((m) => textOf(m.message) === contact.message)
    ? [bubble({ seq: 0, senderName: contact.name, message: contact.message, timestamp: contact.submittedAt })] : [];
  $('messages').replaceChildren(...first, ...[...messages.keys()].sort((a, b) => a - b).map((seq) => bubble(messages.get(seq))));
  $('older').hidden = !hasMore;
  if (isAtEnd) scroll.scrollTop = scroll.scrollHeight;
}

function action(text, kind, act) {
  return el('button', { class: kind, type: 'button', onclick: () => act().catch(refuse) }, text);
}

function drawActions(contact) {
  const out = [];
  if (contact.status === 'pending') out.push(action('Claim', 'primary', () => claim(contact.id)));
  if (isMine(contact)) {
    out.push(action('Requeue', 'quiet', () => ask('requeueContact', { contactId: contact.id })));
    out.push(action('Resolve', 'primary', () => ask('resolveContact', contact.id)));
  }
  if (contact.status === 'resolved') out.push(action('Reopen', 'quiet', () => ask('reopenContact', { contactId: contact.id })));
  $('chat-actions').replaceChildren(...out);
}

function banner(contact) {
  if (contact.status === 'resolved') return `Resolved${contact.score ? `, rated ${contact.score} of 5` : ''}.`;
  if (contact.status === 'pending') return 'Waiting: claim it to answer.';
  return isMine(contact) ? '' : `${contact.assignedAdmin?.name ?? 'Another agent'} has this contact.`;
}

export function draw() {
  const contact = current();
  $('chat').hidden = !contact;
  $('chat-nothing').hidden = Boolean(contact);
  $('panes').classList.toggle('has-chat', Boolean(contact));
  if (!contact) return;
  $('chat-name').textContent = contact.name || contact.email || 'A visitor';
  $('chat-sub').textContent = [contact.subject, contact.email].filter(Boolean).join(' · ');
  $('chat-banner').textContent = banner(contact);
  $('chat-banner').hidden = !$('chat-banner').textContent;
  drawActions(contact);
  const isNote = $('composer').elements.mode.value === 'note';
  $('text').disabled = $('send').disabled = !isNote && !isMine(contact);
  $('text').placeholder = isNote ? 'For agents alone' : isMine(contact) ? 'Write to the visitor' : 'Claim it first';
  $('composer').classList.toggle('is-note', isNote);
  $('canned').replaceChildren(el('option', { value: '' }, 'Canned reply…'),
    ...state.replies.map((r) => el('option', { value: r.id }, r.title || r.code)));
  drawMessages();
}

export function add(message) {
  if (message.contactId !== state.open) return;
  messages.set(message.seq, message);
  const isOwn = Boolean(message.senderRole) || isNoteOf(message);
  if (!isOwn) $('chat-typing').textContent = '';
  if (!isOwn && document.visibilityState === 'visible' && isMine(current() ?? {})) read();
  changed();
}

function read() {
  const last = Math.max(0, ...messages.keys());
  const contact = current();
  if (!contact || last === 0) return;
  merge({ id: contact.id, hasNews: false, agentRead: last });
  ask('markContactRead', { contactId: contact.id, seq: last }).catch(() => {});
}

export async function claim(id) {
  const answer = await ask('claimContact', id).catch((error) => {
    if (error.assignedTo) throw new Error(`${error.assignedTo} was faster.`);
    throw error;
  });
  give(id, { id: state.me.id, name: state.me.name });
  if (answer.contact) merge({ ...answer.contact, id });
  if (state.open === id) await open(id);
}

export async function open(id) {
  state.open = id;
  messages = new Map();
  hasMore = false;
  $('chat-typing').textContent = '';
  changed();
  if (!id) return;
  const answer = await ask('getContact', { contactId: id, limit: 50 });
  if (state.open !== id) return;
  merge({ ...answer.contact, id });
  for (const m of answer.messages) messages.set(m.seq, m);
  hasMore = Boolean(answer.more);
  if (isMine(current())) {
    await ask('joinContactChat', { contactId: id });
    read();
  }
  changed();
  requestAnimationFrame(() => { $('scroll').scrollTop = $('scroll').scrollHeight; });
}

async function older() {
  const id = state.open;
  const answer = await ask('getContact', { contactId: id, beforeSeq: Math.min(...messages.keys()), limit: 50 });
  if (state.open !== id) return;
  for (const m of answer.messages) messages.set(m.seq, m);
  hasMore = Boolean(answer.more);
  changed();
}

async function send() {
  const text = $('text').value.trim();
  const id = state.open;
  if (!text || !id) return;
  const named = { clientMsgId: crypto.randomUUID?.() ?? `m-${Date.now()}-${Math.random()}`, ...(canned?.contact === id ? { cannedId: canned.id } : {}) };
  $('send').disabled = true;
  try {
    if ($('composer').elements.mode.value === 'note') await ask('addContactNote', { contactId: id, text, ...named });
    else await ask('sendContactMessage', { contactId: id, message: text, type: 'text', ...named });
    $('text').value = '';
    canned = null;
  } finally {
    $('send').disabled = false;
    changed();
  }
}

export function sawTyping(e) {
  if (e.contactId !== state.open || e.userRole) return;
  $('chat-typing').textContent = e.isTyping ? `${e.userName || 'The visitor'} is typing…` : '';
  clearTimeout(typingTimer);
  typingTimer = setTimeout(() => { $('chat-typing').textContent = ''; }, TYPING_SEEN_MS);
}

function typing() {
  if ($('composer').elements.mode.value === 'note' || !isMine(current() ?? {})) return;
  if (Date.now() - lastTyping < TYPING_EVERY_MS) return;
  lastTyping = Date.now();
  tell('contactTyping', { contactId: state.open, isTyping: true });
}

async function useCanned() {
  const id = $('canned').value;
  $('canned').value = '';
  if (!id) return;
  const contact = state.open;
  const answer = await ask('listCannedReplies', { contactId: contact }); // filled in for this contact
  const reply = answer.replies.find((r) => same(r.id, id));
  if (!reply) return;
  $('text').value = reply.filled ?? reply.text;
  canned = { id: reply.id, contact };
  $('text').focus();
}

export function init() {
  $('composer').addEventListener('submit', (e) => { e.preventDefault(); send().catch(refuse); });
  $('composer').addEventListener('change', (e) => { if (e.target.name === 'mode') changed(); });
  $('text').addEventListener('keydown', (e) => {
    if (e.key !== 'Enter' || e.shiftKey || e.isComposing) return;
    e.preventDefault();
    send().catch(refuse);
  });
  $('text').addEventListener('input', () => {
    if (!$('text').value.trim()) canned = null;
    typing();
  });
  $('canned').addEventListener('change', () => useCanned().catch(refuse));
  $('older').addEventListener('click', () => older().catch(refuse));
  $('chat-back').addEventListener('click', () => open(null));
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible' && isMine(current() ?? {})) read(); });
}
