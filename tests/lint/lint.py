#!/usr/bin/env python3
"""lint.py [--build DIR] [CHECK...]: the machines that read the code. One line per finding, `file:line: rule: text`;
the last line counts the checks. Without names: all checks. The checks are in house.py and machines.py."""
import argparse
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import house  # noqa: E402
import machines  # noqa: E402
from tree import Tree  # noqa: E402

CHECKS = {**house.CHECKS, **machines.CHECKS}


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/asan", help="folder of compile_commands.json and generated headers")
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(CHECKS))
    args = parser.parse_args()
    for name in args.checks:
        if name not in CHECKS:
            parser.error('there is no check "%s"; there are: %s' % (name, ", ".join(CHECKS)))
    tree = Tree(root, args.build)
    passed = failed = skipped = 0
    for name in args.checks or CHECKS:
        start = time.monotonic()
        try:
            findings = list(CHECKS[name](tree))
        except machines.Skip as reason:
            print("lint: %s skipped: %s" % (name, reason), flush=True)
            skipped += 1
            continue
        for finding in findings:
            print(finding)
        wrong = sum(not finding.note for finding in findings)
        if wrong:
            failed += 1
        else:
            passed += 1
        print("lint: %s %s (%.1f s)" % (name, "has %d findings" % wrong if wrong else "ok", time.monotonic() - start), flush=True)
    print("lint: %d checks passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
