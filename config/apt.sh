# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# How this machine reaches Debian's packages, for other suites and architectures. To be sourced.

# apt_mirror: the address of the mirror that this machine takes its own release from. Both of
# apt's formats of sources are behind this one command.
apt_mirror() {
	apt_codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	# shellcheck disable=SC2016 # apt's own placeholders
	apt_found=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' |
		awk -v release="$apt_codename" '$2 == release && $3 == "main" { print $1; exit }')
	[ -n "$apt_found" ] || {
		echo "apt: this machine has no package source for $apt_codename main" >&2
		return 1
	}
	echo "$apt_found"
}

# apt_patience: lines of apt configuration: a mirror may be away for some seconds.
apt_patience() {
	echo 'Acquire::Retries "5";'
	echo 'Acquire::http::Timeout "30";'
	echo 'Acquire::https::Timeout "30";'
}

# apt_here ARGUMENT...: apt-get on this machine, with that patience and without questions.
apt_here() {
	DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o Acquire::Retries=5 \
		-o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@"
}

# apt_network: lines of apt configuration: how this machine reaches the network, if not directly,
# and whether its mirror may be one that stands still.
apt_network() {
	apt_patience
	apt-config dump |
		grep -E '^Acquire::((http|https)::(Proxy|CAInfo)|Check-Valid-Until)' || :
}

# again COMMAND...: up to three times, until it succeeds: for what has no patience of its own.
again() {
	for again_wait in 5 20; do
		! "$@" || return 0
		sleep "$again_wait"
	done
	"$@"
}

# apt_debian_sources: lines of sources.list for everything that this machine takes from Debian.
apt_debian_sources() {
	# shellcheck disable=SC2016 # apt's own placeholders
	apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' | sed -n 's/^Debian /deb /p' | sort -u
}
