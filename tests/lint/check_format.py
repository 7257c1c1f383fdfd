"""clang-format has nothing to change in any C file."""

import re
import shutil
import subprocess

FINDING = re.compile(r"^(.*?):(\d+):\d+: (?:error|warning): (.*)$")
BATCH = 40


def check(tree):
    if not shutil.which("clang-format"):
        yield ".clang-format", 1, "clang-format is not installed (tools/install-deps)"
        return
    paths = tree.with_suffix(".c", ".h")
    for start in range(0, len(paths), BATCH):
        result = subprocess.run(
            ["clang-format", "--dry-run", "-Werror", *paths[start:start + BATCH]],
            cwd=tree.root, capture_output=True, text=True, check=False)
        seen = set()
        for line in result.stderr.splitlines():
            match = FINDING.match(line)
            if match and match.group(1) not in seen:
                seen.add(match.group(1))
                yield match.group(1), int(match.group(2)), "run clang-format -i on it"
        if result.returncode != 0 and not seen:
            yield ".clang-format", 1, result.stderr.strip().splitlines()[0]
