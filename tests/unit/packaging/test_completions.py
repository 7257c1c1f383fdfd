"""The completions for bash, zsh and fish know exactly the commands and options that the command itself knows."""

import json
import pathlib
import re
import shutil
import subprocess
import sys

source, build = map(pathlib.Path, sys.argv[1:3])
folder = source / "packaging/completions"
told = json.loads(subprocess.check_output([build / "client/tanmatsu", "help", "--json"]))
common = {"--" + option["name"] for option in told["options"]}
commands = {command["name"]: {"--" + option["name"] for option in command["options"]} for command in told["commands"]}
summaries = {command["name"]: command["summary"] for command in told["commands"]}


def check(what, found, expected):
    if found != expected:
        sys.exit("%s: not known: %s; known but not there: %s" % (what, sorted(expected - found), sorted(found - expected)))


# bash: the function is run, with an empty list of sessions.
def bash(*words):
    script = """
        tanmatsu() { printf 'SESSION  USER\\nalice    alice\\nbob      bob\\n'; }
        source "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        _tanmatsu
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    out = subprocess.run(["bash", "-c", script, "bash", folder / "tanmatsu.bash", *words], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, check=True)
    assert not out.stderr, out.stderr
    return set(out.stdout.split())


check("bash: commands", bash("tanmatsu", ""), set(commands))
check("bash: commands after an option", bash("tanmatsu", "--control", "/x", "s"),
      {name for name in commands if name.startswith("s")})
for name, options in commands.items():
    check("bash: options of " + name, bash("tanmatsu", name, "--"), options | common)
for name in ("status", "suspend", "attach", "type", "logs"):
    check("bash: sessions of " + name, bash("tanmatsu", name, ""), {"alice", "bob"})
check("bash: sessions after an option with a value", bash("tanmatsu", "stop", "-t", "5", "a"), {"alice"})
check("bash: kinds of logs", bash("tanmatsu", "logs", "--kind", ""), {"events", "console"})
check("bash: help", bash("tanmatsu", "help", ""), set(commands))

# zsh: the text, and its syntax if there is a zsh.
zsh = (folder / "_tanmatsu").read_text()
entries = dict(re.findall(r"^\t\t'([a-z]+):(.*)'$", zsh, re.M))
check("zsh: commands", set(entries), set(commands))
assert entries == summaries, "zsh: summaries"
blocks = dict()
for names, body in re.findall(r"^\t([a-z| ]+)\) ?(.*?);;$", zsh[zsh.index("case $line[1]"):], re.M | re.S):
    for name in names.split("|"):
        blocks[name.strip()] = set(re.findall(r"--[a-z][a-z-]*", re.sub(r"\[[^]]*\]", "", body)))
for name, options in commands.items():
    check("zsh: options of " + name, blocks.get(name, set()), options)
check("zsh: common options", set(re.findall(r"--[a-z]+", zsh[zsh.index("common=("):zsh.index("_arguments -C")])), common)

# fish likewise.
fish = (folder / "tanmatsu.fish").read_text()
subcommands = dict(re.findall(r"__fish_use_subcommand -a ([a-z]+) -d '(.*)'$", fish, re.M))
assert subcommands == summaries, "fish: summaries"
found = {name: set() for name in commands}
for names, option in re.findall(r"__fish_seen_subcommand_from ([a-z ]+)'.* -l ([a-z-]+)", fish):
    for name in names.split():
        found[name].add("--" + option)
for name, options in commands.items():
    check("fish: options of " + name, found[name], options)
check("fish: common options", {"--" + name for name in re.findall(r"^complete -c tanmatsu (?:-s . )?-l ([a-z-]+)", fish, re.M)},
      common)

for shell, file in (("bash", "tanmatsu.bash"), ("zsh", "_tanmatsu"), ("fish", "tanmatsu.fish")):
    if shutil.which(shell):
        subprocess.run([shell, "-n", folder / file], check=True)
print("ok")
