#!/usr/bin/env python3
"""docs.py [--build DIR] [--check]: writes the pages of docs/ that are made from tables (ingoma-docs prints them),
lets schemas/gen.py do its own, and looks whether the links of all pages lead to a file. --check only compares."""
import argparse
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGES = ("config", "metrics", "errors", "close", "redis")
SKIPPED_FOLDERS = {".git", "build", "node_modules", ".run"}


def make_pages(build, check):
    """Yields one line per finding."""
    program = os.path.join(build, "ingoma-docs")
    if not os.path.exists(program):
        yield "docs:1: generated: %s is not built" % os.path.relpath(program, ROOT)
        return
    for page in PAGES:
        path = os.path.join(ROOT, "docs", page + ".md")
        text = subprocess.run([program, page], check=True, capture_output=True, text=True).stdout
        try:
            with open(path, encoding="utf-8") as old:
                same = old.read() == text
        except OSError:
            same = False
        if same:
            continue
        if check:
            yield "docs/%s.md:1: generated: differs from its table; run ./ingoma docs" % page
        else:
            with open(path, "w", encoding="utf-8") as new:
                new.write(text)
            print("wrote docs/%s.md" % page)


def run_schemas(check):
    """The schemas' generator keeps docs/events.md and the TypeScript types."""
    generator = os.path.join(ROOT, "schemas", "gen.py")
    if not os.path.exists(generator):
        yield "schemas/gen.py:1: generated: the generator is missing"
        return
    done = subprocess.run([sys.executable, generator, "check" if check else "all"], cwd=ROOT,
                          capture_output=True, text=True)
    if done.returncode != 0:
        for line in (done.stdout + done.stderr).strip().splitlines() or ["failed"]:
            yield "schemas/gen.py:1: generated: %s" % line
    elif not check and done.stdout.strip():
        print(done.stdout.strip())


def markdown_files():
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS)
        for name in sorted(files):
            if name.endswith(".md"):
                yield os.path.join(folder, name)


def links():
    for path in markdown_files():
        with open(path, encoding="utf-8") as page:
            lines = page.read().splitlines()
        for number, line in enumerate(lines, 1):
            line = re.sub(r"`[^`]*`", "", line)  # code is no link
            for target in re.findall(r"\]\(([^)\s]+)\)", line):
                if re.match(r"[a-z]+:|#", target):
                    continue
                if not os.path.exists(os.path.join(os.path.dirname(path), target.split("#")[0])):
                    yield "%s:%d: link: %s does not exist" % (os.path.relpath(path, ROOT), number, target)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/asan")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    findings = list(make_pages(os.path.join(ROOT, args.build), args.check))
    findings += run_schemas(args.check)
    findings += links()
    for line in findings:
        print(line)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
