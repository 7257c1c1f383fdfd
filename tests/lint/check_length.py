"""A C file has at most 500 lines, unless long-files.txt says why it has more."""

import pathlib

LIMIT = 500
EXCEPTIONS = pathlib.Path(__file__).with_name("long-files.txt")


def check(tree):
    exceptions = {}
    for number, line in enumerate(EXCEPTIONS.read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            path, _, reason = line.partition(":")
            exceptions[path.strip()] = reason.strip()
            if not reason.strip():
                yield "tests/lint/long-files.txt", number, f"{path}: a reason is missing"
    for path in tree.with_suffix(".c", ".h"):
        count = len((tree.text(path) or "").splitlines())
        if count > LIMIT and path not in exceptions:
            yield path, count, f"{count} lines, more than {LIMIT}: split it, or give the reason in tests/lint/long-files.txt"
