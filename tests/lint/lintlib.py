"""What the lint checks share: the files of the project, and how a finding is told.

A check is a function that takes a Tree and yields (path, line, text). The files are those that git tracks; outside of
a git work tree (a release's tarball, a planted tree of the self-test) all files but the build folder's.
"""

import pathlib
import subprocess
import sys


class Tree:
    """The project's files, as paths relative to the root."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.paths = self._tracked() or self._walk()

    def _tracked(self):
        result = subprocess.run(
            ["git", "-C", str(self.root), "-c", f"safe.directory={self.root}", "ls-files", "-z"],
            capture_output=True, check=False)
        top = (self.root / ".git").exists()
        if result.returncode != 0 or not top:
            return []
        names = [name for name in result.stdout.decode().split("\0") if name]
        return sorted(name for name in names if (self.root / name).is_file())

    def _walk(self):
        return sorted(
            str(path.relative_to(self.root)) for path in self.root.rglob("*")
            if path.is_file() and path.relative_to(self.root).parts[0] not in ("build", ".git"))

    def with_suffix(self, *suffixes):
        return [path for path in self.paths if path.endswith(suffixes)]

    def text(self, path):
        """The content of a text file, or None for a binary one (fuzz corpora, pictures)."""
        data = (self.root / path).read_bytes()
        if b"\0" in data:
            return None
        try:
            return data.decode()
        except UnicodeDecodeError:
            return None

    def shebang(self, path):
        """The first line of a script, or an empty string."""
        with open(self.root / path, "rb") as file:
            line = file.readline(200)
        return line.decode(errors="replace").strip() if line.startswith(b"#!") else ""


def report(name, findings):
    """Prints the findings as compilers do. Returns the exit code."""
    count = 0
    for path, line, text in findings:
        print(f"{path}:{line}: {text}", file=sys.stderr)
        count += 1
    if count:
        print(f"{name}: {count} finding{'s' if count > 1 else ''}", file=sys.stderr)
    return 1 if count else 0
