// Raw TCP, HTTP and WebSocket for hostile input: every byte is written by hand, and nothing is corrected on the way.
// Must never hide what the server did: bytes, end and time are kept as they came.
import crypto from 'node:crypto';
import net from 'node:net';

export const WAIT_MS = 30000; // generous: an ASan build on a busy machine
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'; // RFC 6455 1.3

export function within(promise, what, ms = WAIT_MS) {
  let timer;
  const late = new Promise((_, no) => {
    timer = setTimeout(() => no(new Error(`waited ${ms} ms in vain for ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// A connection with what it received. ended: {reset} once the server closed it.
export class Raw {
  constructor(port, host = '127.0.0.1') {
    this.bytes = Buffer.alloc(0);
    this.watchers = new Set();
    this.isEnded = false;
    this.socket = net.connect({ port, host, allowHalfOpen: false });
    this.socket.setNoDelay(true);
    this.opened = new Promise((yes) => {
      this.socket.once('connect', yes);
    });
    this.socket.on('data', (chunk) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
      this.look();
    });
    let reset = false;
    this.socket.on('error', () => { // ECONNRESET and EPIPE are ends like others
      reset = true;
    });
    this.ended = new Promise((yes) => {
      this.socket.once('close', () => {
        this.isEnded = true;
        this.look();
        yes({ reset });
      });
    });
  }

  look() {
    for (const watcher of [...this.watchers]) watcher();
  }

  // Resolves with what check() gave first that is not undefined; the end of the connection is a failure.
  when(check, what, ms = WAIT_MS) {
    let watcher;
    const found = new Promise((yes, no) => {
      watcher = () => {
        let got;
        try {
          got = check();
        } catch (error) {
          no(error);
          return;
        }
        if (got !== undefined) yes(got);
        else if (this.isEnded) no(new Error(`the connection ended before ${what}; it brought ${this.bytes.length} bytes: ${this.bytes.subarray(0, 300)}`));
      };
      this.watchers.add(watcher);
      watcher();
    });
    return within(found, what, ms).finally(() => this.watchers.delete(watcher));
  }

  write(data) {
    if (!this.socket.destroyed) this.socket.write(data);
  }

  // Writes a lot, at the pace at which it is taken; false: the server ended it before.
  async pour(data, times = 1) {
    for (let i = 0; i < times && !this.isEnded && this.socket.writable; i++) {
      if (this.socket.write(data)) continue;
      let go;
      const drained = new Promise((yes) => {
        go = yes;
        this.socket.once('drain', yes);
      });
      await within(Promise.race([drained, this.ended]), 'the server to take bytes');
      this.socket.off('drain', go);
    }
    return !this.isEnded;
  }

  // One byte each `ms` until the server answers or ends it: a slow attacker.
  drip(text, ms) {
    let i = 0;
    const timer = setInterval(() => {
      if (this.isEnded || i >= text.length) clearInterval(timer);
      else this.write(text[i++]);
    }, ms);
    this.ended.then(() => clearInterval(timer));
  }

  reset() {
    this.socket.resetAndDestroy();
  }

  destroy() {
    this.socket.destroy();
  }
}

// The first complete answer in bytes; undefined as long as it is not there.
export function parseAnswer(bytes, isEnded) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
  if (!status) throw new Error(`not an HTTP answer: ${first}`);
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  const rest = bytes.subarray(end + 4);
  if (status === 101 || status === 204 || status === 304) return { status, headers, body: '', used: end + 4 };
  const length = headers['content-length'] === undefined ? (isEnded ? rest.length : Infinity) : Number(headers['content-length']);
  if (rest.length < length) return undefined;
  return { status, headers, body: rest.subarray(0, length).toString(), used: end + 4 + length };
}

export function answerOf(raw, what = 'an answer', ms = WAIT_MS) {
  return raw.when(() => parseAnswer(raw.bytes, raw.isEnded), what, ms);
}

export const ENGINE = '/socket.io/?EIO=4&transport=';

// Lines of a request. headers: [name, value] pairs or complete lines; without Host only when host is ''.
export function head(method, target, headers = [], host = 'hostile.test') {
  const lines = [`${method} ${target} HTTP/1.1`];
  if (host) lines.push(`Host: ${host}`);
  for (const h of headers) lines.push(Array.isArray(h) ? `${h[0]}: ${h[1]}` : h);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

// One request on a connection of its own, whatever it is; the answer carries `raw`, `reset` and `ms`.
export async function request(port, bytes, { keep = false } = {}) {
  const raw = new Raw(port);
  const from = Date.now();
  raw.write(bytes);
  try {
    const answer = await answerOf(raw);
    return { ...answer, raw, ms: Date.now() - from };
  } finally {
    if (!keep) raw.destroy();
  }
}

export function get(port, target, headers) {
  return request(port, head('GET', target, headers));
}

export function post(port, target, body, headers = []) {
  const data = Buffer.isBuffer(body) ? body : Buffer.from(body);
  const lines = [['Content-Type', 'text/plain;charset=UTF-8'], ['Content-Length', data.length], ...headers];
  return request(port, Buffer.concat([Buffer.from(head('POST', target, lines)), data]));
}

// Polling: the sid of a new session.
export async function pollOpen(port, query = '', headers = []) {
  const answer = await get(port, `${ENGINE}polling${query}`, headers);
  if (answer.status !== 200) throw new Error(`handshake: ${answer.status} ${answer.body}`);
  return JSON.parse(answer.body.slice(answer.body.indexOf('{'))).sid;
}

export const withSid = (sid, transport = 'polling') => `${ENGINE}${transport}&sid=${sid}`;

// ---- WebSocket ----

export const OP = { CONT: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 };

// One frame of a client. Everything may be wrong: form 16 or 64 chooses the length field, length lies about it.
export function frame(op, payload = '', { fin = true, rsv = 0, mask, isMasked = true, form, length } = {}) {
  const data = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
  const n = BigInt(length ?? data.length);
  const wide = form ?? (n < 126n ? 7 : n < 65536n ? 16 : 64);
  const start = [(fin ? 0x80 : 0) | rsv << 4 | op];
  const bit = isMasked ? 0x80 : 0;
  let size = Buffer.alloc(0);
  if (wide === 7) {
    start.push(bit | Number(n));
  } else {
    start.push(bit | (wide === 16 ? 126 : 127));
    size = Buffer.alloc(wide / 8);
    if (wide === 16) size.writeUInt16BE(Number(n));
    else size.writeBigUInt64BE(n);
  }
  if (!isMasked) return Buffer.concat([Buffer.from(start), size, data]);
  const key = mask ?? crypto.randomBytes(4);
  const masked = Buffer.from(data);
  for (let i = 0; i < masked.length; i++) masked[i] ^= key[i & 3];
  return Buffer.concat([Buffer.from(start), size, key, masked]);
}

export function closePayload(code, reason = '') {
  const head2 = Buffer.alloc(2);
  head2.writeUInt16BE(code);
  return Buffer.concat([head2, Buffer.from(reason)]);
}

export function upgradeHead(target, { key = crypto.randomBytes(16).toString('base64'), version = '13', connection = 'Upgrade', headers = [] } = {}) {
  const lines = [['Connection', connection], ['Upgrade', 'websocket']];
  if (version !== null) lines.push(['Sec-WebSocket-Version', version]);
  if (key !== null) lines.push(['Sec-WebSocket-Key', key]);
  return head('GET', target, [...lines, ...headers]);
}

// A WebSocket on a Raw: received frames in `frames`; the server's frames must be unmasked, whole and without RSV bits.
export class RawSocket {
  constructor(raw, used) {
    this.raw = raw;
    this.at = used;
    this.frames = [];
    this.next = 0;
  }

  parse() {
    for (;;) {
      const b = this.raw.bytes.subarray(this.at);
      if (b.length < 2) return;
      if (b[0] & 0x70 || b[1] & 0x80) throw new Error(`a bad frame from the server: ${b.subarray(0, 8).toString('hex')}`);
      const short = b[1] & 0x7f;
      const skip = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (b.length < skip) return;
      const n = short < 126 ? short : short === 126 ? b.readUInt16BE(2) : Number(b.readBigUInt64BE(2));
      if (b.length < skip + n) return;
      this.frames.push({ op: b[0] & 0x0f, data: Buffer.from(b.subarray(skip, skip + n)) });
      this.at += skip + n;
    }
  }

  // The next frame that match (an opcode, a prefix of its text, a function) fits; those before it are passed over.
  frame(match, ms = WAIT_MS) {
    const fits = typeof match === 'function' ? match : typeof match === 'number' ? (f) => f.op === match : (f) => f.op === OP.TEXT && f.data.toString().startsWith(match);
    return this.raw.when(() => {
      this.parse();
      while (this.next < this.frames.length) {
        const f = this.frames[this.next++];
        if (fits(f)) return f;
        if (f.op === OP.CLOSE) throw new Error(`closed (${f.data.length ? f.data.readUInt16BE() : 'no code'}) before ${match}`);
      }
      return undefined;
    }, `frame ${match}`, ms);
  }

  async text(prefix, ms) {
    return (await this.frame(prefix, ms)).data.toString();
  }

  // Close code of the server (null: a close frame without one), after its end of the connection is there too.
  async closed(ms = WAIT_MS) {
    const f = await this.frame(OP.CLOSE, ms);
    this.raw.socket.end();
    await within(this.raw.ended, 'the end of the connection', ms);
    return f.data.length ? f.data.readUInt16BE() : null;
  }

  send(text, options) {
    this.raw.write(frame(OP.TEXT, text, options));
  }

  sendBinary(data, options) {
    this.raw.write(frame(OP.BINARY, data, options));
  }

  write(bytes) {
    this.raw.write(bytes);
  }

  destroy() {
    this.raw.destroy();
  }
}

// Upgrades; early: bytes that follow the request in the same write.
export async function wsOpen(port, { target = `${ENGINE}websocket`, early, ...options } = {}) {
  const raw = new Raw(port);
  const key = crypto.randomBytes(16).toString('base64');
  const bytes = upgradeHead(target, { key, ...options });
  raw.write(early ? Buffer.concat([Buffer.from(bytes), early]) : bytes);
  const answer = await answerOf(raw, 'the 101');
  if (answer.status !== 101) throw new Error(`upgrade: ${answer.status} ${answer.body}`);
  const want = crypto.createHash('sha1').update(key + GUID).digest('base64');
  if (answer.headers['sec-websocket-accept'] !== want) throw new Error('wrong Sec-WebSocket-Accept');
  const ws = new RawSocket(raw, answer.used);
  ws.answer = answer;
  return ws;
}

// A WebSocket with an open Engine.IO session.
export async function eioOpen(port, options) {
  const ws = await wsOpen(port, options);
  ws.sid = JSON.parse((await ws.text('0{')).slice(1)).sid;
  return ws;
}

// The same, connected to the namespace "/".
export async function sioOpen(port, options) {
  const ws = await eioOpen(port, options);
  ws.send('40');
  ws.socketId = JSON.parse((await ws.text('40{')).slice(2)).sid;
  return ws;
}
