# Runs of bin/test whose counts are added up. Sourced (bash) after bin/lib/server.sh; ends with `finish`.

passed=0 failed=0 child=''
scratch=$(mktemp -d)
trap 'end_suite' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# bin/test cleans up after itself; it is waited for in a way that lets signals through.
end_suite() {
	if [ -n "$child" ]; then
		kill -TERM "$child" 2>/dev/null || true
		wait "$child" || true
	fi
	rm -rf "$scratch"
}

# report WHAT HOW-OFTEN RESULT: a line of the table of what has been tried.
report() { printf '# reliability: %s | %s | %s\n' "$1" "$2" "$3"; }

# count GOOD BAD
count() { passed=$((passed + $1)) failed=$((failed + $2)); }

# suite ARGUMENT...: bin/test with them; shows what is not ok. $good and $bad are its counts.
suite() {
	local counts
	"$root/bin/test" "$@" >"$scratch/tests" &
	child=$!
	wait "$child" || true
	child=''
	grep -vE '^ok |^test .* ok +[0-9]+ ms|^     .*\.\.\. ok|^[0-9]+ passed, [0-9]+ failed$' "$scratch/tests" || true
	counts=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$scratch/tests" | tail -n 1)
	[ -n "$counts" ] || counts='0 1'
	good=${counts% *} bad=${counts#* }
	count "$good" "$bad"
}

finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
}
