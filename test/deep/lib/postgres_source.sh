# PostgreSQL's source, as Debian ships it. Sourced (bash).
#
# Who builds it: Debian's patches have libraries installed into /usr/lib/postgresql/MAJOR/lib, over those of the machine's own
# server, unless the prefix has "pgsql" or "postgres" in it. So choose such a prefix, and install with DESTDIR.
#
#   postgres_source MAJOR     prints the directory of the unpacked source of that major version (15, 17, 18)
#
# It is kept in ${STRATUM_DEEP:-/var/tmp/stratum-deep}/source/MAJOR, downloaded once, and shared: build it in a directory
# of your own (configure can be called from elsewhere), never in place. The machine's own package sources are not changed:
# apt gets a private list and private directories. Needs apt-get and dpkg-source (installs dpkg-dev if it may).

. "$(dirname "${BASH_SOURCE[0]}")/../../../bin/lib/debian.sh"

deep_cache=${STRATUM_DEEP:-/var/tmp/stratum-deep}

# The release of Debian that carries a major version.
postgres_suite() {
	case $1 in
	15) echo bookworm ;;
	17) echo trixie ;;
	18) echo forky ;;
	*) echo "PostgreSQL $1 is in no Debian release known here (15, 17, 18 are)" >&2; return 1 ;;
	esac
}

need_dpkg_source() {
	local as=''
	! command -v dpkg-source >/dev/null || return 0
	[ "$(id -u)" = 0 ] || as='sudo -n'
	$as apt-get -qq update >&2 && DEBIAN_FRONTEND=noninteractive $as apt-get -qq install -y --no-install-recommends dpkg-dev >&2
}

# apt-get with a list, an index and a cache of its own below $1.
private_apt() {
	local dir=$1
	shift
	apt-get -qq -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=- -o Dir::Etc::Parts=/nonexistent \
		-o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache" -o Acquire::Check-Valid-Until=false \
		-o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
}

# Into $2, which is there only when it is whole.
fetch_postgres_source() {
	local major=$1 target=$2 dir=$2.new suite
	suite=$(postgres_suite "$major") || return
	need_dpkg_source || { echo "dpkg-source is missing (package dpkg-dev)" >&2; return 1; }
	rm -rf "$dir"
	mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
	echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_mirror) $suite main" >"$dir/apt/sources.list"
	private_apt "$dir/apt" update >&2 || return
	(cd "$dir" && private_apt "$dir/apt" source "postgresql-$major") >"$dir/log" 2>&1 || { cat "$dir/log" >&2; return 1; }
	mv "$dir"/postgresql-"$major"-*/ "$dir/tree" || return
	rm -rf "$dir/apt" "$dir"/*.tar.* "$dir"/*.dsc
	chmod -R a+rX "$dir"
	mv "$dir" "$target"
}

postgres_source() {
	local target=$deep_cache/source/$1
	mkdir -p "$deep_cache/source" || return
	(
		flock 9
		[ -d "$target/tree" ] || { rm -rf "$target"; fetch_postgres_source "$1" "$target"; }
	) 9>"$deep_cache/source/$1.lock" || return
	echo "$target/tree"
}
