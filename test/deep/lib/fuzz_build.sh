# A single-user server with libFuzzer in it, under AddressSanitizer, and the extension with ASan, UBSan and coverage. Sourced (bash)
# after bin/lib/server.sh and postgres_source.sh.
#
#   fuzz_server      makes it where it is not there, or not of these sources; sets server_bin and asan_options
#
# PostgreSQL is 15, whatever the machine has: fuzz/aset.c is written for it. Its parts that read and convert values are
# under ASan too; the rest is compiled quickly.

fuzz_dir=$deep_cache/fuzz
# Changes with how the server is built: what is there of another recipe is built anew.
recipe=1
# Leaks: memory contexts are freed as a whole. Stack frames elsewhere than on the stack: max_stack_depth could not be kept.
asan_options=detect_leaks=0:detect_stack_use_after_return=0:allocator_may_return_null=1:quarantine_size_mb=64
fuzz_cflags="-O1 -g -fno-omit-frame-pointer -fPIC -fno-strict-aliasing -fwrapv -D_GNU_SOURCE"
quick="-O0 -g0 -w"

runtime() { clang -print-file-name="libclang_rt.fuzzer_no_main-$(uname -m).a"; }

need_clang() {
	local missing=()
	command -v clang >/dev/null || missing+=(clang)
	command -v g++ >/dev/null || missing+=(g++)
	command -v make >/dev/null || missing+=(make)
	command -v perl >/dev/null || missing+=(perl)
	[ ${#missing[@]} = 0 ] || install_packages "${missing[@]}" libc6-dev
	[ -f "$(runtime)" ] || install_packages "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
}

# In the build's directory. Debian's PostgreSQL has its libraries installed into /usr unless the prefix has "pgsql" in it: hence
# the prefix, and DESTDIR.
compile_postgres() {
	local dir jobs parts="backend/utils/mb/conversion_procs backend/snowball timezone interfaces/libpq pl/plpgsql/src"
	jobs=$(nproc)
	"$1/configure" CC=clang CXX=clang++ CFLAGS="-O1 -g1 -fno-omit-frame-pointer" --prefix="$fuzz_dir/pgsql" --without-readline \
		--without-zlib --enable-cassert
	cp "$deep/fuzz/aset.c" src/backend/utils/mmgr/aset.c
	make -s -C src/backend generated-headers
	for dir in src/backend/regex src/backend/utils/adt src/backend/utils/mmgr; do
		make -s -j "$jobs" -C $dir COPT="-fsanitize=address -w"
	done
	for dir in src/port src/common; do make -s -j "$jobs" -C $dir COPT="$quick"; done
	make -s -j "$jobs" -C src/backend COPT="$quick" LDFLAGS_EX=-fsanitize=address
	for dir in $parts fe_utils bin/initdb; do make -s -j "$jobs" -C src/$dir COPT="$quick"; done
	for dir in $parts backend bin/initdb; do make -s -C src/$dir install COPT="$quick" LDFLAGS_EX=-fsanitize=address DESTDIR="$PWD/root"; done
}

# libFuzzer is part of the server itself: ASan's own stand-ins for it would be found first otherwise. It looks for the mutator there.
# $1 = where to.
link_fuzzer() {
	local options file
	options="-fsanitize=address -Wl,--whole-archive $(runtime) -Wl,--no-whole-archive -lstdc++"
	for file in generate mutate; do
		clang $fuzz_cflags -Wall -c "$deep/fuzz/$file.c" -o "$fuzz_dir/build/$file.o" || return
		options+=" $fuzz_dir/build/$file.o"
	done
	rm -f "$fuzz_dir/build/src/backend/postgres"
	make -s -C "$fuzz_dir/build/src/backend" COPT="$quick" LDFLAGS_EX="$options" postgres && cp "$fuzz_dir/build/src/backend/postgres" "$1/bin/postgres"
}

build_fuzz_postgres() {
	local source
	source=$(postgres_source 15) || die "PostgreSQL's source could not be had"
	say "building PostgreSQL 15 with clang in $fuzz_dir: some ten minutes"
	rm -rf "$fuzz_dir/build"
	mkdir -p "$fuzz_dir/build"
	# not as a part of this list, where `set -e` would be without effect
	(set -e; cd "$fuzz_dir/build"; compile_postgres "$source") >"$fuzz_dir/log" 2>&1 </dev/null &
	wait $! || { tail -n 20 "$fuzz_dir/log" >&2; die "PostgreSQL could not be built; the whole log is $fuzz_dir/log"; }
}

# The extension, and what calls libFuzzer. $1 = where to.
build_fuzz_extension() {
	local include objects=$fuzz_dir/objects file
	local sanitize="-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined -fno-sanitize=function,vptr"
	include="-w -I$fuzz_dir/build/src/include -I$(postgres_source 15)/src/include"
	say "building the extension for the fuzzer"
	rm -rf "$objects"
	mkdir -p "$objects"
	printf '#define STRATUM_VERSION "%s"\n' "$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$root/stratum.control")" >"$objects/version.h"
	for file in "$root"/src/*.c; do echo "$file"; done |
		xargs -P "$(nproc)" -I{} sh -c "clang $fuzz_cflags $sanitize -fvisibility=hidden -include $objects/version.h $include -c {} -o $objects/\$(basename {} .c).o" >"$fuzz_dir/log" 2>&1 ||
		{ tail -n 20 "$fuzz_dir/log" >&2; die "the extension could not be compiled"; }
	clang -shared -o "$1/lib/stratum.so" "$objects"/*.o
	clang $fuzz_cflags $include -c "$deep/fuzz/target.c" -o "$objects/target.o" && clang -shared -o "$1/lib/fuzz.so" "$objects/target.o" ||
		die "the fuzzer could not be compiled"
	link_fuzzer "$1" >"$fuzz_dir/log" 2>&1 || { tail -n 20 "$fuzz_dir/log" >&2; die "the fuzzer could not be linked"; }
	cp "$root/stratum.control" "$root"/sql/stratum--*.sql "$1/share/extension/"
	rm -rf "$objects"
}

# The checksum of some files' contents.
checksum_of() { cat "$@" | sha256sum | cut -d' ' -f1; }

fuzz_server() {
	local tree=$fuzz_dir/build/root$fuzz_dir/pgsql server extension
	need_clang
	mkdir -p "$fuzz_dir"
	server="$recipe $(checksum_of "$deep/fuzz/aset.c")"
	extension=$(checksum_of "$root"/src/*.[ch] "$root"/sql/stratum--*.sql "$root/stratum.control" "$deep"/fuzz/*.[ch])
	exec 9>"$fuzz_dir.lock"
	flock 9
	[ "$(cat "$fuzz_dir/server" 2>/dev/null)" = "$server" ] || { rm -f "$fuzz_dir/extension"; build_fuzz_postgres; echo "$server" >"$fuzz_dir/server"; }
	[ "$(cat "$fuzz_dir/extension" 2>/dev/null)" = "$extension" ] || { build_fuzz_extension "$tree"; echo "$extension" >"$fuzz_dir/extension"; }
	chmod -R a+rX "$fuzz_dir"
	exec 9>&-
	server_bin=$tree/bin
}
