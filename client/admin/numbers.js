// The figures of the desk, as the server computes them from the records.

import { bars } from './charts.js';
import { duration, el, toast } from './dom.js';
import { ask } from './net.js';

const RANGES = [[1, 'Today'], [7, '7 days'], [30, '30 days'], [90, '90 days']];
let days = 7;
let stats = null;

export async function load() {
  stats = await ask('getContactStats', { from: new Date(Date.now() - days * 86400000).toISOString() });
}

const tile = (label, value) => el('div', { class: 'tile' }, el('strong', {}, value), el('span', { class: 'small' }, label));
const panel = (title, ...content) => el('section', { class: 'panel' }, el('h3', {}, title), ...content);
const percent = (share) => (share === null || share === undefined ? '–' : `${Math.round(share * 100)} %`);

function agents(rows) {
  return el('div', { class: 'table-scroll' }, el('table', {},
    el('thead', {}, el('tr', {}, ...['Agent', 'Contacts', 'Now', 'Resolved', 'First reply, p50', 'Rating'].map((t, i) => el('th', { class: i ? 'figure' : null }, t)))),
    el('tbody', {}, ...rows.map((a) => el('tr', {}, el('td', {}, a.name ?? String(a.id)),
      ...[a.contacts, a.active, a.resolved, duration(a.firstResponse?.p50Ms), a.csat?.average ? a.csat.average.toFixed(1) : '–'].map((v) => el('td', { class: 'figure' }, String(v))))))));
}

export function view(redraw) {
  const pick = el('select', {
    'aria-label': 'Time range', onchange: () => { days = Number(pick.value); load().then(redraw, (e) => toast(e.message)); },
  }, ...RANGES.map(([n, text]) => el('option', { value: n, selected: n === days }, text)));
  const head = el('div', { class: 'wide-head' }, el('h1', {}, 'Numbers'), pick);
  if (!stats) return el('div', { class: 'wide-inner' }, head, el('p', { class: 'empty' }, 'Loading…'));
  const d = stats.details ?? {};
  return el('div', { class: 'wide-inner' }, head,
    el('div', { class: 'tiles' },
      tile('contacts came in', String(stats.totalContacts)), tile('wait now', String(stats.pendingContacts)), tile('in progress now', String(stats.activeContacts)),
      tile('first reply, p50', duration(d.firstResponse?.p50Ms)), tile('first reply, p90', duration(d.firstResponse?.p90Ms)),
      tile('resolution, p50', duration(d.resolution?.p50Ms)), tile('resolution, p90', duration(d.resolution?.p90Ms)),
      tile('resolved', percent(d.resolutionRate)), tile('promises broken', String(d.breached ?? 0)), tile(`satisfaction (${d.csat?.count ?? 0} ratings)`, d.csat?.average ? `${d.csat.average.toFixed(1)} / 5` : '–'),
      tile('agents here', String(stats.onlineAdmins))),
    el('div', { class: 'panels' },
      panel('Per day: came in and resolved', bars('Per day', ['came in', 'resolved'], (d.byDay ?? []).slice(-31).map((r) => ({ label: r.date.slice(5), values: [r.submitted, r.resolved] })), Math.ceil(Math.min(31, (d.byDay ?? []).length) / 7) || 1)),
      panel('Per hour of the day', bars('Per hour', ['came in'], (d.byHour ?? []).map((n, h) => ({ label: String(h), values: [n] })), 3))),
    panel('Agents', agents(d.agents ?? [])));
}
