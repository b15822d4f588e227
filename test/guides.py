# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Runs the commands of README and the guides, from their own text.

usage: guides.py [--list] [PAGE...]

A comment before a block of commands says what is to be done with it: "run: here", or "run: no, WHY"
of one that needs QEMU, hardware, hours, or more than a folder of its own. A block without such a
comment is an error. The blocks of a page run one after the other, in one shell that stands in the
top of the tree, where there is a file FILE; what they left running is ended behind the last one. Of
a block with prompts only the lines behind a prompt are commands. Run it in a system and a tree of
its own (config/chroot.sh --fresh): README builds the tree, and some pages install what was built.
"""

import argparse
import glob
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIMIT = 600
# What a block of commands begins with, behind a prompt if there is one.
COMMAND = re.compile(r"(?:[#$] )?(?:[\w./]+/)?(?:apt-get|cc|cd|config|dpdk-[\w.-]+|echo|env|insmod|"
                     r"ls|lspci|make|meson|mkdir|modprobe|ninja|nice|perl|python3|qemu-\S+|sh|"
                     r"spimctl|spimdevd|spimgz|systemctl|[\w-]+\.sh|example)\b")


def blocks(path):
    """(line, marker or None, lines) of each block of a page, in order."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    marker, found, i = None, [], 0
    while i < len(lines):
        line = lines[i]
        mark = re.match(r"\s*(?:\.\. |<!-- )run: (.*?)(?: -->)?$", line)
        if mark:
            marker = mark.group(1)
        fenced = path.endswith(".md") and line.startswith("```")
        literal = path.endswith(".rst") and (
            line.strip() == ".. code-block:: console" or
            (line.rstrip().endswith("::") and not line.lstrip().startswith("..")))
        if fenced:
            end = lines.index("```", i + 1)
            found.append((i + 1, marker, lines[i + 1:end]))
        elif literal:
            # Where the text begins that the block belongs to, in an item of a list or not.
            depth = len(line) - len(re.sub(r"^\s*(?:#\.|\d+\.|-)?\s*", "", line))
            end = i + 1
            while end < len(lines) and (not lines[end].strip() or
                                        len(lines[end]) - len(lines[end].lstrip()) > depth):
                end += 1
            body = [text for text in lines[i + 1:end] if text.strip()]
            margin = min([len(text) - len(text.lstrip()) for text in body] or [0])
            found.append((i + 1, marker, [text[margin:] for text in body]))
        else:
            i += 1
            continue
        marker, i = None, end + fenced
    return found


def commands(lines):
    """Those of a block, without prompts and what they print."""
    prompts = [line for line in lines if re.match(r"[#$] ", line)]
    out = [line[2:] for line in prompts] or lines
    # Whoever types the next one has seen that the one before is there.
    return [line + (" sleep 3" if line.rstrip().endswith("&") else "") for line in out]


def pages():
    found = [os.path.join(TOP, "README.md")]
    return found + sorted(glob.glob(os.path.join(TOP, "doc", "guides", "**", "*.rst"),
                                    recursive=True))


def run(script):
    """What is wrong, or None."""
    shutil.copyfile("/bin/bash", os.path.join(TOP, "FILE"))
    with subprocess.Popen(["bash", "-euxc", "trap 'set +e; kill $(jobs -p); wait' EXIT\n" +
                           script + "\nexit 0\n"], cwd=TOP, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", start_new_session=True) as shell:
        try:
            text, _ = shell.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, 9)
            text, _ = shell.communicate()
            return "no end within %d s\n%s" % (LIMIT, text[-3000:])
    return None if shell.returncode == 0 else "ended with %d\n%s" % (shell.returncode,
                                                                   text[-3000:])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="only say what there is")
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="only these, from the top")
    args = parser.parse_args()
    scripts, wrong = {}, []
    for path in pages():
        name = os.path.relpath(path, TOP)
        for line, marker, lines in blocks(path):
            if marker is None and lines and COMMAND.match(lines[0]):
                wrong.append("%s:%d: no 'run:' before: %s" % (name, line, lines[0]))
            elif marker == "here":
                scripts.setdefault(name, []).extend(commands(lines))
            elif marker is not None and not marker.startswith("no, "):
                wrong.append("%s:%d: run: %s; expected here, or no and why" % (name, line, marker))
            if args.list and lines:
                print("%s:%d: %s: %s" % (name, line, marker, lines[0]))
    if args.pages:
        scripts = {name: script for name, script in scripts.items() if name in args.pages}
    for name in scripts:
        print("plan %s" % name)
    print("plan every block of commands is marked", flush=True)
    print("%sok every block of commands is marked" % ("not " if wrong else ""))
    print("".join("  | %s\n" % line for line in wrong), end="", flush=True)
    for name, script in scripts.items() if not args.list else ():
        why = run("\n".join(script))
        print("%sok %s" % ("not " if why else "", name))
        if why:
            wrong.append(name)
            print("  | " + why.replace("\n", "\n  | "))
        sys.stdout.flush()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
