# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Runs the functions test_* of a module, in order: "ok NAME" or "not ok NAME" for each."""

import sys
import traceback


def main(module, prefix):
    wanted = sys.argv[1:]
    failed = 0
    for name, test in list(vars(module).items()):
        if not name.startswith("test_") or (wanted and name not in wanted):
            continue
        label = "%s: %s" % (prefix, name[len("test_"):].replace("_", " "))
        try:
            figure = test()
            print("ok %s%s" % (label, " (%s)" % figure if figure else ""), flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print("not ok %s" % label)
            print("  | " + traceback.format_exc().replace("\n", "\n  | "), flush=True)
    return 1 if failed else 0
