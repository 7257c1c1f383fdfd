"""Every source opens with why it exists: the first thing in it (after #! or #compdef) is a comment of some substance."""

import re

OPENING = (
    ((".c", ".h"), re.compile(r"/\*.*?\*/", re.DOTALL)),
    ((".S",), re.compile(r"/\*.*?\*/|#[^\n]*", re.DOTALL)),
    ((".py",), re.compile(r'""".*?"""|#[^\n]*', re.DOTALL)),
    ((".sh", ".cmake", "CMakeLists.txt", ".bash", ".fish"), re.compile(r"#[^\n]*")),
)
SHORTEST = 3  # words


def opening_of(tree, path):
    for suffixes, pattern in OPENING:
        if path.endswith(suffixes):
            return pattern
    if tree.shebang(path):
        return re.compile(r'""".*?"""|#[^\n]*', re.DOTALL)
    return None


def check(tree):
    for path in tree.paths:
        pattern = opening_of(tree, path)
        text = tree.text(path) if pattern else None
        if text is None:
            continue
        if text.startswith("#!"):
            text = text.partition("\n")[2]
        match = pattern.match(text.lstrip())
        if not match:
            yield path, 1, "does not open with a comment that says why it exists"
        elif len(re.findall(r"[A-Za-z]{2,}", match.group(0))) < SHORTEST:
            yield path, 1, "its opening comment says nothing"
