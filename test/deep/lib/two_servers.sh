# Tests with servers of two versions on one system. Sourced (bash) by scripts of test/deep.
#
#   two_servers FILE.t NEWER...     FILE.t (below test/deep/lib) for each of the newer versions, with 15 as the older one
#
# It runs in the chroot of the newer version (bin/lib/chroot.sh), into which the older server is carried from its own; so
# that no path or package is this machine's. Root and debootstrap are needed; the chroots stay, nothing else does.
. "$(dirname "${BASH_SOURCE[0]}")/../../../bin/lib/chroot.sh"

older=15 passed=0 failed=0

lock_chroot() {
	local fd
	exec {fd}>"$1.lock"
	flock "$fd"
	prepare_chroot "$1"
	mkdir -p "$1/opt/older"
}

# In namespaces of its own. The older server is built once and put under each of the newer ones.
inside_namespaces() {
	local file=$1 version dir rc=0
	shift
	mount -t tmpfs tmpfs "$(chroot_of $older)/opt/older"
	in_chroot "$(chroot_of $older)" "chmod 755 /opt/older && /srv/stratum/test/deep/lib/carry_server /opt/older" PG_MAJOR=$older
	for version; do
		dir=$(chroot_of "$version")
		mount --bind "$(chroot_of $older)/opt/older" "$dir/opt/older"
		in_chroot "$dir" "/srv/stratum/bin/test deep/lib/$file" PG_MAJOR="$version" STRATUM_OLDER=/opt/older/bin || rc=1
	done
	return $rc
}

two_servers() {
	local file=$1 out line version rc=0
	if [ -n "${STRATUM_INSIDE:-}" ]; then
		inside_namespaces "$@" || exit 1
		exit 0
	fi
	[ "$(id -u)" = 0 ] || die "needs root (chroots)"
	shift
	mkdir -p "$chroots"
	need_debootstrap
	for version in $older "$@"; do lock_chroot "$(chroot_of "$version")"; done
	out=$(mktemp)
	trap 'rm -f "$out"' EXIT
	STRATUM_INSIDE=1 unshare --mount --pid --fork --kill-child -- "$0" "$@" >"$out" || rc=1
	while IFS= read -r line; do
		if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
			passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
		else
			printf '%s\n' "$line"
		fi
	done <"$out"
	# one that ended without a last line
	[ $rc = 0 ] || [ "$failed" != 0 ] || failed=1
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
}
