# A private PostgreSQL server with this source tree's stratum in it. Sourced (bash) by bin/demo, bin/test, bin/bench.
#
# It finds PostgreSQL with its headers, or installs Debian's packages when it may; builds a copy of the tree in a
# private directory; puts a server tree beside it; and runs a server there that listens on a unix socket only. The
# machine's own PostgreSQL is neither changed nor started, and everything is gone when the script ends.
#
#   PG_CONFIG=...  take this server, no other      KEEP=1    leave the server running and say where
#   PG_MAJOR=17    take this major version         WERROR=1  compiler warnings are errors
#   STRATUM_UNDER='valgrind ...'   run the server under that command (test/deep)
#   STRATUM_SETTINGS='-c NAME=VALUE ...'   settings of the server
#
# server_settings, an array, may hold more of those (the last one of a name counts).
#
# After private_server: $work (the private directory), $tree_bin (its bin), $pg_config (the machine's), $src (the
# built copy), and PGHOST, PGUSER, PGDATABASE. `run COMMAND` runs one as the server's user.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
createcluster=/etc/postgresql-common/createcluster.conf
work='' job='' server='' server_user='' pg_config='' clusters_forbidden=''
server_settings=()

# ---- words ----------------------------------------------------------------------------------------------------

bold='' plain=''
if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' plain=$'\033[0m'; fi

say() { printf '%s==> %s%s\n' "$bold" "$*" "$plain" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# The comment at the head of the script is its help.
usage_asked() {
	case ${1:-} in
	-h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
	esac
}

# ---- finding PostgreSQL ---------------------------------------------------------------------------------------

major_of() { "$1" --version 2>/dev/null | sed 's/^PostgreSQL \([0-9]*\).*/\1/'; }

# A server that can be started and an extension that can be built for it: both belong to this pg_config.
usable() {
	[ -x "$1" ] && [ "$(major_of "$1")" -ge 15 ] 2>/dev/null &&
		[ -x "$("$1" --bindir)/postgres" ] && [ -x "$("$1" --bindir)/initdb" ] &&
		[ -f "$("$1" --includedir-server)/postgres.h" ] && [ -f "$("$1" --pgxs)" ]
}

# Every pg_config of the machine, the newest version first; only those of PG_MAJOR if that is set.
candidates() {
	ls -d /usr/lib/postgresql/${PG_MAJOR:-*}/bin/pg_config /usr/pgsql-${PG_MAJOR:-*}/bin/pg_config \
		/usr/local/pgsql/bin/pg_config 2>/dev/null | sort -Vr
	command -v pg_config || true
}

find_server() {
	local candidate
	if [ -n "${PG_CONFIG:-}" ]; then
		candidate=$(command -v "$PG_CONFIG") || die "PG_CONFIG=$PG_CONFIG: no such program"
		usable "$candidate" || die "PG_CONFIG=$PG_CONFIG is of no use: stratum needs PostgreSQL 15 or later, its server and its headers"
		pg_config=$candidate
		return
	fi
	for candidate in $(candidates); do
		[ -z "${PG_MAJOR:-}" ] || [ "$(major_of "$candidate")" = "$PG_MAJOR" ] || continue
		if usable "$candidate"; then
			pg_config=$candidate
			return
		fi
	done
	return 1
}

# ---- installing what is missing -------------------------------------------------------------------------------

has_tools() {
	command -v make >/dev/null && command -v gcc >/dev/null &&
		echo '#include <stdio.h>' | gcc -E - >/dev/null 2>&1
}

may_be_root() {
	[ "$(id -u)" = 0 ] && return
	command -v sudo >/dev/null || return
	if [ -t 0 ]; then sudo -v; else sudo -n true 2>/dev/null; fi
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Says something only when it fails.
apt_get() {
	local said
	said=$(as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" 2>&1) || {
		printf '%s\n' "$said" >&2
		return 1
	}
}

# The version to install: the one asked for, that of a server which lacks only its headers, or Debian's own.
choose_major() {
	local major=${PG_MAJOR:-}
	[ -n "$major" ] || major=$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | sed 's,.*/\([0-9]*\)/bin/.*,\1,' | sort -n | tail -n 1)
	[ -n "$major" ] || major=$(apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | head -n 1)
	[ -n "$major" ] || die "this machine's package sources know no PostgreSQL; install PostgreSQL 15 or later with its headers and set PG_CONFIG"
	[ "$major" -ge 15 ] || die "stratum needs PostgreSQL 15 or later; this machine has or offers $major"
	echo "$major"
}

# Nothing that is installed here may create or start a cluster of the system: Debian's would take port 5432.
forbid_clusters() {
	[ -f "$createcluster" ] || apt_get install --no-install-recommends -y postgresql-common || die "apt-get could not install postgresql-common"
	as_root cp -p "$createcluster" "$createcluster.stratum"
	clusters_forbidden=1
	as_root sed -i '/^ *#* *create_main_cluster/d; $a create_main_cluster = false' "$createcluster"
}

allow_clusters() {
	[ -n "$clusters_forbidden" ] || return 0
	as_root mv "$createcluster.stratum" "$createcluster"
	clusters_forbidden=''
}

# install_packages PACKAGE...: a word with NN in it stands for the server's major version.
install_packages() {
	local major packages
	command -v apt-get >/dev/null || die "missing: ${*//NN/15 or later}. There is no apt-get here: install them, then set PG_CONFIG"
	may_be_root || die "missing: ${*//NN/${PG_MAJOR:-<version>}}. Installing packages takes root or sudo; as an ordinary user, have them installed first"
	say "installing from Debian: what is missing of PostgreSQL and the build tools"
	[ -z "$(dpkg --audit)" ] || as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a >/dev/null
	apt_get update || die "apt-get update failed"
	if [ -n "$pg_config" ]; then major=$(major_of "$pg_config"); else major=$(choose_major); fi
	packages=${*//NN/$major}
	forbid_clusters
	# shellcheck disable=SC2086  # a list of words
	apt_get install --no-install-recommends -y $packages || die "apt-get could not install: $packages"
	allow_clusters
}

# Packages that one can do without. False where they cannot be had: no Debian, no right to install, no such package. No service
# of theirs is started.
install_if_possible() {
	command -v apt-get >/dev/null || return 1
	[ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || return 1
	apt_get update || return 1
	local said
	said=$(as_root sh -c 'policy=/usr/sbin/policy-rc.d
		if [ ! -e $policy ]; then
			trap "rm -f $policy" EXIT
			printf "#!/bin/sh\nexit 101\n" >$policy && chmod 755 $policy
		fi
		DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 install --no-install-recommends -y "$@"' \
		sh "${@//NN/$(major_of "$pg_config")}" 2>&1) || {
		printf '%s\n' "$said" >&2
		return 1
	}
}

# The packages of the tests come after the server is known, since some are for one version of it.
need_server() {
	local missing=()
	has_tools || missing+=(make gcc libc6-dev)
	find_server || missing+=(postgresql-NN postgresql-server-dev-NN)
	[ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
	[ -n "$pg_config" ] || find_server || die "PostgreSQL was installed, but no usable pg_config is there"
}

# ---- jobs and their end ---------------------------------------------------------------------------------------

# PostgreSQL refuses to run as root.
choose_user() {
	[ "$(id -u)" = 0 ] || return 0
	server_user=postgres
	id "$server_user" >/dev/null 2>&1 || server_user=nobody
}

as_server() {
	if [ -z "$server_user" ]; then exec "$@"; fi
	exec setpriv --reuid="$server_user" --regid="$(id -g "$server_user")" --init-groups "$@"
}

# Runs a command as the server's user, in a process group of its own: `wait` lets a signal through at once, and
# clean_up can end the whole group. It reads from the file $input, if that is set. Not for use inside $( ), where the trap is not ours.
run() {
	local rc=0
	set -m
	(as_server "$@") <"${input:-/dev/null}" &
	job=$!
	set +m
	wait "$job" || rc=$?
	job=''
	return $rc
}

# What still runs of ours: the job's process group, and every process that names the private directory in its command
# line (a server that a test has started).
ours() {
	if [ -n "$job" ] && kill -0 -- "-$job" 2>/dev/null; then echo "-$job"; fi
	grep -lsFf - /proc/[0-9]*/cmdline <<<"$work/" | cut -d/ -f3 || true
}

# INT is a server's fast shutdown, and ends everything else too.
end_processes() {
	local signal pids try
	for signal in INT KILL; do
		for try in $(seq 100); do
			pids=$(ours)
			[ -n "$pids" ] || return 0
			# shellcheck disable=SC2086  # a list of numbers
			[ "$try" != 1 ] || kill -$signal -- $pids 2>/dev/null || true
			sleep 0.1
		done
	done
}

kept() {
	say "kept: psql -h $PGHOST -U postgres"
	say "stop: kill -INT $server; rm -rf $work"
}

clean_up() {
	local rc=$?
	trap - EXIT
	trap '' INT TERM HUP
	cd /
	allow_clusters
	[ -n "$work" ] || exit $rc
	if [ -n "${KEEP:-}" ] && [ -n "${PGHOST:-}" ]; then
		kept
	else
		end_processes
		rm -rf "$work"
	fi
	exit $rc
}

# ---- the private server ---------------------------------------------------------------------------------------

# The socket's path must stay below 107 bytes, so the directory is in /tmp, whatever TMPDIR says.
make_work() {
	work=$(mktemp -d /tmp/stratum.XXXXXX)
	mkdir "$work/src" "$work/socket" "$work/tmp"
	src=$work/src
}

# The server's user may not be able to read the tree, nor the caller's directories: hence a copy.
copy_tree() {
	tar -C "$root" -cf - --exclude=./.git --exclude='*.o' --exclude='*.so' --exclude='*.bc' . | tar -C "$src" -xf - --no-same-owner
	[ -z "$server_user" ] || chown -R "$server_user:$(id -g "$server_user")" "$work"
	cd "$work"
}

make_stratum() {
	run make -s -C "$src" PG_CONFIG="$pg_config" with_llvm=no "$@"
}

# $flags, if set, are added to the compiler's.
build() {
	say "building against PostgreSQL $("$pg_config" --version | cut -d' ' -f2)"
	make_stratum -j "$(nproc)" COPT="${flags:-}${WERROR:+-Wall -Wextra -Werror}" all >"$work/build.log" 2>&1 || {
		cat "$work/build.log" >&2
		die "the build failed"
	}
	cat "$work/build.log" >&2
}

# A server finds its library and share directories relative to its own binary. So a tree with copies of the programs
# that look there, and links for all the rest, is an installation that can be written to. $1 = directory, $2... =
# names that are not to be links.
link_all() {
	local dir=$1 name
	shift
	mkdir -p "$work$dir"
	ln -s "$dir"/* "$work$dir/"
	for name; do rm -f "$work$dir/"$name; done
}

make_tree() {
	local bin lib share
	bin=$("$pg_config" --bindir) lib=$("$pg_config" --pkglibdir) share=$("$pg_config" --sharedir)
	tree_bin=$work$bin
	link_all "$bin" postgres initdb pg_ctl
	cp "$bin/postgres" "$bin/initdb" "$bin/pg_ctl" "$tree_bin"
	link_all "$lib" stratum.so
	link_all "$share" extension
	link_all "$share/extension" stratum.control 'stratum--*.sql'
	[ -z "$server_user" ] || chown -R -h "$server_user" "$work"
	make_stratum install DESTDIR="$work" >"$work/install.log" 2>&1 || { cat "$work/install.log" >&2; die "make install failed"; }
}

make_template() {
	local locale=C
	if locale -a 2>/dev/null | grep -qix 'c\.utf-*8'; then locale=C.UTF-8; fi
	run "$tree_bin/initdb" -D "$work/template" -U postgres -A trust -E UTF8 --locale="$locale" -N >"$work/initdb.log" 2>&1 || {
		cat "$work/initdb.log" >&2
		die "initdb failed"
	}
}

# Started without pg_ctl: its process is our child, so that no moment exists in which it could be lost.
start_server() {
	local try
	run cp -R "$work/template" "$work/data"
	set -m
	# shellcheck disable=SC2086  # lists of words
	(as_server ${STRATUM_UNDER:-} "$tree_bin/postgres" -D "$work/data" -k "$work/socket" -c listen_addresses= -c fsync=off \
		-c shared_buffers=128MB -c log_destination=stderr -c timezone=UTC "${server_settings[@]}" ${STRATUM_SETTINGS:-} </dev/null >"$work/log" 2>&1) &
	server=$!
	set +m
	for try in $(seq 1200); do
		if "$tree_bin/pg_isready" -q -h "$work/socket"; then return; fi
		kill -0 "$server" 2>/dev/null || break
		sleep 0.1
	done
	tail -n 20 "$work/log" >&2
	die "the private server did not start"
}

# No PG* variable of the caller may lead a client elsewhere, and no file in his home directory.
clean_environment() {
	local name
	for name in $(compgen -e PG); do
		case $name in PG_CONFIG | PG_MAJOR) ;; *) unset "$name" ;; esac
	done
	unset MAKEFLAGS MAKELEVEL MFLAGS DESTDIR CDPATH
	export LC_ALL=C.UTF-8 LANG=C.UTF-8 TZ=UTC
}

# private_server [PREPARE]: everything above, in order; PREPARE runs when the server's version is known.
private_server() {
	trap clean_up EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	clean_environment
	need_server
	"${1:-true}"
	choose_user
	make_work
	copy_tree
	export HOME=$work TMPDIR=$work/tmp
	build
	make_tree
	make_template
	say "starting a private server (unix socket only)"
	start_server
	export PGHOST=$work/socket PGUSER=postgres PGDATABASE=postgres
}
