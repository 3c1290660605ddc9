"""Users with tokens: presence (10,000 arrive within a minute) and private (messages across nodes). Called by run.py.

The two nodes and Redis share core 0, the generator has core 1, as in cluster.py.
"""
import argparse
import base64
import hashlib
import hmac
import json
import tempfile
import time
from pathlib import Path

from cluster import Stage, kept, pair_ms
from common import (NODE_DIR, ROOT, Process, Trouble, await_port, cell, check_free, guarded, median, print_targets, say, table,
                    wait_quiet, write_result)
from nodes import NAMES, PORTS, RANGE, WIRES, cpu_us

SECRET = "a secret of the bench, which is none at all"
# A client that is there all the time: a page of 200 every 5 s, 20 single changes of each kind a second, each of some 100 bytes.
BOUND_BYTES = 1_000_000


def write_tokens(folder, count):
    """Tokens of users b0, b1, …, one a line."""
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    head = part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    place = Path(folder) / "tokens"
    with place.open("wb") as file:
        for i in range(count):
            text = head + b"." + part(json.dumps({"id": f"b{i}", "name": f"user {i}", "exp": int(time.time()) + 7200}).encode())
            file.write(text + b"." + part(hmac.new(SECRET.encode(), text, hashlib.sha256).digest()) + b"\n")
    return place


class People(Stage):
    """A stage whose clients are users."""

    def __init__(self, o):
        super().__init__(o)
        self.folder = tempfile.TemporaryDirectory()
        self.tokens = write_tokens(self.folder.name, o.connections)
        if not (self.build / "bench-people").exists():
            raise Trouble(f"{self.build / 'bench-people'} is not built; ./ingoma bench builds it.")

    def nodes(self):
        return self.cluster("ingoma", self.o.wire, 2, {"JWT_SECRET": SECRET, "RATE_PRESENCE": "1000000"})

    def users(self, scenario, url, count, seconds, *more):
        command = [str(self.build / "bench-people"), scenario, "--url", url, "--tokens", str(self.tokens), "--connections",
                   str(count), "--seconds", str(seconds), *(str(x) for x in more)]
        return Process(command, self.load_core, answers=True)


# ---- presence ----
def arrive(stage, url, count, pids):
    """Users come evenly; what each was sent, and what that cost the servers."""
    o = stage.o
    redis, cpu = stage.redis.read(), [cpu_us(pid) for pid in pids]
    load = stage.users("presence", url, count, o.seconds, "--first", max(10, count // 100))
    row = load.line(o.seconds + 120)
    row["server_cpu_s"] = sum(cpu_us(pid) - before for pid, before in zip(pids, cpu)) / 1e6
    row["redis_cpu_s"] = stage.redis.since(redis)["cpu_us"] / 1e6
    load.end()
    if row["errors"] or row["connections"] != count:
        say(f"{row['connections']} of {count} came, {row['errors']} were lost: this does not count for much.")
    return row


def presence_ingoma(stage, count):
    cluster = stage.nodes()
    row = arrive(stage, cluster.url(), count, [node.pid for node in cluster.nodes])
    cluster.check()
    cluster.end()
    return row


def presence_node(stage, count):
    check_free(PORTS["node"], RANGE)
    server = Process(["node", str(NODE_DIR / "people.mjs")], stage.core, {"PORT": str(PORTS["node"]), "NODE_ENV": "production"})
    await_port(server, NAMES["node"], PORTS["node"])
    wait_quiet(server.pid)
    row = arrive(stage, f"127.0.0.1:{PORTS['node']}", count, [server.pid])
    server.end()
    return row


def presence_print(o, rows):
    print(f"\npresence: users arrive evenly within {o.seconds:g} s and stay; two nodes of ours and Redis, one process of Node, on one "
          "core\n")
    print(table(["server", "users", "bytes a client that was there from the start", "the most", "bytes a client on average",
                 "frames in all", "servers' CPU s", "Redis CPU s"], [
        [NAMES[kind], cell(r["connections"]), cell(r["first"]["bytes"]), cell(r["first"]["most"]), cell(r["all"]["bytes"]),
         cell(r["frames"]), cell(r["server_cpu_s"], "{:.1f}"), cell(r["redis_cpu_s"], "{:.1f}") if kind == "ingoma" else "–"]
        for kind, r in rows]) + "\n")


def run_presence(o):
    stage = People(o)
    rows = [("ingoma", presence_ingoma(stage, o.connections))]
    if "node" in stage.kinds:
        rows += [("ingoma", presence_ingoma(stage, o.small)), ("node", presence_node(stage, o.small))]
    most = rows[0][1]["first"]["most"] * 60 / rows[0][1]["seconds"]
    targets = [{"what": f"bytes a minute at a client, {o.connections:,} users coming", "wanted": f"<= {BOUND_BYTES:,}",
                "got": round(most), "met": most <= BOUND_BYTES}]
    place = write_result("presence", o.quick, {"options": kept(o), "rows": [{"server": kind, **r} for kind, r in rows],
                                              "targets": targets})
    presence_print(o, rows)
    met = print_targets(targets)
    print(f"written: {place}")
    return met


# ---- private ----
def run_private(o):
    stage = People(o)
    cluster = stage.nodes()
    redis = stage.redis.url.split("//")[1]
    load = stage.users("private", cluster.url(), o.connections, o.seconds, "--rate", o.rate, "--payload", o.payload, "--redis", redis)
    load.line(60)
    rounds = []
    for i in range(o.rounds):
        cluster.quiet()
        used, cpu = stage.redis.read(), cluster.cpu_us()
        load.go()
        row = load.line(o.seconds + 30)
        since = stage.redis.since(used)
        sent = row["sent"] + o.rate  # a second of warming up
        row["commands"] = (since["commands"] - row["redis_us"]["samples"]) / sent
        row["redis_us_per_message"] = since["cpu_us"] / sent
        row["node_us_per_message"] = sum(now - was for now, was in zip(cluster.cpu_us(), cpu)) / sent
        if row["acked"] != row["sent"] or row["delivered"] != row["sent"] or row["errors"]:
            say(f"{row['acked']} of {row['sent']} were acknowledged, {row['delivered']} delivered, {row['refused']} refused: this "
                "round does not count for much.")
        rounds.append(row)
        say(f"round {i + 1}/{o.rounds}: to the other node {pair_ms(row['deliver_us'])} ms, Redis {pair_ms(row['redis_us'])} ms (p50 / p99)")
    cluster.check()
    load.end()
    cluster.end()
    s = {name: {key: median(rounds, lambda row, name=name, key=key: row[name][key]) for key in ("p50", "p99")}
         for name in ("deliver_us", "ack_us", "redis_us")}
    s.update({key: median(rounds, lambda row, key=key: row[key]) for key in ("commands", "redis_us_per_message", "node_us_per_message")})
    lost = sum(row["sent"] - row["delivered"] for row in rounds)
    targets = [{"what": "messages that were not delivered", "wanted": "0", "got": lost, "met": lost == 0}]
    place = write_result("private", o.quick, {"options": kept(o), "median": s, "targets": targets, "rounds": rounds})
    print(f"\nprivate: {o.connections // 2} pairs, {o.rate} messages/s from the first node to the second, median of {len(rounds)} rounds; "
          "nodes and Redis on one core\n")
    print(table(["", "ms p50 / p99", "round trips to Redis at the median"], [
        [what, pair_ms(s[name]), cell(s[name]["p50"] / (s["redis_us"]["p50"] or 1), "{:.1f}")] for name, what in (
            ("deliver_us", "from sending to the recipient's device on the other node"), ("ack_us", "from sending to the ack (stored)"),
            ("redis_us", "a bare PING to Redis meanwhile"))]))
    print(f"\nRedis commands a message, those within scripts counted: {s['commands']:.1f}; CPU a message: {s['node_us_per_message']:.0f} µs at the nodes, "
          f"{s['redis_us_per_message']:.0f} µs at Redis\n")
    met = print_targets(targets)
    print(f"written: {place}")
    return met


# ---- options ----
RUNS = {"presence": run_presence, "private": run_private}


def arguments():
    p = argparse.ArgumentParser(prog="./ingoma bench", description=__doc__.split("\n")[0])
    p.add_argument("scenario", choices=list(RUNS))
    p.add_argument("--wire", choices=WIRES, default=WIRES[0])
    p.add_argument("--rounds", type=int, help="private (5)")
    p.add_argument("--quick", action="store_true", help="short: a smoke test, not a result")
    p.add_argument("--check", action="store_true", help="exit code 1 when a target is missed")
    p.add_argument("--only", help="presence: ingoma,node; kinds of servers, separated by commas")
    p.add_argument("--connections", type=int, help="users: presence 10000, private 200")
    p.add_argument("--small", type=int, help="presence: users beside Node, so many that it keeps up (300)")
    p.add_argument("--rate", type=int, default=200, help="private: messages a second (200)")
    p.add_argument("--payload", type=int, default=150, help="private: bytes of a message (150)")
    p.add_argument("--seconds", type=float, help="presence: over which users arrive (60); private: a measurement (5)")
    p.add_argument("--build", default=str(ROOT / "build" / "release"), help="folder of the programs")
    p.add_argument("--gateway", help="another gateway program")
    o = p.parse_args()
    is_presence = o.scenario == "presence"
    o.only = o.only or ("ingoma,node" if is_presence else "ingoma")
    o.connections = o.connections or (10000 if is_presence and not o.quick else 500 if is_presence else 200)
    o.small = o.small or (100 if o.quick else 300)
    o.seconds = o.seconds or ((10 if o.quick else 60) if is_presence else 2 if o.quick else 5)
    o.rounds = o.rounds or (1 if o.quick else 5)
    return o


def main():
    o = arguments()
    return 0 if guarded(lambda: RUNS[o.scenario](o)) or not o.check else 1
