# What the scripts with random inputs share. Sourced (bash) after bin/lib/server.sh; they end with `finish`.

passed=0 failed=0
deep=$root/test/deep

# outcome GOOD WHAT HOW-OFTEN RESULT: counts it, as good if GOOD is 0, and prints a line of the table of what has been tried.
outcome() {
	if [ "$1" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
	printf '# reliability: %s | %s | %s\n' "$2" "$3" "$4"
}

finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
}

# 1234567 as 1,234,567
grouped() { sed ':again; s/^\([0-9]*[0-9]\)\([0-9]\{3\}\)/\1,\2/; t again' <<<"$1"; }

# How often the server has crashed, or an assertion has failed, says its log.
crashes() { grep -cE 'was terminated by signal|TRAP: |PANIC: |reinitializing' "$1" || true; }

# Errors of the internal kind (XX...) in a server's log, and how often.
internal_errors() { sed -nE 's/^.*(ERROR|FATAL): +(XX[0-9A-Z]{3}: )/\2/p' "$1" | sort | uniq -c | sort -rn; }

# Keeps a server's log where it can be read afterwards, and says where.
keep_log() {
	local kept=${STRATUM_DEEP:-/var/tmp/stratum-deep}/${0##*/}.log
	mkdir -p "${kept%/*}"
	cp "$1" "$kept"
	say "the server's log is kept: $kept"
}
