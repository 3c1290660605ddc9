// The generator of `bench contacts`: forms at a steady rate, whatever the answers do (open loop), and agents who listen.
// Environment: URL, TOKEN (of an agent), RATE forms a second, WARM and SECONDS. Says {"ready": …} when all are connected, waits
// for a line, and at the end says what became of each form; contacts.py judges it. Times are milliseconds from when the form was due.
import { once } from "node:events";
import { io } from "socket.io-client";

const { URL: url, TOKEN: token } = process.env;
const [rate, warm, seconds] = ["RATE", "WARM", "SECONDS"].map((name) => Number(process.env[name]));
const VISITORS = 20, AGENTS = 2;
const PATIENCE_MS = 10000; // for answers and notices after the last form
const AFTER_MS = 3500; // a notice that is told again is so 3 s later
const SPIN_MS = 1.5; // timers are late by so much: the rest is waited for turn by turn

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const turn = () => new Promise((resolve) => { setImmediate(resolve); });

const open = (auth) => new Promise((resolve, reject) => {
    const socket = io(`${url}/contacts`, { transports: ["websocket"], forceNew: true, reconnection: false, auth });
    socket.once("connect", () => resolve(socket));
    socket.once("connect_error", reject);
});

const forms = []; // by number: {due, lag, ack, id, code, heard: times by agent, told: ids}
let answered = 0, heard = 0;

const agents = await Promise.all(Array.from({ length: AGENTS }, () => open({ token })));
const visitors = await Promise.all(Array.from({ length: VISITORS }, () => open({})));
agents.forEach((socket, i) => socket.on("newContactSubmission", ({ id, subject }) => {
    const form = forms[Number(subject)];
    if (!form) return;
    if (form.heard[i].push(performance.now() - form.due) === 1) heard++;
    if (!form.told.includes(id)) form.told.push(id);
}));

function submit(n, due) {
    const form = forms[n] = { due, lag: performance.now() - due, ack: null, id: null, heard: agents.map(() => []), told: [] };
    visitors[n % VISITORS].emit("submitContactForm", {
        name: `Visitor ${n}`,
        email: `visitor-${n}@example.org`,
        subject: String(n),
        message: "I cannot log in since this morning; the page says that my account is not known.",
    }, (answer) => {
        form.ack = performance.now() - due;
        if (answer?.ok) form.id = answer.id;
        else form.code = String(answer?.code);
        answered++;
    });
}

console.log(JSON.stringify({ ready: visitors.length + agents.length }));
await once(process.stdin, "data");
const total = rate * (warm + seconds), begin = performance.now() + 50, before = process.cpuUsage();
for (let n = 0; n < total; n++) {
    const due = begin + (n * 1000) / rate;
    for (let left = due - performance.now(); left > 0; left = due - performance.now()) {
        await (left > SPIN_MS ? sleep(left - SPIN_MS) : turn());
    }
    submit(n, due);
}
const { user, system } = process.cpuUsage(before), last = performance.now();
while ((answered < total || heard < total * AGENTS) && performance.now() < last + PATIENCE_MS) await sleep(20);
await sleep(AFTER_MS);
process.stdout.write(`${JSON.stringify({
    first: rate * warm, // the first form that counts
    cpu: (user + system) / 1000 / (last - begin), // share of a core, waiting turn by turn included
    forms: forms.map(({ lag, ack, id, code, heard: times, told }) => ({ lag, ack, id, code, heard: times, told })),
})}\n`, () => process.exit(0));
