"""Checks that a program does: syntax, headers alone, clang-format, clang-tidy, cppcheck, generated files.
Each takes a Tree and yields Findings; Skip says that a tool is missing."""
import concurrent.futures
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys

from tree import Finding

REPORT = re.compile(r"^(?P<path>[^:\n]+):(?P<line>\d+):(?:\d+:)? (?:fatal )?(?:error|warning|style): (?P<text>.*)$", re.M)


# "path: text" of what clang-tidy cannot know, with the reason.
TIDY_SUPPRESSED = tuple((re.compile(pattern), reason) for pattern, reason in (
    (r"\(via field 'p'\).*null pointer dereference", "struct str: a slice of n > 0 bytes has a p"),
    (r"Null pointer passed to .* parameter expecting 'nonnull'", "struct str: the same, for mem* with n > 0"),
    (r"function '(adapter_open|adapter_open_with|adapter_eval|bus_eval|redis_store_eval|edge_open|sio_socket_emit_ack|store_outbox_fail)'",
     "more than six parameters: what the contract's header lists is handed on once, a struct would only be unpacked again"),
    (r"^adapter/msgpack\.c: The result of the left shift", "the width of a number is 1, 2, 4 or 8"),
    (r"^base/json\.c: The left expression of the compound assignment", "each bit is written at its bracket before it is read"),
    (r"^node/auth/token\.c: result of integer division", "whole seconds are wanted"),
    (r"^node/auth/token\.c: either cast from 'unsigned long'", "the cast is for the format, not for width"),
    (r"^node/edge/accept\.c: 1st function call argument", "getsockname has filled it"),
    (r"^node/eio/remote_ask\.c: .*loaded from variable 'p'", "an ask loses its pipe when it ends, and fails before that"),
    (r"^node/event/dispatch\.c: both sides of operator", "each call takes the next item"),
    (r"^node/ops/http\.c: 'sscanf'", "the kernel writes that line; 0 is right when it does not"),
))


class Skip(Exception):
    """A check that cannot run here, with the reason."""


def tool(*names):
    for name in names:
        if shutil.which(name):
            return name
    raise Skip("%s is not installed" % names[0])


def workers():
    return max(1, int(os.environ.get("JOBS") or os.cpu_count() or 1))


def run(tree, command):
    return subprocess.run(command, cwd=tree.root, capture_output=True, text=True, errors="replace")


def run_each(tree, items, make_command):
    """(item, finished process) of each command; as many at one time as there are cores."""
    with concurrent.futures.ThreadPoolExecutor(workers()) as pool:
        yield from zip(items, pool.map(lambda item: run(tree, make_command(item)), items))


def reports(tree, text, rule):
    """Findings out of a compiler's output; each place once."""
    seen = set()
    for match in REPORT.finditer(text):
        path = match["path"]
        path = os.path.relpath(path, tree.root) if os.path.isabs(path) else os.path.normpath(path)
        key = (path, match["line"], match["text"])
        if key not in seen and not path.startswith("build/"):
            seen.add(key)
            yield Finding(path, int(match["line"]), rule, match["text"])


def check_syntax(tree):
    """Scripts: what does not even parse."""
    kinds = (
        (tree.select(".sh") + [p for p in ("ingoma", ".ci/run") if p in tree.paths], ["bash", "-n"]),
        (tree.select(".py"), [sys.executable, "-c", "import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])"]),
        (tree.select(".mjs", ".js"), ["node", "--check"]),
        (tree.select(".json", but=("tests/fuzz/corpus/",)), [sys.executable, "-c", "import json, sys; json.load(open(sys.argv[1]))"]),
    )
    for paths, command in kinds:
        if not shutil.which(command[0]):
            continue
        for path, done in run_each(tree, paths, lambda p, c=command: c + [p]):
            if done.returncode != 0:
                yield Finding(path, 1, "syntax", (done.stderr.strip().splitlines() or ["failed"])[-1])


def check_headers(tree):
    gcc = tool("gcc", "cc")
    mongoc = subprocess.run(["pkg-config", "--cflags", "libmongoc-1.0"], stdout=subprocess.PIPE, text=True).stdout.split()
    base = [gcc, "-std=gnu17", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall", "-Wextra", "-I.", "-I%s/gen" % tree.build, *mongoc, "-x", "c"]
    for path, done in run_each(tree, tree.select(".h"), lambda p: base + [p]):
        found = list(reports(tree, done.stderr, "headers"))
        yield from found
        if done.returncode != 0 and not found:
            yield Finding(path, 1, "headers", "does not compile alone")


def check_format(tree):
    program = tool("clang-format-14", "clang-format")
    for path, done in run_each(tree, tree.select(".c", ".h"), lambda p: [program, "--dry-run", "-Werror", p]):
        if done.returncode != 0:
            match = REPORT.search(done.stderr)
            yield Finding(path, int(match["line"]) if match else 1, "format", "clang-format -i would change it")


def compiled_sources(tree):
    database = os.path.join(tree.root, tree.build, "compile_commands.json")
    if not os.path.exists(database):
        raise Skip("%s/compile_commands.json is missing: build first" % tree.build)
    with open(database, encoding="utf-8") as f:
        rows = json.load(f)
    paths = {os.path.relpath(row["file"], tree.root) for row in rows}
    return sorted(p for p in paths if p in tree.paths and not p.startswith("tests/"))


def is_suppressed(finding):
    return any(pattern.search("%s: %s" % (finding.path, finding.text)) for pattern, _ in TIDY_SUPPRESSED)


def check_tidy(tree):
    """What was clean stays clean until it, a header, a table or the settings change."""
    program = tool("clang-tidy-14", "clang-tidy")
    common = hashlib.sha256()
    for path in tree.select(".h", ".def", ".clang-tidy"):
        common.update(tree.text(path).encode())
    clean_dir = os.path.join(tree.root, tree.build, "tidy-clean")
    os.makedirs(clean_dir, exist_ok=True)
    todo = []
    for path in compiled_sources(tree):
        stamp = hashlib.sha256(common.digest() + path.encode() + tree.text(path).encode()).hexdigest()
        stamp = os.path.join(clean_dir, stamp)
        if not os.path.exists(stamp):
            todo.append((path, stamp))
    for (path, stamp), done in run_each(tree, todo, lambda item: [program, "-p", tree.build, "--quiet", item[0]]):
        found = [f for f in reports(tree, done.stdout, "tidy") if not is_suppressed(f)]
        yield from found
        if done.returncode != 0 and not found:
            yield Finding(path, 1, "tidy", (done.stderr.strip().splitlines() or ["failed"])[-1])
        if done.returncode == 0 and not found:
            open(stamp, "w").close()


def check_cppcheck(tree):
    program = tool("cppcheck")
    sources = [p for p in tree.sources() if p.endswith(".c")]
    if not sources:
        return
    done = run(tree, [program, "--enable=warning,performance,portability", "--std=c17", "--inline-suppr", "--quiet",
                      "-j", str(workers()), "-I.", "-I%s/gen" % tree.build, "-D_GNU_SOURCE", "-DINGOMA_VERSION=\"0\"",
                      "--suppress=missingIncludeSystem", "--suppress=unmatchedSuppression",
                      "--suppressions-list=%s" % os.path.join(os.path.dirname(os.path.abspath(__file__)), "cppcheck.txt"),
                      "--template={file}:{line}: warning: {id}: {message}", *sources])
    yield from reports(tree, done.stderr, "cppcheck")


def check_generated(tree):
    """The pages of docs/, the page of events and the TypeScript types come out of their tables."""
    path = os.path.join(tree.root, "tools", "docs.py")
    spec = importlib.util.spec_from_file_location("docs", path)
    docs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(docs)
    for line in [*docs.make_pages(os.path.join(tree.root, tree.build), True), *docs.run_schemas(True), *docs.links()]:
        place, number, rest = line.split(":", 2)
        yield Finding(place, int(number), "generated", rest.strip())


CHECKS = {
    "syntax": check_syntax,
    "headers": check_headers,
    "format": check_format,
    "generated": check_generated,
    "cppcheck": check_cppcheck,
    "tidy": check_tidy,
}
