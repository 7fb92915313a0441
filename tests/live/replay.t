#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# One stream, many sinks: the model of a live run and the model of the replay of its recording are
# the same, to the last count.
. tests/live/live.sh

check() { # NAME ARG…
	name=$1
	shift
	rm -f "$DB" "$T/live.txt" "$T/replay.txt"
	run "$IPCTAP" record --dump-model "$T/live.txt" -o "$DB" "$@"
	run "$IPCTAP" report --dump-model "$T/replay.txt" "$DB"
	is "$status" 0 "$name: report replays it"
	[ "$(cat "$T/live.txt" 2>/dev/null | wc -l)" -gt 5 ]
	ok $? "$name: there is a model to compare"
	same_file "$T/replay.txt" "$T/live.txt" "$name: model(live) = model(replay)"
}

check 'everything at once' -- "$IPCTAP" demo mixed -c 100
check 'every call form' -- "$PROGS/callforms"
check 'names, threads and children' -- "$PROGS/morph"
check 'a deadlock' -d 1 -- "$IPCTAP" demo two-pipes-full
check 'losses' --ring 4k -- "$PROGS/storm" -n 50000
is "$(sql "select count(*) > 0 from loss where cause='ring-op'")" 1 'losses: there were some'

background "$PROGS/echo" server "$T/sock" 30
server=$started
wait_until 10 test -e "$T/sock.ready"
background "$PROGS/echo" client "$T/sock" 20
wait_until 10 test -e "$T/sock.asked"
check 'attached to a running server' -d 1 -p "$server"
done_testing
