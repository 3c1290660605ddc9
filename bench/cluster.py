"""Several nodes side by side: cluster, interest and churn. Called by run.py.

All nodes and Redis share core 0 and the generator has core 1, for both kinds alike: what is compared is the work of a
whole cluster, Redis included, on one core.
"""
import argparse
import time
from pathlib import Path

from common import (ROOT, Process, Trouble, cell, guarded, install_node, median, print_targets, raise_files, say, say_if_busy,
                    table, turn, two_cores, write_result)
from nodes import NAMES, PREFIXES, WIRES, Cluster, Redis

RATIO, RETURN = 10.0, 1.05
KINDS = ("ingoma", "node")
TRIM_S = 20  # longest wait for memory to return


class Stage:
    """Options, cores, Redis, and what is common to the three scenarios."""

    def __init__(self, o):
        self.o = o
        self.build = Path(o.build).resolve()
        self.gateway = Path(o.gateway or self.build / "ingoma-gateway").resolve()
        self.kinds = o.only.split(",")
        for kind in self.kinds:
            if kind not in KINDS:
                raise Trouble(f"--only takes ingoma and node here, not {kind}.")
        for program in (self.build / "bench-load", self.gateway):
            if not program.exists():
                raise Trouble(f"{program} is not built; ./ingoma bench builds it.")
        if "node" in self.kinds:
            install_node()
        self.core, self.load_core = two_cores()
        say_if_busy()
        raise_files(max(20000, o.connections + 200))
        self.redis = Redis(self.core)

    def cluster(self, kind, wire, count, extra=None):
        return Cluster(kind, wire, count, self.redis, self.gateway, self.core, extra)

    def load(self, url, *options):
        command = [str(self.build / "bench-load"), "--url", url, "--control", *(str(x) for x in options)]
        return Process(command, self.load_core, answers=True)

    def talkers(self, cluster, nodes, members, room=0):
        """Members of one room, dealt out to the first nodes; those who talk are all on the first."""
        o = self.o
        load = self.load(cluster.url(nodes), "--scenario", "fanout", "--connections", members, "--senders", o.senders,
                         "--window", 1, "--payload", o.payload, "--seconds", o.seconds, "--warm", o.warm, "--first-room", room)
        load.members, load.ready = members, load.line(60)
        return load

    def measure(self, cluster, load, rate):
        """One window of load, with its price at the nodes and at Redis: a cast, a delivery. Rate 0: as fast as it goes."""
        o = self.o
        cluster.quiet()
        redis, cpu = self.redis.read(), cluster.cpu_us()
        load.go(rate)
        row = load.line(o.seconds + o.warm + 30)
        spent = [now - before for now, before in zip(cluster.cpu_us(), cpu)]
        used = self.redis.since(redis)
        cluster.check()
        casts, deliveries = row["all_messages"], row["all_deliveries"]
        if not casts or deliveries != casts * load.members or row["errors"] or row["overruns"]:
            say(f"{NAMES[cluster.kind]}: {deliveries} deliveries of {casts} casts, {row['errors']} connections lost, "
                f"{row['overruns']} overruns: this round does not count for much.")
        casts = casts or 1
        row.update({
            "commands_per_cast": used["commands"] / casts, "redis_in_per_cast": used["bytes_in"] / casts,
            "redis_out_per_cast": used["bytes_out"] / casts, "redis_us_per_cast": used["cpu_us"] / casts,
            "node_us_per_delivery": sum(spent) / (deliveries or 1), "idle_us_per_cast": sum(spent[2:]) / casts,
            "commands": {key: round(v / casts, 3) for key, v in sorted(used.items())
                         if key not in ("commands", "bytes_in", "bytes_out", "cpu_us") and v / casts >= 0.005},
        })
        return row


def kept(o):
    """Options for the result's file."""
    return {key: v for key, v in vars(o).items() if key not in ("build", "gateway", "check", "scenario")}


# ---- cluster ----
SMALL = 32  # members of the small room, half on each node
HALF = SMALL // 2


def cluster_loads(stage, kind, cluster):
    """The generators of one kind, each with a room of its own: the large room on both nodes, a small one on both, and one as
    large as the small one's part on the first node alone: what a message takes that does not cross."""
    loads = {"large": stage.talkers(cluster, 2, stage.o.connections), "small": stage.talkers(cluster, 2, SMALL, 1),
             "alone": stage.talkers(cluster, 1, HALF, 2)}
    ready = loads["large"].ready
    say(f"{NAMES[kind]}, {stage.o.wire}: {ready['ready']} connected to two nodes in {ready['ramp_s']} s")
    return loads


def cluster_round(stage, cluster, loads):
    o = stage.o
    return {"full": stage.measure(cluster, loads["large"], 0), "large": stage.measure(cluster, loads["large"], o.rate),
            "small": stage.measure(cluster, loads["small"], o.small_rate),
            "alone": stage.measure(cluster, loads["alone"], o.small_rate)}


def cluster_rounds(stage):
    o, rounds = stage.o, []
    clusters = {kind: stage.cluster(kind, o.wire, 2) for kind in stage.kinds}
    loads = {kind: cluster_loads(stage, kind, clusters[kind]) for kind in stage.kinds}
    for i in range(o.rounds):
        row = {kind: cluster_round(stage, clusters[kind], loads[kind]) for kind in turn(stage.kinds, i)}
        rounds.append(row)
        say(f"round {i + 1}/{o.rounds}: " + "  ".join(
            f"{NAMES[kind]} {row[kind]['full']['deliveries_per_s']:,.0f}, {row[kind]['small']['cross_us']['p50'] / 1000:.2f} ms"
            for kind in stage.kinds) + "  (deliveries/s, to the other node at the median)")
    return rounds


def cluster_summary(stage, rounds):
    out = {}
    for kind in stage.kinds:
        full = [row[kind]["full"] for row in rounds]
        s = out[kind] = {key: median(full, lambda row, key=key: row[key]) for key in (
            "deliveries_per_s", "node_us_per_delivery", "redis_us_per_cast", "commands_per_cast", "redis_in_per_cast",
            "redis_out_per_cast", "own_cpu")}
        s["spread"] = [f(row["deliveries_per_s"] for row in full) for f in (min, max)]
        s["commands"] = full[-1]["commands"]
        for room, name in (("large", "latency_us"), ("large", "cross_us"), ("small", "latency_us"), ("small", "cross_us"),
                           ("alone", "latency_us")):
            s[f"{room}_{name}"] = {key: median(rounds, lambda row, kind=kind, room=room, name=name, key=key: row[kind][room][name][key])
                                   for key in ("p50", "p99")}
        s["added_us"] = {key: median(rounds, lambda row, kind=kind, key=key: row[kind]["small"]["cross_us"][key] -
                                     row[kind]["alone"]["latency_us"][key]) for key in ("p50", "p99")}
    if len(out) == 2:
        out["ratio"] = median(rounds, lambda row: row["ingoma"]["full"]["deliveries_per_s"] /
                              (row["node"]["full"]["deliveries_per_s"] or 1))
    return out


# Node's sharded adapter gives a cast to the sender's own members only when Redis has answered: one node alone is as late as two,
# and what the other node adds to that says nothing.
WAITS_FOR_REDIS = "redis-sharded"


def cluster_targets(s, wire):
    if "ratio" not in s:
        return []
    rows = [{"what": "deliveries/s of the cluster against Node's", "wanted": f">= {RATIO:g}", "got": round(s["ratio"], 2),
             "met": s["ratio"] >= RATIO}]
    for name, what in (("added_us", "added by the way to the other node"), ("small_cross_us", "to the other node, small room"),
                       ("large_cross_us", "to the other node, large room")):
        if name == "added_us" and wire == WAITS_FOR_REDIS:
            continue
        for key in ("p50", "p99"):
            ours, theirs = (s[kind][name][key] for kind in KINDS)
            rows.append({"what": f"latency {what}, {key}, µs", "wanted": f"<= {theirs:,.0f}", "got": round(ours),
                         "met": ours <= theirs})
    return rows


def pair_ms(h):
    return " / ".join(f"{h[key] / 1000:.2f}" for key in ("p50", "p99"))


def cluster_print(stage, s):
    kinds = stage.kinds
    print(table(["servers", "deliveries/s", "spread", "ours / theirs", "nodes' µs a delivery", "Redis µs a cast",
                 "Redis commands a cast", "Redis bytes in a cast", "out", "generator CPU"], [
        [NAMES[kind], cell(r["deliveries_per_s"]), "{:,.0f} – {:,.0f}".format(*r["spread"]),
         cell(s.get("ratio") if kind == "node" else None, "{:.1f}"), cell(r["node_us_per_delivery"], "{:.2f}"),
         cell(r["redis_us_per_cast"], "{:.1f}"), cell(r["commands_per_cast"], "{:.2f}"), cell(r["redis_in_per_cast"]),
         cell(r["redis_out_per_cast"]), cell(r["own_cpu"], "{:.2f}")] for kind, r in ((kind, s[kind]) for kind in kinds)]) + "\n")
    print(table(["latency, ms p50 / p99", f"{HALF} on one node alone", f"{SMALL}: same node", "other node", "added",
                 f"{stage.o.connections}: same node", "other node"], [
        [NAMES[kind]] + [pair_ms(s[kind][name]) for name in ("alone_latency_us", "small_latency_us", "small_cross_us", "added_us",
                                                            "large_latency_us", "large_cross_us")] for kind in kinds]) + "\n")
    for kind in kinds:
        print(f"{NAMES[kind]}: Redis commands a cast: " +
              ", ".join(f"{name} {v:g}" for name, v in s[kind]["commands"].items()))
        if s[kind]["own_cpu"] > 0.95:
            print(f"{NAMES[kind]}: the generator used {s[kind]['own_cpu']:.2f} of its core: it may be the limit, not the servers")


def run_cluster(o):
    stage = Stage(o)
    rounds = cluster_rounds(stage)
    s = cluster_summary(stage, rounds)
    targets = cluster_targets(s, o.wire)
    place = write_result(f"cluster-{o.wire}" + ("" if o.connections == 1000 else f"-{o.connections}"), o.quick,
                         {"options": kept(o), "median": s, "targets": targets, "rounds": rounds})
    print(f"\ncluster over {o.wire}: {o.connections} members of one room on two nodes, {o.senders} talk on the first; median of "
          f"{len(rounds)} rounds;\nboth nodes and Redis on core {stage.core}, generator on core {stage.load_core}; latency at "
          f"{o.small_rate} casts/s ({o.rate} in the large room)\n")
    cluster_print(stage, s)
    met = print_targets(targets)
    if "ratio" in s:
        ours, theirs = (s[kind] for kind in KINDS)
        print("\nfor README.md:\n"
              f"| `cluster`: two nodes and Redis on one core, {o.connections:,} members on both, `{o.wire}`, deliveries/s | "
              f"{ours['deliveries_per_s']:,.0f} | {theirs['deliveries_per_s']:,.0f} | – | **{s['ratio']:.1f}** | – |\n"
              f"| … to the other node at {o.small_rate} casts/s, ms p50 / p99 | {pair_ms(ours['small_cross_us'])} | "
              f"{pair_ms(theirs['small_cross_us'])} | – | | |")
    print(f"written: {place}")
    return met


# ---- interest ----
def interest_row(stage, kind, wire, count):
    cluster = stage.cluster(kind, wire, count)
    load = stage.talkers(cluster, 2, stage.o.connections)
    row = stage.measure(cluster, load, stage.o.rate)
    load.end()
    cluster.end()
    return row


def run_interest(o):
    stage = Stage(o)
    counts = [int(n) for n in o.nodes.split(",")]
    if not all(2 <= n <= 8 for n in counts):
        raise Trouble("--nodes takes numbers from 2 to 8.")
    wires = [o.wire] if o.wire else list(WIRES)
    cases = [(kind, wire, n) for wire in wires for n in counts for kind in stage.kinds]
    rounds = []
    for i in range(o.rounds):
        rounds.append({})
        for case in turn(cases, i * 5):
            row = rounds[-1]["{} {} {}".format(*case)] = interest_row(stage, *case)
            say(f"round {i + 1}/{o.rounds}: {NAMES[case[0]]}, {case[1]}, {case[2]} nodes: Redis out "
                f"{row['redis_out_per_cast']:,.0f} bytes a cast, {row['node_us_per_delivery']:.2f} µs a delivery")
    keys = ("redis_out_per_cast", "commands_per_cast", "node_us_per_delivery", "idle_us_per_cast", "redis_us_per_cast")
    medians = {name: {key: median(rounds, lambda row, name=name, key=key: row[name][key]) for key in keys} for name in rounds[0]}
    place = write_result("interest", o.quick, {"options": kept(o), "median": medians, "rounds": rounds})
    print(f"\ninterest: {o.connections} members of one room, on two of the nodes whatever their number; {o.rate} casts/s, "
          f"median of {len(rounds)} rounds;\nall nodes and Redis on core {stage.core}, generator on core {stage.load_core}\n")
    head = ["servers", "wire", "nodes", "Redis bytes out a cast", "Redis commands a cast", "all nodes' µs a delivery",
            "of it µs a cast at nodes without members", "Redis µs a cast"]
    lines = []
    for kind, wire, n in sorted(cases, key=lambda case: (KINDS.index(case[0]), WIRES.index(case[1]), case[2])):
        m = medians[f"{kind} {wire} {n}"]
        lines.append([NAMES[kind], wire, str(n), cell(m["redis_out_per_cast"]), cell(m["commands_per_cast"], "{:.2f}"),
                      cell(m["node_us_per_delivery"], "{:.2f}"), cell(m["idle_us_per_cast"], "{:.1f}"),
                      cell(m["redis_us_per_cast"], "{:.1f}")])
    print(table(head, lines) + f"\n\nwritten: {place}")
    return True


# ---- churn ----
def rss(process):
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(text.split("VmRSS:", 1)[1].split()[0]) * 1024


def await_rss(process, most, seconds=TRIM_S):
    end = time.monotonic() + seconds
    while rss(process) > most and time.monotonic() < end:
        time.sleep(0.2)
    return rss(process)


def churn_turn(load, rooms):
    load.go()
    row = load.line(30 + rooms / 500)
    if row["refused"]:
        raise Trouble(f"{row['refused']} of {rooms} rooms were refused.")
    return row


def churn_row(stage, kind):
    """Joins and leaves all rooms on the first of two nodes, twice; what is left in memory and at Redis."""
    o, redis = stage.o, stage.redis
    pattern = f"{PREFIXES[kind]}#/#churn*"
    cluster = stage.cluster(kind, "redis-sharded", 2, {"MAX_ROOMS": "100000"})
    node = cluster.nodes[0]
    warm = stage.load(cluster.url(1), "--scenario", "churn", "--connections", o.connections, "--rooms", o.warm_rooms)
    warm.line(30)
    for _ in range(2):
        churn_turn(warm, o.warm_rooms)
    warm.end()
    load = stage.load(cluster.url(1), "--scenario", "churn", "--connections", o.connections, "--rooms", o.rooms, "--window", 2,
                      "--server-pid", node.pid)
    load.line(30)
    cluster.quiet()
    row = {"rss_before": rss(node)}
    for i in (1, 2):
        row[f"join_{i}"] = churn_turn(load, o.rooms)
        cluster.quiet()
        row[f"channels_joined_{i}"], row[f"rss_held_{i}"] = redis.shard_channels(pattern), rss(node)
        row[f"leave_{i}"] = churn_turn(load, o.rooms)
        end = time.monotonic() + 10
        while redis.shard_channels(pattern) and time.monotonic() < end:
            time.sleep(0.1)
        row[f"channels_left_{i}"] = redis.shard_channels(pattern)
        row[f"rss_after_{i}"] = await_rss(node, row["rss_before"] * RETURN)
    load.end()
    row["rss_gone"] = await_rss(node, row["rss_before"] * RETURN, 3)
    cluster.check()
    cluster.end()
    return row


def deaf_row(stage):
    """What the second node, which has no member of the room, hears of Redis while nothing happens and during casts. Beats
    are a minute apart here: what is left are the answers to its own checks of its connections."""
    o = stage.o
    cluster = stage.cluster("ingoma", "redis-sharded", 2, {"BEAT_MS": "60000", "DEAD_MS": "600000"})
    counters = ("ingoma_redis_received_bytes_total", "ingoma_redis_received_total")

    def heard():
        return [cluster.metric(1, name) for name in counters]

    load = stage.load(cluster.url(1), "--scenario", "fanout", "--connections", 16, "--senders", 16, "--rate", o.rate,
                      "--seconds", o.seconds, "--warm", 0)
    load.line(30)
    cluster.quiet()
    start = heard()
    time.sleep(o.seconds)
    idle = heard()
    used = stage.redis.read()
    load.go()
    casts = load.line(o.seconds + 30)["all_messages"]
    published = stage.redis.since(used).get("spublish", 0)
    after = heard()
    load.end()
    cluster.end()
    return {"casts": casts, "published": published, "idle_bytes": idle[0] - start[0], "idle_messages": idle[1] - start[1],
            "cast_bytes": after[0] - idle[0], "cast_messages": after[1] - idle[1]}


def churn_targets(o, s):
    ours = s.get("ingoma")
    if not ours:
        return []
    rows = [{"what": f"memory after {o.rooms:,} rooms were left twice, of the start", "wanted": f"<= {RETURN}",
             "got": round(ours["rss_after_2"] / ours["rss_before"], 3), "met": ours["rss_after_2"] <= ours["rss_before"] * RETURN},
            {"what": "channels of rooms at Redis afterwards", "wanted": "0", "got": ours["channels_left_2"],
             "met": ours["channels_left_2"] == 0 and ours["channels_joined_2"] == o.rooms},
            {"what": f"messages of {ours['published']:,} publications at a node without members", "wanted": "0",
             "got": int(ours["cast_messages"]), "met": ours["cast_messages"] == 0 and ours["published"] >= ours["casts"] > 0},
            {"what": "its bytes beyond those of a time as long without casts", "wanted": f"< {o.payload}, one message's text",
             "got": int(ours["cast_bytes"] - ours["idle_bytes"]), "met": ours["cast_bytes"] - ours["idle_bytes"] < o.payload}]
    return rows


def run_churn(o):
    stage = Stage(o)
    s = {kind: churn_row(stage, kind) for kind in stage.kinds}
    if "ingoma" in s:
        s["ingoma"].update(deaf_row(stage))
    targets = churn_targets(o, s)
    place = write_result("churn", o.quick, {"options": kept(o), "rounds": s, "targets": targets})
    print(f"\nchurn: {o.rooms:,} rooms joined and left twice by {o.connections} clients on one node over redis-sharded\n")
    head = ["server", "joins/s", "leaves/s", "RSS before", "held", "after the first time", "after the second", "after / before",
            "clients gone", "bytes a room", "channels held", "channels left"]
    lines = []
    for kind, r in s.items():
        lines.append([NAMES[kind]] + [cell(o.rooms / r[key]["seconds"]) for key in ("join_2", "leave_2")] +
                     [cell(r[key]) for key in ("rss_before", "rss_held_2", "rss_after_1", "rss_after_2")] +
                     [cell(r["rss_after_2"] / r["rss_before"], "{:.3f}"), cell(r["rss_gone"]),
                      cell((r["rss_held_1"] - r["rss_before"]) / o.rooms), cell(r["channels_joined_2"]), cell(r["channels_left_2"])])
    print(table(head, lines) + "\n")
    met = print_targets(targets)
    print(f"written: {place}")
    return met


# ---- options ----
RUNS = {"cluster": run_cluster, "interest": run_interest, "churn": run_churn}


def arguments():
    p = argparse.ArgumentParser(prog="./ingoma bench", description=__doc__.split("\n")[0])
    p.add_argument("scenario", choices=list(RUNS))
    p.add_argument("--wire", choices=WIRES, help="cluster: redis-sharded; interest: both unless given")
    p.add_argument("--nodes", default="2,4,8", help="interest: numbers of nodes (2,4,8)")
    p.add_argument("--rounds", type=int, help="alternating rounds (cluster 5, interest 3)")
    p.add_argument("--quick", action="store_true", help="short: a smoke test, not a result")
    p.add_argument("--check", action="store_true", help="exit code 1 when a target is missed")
    p.add_argument("--only", default="ingoma,node", help="kinds of servers, separated by commas")
    p.add_argument("--connections", type=int, help="cluster 1000, interest 100, churn 1000")
    p.add_argument("--senders", type=int, default=16, help="members that talk (16)")
    p.add_argument("--payload", type=int, default=150, help="bytes of a message's text (150)")
    p.add_argument("--rate", type=int, help="casts a second: cluster 20 (latency in the large room), interest 200, churn 500")
    p.add_argument("--small-rate", type=int, default=200, help="cluster: casts a second in the small rooms (200)")
    p.add_argument("--rooms", type=int, help="churn: 100000")
    p.add_argument("--seconds", type=float, help="length of a measurement (5)")
    p.add_argument("--warm", type=float, help="seconds before it (1)")
    p.add_argument("--build", default=str(ROOT / "build" / "release"), help="folder of the programs")
    p.add_argument("--gateway", help="another gateway program")
    o = p.parse_args()
    o.connections = o.connections or {"cluster": 1000, "interest": 100, "churn": 1000}[o.scenario]
    o.rate = o.rate or {"cluster": 20, "interest": 200, "churn": 500}[o.scenario]
    o.rounds = o.rounds or (1 if o.quick else {"cluster": 5, "interest": 3, "churn": 1}[o.scenario])
    o.seconds = o.seconds or (2 if o.quick else 5)
    o.warm = (0.5 if o.quick else 1) if o.warm is None else o.warm
    o.rooms = o.rooms or (5000 if o.quick else 100000)
    o.warm_rooms = 1000
    if o.scenario == "cluster":
        o.wire = o.wire or WIRES[0]
    return o


def main():
    o = arguments()
    return 0 if guarded(lambda: RUNS[o.scenario](o)) or not o.check else 1
