#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The same programs under strace and under ipctap: call by call the same, in every thread.
. tests/live/live.sh

command -v strace >/dev/null || live_cannot 'strace is not installed'
python=/usr/bin/python3 # not a wrapper of it, which would be traced too
[ -x "$python" ] || live_cannot 'python3 is not installed'
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" # cannot look under ptrace

check() { # NAME ARG…
	name=$1
	shift
	run tests/live/strace_compare "$@"
	ok "$status" "$name: $(printf '%s\n' "$out" | tail -n 1)" || diag "$(printf '%s\n' "$out" "$err" | head -n 60)"
}

check 'a shell pipeline' --merge -- sh -c 'dd if=/dev/zero bs=1000 count=500 status=none | wc -c'
check 'every call form' -- "$PROGS/callforms"
check 'a unix-socket server and clients in Python' -- "$python" tests/progs/unix_echo.py 3 20
check 'names, threads and children' --merge -- "$PROGS/morph"
done_testing
