// Who one is: a token of the server, kept for this tab. In dev a name is a user; otherwise a visitor with an invented id.
export const session = { token: null, id: null, name: '', isDev: false };

async function askJson(path, options) {
  const answer = await fetch(path, options);
  const body = await answer.json().catch(() => ({}));
  return { ok: answer.ok, status: answer.status, body };
}

const post = (path, order) => askJson(path, { method: 'POST', body: JSON.stringify(order), headers: { 'Content-Type': 'application/json' } });

function claimsOf(token) {
  try {
    const bytes = atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0))));
  } catch {
    return {};
  }
}

function take(token, name) {
  const claims = claimsOf(token);
  if (claims.exp && claims.exp * 1000 < Date.now() + 60000) return false;
  Object.assign(session, { token, id: claims.id ?? claims._id ?? claims.sub ?? null, name: claims.name || name });
  return session.id !== null;
}

export async function learnMode() {
  const { body } = await askJson('health').catch(() => ({ body: {} }));
  session.isDev = body.dev === true;
}

export async function signIn(name) {
  const { ok, status, body } = session.isDev ? await post('dev/token', { name }) : await askJson(`demo/token?name=${encodeURIComponent(name)}`);
  if (!ok || !body.token || !take(body.token, name)) throw new Error(body.message || body.error || `the server answered ${status}`);
  sessionStorage.setItem('ingoma.token', body.token);
  localStorage.setItem('ingoma.name', name);
}

// After a refresh of the page: the same person. False: nobody was signed in.
export function restore() {
  const token = sessionStorage.getItem('ingoma.token');
  return Boolean(token) && take(token, '');
}

export function signOut() {
  sessionStorage.removeItem('ingoma.token');
  Object.assign(session, { token: null, id: null, name: '' });
}

export const lastName = () => localStorage.getItem('ingoma.name') || '';

// Ids of demo users follow from their names (node/auth/token.c), so somebody who was never here can be written to.
export const idOfName = (name) => `demo-${name.trim().replace(/[A-Z]/g, (c) => c.toLowerCase())}`;

// One port may be that of several nodes: asked again, on a new connection each time, until `node` is met.
export async function killNode(node) {
  for (let i = 0; i < 60; i++) {
    const { ok, body } = await post('dev/kill', { node });
    if (!ok) throw new Error(body.message || 'the server refused');
    if (body.ok) return;
  }
  throw new Error(`node ${node} was not met`);
}
