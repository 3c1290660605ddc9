"""What the scenarios of the bench share: processes on a core, the machine, and words for people."""
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
VERSIONS = ("socket.io", "ws", "@socket.io/redis-adapter", "redis", "express", "mongoose")  # npm packages that are compared with
UNLIMITED = "1000000"  # a bench is not an abuser: the limits of events are lifted, all checks stay
GATEWAY_ENV = {
    "HOST": "127.0.0.1", "OPS_PORT": "0", "ADAPTER": "local", "LOG_LEVEL": "warn", "DRAIN_SECONDS": "0",
    "RATE_EVENTS": UNLIMITED, "RATE_USER_EVENTS": "0", "RATE_PRESENCE": UNLIMITED, "RATE_TYPING": UNLIMITED,
    "RATE_PINGS": UNLIMITED, "RATE_ECHOES": UNLIMITED, "RATE_STRIKES": UNLIMITED,
    "HANDSHAKES_PER_IP": "0", "HANDSHAKES_PER_SECOND": "0",
    "ROOM_HISTORY": "0",  # the servers of Node.js keep nothing
}


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

    def go(self, rate=None):
        self.child.stdin.write(b"go\n" if rate is None else b"go %d\n" % rate)
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


def two_cores():
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise Trouble("The bench needs two cores, one for the server and one for the generator; this machine "
                      "offers one. Nothing was measured.")
    return cores[0], cores[1]


def say_if_busy():
    if os.getloadavg()[0] > 0.7:
        say(f"Other programs are busy here (load {os.getloadavg()[0]:.1f}): the figures will be noisy.")


def raise_files(want):
    """The limit of open files that holds now."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = want if hard == resource.RLIM_INFINITY else min(want, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


def await_port(process, name, port):
    """Until the process listens."""
    end = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            if process.child.poll() is not None:
                raise Trouble(f"{name} did not start: {process.complaint()}") from None
            if time.monotonic() > end:
                raise Trouble(f"{name} does not listen on port {port} after 10 s.") from None
            time.sleep(0.05)


def check_free(port, range_text):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise Trouble(f"Port {port} is in use; the bench needs {range_text}.") from None


def turn(names, i):
    return names[i % len(names):] + names[:i % len(names)]


def install_node():
    if all((NODE_DIR / "node_modules" / name).exists() for name in (*VERSIONS, "socket.io-client")):
        return
    say("Installing Node's socket.io for the comparison (bench/node) ...")
    done = subprocess.run(["npm", "ci", "--omit=dev", "--no-audit", "--no-fund"], cwd=NODE_DIR,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise Trouble("npm ci in bench/node failed: " + done.stdout.decode(errors="replace").strip()[-300:])


def median(rows, pick):
    return statistics.median(pick(row) for row in rows)


def cell(v, form="{:,.0f}"):
    return "–" if v is None else form.format(v)


def table(head, rows):
    return "\n".join("| " + " | ".join(row) + " |" for row in [head] + [["---"] * len(head)] + rows)


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
        **{name: lock[f"node_modules/{name}"]["version"] for name in VERSIONS},
        "redis-server": first_line(["redis-server", "--version"]),
    }


def write_result(name, quick, result):
    """Writes bench/results/DATE-NAME.json; gives its path from the root."""
    date = time.strftime("%Y-%m-%d")
    place = ROOT / "bench" / "results" / f"{date}-{name}{'-quick' if quick else ''}.json"
    place.parent.mkdir(exist_ok=True)
    place.write_text(json.dumps({"date": date, "scenario": name, "machine": machine(), **result}, indent=1) + "\n")
    return place.relative_to(ROOT)


def print_targets(targets):
    for row in targets:
        print(f"{'met   ' if row['met'] else 'MISSED'} {row['what']}: {row['got']} (wanted {row['wanted']})")
    return all(row["met"] for row in targets)


def guarded(work):
    """Runs a scenario: one sentence when it fails, and no process is left behind. True: all targets were met."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return work()
    except Trouble as trouble:
        say(f"bench: {trouble}")
        sys.exit(1)
    except KeyboardInterrupt:
        say("bench: stopped.")
        sys.exit(130)
    finally:
        Process.end_all()
