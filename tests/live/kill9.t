#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kill -9 of ipctap: the traced program goes on, the trace opens and holds all but the last 200 ms.
#
# That is promised to a program that leaves the machine time to write down what it does. So the one here makes
# a thirtieth of the calls that this machine can: on an emulated processor, which takes ten times as long for
# everything, what is a light load elsewhere is one under which the writer falls behind, as it may.
. tests/live/live.sh

PAIRS=30000
pace=$(perl -MTime::HiRes=time -e 'my $t = time; system("\"$ARGV[0]\" -n $ARGV[1] >/dev/null") and die;
	printf "%d", $ARGV[1] / (time - $t) / 1000 / 30' "$PROGS/storm" $PAIRS)
[ "$pace" -ge 1 ] || pace=1
record_bg -- sh -c '"$0"/storm -t 60 -p "$2" -l "$1"/log -u "$1"/stop >"$1"/storm.out; echo $? >"$1"/status' \
	"$PROGS" "$T" "$pace"
has_lines() { [ "$(wc -l <"$T/log")" -ge "$1" ]; }
wait_until 60 has_lines 60
ok $? 'the traced program is under way'
killed_ns=$(perl -MTime::HiRes=clock_gettime,CLOCK_MONOTONIC -e \
	'my $t = clock_gettime(CLOCK_MONOTONIC); kill 9, $ARGV[0] or die; printf "%d", $t * 1e9' "$recorder")
wait "$recorder" 2>/dev/null
is $? 137 'ipctap is killed'
lines=$(wc -l <"$T/log")
wait_until 10 has_lines $((lines + 5))
ok $? 'the traced program goes on'
touch "$T/stop"
wait_until 10 test -s "$T/status"
is "$(cat "$T/status")" 0 'the traced program ends as if nothing had happened'
like "$(cat "$T/storm.out")" '^calls=' 'with all its work done'

is "$(sql 'pragma integrity_check')" ok 'the file is sound, without any help'
must=$(awk -v until=$((killed_ns - 200000000)) '$1 <= until { n = $2 } END { print n + 0 }' "$T/log")
[ "$must" -gt 1000 ]
ok $? 'enough had happened'
run "$IPCTAP" report "$DB"
is "$status" 0 'report opens it'
like "$out" 'storm' 'and tells what was recorded'
is "$(sql "select count(*) >= $must from v_event where comm='storm' and op='write' and ret=1")" 1 \
	'nothing older than 200 ms is missing' || diag "$pace a ms; must have $must, has $(sql \
	"select count(*) from v_event where comm='storm' and op='write'")"
# The writes of a thread follow each other: a hole would show as a reader ahead of the writer.
is "$(sql "select abs(sum(case op when 'write' then 1 else -1 end)) <= 1 from v_event where comm='storm'
	and op in ('read','write') and kind='pipe'")" 1 'and there is no hole'
run "$IPCTAP" events "$DB" -e 'comm=storm op=write'
is "$status" 0 'events reads it'
[ "$(wc -l <"$T/out")" -ge "$must" ]
ok $? 'all of it'
done_testing
