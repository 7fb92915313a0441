#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# libripc's objects, by its own probes: under their names, every operation of theirs, who talked to
# whom; from a program that has the library in it, from the library, in what already runs.
. tests/live/live.sh

mkdir "$T/ipc"

# ops COMM: its operations, by channel: NAME OP COUNT ERRNO; but for the end of a pipe that was waited for
ops() {
	sql "select case when c.name like '%:%' or c.name like '\\\\%' then replace(c.name, '\\\\', '\\')
		else substr(c.ident, 1, 4) end name, substr(o.name, 6), count(*), max(-min(e.ret, 0)) from event e join op o on o.id=e.op join chan c on c.id=e.chan join task t on
		t.tid=e.tid where c.kind='ripc' and t.comm='$1' and o.name not in ('ripc_open', 'ripc_close') and
		c.name not like 'msq%' and c.name not like 'shm%' and not (c.name like '%work' and o.name = 'ripc_wait' and
		e.ret = -32) group by 1, 2 order by 1, 2" | tr '|' ' '
}

record -- "$PROGS/ripcwork" "$T/ipc"
is "$status" 0 'a program with the library in it ran as it should'
is "$(ops rw-a)" '\\.\pipe\work acquire 1 0
\\.\pipe\work receive 20 0
\\.\pipe\work send 20 0
buffer:work send 205 0
cs:mutex acquire 200 0
cs:mutex release 200 0
mapping:view acquire 1 0
mapping:view release 1 0
pipe send 50 0
sem:work release 200 0' 'each of its operations is there, under the name of its object'
is "$(ops rw-b | grep -v 'pipe.work acquire')" '\\.\pipe\work receive 20 0
\\.\pipe\work send 20 0
buffer:work receive 205 0
buffer:work wait 1 110
cs:mutex acquire 200 0
cs:mutex release 200 0
mapping:view acquire 1 0
mapping:view release 1 0
pipe receive 50 0
sem:work acquire 200 0' 'and of the other process; the wait in vain with its error'
is "$(sql "select group_concat(n, ' ') from (select src_comm||'-'||dst_comm||'='||messages||','||bytes||','||
	approximate n from v_talk where kind='ripc' and bytes > 0 order by bytes)")" \
	'rw-b-rw-a=20,120,0 rw-a-rw-b=20,180,0 rw-a-rw-b=30,300,0 rw-a-rw-b=50,5000,0 rw-a-rw-b=205,6440,0' \
	'who sent to whom is exact: the pipe both ways, the queue, the anonymous pipe, the buffer'
is "$(sql "select count(*), sum(mtype) from event e join op o on o.id=e.op where o.name='ripc_receive' and mtype > 0
	and chan in (select id from chan where name like 'msq:%')")" '30|60' 'a message of a queue has its type'
is "$(sql "select count(*) from event e join chan c on c.id=e.chan where c.kind='ripc' and e.slept_ns > e.dur_ns")" 0 \
	'a call sleeps no longer than it lasts'
is "$(sql "select count(*) from v_event where op='ripc_wait' and name='buffer:work' and slept_ns between 20000000
	and 1000000000")" 1 'the wait in vain as long as it said'
is "$(sql "select count(*) from endpoint e join chan c on c.id=e.chan where c.name='sem:work' and to_ns is not null")" \
	2 'both processes had the semaphore, and let go of it'
is "$(sql 'select count(*) from loss')" 0 'nothing was lost'
run "$IPCTAP" events "$DB" -e 'kind=ripc op=send chan=buffer:*' -n 1
like "$out" 'rw-a.*ripc_send\(ripc buffer:work, bytes=32\) = 32' 'a line of the log'

# Where the kernel has no link of many places (before 6.6)
rm -rf "$T/ipc" && mkdir "$T/ipc"
run env IPCTAP_HOOKS=none "$IPCTAP" record -o "$T/single.db" -- "$PROGS/ripcwork" "$T/ipc"
is "$(sqlite3 -batch -noheader "$T/single.db" "select group_concat(bytes) from (select bytes from v_talk where
	kind='ripc' and bytes > 0 and not approximate order by bytes)")" 120,180,300,5000,6440 \
	'by a link for each place: the same flows'

# The library itself, preloaded into a program that knows nothing of it, started by another.
lib=$O/libripc-sysv.so
RIPC_DIR=$T/ipc
export RIPC_DIR
record -- env LD_PRELOAD="$lib" "$PROGS/../ripc/sysv_conform"
if [ -z "${SAN:-}" ]; then
	is "$status" 0 'an unmodified program on the library'
	is "$(sql "select count(*) > 0 from chan where kind='ripc' and name like 'msq:%'")" 1 'its queues have names'
	is "$(sql "select count(*) from event e join op o on o.id=e.op where o.name='msgsnd' and ret >= 0")" 0 \
		"and are not the kernel's"
fi
unset RIPC_DIR

# What already runs, with three messages waiting in the buffer.
mkfifo "$T/in"
"$PROGS/ripcwork" late "$T/ipc" <"$T/in" >"$T/ready" 2>"$T/late.err" &
late=$!
live_pids="$live_pids $late"
exec 3>"$T/in"
wait_until 10 grep -q ready "$T/ready"
children=$(tr -d ' ' <"/proc/$late/task/$late/children")
record_bg -p "$late,$children"
has_begun() { [ "$(sqlite3 -batch -noheader "$DB" "select count(*) from task where comm like 'rw-_'")" -eq 2 ]; }
wait_until 20 has_begun
ok $? 'what runs already is attached to'
echo go >&3
exec 3>&-
wait "$recorder"
wait_until 5 is_gone "$late"
is "$(sql "select count(*), sum(bytes) from v_event where kind='ripc' and name='buffer:late' and op='ripc_send'")" \
	'100|2000' 'every send from then on'
is "$(sql "select count(*) from v_event where kind='ripc' and name='buffer:late' and op='ripc_receive'")" 103 \
	'and every receive'
is "$(sql "select approximate from v_talk where kind='ripc' and name='buffer:late' and
	src_comm='rw-a'")" 1 \
	'what lay there before is not known, so its flows are approximate'

# Nobody will set that event.
record -d 2 -- "$PROGS/ripcwork" never "$T/ipc"
is "$(sql "select c.name, o.name, w.until_ns is null from wait w join chan c on c.id=w.chan join op o on o.id=w.op
	join task t on t.tid=w.tid where t.comm='rw-never'")" 'event:never|ripc_wait|1' \
	'who waits for an object waits for it, not for the futex beneath'
is "$(sql "select count(*) > 0, sum(not flags & 128) from event e join chan c on c.id=e.chan where c.kind='futex' and
	c.name like '$T/ipc/event.never+%'")" '1|0' 'whose sleeps are second rows of it, and not counted again'

# The demos.
record -- "$IPCTAP" demo ripc-named-pipe
is "$status" 0 'the demo of named pipes'
is "$(sql "select count(distinct src_pid), sum(bytes), sum(messages) from v_talk where kind='ripc' and
	name like '\\\\\\\\.\\\\pipe\\\\demo%' and dst_comm='np-server' and bytes > 0")" '3|120|15' \
	'names \\.\pipe\demo…: three clients asked fifteen times'
is "$(sql "select count(distinct dst_pid), sum(bytes), sum(messages) from v_talk where kind='ripc' and
	name like '\\\\\\\\.\\\\pipe\\\\demo%' and src_comm='np-server'")" '3|180|15' 'and the server answered each'

# What doctor says of it: the probes can be had, and where the library lies
run "$IPCTAP" doctor
like "$out" '^ok +ripc probes' 'doctor: the probes can be used'
like "$out" "^ +in $O/libripc.so.0\$" 'and in which library'
mkdir "$T/alone"
cp "$IPCTAP" "$T/alone/ipctap"
run "$T/alone/ipctap" doctor
unlike "$out" "$O/libripc" 'doctor of an ipctap that stands elsewhere: not that one'
if ls /usr/local/lib/libripc* /usr/lib/libripc* /usr/lib/*/libripc* >/dev/null 2>&1; then
	skip 'libripc is installed here'
else
	like "$out" 'no libripc where libraries lie; one elsewhere is found as it runs' 'it says that there is none'
fi
done_testing
