// A node under attack and two well-behaved clients in one room, connected before: a row of the security list passes only
// when the counter moved, memory stayed bounded, the process lives and the two still hear each other.
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';
import { startNode, until } from './cluster.mjs';
import { within } from './raw.mjs';

const ROOM = 'witnesses';
const MEMORY_BYTES = 48 * 1024 * 1024; // a row may leave this much: ASan's quarantine and the allocator's caches are in it

export class Witness {
  constructor(node) {
    this.node = node;
    this.port = node.port;
    this.losses = [];
    this.said = 0;
  }

  async connect(transports, auth) {
    const client = io(this.node.url, { transports, upgrade: false, reconnection: false, forceNew: true, auth });
    await within(new Promise((yes, no) => {
      client.once('connect', yes);
      client.once('connect_error', no);
    }), `a well-behaved client over ${transports}`);
    client.on('disconnect', (why) => this.losses.push(`${transports}: ${why}`));
    const joined = new Promise((yes) => {
      client.once('roomJoined', yes);
    });
    client.emit('joinRoom', { roomId: ROOM, roomType: 'chat' });
    await within(joined, 'roomJoined');
    return client;
  }

  // Both hear what one of them says, and neither was ever cut.
  async undisturbed() {
    assert.equal(this.node.ended, null, `the node ended: ${JSON.stringify(this.node.ended)}\n${this.node.logs().slice(-3000)}`);
    assert.deepEqual(this.losses, [], 'well-behaved clients were cut');
    const message = `still here ${++this.said}`;
    const heard = this.clients.map((client) => within(new Promise((yes) => {
      const listen = (m) => {
        if (m.message !== message) return;
        client.off('roomMessage', listen);
        yes();
      };
      client.on('roomMessage', listen);
    }), `roomMessage "${message}"`));
    this.clients[this.said % 2].emit('roomMessage', { roomId: ROOM, message, type: 'text' });
    await Promise.all(heard);
  }

  // Runs one attack. moves: {metric: at least so much}; a gauge that has to be where it was: back: ['ingoma_sessions'].
  async attack(moves, run, { back = [], bytes = MEMORY_BYTES } = {}) {
    const before = await this.node.metrics();
    const got = await run();
    let now;
    await until('counters and gauges', async () => {
      assert.equal(this.node.ended, null, `the node ended: ${this.node.logs().slice(-3000)}`);
      now = await this.node.metrics();
      return Object.entries(moves).every(([k, n]) => (now[k] ?? 0) - (before[k] ?? 0) >= n)
        && back.every((k) => (now[k] ?? 0) <= (before[k] ?? 0));
    }, 20000).catch((error) => {
      const seen = [...Object.keys(moves), ...back].map((k) => `${k}: ${before[k]} → ${now?.[k]}`);
      throw new Error(`${error.message}\n${seen.join('\n')}\nwanted ${JSON.stringify(moves)}`);
    });
    const grown = now.ingoma_resident_memory_bytes - before.ingoma_resident_memory_bytes;
    assert.ok(grown < bytes, `resident memory grew by ${grown} bytes`);
    await this.undisturbed();
    return got;
  }

  end() {
    this.losses = [];
    for (const client of this.clients) {
      client.off('disconnect');
      client.disconnect();
    }
  }
}

// Freed blocks are kept from use for a while by ASan, 256 MB of them by default: too many to see growth behind.
function sanitizer() {
  const folder = process.env.INGOMA_REPORTS; // without it a report goes to the output, and the exit status tells
  return `${folder ? `log_path=${folder}/asan-hostile:` : ''}detect_leaks=1:quarantine_size_mb=16:allocator_release_to_os_interval_ms=200`;
}

export const witnessEnv = (env = {}) => ({ RATE_EVENTS: '1000000', RATE_USER_EVENTS: '0', RATE_STRIKES: '1000000', ASAN_OPTIONS: sanitizer(), ...env });

// node: one that runs already, started with witnessEnv().
export async function startWitness(env = {}, { auth, node } = {}) {
  node ??= await startNode({ env: witnessEnv(env) });
  const witness = new Witness(node);
  witness.clients = [await witness.connect(['websocket'], auth), await witness.connect(['polling'], auth)];
  await witness.undisturbed();
  return witness;
}
