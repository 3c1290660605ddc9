// The peer of bench/ for presence: stock socket.io with the old service's rules: userOnline to the others and the whole
// list, one row a socket, to everybody at every coming and going. Tokens are read and not even checked: every doubt is
// decided in favour of this server. ADAPTER and REDIS_URL are not looked at: it is one process.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer((req, res) => {
    res.writeHead(req.url === "/health" ? 200 : 404, { "Content-Type": "text/plain" });
    res.end("ok\n");
});
const io = new Server(http, {
    pingInterval: 25000,
    pingTimeout: 60000,
    maxHttpBufferSize: 1e6,
    perMessageDeflate: false,
    httpCompression: false,
    serveClient: false,
});
const users = new Map(); // socket id → row
const now = () => new Date().toISOString();

function tellAll() {
    const rows = [...users.values()];
    io.emit("onlineUsers", { users: rows, count: rows.length, timestamp: now() });
}

io.on("connection", (socket) => {
    const claims = JSON.parse(Buffer.from(socket.handshake.auth.token.split(".")[1], "base64url"));

    users.set(socket.id, { userId: claims.id, name: claims.name, status: "online", lastActivity: now() });
    socket.broadcast.emit("userOnline", { userId: claims.id, name: claims.name, timestamp: now() });
    tellAll();
    socket.on("disconnect", () => {
        users.delete(socket.id);
        socket.broadcast.emit("userOffline", { userId: claims.id, name: claims.name, timestamp: now() });
        tellAll();
    });
});

http.listen(Number(process.env.PORT), "127.0.0.1", () => console.log(JSON.stringify({ listening: true })));
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
