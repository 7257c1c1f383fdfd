"""Every permission in a sandbox has its reason: the last argument of ...PERMIT...() is a string that says something."""

import re

CALL = re.compile(r"\b[A-Z_]*PERMIT[A-Z_]*\s*\(")  # also a list's own shorthands, as PERMIT_IOCTL
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
SHORTEST = 6  # characters: "free()" is the shortest reason there is


def arguments_of(text, start):
    """What stands between the parenthesis that ends before `start` and its partner."""
    depth = 1
    at = start
    while at < len(text) and depth:
        if text[at] == '"':
            at = STRING.match(text, at).end() if STRING.match(text, at) else at + 1
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return text[start:at - 1]


def check(tree):
    for path in tree.with_suffix(".c", ".h"):
        text = tree.text(path) or ""
        for match in CALL.finditer(text):
            line_start = text.rfind("\n", 0, match.start()) + 1
            if text[line_start:].lstrip().startswith(("#", "*", "/*")):
                continue
            number = text.count("\n", 0, match.start()) + 1
            arguments = arguments_of(text, match.end())
            strings = [found.group(1) for found in STRING.finditer(arguments)]
            reason = "".join(strings).strip()
            if not arguments.rstrip().endswith('"') or len(reason) < SHORTEST:
                call = arguments.split(",")[0].strip()
                yield path, number, f"the permission for {call} has no reason"
