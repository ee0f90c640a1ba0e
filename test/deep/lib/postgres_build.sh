# PostgreSQL built from Debian's source in a way that Debian's binaries are not. Sourced (bash) after bin/lib/server.sh.
#
#   postgres_build MAJOR NAME CFLAGS CPPFLAGS   prints the path of pg_config of that server, with pgTAP, and assertions
#
# It is kept in ${STRATUM_DEEP:-/var/tmp/stratum-deep}/pgsqlMAJOR-NAME (0.3 GB), and built anew when the flags are others. That takes
# some ten minutes on two processors. Without "pgsql" in the name, Debian's source would put its libraries into /usr/lib.

. "$(dirname "${BASH_SOURCE[0]}")/postgres_source.sh"

configure_options="--enable-cassert --enable-debug --with-openssl --with-icu --with-libxml --without-readline"

# What configure looks for; pkg-config finds ICU.
need_build_packages() {
	local package missing=()
	for package in make gcc libc6-dev perl bison flex pkg-config libssl-dev libicu-dev libxml2-dev "$@"; do
		dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
	done
	[ ${#missing[@]} != 0 ] || return 0
	may_be_root || die "missing: ${missing[*]}"
	say "installing from Debian: ${missing[*]}"
	apt_get update && apt_get install --no-install-recommends -y "${missing[@]}" || die "apt-get could not install: ${missing[*]}"
}

# pgTAP is a control file and scripts, so those of Debian's package do for any server. $1 = where they go.
add_pgtap() {
	local dir package
	dir=$(mktemp -d)
	package=$(apt-cache search --names-only '^postgresql-[0-9]+-pgtap$' | sed 's/ .*//' | sort -V | tail -n 1)
	(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download "$package" && dpkg-deb -x ./*.deb .) >&2 && cp "$dir"/usr/share/postgresql/*/extension/pgtap* "$1"
	rm -rf "$dir"
}

# Into $1, which is there only when it is whole. $2 = source, $3 = CFLAGS, $4 = CPPFLAGS. What was interrupted goes on.
build_postgres() {
	local target=$1 source=$2 dir=$1.new flags="$3 $4 $configure_options"
	[ "$(cat "$dir/flags" 2>/dev/null)" = "$flags" ] || rm -rf "$dir"
	mkdir -p "$dir/build"
	printf '%s\n' "$flags" >"$dir/flags"
	(
		cd "$dir/build" &&
			{ [ -f GNUmakefile ] || "$source/configure" --prefix="$target" $configure_options CFLAGS="$3" CPPFLAGS="$4"; } &&
			make -s -j "$(nproc)" && make -s install DESTDIR="$dir/root" &&
			make -s -C contrib/btree_gin install DESTDIR="$dir/root" && make -s -C contrib/pgcrypto install DESTDIR="$dir/root"
	) >>"$dir/log" 2>&1 </dev/null || { tail -n 20 "$dir/log" >&2; die "PostgreSQL could not be built; the whole log is $dir/log"; }
	add_pgtap "$("$dir/root$target/bin/pg_config" --sharedir)/extension" || die "pgTAP could not be had"
	cp "$dir/flags" "$dir/root$target/flags"
	chmod -R a+rX "$dir/root"
	rm -rf "$target"
	mv "$dir/root$target" "$target"
	rm -rf "$dir"
}

postgres_build() {
	local major=$1 target=$deep_cache/pgsql$1-$2 source
	mkdir -p "$deep_cache"
	(
		flock 9
		[ "$(cat "$target/flags" 2>/dev/null)" != "$3 $4 $configure_options" ] || exit 0
		need_build_packages >&2
		source=$(postgres_source "$major") || die "PostgreSQL $major's source could not be had"
		say "building PostgreSQL $major ($2) in $target"
		build_postgres "$target" "$source" "$3" "$4"
	) 9>"$deep_cache/pgsql$major-$2.lock" || return
	[ -x "$target/bin/postgres" ] || die "PostgreSQL $major ($2) is not in $target"
	echo "$target/bin/pg_config"
}

# Assertions; freed memory overwritten, and its use seen by valgrind.
checked_server() {
	need_build_packages valgrind
	postgres_build "$1" checked '-O1 -g -fno-omit-frame-pointer' '-DUSE_VALGRIND'
}

# Assertions; entries of the caches thrown away as soon as nobody holds them, which makes many a test fifty times as slow.
releasing_server() {
	postgres_build "$1" releasing '-O1 -g -fno-omit-frame-pointer' '-DRELCACHE_FORCE_RELEASE -DCATCACHE_FORCE_RELEASE'
}
