#!/usr/bin/env python3
"""The checks themselves: each must find what is planted in a small tree, name its line, and pass the clean one."""

import importlib
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import lintlib  # noqa: E402  (the path has to be set before)

CLEAN = {
    "base/a.h": "/* What a is for. */\n#pragma once\n\n#include <stdint.h>\n\nuint32_t a(void);\n",
    "base/a.c": '/* How a is done. */\n#include "base/a.h"\n\nuint32_t a(void)\n{\n\treturn 1;\n}\n',
    "input/b.h": '/* What b is for. */\n#pragma once\n\n#include "base/a.h"\n\nuint32_t b(void);\n',
    "tools/run": "#!/bin/sh\n# Runs it and stops.\nset -e\ntrue\n",
    "tests/t.py": '"""A test of something."""\n',
}

# check: file to plant, its content, line of the finding, what the finding says
PLANTED = (
    ("includes", "base/up.c", '/* Reaches up too far. */\n#include "input/b.h"\n', 2, 'base/ must not include "input/b.h"'),
    ("includes", "display/x.c", '/* Looks into vmm. */\n\n#  include "vmm/memory.h"\n', 3, "display/ must not include"),
    ("includes", "vmm/x.c", '/* Any other header. */\n#include "display/rfb.h"\n', 2, '"display/rfb.h"'),
    ("includes", "hostd/x.c", '/* By a side way. */\n#include "../vmm/memory.h"\n', 2, '".."'),
    ("includes", "guest/x.c", '/* Of the host. */\n#include "base/a.h"\n', 2, "guest/ must not include"),
    ("includes", "extra/x.c", "/* A new folder. */\n", 1, "no row"),
    ("length", "base/long.c", "/* A long file here. */\n" + "\n" * 500, 501, "501 lines"),
    ("comments", "base/bare.c", '#include "base/a.h"\n', 1, "does not open"),
    ("comments", "base/mute.c", "/* mute */\n", 1, "says nothing"),
    ("comments", "tools/bare", "#!/bin/sh\nset -e\n", 1, "does not open"),
    ("comments", "tests/bare.py", "import os\n", 1, "does not open"),
    ("leftovers", "base/later.c", "/* What it is for. */\n/* TO" + "DO: more */\n", 2, "do it, or leave it out"),
    ("leftovers", "docs/later.md", "# Page\n\nFIX" + "ME\n", 3, "do it, or leave it out"),
    ("reasons", "base/list.c", '/* A list of calls. */\n\tSANDBOX_PERMIT(read, "it reads"),\n\tSANDBOX_PERMIT(open, ""),\n', 3,
     "permission for open"),
    ("reasons", "base/list.c", '/* A list of calls. */\n\tSANDBOX_PERMIT_ARG(ioctl, 1,\n\t\tX("a"), NULL),\n', 2,
     "permission for ioctl"),
    ("reasons", "vmm/list.c", '/* A list of calls. */\n\tPERMIT_IOCTL(KVM_RUN, why),\n', 2, "permission for KVM_RUN"),
    ("format", "base/ugly.c", "/* Not formatted. */\nint  a( void ) ;\n", 2, "clang-format"),
    ("scripts", "tools/broken", "#!/bin/bash\n# Does not parse.\nset -e\nif true; then\n", 1, "syntax error"),
    ("scripts", "tools/careless", "#!/bin/sh\n# Goes on after errors.\ntrue\n", 1, "set -e"),
    ("scripts", "tests/broken.py", '"""Does not parse."""\ndef f(:\n', 2, ""),
    ("headers", "base/needy.h", "/* Needs another header. */\n#pragma once\n\nuint32_t c(void);\n", 1,
     "does not compile alone"),
)


class Checks(unittest.TestCase):
    def run_check(self, name, extra):
        with tempfile.TemporaryDirectory() as folder:
            for path, content in {**CLEAN, **extra}.items():
                file = pathlib.Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content)
            style = pathlib.Path(__file__).parents[2] / ".clang-format"
            shutil.copy(style, folder)
            return list(importlib.import_module(f"check_{name}").check(lintlib.Tree(folder)))

    def test_clean_tree_passes(self):
        for name in sorted({planted[0] for planted in PLANTED}):
            with self.subTest(check=name):
                self.assertEqual(self.run_check(name, {}), [])

    def test_every_planted_violation_is_found(self):
        for name, path, content, line, text in PLANTED:
            with self.subTest(check=name, planted=path):
                findings = self.run_check(name, {path: content})
                self.assertEqual([(found[0], found[1]) for found in findings], [(path, line)])
                self.assertIn(text, findings[0][2])

    def test_every_check_is_tested(self):
        lint = importlib.import_module("lint")
        self.assertEqual({planted[0] for planted in PLANTED}, set(lint.CHECKS))


if __name__ == "__main__":
    unittest.main()
