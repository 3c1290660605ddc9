"""The rules of the house that can be read off the text: arrows, owners, sizes, names, guards, mirrored tests.
Each check takes a Tree and yields Findings. What may differ stands in the tables, with its reason."""
import re

from tree import Finding

GENERATED = ("events_in.h", "events_in.c", "events_out.h", "events_out.c", "rest_routes.h")

# room → what it may include (prefixes of paths; "gen" is what the schemas give). The first row that fits counts.
ARROWS = (
    ("base/", ("base/",)),
    ("adapter/", ("adapter/", "base/")),
    ("node/edge/", ("node/edge/", "base/")),
    ("node/eio/", ("node/eio/", "node/edge/edge.h", "adapter/adapter.h", "base/")),
    ("node/sio/", ("node/sio/", "node/eio/eio.h", "node/eio/close.def", "adapter/adapter.h", "adapter/session.h", "base/")),
    ("node/auth/", ("node/auth/", "node/edge/edge.h", "base/")),
    ("node/people/", ("node/people/", "node/auth/", "node/sio/", "adapter/", "base/")),
    ("node/guard/", ("node/guard/", "adapter/adapter.h", "base/")),
    ("node/archive/", ("node/archive/", "base/")),
    ("node/event/", ("node/event/", "node/people/people.h", "node/auth/", "node/guard/", "node/sio/", "adapter/adapter.h", "base/", "gen", "schemas/")),
    ("node/ops/", ("node/ops/", "node/sio/", "node/eio/eio.h", "node/edge/edge.h", "node/auth/", "node/guard/", "adapter/adapter.h", "base/")),
    ("node/features/", ("node/features/OWN/", "node/event/", "node/archive/archive.h", "node/people/people.h", "node/auth/", "node/sio/", "adapter/", "base/", "gen", "schemas/")),
    ("node/", ("node/", "adapter/", "base/", "gen", "schemas/")),
    ("contacts/record/", ("contacts/record/", "base/")),
    ("contacts/rules/", ("contacts/rules/", "contacts/record/", "base/")),
    ("contacts/store/", ("contacts/store/", "contacts/record/", "base/")),
    ("contacts/notice/", ("contacts/notice/", "contacts/store/store.h", "contacts/rules/", "contacts/record/", "adapter/", "base/")),
    ("contacts/desk/", ("contacts/desk/", "contacts/notice/notice.h", "contacts/store/store.h", "contacts/rules/", "contacts/record/", "node/", "adapter/", "base/", "gen", "schemas/")),
    ("contacts/rest/", ("contacts/rest/", "contacts/desk/desk.h", "contacts/notice/notice.h", "contacts/store/store.h", "contacts/rules/", "contacts/record/", "node/", "adapter/", "base/", "gen", "schemas/")),
    ("contacts/", ("contacts/", "node/", "adapter/", "base/", "gen", "schemas/")),
    ("schemas/", ("schemas/", "base/")),
    ("bench/", ("bench/", "base/")),
    ("tools/", ("tools/", "contacts/", "node/", "adapter/", "base/", "gen", "schemas/")),
)

# library → where its headers may appear
OWNERS = (
    (re.compile(r"event2?/|event\.h$|evutil"), ("base/loop.c",), "libevent"),
    (re.compile(r"curl/"), ("base/outbound.c", "base/mailer.c"), "libcurl"),
    (re.compile(r"hiredis"), ("adapter/redis/",), "hiredis"),
    (re.compile(r"jwt\.h$"), ("node/auth/token.c",), "libjwt"),
    (re.compile(r"openssl/"), ("base/hmac.c",), "libcrypto"),
    (re.compile(r"zlib\.h$"), ("node/eio/compress.c",), "zlib"),
    (re.compile(r"json-c/|json\.h$"), (), "json-c (a second opinion in tests)"),
    (re.compile(r"libwebsockets"), (), "libwebsockets (tests)"),
    (re.compile(r"mongoc|bson"), ("base/mongodb.", "contacts/store/mongo", "node/archive/archive_mongo"), "mongo-c-driver"),
    (re.compile(r"pthread"), ("base/pool.c", "base/rand.c"), "threads"),
    (re.compile(r"sqlite3"), ("contacts/store/sqlite",), "SQLite"),
    (re.compile(r"criterion/"), (), "Criterion (tests)"),
)
OWNER_FILES = ("base/mem.c", "base/loop.c", "adapter/redis/", "node/auth/token.c", "node/eio/compress.c", "contacts/store/mongo", "contacts/store/sqlite")

FILE_NOTE, FILE_LINES = 500, 600
FUNCTION_LINES, FUNCTION_LINES_MARKED = 60, 90
FUNCTION_MARK = re.compile(r"lint: (table|switch)")
SIZED = (".c", ".h", ".def", ".py", ".sh", ".js", ".mjs", ".ts", ".tsx", ".css", ".html", ".lua")
SIZE_EXCEPTIONS = (
    ("tests/wire/conformance/", "the protocol suites: lists of cases, kept as they were handed over"),
    ("client/src/generated/", "generated"),
)

FORBIDDEN = re.compile(r"\b(gets|strcpy|strcat|sprintf|vsprintf|strtok|strncpy|atoi|atol|alloca|rand|srand|signal|"
                       r"system|popen|gmtime|localtime|asctime|ctime)\s*\(")
ALLOCATION = re.compile(r"\b(malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf)\s*\(")
PRINTING = re.compile(r"\b(printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|fputc|perror|dprintf)\s*\(")
REDIS_COMMAND = re.compile(r"[\"'](KEYS|FLUSH\w*|HGETALL)\b(?!\[)")
REDIS_BOUNDED = {"adapter/tally.c": "HGETALL of a hash with one field a node",
                 "node/people/nodes.c": "HGETALL of a hash with one field a node",
                 "node/features/private/private_send.c": "HGETALL of 1,000 conversations",
                 "node/features/private/private_ask.c": "HGETALL of 1,000 conversations or blocked users",
                 "node/features/private/private_export.c": "HGETALL of 1,000 conversations or blocked users",
                 "node/features/rooms/rooms_rule.c": "HGETALL of 1,000 mutes and kicks",
                 "node/features/stats/stats.c": "HGETALL of a hash with one field a node"}
MUTABLE_EXTERN = re.compile(r"^extern\s+(?!const\b)[^()]*;", re.M)
EXTERN_EXCEPTIONS = {"base/log.h": "log_level_now is read on hot paths and set at start"}

PRINTERS = {"node/run.c": "the main of all programs: --help, mistakes in options",
            "tools/command.h": "the beginning of each main of the command line",
            "tools/user.h": "the main of those about one user"}

# source → why it has no unit test of its own; anything else needs tests/unit/<path>_test.c
UNTESTED = (
    (r"node/gateway\.c", "a main of a few lines; every wire test runs it"),
    (r"node/run(_cluster)?\.c", "wiring, signals, order of closing: every wire and system test runs it"),
    (r"contacts/store/(ask|change|sqlite\w*|mongo\w*)\.c", "tests/cluster/store_contract_test.c runs them over both databases"),
    (r"contacts/store/dead\.c", "tests/cluster/store_dead_test.c runs it over both databases"),
    (r"contacts/main\.c", "a main of a few lines; the system tests run it"),
    (r"tools/.*", "a program; lint compares what it prints with docs/"),
    (r"bench/.*", "a program for measuring, not for serving"),
)

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]', re.M)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def includes(tree, path):
    text = tree.text(path)
    for match in INCLUDE.finditer(text):
        yield line_of(text, match.start()), match.group(1), match.group(2)


def check_arrows(tree):
    for path in tree.sources():
        row = next((r for r in ARROWS if path.startswith(r[0])), None)
        if row is None:
            yield Finding(path, 1, "arrows", "no room of the house: add it to ARROWS")
            continue
        own = "/".join(path.split("/")[:3]) + "/"
        allowed = [own if a == "node/features/OWN/" else a for a in row[1]]
        for line, kind, target in includes(tree, path):
            if kind != '"':
                continue
            if target in GENERATED:
                if "gen" not in allowed:
                    yield Finding(path, line, "arrows", "%s may not see the generated events" % row[0])
            elif not tree.exists(target):
                yield Finding(path, line, "arrows", '"%s" is not a path from the root' % target)
            elif not target.startswith(tuple(allowed)):
                yield Finding(path, line, "arrows", "%s may not include %s" % (row[0], target))
            elif target.endswith("_priv.h") and not path.startswith(target.rsplit("/", 1)[0] + "/"):
                yield Finding(path, line, "arrows", "%s is private to its folder" % target)


def check_owners(tree):
    for path in tree.select(".c", ".h", ".def", but=("tests/",)):  # a test may ask the library for a second opinion
        for line, kind, target in includes(tree, path):
            if kind == '"':
                continue
            for pattern, places, library in OWNERS:
                if pattern.search(target) and not path.startswith(places):
                    yield Finding(path, line, "owners", "<%s>: %s belongs to %s" % (target, library, ", ".join(places) or "tests"))


def check_own_header(tree):
    for path in tree.select(".c", but=("tests/",)):
        header = path[:-2] + ".h"
        first = next(iter(includes(tree, path)), None)
        private = first and first[2].endswith("_priv.h") and path.startswith(first[2].rsplit("/", 1)[0] + "/")
        if tree.exists(header) and first and first[2] != header and not private:
            yield Finding(path, first[0], "own-header", '"%s" comes first' % header)


def check_size(tree):
    for path in tree.select(*SIZED) + [p for p in tree.paths if p == "ingoma"]:
        if path.startswith(tuple(e[0] for e in SIZE_EXCEPTIONS)):
            continue
        n = len(tree.lines(path))
        if n >= FILE_LINES:
            yield Finding(path, n, "size", "%d lines; %d are refused" % (n, FILE_LINES))
        elif n >= FILE_NOTE:
            yield Finding(path, n, "size", "%d lines; the aim is under %d" % (n, FILE_NOTE), note=True)


def functions(tree, path):
    """(first line, last line, text) of each function: in this format its braces stand alone in column 0."""
    start = None
    lines = tree.lines(path)
    for number, line in enumerate(tree.code(path).splitlines(), 1):
        if line.rstrip() == "{":
            start = number
        elif start and line.startswith("}"):
            yield start, number, "\n".join(lines[max(0, start - 4):number])
            start = None


def check_functions(tree):
    for path in tree.all_c():
        for start, end, text in functions(tree, path):
            marked = FUNCTION_MARK.search(text) or path.startswith("tests/")
            limit = FUNCTION_LINES_MARKED if marked else FUNCTION_LINES
            if end - start - 1 > limit:
                yield Finding(path, start, "functions", "%d lines; %d are allowed" % (end - start - 1, limit))


def check_names(tree):
    for path in tree.select(".c", ".h"):
        code = tree.code(path)
        is_test = path.startswith("tests/")
        is_program = re.search(r"^int main\(", code, re.M)
        rules = [(FORBIDDEN, "%s is forbidden")]
        if not is_test:
            rules.append((re.compile(r"\b(typedef\s+(?:struct|union))\b"), "%s: write the tag"))
        if not is_test and not path.startswith(OWNER_FILES):
            rules.append((ALLOCATION, "%s: memory comes from base/mem.h"))
        if not is_test and not is_program and path not in PRINTERS:
            rules.append((PRINTING, "%s: only a main prints"))
        for pattern, text in rules:
            for match in pattern.finditer(code):
                if code[max(0, match.start() - 2):match.start()].endswith((".", "->")):
                    continue  # a member of that name: a handle's .free(...)
                yield Finding(path, line_of(code, match.start()), "names", text % match.group(1))
    for path in tree.select(".c", ".h", ".lua", ".def", under=("adapter/", "node/", "contacts/"), but=tuple(REDIS_BOUNDED)):
        for number, line in enumerate(tree.lines(path), 1):
            for match in REDIS_COMMAND.finditer(line):
                yield Finding(path, number, "names", "Redis command %s walks over everything" % match.group(1))
    for path in tree.select(".h", but=("tests/",)):
        if path.endswith("_priv.h"):
            continue  # seen by its own folder only
        code = tree.code(path)
        for match in MUTABLE_EXTERN.finditer(code):
            if path not in EXTERN_EXCEPTIONS:
                yield Finding(path, line_of(code, match.start()), "names", "a mutable extern")


def check_guards(tree):
    for path in tree.select(".h"):
        want = re.sub(r"[^A-Z0-9]", "_", path.upper())
        guard = re.search(r"^#ifndef (\w+)\n#define (\w+)$", tree.code(path), re.M)
        if not guard:
            yield Finding(path, 1, "guards", "no guard; it would be %s" % want)
        elif guard.group(1) != want or guard.group(2) != want:
            yield Finding(path, line_of(tree.code(path), guard.start()), "guards", "the guard is %s" % want)


def check_opening(tree):
    for path in tree.select(".c", ".h", but=("tests/unit/", "tests/cluster/")):  # a unit test's path says it all
        if not tree.text(path).startswith("/*"):
            yield Finding(path, 1, "opening", "a file opens with what it is for")


def check_mirror(tree):
    for path in tree.select(".c", but=("tests/",)):
        if any(re.fullmatch(pattern, path) for pattern, _ in UNTESTED):
            continue
        test = "tests/unit/%s_test.c" % path[:-2]
        if not tree.exists(test):
            yield Finding(path, 1, "mirror", "%s is missing" % test)
    for path in tree.select("_test.c", under=("tests/unit/",)):
        source = path[len("tests/unit/"):-len("_test.c")] + ".c"
        if not tree.exists(source) and not tree.exists(source[:-2] + ".h") and not path.startswith("tests/unit/support/"):
            yield Finding(path, 1, "mirror", "tests nothing: there is no %s" % source)


TEXTS = (".c", ".h", ".def", ".py", ".sh", ".js", ".mjs", ".ts", ".css", ".html", ".lua", ".md", ".json", ".txt", ".yml", ".yaml",
         ".cmake", "ingoma", "Dockerfile", ".ci/run")
PLACES = re.compile(r"(?<![\w.])/(?:work|home|root|Users|mnt)/|(?<![\w.])/tmp/(?:b-|brief|bash_)")
HOSTS = re.compile(r"registry\.(?:npmjs|yarnpkg)\.|files\.pythonhosted|pypi\.org|proxy\.golang|deb\.debian\.org|"
                   r"repo1?\.maven|index\.crates\.io|static\.crates\.io")


def check_todo(tree):
    for path in tree.select(*TEXTS, but=("tests/lint/",)):
        for number, line in enumerate(tree.lines(path), 1):
            if re.search(r"\b(TODO|FIXME|XXX)\b(?!\s*\(?#\d)", line):
                yield Finding(path, number, "todo", "without the number of an issue")


def check_places(tree):
    for path in tree.select(*TEXTS, but=("tests/lint/",)):
        for number, line in enumerate(tree.lines(path), 1):
            for pattern, what in ((PLACES, "a place of one machine"), (HOSTS, "a registry's host")):
                match = pattern.search(line)
                if match:
                    yield Finding(path, number, "places", "%s: %s" % (what, match.group()))


SCRIPT = re.compile(r"^(?:static )?struct adapter_script \w+(?:\[\w*\])? = \{.*?^\};", re.M | re.S)
SCRIPT_CALL = re.compile(r"redis\.p?call\('(\w+)'\s*(?:,\s*([\w\[\]#]+|[^\w\s]))?")
SCRIPT_LOCAL = re.compile(r"local ([\w, ]+) = ([^\\\n]+)")
KEYLESS = {"TIME"}


def check_scripts(tree):
    """Lua in C: every key is one of KEYS (or a local that is nothing else), and what KEYS are is declared by keys.def."""
    for path in tree.select(".c", under=("adapter/", "node/", "contacts/")):
        text = tree.text(path)
        known = {}
        for match in SCRIPT_LOCAL.finditer(text):
            for name, value in zip(match.group(1).split(","), match.group(2).split(",")):
                known.setdefault(name.strip(), set()).add(value.strip().startswith("KEYS["))
        for script in SCRIPT.finditer(text):
            if script.group().count(".text =") > script.group().count(".keys_count ="):
                yield Finding(path, line_of(text, script.start()), "scripts", "a script without .keys and .keys_count")
        for call in SCRIPT_CALL.finditer(text):
            command, key = call.groups()
            if command in KEYLESS or (key or "").startswith("KEYS[") or known.get(key) == {True}:
                continue
            yield Finding(path, line_of(text, call.start()), "scripts", "%s of %s, which is not one of KEYS" % (command, key))


CHECKS = {
    "arrows": check_arrows,
    "owners": check_owners,
    "own-header": check_own_header,
    "size": check_size,
    "functions": check_functions,
    "names": check_names,
    "guards": check_guards,
    "opening": check_opening,
    "mirror": check_mirror,
    "scripts": check_scripts,
    "todo": check_todo,
    "places": check_places,
}
