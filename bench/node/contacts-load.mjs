// Forms at a steady rate, whatever the answers do (open loop), and agents who listen. One line of JSON at the end.
// Environment: URL, TOKEN (of an agent), RATE forms a second, SECONDS.
import { io } from "socket.io-client";

const { URL: url, TOKEN: token } = process.env;
const rate = Number(process.env.RATE ?? 200);
const seconds = Number(process.env.SECONDS ?? 10);
const VISITORS = 20, AGENTS = 2, PATIENCE_MS = 10000;

const open = (auth) => new Promise((resolve, reject) => {
    const socket = io(`${url}/contacts`, { transports: ["websocket"], forceNew: true, auth });
    socket.once("connect", () => resolve(socket));
    socket.once("connect_error", reject);
});

const due = new Map(); // number of a form → when it was due
const acks = [], notices = [];
let refused = 0;

function percentiles(list) {
    const sorted = [...list].sort((a, b) => a - b);
    const at = (p) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? null;
    return { count: sorted.length, p50_ms: at(0.5), p99_ms: at(0.99), max_ms: sorted.at(-1) ?? null };
}

const agents = await Promise.all(Array.from({ length: AGENTS }, () => open({ token })));
const visitors = await Promise.all(Array.from({ length: VISITORS }, () => open({})));
agents[0].on("newContactSubmission", ({ subject }) => {
    const start = due.get(subject);
    if (start !== undefined) notices.push(performance.now() - start);
});

const total = rate * seconds, begin = performance.now() + 200;
for (let n = 0; n < total; n++) {
    const at = begin + (n * 1000) / rate;
    const wait = at - performance.now();
    if (wait > 1) await new Promise((resolve) => { setTimeout(resolve, wait); });
    due.set(String(n), at);
    visitors[n % VISITORS].emit("submitContactForm", {
        name: `Visitor ${n}`,
        email: `visitor-${n}@example.org`,
        subject: String(n),
        message: "I cannot log in since this morning; the page says that my account is not known.",
    }, (answer) => {
        if (answer?.ok) acks.push(performance.now() - at);
        else refused++;
    });
}
const end = performance.now() + PATIENCE_MS;
while ((acks.length + refused < total || notices.length < acks.length) && performance.now() < end) {
    await new Promise((resolve) => { setTimeout(resolve, 20); });
}
console.log(JSON.stringify({ forms: total, refused, ack: percentiles(acks), notice: percentiles(notices) }));
process.exit(0);
