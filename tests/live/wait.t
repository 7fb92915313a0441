#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Waits that last: a deadlock is still in the trace when it ends, and a wait that ended has an end.
. tests/live/live.sh

record -d 2 -- "$IPCTAP" demo two-pipes-full
writes="from wait w join op o on o.id=w.op join task t on t.tid=w.tid join chan c on c.id=w.chan
	where o.name='write' and c.kind='pipe'"
is "$(sql "select group_concat(comm) from (select t.comm $writes and until_ns is null order by t.comm)")" \
	tp-left,tp-right 'both processes of the deadlock still wait when the trace ends'
is "$(sql "select count(distinct c.id) $writes and until_ns is null")" 2 'each in a pipe of its own'
is "$(sql "select count(*) $writes and until_ns is not null")" 0 'and neither ever came out'
is "$(sql "select count(*) $writes and (select cast(value as integer) from meta where key='last_ns') - since_ns
	between 1000000000 and 3000000000")" 2 'since nearly the beginning of the two seconds'
is "$(sql "select group_concat(comm||':'||still) from (select comm, still from v_blocked where op='write'
	and comm like 'tp-%' order by comm)")" tp-left:1,tp-right:1 'v_blocked says that they still do'
for pid in $(sql "select pid from task where comm like 'tp-%'"); do
	wait_until 5 is_gone "$pid"
	ok $? 'ipctap ended the command after -d'
done
run "$IPCTAP" report "$DB"
like "$out" 'tp-left.*write' 'the report shows who is blocked'

record -- sh -c '(sleep 1; echo late) | cat'
is "$out" late 'the reader got its line'
is "$(sql "select count(*) from wait w join task t on t.tid=w.tid join op o on o.id=w.op where t.comm='cat'
	and o.name='read' and until_ns - since_ns between 700000000 and 1500000000")" 1 \
	'the wait of a second has a beginning and an end'
is "$(sql "select count(*) from v_event where comm='cat' and op='read' and ret=5 and slept_ns between
	700000000 and 1500000000 and slept_ns <= dur_ns")" 1 'and the read that waited says how long it slept'
is "$(sql "select still from v_blocked where comm='cat' and op='read' and kind='pipe'")" 0 'it waits no more'
is "$(sql 'select count(*) from wait where until_ns is null')" 0 'nobody does'

record -- "$PROGS/callforms"
is "$(sql "select count(*) from v_event where op='semtimedop' and ret=-11 and slept_ns between 4000000
	and 1000000000")" 1 'a timeout is slept, and ends in EAGAIN'
is "$(sql "select count(*) from v_event where op='read' and kind='pipe' and ret in (-4, -512) and slept_ns > 0")" \
	1 'a read is interrupted by a timer'
is "$(sql "select count(*) from event e join op o on o.id=e.op where waker_tid <> 0 and (o.name='semtimedop' and
	e.ret=-11 or o.name='read' and e.ret in (-4, -512))")" 0 'a timer is nobody: no thread is named as the waker'

# one found asleep: what it slept before anybody looked is no part of the time it was observed
background perl -e 'pipe(my $r, my $w); sysread($r, $_, 1)'
is_reading() { grep -q '^0 ' "/proc/$started/syscall"; }
wait_until 10 is_reading
record -d 1 -p "$started"
run "$IPCTAP" report --json "$DB"
is "$(printf '%s' "$out" | python3 -c "import json, sys
p = [p for p in json.load(sys.stdin)['processes'] if p['pid'] == $started][0]
print(0 < p['slept_ns'] <= p['observed_ns'], p['waits'])")" 'True 1' 'a share of time asleep is never more than all'
done_testing
