"""Every shell and Python script of ours parses. Shell scripts that run commands stop at the first error."""

import ast
import subprocess


def check(tree):
    for path in tree.paths:
        shebang = tree.shebang(path)
        if path.endswith(".py") or "python" in shebang:
            try:
                ast.parse(tree.text(path) or "", path)
            except SyntaxError as error:
                yield path, error.lineno or 1, error.msg
        elif path.endswith((".sh", ".bash")) or shebang.endswith(("/sh", "bash", " sh")):
            shell = "sh" if shebang.endswith("/sh") else "bash"
            result = subprocess.run([shell, "-n", path], cwd=tree.root, capture_output=True, text=True,
                                    check=False)
            if result.returncode != 0:
                yield path, 1, result.stderr.strip().splitlines()[0]
            if shebang and "set -" not in (tree.text(path) or ""):
                yield path, 1, "a script begins with set -e (or -eu)"
