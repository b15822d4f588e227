# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Holds the systemd unit of the service against a bound of systemd-analyze, and its filter of
system calls against what the service asks for itself.

usage: unit.py TOP
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

# Tenths of systemd's points. What is open has its reason in the unit.
EXPOSURE = 6
# Those of a service that starts; the others are in the list that it loads then.
AT_START = {"bind", "capset", "chmod", "listen", "prlimit64", "prctl", "seccomp", "umask"}


def calls(name):
    """What the system calls of a name are, which may be a group's."""
    if not name.startswith("@"):
        return {name}
    text = subprocess.run(["systemd-analyze", "syscall-filter", name], check=True,
                          capture_output=True, text=True).stdout
    found = set()
    for line in text.splitlines()[1:]:
        word = line.strip()
        if word and not word.startswith("#"):
            found |= calls(word)
    return found


def allowed(unit):
    result = calls("@default")
    for words in re.findall(r"^SystemCallFilter=(.*)", unit, re.M):
        some = set().union(*(calls(word) for word in words.lstrip("~").split()))
        result = result - some if words.startswith("~") else result | some
    return result


def main(top):
    with open(os.path.join(top, "app/spimdevd/spimdevd.service.in"), encoding="utf-8") as f:
        unit = f.read().replace("@sbindir@", "/usr/sbin")
    with open(os.path.join(top, "app/spimdevd/sandbox.c"), encoding="utf-8") as f:
        asked = set(re.findall(r"\{ SCMP_SYS\((\w+)\), (?!RULE_KILL)", f.read()))
    if len(asked) < 50:
        sys.exit("sandbox.c: %d system calls; expected a list of 50 and more" % len(asked))
    missing = (asked | AT_START) - allowed(unit)
    if missing:
        sys.exit("the unit filters what the service needs: %s" % ", ".join(sorted(missing)))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "spimdevd.service")
        with open(path, "w", encoding="utf-8") as f:
            f.write(unit)
        sys.exit(subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager",
                                 "--threshold=%d" % EXPOSURE, path], check=False).returncode)


if __name__ == "__main__":
    PARSER = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    PARSER.add_argument("top")
    main(PARSER.parse_args().top)
