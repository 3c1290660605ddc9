// Elements, texts and small signs. Texts of people enter the page by textContent only.
export const $ = (id) => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';

function put(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'text') node.textContent = value;
    else if (name === 'data') Object.assign(node.dataset, value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

// el('p.small', {text: 'hi', onclick: …}, child, …)
export function el(what, props, ...children) {
  const [tag, ...classes] = what.split('.');
  const node = document.createElement(tag || 'div');
  if (classes.length) node.className = classes.join(' ');
  return put(node, props, children);
}

export function svg(tag, props, ...children) {
  return put(document.createElementNS(SVG, tag), props, children);
}

const ICONS = {
  check: 'M5 12.5l4.5 4.5L19 7.5',
  cross: 'M6 6l12 12M18 6L6 18',
  ticks: 'M1.5 13l4.5 4.5L15 8M11.5 16.5l1 1L22 8',
  clock: 'M12 7.5V12l3 2M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z',
  back: 'M15 5l-7 7 7 7',
  lock: 'M7 11V8a5 5 0 0 1 10 0v3M5.5 11h13v9h-13z',
  pause: 'M9 6v12M15 6v12',
  play: 'M8 5.5l10.5 6.5L8 18.5z',
  crown: 'M4 18h16M4.5 15L3 6.5l5 4 4-6 4 6 5-4L19.5 15z',
};

export function icon(name, size = 20) {
  const path = svg('path', { d: ICONS[name], fill: 'none', stroke: 'currentColor', 'stroke-width': 2, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' });
  return svg('svg', { viewBox: '0 0 24 24', width: size, height: size, 'aria-hidden': 'true', class: `icon icon-${name}` }, path);
}

function toneOf(text) {
  let sum = 7;
  for (const c of String(text)) sum = (sum * 31 + c.codePointAt(0)) >>> 0;
  return `tone-${sum % 10}`;
}

export function paintAvatar(element, id, name) {
  element.textContent = [...(name || '?')][0];
  element.classList.add(toneOf(id ?? name));
  return element;
}

export const avatar = (id, name) => paintAvatar(el('span.avatar', { 'aria-hidden': 'true' }), id, name);

export function clockOf(timestamp) {
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? '' : date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

export const textOf = (message) => (typeof message === 'string' ? message : JSON.stringify(message));

export function toast(text) {
  const box = el('div.toast', { text });
  $('toasts').append(box);
  while ($('toasts').children.length > 3) $('toasts').firstChild.remove();
  setTimeout(() => box.remove(), 6000);
}

export function setTitle(text) {
  $('room-title').textContent = text;
  document.title = `${text} · Ingoma`;
}

// A text field that grows with its text, sends at Enter and keeps Shift+Enter for a new line.
export function growing(field, send, changed = () => {}) {
  const fit = () => {
    if (CSS.supports('field-sizing', 'content')) return;
    field.style.height = 'auto';
    field.style.height = `${field.scrollHeight + 2}px`;
  };
  field.addEventListener('input', () => {
    fit();
    changed();
  });
  field.addEventListener('keydown', (e) => {
    if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) send(e);
  });
  return fit;
}
