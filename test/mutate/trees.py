# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Copies of the tree, each with a build of its own in its folder "build"."""

import os
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORK = os.path.join(TOP, "build", "mutate")
SDK = "build/config/dpdk-sdk"
SYSROOT = "arm64-sysroot"
EXPORTED = "-Wl,--undefined=__gcov_dump,--undefined=__gcov_reset," \
    "--export-dynamic-symbol=__gcov_dump,--export-dynamic-symbol=__gcov_reset"
# As the real build, so that what it would not compile is no mutant; but without debug
# information, so that object files which differ, differ in code.
PLAIN = ("-Ddebug=false", "-Doptimization=2", "-Ddocs=disabled")
COVERAGE = ("-Dbuildtype=debug", "-Db_coverage=true", "-Ddocs=disabled",
            "-Dc_link_args=" + EXPORTED)
# As the group asan builds; without its fuzzers.
SANITIZED = ("-Ddocs=disabled", "-Db_sanitize=address,undefined", "-Db_lundef=false")
SANITIZED_CC = "clang"
SANITIZED_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:abort_on_error=1"}


def git(*args):
    return subprocess.run(["git", "-C", TOP, *args], check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def files():
    """All that git knows, or would add."""
    names = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return sorted({n for n in names if n and os.path.isfile(os.path.join(TOP, n))})


def content(path):
    with open(path, "rb") as f:
        return f.read()


def copy(name):
    """Brings the copy to what the tree is. Times of files that are the same already stay, so
    that nothing is built again for them."""
    folder = os.path.join(WORK, name)
    os.makedirs(folder, exist_ok=True)
    wanted = set(files())
    for there, folders, names in os.walk(folder):
        if there == folder and "build" in folders:
            folders.remove("build")
        for n in names:
            path = os.path.join(there, n)
            if os.path.relpath(path, folder) not in wanted:
                os.unlink(path)
    for n in wanted:
        source, target = os.path.join(TOP, n), os.path.join(folder, n)
        if os.path.isfile(target) and content(source) == content(target):
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(source, target)
        shutil.copymode(source, target)
    return folder


def sdk(folder):
    """DPDK's driver headers, if a build has them already."""
    for path in (TOP, *(os.path.join(WORK, n) for n in os.listdir(WORK))):
        path = os.path.join(path, SDK)
        if os.path.isfile(os.path.join(path, "stamp")) and \
                os.path.realpath(path) != os.path.realpath(os.path.join(folder, SDK)):
            return ["-Ddpdk_source=" + path]
    return []


def build(folder, options):
    """Everything; quick if it is there."""
    options = list(options)
    if not os.path.exists(os.path.join(folder, "build", "build.ninja")):
        options += sdk(folder)
    done = subprocess.run(["nice", "-n", "5", "config/build.sh", "build", *options], cwd=folder,
                          check=False)
    if done.returncode != 0:
        sys.exit("mutate: %s does not build" % folder)


def configure_arm64(folder, build_folder):
    """The driver alone; with what of arm64 the tree itself has, if it has it."""
    os.makedirs(os.path.join(folder, "build"), exist_ok=True)
    options = []
    for name in (SYSROOT, "arm64/config/dpdk-sdk"):
        path = os.path.join(TOP, "build", name)
        if not os.path.exists(os.path.join(path, "stamp")):
            continue
        if name != SYSROOT:
            options = ["-Ddpdk_source=" + path]
        elif not os.path.exists(os.path.join(folder, "build", name)):
            os.symlink(path, os.path.join(folder, "build", name))
    done = subprocess.run(["nice", "-n", "5", "config/arm64.sh", build_folder, *options],
                          cwd=folder, env=dict(os.environ, BUILD_TARGETS="rte_compress_hisi_zip"),
                          check=False)
    if done.returncode != 0:
        sys.exit("mutate: %s does not build for arm64" % folder)


def configure(folder, options, cc):
    """Nothing is built yet."""
    build_folder = os.path.join(folder, "build")
    if os.path.exists(os.path.join(build_folder, "build.ninja")):
        return
    options = [*os.environ.get("BUILD_OPTIONS", "").split(), *options, *sdk(folder)]
    done = subprocess.run(["meson", "setup", "build", *options], cwd=folder,
                          env=dict(os.environ, CC=cc), check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit("mutate: %s: %s" % (folder, done.stdout.decode(errors="replace")))
