// Nodes of the contacts service over one SQLite file, or over a MongoDB-wire server when CONTACTS_TEST_MONGODB_URI names
// one; clients of /contacts whose events are held against the schemas.
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { startCluster } from './cluster.mjs';
import { connect, token } from './peer.mjs';

let count = 0;

// startContacts({nodes, env}) → as startCluster; c.store: the options that name its store.
export async function startContacts({ nodes = 2, env = {}, shared = false, ...more } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ingoma-contacts-'));
  const store = process.env.CONTACTS_TEST_MONGODB_URI
    ? { MONGODB_URI: process.env.CONTACTS_TEST_MONGODB_URI.replace(/\/[^/?]*(\?|$)/, `/ingoma_${process.pid}_${++count}$1`) }
    : { CONTACTS_DB: path.join(folder, 'contacts.db') };
  const cluster = await startCluster({
    nodes, shared, program: 'ingoma-contacts',
    env: { ...store, FORMS_PER_HOUR: '0', RATE_EVENTS: '100000', RATE_STRIKES: '100000', BEAT_MS: '200', DEAD_MS: '3000', ...env }, ...more,
  });
  cluster.folder = folder;
  cluster.store = store;
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  return cluster;
}

export const agentToken = (id, name = id, role = 'admin') => token({ id, name, email: `${id}@desk.rw`, role });

// A client of /contacts at a node; who: {token}, or nothing for a guest.
export function client(node, auth = {}, options = {}) {
  return connect(`${node.url}/contacts`, { auth, gateway: 'contacts', ...options });
}

export const agent = (node, id, name = id, role = 'admin') => client(node, { token: agentToken(id, name, role) }, { name });

export const FORM = { name: 'Ann', email: 'ann@example.org', subject: 'Account', message: 'I cannot log in' };

// Sends a form and gives {id, chatToken}.
export async function submit(peer, form = {}) {
  const ack = await peer.ask('submitContactForm', { ...FORM, ...form });
  if (!ack.ok) throw new Error(`no form: ${JSON.stringify(ack)}`);
  return ack;
}

// A request over HTTP. Raw: fetch would mend what is to be sent broken. → {status, headers, text, json}
export function call(node, method, url, { auth, body, headers = {} } = {}) {
  const bytes = body === undefined ? null : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port: node.port, path: url, method, agent: false, headers: {
      ...(auth ? { authorization: `Bearer ${auth}` } : {}), ...(bytes ? { 'content-type': 'application/json', 'content-length': bytes.length } : {}), ...headers,
    } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (d) => (text += d));
      answer.on('end', () => {
        let json = null;
        try {
          json = JSON.parse(text);
        } catch { /* a transcript */ }
        resolve({ status: answer.statusCode, headers: answer.headers, text, json });
      });
    });
    request.on('error', reject);
    request.end(bytes);
  });
}
