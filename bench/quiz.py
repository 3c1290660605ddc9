"""One game of 10,000 players on two nodes: every question is answered by all within two seconds. Called by run.py.

The nodes and Redis share core 0, the generator has core 1. The quiz service's part is played here: it makes the game at the
ops port, and fetches the results, from which the scores are computed again.
"""
import argparse
import json
import time
import urllib.request
from pathlib import Path

from cluster import Stage, kept
from common import ROOT, Trouble, cell, guarded, median, print_targets, say, table, write_result
from nodes import OPS_PORT

TOKEN = "a token of the bench, which is no secret at all"
LIMIT_MS, POINTS, OPTIONS = 60000, 1000, 3
ACK_P99_MS = 50
BOUND_S = 240
KEYS = ("p50", "p95", "p99", "max")


def ask(path, body=None, method="GET"):
    request = urllib.request.Request(f"http://127.0.0.1:{OPS_PORT}{path}", method=method, headers={"Authorization": f"Bearer {TOKEN}"},
                                     data=None if body is None else json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def make(o, number):
    """A game of its own for each round; the answer of client i to question n (from 1) is (i + n) % 3, the right one always 1."""
    question = {"type": "single", "text": "Which?", "options": ["a", "b", "c"], "correct": 1, "timeLimitMs": LIMIT_MS, "points": POINTS}
    return ask("/quiz", {"quizId": f"bench-{number}", "questions": [question] * o.questions, "leadMs": 0,
                         "maxPlayers": o.connections}, "POST")


def results(quiz_id):
    first = part = ask(f"/quiz/{quiz_id}/results")
    while "next" in part:
        part = ask(f"/quiz/{quiz_id}/results?from={part['next']}")
        first["rows"] += part["rows"]
    return first


def points(answer):
    share = 1000 if answer["answer"] == 1 else 0
    return POINTS * share * (2 * LIMIT_MS - min(answer["elapsedMs"], LIMIT_MS)) // (2000 * LIMIT_MS)


def replay(o, got):
    """Every answer is in the log once, and the scores, times and ranks follow from the log alone. Returns what is wrong."""
    wrong, rows = [], got["rows"]
    if len(rows) != o.connections:
        wrong.append(f"{len(rows)} rows of {o.connections}")
    for row in rows:
        given = [a for a in row["answers"] if a]
        score = sum(points(a) for a in given)
        took = sum(a["elapsedMs"] for a in given if points(a))
        if (len(given), score, took) != (o.questions, row["score"], row["totalTimeMs"]):
            wrong.append(f"seat {row['seatNumber']}: {row['score']} points, {score} from the log")
    order = sorted(rows, key=lambda r: (-r["score"], r["totalTimeMs"], r["seatNumber"]))
    rank, last = 0, None
    for i, row in enumerate(order):
        if (row["score"], row["totalTimeMs"]) != last:
            rank, last = i + 1, (row["score"], row["totalTimeMs"])
        if row["rank"] != rank or row["seatNumber"] != rows[i]["seatNumber"]:
            wrong.append(f"seat {row['seatNumber']}: rank {row['rank']}, {rank} from the log")
    for n, question in enumerate(got["questions"], 1):
        chosen = [sum((i + n) % OPTIONS == option for i in range(o.connections)) for option in range(OPTIONS)]
        stats = question["stats"]
        if stats["options"] != chosen or stats["answered"] != o.connections or stats["right"] != chosen[1]:
            wrong.append(f"question {n}: {stats['options']} instead of {chosen}")
    return wrong


def turn(stage, load, cluster):
    """One half of a question, with its price."""
    redis, cpu = stage.redis.read(), cluster.cpu_us()
    load.go()
    row = load.line(stage.o.seconds + 40)
    used, spent = stage.redis.since(redis), sum(now - before for now, before in zip(cluster.cpu_us(), cpu))
    cluster.check()
    if row["refused"] or row["errors"]:
        raise Trouble(f"{row['refused']} answers were refused and {row['errors']} connections lost.")
    n = row["done"]
    row.update({"redis_cpu": used["cpu_us"] / 1e6 / row["seconds"], "nodes_cpu": spent / 1e6 / row["seconds"],
                "redis_us_per_item": used["cpu_us"] / n, "node_us_per_item": spent / n, "commands_per_item": used["commands"] / n})
    return row


def play(stage, cluster, number):
    o = stage.o
    game = make(o, number)
    load = stage.load(cluster.url(), "--scenario", "quiz", "--connections", o.connections, "--quiz-id", game["quizId"],
                      "--host-key", game["hostKey"], "--seconds", o.seconds)
    ready = load.line(120)
    say(f"game {number + 1}: {ready['ready']} players on two nodes after {ready['ramp_s']} s")
    rounds = []
    for question in range(o.questions):
        row = {"answers": turn(stage, load, cluster), "close": turn(stage, load, cluster)}
        rounds.append(row)
        say(f"question {question + 1}/{o.questions}: answer to ack p50 {row['answers']['latency_us']['p50'] / 1000:.1f} ms, p99 "
            f"{row['answers']['latency_us']['p99'] / 1000:.1f} ms; last place {row['close']['rank_us']['max'] / 1000:.0f} ms after the close")
    wrong = replay(o, results(game["quizId"]))
    for line in wrong[:5]:
        say(f"replay: {line}")
    load.end()
    cluster.quiet()  # so many leave at once
    return {"ready": ready, "rounds": rounds, "wrong": len(wrong)}


def summary(rounds):
    out = {}
    for half, names in (("answers", ("latency_us", "open_us")), ("close", ("board_us", "rank_us"))):
        for name in names:
            out[name] = {key: median(rounds, lambda row, half=half, name=name, key=key: row[half][name][key]) for key in KEYS}
        for name in ("redis_cpu", "nodes_cpu", "redis_us_per_item", "node_us_per_item", "commands_per_item", "own_cpu", "seconds"):
            out[f"{half}_{name}"] = median(rounds, lambda row, half=half, name=name: row[half][name])
    return out


def report(stage, games):
    o, rounds = stage.o, [row for game in games for row in game["rounds"]]
    s, wrong = summary(rounds), sum(game["wrong"] for game in games)
    targets = [{"what": "answer to ack, p99, ms", "wanted": f"<= {ACK_P99_MS}", "got": round(s["latency_us"]["p99"] / 1000, 1),
                "met": s["latency_us"]["p99"] <= ACK_P99_MS * 1000},
               {"what": "rows that differ from the replay of the log", "wanted": "0", "got": wrong, "met": wrong == 0}]
    place = write_result("quiz", o.quick, {"options": kept(o), "median": s, "targets": targets, "games": games})
    print(f"\nquiz: {o.connections} players in one game on two nodes, all answer within {o.seconds:g} s; median of {len(rounds)} questions;\n"
          f"nodes and Redis on core {stage.core}, generator on core {stage.load_core}\n")
    lines = [[what] + [cell(s[name][key] / 1000, "{:.1f}") for key in KEYS] for what, name in (
        ("the host's button to the open question, at a player", "open_us"), ("answer to ack", "latency_us"),
        ("the host's button to the changed board, at a player", "board_us"), ("… to the own place", "rank_us"))]
    print(table(["ms", *KEYS], lines) + "\n")
    print(table(["", "Redis, share of a core", "both nodes", "generator", "Redis µs an item", "nodes' µs", "Redis commands an item"], [
        [what] + [cell(s[f"{half}_{name}"], form) for name, form in (
            ("redis_cpu", "{:.2f}"), ("nodes_cpu", "{:.2f}"), ("own_cpu", "{:.2f}"), ("redis_us_per_item", "{:.1f}"),
            ("node_us_per_item", "{:.1f}"), ("commands_per_item", "{:.2f}"))]
        for what, half in (("answers", "answers"), ("close: board and places", "close"))]) + "\n")
    met = print_targets(targets)
    print(f"written: {place}")
    return met


def run(o):
    stage = Stage(o)
    cluster = stage.cluster("ingoma", "redis-sharded", 2, {"QUIZ_TOKEN": TOKEN, "QUIZ_JOIN_RATE": "100000"})
    games, end = [], time.monotonic() + BOUND_S
    for number in range(o.rounds):
        if games and time.monotonic() + (time.monotonic() - end + BOUND_S) / len(games) > end:
            say(f"{number} games in {BOUND_S} s are enough.")
            break
        games.append(play(stage, cluster, number))
    return report(stage, games)


def arguments():
    p = argparse.ArgumentParser(prog="./ingoma bench", description=__doc__.split("\n")[0])
    p.add_argument("scenario", choices=["quiz"])
    p.add_argument("--rounds", type=int, help="games, one after the other (3)")
    p.add_argument("--quick", action="store_true", help="short: a smoke test, not a result")
    p.add_argument("--check", action="store_true", help="exit code 1 when a target is missed")
    p.add_argument("--connections", type=int, help="players (10000)")
    p.add_argument("--questions", type=int, help="questions of a game (5)")
    p.add_argument("--seconds", type=float, default=2, help="within which all answer (2)")
    p.add_argument("--build", default=str(ROOT / "build" / "release"), help="folder of the programs")
    p.add_argument("--gateway", help="another gateway program")
    o = p.parse_args()
    o.only = "ingoma"
    o.connections = o.connections or (1000 if o.quick else 10000)
    o.questions = o.questions or (2 if o.quick else 5)
    o.rounds = o.rounds or (1 if o.quick else 3)
    return o


def main():
    o = arguments()
    return 0 if guarded(lambda: run(o)) or not o.check else 1
