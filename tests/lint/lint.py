#!/usr/bin/env python3
"""Runs one lint check over the project: lint.py CHECK [--root FOLDER] [--build FOLDER]. Exit code 1 on a finding."""

import argparse
import importlib
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import lintlib  # noqa: E402  (the path has to be set before)

CHECKS = ("includes", "length", "comments", "leftovers", "reasons", "format", "scripts", "headers")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("check", choices=CHECKS)
    parser.add_argument("--root", default=pathlib.Path(__file__).parents[2])
    parser.add_argument("--build", help="build folder with compile_commands.json, for `headers`")
    options = parser.parse_args()

    tree = lintlib.Tree(options.root)
    if not tree.paths:
        sys.exit("lint: no files")
    module = importlib.import_module(f"check_{options.check}")
    if options.check == "headers":
        findings = module.check(tree, options.build)
    else:
        findings = module.check(tree)
    return lintlib.report(options.check, findings)


if __name__ == "__main__":
    sys.exit(main())
