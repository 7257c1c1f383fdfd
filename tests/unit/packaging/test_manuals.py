"""Every option that a program tells of is in its manual page, every option in the page is known to the program, and the
pages are sound."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

source, build = map(pathlib.Path, sys.argv[1:3])
PROGRAMS = {
    "tanmatsu-hostd": "hostd/tanmatsu-hostd",
    "tanmatsu-auth": "hostd/tanmatsu-auth",
    "tanmatsu-display": "display/tanmatsu-display",
    "tanmatsu-vmm": "vmm/tanmatsu-vmm",
}
errors = []


def options(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


def page_text(name):
    return (source / "docs/man" / name).read_text()


def option_heads(text):
    """The options that a page explains: in its tagged paragraphs."""
    heads = [line for line in text.split("\n") if re.match(r"\t*\*-", line)]
    return options(" ".join(heads).replace("*", ""))


# Programs with their --help.
for name, path in PROGRAMS.items():
    told = options(subprocess.run([build / path, "--help"], stdout=subprocess.PIPE, check=True, text=True).stdout)
    explained = option_heads(page_text(name + ".8.scd"))
    for option in sorted(told - explained):
        errors.append("%s.8 does not explain %s" % (name, option))
    for option in sorted(explained - told):
        errors.append("%s.8 explains %s, which %s --help does not know" % (name, option, name))

# The command with its table, command by command.
told = json.loads(subprocess.check_output([build / "client/tanmatsu", "help", "--json"]))
text = page_text("tanmatsu.1.scd")
sections = dict(re.findall(r"^# ([A-Z ]+)\n(.*?)(?=^# |\Z)", text, re.M | re.S))
common = {"--" + option["name"] for option in told["options"]}
if option_heads(sections["OPTIONS"]) != common:
    errors.append("tanmatsu.1: OPTIONS are not the common options: %s" % (option_heads(sections["OPTIONS"]) ^ common))
blocks = dict(re.findall(r"^\*([a-z]+)\*[^\n]*\n(.*?)(?=^\*[a-z]|\Z)", sections["COMMANDS"], re.M | re.S))
for command in told["commands"]:
    name = command["name"]
    if name not in blocks:
        errors.append("tanmatsu.1 does not explain " + name)
        continue
    known = {"--" + option["name"] for option in command["options"]}
    for option in sorted(option_heads(blocks[name]) ^ known):
        errors.append("tanmatsu.1: %s: %s is in the page or in the command, not in both" % (name, option))
    for option in command["options"]:
        if option["letter"] and not re.search(r"\*-%s\*, \*--%s\*" % (option["letter"], option["name"]), blocks[name]):
            errors.append("tanmatsu.1: %s: -%s is missing" % (name, option["letter"]))
for name in set(blocks) - {command["name"] for command in told["commands"]}:
    errors.append("tanmatsu.1 explains the command %s, which there is not" % name)

# Exit statuses of the command and of the processes.
statuses = {"tanmatsu.1.scd": re.findall(r"CLIENT_\w+ = (\d+)", (source / "client/client.h").read_text()),
            "tanmatsu-vmm.8.scd": re.findall(r"VMM_EXIT_\w+ = (\d+)", (source / "vmm/control.h").read_text()),
            "tanmatsu-display.8.scd": re.findall(r"DISPLAY_EXIT_\w+ = (\d+)", (source / "display/control.h").read_text())}
for name, numbers in statuses.items():
    section = re.search(r"^# EXIT STATUS\n(.*?)(?=^# )", page_text(name), re.M | re.S).group(1)
    for number in numbers:
        if "*%s*\n" % number not in section:
            errors.append("%s: exit status %s is missing" % (name, number))

# All pages: built, and without a complaint of man's.
for page in sorted((source / "docs/man").glob("*.scd")):
    built = build / "docs" / page.stem
    if not built.exists():
        errors.append("%s was not built" % page.stem)
    elif shutil.which("man"):
        out = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", built], stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True, check=False,
                             env=dict(os.environ, MANROFFSEQ="", MANWIDTH="80"))
        if out.returncode or out.stderr.strip():
            errors.append("%s: %s" % (page.stem, out.stderr.strip()))

print("\n".join(errors) or "ok")
sys.exit(1 if errors else 0)
