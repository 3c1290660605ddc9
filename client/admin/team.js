// Agents: who is here, how much they have; a superadmin, or the agent, changes what they take.

import { el, toast } from './dom.js';
import { ask } from './net.js';
import { same, state } from './state.js';

const refuse = (error) => toast(error.message);

function row(agent) {
  const mayChange = same(agent.agentId, state.me.id) || state.me.role === 'superadmin';
  const capacity = el('input', {
    type: 'number', min: 0, max: 100, value: agent.capacity, 'aria-label': `Capacity of ${agent.name ?? agent.agentId}`, disabled: !mayChange,
    onchange: () => ask('setAgentStatus', { agentId: agent.agentId, capacity: Number(capacity.value) }).catch(refuse),
  });
  const skills = el('input', {
    value: (agent.skills ?? []).join(', '), placeholder: 'billing, french', 'aria-label': `Skills of ${agent.name ?? agent.agentId}`, disabled: !mayChange,
    onchange: () => ask('setAgentStatus', { agentId: agent.agentId, skills: skills.value.split(',').map((s) => s.trim()).filter(Boolean) }).catch(refuse),
  });
  const status = agent.online ? (agent.available ? 'available' : 'here, takes nothing') : 'away';
  return el('tr', {}, el('td', {}, agent.name ?? String(agent.agentId)), el('td', {}, status),
    el('td', { class: 'figure' }, String(agent.load)), el('td', {}, capacity), el('td', {}, skills));
}

export async function load() {
  const answer = await ask('listAgents');
  state.agents = new Map(answer.agents.map((a) => [String(a.agentId), a]));
}

export function view() {
  const agents = [...state.agents.values()].sort((a, b) => Number(b.online) - Number(a.online) || String(a.name).localeCompare(String(b.name)));
  return el('div', { class: 'wide-inner' }, el('div', { class: 'wide-head' }, el('h1', {}, 'Team')),
    el('div', { class: 'panel table-scroll' }, el('table', {}, el('thead', {}, el('tr', {}, ...['Agent', 'Status', 'Has', 'May have', 'Skills'].map((t, i) => el('th', { class: i === 2 ? 'figure' : null }, t)))),
      el('tbody', {}, ...agents.map(row)))));
}
