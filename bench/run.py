#!/usr/bin/env python3
"""Runs one scenario of the bench against several servers in one run, side by side.

The server has core 0 and the generator core 1. Rounds alternate between the servers, so that whatever else the machine
does hits all of them; ratios are taken within a round and the median of the rounds is what counts. Only the standard
library; starts and ends its own processes by their ids. Called by ./ingoma bench.
"""
import argparse
import statistics
import sys
import time
from pathlib import Path

from common import (GATEWAY_ENV, NODE_DIR, ROOT, Process, Trouble, await_port, cell, check_free, guarded, install_node, median,
                    print_targets, raise_files, say, say_if_busy, table, turn, two_cores, wait_quiet, write_result)

PORTS = {"ingoma": 7501, "node": 7502, "floor": 7503}
NAMES = {"ingoma": "Ingoma", "node": "Node socket.io", "floor": "floor (bare epoll)"}
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


class Bench:
    def __init__(self, options):
        self.o = options
        self.build = Path(options.build).resolve()
        self.started = time.monotonic()
        self.bound = QUICK_BOUND_S if options.quick else BOUND_S
        self.server_core, self.load_core = two_cores()
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
            install_node()
        return wanted

    def raise_files(self, want):
        limit = raise_files(want)
        if self.o.connections + 200 > limit:
            say(f"The limit of open files is {limit}: {limit - 200} connections instead of {self.o.connections}.")
            self.o.connections = limit - 200

    # ---- servers and generators ----
    def start_server(self, name):
        port = PORTS[name]
        check_free(port, f"{PORTS['ingoma']} to {PORTS['floor']}")
        command, env = {
            "ingoma": ([str(self.gateway)], {**GATEWAY_ENV, "PORT": str(port)}),
            "node": (["node", str(NODE_DIR / "server.mjs")], {"PORT": str(port), "NODE_ENV": "production"}),
            "floor": ([str(self.build / "bench-floor"), str(port)], {}),
        }[name]
        server = Process(command, self.server_core, env)
        await_port(server, NAMES[name], port)
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
            for name in turn(names, i):
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
            for name in turn(names, i):
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
        say_if_busy()
        self.raise_files(max(20000, self.o.connections + 200))
        if self.o.scenario in ("fanout", "echo"):
            self.talk(names)
        else:
            self.alone(names, fresh=self.o.fresh or self.o.scenario == "idle")
        return names


# ---- what it comes to ----
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


def rows_table(scenario, names, summary, ratio):
    if scenario == "idle":
        head = ["server", "RSS before", "RSS held", "RSS after", "bytes a connection", "private bytes a connection",
                "after / before", "ramp s", "errors"]
    elif scenario == "connect":
        head = ["server", "connects/s", "ours / theirs", "by CPU", "server µs a connect", "server CPU", "generator CPU", "errors"]
    else:
        head = ["server", ITEM[scenario], "spread", "ours / theirs", "by CPU", "server µs an item", "p50 ms", "p99 ms",
                "server CPU", "generator CPU", "errors"]
    rows = []
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
        rows.append([NAMES[name]] + cells + [cell(s["errors"])])
    return table(head, rows)


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
    options = {key: v for key, v in vars(o).items() if key not in ("build", "gateway", "check", "only", "scenario")}
    place = write_result(o.scenario, o.quick, {"options": options, "median": summary, "ratios": ratio, "targets": targets,
                                              "rounds": rounds})
    print(f"\n{o.scenario}: {o.connections} connections, median of {len(rounds)} rounds, "
          f"server on core {bench.server_core}, generator on core {bench.load_core}\n")
    print(rows_table(o.scenario, names, summary, ratio) + "\n")
    met = print_targets(targets)
    print(f"written: {place}")
    return met


def main():
    if sys.argv[1:2] and sys.argv[1] in ("cluster", "interest", "churn"):
        import cluster
        return cluster.main()
    if sys.argv[1:2] == ["quiz"]:
        import quiz
        return quiz.main()
    if sys.argv[1:2] and sys.argv[1] in ("presence", "private"):
        import people
        return people.main()
    if sys.argv[1:2] == ["contacts"]:
        import contacts
        return contacts.main()
    o = arguments()

    def work():
        bench = Bench(o)
        return report(bench, bench.run())

    return 0 if guarded(work) or not o.check else 1


if __name__ == "__main__":
    sys.exit(main())
