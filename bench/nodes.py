"""Clusters for the bench: a private Redis and nodes of one kind, all on the same core, and what they cost."""
import json
import shutil
import socket
import tempfile
import time
import urllib.request

from common import GATEWAY_ENV, NODE_DIR, Process, Trouble, await_port, check_free, wait_quiet

REDIS_PORT, OPS_PORT = 7509, 7550
PORTS = {"ingoma": 7510, "node": 7530}
# Names of channels that are equally long: the two clusters share a Redis and must not hear each other.
PREFIXES = {"ingoma": "ingoma.io", "node": "socket.io"}
NAMES = {"ingoma": "Ingoma", "node": "Node socket.io"}
WIRES = ("redis-sharded", "redis")
RANGE = "7509 to 7557"


def cpu_us(pid):
    """Processor time of a process to the nanosecond: the clock of clock_getcpuclockid(3)."""
    return time.clock_gettime_ns((~pid << 3) | 2) / 1000


class Redis:
    """redis-server without persistence, and one connection to ask it."""

    def __init__(self, core):
        program = shutil.which("redis-server")
        if not program:
            raise Trouble("There is no redis-server; ./ingoma up installs it.")
        check_free(REDIS_PORT, RANGE)
        self.folder = tempfile.TemporaryDirectory()
        self.process = Process([program, "--port", str(REDIS_PORT), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                                "--daemonize", "no", "--dir", self.folder.name], core)
        await_port(self.process, "redis-server", REDIS_PORT)
        self.url = f"redis://127.0.0.1:{REDIS_PORT}"
        self.file = socket.create_connection(("127.0.0.1", REDIS_PORT), 10).makefile("rwb")
        self.own = {}
        first = self.read()
        self.own = {key: v - first.get(key, 0) for key, v in self.read().items()}  # what a look itself costs

    def ask(self, *words):
        parts = [b"*%d\r\n" % len(words)] + [b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words]
        self.file.write(b"".join(parts))
        self.file.flush()
        return self.answer()

    def answer(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:].strip()
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2] if int(rest) >= 0 else None
        if kind == b"*":
            return [self.answer() for _ in range(int(rest))]
        if kind == b"-":
            raise Trouble(f"Redis: {rest.decode()}")
        return int(rest) if kind == b":" else rest

    def read(self):
        """What it has done so far; the difference of two readings says what happened between them."""
        text = self.ask("INFO", "everything").decode()
        rows = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        out = {"commands": int(rows["total_commands_processed"]), "bytes_in": int(rows["total_net_input_bytes"]),
               "bytes_out": int(rows["total_net_output_bytes"]), "cpu_us": cpu_us(self.process.pid)}
        for name, value in rows.items():
            if name.startswith("cmdstat_"):
                out[name[8:]] = int(value.split("calls=", 1)[1].split(",", 1)[0])
        return out

    def since(self, before):
        own = {key: v for key, v in self.own.items() if key != "cpu_us"}
        return {key: v - before.get(key, 0) - own.get(key, 0) for key, v in self.read().items()}

    def shard_channels(self, pattern):
        return len(self.ask("PUBSUB", "SHARDCHANNELS", pattern))

    def end(self):
        self.file.close()
        self.process.end()
        self.folder.cleanup()


class Cluster:
    """Nodes of one kind that know each other."""

    def __init__(self, kind, wire, count, redis, gateway, core, extra=None):
        self.kind, self.count, self.nodes = kind, count, []
        self.ports = [PORTS[kind] + i for i in range(count)]
        for i, port in enumerate(self.ports):
            check_free(port, RANGE)
            env = {"PORT": str(port), "ADAPTER": wire, "REDIS_URL": redis.url, "ADAPTER_PREFIX": PREFIXES[kind]}
            if kind == "ingoma":
                command = [str(gateway)]
                env = {**GATEWAY_ENV, **env, "OPS_PORT": str(OPS_PORT + i), "NODE_NAME": f"bench-{i}", **(extra or {})}
            else:
                command = ["node", str(NODE_DIR / "server.mjs")]
                env["NODE_ENV"] = "production"
            self.nodes.append(Process(command, core, env))
        for node, port in zip(self.nodes, self.ports):
            await_port(node, NAMES[kind], port)
        if kind == "ingoma":
            self.await_each_other()
        for node in self.nodes:
            wait_quiet(node.pid)

    def ops(self, i, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{OPS_PORT + i}{path}", timeout=5) as answer:
            return answer.read().decode()

    def await_each_other(self):
        end = time.monotonic() + 15
        while any(json.loads(self.ops(i, "/health")).get("nodes") != self.count for i in range(self.count)):
            if time.monotonic() > end:
                raise Trouble(f"The {self.count} nodes did not find each other within 15 s.")
            time.sleep(0.1)

    def metric(self, i, name):
        for line in self.ops(i, "/metrics").splitlines():
            if line.split(" ")[0] == name:
                return float(line.split(" ")[1])
        raise Trouble(f"There is no metric {name}.")

    def url(self, count=None):
        return ",".join(f"127.0.0.1:{port}" for port in self.ports[:count])

    def cpu_us(self):
        return [cpu_us(node.pid) for node in self.nodes]

    def quiet(self):
        for node in self.nodes:
            wait_quiet(node.pid)

    def check(self):
        for node in self.nodes:
            if node.child.poll() is not None:
                raise Trouble(f"{NAMES[self.kind]} ended during the measurement: {node.complaint()}")

    def end(self):
        for node in self.nodes:
            node.end()
