"""Who may include whom: holds every #include "..." of a C file against include-table.txt."""

import pathlib
import re

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
TABLE = pathlib.Path(__file__).with_name("include-table.txt")


def read_table(text):
    table = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            folder, _, prefixes = line.partition(":")
            table[folder.strip()] = prefixes.split()
    return table


def permitted(table, folder, header):
    if header.startswith(folder + "/"):
        return True
    return any(header.startswith(prefix) if prefix.endswith("/") else header == prefix
               for prefix in table[folder])


def check(tree):
    table = read_table(TABLE.read_text())
    for path in tree.with_suffix(".c", ".h"):
        folder = path.split("/")[0]
        if folder not in table:
            yield path, 1, f"folder {folder} has no row in tests/lint/include-table.txt"
            continue
        for number, line in enumerate((tree.text(path) or "").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            header = match.group(1)
            if ".." in header.split("/"):
                yield path, number, f'"{header}": include from the top folder, not with ".."'
            elif header.split("/")[0] in table and not permitted(table, folder, header):
                yield path, number, f'{folder}/ must not include "{header}"'
