// The one connection of the page: stock socket.io-client. Who serves it, questions with an answer, the server's clock.
const ANSWER_MS = 6000; // an answer that is not there by then is asked for again, or given up
// WebSocket first: with polling first the connection and the session may be on two nodes, and the death of the session's
// node is told to the other one by its silence alone, after DEAD_MS. Polling is there for whom WebSocket does not reach.
const OPTIONS = { transports: ['websocket', 'polling'], tryAllTransports: true, reconnectionDelay: 300, reconnectionDelayMax: 3000 };
const SAMPLES = 4; // pings from which the shortest round trip is taken

export const net = {
  socket: null, node: '', state: 'idle', text: '', final: false,
  rtt: Infinity, // shortest round trip, ms
  offset: 0, // server's clock − ours, ms
};
const watchers = new Set(); // called when net changes
const handlers = []; // [event, handler], put on every socket
const entries = []; // what is done after each connect: join again; in order

export const onNet = (f) => watchers.add(f);
export const onConnected = (f) => entries.push(f);
export function on(event, handler) {
  handlers.push([event, handler]);
  net.socket?.on(event, handler);
}

function show(state, text, more = {}) {
  Object.assign(net, { state, text, final: false }, more);
  for (const f of watchers) f(net);
}

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// A question, answered {ok, …}. What the network swallowed is {ok: false, code: 'timeout'}.
export async function ask(event, payload = {}) {
  if (!net.socket?.connected) return { ok: false, code: 'timeout', message: 'not connected' };
  try {
    return (await net.socket.timeout(ANSWER_MS).emitWithAck(event, payload)) ?? { ok: true };
  } catch {
    return { ok: false, code: 'timeout', message: 'no answer in time' };
  }
}

// The same until there is an answer, over any number of connections: for what the server counts once however often it is
// said. A connection that breaks ends the waiting for its answer.
export async function askSurely(event, payload) {
  for (;;) {
    await connected();
    const socket = net.socket;
    const broken = new Promise((done) => socket.once('disconnect', () => done({ code: 'timeout' })));
    const answer = await Promise.race([ask(event, payload), broken]);
    if (!['timeout', 'unavailable', 'not_a_member'].includes(answer.code) || !net.socket) return answer;
    await wait(answer.code === 'timeout' ? 0 : 500);
  }
}

let ready = null; // resolves once connected and everything is joined again
let setReady = () => {};
export const connected = () => ready;

export function retryText(answer) {
  const seconds = answer.retryAfterMs ? `, try again in ${Math.max(1, Math.ceil(answer.retryAfterMs / 1000))} s` : '';
  const text = String(answer.error || answer.message || answer.code || 'that did not work');
  return `${text[0].toUpperCase()}${text.slice(1)}${seconds}.`;
}

// ---- the server's clock

async function sync() {
  for (let i = 0; i < SAMPLES && net.socket?.connected; i++) {
    const sent = Date.now();
    const e = await new Promise((done) => {
      const timer = setTimeout(done, ANSWER_MS);
      net.socket.once('pong', (pong) => {
        clearTimeout(timer);
        done(pong);
      });
      net.socket.emit('ping', { timestamp: sent });
    });
    const rtt = Date.now() - sent;
    if (e?.timestamp !== sent || rtt > net.rtt) continue;
    net.rtt = rtt;
    net.offset = Date.parse(e.serverTime) + rtt / 2 - Date.now();
  }
}
document.addEventListener('visibilitychange', () => document.hidden || sync());

export const serverNow = () => Date.now() + net.offset;

// What a server's clock said in a message that has just come: it is half a round trip old.
export function hearClock(iso) {
  const at = Date.parse(iso);
  if (Number.isFinite(at)) net.offset = at + (Number.isFinite(net.rtt) ? net.rtt / 2 : 0) - Date.now();
}

// ---- in and out

async function entered() {
  const engine = net.socket.io.engine;
  const transport = () => (engine.transport.name === 'websocket' ? 'by WebSocket' : 'by polling');
  const node = engine.id.slice(0, 4); // the sid begins with its node's id
  const tell = () => show('on', 'Connected', { node, transport: transport() });
  engine.once('upgrade', tell);
  const socket = net.socket;
  tell();
  for (const f of entries) await f();
  if (net.socket !== socket || !socket.connected) return;
  setReady();
  sync();
}

function newReady() {
  ready = new Promise((done) => {
    setReady = done;
  });
}

export function connect(token) {
  disconnect();
  newReady();
  net.rtt = Infinity;
  const socket = io({ ...OPTIONS, ...(token ? { auth: { token } } : {}) });
  net.socket = socket;
  show('wait', 'Connecting');
  socket.on('connect', entered);
  socket.on('disconnect', (reason) => {
    newReady();
    if (net.socket !== socket) return;
    const final = reason === 'io server disconnect';
    show(final ? 'off' : 'wait', final ? 'Disconnected' : 'Reconnecting', { final });
  });
  socket.on('connect_error', (error) => show('wait', socket.active ? 'Reconnecting' : `Refused: ${error.message}`, { final: !socket.active }));
  for (const [event, handler] of handlers) socket.on(event, handler);
}

export function disconnect() {
  const socket = net.socket;
  net.socket = null;
  net.node = '';
  socket?.disconnect();
}
