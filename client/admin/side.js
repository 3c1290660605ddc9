// What is known of the open contact beside its messages, and what agents may change: priority, tags, owner.

import { $, clock, duration, el, toast } from './dom.js';
import { ask } from './net.js';
import { isMine, ownerOf, same, state } from './state.js';

const refuse = (error) => toast(error.message);
let isOpen = false;
let drawn = ''; // what the panel shows: a form that somebody fills in is not drawn anew for nothing

function facts(contact) {
  const rows = [
    ['E-mail', contact.email], ['Phone', contact.phone], ['Category', contact.category],
    ['Came in', clock(contact.submittedAt)], ['Status', contact.status?.replace('_', ' ')], ['Agent', contact.assignedAdmin?.name],
    ['First reply', contact.firstReplyAt ? `${duration(Date.parse(contact.firstReplyAt) - Date.parse(contact.submittedAt))} after` : null],
    ['Answer due', contact.slaDueAt && contact.status !== 'resolved' ? clock(contact.slaDueAt) : null],
    ['Resolved', contact.resolvedAt ? `${clock(contact.resolvedAt)}${contact.resolvedBy ? ` by ${contact.resolvedBy}` : ''}` : null],
    ['Rating', contact.score ? `${contact.score} of 5${contact.comment ? `: ${contact.comment}` : ''}` : null],
    ['Id', contact.id],
  ];
  return el('dl', {}, ...rows.filter(([, v]) => v).flatMap(([k, v]) => [el('dt', {}, k), el('dd', {}, String(v))]));
}

function priority(contact) {
  const select = el('select', {
    'aria-label': 'Priority', value: contact.priority ?? 'normal',
    onchange: () => ask('setContactPriority', { contactId: contact.id, priority: select.value }).catch(refuse),
  }, ...['low', 'normal', 'high', 'urgent'].map((p) => el('option', { value: p, selected: p === (contact.priority ?? 'normal') }, p)));
  return el('section', {}, el('h3', {}, 'Priority'), select);
}

function tags(contact) {
  const input = el('input', { placeholder: 'New tag', maxlength: 40, 'aria-label': 'New tag' });
  return el('section', {}, el('h3', {}, 'Tags'),
    el('div', { class: 'tags' }, ...(contact.tags ?? []).map((tag) => el('button', {
      type: 'button', 'aria-label': `Remove the tag ${tag}`,
      onclick: () => ask('tagContact', { contactId: contact.id, remove: [tag] }).catch(refuse),
    }, tag))),
    el('form', {
      onsubmit: (e) => {
        e.preventDefault();
        if (input.value.trim()) ask('tagContact', { contactId: contact.id, add: [input.value.trim()] }).catch(refuse);
      },
    }, input, el('button', { class: 'quiet', type: 'submit' }, 'Add')));
}

function transfer(contact) {
  const others = [...state.agents.values()].filter((a) => a.online && !same(a.agentId, ownerOf(contact)));
  if (!isMine(contact) || others.length === 0) return null;
  const select = el('select', { 'aria-label': 'To' }, ...others.map((a) => el('option', { value: String(a.agentId) }, `${a.name ?? a.agentId} (${a.load}/${a.capacity})`)));
  return el('section', {}, el('h3', {}, 'Transfer'), el('form', {
    onsubmit: (e) => {
      e.preventDefault();
      const to = others.find((a) => same(a.agentId, select.value));
      ask('transferContact', { contactId: contact.id, toAgentId: to.agentId }).catch(refuse);
    },
  }, select, el('button', { class: 'quiet', type: 'submit' }, 'Give')));
}

async function transcript(contact) {
  const answer = await ask('getTranscript', { contactId: contact.id, format: 'text' });
  const link = el('a', { href: URL.createObjectURL(new Blob([answer.text], { type: 'text/plain' })), download: `${contact.id}.txt` });
  link.click();
  URL.revokeObjectURL(link.href);
}

export function draw() {
  const contact = state.contacts.get(state.open);
  const isWideScreen = window.matchMedia('(min-width: 1181px)').matches;
  $('side').hidden = !contact || (!isWideScreen && !isOpen);
  $('side-toggle').setAttribute('aria-expanded', String(!$('side').hidden));
  const now = contact ? JSON.stringify([contact, [...state.agents.values()]]) : '';
  if ($('side').hidden || now === drawn) return;
  drawn = now;
  $('side').replaceChildren(
    el('section', {}, el('h3', {}, 'Contact'), facts(contact)), priority(contact), tags(contact),
    ...[transfer(contact)].filter(Boolean),
    el('section', {}, el('button', { class: 'quiet', type: 'button', onclick: () => transcript(contact).catch(refuse) }, 'Download the transcript')));
}

export function init() {
  $('side-toggle').addEventListener('click', () => { isOpen = !isOpen; drawn = ''; draw(); });
  window.addEventListener('resize', draw);
  $('scroll').addEventListener('click', () => { if (isOpen) { isOpen = false; draw(); } });
}
