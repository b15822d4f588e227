#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Packs the initramfs of a guest: busybox, kernel modules, the tests in test/vm/guest, and from this
# machine, as installed: DPDK's test programs with the libraries and drivers that they use; our
# drivers, and the library beside them, from the build folder.
#
# usage: test/vm/pack.sh KERNEL [SUITE]
#   SUITE  of Debian: DPDK and our drivers are those of build/chroot/SUITE.guest, where packages of
#          ours are installed (setup.sh SUITE). The guest lacks our own test programs then.
# Writes build/vm/KERNEL/initrd.cpio, in about a second. Not compressed: an emulated CPU takes
# longer to unpack it than QEMU to load it.

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 1 2 "" "$@"

cd "$(dirname "$0")/../.."
kernel=$1
suite=${2:-}
vm=$PWD/build/vm
tree=$vm/$kernel/root

die() {
	echo "vm-pack: $*" >&2
	exit 1
}

[ -e "$vm/$kernel/stamp" ] || die "no guest kernel $kernel in build/vm; test/vm/setup.sh makes it"

# Where DPDK is installed, and how to run something there.
root=${suite:+$PWD/build/chroot/$suite.guest}
in_root() {
	if [ -n "$suite" ]; then
		config/chroot.sh --run "$suite.guest" "$@"
	else
		"$@"
	fi
}

# libraries FILE...: what these load, one path a line.
libraries() {
	in_root ldd "$@" | sed -n -e 's/.* => \(\/[^ ]*\) .*/\1/p' \
		-e 's/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p'
}

pmds=$(in_root find /usr/lib/x86_64-linux-gnu/dpdk -maxdepth 1 -name 'pmds-*')
[ -d "$root$pmds" ] || die "expected one folder of DPDK's drivers, found '$pmds'"

rm -rf "$tree"
mkdir -p "$tree/usr/bin" "$tree/usr/lib" "$tree/usr/lib64" "$tree/data" "$tree$pmds"
ln -s usr/bin usr/lib usr/lib64 "$tree/"
cp build/chroot/trixie/usr/bin/busybox "$tree/bin/"
cp -a "$vm/$kernel/tree/lib/modules" "$tree/usr/lib/"
install -m 0755 test/vm/guest/init "$tree/init"
mkdir "$tree/tests"
cp test/vm/guest/*.sh test/stock/dmadev_cases.sh "$tree/tests/"
# The report from the field, in a tree as it expects it.
mkdir -p "$tree/spimdev/app" "$tree/spimdev/config" "$tree/spimdev/build"
cp app/silicon*.sh "$tree/spimdev/app/"
cp config/usage.sh config/hugepages.sh "$tree/spimdev/config/"
ln -s "$pmds" "$tree/spimdev/build/drivers"
ours=
if [ -z "$suite" ]; then
	ours="$PWD/build/test/vm/vm_pressure $PWD/build/test/service/load_restart_client"
	# shellcheck disable=SC2086 # a list of words on purpose
	cp $ours "$tree/bin/"
fi

# EAL finds a driver under three names and must see one file: links, as the packages have them.
for name in bus_pci bus_vdev mempool_ring compress_zlib dma_skeleton; do
	cp -P "$root$pmds/librte_$name".so* "$tree$pmds/"
done
abi=${pmds##*pmds-}
drivers=$PWD/build/drivers
so=
[ -z "$suite" ] || {
	drivers=$root$pmds
	so=.$abi
}
for name in librte_common_hisi.so librte_compress_hisi_zip.so librte_dma_hisi_udma.so; do
	[ -e "$drivers/$name$so" ] || die "no $drivers/$name$so"
	cp "$drivers/$name$so" "$tree$pmds/$name.$abi"
	ln -s "$name.$abi" "$tree$pmds/$name.${abi%%.*}"
	ln -s "$name.$abi" "$tree$pmds/$name"
done

# busybox has no flock.
cp "$root/usr/bin/dpdk-test" "$root/usr/bin/dpdk-test-compress-perf" "$root/usr/bin/flock" \
	"$tree/usr/bin/"
# libgcc is opened by name when a thread ends.
{
	# shellcheck disable=SC2086 # a list of words on purpose
	libraries /usr/bin/dpdk-test /usr/bin/dpdk-test-compress-perf /usr/bin/flock $ours \
		"$pmds"/librte_bus_pci.so "$pmds"/librte_mempool_ring.so \
		"$pmds"/librte_compress_zlib.so "$pmds"/librte_dma_skeleton.so \
		"${drivers#"$root"}/librte_compress_hisi_zip.so$so" \
		"${drivers#"$root"}/librte_dma_hisi_udma.so$so" | grep -v librte_common_hisi
	in_root find /usr/lib/x86_64-linux-gnu /lib/x86_64-linux-gnu -name libgcc_s.so.1
} | sort -u | while read -r lib; do
	# Under each name that it has here one file: some drivers are libraries as well.
	real=$(in_root realpath "$lib")
	mkdir -p "$tree$(dirname "$lib")" "$tree$(dirname "$real")"
	[ -e "$tree$real" ] || cp "$root$real" "$tree$real"
	[ -e "$tree$lib" ] || ln -s "$real" "$tree$lib"
done
[ -h "$tree/lib64/ld-linux-x86-64.so.2" ] || die "no dynamic linker was packed"
strip --strip-unneeded "$tree$pmds"/librte_*_hisi*.so."$abi"

# Real files to compress: a text and a program.
cat README.md doc/guides/*.rst lib/*/*.c 2> /dev/null | head -c 1048576 > "$tree/data/text"
head -c 1048576 "$root/usr/bin/dpdk-test" > "$tree/data/binary"

config/chroot.sh --run trixie sh -c \
	"cd '$tree' && find . | sort | cpio --quiet -o -H newc > ../initrd.new"
mv "$vm/$kernel/initrd.new" "$vm/$kernel/initrd.cpio"
rm -rf "$tree"
