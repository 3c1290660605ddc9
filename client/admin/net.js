// The connection: stock socket.io-client in the namespace /contacts. Every question is an event with an ack.

/* global io */
const KEY = 'ingoma-desk-token';
let socket = null;

export function claims(token) {
  try {
    const bytes = atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0))));
  } catch {
    return {};
  }
}

export const isAgent = (token) => ['admin', 'superadmin'].includes(String(claims(token).role ?? '').toLowerCase());
export const kept = () => sessionStorage.getItem(KEY);

// #login=CODE of the console: a code that is good once, for a token.
export async function redeem() {
  const code = new URLSearchParams(location.hash.slice(1)).get('login');
  if (!code) return null;
  history.replaceState(null, '', location.pathname);
  const answer = await fetch('/dev/login', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code }),
  });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.message ?? body.error ?? 'This link has been used already.');
  return body.token;
}

// on: {state(kind, text), event(name, payload)}
export function open(token, on) {
  sessionStorage.setItem(KEY, token);
  socket = io('/contacts', { auth: { token }, reconnectionDelayMax: 4000 });
  socket.on('connect', () => on.state('on', 'Connected'));
  socket.on('disconnect', (why) => on.state(why === 'io server disconnect' ? 'off' : 'wait',
    why === 'io server disconnect' ? 'The server has ended this session' : 'Connection lost, coming back'));
  socket.on('connect_error', (error) => on.state('off', error.message));
  socket.onAny((name, payload) => on.event(name, payload));
  return socket;
}

export function close() {
  sessionStorage.removeItem(KEY);
  socket?.disconnect();
  socket = null;
}

// The ack's members; an error with the server's sentence and its code.
export async function ask(event, payload = {}) {
  const answer = await socket.timeout(10000).emitWithAck(event, payload).catch(() => {
    throw new Error('No answer: try again.');
  });
  if (answer?.ok) return answer;
  throw Object.assign(new Error(answer?.message ?? 'Refused.'), answer);
}

export const tell = (event, payload) => socket?.volatile.emit(event, payload);
