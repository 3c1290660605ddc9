// The peer of `bench contacts`: the contacts service as one would write it in Node.js, express, mongoose and stock socket.io.
// A form is acknowledged when the database has it (majority, journal), then the agents hear of it.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import express from "express";
import mongoose from "mongoose";
import { Server } from "socket.io";

const { PORT = "7518", MONGODB_URI, JWT_SECRET } = process.env;

const contacts = mongoose.model("Contact", new mongoose.Schema({
    contact_name: String,
    email: String,
    subject: String,
    message: { type: String, required: true },
    priority: { type: String, default: "normal" },
    status: { type: String, default: "pending", index: true },
    contact_date: { type: Date, default: Date.now },
    replies: [{ reply_name: String, email: String, message: String, reply_date: Date }],
}, { writeConcern: { w: "majority", j: true } }));

const app = express();
const http = createServer(app);
const io = new Server(http, { perMessageDeflate: false, httpCompression: false, serveClient: false });
const desk = io.of("/contacts");

app.use(express.json());
app.get("/health", (req, res) => res.json({ status: "ok" }));
app.get("/api/contacts", async (req, res) => res.json(await contacts.find().sort({ contact_date: -1 }).limit(20)));

function claimsOf(token) {
    const [head, body, signature] = String(token ?? "").split(".");
    if (!signature) return {};
    const right = createHmac("sha256", JWT_SECRET).update(`${head}.${body}`).digest();
    const given = Buffer.from(signature, "base64url");
    if (given.length !== right.length || !timingSafeEqual(given, right)) return {};
    return JSON.parse(Buffer.from(body, "base64url"));
}

desk.on("connection", (socket) => {
    const user = claimsOf(socket.handshake.auth.token);
    if (user.role === "admin") socket.join("admins");

    socket.on("submitContactForm", async (form, ack) => {
        if (typeof form?.message !== "string" || form.message === "") return ack({ ok: false, code: "invalid_payload" });
        const kept = await contacts.create({
            contact_name: form.name,
            email: form.email,
            subject: form.subject,
            message: form.message,
        });
        socket.join(`contact-${kept.id}`);
        ack({ ok: true, id: kept.id });
        desk.to("admins").emit("newContactSubmission", {
            id: kept.id,
            name: form.name,
            email: form.email,
            subject: form.subject,
            priority: kept.priority,
            submittedAt: kept.contact_date.toISOString(),
        });
    });
});

await mongoose.connect(MONGODB_URI, { maxPoolSize: 8 });
await contacts.init();
http.listen(Number(PORT), "127.0.0.1", () => console.log(JSON.stringify({ listening: Number(PORT), pid: process.pid })));
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
