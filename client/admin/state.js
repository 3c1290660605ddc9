// What the desk knows: contacts by id, agents by id, which view and which contact is open. Events of the server change it,
// views draw it. A contact of an event is merged into what is known; what nobody has asked for is not kept.

export const state = {
  me: null, // {id, name, role}
  contacts: new Map(), // id → contact
  agents: new Map(), // id as text → agent
  replies: [],
  view: 'queue',
  open: null, // id of the contact that is open
  order: [], // ids of the list that is shown, for views that the server pages
  total: 0,
  cursor: null,
};

const listeners = new Set();
let isDue = false;

export const watch = (f) => listeners.add(f);

// All changes of one task are drawn once.
export function changed() {
  if (isDue) return;
  isDue = true;
  queueMicrotask(() => {
    isDue = false;
    for (const f of listeners) f();
  });
}

export const same = (a, b) => String(a ?? '') === String(b ?? '');
export const ownerOf = (contact) => contact.assignedAdmin?.id ?? null;
export const isMine = (contact) => contact.status === 'in_progress' && same(ownerOf(contact), state.me?.id);

export function merge(contact) {
  if (!contact?.id) return null;
  const known = state.contacts.get(contact.id) ?? {};
  const next = { ...known, ...contact };
  state.contacts.set(contact.id, next);
  changed();
  return next;
}

export function give(id, agent) {
  merge({ id, status: 'in_progress', assignedAdmin: agent });
}

export function waits(id) {
  merge({ id, status: 'pending', assignedAdmin: undefined });
}

const WEIGHT = { urgent: 0, high: 1, normal: 2, low: 3 };

// Who waits: by urgency, then by time.
export function queue() {
  return [...state.contacts.values()].filter((c) => c.status === 'pending').sort((a, b) =>
    (WEIGHT[a.priority] ?? 2) - (WEIGHT[b.priority] ?? 2) || String(a.submittedAt).localeCompare(String(b.submittedAt)));
}

const newest = (c) => [c.visitorAt, c.agentAt, c.submittedAt].filter(Boolean).sort().at(-1) ?? '';

export function mine() {
  return [...state.contacts.values()].filter(isMine).sort((a, b) =>
    newest(b).localeCompare(newest(a)));
}
