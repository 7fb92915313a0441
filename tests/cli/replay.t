#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# ipctap replay for scripts: places, text, JSON, and what a trace that is none is told.
. tests/lib.sh

DB=$T/small.db
cp tests/golden/small.db "$DB"
mktrace=${PROGS:-$(dirname "$IPCTAP")/tests/progs}/mktrace
json() { # PYTHON: an expression over o, the object printed
	python3 -c "import json, sys; o = json.loads(sys.stdin.read()); print($1)" <"$T/out"
}

run "$IPCTAP" replay "$DB" --at end --json
is "$status" 0 '--at end --json'
is "$(json 'o["ops"]')" 21 'the end: all operations'
is "$(json 'o["lost"]')" 9 'and all losses'
is "$(json 'len(o["blocked"]) > 0 and o["blocked"][0]["comm"]')" sh 'and who is still asleep'
is "$(json '[e["n"] for e in o["events"]]')" "$(python3 -c 'print(list(range(21, 0, -1)))')" \
	'the latest operations, the newest first, each with its number'
is "$(json 'sorted(o["events"][0])')" "['bytes', 'call', 'chan', 'comm', 'dur_ns', 'fd', 'kind', 'n', 'name', 'pid', 'ret', 'slept_ns', 't_ns', 'tid', 'waker_tid']" \
	'with the keys of the manual'
run "$IPCTAP" replay "$DB" --at '#30' --json
is "$(json 'o["events"][0]["n"] == o["ops"] == len(o["events"])')" True 'also in the middle'
run "$IPCTAP" replay "$DB" --at start --json
is "$status:$(json 'o["ops"]')" 0:0 'the start: none'
run "$IPCTAP" replay "$DB" --at '#0' -b
is "$status" 2 '#0 is no place'
like "$err" "'#0' is no place in a trace" 'which is said'
like "$err" '12\.5s, \+2s, 25%, 14:03:22, #1234' 'with what would be one'

for place in 430us 0.00043 43000e 5%; do
	run "$IPCTAP" replay "$DB" --at "$place" --json
	case $place in
	43000e) is "$status" 2 "$place is no place" ;;
	*) is "$status" 0 "$place is one" ;;
	esac
done
run "$IPCTAP" replay "$DB" --at 430us --json
is "$(json 'o["ops"]')" "$(sqlite3 "$DB" "select count(*) from event where t_ns + at_ns <=
	(select value from meta where key = 'first_ns') + 430000")" 'the operations that had taken effect by then'
run "$IPCTAP" replay "$DB" --since start --at end --json
is "$(json 'round(o["ops_per_s"] * o["interval_s"])')" 21 '--since: rates are over all of it'
run "$IPCTAP" replay "$DB" --since end --at start --json
is "$status" 2 '--since behind --at is refused'
run "$IPCTAP" replay "$DB" -i 0.0005 --json
is "$(grep -c '^{' "$T/out")" "$(python3 - "$DB" <<'PY'
import math, sqlite3, sys
d = dict(sqlite3.connect(sys.argv[1]).execute("select key, value from meta"))
print(math.ceil((int(d["last_ns"]) - int(d["first_ns"])) / 500000))
PY
)" 'without --at: a refresh for each interval'
run "$IPCTAP" replay "$DB" -i 0.0005 --json -n 2
is "$(grep -c '^{' "$T/out")" 2 '-n: so many'
run "$IPCTAP" replay "$DB" --at end -b
like "$out" '^ipctap replay - ' '-b: text'
for view in Processes Channels Talk Blocked Events; do
	like "$out" "^$view\$" "-b: $view"
done
run "$IPCTAP" replay "$DB" --at end --json -e kind=pipe
is "$(json 'sum(t["messages"] for t in o["talk"])')" 3 '-e: only what matches counts'

# what the trace is: finished, without shortcuts, killed
if [ -x "$mktrace" ]; then
	"$mktrace" "$T/fresh.db"
	"$IPCTAP" replay "$T/fresh.db" --at 1.03ms --json 2>/dev/null | sed "s|$T/[a-z]*.db||" >"$T/fresh"
	"$IPCTAP" replay "$DB" --at 1.03ms --json 2>/dev/null | sed "s|$T/[a-z]*.db||" >"$T/old"
	same_file "$T/fresh" "$T/old" 'a trace from before there were keyframes shows the same'
else
	skip "$mktrace is not built"
fi

run "$IPCTAP" replay "$DB"
is "$status" 2 'not on a terminal'
like "$err" 'use -b for text, or --json' 'the remedy'
run "$IPCTAP" replay
is "$status" 2 'no trace'
like "$err" '^ipctap: replay: nothing to read$' 'says so'
run "$IPCTAP" replay "$DB" -b --view nothing
is "$status" 2 'a view that is none'
like "$err" 'write processes, channels, talk' 'the remedy'

: >"$T/empty"
printf 'SQLite format 3' >"$T/short"
head -c 9000 "$DB" >"$T/cut.db"
cp "$DB" "$T/newer.db"
sqlite3 "$T/newer.db" 'PRAGMA user_version = 99'
sqlite3 "$T/foreign.db" 'create table t(x)'
for what in "missing.db:No such file" "empty:is empty" "short:not an ipctap trace" "cut.db:truncated" \
	"newer.db:is of version 99" "foreign.db:not an ipctap trace"; do
	run "$IPCTAP" replay "$T/${what%%:*}" --at end -b
	is "$status:$out" 3: "${what%%:*}: 3"
	like "$(printf '%s\n' "$err" | head -n 1)" "${what#*:}" "${what%%:*}: says what"
	like "$(printf '%s\n' "$err" | sed -n 2p)" '^  [a-z]' "${what%%:*}: and the remedy"
done

# a trace in which nothing happened
sqlite3 "$DB" "delete from event; delete from control; delete from payload; delete from loss;
	delete from wait; update meta set value = 0 where key in ('events', 'first_ns', 'last_ns')"
run "$IPCTAP" replay "$DB" --at end --json
is "$status:$(json 'o["ops"]')" 0:0 'an empty trace'
like "$err" 'nothing was recorded' 'says so'
done_testing
