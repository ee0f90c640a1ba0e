# Facts about Debian on this machine. Sourced (bash).

# The mirror that this machine itself uses.
debian_mirror() {
	local found
	found=$(sed -n 's/^\(deb\|URIs:\) *\(\[[^]]*\] *\)\?\(http[^ ]*debian\)\/\? *.*/\3/p' \
		/etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1 || true)
	echo "${found:-http://deb.debian.org/debian}"
}
