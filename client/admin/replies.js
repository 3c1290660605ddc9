// Canned replies: texts that agents send as they are, {{name}} and the like filled in by the server.

import { el, toast } from './dom.js';
import { ask } from './net.js';
import { changed, state } from './state.js';

const refuse = (error) => toast(error.message);
let editing = null; // the reply in the form, or null: a new one

export async function load() {
  state.replies = (await ask('listCannedReplies')).replies;
  changed();
}

function editor() {
  const code = el('input', { value: editing?.code ?? '', required: true, maxlength: 40, placeholder: 'hello', 'aria-label': 'Short code' });
  const title = el('input', { value: editing?.title ?? '', maxlength: 100, placeholder: 'Greeting', 'aria-label': 'Title' });
  const text = el('textarea', { value: editing?.text ?? '', required: true, maxlength: 5000, placeholder: 'Hello {{name|there}}, this is {{agent}}. How can I help?', 'aria-label': 'Text' });
  const save = async () => {
    const reply = { code: code.value.trim(), title: title.value.trim() || undefined, text: text.value };
    if (editing) Object.assign(reply, { id: editing.id, version: editing.version });
    await ask('saveCannedReply', reply);
    editing = null;
    await load();
  };
  return el('form', { class: 'panel editor', onsubmit: (e) => { e.preventDefault(); save().catch(refuse); } },
    el('h2', {}, editing ? `Change ${editing.code}` : 'A new reply'), code, title, text,
    el('div', {}, el('button', { class: 'primary', type: 'submit' }, 'Save'),
      editing ? el('button', { class: 'plain', type: 'button', onclick: () => { editing = null; changed(); } }, 'Cancel') : null));
}

function row(reply) {
  return el('li', {}, el('span', {}, el('code', {}, reply.code), ` ${reply.title ?? ''} · used ${reply.uses ?? 0} times`),
    el('button', { class: 'quiet', type: 'button', onclick: () => { editing = reply; changed(); } }, 'Change'),
    el('button', { class: 'quiet danger', type: 'button', onclick: () => ask('deleteCannedReply', reply.id).then(load).catch(refuse) }, 'Delete'),
    el('p', {}, reply.text));
}

export function view() {
  return el('div', { class: 'wide-inner' }, el('div', { class: 'wide-head' }, el('h1', {}, 'Canned replies')), editor(),
    el('ul', { class: 'panel replies' }, ...(state.replies.length ? state.replies.map(row) : [el('li', {}, 'There is none yet.')])));
}
