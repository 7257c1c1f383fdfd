"""Every header compiles alone, with the flags that the sources of its folder are compiled with."""

import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess

DROPPED_WITH_VALUE = ("-o", "-MF", "-MT", "-MQ")
DROPPED = ("-c", "-MD", "-MMD", "-g")


def read_flags(build, root):
    """The compiler and flags of one source of each folder, from the build's compile_commands.json."""
    flags = {}
    database = pathlib.Path(build) / "compile_commands.json"
    if not database.exists():
        return flags
    for entry in json.loads(database.read_text()):
        source = pathlib.Path(entry["directory"], entry["file"])
        words = shlex.split(entry["command"]) if "command" in entry else entry["arguments"]
        if source.suffix != ".c" or root not in source.parents:
            continue
        kept = []
        skip = False
        for word in words:
            if skip:
                skip = False
            elif word in DROPPED_WITH_VALUE:
                skip = True
            elif word not in DROPPED and word != str(source) and word != entry["file"]:
                kept.append(word)
        flags.setdefault(source.parent, kept)
    return flags


def flags_for(header, flags, root):
    for folder in header.parents:
        if folder in flags:
            return flags[folder]
        below = [words for known, words in sorted(flags.items()) if folder in known.parents]
        if below:
            return below[0]
        if folder == root:
            break
    return ["cc", "-std=gnu17", "-D_GNU_SOURCE", f"-I{root}"]


def compile_alone(root, path, words):
    header = root / path
    command = [*words, "-fsyntax-only", "-Werror", "-Wno-unused-function", "-include", str(header), "-x", "c",
               os.devnull]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return None
    lines = [line for line in result.stderr.splitlines() if "error" in line] or result.stderr.splitlines()
    return path, 1, f"does not compile alone: {lines[0] if lines else 'compiler failed'}"


def check(tree, build=None):
    root = tree.root
    flags = read_flags(build, root) if build else {}
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as workers:
        jobs = [workers.submit(compile_alone, root, path, flags_for(root / path, flags, root))
                for path in tree.with_suffix(".h")]
        for job in jobs:
            if job.result():
                yield job.result()
