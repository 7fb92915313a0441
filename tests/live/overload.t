#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# More than a tiny ring buffer holds: what was produced is what was recorded and what was lost.
. tests/live/live.sh

# held_up N: records N pairs with a ring of 64 KiB, and ipctap stopped for a while amid them
record_bg --ring 64k -- sh -c 'exec "$0" -n 300000 -l "$1" >"$2"' "$PROGS/storm" "$T/log" "$T/storm.out"
wait_until 10 test -s "$T/log"
kill -STOP "$recorder"
first=$(wc -l <"$T/log")
more_lines() { [ "$(wc -l <"$T/log")" -gt $((first + 2)) ]; }
# A program that is traced runs on while its tracer does not.
wait_until 10 more_lines
ok $? 'the traced program does not wait for a stopped ipctap'
kill -CONT "$recorder"
wait "$recorder"
is $? 0 'the command exits 0'
calls=$(word "$(cat "$T/storm.out")" calls)
is "$calls" 600003 'the traced program made all its calls'
recorded=$(sql 'select count(*) from event')
lost=$(sql "select coalesce(sum(count),0) from loss where cause='ring-op'")
[ "$lost" -gt 0 ]
ok $? 'some were lost'
is $((recorded + lost)) "$calls" 'produced = recorded + lost' || diag "recorded $recorded, lost $lost"
like "$(tr -d ,_ <"$T/bg.err")" "(^|[^0-9])$lost([^0-9]|$)" 'the loss is printed on stderr'
like "$(cat "$T/bg.err")" '--ring' 'with the remedy'
for verb in report events; do
	run "$IPCTAP" "$verb" "$DB"
	like "$(printf '%s\n%s\n' "$out" "$err" | tr -d ,_)" "lost.*$lost|$lost.*(lost|ring)" "$verb tells the loss again"
done
for verb in 'export -f csv' 'deadlock' 'replay --json'; do
	# shellcheck disable=SC2086 # words
	run "$IPCTAP" $verb "$DB"
	like "$err" "^ipctap: lost $lost operations" "$verb, too"
done
is "$(sql "select count(*) from v_talk where approximate = 0 and src_pid=dst_pid and messages > $recorded")" 0 \
	'and nothing is counted that was not seen'

record -- "$PROGS/storm" -n 100000
is "$(sql 'select count(*) from event')" 200003 'with the default ring nothing is lost'
is "$(sql 'select count(*) from loss')" 0 'and no loss is told'
unlike "$err" 'lost [1-9]' 'nor printed'

record -- "$PROGS/int80"
if [ "$status" -eq 77 ]; then
	skip 'no 32-bit system calls here' 3
else
	is "$out" compat=7 'a program made seven 32-bit calls'
	is "$(sql "select sum(count) from loss where cause='compat32'")" 7 'they are counted as not decoded'
	like "$err" '32-bit' 'and named'
fi
done_testing
