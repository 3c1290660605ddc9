// Those who are told: a webhook receiver that checks signatures by itself, and a mail server.
import crypto from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { freePort } from './cluster.mjs';

// Standard Webhooks: webhook-signature holds "v1,<base64>" for each secret.
function isSigned(headers, body, secret) {
  const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const want = `v1,${crypto.createHmac('sha256', secret).update(text).digest('base64')}`;
  const age = Math.abs(Date.now() / 1000 - Number(headers['webhook-timestamp']));
  return headers['webhook-signature']?.split(' ').includes(want) && age < 300;
}

// startHook({secret, status}) → {url, got: [{id, type, data, signed}], answer(status, headers), stop(), start()}
export async function startHook({ secret, tls } = {}) {
  const port = await freePort();
  const hook = { url: `${tls ? 'https://localhost' : 'http://127.0.0.1'}:${port}/hook`, got: [], status: 204, headers: {}, isHolding: false };
  let server;
  const serve = (request, response) => {
    let body = '';
    request.on('data', (d) => (body += d));
    request.on('end', () => {
      const message = JSON.parse(body);
      hook.got.push({ id: request.headers['webhook-id'], signed: isSigned(request.headers, body, secret), status: hook.isHolding ? 999 : hook.status, ...message });
      if (hook.isHolding) return; // no answer, ever
      response.writeHead(hook.status, hook.headers);
      response.end();
    });
  };
  hook.answer = (status, headers = {}) => Object.assign(hook, { status, headers });
  hook.taken = () => hook.got.filter((m) => m.status < 300);
  hook.start = () => new Promise((done) => {
    server = (tls ? https.createServer(tls, serve) : http.createServer(serve)).listen(port, '127.0.0.1', done);
  });
  hook.stop = () => new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  });
  await hook.start();
  return hook;
}

// startMailServer() → {url, mails: [{from, to, text}], refuse: line for RCPT, or null, stop()}
export async function startMailServer() {
  const port = await freePort();
  const mail = { url: `smtp://127.0.0.1:${port}`, mails: [], refuse: null, commands: [] };
  const sockets = new Set();
  const server = net.createServer((socket) => {
    const current = { from: '', to: [] };
    let rest = '';
    let text = null; // of the message while it comes
    const say = (line) => socket.write(`${line}\r\n`);
    const onLine = (line) => {
      if (text !== null) {
        if (line !== '.') {
          text += `${line.startsWith('.') ? line.slice(1) : line}\r\n`;
          return;
        }
        mail.mails.push({ ...current, to: [...current.to], text });
        text = null;
        say('250 kept');
        return;
      }
      mail.commands.push(line);
      if (line.startsWith('MAIL FROM:')) {
        Object.assign(current, { from: line.slice(10).split(' ')[0], to: [] });
        say('250 ok');
      } else if (line.startsWith('RCPT TO:')) {
        current.to.push(line.slice(8));
        say(mail.refuse ?? '250 ok');
      } else if (line === 'DATA') {
        text = '';
        say('354 go on');
      } else if (line === 'QUIT') {
        say('221 bye');
        socket.end();
      } else {
        say('250 at your service');
      }
    };
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (d) => {
      rest += d;
      for (let i; (i = rest.indexOf('\r\n')) >= 0;) {
        const line = rest.slice(0, i);
        rest = rest.slice(i + 2);
        onLine(line);
      }
    });
    say('220 test ESMTP');
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  mail.to = (address) => mail.mails.filter((m) => m.to.includes(`<${address}>`));
  mail.stop = () => new Promise((done) => {
    server.close(done);
    for (const socket of sockets) socket.destroy();
  });
  return mail;
}
