// The visitor's side: a form, then a chat that is found again by its token, here or on another device: #contact=…&token=…,
// with &rate=… for the question how it was.

/* global io */
const KEY = 'ingoma-contact';
const TYPING_EVERY_MS = 3000;
const TYPING_SEEN_MS = 6000;
const $ = (id) => document.getElementById(id);
const messages = new Map(); // seq → message
let chat = null; // {id, token, rateToken}
let status = 'pending';
let agent = '';
let agentRead = 0;
let lastTyping = 0;
let typingTimer;

const socket = io('/contacts', { reconnectionDelayMax: 4000 });

async function ask(event, payload) {
  const answer = await socket.timeout(10000).emitWithAck(event, payload).catch(() => { throw new Error('No answer: please try again.'); });
  if (answer?.ok) return answer;
  throw Object.assign(new Error(answer?.message ?? 'Refused.'), answer);
}

function keep() {
  if (chat) localStorage.setItem(KEY, JSON.stringify(chat));
  else localStorage.removeItem(KEY);
}

function kept() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.get('contact') && given.get('token')) {
    history.replaceState(null, '', location.pathname);
    return { id: given.get('contact'), token: given.get('token'), rateToken: given.get('rate') ?? undefined };
  }
  try {
    return JSON.parse(localStorage.getItem(KEY));
  } catch {
    return null;
  }
}

// ---- drawing

function bubble(m) {
  const li = document.createElement('li');
  const box = document.createElement('div');
  const meta = document.createElement('div');
  li.className = `message${m.senderRole ? '' : ' own'}`;
  box.className = 'bubble';
  box.textContent = typeof m.message === 'string' ? m.message : JSON.stringify(m.message);
  meta.className = 'meta';
  meta.textContent = [m.senderRole ? m.senderName ?? 'Agent' : '', new Date(m.timestamp).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }),
    !m.senderRole && m.seq <= agentRead ? 'read' : ''].filter(Boolean).join(' · ');
  li.append(box, meta);
  return li;
}

function place(e) {
  if (!e?.position) return;
  const minutes = e.etaSeconds === undefined ? '' : `, about ${Math.max(1, Math.round(e.etaSeconds / 60))} min`;
  $('banner').dataset.place = `You are number ${e.position} in the queue${minutes}.`;
}

function bannerText() {
  if (status === 'resolved') return 'This conversation has ended.';
  if (status === 'pending') return $('banner').dataset.place ?? 'Somebody will be with you soon.';
  return '';
}

function draw() {
  document.body.dataset.view = chat ? 'talk' : 'form';
  $('form').hidden = Boolean(chat);
  $('talk').hidden = !chat;
  if (!chat) return;
  $('title').textContent = status === 'in_progress' && agent ? agent : 'Your question';
  $('banner').textContent = bannerText();
  $('banner').hidden = !bannerText();
  $('composer').hidden = status === 'resolved';
  $('reopen').hidden = status !== 'resolved';
  $('rate').hidden = !(status === 'resolved' && chat.rateToken);
  $('messages').replaceChildren(...[...messages.keys()].sort((a, b) => a - b).map((seq) => bubble(messages.get(seq))));
  $('scroll').scrollTop = $('scroll').scrollHeight;
}

// ---- the chat

async function resume() {
  const answer = await ask('joinContactChat', { contactId: chat.id, chatToken: chat.token });
  for (const m of answer.messages) messages.set(m.seq, m);
  status = answer.status;
  agent = answer.agentName ?? agent;
  agentRead = answer.agentRead ?? 0;
  place(answer);
  draw();
  read();
}

function read() {
  const last = Math.max(0, ...messages.keys());
  if (chat && last && document.visibilityState === 'visible') ask('markContactRead', { contactId: chat.id, seq: last }).catch(() => {});
}

async function submit() {
  const fields = Object.fromEntries([...new FormData($('form'))].map(([k, v]) => [k, v.trim()]).filter(([, v]) => v));
  fields.clientFormId = $('form').dataset.formId ??= crypto.randomUUID?.() ?? `f-${Date.now()}-${Math.random().toString(36).slice(2)}`;
  $('submit').disabled = true;
  $('form-error').textContent = '';
  try {
    const answer = await ask('submitContactForm', fields);
    chat = { id: answer.id, token: answer.chatToken };
    status = 'pending';
    messages.clear();
    place(answer);
    keep();
    delete $('form').dataset.formId;
    draw();
    await resume();
  } catch (error) {
    $('form-error').textContent = error.retryAfterMs ? `${error.message} Try again in ${Math.ceil(error.retryAfterMs / 60000)} min.` : error.message;
  } finally {
    $('submit').disabled = false;
  }
}

async function send() {
  const text = $('text').value.trim();
  if (!text) return;
  $('send').disabled = true;
  try {
    await ask('sendContactMessage', { contactId: chat.id, message: text, type: 'text', clientMsgId: crypto.randomUUID?.() ?? `m-${Date.now()}-${Math.random().toString(36).slice(2)}` });
    $('text').value = '';
  } finally {
    $('send').disabled = false;
  }
}

async function rate() {
  const form = new FormData($('rate'));
  if (!form.get('score')) return;
  await ask('rateContact', { token: chat.rateToken, score: Number(form.get('score')), comment: form.get('comment').trim() || undefined });
  delete chat.rateToken;
  keep();
  $('state').textContent = 'Thank you.';
  draw();
}

async function transcript() {
  const answer = await ask('getTranscript', { contactId: chat.id, chatToken: chat.token, format: 'text' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([answer.text], { type: 'text/plain' }));
  link.download = `${chat.id}.txt`;
  link.click();
  URL.revokeObjectURL(link.href);
}

// ---- wiring

const say = (text) => { $('state').textContent = text; };
const ofThis = (f) => (e) => { if (chat && e.contactId === chat.id) { f(e); draw(); } };

socket.on('connect', () => {
  say('Connected.');
  if (chat) {
    resume().catch((error) => {
      if (error.code !== 'forbidden' && error.code !== 'not_found') return say(error.message);
      chat = null; // its token is too old
      keep();
      return draw();
    });
  }
});
socket.on('disconnect', () => say('Connection lost, coming back…'));
socket.on('contactMessage', ofThis((m) => { messages.set(m.seq, m); if (m.senderRole) $('typing').textContent = ''; read(); }));
socket.on('contactClaimed', ofThis((e) => { status = 'in_progress'; agent = e.adminName ?? agent; }));
socket.on('contactTransferred', ofThis((e) => { status = 'in_progress'; agent = e.toName ?? agent; }));
socket.on('contactRequeued', ofThis(() => { status = 'pending'; }));
socket.on('adminDisconnected', ofThis(() => { status = 'pending'; say('Your agent is gone; somebody else will be with you.'); }));
socket.on('contactReopened', ofThis((e) => { status = e.status; delete chat.rateToken; keep(); }));
socket.on('contactResolved', ofThis((e) => { status = 'resolved'; if (e.rateToken) { chat.rateToken = e.rateToken; keep(); } }));
socket.on('contactRead', ofThis((e) => { if (e.by !== 'visitor') agentRead = Math.max(agentRead, e.seq); }));
socket.on('queue:update', ofThis((e) => { status = 'pending'; place(e); }));
socket.on('contactUserTyping', ofThis((e) => {
  if (!e.userRole) return;
  $('typing').textContent = e.isTyping ? `${e.userName || 'The agent'} is typing…` : '';
  clearTimeout(typingTimer);
  typingTimer = setTimeout(() => { $('typing').textContent = ''; }, TYPING_SEEN_MS);
}));

$('form').addEventListener('submit', (e) => { e.preventDefault(); submit(); });
$('composer').addEventListener('submit', (e) => { e.preventDefault(); send().catch((error) => say(error.message)); });
$('rate').addEventListener('submit', (e) => { e.preventDefault(); rate().catch((error) => say(error.message)); });
$('text').addEventListener('keydown', (e) => {
  if (e.key !== 'Enter' || e.shiftKey || e.isComposing) return;
  e.preventDefault();
  send().catch((error) => say(error.message));
});
$('text').addEventListener('input', () => {
  if (Date.now() - lastTyping < TYPING_EVERY_MS) return;
  lastTyping = Date.now();
  socket.volatile.emit('contactTyping', { contactId: chat.id, isTyping: true });
});
$('transcript').addEventListener('click', () => transcript().catch((error) => say(error.message)));
$('reopen').addEventListener('click', () => ask('reopenContact', { contactId: chat.id, chatToken: chat.token }).catch((error) => say(error.message)));
$('fresh').addEventListener('click', () => { chat = null; keep(); draw(); });
document.addEventListener('visibilitychange', read);

chat = kept();
keep();
draw();
