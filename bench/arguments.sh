# The arguments of bin/bench and bench/run. Sourced (bash); sets profiles, rounds, segments, out and sections, or ends the script.

all_sections=(segments index tenant refresh live events ingest intake hash metrics context isolation audit)
profiles=1000000 rounds=7 segments=1000 out='' sections=()

wrong() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 2; }

number() { # OPTION VALUE LEAST
	if ! [[ $2 =~ ^[1-9][0-9]{0,7}$ ]] || [ "$2" -lt "$3" ]; then wrong "$1 takes a number from $3"; fi
}

read_arguments() {
	while [ $# != 0 ]; do
		case $1 in
		--profiles) number "$1" "${2:-}" 1000; profiles=$2; shift ;;
		--rounds) number "$1" "${2:-}" 1; rounds=$2; shift ;;
		--segments) number "$1" "${2:-}" 10; segments=$2; shift ;;
		--out) out=${2:-}; [ -n "$out" ] || wrong "--out takes a directory"; shift ;;
		-*) wrong "unknown option $1; see bin/bench --help" ;;
		*) [[ " ${all_sections[*]} " == *" $1 "* ]] || wrong "no such section: $1 (there are: ${all_sections[*]})"
			sections+=("$1") ;;
		esac
		shift
	done
	[ ${#sections[@]} != 0 ] || sections=("${all_sections[@]}")
}
