"""The contacts service: 200 forms a second over SQLite and over a MongoDB-wire server, beside the same service in Node. Called by run.py.

The service and its database share core 0, the generator has core 1. Each round starts a service with an empty store; the rounds
alternate. What was acknowledged is looked up in the store when the service has ended, by a program that is not the service's own.
"""
import argparse
import base64
import hashlib
import hmac
import json
import math
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from common import (GATEWAY_ENV, NODE_DIR, ROOT, Process, Trouble, await_port, cell, check_free, guarded, install_node, median,
                    print_targets, say, say_if_busy, table, turn, two_cores, wait_quiet, write_result)
from nodes import cpu_us

PORTS = {"sqlite": 7516, "mongo": 7517, "node": 7518}
MONGO_PORT = 7519
RANGE = "7516 to 7519"
NAMES = {"sqlite": "Ingoma, SQLite", "mongo": "Ingoma, MongoDB wire", "node": "express, mongoose, socket.io, MongoDB wire"}
MONGOWIRE = ROOT / "build" / "mongowire"
SECRET = "a secret of the bench, which is none at all"
# One address sends all forms; nobody is assigned, so that every form stays where it is.
CONTACTS_ENV = {**GATEWAY_ENV, "FORMS_PER_HOUR": "0", "RATE_IP_EVENTS": "0", "AUTO_ASSIGN_MS": "0", "JWT_SECRET": SECRET,
                "WEBHOOK_URLS": "", "SMTP_URL": "", "NOTICE_MAIL_TO": ""}
WARM_S, BOUND_S = 4, 420


def agent_token():
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    claims = {"id": "bench", "name": "Bench", "email": "bench@example.org", "role": "admin", "exp": int(time.time()) + 7200}
    text = part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()) + b"." + part(json.dumps(claims).encode())
    return (text + b"." + part(hmac.new(SECRET.encode(), text, hashlib.sha256).digest())).decode()


# ---- judging ----
def percentiles(values):
    """By nearest rank."""
    ranked = sorted(values)
    if not ranked:
        return {"count": 0, "p50": None, "p99": None, "max": None}
    return {"count": len(ranked), "p50": ranked[math.ceil(len(ranked) * 0.5) - 1], "p99": ranked[math.ceil(len(ranked) * 0.99) - 1],
            "max": ranked[-1]}


def wrong_of(forms, kept):
    """What must not be: by what is wrong, how many forms it is wrong with. kept: [id, subject] of everything in the store."""
    subjects, ids = {}, dict(kept)
    for _, subject in kept:
        subjects[subject] = subjects.get(subject, 0) + 1
    wrong = {"refused": 0, "unanswered": 0, "lost": 0, "twice": 0, "unnoticed": 0, "noticed_again": 0, "noticed_wrong": 0}
    for n, form in enumerate(forms):
        wrong["twice"] += subjects.get(str(n), 0) > 1
        if form["id"] is None:
            wrong["unanswered" if form["ack"] is None else "refused"] += 1
            continue
        wrong["lost"] += ids.get(form["id"]) != str(n)
        wrong["unnoticed"] += any(len(times) == 0 for times in form["heard"])
        wrong["noticed_again"] += any(len(times) > 1 for times in form["heard"])
        wrong["noticed_wrong"] += any(told != form["id"] for told in form["told"])
    return wrong


def row_of(result, kept):
    """The figures of a round. The first forms warm up: they have to be right and are not measured."""
    measured = result["forms"][result["first"]:]
    return {
        "forms": len(result["forms"]), "kept": len(kept), "wrong": wrong_of(result["forms"], kept), "load_cpu": result["cpu"],
        "ack_ms": percentiles([form["ack"] for form in measured if form["ack"] is not None]),
        "notice_ms": percentiles([times[0] for form in measured for times in form["heard"] if times]),
        "lag_ms": percentiles([form["lag"] for form in measured]),
    }


# ---- the services ----
class Stage:
    def __init__(self, o):
        self.o = o
        self.kinds = o.only.split(",")
        unknown = [kind for kind in self.kinds if kind not in PORTS]
        if unknown:
            raise Trouble(f"--only takes {', '.join(PORTS)}, not {unknown[0]}.")
        self.program = Path(o.build).resolve() / "ingoma-contacts"
        if not self.program.exists():
            raise Trouble(f"{self.program} is not built; ./ingoma bench builds it.")
        if self.kinds != ["sqlite"] and not (MONGOWIRE / "MongoWire.class").exists():
            raise Trouble("There is no MongoDB-wire server; ./ingoma bench contacts builds it with Java and Maven (--only sqlite does without).")
        install_node()
        self.core, self.load_core = two_cores()
        self.token = agent_token()
        say_if_busy()

    def mongowire(self):
        """In memory: what its file costs is no matter of the services."""
        check_free(MONGO_PORT, RANGE)
        server = Process(["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{MONGOWIRE}/lib/*:{MONGOWIRE}",
                          "MongoWire", "127.0.0.1", str(MONGO_PORT), "-"], self.core)
        await_port(server, "the MongoDB-wire server", MONGO_PORT)
        return server, f"mongodb://127.0.0.1:{MONGO_PORT}/bench"

    def service(self, kind, folder, uri):
        port = PORTS[kind]
        check_free(port, RANGE)
        if kind == "node":
            command = ["node", str(NODE_DIR / "contacts.mjs")]
            env = {"PORT": str(port), "NODE_ENV": "production", "JWT_SECRET": SECRET, "MONGODB_URI": uri}
        else:
            command = [str(self.program)]
            env = {**CONTACTS_ENV, "PORT": str(port), "CONTACTS_DB": f"{folder}/contacts.db", "MONGODB_URI": uri}
        service = Process(command, self.core, env)
        await_port(service, NAMES[kind], port)
        return service

    def load(self, kind):
        o = self.o
        env = {"URL": f"http://127.0.0.1:{PORTS[kind]}", "TOKEN": self.token, "RATE": str(o.rate), "WARM": str(WARM_S),
               "SECONDS": str(o.seconds)}
        return Process(["node", str(NODE_DIR / "contacts-load.mjs")], self.load_core, env, answers=True)

    def kept(self, kind, folder, uri):
        if kind == "sqlite":
            with closing(sqlite3.connect(f"{folder}/contacts.db")) as db:
                return db.execute("SELECT _id, subject FROM contacts").fetchall()
        reader = Process(["node", str(NODE_DIR / "contacts-kept.mjs")], self.load_core, {"MONGODB_URI": uri}, answers=True)
        kept = reader.line(60)
        reader.end()
        return kept


def measure(stage, kind):
    """One round: a service with an empty store, forms, and what is in the store afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        database, uri = (None, "") if kind == "sqlite" else stage.mongowire()
        service = stage.service(kind, folder, uri)
        load = stage.load(kind)
        load.line(30)
        servers = [server for server in (service, database) if server]
        for server in servers:
            wait_quiet(server.pid)
        before = [cpu_us(server.pid) for server in servers]
        load.go()
        result = load.line(WARM_S + stage.o.seconds + 30)
        spent = [cpu_us(server.pid) - was for server, was in zip(servers, before)]
        load.end()
        if service.child.poll() is not None:
            raise Trouble(f"{NAMES[kind]} ended during the measurement: {service.complaint()}")
        service.end()
        row = row_of(result, stage.kept(kind, folder, uri))
        row["service_us"] = spent[0] / row["forms"]
        row["database_us"] = spent[1] / row["forms"] if database else None
        if database:
            database.end()
        return row


# ---- report ----
def pair(values):
    return f"{cell(values['p50'], '{:.2f}')} / {cell(values['p99'], '{:.2f}')}"


def complaints(kind, row):
    for what, count in row["wrong"].items():
        if count:
            say(f"{NAMES[kind]}: {count} of {row['forms']} forms were {what.replace('_', ' ')}.")
    if row["load_cpu"] > 0.95:
        say(f"{NAMES[kind]}: the generator used {row['load_cpu']:.2f} of its core: it may be the limit.")
    elif row["lag_ms"]["p99"] > 2:
        say(f"{NAMES[kind]}: forms left late ({pair(row['lag_ms'])} ms, p50 / p99): other programs had the generator's core, the latencies hold that.")


def summary(rounds, kind):
    rows = [row[kind] for row in rounds]
    out = {name: {key: median(rows, lambda row, name=name, key=key: row[name][key] or 0) for key in ("p50", "p99", "max")}
           for name in ("ack_ms", "notice_ms", "lag_ms")}
    out.update({name: median(rows, lambda row, name=name: row[name] or 0) for name in ("service_us", "database_us", "load_cpu")})
    return out


def targets_of(rounds, kinds):
    """Every form of every round is right."""
    sums = {}
    for row in rounds:
        for kind in kinds:
            for what, count in row[kind]["wrong"].items():
                sums[what] = sums.get(what, 0) + count
    return [{"what": f"our forms that were {what.replace('_', ' ')}", "wanted": "0", "got": got, "met": got == 0}
            for what, got in sums.items()]


def report(stage, rounds):
    o, kinds = stage.o, stage.kinds
    s = {kind: summary(rounds, kind) for kind in kinds}
    targets = targets_of(rounds, [kind for kind in kinds if kind != "node"])
    place = write_result("contacts", o.quick, {"options": {"only": o.only, "rate": o.rate, "seconds": o.seconds, "rounds": o.rounds},
                                               "median": s, "targets": targets, "rounds": rounds})
    print(f"\ncontacts: {o.rate} forms/s for {o.seconds} s, median of {len(rounds)} rounds; service and database on core {stage.core}, "
          f"generator on core {stage.load_core}\n")
    print(table(["ms p50 / p99", "form to ack (stored)", "form to the agents' notice", "service, µs CPU a form", "database, µs",
                 "generator late by", "generator CPU"], [
        [NAMES[kind], pair(s[kind]["ack_ms"]), pair(s[kind]["notice_ms"]), cell(s[kind]["service_us"]),
         cell(s[kind]["database_us"] or None), pair(s[kind]["lag_ms"]), cell(s[kind]["load_cpu"], "{:.2f}")] for kind in kinds]) + "\n")
    met = print_targets(targets)
    print(f"written: {place}")
    return met


def run(o):
    stage = Stage(o)
    rounds, begin = [], time.monotonic()
    for i in range(o.rounds):
        took = time.monotonic() - begin
        if rounds and took + took / len(rounds) > BOUND_S:
            say(f"{len(rounds)} rounds in {took:.0f} s are enough.")
            break
        row = {kind: measure(stage, kind) for kind in turn(stage.kinds, i)}
        rounds.append(row)
        for kind in stage.kinds:
            complaints(kind, row[kind])
        say(f"round {i + 1}/{o.rounds}: " + "  ".join(f"{NAMES[kind]} {pair(row[kind]['ack_ms'])}, {pair(row[kind]['notice_ms'])}"
                                                      for kind in stage.kinds) + "  (ms to the ack, to the notice)")
    return report(stage, rounds)


def arguments():
    p = argparse.ArgumentParser(prog="./ingoma bench", description=__doc__.split("\n")[0])
    p.add_argument("scenario", choices=["contacts"])
    p.add_argument("--rounds", type=int, help="of each service (3)")
    p.add_argument("--quick", action="store_true", help="short: a smoke test, not a result")
    p.add_argument("--check", action="store_true", help="exit code 1 when a form of ours was lost, refused, or not noticed exactly once")
    p.add_argument("--only", default=",".join(PORTS), help="sqlite,mongo,node: which services, separated by commas")
    p.add_argument("--rate", type=int, default=200, help="forms a second (200)")
    p.add_argument("--seconds", type=int, help="of a round, after 4 s of warming up (10)")
    p.add_argument("--build", default=str(ROOT / "build" / "release"), help="folder of the programs")
    o = p.parse_args()
    o.seconds = o.seconds or (3 if o.quick else 10)
    o.rounds = o.rounds or (1 if o.quick else 3)
    return o


def main():
    o = arguments()
    return 0 if guarded(lambda: run(o)) or not o.check else 1
