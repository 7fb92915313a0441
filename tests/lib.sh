# SPDX-License-Identifier: GPL-2.0-or-later
# TAP for shell tests run by prove(1). Source it first, from the root of the tree:
#
#     #!/bin/sh
#     . tests/lib.sh
#     run "$IPCTAP" --version
#     is "$status" 0 'exits 0'
#     like "$out" '^ipctap [0-9]' 'says its version'
#     done_testing
#
# $IPCTAP is the program under test (build/ipctap unless the environment says otherwise), $T a
# fresh folder that is removed at the end. POSIX sh only.

IPCTAP=${IPCTAP:-build/ipctap}
TAB=$(printf '\t')
LC_ALL=C.UTF-8 TZ=UTC
export IPCTAP LC_ALL TZ
unset COLUMNS NO_COLOR

t_done=0
t_failed=0
T=$(mktemp -d "${TMPDIR:-/tmp}/ipctap-test.XXXXXX") || exit 255
trap 'rm -rf "$T"' EXIT
trap 'exit 130' INT TERM HUP

# diag TEXT…: a remark for the reader of a failed test
diag() { printf '%s\n' "$*" | sed 's/^/# /' >&2; }

# ok STATUS NAME: passes when STATUS is 0
ok() {
	t_done=$((t_done + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $t_done - $2"
	else
		t_failed=$((t_failed + 1))
		echo "not ok $t_done - $2"
		return 1
	fi
}

# ok_lines FILE [PREFIX]: a test for each line "ok NAME" or "not ok NAME" of another program's
ok_lines() {
	while read -r line; do
		case $line in
		ok*) ok 0 "${2:-}${line#ok }" ;;
		*) ok 1 "${2:-}${line#not ok }" ;;
		esac
	done <"$1"
}

# is GOT WANTED NAME: equal as strings
is() {
	if [ "$1" = "$2" ]; then
		ok 0 "$3"
	else
		ok 1 "$3"
		diag "     got: $1"
		diag "  wanted: $2"
		return 1
	fi
}

# like GOT REGEX NAME: some line of GOT matches the extended regular expression
like() {
	if printf '%s\n' "$1" | grep -Eq -e "$2"; then
		ok 0 "$3"
	else
		ok 1 "$3"
		diag "     got: $1"
		diag "  wanted a line like: $2"
		return 1
	fi
}

# unlike GOT REGEX NAME: no line of GOT matches
unlike() {
	if printf '%s\n' "$1" | grep -Eq -e "$2"; then
		ok 1 "$3"
		diag "     got: $1"
		diag "  wanted no line like: $2"
		return 1
	else
		ok 0 "$3"
	fi
}

# same_file GOT WANTED NAME: two files with the same bytes; shows the difference
same_file() {
	if diff -u "$2" "$1" >"$T/.diff" 2>&1; then
		ok 0 "$3"
	else
		ok 1 "$3"
		diag "$(head -n 40 "$T/.diff")"
		return 1
	fi
}

# run CMD ARG…: sets $status, and $out and $err (also the files $T/out and $T/err)
run() {
	"$@" >"$T/out" 2>"$T/err" </dev/null
	status=$?
	out=$(cat "$T/out")
	err=$(cat "$T/err")
}

# skip REASON [COUNT]: COUNT tests (1) that cannot run here
skip() {
	t_left=${2:-1}
	while [ "$t_left" -gt 0 ]; do
		t_done=$((t_done + 1))
		t_left=$((t_left - 1))
		echo "ok $t_done # SKIP $1"
	done
}

# skip_all REASON: none of this file's tests can run here
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

# done_testing: the last line of every test; a file that ends before it fails
done_testing() {
	echo "1..$t_done"
	[ "$t_failed" -eq 0 ] || exit 1
	exit 0
}

[ -x "$IPCTAP" ] || {
	echo "Bail out! $IPCTAP is not there: run make first, or set IPCTAP"
	exit 255
}
