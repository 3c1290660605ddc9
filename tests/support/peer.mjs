// Stock Socket.IO clients for tests: several generations behind one face that records what comes in, so that no event
// is lost between two awaits and everything can be counted and held against the schemas.
import crypto from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import Ajv from 'ajv';
import { JWT_SECRET, ROOT } from './cluster.mjs';

const require = createRequire(import.meta.url);
export const CLIENTS = {
  '2.5.0': { io: require('socket.io-client-2'), protocol: 3 },
  '3.1.3': { io: require('socket.io-client-3').io, protocol: 4 },
  '4.0.2': { io: require('socket.io-client-40').io, protocol: 4 },
  '4.8.4': { io: require('socket.io-client').io, protocol: 4 },
};
export const MODES = {
  'websocket only': { transports: ['websocket'] },
  'polling only': { transports: ['polling'] },
  'polling, then upgrade': { transports: ['polling', 'websocket'] },
};

// ---- tokens ----

const base64url = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

export function sign(claims, { secret = JWT_SECRET, header = { alg: 'HS256', typ: 'JWT' }, hash = 'sha256' } = {}) {
  const text = `${base64url(header)}.${base64url(claims)}`;
  return `${text}.${crypto.createHmac(hash, secret).update(text).digest('base64url')}`;
}

export function token(claims) {
  return sign({ exp: Math.floor(Date.now() / 1000) + 3600, ...claims });
}

// ---- the schemas of what we send ----

const folder = path.join(ROOT, 'schemas');
const ajv = new Ajv({ strict: false, allErrors: true }); // the house keywords (x-…) are not JSON Schema's
ajv.addSchema({ ...JSON.parse(fs.readFileSync(path.join(folder, 'common.json'))), $id: 'common.json' });
const validators = { gateway: new Map(), contacts: new Map() };
const featureOf = new Map();
for (const program of Object.keys(validators))
  for (const of of ['node', program]) {
    for (const file of fs.readdirSync(path.join(folder, of, 'out'))) {
      const schema = JSON.parse(fs.readFileSync(path.join(folder, of, 'out', file)));
      if (schema.properties && !schema['x-passthrough']) schema.additionalProperties ??= false;
      if (program === 'gateway') featureOf.set(path.basename(file, '.json'), schema['x-feature']);
      validators[program].set(path.basename(file, '.json'), ajv.compile(schema));
    }
  }

export const seenEvents = new Set();
// Events of these features of the gateway that nobody was sent in this run.
export const unseenEvents = (...features) =>
  [...validators.gateway.keys()].filter((name) => features.includes(featureOf.get(name)) && !seenEvents.has(name));
const breaches = [];

// Everything that a server sent in this run and that its schema does not allow.
export function schemaBreaches() {
  return breaches;
}

function hold(program, name, args) {
  const validate = validators[program].get(name);
  if (!validate) {
    breaches.push(`${name}: no such event in schemas/${program}/out`);
    return;
  }
  seenEvents.add(name);
  if (args.length !== 1) breaches.push(`${name}: ${args.length} arguments`);
  else if (!validate(args[0])) breaches.push(`${name} ${JSON.stringify(args[0])}: ${ajv.errorsText(validate.errors)}`);
}

// ---- one client ----

const peers = new Set();

export class Peer {
  constructor(socket, name, program) {
    this.socket = socket;
    this.name = name;
    this.all = []; // every event that came, in order: [name, ...args]
    this.left = []; // those that next() has not given yet
    this.waiters = [];
    this.disconnects = []; // reasons
    this.errors = []; // what an application would be told
    const record = socket.onevent; // the same method in all generations
    socket.onevent = (packet) => {
      if (program) hold(program, packet.data[0], packet.data.slice(1));
      this.take(packet.data);
      return record.call(socket, packet);
    };
    socket.on('connect', () => this.take(['$connect', socket.id]));
    socket.on('disconnect', (reason) => {
      this.disconnects.push(reason);
      this.take(['$disconnect', reason]);
    });
    for (const name of ['connect_error', 'error', 'reconnect_failed']) socket.on(name, (error) => this.errors.push(`${name}: ${error?.message ?? error}`));
    socket.on('connect_error', (error) => this.take(['$connect_error', error]));
    peers.add(this);
  }

  take(event) {
    if (!event[0].startsWith('$')) this.all.push(event);
    const i = this.waiters.findIndex((w) => w.fits(event));
    if (i < 0) this.left.push(event);
    else this.waiters.splice(i, 1)[0].resolve(event.slice(1));
  }

  // The arguments of the next event of this name (that fits); waits for it.
  nextArgs(name, fits = () => true, ms = 60000) {
    const wanted = (e) => e[0] === name && fits(...e.slice(1));
    const i = this.left.findIndex(wanted);
    if (i >= 0) return Promise.resolve(this.left.splice(i, 1)[0].slice(1));
    return new Promise((resolve, reject) => {
      const waiter = { fits: wanted };
      const timer = setTimeout(() => {
        this.waiters = this.waiters.filter((w) => w !== waiter);
        const last = JSON.stringify(this.all.slice(-8)).slice(-1500);
        reject(new Error(`${this.name} waited ${ms} ms in vain for ${name}; last events: ${last}`));
      }, ms);
      waiter.resolve = (args) => {
        clearTimeout(timer);
        resolve(args);
      };
      this.waiters.push(waiter);
    });
  }

  async next(name, fits, ms) {
    return (await this.nextArgs(name, fits, ms))[0];
  }

  // Connected, or not any more on the way: a node that dies between the handshake and its answer to CONNECT ends the
  // manager's connection, and the socket says nothing.
  settled() {
    return new Promise((done) => {
      for (const name of ['connect', 'connect_error']) this.socket.once(name, done);
      this.socket.io.once('close', done);
    });
  }

  count(name, fits = () => true) {
    return this.all.filter((e) => e[0] === name && fits(...e.slice(1))).length;
  }

  emit(...args) {
    this.socket.emit(...args);
    return this;
  }

  // Emits and gives the first argument of the acknowledgement.
  ask(name, ...args) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.name}: no acknowledgement of ${name}`)), 60000);
      this.socket.emit(name, ...args, (...answer) => {
        clearTimeout(timer);
        resolve(answer.length > 1 ? answer : answer[0]);
      });
    });
  }

  async join(roomId, roomType) {
    this.emit('joinRoom', roomType ? { roomId, roomType } : { roomId });
    return this.next('roomJoined', (r) => r.roomId === roomId);
  }

  say(roomId, message) {
    return this.emit('roomMessage', { roomId, message });
  }

  hears(message, ms) {
    return this.next('roomMessage', (m) => m.message === message, ms);
  }

  get engine() {
    return this.socket.io.engine;
  }

  get transport() {
    return this.engine.transport.name;
  }

  // Over WebSocket now; at once when there is nothing to upgrade.
  upgraded() {
    if (this.transport === 'websocket') return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.name}: no upgrade`)), 60000);
      this.engine.once('upgrade', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  close() {
    peers.delete(this);
    this.socket.disconnect();
    this.socket.io.reconnection(false);
  }
}

let count = 0;
// A connected client. options: those of socket.io-client; version, gateway (hold its events against the schemas of the
// gateway, or of another program by its name; false: not at all).
export async function connect(url, { version = '4.8.4', gateway = true, name, wait = true, ...options } = {}) {
  const { io } = CLIENTS[version];
  const socket = io(url, {
    forceNew: true, transports: ['websocket'], reconnectionDelay: 100, reconnectionDelayMax: 500, timeout: 20000, ...options,
  });
  const peer = new Peer(socket, name ?? `client-${++count} (${version})`, gateway === true ? 'gateway' : gateway);
  if (wait) peer.id = await peer.next('$connect');
  return peer;
}

// One whose session is of the given node, where several nodes share a port.
export async function connectTo(node, options) {
  for (let i = 0; i < 60; i++) {
    const peer = await connect(node.url, options);
    if (peer.id.startsWith(node.id)) return peer;
    peer.close();
  }
  throw new Error(`no connection came to node ${node.id}`);
}

export function closeAll() {
  for (const peer of [...peers]) peer.close();
}
