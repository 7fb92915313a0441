# SPDX-License-Identifier: GPL-2.0-or-later
# The same program with the shim and without it: what it says and how it ends must be the same. Sourced
# by the tests of the shim in the live and the long tier.

. tests/live/shim.sh

# user_bg CMD ARG…: as that user, in the background; its pid is $started
user_bg() {
	if [ "$(id -u)" = 0 ]; then
		set -- setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs -- "$@"
	fi
	(cd "$T/work" && exec "$@" </dev/null) &
	started=$!
	shim_pids="$shim_pids $started"
}

# wait_gone PID: until there is no such process; fails when there still is after ten seconds
wait_gone() {
	gone_tries=500
	while kill -0 "$1" 2>/dev/null; do
		gone_tries=$((gone_tries - 1))
		[ "$gone_tries" -gt 0 ] || return 1
		sleep 0.02
	done
}

# same NAME CMD ARG…: in a folder of its own, twice; its output, its errors and its status must not
# differ, and the shim must have seen something ($least operations; 1 unless set)
same() {
	same_name=$1
	shift
	rm -rf "$T/work/run" && user mkdir run
	user sh -c 'cd run && exec "$@" 2>../err.plain' - "$@" >"$T/out.plain" </dev/null
	same_status=$?
	rm -rf "$T/work/run" && user mkdir run
	shim -- sh -c 'cd run && exec "$@" 2>../err.shim' - "$@"
	is "$status" "$same_status" "$same_name: ends the same"
	same_file "$T/out" "$T/out.plain" '... says the same'
	same_file "$T/work/err.shim" "$T/work/err.plain" '... complains of the same'
	same_seen=$(sql 'select count(*) from event')
	[ "${same_seen:-0}" -ge "${least:-1}" ]
	ok $? '... and was watched' || diag "$same_seen operations, ${least:-1} wanted; $err"
}
