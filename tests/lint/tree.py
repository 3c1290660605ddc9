"""The tree as the checks see it: files, lines, and C text without comments and strings. Changes nothing."""
import os
import re
import subprocess

SKIPPED_FOLDERS = {".git", "build", "node_modules", ".run", "__pycache__"}
C_COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


class Finding:
    """One line of the report. A note is printed but does not fail."""

    def __init__(self, path, line, rule, text, note=False):
        self.path, self.line, self.rule, self.text, self.note = path, line, rule, text, note

    def __str__(self):
        return "%s:%d: %s: %s%s" % (self.path, self.line, self.rule, "note: " if self.note else "", self.text)


class Tree:
    def __init__(self, root, build="build/asan"):
        self.root, self.build = root, build
        self.paths = sorted(self._find())
        self._texts = {}

    def _find(self):
        """What git knows or would take; every file where there is no repository (samples of the tests)."""
        if os.path.isdir(os.path.join(self.root, ".git")):
            done = subprocess.run(["git", "-C", self.root, "ls-files", "-co", "--exclude-standard"],
                                  capture_output=True, text=True)
            if done.returncode == 0:
                return [p for p in set(done.stdout.split("\n")) if p and os.path.isfile(os.path.join(self.root, p))]
        found = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = [f for f in folders if f not in SKIPPED_FOLDERS]
            found += [os.path.relpath(os.path.join(folder, f), self.root) for f in files]
        return found

    def text(self, path):
        if path not in self._texts:
            with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as f:
                self._texts[path] = f.read()
        return self._texts[path]

    def lines(self, path):
        return self.text(path).splitlines()

    def code(self, path):
        """C text with comments and strings blanked; the lines stay where they were."""
        def blank(match):
            inner = re.sub(r"[^\n]", " ", match.group())
            return inner if match.group()[0] == "/" else '"' + inner[1:-1] + '"'
        return C_COMMENT_OR_STRING.sub(blank, self.text(path))

    def exists(self, path):
        return path in self.paths or os.path.exists(os.path.join(self.root, path))

    def select(self, *endings, under=(), but=()):
        """Paths by ending, within some folders, without others."""
        return [p for p in self.paths
                if p.endswith(endings) and (not under or p.startswith(tuple(under))) and not p.startswith(tuple(but) or "\0")]

    def sources(self):
        """The C of the house itself: no tests."""
        return self.select(".c", ".h", ".def", but=("tests/",))

    def all_c(self):
        return self.select(".c", ".h")

    def absolute(self, path):
        return os.path.join(self.root, path)
