# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Runs the functions test_* of a module, in order. Says "plan NAME" of each beforehand, and then
"ok NAME" or "not ok NAME"."""

import sys
import traceback


def main(module, prefix):
    wanted = sys.argv[1:]
    failed = 0
    tests = [("%s: %s" % (prefix, name[len("test_"):].replace("_", " ")), test)
             for name, test in vars(module).items()
             if name.startswith("test_") and (not wanted or name in wanted)]
    for label, _ in tests:
        print("plan %s" % label, flush=True)
    for label, test in tests:
        try:
            figure = test()
            print("ok %s%s" % (label, " (%s)" % figure if figure else ""), flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print("not ok %s" % label)
            print("  | " + traceback.format_exc().replace("\n", "\n  | "), flush=True)
    return 1 if failed else 0
