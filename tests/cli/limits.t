#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# When a run ends, and with which status: -d, -n, signals, a reader that leaves, a full disk.
. tests/lib.sh

"$IPCTAP" doctor >/dev/null 2>&1 || skip_all 'this host cannot be traced: see ipctap doctor'
DB=$T/t.db

# gone FILE: the process whose pid FILE holds has ended
gone() { ! kill -0 "$(cat "$1")" 2>/dev/null; }
# sends one byte through a pipe for ever, slowly; its pid goes to $0
ticker='echo $$ >"$0"; while :; do echo tick | cat >/dev/null; done'

run timeout 60 "$IPCTAP" record -o "$DB" -d 0.3 -- sh -c "$ticker" "$T/pid"
is "$status" 0 'record -d: ending the command was asked for, so 0'
gone "$T/pid"
ok $? 'the command was ended'
like "$err" "^ipctap: $DB: [0-9]+ operations in .*, nothing lost\$" 'the summary says what there is'
run "$IPCTAP" events "$DB"
[ "$(grep -c . "$T/out")" -gt 10 ]
ok $? 'and the trace holds it'

run timeout 60 "$IPCTAP" record -o "$DB" -n 50 -e op=write -- sh -c "$ticker" "$T/pid"
is "$status" 0 'record -n: 0 as well'
run "$IPCTAP" events "$DB"
is "$(grep -c . "$T/out")" 50 'exactly so many are in the trace'
is "$(grep -vc ' write(' "$T/out")" 0 'all of them match the filter'

run timeout 60 "$IPCTAP" events -n 5 -e kind=pipe -- sh -c "$ticker" "$T/pid"
is "$status:$(grep -c . "$T/out")" 0:5 'events -n, live'
run timeout 60 "$IPCTAP" events -o "$T/lines" -- sh -c 'echo out | cat; exit 7'
is "$status:$out" 7:out 'events -o: the status and the output are those of the command'
like "$(cat "$T/lines")" 'cat\[[0-9]*\] read\(pipe:' 'and the lines are in the file'
run timeout 60 "$IPCTAP" report --json -- sh -c 'echo out >/dev/null | cat >/dev/null; exit 7'
is "$status" 7 'report: the status is that of the command'
run timeout 60 "$IPCTAP" top -b -n 2 -i 0.1 -- sh -c "$ticker" "$T/pid"
is "$status" 0 'top -n: 0'
gone "$T/pid"
ok $? 'and the command was ended'
run timeout 60 "$IPCTAP" top --json -n 2 -i 0.1 -- sh -c "echo noise; $ticker" "$T/pid"
is "$(grep -c . "$T/out"):$(grep -vc '^{' "$T/out")" 2:0 'top --json: an object a line, and nothing of the command'

timeout 60 sh -c '"$@"; echo $? >"$0"' "$T/status" "$IPCTAP" events -- sh -c "$ticker" "$T/pid" 2>"$T/err" |
	head -n 3 >"$T/out"
is "$(cat "$T/status")" 0 'a reader that leaves ends it'
gone "$T/pid"
ok $? 'the command too'
is "$(cat "$T/err")" '' 'without a word'

run timeout 60 "$IPCTAP" events -o /dev/full -- sh -c 'for i in 1 2 3 4 5; do echo | cat; sleep 0.1; done; echo done >"$0"' "$T/ran"
is "$status" 3 'a full disk: 3, as the command succeeded'
is "$(cat "$T/ran")" 'done' 'which was left to do so'
like "$err" '^ipctap: cannot write /dev/full: No space left' 'and it is said'
run timeout 60 "$IPCTAP" events -o /dev/full -- sh -c 'echo | cat; exit 9'
is "$status" 9 "a command's own failure is not covered up by that"

# (A shell starts what is in the background with SIGINT ignored; env undoes that.)
# ^C reaches the command as well: what it does about it is waited for, recorded, and its status ours
env --default-signal=INT "$IPCTAP" record -o "$DB" -- sh -c 'trap "echo bye | cat >/dev/null; exit 5" INT
	echo $$ >"$0"; while :; do sleep 0.05; done' "$T/trapped" 2>"$T/err" &
recorder=$!
tries=0
until [ -s "$T/trapped" ] || [ $tries -eq 200 ]; do
	sleep 0.05
	tries=$((tries + 1))
done
kill -INT "$(cat "$T/trapped")" "$recorder" 2>/dev/null
wait "$recorder"
is $? 5 '^C: the status is that of the command'
run "$IPCTAP" events "$DB" -e 'comm=cat op=read ret=4'
is "$(grep -c . "$T/out")" 1 'and its way out was recorded'
done_testing
