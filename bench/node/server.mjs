// The peer of bench/: stock socket.io with the events and the room logic of the gateway, nothing else.
// No rate limits, no schema checks, and an adapter only where ADAPTER and REDIS_URL ask for one: every doubt is decided in
// favour of this server.
import { createServer } from "node:http";
import { Server } from "socket.io";

const port = Number(process.env.PORT ?? 7510);
const http = createServer((req, res) => {
    res.writeHead(req.url === "/health" ? 200 : 404, { "Content-Type": "text/plain" });
    res.end(req.url === "/health" ? "ok\n" : "not found\n");
});
const io = new Server(http, {
    pingInterval: Number(process.env.PING_INTERVAL_MS ?? 25000),
    pingTimeout: Number(process.env.PING_TIMEOUT_MS ?? 60000),
    connectTimeout: 45000,
    maxHttpBufferSize: 1e6,
    perMessageDeflate: false,
    httpCompression: false,
    serveClient: false,
});

// ADAPTER: redis (classic) or redis-sharded, as the gateway calls them; the options are the packages' defaults.
async function useAdapter(name, url) {
    const { createAdapter, createShardedAdapter } = await import("@socket.io/redis-adapter");
    const { createClient } = await import("redis");
    const create = { redis: createAdapter, "redis-sharded": createShardedAdapter }[name];
    const clients = [createClient({ url }), createClient({ url })];
    await Promise.all(clients.map((client) => client.connect()));
    const prefix = process.env.ADAPTER_PREFIX ?? "socket.io";
    io.adapter(create(...clients, { key: prefix, channelPrefix: prefix }));
}
if (process.env.ADAPTER && process.env.ADAPTER !== "local") await useAdapter(process.env.ADAPTER, process.env.REDIS_URL);

const now = () => new Date().toISOString();
const answer = (ack, value) => typeof ack === "function" && ack(value);

io.on("connection", (socket) => {
    const user = {}; // anonymous: a field without a value is absent on the wire, as in the gateway

    socket.on("joinRoom", (data, ack) => {
        const roomId = typeof data === "string" ? data : data?.roomId;
        const roomType = data?.roomType ?? "general";
        if (typeof roomId !== "string" || roomId === "") {
            return answer(ack, { ok: false, code: "invalid_payload" });
        }
        socket.join(roomId);
        const joined = { roomId, memberCount: io.sockets.adapter.rooms.get(roomId).size, roomType };
        socket.emit("roomJoined", joined);
        socket.to(roomId).emit("userJoinedRoom", {
            userId: user.id,
            userName: user.name,
            roomId,
            timestamp: now(),
        });
        answer(ack, { ok: true, ...joined });
    });

    socket.on("leaveRoom", (data, ack) => {
        const roomId = typeof data === "string" ? data : data?.roomId;
        if (!socket.rooms.has(roomId)) return answer(ack, { ok: false, code: "not_a_member" });
        socket.leave(roomId);
        socket.to(roomId).emit("userLeftRoom", {
            userId: user.id,
            userName: user.name,
            roomId,
            timestamp: now(),
        });
        answer(ack, { ok: true });
    });

    socket.on("roomMessage", (data, ack) => {
        const { roomId, message, type = "text" } = data ?? {};
        if (typeof message !== "string" || !socket.rooms.has(roomId)) {
            return answer(ack, { ok: false, code: "not_a_member" });
        }
        const messageId = `msg_${Date.now()}_${Math.random().toString(36).slice(2, 11)}`;
        io.to(roomId).emit("roomMessage", {
            messageId,
            senderId: user.id,
            senderName: user.name,
            message,
            type,
            roomId,
            timestamp: now(),
        });
        answer(ack, { ok: true, messageId });
    });

    socket.on("typing", ({ roomId, isTyping } = {}) => {
        if (!socket.rooms.has(roomId)) return;
        socket.to(roomId).emit("userTyping", {
            userId: user.id,
            userName: user.name,
            isTyping: isTyping === true,
            timestamp: now(),
        });
    });

    socket.on("ping", (data, ack) => {
        if (typeof data === "function") [data, ack] = [undefined, data];
        socket.emit("pong", { ...data, serverTime: now() });
        answer(ack, { ok: true });
    });
});

http.listen(port, "127.0.0.1", () => console.log(JSON.stringify({ listening: port, pid: process.pid })));
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
