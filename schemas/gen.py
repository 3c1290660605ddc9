#!/usr/bin/env python3
"""Writes what the schemas say. Standard library only.

  gen.py c DIR          events_in.h/.c, events_out.h/.c, rest_routes.h/.c, events_examples_test.c
  gen.py ts FILE        TypeScript types
  gen.py docs FILE      events.md
  gen.py asyncapi FILE  AsyncAPI 3
  gen.py all            the committed ones, in their places
  gen.py check          are the committed ones up to date?
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True  # the tree stays clean
sys.path.insert(0, str(HERE))

from generator import asyncapi, c_in, c_out, c_test, docs, migration, rest, ts  # noqa: E402
from generator.model import Model, SchemaError  # noqa: E402

COMMITTED = {"client/src/generated/events.ts": ts.source, "docs/events.md": docs.source,
             "docs/asyncapi.json": asyncapi.source, "docs/migration.md": migration.source,
             "docs/rest.md": rest.docs, "docs/openapi.json": rest.openapi}
ONE_FILE = {"ts": ts.source, "docs": docs.source, "asyncapi": asyncapi.source}


def write(path, text):
    """Only when it changed, so that nothing is built again for nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def write_c(model, folder):
    for name, text in (("events_in.h", c_in.header(model)), ("events_in.c", c_in.source(model)),
                       ("events_out.h", c_out.header(model)), ("events_out.c", c_out.source(model)),
                       ("rest_routes.h", rest.header(model)), ("rest_routes.c", rest.source(model)),
                       ("events_examples_test.c", c_test.source(model))):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")  # always: the build compares times


def check(model):
    stale = [name for name, source in COMMITTED.items()
             if not (HERE.parent / name).exists() or (HERE.parent / name).read_text(encoding="utf-8") != source(model)]
    for name in stale:
        print(f"{name} is not what the schemas say: run schemas/gen.py all", file=sys.stderr)
    return 1 if stale else 0


def main(args):
    try:
        model = Model()
        if args == ["check"]:
            return check(model)
        if args == ["all"]:
            for name, source in COMMITTED.items():
                write(HERE.parent / name, source(model))
        elif len(args) == 2 and args[0] == "c":
            write_c(model, pathlib.Path(args[1]))
        elif len(args) == 2 and args[0] in ONE_FILE:
            write(pathlib.Path(args[1]), ONE_FILE[args[0]](model))
        else:
            print(__doc__, file=sys.stderr)
            return 2
        return 0
    except SchemaError as e:
        print(f"schemas: {e}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
