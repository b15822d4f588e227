# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""The tests of a tree as single commands, each with what must be built for it.

Those of meson are asked of meson. Those that the groups in test/groups run besides are found
here: the modules of test/service, function by function; hostile clients, attack by attack.
"""

import glob
import hashlib
import json
import os
import re
import subprocess

BUILD = "build"
# Tests that change how many hugepages there are, which is one number for all.
ALONE = re.compile(r"huge|grow")


class Test:
    """A command that ends with 0, and prints no line "not ok", if all is well."""

    def __init__(self, name, argv, built, env=None, scripts=(), folder=""):
        self.name = name
        self.argv = argv
        self.built = built        # files below the build folder
        self.env = env or {}
        self.scripts = scripts    # files of the tree
        self.folder = folder      # where it is run, from the top of the tree
        self.alone = bool(ALONE.search(name)) # no other such may run beside it

    def key(self, tree):
        """Changes with all that its result stands on."""
        argv = [w.replace(os.path.realpath(tree) + os.sep, "") for w in self.argv]
        h = hashlib.sha256(json.dumps([argv, sorted(self.env.items())]).encode())
        shared = False
        for path in (*(os.path.join(BUILD, b) for b in self.built), *self.scripts):
            with open(os.path.join(tree, path), "rb") as f:
                content = f.read()
            h.update(hashlib.sha256(content).digest())
            shared = shared or b"libspimdev.so" in content
        for path in glob.glob(os.path.join(tree, BUILD, "lib/spimdev/libspimdev.so.*.*")):
            if shared and os.path.isfile(path):
                with open(path, "rb") as f:
                    h.update(hashlib.sha256(f.read()).digest())
        return h.hexdigest()


def introspect(tree, what):
    done = subprocess.run(["meson", "introspect", os.path.join(tree, BUILD), what], check=True,
                          stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def of_meson(tree, sandbox):
    build = os.path.realpath(os.path.join(tree, BUILD))
    targets = {t["id"]: t for t in introspect(tree, "--targets")}
    for t in introspect(tree, "--tests"):
        built = {os.path.relpath(f, build)
                 for d in t["depends"] for f in targets[d]["filename"]}
        for word in t["cmd"]:
            if word.startswith(build + os.sep) and os.path.isfile(word):
                built.add(os.path.relpath(word, build))
        argv = t["cmd"]
        if sandbox and argv[1:] == ["app/spimdevd", "on"]:
            argv = [argv[0], "app/spimdevd", "off"]
        yield Test(t["name"].split(":")[-1], argv, sorted(built), t["env"], folder=BUILD)


def sanitized(tree):
    """Tests as the group asan runs them."""
    for t in of_meson(tree, ()):
        if t.argv[1:] == ["app/spimdevd", "on"]: # which the build says itself
            t.argv = [*t.argv[:2], "off"]
        yield t


# What it usually takes.
COMPILED_S = {"seconds": 5, "cpu_s": 5}


def libraries(tree, folder):
    """The driver and the library beside it, as the build makes them; their usual names are links
    to that."""
    there = os.path.join(tree, folder)
    return [os.path.relpath(os.path.realpath(os.path.join(there, "drivers", name)),
                            os.path.realpath(there))
            for name in ("librte_compress_hisi_zip.so", "librte_common_hisi.so")]


def compiled(tree, folder):
    """(test, what it usually takes): the instructions of the driver, built for arm64 in folder."""
    built = libraries(tree, folder)
    return Test("litmus/compiled",
                ["sh", "test/litmus/compiled.sh", "binary", "aarch64-linux-gnu-objdump",
                 os.path.join(folder, built[0])], built), COMPILED_S


def programs(*names):
    return ["app/" + name for name in names]


def named(tree, path, seen):
    """Built programs that a script, or one that it imports, names."""
    if path in seen:
        return set()
    seen.add(path)
    with open(os.path.join(tree, path), encoding="utf-8") as f:
        text = f.read()
    found = set()
    for word in set(re.findall(r"[/\"'](\w+)\b", text)):
        for where in ("app", "test/service"):
            program = os.path.join(where, word)
            full = os.path.join(tree, BUILD, program)
            if os.path.isfile(full) and os.access(full, os.X_OK):
                found.add(program)
    for word in re.findall(r"^(?:import|from) (\w+)", text, re.M):
        other = os.path.join(os.path.dirname(path), word + ".py")
        if os.path.exists(os.path.join(tree, other)):
            found |= named(tree, other, seen)
    return found


def of_modules(tree):
    """Functions of test/service/test_*.py."""
    scripts = sorted(os.path.relpath(f, tree)
                     for f in glob.glob(os.path.join(tree, "test/service/*.py")))
    for path in scripts:
        if not os.path.basename(path).startswith("test_"):
            continue
        with open(os.path.join(tree, path), encoding="utf-8") as f:
            names = re.findall(r"^def (test_\w+)", f.read(), re.M)
        seen = set()
        built = sorted(named(tree, path, seen))
        module = os.path.basename(path)[len("test_"):-len(".py")]
        for name in names:
            yield Test("service/%s/%s" % (module, name[len("test_"):]),
                       ["python3", path, name], built, scripts=sorted(seen))


def of_hostile(tree, sandbox):
    for path in sorted(glob.glob(os.path.join(tree, "test/service/hostile/attacks_*.c"))):
        with open(path, encoding="utf-8") as f:
            names = re.findall(r"^\t\{ \"([^\"]+)\", \w+ \},$", f.read(), re.M)
        for name in names:
            yield Test("hostile/" + name.replace(" ", "_"),
                       [BUILD + "/test/service/hostile", "-s", "0.3", "-r", "1", "-o", name,
                        BUILD + "/app/spimdevd", *sandbox],
                       [*programs("spimdevd"), "test/service/hostile"])


def of_groups(tree, sandbox):
    yield Test("load_swarm", [BUILD + "/test/service/load_swarm", "--service",
                              " ".join([BUILD + "/app/spimdevd", *sandbox])],
               [*programs("spimdevd"), "test/service/load_swarm"])
    autotest = "test/stock/autotest.sh"
    yield Test("autotest", ["sh", autotest, "no-huge"],
               libraries(tree, BUILD), scripts=[autotest])


def all_of(tree, sandbox=()):
    """Every test of the tree, which is configured and built."""
    found = [*of_meson(tree, sandbox), *of_modules(tree), *of_hostile(tree, sandbox),
             *of_groups(tree, sandbox)]
    return [t for t in found
            if all(os.path.exists(os.path.join(tree, BUILD, b)) for b in t.built)]
