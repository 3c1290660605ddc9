#!/usr/bin/env python3
"""Runs one scenario of the bench against several servers in one run, side by side.

The server has core 0 and the generator core 1. Rounds alternate between the servers, so that whatever else the machine
does hits all of them; ratios are taken within a round and the median of the rounds is what counts. Only the standard
library; starts and ends its own processes by their ids. Called by ./ingoma bench.
"""
import argparse
import ctypes
import json
import os
import platform
import resource
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE_DIR = ROOT / "bench" / "node"
PORTS = {"ingoma": 7501, "node": 7502, "floor": 7503}
NAMES = {"ingoma": "Ingoma", "node": "Node socket.io", "floor": "floor (bare epoll)"}
UNLIMITED = "1000000"  # a bench is not an abuser: the limits of events are lifted, all checks stay
GATEWAY_ENV = {
    "HOST": "127.0.0.1", "OPS_PORT": "0", "ADAPTER": "local", "LOG_LEVEL": "warn", "DRAIN_SECONDS": "0",
    "RATE_EVENTS": UNLIMITED, "RATE_USER_EVENTS": "0", "RATE_PINGS": UNLIMITED, "RATE_ECHOES": UNLIMITED, "RATE_STRIKES": UNLIMITED,
}
# What a scenario compares (the larger the better unless LESS), and what the project promises.
VALUE = {"fanout": "deliveries_per_s", "echo": "messages_per_s", "connect": "connects_per_s", "idle": "rss_per_connection"}
ITEM = {"fanout": "deliveries/s", "echo": "echoes/s", "connect": "connects/s", "idle": "bytes a connection"}
TARGETS = {
    "fanout": [("node", 12.0), ("floor", 0.7)],
    "echo": [("node", 5.0)],
    "connect": [("node", 4.0)],
    "idle": [],
}
IDLE_BYTES, IDLE_RETURN = 6144, 1.05
BOUND_S, QUICK_BOUND_S = 180, 40


class Trouble(Exception):
    """One sentence for people."""


def say(text):
    print(text, file=sys.stderr, flush=True)


class Process:
    """A child that is bound to one core, dies with us, and answers in lines of JSON."""

    alive = []

    def __init__(self, command, core, env=None, answers=False):
        def bind():
            os.sched_setaffinity(0, {core})
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

        self.name = Path(command[0]).name
        self.rest = b""
        self.log = tempfile.TemporaryFile()  # not a pipe: nobody reads while a round runs, and a full pipe blocks
        self.child = subprocess.Popen(
            command, env={**os.environ, **(env or {})}, preexec_fn=bind, stderr=self.log,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE if answers else self.log)
        self.pid = self.child.pid
        Process.alive.append(self)

    def line(self, timeout):
        end = time.monotonic() + timeout
        while b"\n" not in self.rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.child.stdout], [], [], left)[0]:
                raise Trouble(f"{self.name} gave no result within {timeout:.0f} s.")
            chunk = os.read(self.child.stdout.fileno(), 65536)
            if not chunk:
                raise Trouble(f"{self.name} ended: {self.complaint()}")
            self.rest += chunk
        head, self.rest = self.rest.split(b"\n", 1)
        return json.loads(head)

    def complaint(self):
        try:
            self.child.wait(2)
        except subprocess.TimeoutExpired:
            pass
        self.log.seek(0)
        text = self.log.read().decode(errors="replace").strip()
        return text.splitlines()[-1] if text else f"exit code {self.child.returncode}"

    def go(self):
        self.child.stdin.write(b"go\n")
        self.child.stdin.flush()

    def end(self):
        if self in Process.alive:
            Process.alive.remove(self)
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(3)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout, self.log):
            try:
                if pipe:
                    pipe.close()
            except OSError:
                pass  # a child that is gone broke its pipe

    @classmethod
    def end_all(cls):
        for process in list(cls.alive):
            process.end()


def cpu_ticks(pid):
    text = Path(f"/proc/{pid}/stat").read_text()
    fields = text[text.rindex(")") + 2:].split()
    return int(fields[11]) + int(fields[12])


def wait_quiet(pid, most=5.0):
    """Until the process has used no processor time for a while: what was before must not be counted."""
    end = time.monotonic() + most
    before = cpu_ticks(pid)
    while time.monotonic() < end:
        time.sleep(0.15)
        now = cpu_ticks(pid)
        if now - before <= 1:
            return
        before = now


class Bench:
    def __init__(self, options):
        self.o = options
        self.build = Path(options.build).resolve()
        self.started = time.monotonic()
        self.bound = QUICK_BOUND_S if options.quick else BOUND_S
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise Trouble("The bench needs two cores, one for the server and one for the generator; this machine "
                          "offers one. Nothing was measured.")
        self.server_core, self.load_core = cores[0], cores[1]
        self.servers = {}
        self.rounds = []

    # ---- what is there ----
    def choose(self):
        wanted = self.o.only.split(",")
        unknown = [name for name in wanted if name not in PORTS]
        if unknown:
            raise Trouble(f"--only takes ingoma, node and floor, not {unknown[0]}.")
        if not (self.build / "bench-load").exists():
            raise Trouble(f"{self.build / 'bench-load'} is not built; ./ingoma bench builds it.")
        self.gateway = Path(self.o.gateway or self.build / "ingoma-gateway").resolve()
        if "ingoma" in wanted and not self.gateway.exists():
            say(f"{self.gateway} is not built: going on without it.")
            wanted.remove("ingoma")
        if "node" in wanted:
            self.install_node()
        return wanted

    @staticmethod
    def install_node():
        if (NODE_DIR / "node_modules" / "socket.io").exists():
            return
        say("Installing Node's socket.io for the comparison (bench/node) ...")
        done = subprocess.run(["npm", "ci", "--omit=dev", "--no-audit", "--no-fund"], cwd=NODE_DIR,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise Trouble("npm ci in bench/node failed: " + done.stdout.decode(errors="replace").strip()[-300:])

    def raise_files(self, want):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = want if hard == resource.RLIM_INFINITY else min(want, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        if self.o.connections + 200 > limit:
            say(f"The limit of open files is {limit}: {limit - 200} connections instead of {self.o.connections}.")
            self.o.connections = limit - 200

    # ---- servers and generators ----
    def start_server(self, name):
        port = PORTS[name]
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise Trouble(f"Port {port} is in use; the bench needs {PORTS['ingoma']} to {PORTS['floor']}.") from None
        command, env = {
            "ingoma": ([str(self.gateway)], {**GATEWAY_ENV, "PORT": str(port)}),
            "node": (["node", str(NODE_DIR / "server.mjs")], {"PORT": str(port), "NODE_ENV": "production"}),
            "floor": ([str(self.build / "bench-floor"), str(port)], {}),
        }[name]
        server = Process(command, self.server_core, env)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if server.child.poll() is not None:
                    raise Trouble(f"{NAMES[name]} did not start: {server.complaint()}") from None
                if time.monotonic() > end:
                    raise Trouble(f"{NAMES[name]} does not listen on port {port} after 10 s.") from None
                time.sleep(0.05)
        wait_quiet(server.pid)
        self.servers[name] = server
        return server

    def start_load(self, name, control):
        o = self.o
        command = [str(self.build / "bench-load"), "--scenario", o.scenario, "--url", f"127.0.0.1:{PORTS[name]}",
                   "--connections", str(o.connections), "--server-pid", str(self.servers[name].pid),
                   "--window", str(o.window), "--senders", str(o.senders), "--seconds", str(o.seconds),
                   "--warm", str(o.warm), "--in-flight", str(o.in_flight)]
        for option in ("payload", "rate", "rooms"):
            if getattr(o, option) is not None:
                command += [f"--{option}", str(getattr(o, option))]
        return Process(command + (["--control"] if control else []), self.load_core, answers=True)

    def still_there(self, name, row):
        server = self.servers[name]
        if server.child.poll() is not None:
            raise Trouble(f"{NAMES[name]} ended during the measurement: {server.complaint()}")
        if row["errors"]:
            say(f"{NAMES[name]}: {row['errors']} connections were lost or refused; this round does not count for much.")

    def time_left(self):
        return self.bound - (time.monotonic() - self.started)

    @staticmethod
    def turn(names, i):
        return names[i % len(names):] + names[:i % len(names)]

    # ---- scenarios ----
    def talk(self, names):
        """fanout and echo: everybody stays connected, the rounds alternate."""
        loads = {}
        for name in names:
            server = self.start_server(name)
            loads[name] = self.start_load(name, True)
            ready = loads[name].line(60)
            say(f"{NAMES[name]}: {ready['ready']} connected in {ready['ramp_s']} s")
            wait_quiet(server.pid)
        for i in range(self.o.rounds):
            begin = time.monotonic()
            row = {}
            for name in self.turn(names, i):
                wait_quiet(self.servers[name].pid)
                loads[name].go()
                row[name] = loads[name].line(self.o.seconds + self.o.warm + 15)
                self.still_there(name, row[name])
            self.keep(row)
            if time.monotonic() - begin > self.time_left():
                break

    def alone(self, names, fresh):
        """connect and idle: a generator a round; idle also takes a fresh server, as memory remembers."""
        for i in range(self.o.rounds):
            begin = time.monotonic()
            row = {}
            for name in self.turn(names, i):
                if fresh and name in self.servers:
                    self.servers.pop(name).end()
                server = self.servers.get(name) or self.start_server(name)
                wait_quiet(server.pid)
                load = self.start_load(name, False)
                row[name] = load.line(60)
                self.still_there(name, row[name])
                load.child.wait(10)
                load.end()
            self.keep(row)
            if time.monotonic() - begin > self.time_left():
                break

    def keep(self, row):
        self.rounds.append(row)
        value = VALUE[self.o.scenario]
        say(f"round {len(self.rounds)}/{self.o.rounds}: " +
            "  ".join(f"{NAMES[name]} {row[name][value]:,.0f}" for name in PORTS if name in row) +
            f"  ({ITEM[self.o.scenario]})")

    def run(self):
        names = self.choose()
        if not names:
            raise Trouble("There is nothing to measure.")
        if os.getloadavg()[0] > 0.7:
            say(f"Other programs are busy here (load {os.getloadavg()[0]:.1f}): the figures will be noisy.")
        self.raise_files(max(20000, self.o.connections + 200))
        if self.o.scenario in ("fanout", "echo"):
            self.talk(names)
        else:
            self.alone(names, fresh=self.o.fresh or self.o.scenario == "idle")
        return names


# ---- what it comes to ----
def median(rows, pick):
    return statistics.median(pick(row) for row in rows)


def summarise(scenario, names, rounds):
    value = VALUE[scenario]
    out = {}
    for name in names:
        rows = [row[name] for row in rounds]
        keys = [key for key, v in rows[0].items() if isinstance(v, (int, float))]
        out[name] = {key: median(rows, lambda row, key=key: row[key]) for key in keys}
        out[name]["spread"] = [min(row[value] for row in rows), max(row[value] for row in rows)]
        out[name]["errors"] = max(row["errors"] for row in rows)
        if "latency_us" in rows[0]:
            out[name]["latency_us"] = {key: median(rows, lambda row, key=key: row["latency_us"][key])
                                       for key in ("p50", "p95", "p99", "max")}
    return out


def ratios(scenario, names, rounds):
    """Ours divided by theirs, within each round: of the rate, and of the server's time an item (theirs by ours)."""
    out = {}
    for other in names:
        if other == "ingoma" or "ingoma" not in names:
            continue
        pairs = [(row["ingoma"], row[other]) for row in rounds]
        rate = [ours[VALUE[scenario]] / their[VALUE[scenario]] for ours, their in pairs if their[VALUE[scenario]]]
        cpu = [their["server_us_per_item"] / ours["server_us_per_item"] for ours, their in pairs
               if ours.get("server_us_per_item") and their.get("server_us_per_item")]
        out[other] = {"ratio": statistics.median(rate) if rate else None,
                      "cpu_ratio": statistics.median(cpu) if cpu else None}
    return out


def check(scenario, summary, ratio):
    rows = []
    for other, least in TARGETS[scenario]:
        got = ratio.get(other, {}).get("ratio")
        if got is not None:
            rows.append({"what": f"{ITEM[scenario]} against {NAMES[other]}", "wanted": f">= {least:g}",
                         "got": round(got, 2), "met": got >= least})
    if scenario == "idle" and "ingoma" in summary:
        ours = summary["ingoma"]
        rows.append({"what": "process memory a connection, bytes", "wanted": f"<= {IDLE_BYTES}",
                     "got": round(ours["rss_per_connection"]), "met": ours["rss_per_connection"] <= IDLE_BYTES})
        rows.append({"what": "memory after all left, of the start", "wanted": f"<= {IDLE_RETURN}",
                     "got": round(ours["after_to_before"], 3), "met": ours["after_to_before"] <= IDLE_RETURN})
    return rows


def cell(v, form="{:,.0f}"):
    return "–" if v is None else form.format(v)


def table(scenario, names, summary, ratio):
    if scenario == "idle":
        head = ["server", "RSS before", "RSS held", "RSS after", "bytes a connection", "private bytes a connection",
                "after / before", "ramp s", "errors"]
    elif scenario == "connect":
        head = ["server", "connects/s", "ours / theirs", "by CPU", "server µs a connect", "server CPU", "generator CPU", "errors"]
    else:
        head = ["server", ITEM[scenario], "spread", "ours / theirs", "by CPU", "server µs an item", "p50 ms", "p99 ms",
                "server CPU", "generator CPU", "errors"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name in names:
        s, against = summary[name], ratio.get(name, {}).get("ratio")
        if scenario == "idle":
            cells = [cell(s["rss_before"]), cell(s["rss_held"]), cell(s["rss_after"]), cell(s["rss_per_connection"]),
                     cell(s["private_per_connection"]), cell(s["after_to_before"], "{:.3f}"), cell(s["ramp_s"], "{:.1f}")]
        else:
            busy = [cell(s["server_cpu"], "{:.2f}"), cell(s["own_cpu"], "{:.2f}")]
            cpu = ratio.get(name, {}).get("cpu_ratio")
            item = [cell(against, "{:.2f}"), cell(cpu, "{:.2f}"), cell(s["server_us_per_item"], "{:.2f}")]
            if scenario == "connect":
                cells = [cell(s[VALUE[scenario]])] + item + busy
            else:
                latency = [cell(s["latency_us"][key] / 1000, "{:.2f}") for key in ("p50", "p99")]
                spread = "{:,.0f} – {:,.0f}".format(*s["spread"])
                cells = [cell(s[VALUE[scenario]]), spread] + item + latency + busy
        lines.append("| " + " | ".join([NAMES[name]] + cells + [cell(s["errors"])]) + " |")
    return "\n".join(lines)


def first_line(command):
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10).stdout.strip().split("\n")[0]
    except (OSError, subprocess.TimeoutExpired):
        return ""


def machine():
    model = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    lock = json.loads((NODE_DIR / "package-lock.json").read_text())["packages"]
    return {
        "cpu": model[0] if model else platform.machine(), "cores": os.cpu_count(), "kernel": platform.release(),
        "load_average": os.getloadavg()[0], "commit": first_line(["git", "rev-parse", "--short", "HEAD"]),
        "node": first_line(["node", "--version"]),
        "socket.io": lock["node_modules/socket.io"]["version"], "ws": lock["node_modules/ws"]["version"],
    }


def arguments():
    p = argparse.ArgumentParser(prog="./ingoma bench", description=__doc__.split("\n")[0])
    p.add_argument("scenario", choices=list(VALUE), nargs="?", default="fanout")
    p.add_argument("--rounds", type=int, help="alternating rounds (5; idle 3)")
    p.add_argument("--quick", action="store_true", help="short rounds, at most 40 s: a smoke test, not a result")
    p.add_argument("--check", action="store_true", help="exit code 1 when a target is missed")
    p.add_argument("--only", default="ingoma,node,floor", help="servers, separated by commas")
    p.add_argument("--connections", type=int, help="fanout 1000, echo 100, idle 10000, connect 4000")
    p.add_argument("--senders", type=int, default=16, help="members that talk (16)")
    p.add_argument("--window", type=int, help="in flight: fanout 1 a sender, echo 4 a connection")
    p.add_argument("--payload", type=int, help="bytes of a message's text (fanout 150, echo 0)")
    p.add_argument("--rate", type=int, help="open loop: messages a second")
    p.add_argument("--rooms", type=int)
    p.add_argument("--seconds", type=float, help="length of a measurement (5); idle: longest wait for memory to return")
    p.add_argument("--warm", type=float, help="seconds before it (1)")
    p.add_argument("--in-flight", type=int, default=64, help="connections being made at one time (64)")
    p.add_argument("--fresh", action="store_true", help="connect: a new server each round, as in the storm after a restart")
    p.add_argument("--build", default=str(ROOT / "build" / "release"), help="folder of the programs")
    p.add_argument("--gateway", help="another gateway program")
    o = p.parse_args()
    quick = o.quick
    count = {"fanout": (1000, 1000), "echo": (100, 100), "idle": (10000, 2000), "connect": (4000, 1000)}[o.scenario]
    o.connections = o.connections or count[quick]
    o.rounds = o.rounds or (2 if quick else 5)
    if o.scenario == "idle":
        o.rounds = min(o.rounds, 1 if quick else 3)
    o.window = o.window or (4 if o.scenario == "echo" else 1)
    o.seconds = o.seconds or (2 if quick else 5)
    o.warm = 0.5 if quick and o.warm is None else 1 if o.warm is None else o.warm
    return o


def report(bench, names):
    o, rounds = bench.o, bench.rounds
    summary, ratio = summarise(o.scenario, names, rounds), ratios(o.scenario, names, rounds)
    targets = check(o.scenario, summary, ratio)
    date = time.strftime("%Y-%m-%d")
    options = {key: v for key, v in vars(o).items() if key not in ("build", "gateway", "check", "only", "scenario")}
    result = {"date": date, "scenario": o.scenario, "machine": machine(), "options": options, "median": summary,
              "ratios": ratio, "targets": targets, "rounds": rounds}
    place = ROOT / "bench" / "results" / f"{date}-{o.scenario}{'-quick' if o.quick else ''}.json"
    place.parent.mkdir(exist_ok=True)
    place.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\n{o.scenario}: {o.connections} connections, median of {len(rounds)} rounds, "
          f"server on core {bench.server_core}, generator on core {bench.load_core}\n")
    print(table(o.scenario, names, summary, ratio) + "\n")
    for row in targets:
        print(f"{'met   ' if row['met'] else 'MISSED'} {row['what']}: {row['got']} (wanted {row['wanted']})")
    print(f"written: {place.relative_to(ROOT)}")
    return all(row["met"] for row in targets)


def main():
    o = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        bench = Bench(o)
        names = bench.run()
        met = report(bench, names)
    except Trouble as trouble:
        say(f"bench: {trouble}")
        return 1
    except KeyboardInterrupt:
        say("bench: stopped.")
        return 130
    finally:
        Process.end_all()
    return 0 if met or not o.check else 1


if __name__ == "__main__":
    sys.exit(main())
