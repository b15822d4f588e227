# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Runs the functions test_* of a module, in order; those named by arguments, if there are any.
Says "plan NAME" of each beforehand, and then "ok NAME" or "not ok NAME"."""

import inspect
import re
import sys
import traceback


def complaint(module, wanted):
    """Why not all that is wanted would be run; or None."""
    defined = re.findall(r"^def (test_\w+)", inspect.getsource(module), re.M)
    if not defined:
        return "there is no test"
    for name in wanted:
        if name not in defined:
            return "there is no %s; there are: %s" % (name, " ".join(defined))
    for name in defined:
        if defined.count(name) > 1:
            return "there are two %s, of which the first would not be run" % name
    return None


def main(module, prefix):
    wanted = sys.argv[1:]
    if "-h" in wanted or "--help" in wanted:
        print(module.__doc__)
        print("usage: %s [TEST...]" % sys.argv[0])
        return 0
    failed = 0
    wrong = complaint(module, wanted)
    if wrong is not None:
        print("not ok %s (%s)" % (prefix, wrong))
        return 1
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
