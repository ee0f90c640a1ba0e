# Runs of bin/test whose counts are added up. Sourced (bash) after bin/lib/server.sh; ends with `finish`.

passed=0 failed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# report WHAT HOW-OFTEN RESULT: a line of the table of what has been tried.
report() { printf '# reliability: %s | %s | %s\n' "$1" "$2" "$3"; }

# count GOOD BAD
count() { passed=$((passed + $1)) failed=$((failed + $2)); }

# suite ARGUMENT...: bin/test with them; shows what is not ok. $good and $bad are its counts.
suite() {
	local counts
	"$root/bin/test" "$@" >"$scratch/tests" || true
	grep -vE '^(ok|test) |^     .*\.\.\. ok|^[0-9]+ passed, [0-9]+ failed$' "$scratch/tests" || true
	counts=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$scratch/tests" | tail -n 1)
	[ -n "$counts" ] || counts='0 1'
	good=${counts% *} bad=${counts#* }
	count "$good" "$bad"
}

finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
}
