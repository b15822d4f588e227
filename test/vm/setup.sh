#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Makes what the tests in virtual machines need; nothing is installed on the machine itself. In
# seconds when it was done before; goes on where it was cut off.
#
#   build/chroot/trixie    Debian 13 (config/chroot.sh) with QEMU from its backports, the first that
#                          has vfio-user-pci, and what kernel modules are built with
#   build/vm/KERNEL/       for each guest kernel: vmlinuz, config, and tree/ with the modules that
#                          a guest loads
#
# Linux's hisi_qm and hisi_zip are built from Debian's source package of the very kernel that loads
# them, unmodified.
#
# usage: test/vm/setup.sh [SUITE]
#   SUITE  also that release of Debian in build/chroot/SUITE.guest, with its DPDK and packages of
#          ours that are built for it, for guests that run these (pack.sh)

set -eu

# shellcheck source=../../config/usage.sh
. "$(dirname "$0")/../../config/usage.sh"
usage_take 0 1 "" "$@"

cd "$(dirname "$0")/../.."
# shellcheck source=../../config/apt.sh
. config/apt.sh
vm=$PWD/build/vm
root=$PWD/build/chroot/trixie

say() {
	echo "vm-setup: $*"
}

die() {
	echo "vm-setup: $*" >&2
	exit 1
}

# quietly LOG COMMAND...: shows the end of the log if the command fails.
quietly() {
	quietly_log=$vm/$1.log
	shift
	"$@" > "$quietly_log" 2>&1 < /dev/null || {
		tail -n 30 "$quietly_log" >&2
		die "'$*' failed (all of it: $quietly_log)"
	}
}

in_chroot() {
	config/chroot.sh --run trixie "$@"
}

[ "$(id -u)" -eq 0 ] || die "must run as root: it makes a chroot"
[ "$(uname -m)" = x86_64 ] || die "this machine is $(uname -m); the guests are x86_64"
mkdir -p "$vm"
# Two at a time would get into each other's way.
exec 9> "$vm/lock"
flock 9

# QEMU, and the means to build modules. Debian 12 is there for its kernel and for nothing else, the
# backports for QEMU: what else is installed in this chroot comes from where it came from before.
install_packages() {
	config/chroot.sh trixie make kmod cpio xz-utils gzip busybox-static
	if ! [ -e "$root/etc/apt/preferences.d/vm" ]; then
		mirror=$(apt_mirror)
		cat > "$root/etc/apt/sources.list.d/vm.list" <<-END
			deb $mirror trixie-backports main
			deb $mirror bookworm main
		END
		cat > "$vm/preferences" <<-END
			Package: src:qemu src:seabios
			Pin: release n=trixie-backports
			Pin-Priority: 990

			Package: *
			Pin: release n=bookworm
			Pin-Priority: 90
		END
		quietly apt-update in_chroot apt-get -qq update
		mv "$vm/preferences" "$root/etc/apt/preferences.d/vm"
	fi
	for series in 6.1 6.12; do
		[ -s "$vm/kernel-$series" ] || newest_kernel "$series" > "$vm/kernel-$series"
	done
	# shellcheck disable=SC2046 # a list of words on purpose
	config/chroot.sh trixie qemu-system-x86 \
		$(sed 's/^\([^ ]*\) .*/linux-headers-\1/' "$vm/kernel-6.1" "$vm/kernel-6.12")
	chroot "$root" qemu-system-x86_64 -device help | grep -q '"vfio-user-pci"' ||
		die "QEMU of trixie-backports has no vfio-user-pci"
}

# newest_kernel SERIES: "RELEASE VERSION", say "6.1.0-56-amd64 6.1.192-2".
newest_kernel() {
	in_chroot apt-cache show linux-image-amd64 | awk -v series="$1." '
		/^Version: / { version = $2 }
		/^Depends: / && index(version, series) == 1 {
			match($0, /linux-image-[^ ]*-amd64/)
			print substr($0, RSTART + 12, RLENGTH - 12), version
			exit
		}' | grep . || die "no linux-image-amd64 of the series $1 in the package lists"
}

# What a guest needs beyond what is built in; the rest of the tree would only make it slow.
modules="vfio-pci vfio_iommu_type1 brd zsmalloc"

# unpack_kernel SERIES: vmlinuz, the modules with all that they depend on, hisi_qm and hisi_zip.
unpack_kernel() {
	series=$1
	read -r release version < "$vm/kernel-$series"
	dir=$vm/$series
	[ ! -e "$dir/stamp" ] || return 0
	say "guest kernel $release: downloading it and its source, building hisi_qm and hisi_zip"
	rm -rf "$dir"
	mkdir -p "$dir/deb"
	quietly "download-$series" in_chroot sh -c "cd $dir/deb && apt-get -qq download \
		linux-image-$release=$version linux-source-$series=$version"

	mkdir "$dir/image"
	dpkg-deb -x "$dir"/deb/linux-image-*.deb "$dir/image"
	cp "$dir/image/boot/vmlinuz-$release" "$dir/vmlinuz"
	cp "$dir/image/boot/config-$release" "$dir/config"
	# Where a Debian 13 package has them.
	[ -d "$dir/image/lib/modules" ] || ln -s usr/lib "$dir/image/lib"
	quietly "depmod-$series" in_chroot depmod -b "$dir/image" "$release"

	tree=$dir/tree/lib/modules/$release
	mkdir -p "$tree/kernel"
	cp "$dir/image/lib/modules/$release"/modules.builtin* \
		"$dir/image/lib/modules/$release/modules.order" "$tree"
	for m in $modules; do
		in_chroot modprobe -d "$dir/image" -S "$release" --show-depends "$m" |
			awk '$1 == "insmod" { print $2 }'
	done | sort -u > "$dir/modules.list"
	while read -r m; do
		cp "$m" "$tree/kernel/"
	done < "$dir/modules.list"
	find "$tree/kernel" -name '*.xz' -exec unxz {} +

	build_hisi "$series"
	cp "$dir"/hisi/*.ko "$tree/kernel/"
	strip --strip-debug "$tree"/kernel/*.ko
	quietly "depmod-$series" in_chroot depmod -b "$dir/tree" "$release"
	for m in $modules hisi_zip; do
		in_chroot modprobe -d "$dir/tree" -S "$release" --show-depends "$m" \
			> "$vm/modprobe-$series.log" 2>&1 ||
			die "guest kernel $release has no module $m"
	done
	rm -rf "$dir/image" "$dir/deb" "$dir/source" "$dir/hisi" "$dir/modules.list"
	: > "$dir/stamp"
}

# build_hisi SERIES: an external-module build of drivers/crypto/hisilicon. x86-64 kernels are
# built without it, so the two options come with the command.
build_hisi() {
	mkdir "$dir/source" "$dir/hisi"
	dpkg-deb --fsys-tarfile "$dir"/deb/linux-source-*.deb |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
		tar -xJ -C "$dir/source" --strip-components=1 --wildcards \
			'*/drivers/crypto/hisilicon' '*/include/linux/hisi_acc_qm.h' \
			'*/include/linux/uacce.h' '*/include/uapi/misc/uacce'
	# The headers package lacks those of drivers that it is built without.
	quietly "hisi-$1" in_chroot make -C "/lib/modules/$release/build" \
		M="$dir/source/drivers/crypto/hisilicon" -j2 modules \
		CONFIG_CRYPTO_DEV_HISI_QM=m CONFIG_CRYPTO_DEV_HISI_ZIP=m \
		KCFLAGS="-I$dir/source/include -I$dir/source/include/uapi"
	find "$dir/source" \( -name hisi_qm.ko -o -name hisi_zip.ko \) \
		-exec cp -t "$dir/hisi" {} +
	[ -e "$dir/hisi/hisi_qm.ko" ] && [ -e "$dir/hisi/hisi_zip.ko" ] ||
		die "the module build for $release left no hisi_qm.ko or hisi_zip.ko"
}

# guest_debian SUITE: our packages are built anew, as the tree may have changed.
guest_debian() {
	say "packages for $1 are built and installed in build/chroot/$1.guest"
	quietly "deb-$1" config/deb.sh "$1"
	config/chroot.sh "$1.guest" dpdk dpdk-dev
	debs=$(find "build/deb/$1-amd64" -name 'librte-*.deb' ! -name '*-dbgsym_*' -printf './%p ')
	# shellcheck disable=SC2086 # a list of words on purpose
	quietly "install-$1" config/chroot.sh --run "$1.guest" apt-get -qq -y \
		-o Dpkg::Use-Pty=0 --no-install-recommends --reinstall --allow-downgrades \
		install $debs
}

if ! [ -e "$vm/6.1/stamp" ] || ! [ -e "$vm/6.12/stamp" ] || ! [ -x "$root/usr/bin/kvm" ]; then
	install_packages
fi
unpack_kernel 6.1
unpack_kernel 6.12
[ $# -eq 0 ] || guest_debian "$1"
