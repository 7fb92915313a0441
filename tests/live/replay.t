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
	seek "$name"
}

# At its end, sought, the model is the live one; at other times what is sought, with the keyframes
# that the live model left, is what is played from the start without.
seek() {
	"$IPCTAP" replay "$DB" --at end --dump-model "$T/end.txt" -b 2>/dev/null
	same_file "$T/end.txt" "$T/live.txt" "$1: model(live) = model(sought)"
	cp "$DB" "$T/plain.db"
	sqlite3 "$T/plain.db" 'DELETE FROM keyframe'
	differ=
	for at in 3% 17% 42% 71% 88% 99.5%; do
		"$IPCTAP" replay "$DB" --at $at --dump-model "$T/sought.txt" -b 2>/dev/null
		"$IPCTAP" replay "$T/plain.db" --at $at --dump-model "$T/played.txt" -b 2>/dev/null
		[ -s "$T/sought.txt" ] && cmp -s "$T/sought.txt" "$T/played.txt" || differ="$differ $at"
		rm -f "$T/sought.txt" "$T/played.txt"
	done
	is "$differ" '' "$1: model(sought) = model(played)"
}

check 'everything at once' -- "$IPCTAP" demo mixed -c 100
check 'every call form' -- "$PROGS/callforms"
check 'names, threads and children' -- "$PROGS/morph"
# ---- deadlocks come and go ----

cat >"$T/twice" <<'END'
"$1" demo two-pipes-full & a=$!
until [ -e "$2/first" ]; do sleep 0.05; done
kill -KILL $(cat /proc/$a/task/$a/children) $a
wait $a
until [ -e "$2/ended" ]; do sleep 0.05; done
"$1" demo two-pipes-full & a=$!
until [ -e "$2/second" ]; do sleep 0.05; done
kill -KILL $(cat /proc/$a/task/$a/children) $a
END
found() { sql "$1" 2>/dev/null; }
has_found() { # N: so many rows of deadlocks
	[ "$(found 'select count(*) from found')" = "$1" ]
}
record_bg -- sh "$T/twice" "$IPCTAP" "$T"
wait_until 30 has_found 1
ok $? 'found: a first deadlock, while it is recorded'
: >"$T/first"
wait_until 30 has_found 2
ok $? 'found: that it is over'
: >"$T/ended"
wait_until 30 has_found 3
ok $? 'found: a second one'
: >"$T/second"
wait "$recorder"
is "$(sql "select group_concat(graph <> '', ' ') from (select graph from found order by t_ns limit 3)")" '1 0 1' \
	'found: one, none, another'
first_ns=$(sql "select value from meta where key = 'first_ns'")
findings_at() { # of the trace's time in ns
	"$IPCTAP" replay "$DB" --at "$(awk -v t="$1" -v f="$first_ns" 'BEGIN { printf "%.6fs", (t - f) / 1e9 }')" --json 2>/dev/null |
		python3 -c 'import json, sys
print(" ".join(sorted(r["comm"] for f in json.load(sys.stdin)["findings"] for r in f["core"])))'
}
nth() { sql "select t_ns from found order by t_ns limit 1 offset $1"; }
is "$(findings_at "$first_ns")" '' 'replay: nothing was found at the start'
is "$(findings_at "$(nth 0)")" 'tp-left tp-right' 'replay: then the first'
is "$(findings_at "$(($(nth 1) + 1000))")" '' 'replay: then none'
is "$(findings_at "$(nth 2)")" 'tp-left tp-right' 'replay: then the second'

check 'a deadlock' -d 1 -- "$IPCTAP" demo two-pipes-full
check 'losses' --ring 4k -- "$PROGS/storm" -n 50000
is "$(sql "select count(*) > 0 from loss where cause='ring-op'")" 1 'losses: there were some'

# long enough for keyframes
check 'keyframes' -- "$IPCTAP" demo mixed -c 2000
[ "$(sql 'select count(*) from keyframe')" -ge 2 ]
ok $? 'keyframes: there are some'

background "$PROGS/echo" server "$T/sock" 600
server=$started
wait_until 10 test -e "$T/sock.ready"
background "$PROGS/echo" client "$T/sock" 600
wait_until 10 test -e "$T/sock.asked"
check 'attached to a running server' -d 1 -p "$server"
done_testing
