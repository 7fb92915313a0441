# SPDX-License-Identifier: GPL-2.0-or-later
# What the live tests share; they source it instead of tests/lib.sh. They need root and BPF, trace
# only programs that they started, and wait for conditions, never for time.

. tests/lib.sh

PROGS=${PROGS:-${O:-build}/tests/progs}
DB=$T/t.db

# What was started is ended with the test, however it ends.
trap 'live_cleanup; rm -rf "$T"' EXIT
live_pids=
live_cleanup() { # a test may define its own at_end as well
	for live_pid in $live_pids; do
		kill -KILL "$live_pid" 2>/dev/null
		wait "$live_pid" 2>/dev/null
	done
	if command -v at_end >/dev/null; then at_end; fi
}

live_cannot() {
	if [ "${IPCTAP_REQUIRE_LIVE:-}" = 1 ]; then
		echo "not ok 1 - live tests must run here, but $1"
		echo 1..1
		exit 1
	fi
	skip_all "$1"
}

[ "${BPF:-1}" != 0 ] || live_cannot 'built without BPF'
[ "$(id -u)" = 0 ] || live_cannot 'tracing needs root'
[ -r /sys/kernel/btf/vmlinux ] || live_cannot 'the kernel has no BTF'

# record ARG…: ipctap record into $DB, sets what run sets
record() {
	rm -f "$DB" "$DB"-wal "$DB"-shm
	run "$IPCTAP" record -o "$DB" "$@"
}

# record_bg ARG…: the same in the background; its pid is $recorder. The shell has such jobs ignore
# SIGINT; this one should not.
record_bg() {
	rm -f "$DB" "$DB"-wal "$DB"-shm
	perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV or die' \
		"$IPCTAP" record -o "$DB" "$@" >"$T/bg.out" 2>"$T/bg.err" </dev/null &
	recorder=$!
	live_pids="$live_pids $recorder"
}

# background CMD ARG…: started, and ended with the test; its pid is $started
background() {
	"$@" >"$T/started.out" 2>&1 </dev/null &
	started=$!
	live_pids="$live_pids $started"
}

sql() { sqlite3 -batch -noheader "$DB" "$1"; }

# wait_until SECONDS CMD ARG…: until CMD succeeds; fails when it has not after so long
wait_until() {
	live_tries=$(($1 * 50))
	shift
	until "$@" 2>/dev/null; do
		live_tries=$((live_tries - 1))
		[ "$live_tries" -gt 0 ] || return 1
		sleep 0.02
	done
}

# word LINE KEY: the value of KEY=VALUE in a line of a workload's own account
word() { printf '%s\n' "$1" | sed -n "s/^\(.* \)\{0,1\}$2=\([^ ]*\).*/\2/p"; }

# is_recorded PID: the trace, which is being written, tells of that process
is_recorded() { [ -s "$DB" ] && [ "$(sql "select count(*) from task where tid=$1")" = 1 ]; }

is_gone() { ! kill -0 "$1" 2>/dev/null; }
