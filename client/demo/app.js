// The page: who comes in, which view is shown, who serves it. The views are chat.js, people.js, host.js, play.js.
import { $, setTitle, toast } from './dom.js';
import { connect, disconnect, net, on, onNet, retryText } from './net.js';
import { killNode, lastName, learnMode, restore, session, signIn, signOut } from './session.js';
import * as chat from './chat.js';
import * as people from './people.js';
import * as host from './host.js';
import * as play from './play.js';

const VIEWS = { chat, people, host, play };
const OPEN_TO_GUESTS = new Set(['play']);
let view = '';
let lastNode = '';
let killed = '';

// ---- where one is: #chat/lobby, #people/demo-bob, #host, #play/4711081512; a QR code leads to ?pin=4711081512

function place() {
  const [name, ...rest] = location.hash.slice(1).split('/');
  return [VIEWS[name] ? name : '', decodeURIComponent(rest.join('/'))];
}

function go(name, rest = '') {
  const hash = `#${name}${rest ? `/${encodeURIComponent(rest)}` : ''}`;
  if (location.hash === hash) show();
  else location.hash = hash;
}

function showDoor(to) {
  view = '';
  document.body.dataset.view = 'door';
  $('house').hidden = true;
  $('door').hidden = false;
  document.title = 'Ingoma';
  $('name').value ||= lastName();
  $('room').value ||= (to[0] === 'chat' && to[1]) || 'lobby';
  $($('name').value ? 'room' : 'name').focus();
}

function show() {
  const [name, rest] = place();
  if (!name || (!session.token && !OPEN_TO_GUESTS.has(name))) return showDoor([name, rest]);
  if (view && view !== name) VIEWS[view].hide?.();
  view = name;
  document.body.dataset.view = name;
  document.body.dataset.guest = String(!session.token);
  $('door').hidden = true;
  $('house').hidden = false;
  for (const page of document.querySelectorAll('[data-page]')) page.hidden = page.dataset.page !== name;
  for (const link of $('nav').children) {
    if (link.dataset.view === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  $('show-members').hidden = name !== 'chat';
  if (!net.socket) connect(session.token);
  setTitle(VIEWS[name].show(rest));
}

// ---- the connection, as people see it

function showNet() {
  document.body.dataset.state = net.state;
  $('status-text').textContent = net.text;
  $('transport').textContent = net.state === 'on' ? net.transport : '';
  $('send').disabled = net.state !== 'on';
  $('kill').hidden = !session.isDev;
  $('kill').disabled = net.state !== 'on';
  if (net.state === 'on') {
    $('node').textContent = `node ${net.node}`;
    $('node').hidden = false;
    $('status').dataset.node = net.node;
    banner('');
    if (lastNode && lastNode !== net.node) {
      toast(killed === lastNode ? `Node ${lastNode} is dead. You are served by node ${net.node}, and nothing else has changed.` : `You are served by node ${net.node} now.`);
      killed = '';
    }
    lastNode = net.node;
  } else {
    $('node').hidden = true;
    banner(net.final ? 'The server ended the connection.' : net.state === 'wait' && lastNode ? 'The connection is lost; it comes back by itself.' : '', net.final);
  }
}

function banner(text, canRetry = false) {
  $('banner').hidden = !text;
  $('banner-text').textContent = text;
  $('again').hidden = !canRetry;
}

async function kill() {
  killed = net.node;
  $('kill').disabled = true;
  try {
    await killNode(killed);
  } catch (error) {
    toast(`The node lives: ${error.message}.`);
    $('kill').disabled = false;
  }
}

// Every refusal of the server has a code and a sentence, whatever its event is called. quizError is told by its view.
function onAnything(event, e) {
  if (!e || typeof e !== 'object' || typeof e.code !== 'string' || event === 'quizError') return;
  if (event === 'authError') {
    toast('The server did not accept your token: come in again.');
    return;
  }
  toast(retryText(e));
}
for (const event of ['roomError', 'messageError', 'eventError', 'authError', 'connectionError']) on(event, (e) => onAnything(event, e));

// ---- in and out

async function enter(event) {
  event.preventDefault();
  const name = $('name').value.trim();
  const room = $('room').value.trim();
  const to = event.submitter?.dataset.to ?? 'chat';
  if (!name || !room) return;
  $('enter').disabled = true;
  $('join-error').textContent = '';
  try {
    await signIn(name);
  } catch (error) {
    $('join-error').textContent = `You cannot come in: ${error.message}.`;
    return;
  } finally {
    $('enter').disabled = false;
  }
  chat.setRoom(room);
  lastNode = '';
  connect(session.token);
  go(to, to === 'chat' ? room : '');
}

async function leave() {
  for (const v of Object.values(VIEWS)) await v.leave?.();
  signOut();
  disconnect();
  lastNode = '';
  history.replaceState(null, '', location.pathname);
  showDoor(['', '']);
}

$('join').addEventListener('submit', enter);
$('door-pin').addEventListener('submit', (e) => {
  e.preventDefault();
  go('play', $('door-pin-field').value.replace(/\D/g, ''));
});
$('leave').addEventListener('click', leave);
$('kill').addEventListener('click', kill);
$('again').addEventListener('click', () => net.socket?.connect());
window.addEventListener('hashchange', show);
onNet(showNet);

await learnMode();
const pin = new URLSearchParams(location.search).get('pin');
if (pin) history.replaceState(null, '', `${location.pathname}#play/${pin.replace(/\D/g, '')}`);
const known = restore();
if (known && place()[0] === 'chat' && place()[1]) chat.setRoom(place()[1]);
if (!known && !OPEN_TO_GUESTS.has(place()[0])) showDoor(place());
else show();
