# Chroots of the Debian suites that carry the versions of PostgreSQL. Sourced (bash) by bin/test-matrix and by scripts of
# test/deep. Needs root; debootstrap is installed if it is missing.
#
# They are kept and used again; STRATUM_CHROOTS says where (default /var/tmp/stratum-chroots, 1.5 GB each).
#
#   dir=$(chroot_of 17)          where that of a version is, or is to be
#   prepare_chroot "$dir"        makes it, unless it is there, and configures it
#
# Who calls prepare_chroot holds a lock on $dir.lock.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
chroots=${STRATUM_CHROOTS:-/var/tmp/stratum-chroots}

. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

say() { printf '==> %s\n' "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

chroot_of() {
	case $1 in
	15) echo "$chroots/bookworm" ;;
	17) echo "$chroots/trixie" ;;
	18) echo "$chroots/forky" ;;
	19) echo "$chroots/experimental" ;;
	*) die "PostgreSQL $1 is in no Debian suite known here (15, 17, 18, 19 are)" ;;
	esac
}

need_debootstrap() {
	! command -v debootstrap >/dev/null || return 0
	say "installing debootstrap"
	apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends debootstrap >/dev/null ||
		die "cannot install debootstrap"
}

# An old debootstrap has no script for a new release, but sid's fits. Experimental is packages on top of sid.
make_chroot() {
	local suite=${1/experimental/sid} dir=$chroots/$1 script=/usr/share/debootstrap/scripts/$1
	[ ! -x "$dir/usr/bin/dpkg" ] || return 0
	say "making a chroot of $suite in $dir"
	need_debootstrap
	[ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
	rm -rf "$dir.new"
	debootstrap --variant=minbase --include=ca-certificates "$suite" "$dir.new" "$(debian_mirror)" "$script" >"$dir.log" 2>&1 || {
		tail -n 5 "$dir.log" >&2
		die "debootstrap of $suite from $(debian_mirror) failed; the whole log is $dir.log"
	}
	mv "$dir.new" "$dir"
}

# No daemon starts in it; no release file is too old for it; no documentation is unpacked.
configure_chroot() {
	local dir=$1
	cp -L /etc/resolv.conf "$dir/etc/resolv.conf"
	printf '127.0.0.1 localhost %s\n' "$(hostname)" >"$dir/etc/hosts"
	printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
	chmod 755 "$dir/usr/sbin/policy-rc.d"
	printf 'APT::Install-Recommends "false";\nAPT::Sandbox::User "root";\nAcquire::Check-Valid-Until "false";\n' >"$dir/etc/apt/apt.conf.d/99stratum"
	printf 'path-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/locale/*\nforce-unsafe-io\n' >"$dir/etc/dpkg/dpkg.cfg.d/stratum"
	rm -rf "$dir"/tmp/stratum.*
	[ "${dir##*/}" != experimental ] || add_experimental "$dir"
}

# PostgreSQL alone is taken from experimental. No pgTAP is packaged for it yet: it is SQL, so that of 18 does.
add_experimental() {
	local dir=$1 extensions=/usr/share/postgresql/19/extension
	printf 'deb %s experimental main\n' "$(debian_mirror)" >"$dir/etc/apt/sources.list.d/experimental.list"
	printf 'Package: postgresql* libpq*\nPin: release a=experimental\nPin-Priority: 600\n' >"$dir/etc/apt/preferences.d/experimental"
	[ ! -e "$dir$extensions/pgtap.control" ] || return 0
	chroot "$dir" /bin/sh -ec "mkdir -p $extensions /tmp/pgtap; cd /tmp/pgtap
		apt-get -qq update; apt-get -qq download postgresql-18-pgtap; dpkg-deb -x ./*.deb .
		cp usr/share/postgresql/18/extension/pgtap* $extensions; rm -r /tmp/pgtap" >"$dir.log" 2>&1 || {
		tail -n 5 "$dir.log" >&2
		die "cannot take pgTAP from experimental; the whole log is $dir.log"
	}
}

prepare_chroot() {
	make_chroot "${1##*/}"
	configure_chroot "$1"
}

# in_chroot DIR CODE [NAME=VALUE...]: runs bash code there; the tree is at /srv/stratum. To be called in namespaces of its
# own (unshare --mount --pid --fork --kill-child), so that what is mounted and started ends with it.
in_chroot() {
	local dir=$1 code=$2
	shift 2
	mount -t proc proc "$dir/proc"
	mkdir -p "$dir/dev/shm" "$dir/srv/stratum"
	mount -t tmpfs -o mode=1777 tmpfs "$dir/dev/shm"
	mount -t tmpfs tmpfs "$dir/srv/stratum"
	tar -C "$root" -cf - --exclude=./.git --exclude='*.o' --exclude='*.so' --exclude='*.bc' . | tar -C "$dir/srv/stratum" -xf - --no-same-owner
	chroot "$dir" /usr/bin/env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"$@" /bin/bash -c "$code" </dev/null
}
