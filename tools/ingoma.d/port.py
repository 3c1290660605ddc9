#!/usr/bin/env python3
"""port.py PORT: says who listens on a TCP port, "PID NAME" or "?", with status 0; status 1 when nobody does."""
import os
import sys


def listeners(port):
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table) as rows:
                next(rows)
                for row in rows:
                    field = row.split()
                    if field[3] == "0A" and int(field[1].rsplit(":", 1)[1], 16) == port:
                        inodes.add("socket:[%s]" % field[9])
        except OSError:
            continue
    return inodes


def owner(inodes):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for fd in os.listdir("/proc/%s/fd" % pid):
                if os.readlink("/proc/%s/fd/%s" % (pid, fd)) in inodes:
                    with open("/proc/%s/comm" % pid) as comm:
                        return "%s %s" % (pid, comm.read().strip())
        except OSError:
            continue  # gone meanwhile, or not ours to look at
    return "?"


found = listeners(int(sys.argv[1]))
if not found:
    sys.exit(1)
print(owner(found))
