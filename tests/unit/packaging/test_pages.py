"""The pages in Markdown: what they name is there, links lead somewhere, and the include table is the one that lint uses."""

import json
import pathlib
import re
import shutil
import subprocess
import sys

source, build = map(pathlib.Path, sys.argv[1:3])
errors = []
pages = sorted([*source.glob("*.md"), *(source / "docs").glob("*.md")])

for page in pages:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in target and not (page.parent / target).exists():
            errors.append("%s: the link to %s leads nowhere" % (page.name, target))
    # Names of files of the source: with a folder that there is, and no pattern.
    for name in re.findall(r"`(?:\./)?([a-z][\w-]*/[\w./-]+)`", text):
        if (source / name.split("/")[0]).is_dir() and not name.startswith("build/") and not (source / name).exists():
            errors.append("%s: %s is not there" % (page.name, name))
    for command in re.findall(r"^(?:\$ |sudo )?(\./tools/[\w-]+)", text, re.M):
        if not (source / command).exists():
            errors.append("%s: %s is not there" % (page.name, command))

# The include table, twice: for people and for lint.
table = {}
for line in (source / "tests/lint/include-table.txt").read_text().split("\n"):
    if line and not line.startswith("#"):
        folder, names = line.split(":")
        table[folder] = {name.rstrip("/") for name in names.split()}
told = {folder: {name.strip() for name in names.split(",") if name.strip()} for folder, names in
        re.findall(r"^\| `(\w+)/` \|[^|]*\|([^|]*)\|$", (source / "docs/ARCHITECTURE.md").read_text(), re.M)}
for folder in ("base", "input", "session", "display", "vmm", "hostd", "client", "guest"):
    if told.get(folder) != table.get(folder):
        errors.append("docs/ARCHITECTURE.md: %s may include %s, says lint" % (folder, sorted(table.get(folder, []))))

# Presets and methods that pages name.
presets = {preset["name"] for preset in json.loads((source / "CMakePresets.json").read_text())["configurePresets"]}
for preset in re.findall(r"^\| `(\w+)` \| ", (source / "CONTRIBUTING.md").read_text(), re.M):
    if preset not in presets:
        errors.append("CONTRIBUTING.md: there is no preset %s" % preset)
methods = set(re.findall(r"^\| ([A-Z]\w+) \|", (source / "docs/CONTROL.md").read_text(), re.M))
calls = set()
for file in (source / "client").glob("*.c"):
    calls |= set(re.findall(r"client_call(?:_long)?_take\([^;]*?\"([A-Z][a-z]+)\"", file.read_text(), re.S))
    calls |= set(re.findall(r"control_call_take\([^;]*?\"([A-Z][a-z]+)\"", file.read_text(), re.S))
for call in sorted(calls - methods):
    errors.append("client: calls %s, which docs/CONTROL.md does not have" % call)
if not calls:
    errors.append("this test finds no calls any more")

# The list of packages has every library that the build asks for.
packages = set(subprocess.check_output([source / "tools/install-deps", "--print", "--test"], text=True).split())
modules = set()
for file in [*source.glob("CMakeLists.txt"), *source.glob("[a-z]*/**/CMakeLists.txt"), *source.glob("cmake/*.cmake")]:
    if "build" not in file.relative_to(source).parts:
        modules |= set(re.findall(r"pkg_check_modules\(\w+ REQUIRED IMPORTED_TARGET (\w+)\)", file.read_text()))
for module in sorted(modules) if shutil.which("dpkg-query") else []:
    folder = subprocess.run(["pkg-config", "--variable=pcfiledir", module], stdout=subprocess.PIPE, text=True, check=True)
    found = subprocess.run(["dpkg-query", "-S", "%s/%s.pc" % (folder.stdout.strip(), module)], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, text=True, check=False).stdout.split(":")[0]
    if found and found not in packages:
        errors.append("tools/install-deps: %s, which has %s, is missing" % (found, module))

print("\n".join(errors) or "ok")
sys.exit(1 if errors else 0)
