#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Whom to trace: a running server, children, threads, names, groups, the whole host but ourselves.
. tests/live/live.sh

cgroup=
at_end() { [ -z "$cgroup" ] || rmdir "$cgroup" 2>/dev/null; }

background "$PROGS/echo" server "$T/sock" 900
server=$started
wait_until 10 test -e "$T/sock.ready"
name=echo-$$ # nobody else on this host has it
background "$PROGS/echo" client "$T/sock" 900 "$name"
client=$started
wait_until 10 test -e "$T/sock.asked"
ok $? 'a server runs and a client keeps it busy'

# -p: one process that was there before
record -d 1 -p "$server"
is "$status" 0 '-p exits 0'
is "$(sql "select count(*) from event where pid <> $server")" 0 '-p: nobody else is traced'
is "$(sql "select group_concat(op) from (select distinct op from v_event where pid=$server and kind='unix' and
	bytes > 0 order by op)")" recvfrom,sendto '-p: the server receives and sends'
is "$(sql "select min(n) > 20 from (select count(*) as n from v_event where pid=$server and bytes > 0 group by op)")" \
	1 '-p: all the time'
is "$(sql "select count(*) from v_event where pid=$server and bytes > 0 and tid=pid")" 0 \
	'-p: by a thread that was there before'
like "$(sql "select name from v_event where bytes > 0 limit 1")" "$T/sock" '-p: through a socket with a name'
is "$(sql "select count(*) from wait w join op o on o.id=w.op where w.tid=$server and o.name in
	('accept','accept4') and until_ns is null")" 1 '-p: the wait that began before the trace is in it'
is "$(sql "select count(distinct chan) > 0 from endpoint where pid=$server")" 1 '-p: what it holds was looked up'
is "$(sql "select count(*) from v_talk where src_pid=$client and dst_pid=$server and kind='unix' and bytes > 0
	or dst_pid=$client and src_pid=$server and kind='unix' and bytes > 0")" 2 \
	'-p: the other end is named though it is not traced'
kill -0 "$server" && kill -0 "$client"
ok $? '-p: both are unharmed'

# -p of both: every byte has a sender and a receiver
record -d 1 -p "$server,$client"
is "$(sql "select count(*) from (select 1 from v_talk where src_comm='$name' and dst_pid=$server and
	bytes = 50*messages and messages > 20 union all select 1 from v_talk where src_pid=$server and
	dst_comm='$name' and bytes = 150*messages and messages > 20)")" 2 'two -p: 50 bytes there, 150 back'

# a pid that ends
background "$PROGS/echo" client "$T/sock" 900
record_bg -p "$started"
recorded() { [ "$(sql 'select count(*) from event')" -gt 20 ]; }
wait_until 60 recorded
kill "$started"
wait "$recorder"
is $? 0 '-p of a process that exits: ends by itself'
is "$(sql "select count(*) > 0 from v_event where pid=$started and op='sendto'")" 1 '… with what it did'
is "$(sql "select exit_code from task where pid=$started and tid=pid")" 0 '… and how it ended'

# --comm, --cgroup
record -d 1 --comm "$name"
is "$(sql "select group_concat(distinct comm) from v_event")" "$name" '--comm: those of that name, no others'
is "$(sql "select group_concat(distinct pid) from event")" "$client" '--comm: the one that there is'
mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
if [ -n "$mount" ] && mkdir "$mount/ipctap-test-$$" 2>/dev/null; then
	cgroup=$mount/ipctap-test-$$
	echo "$client" >"$cgroup/cgroup.procs"
	record -d 1 --cgroup "$cgroup"
	is "$status" 0 '--cgroup exits 0'
	is "$(sql "select group_concat(distinct pid) from event")" "$client" '--cgroup: who is in it, no others'
	echo "$client" >"$mount/cgroup.procs"
else
	skip 'no cgroup v2 here' 2
fi

# -a: everybody but us
record_bg -d 1 -a
wait "$recorder"
is $? 0 '-a exits 0'
is "$(sql "select count(*) from event where pid=$recorder")" 0 '-a: ipctap is not in its own trace'
is "$(sql "select count(*) from task where pid=$recorder")" 0 '-a: not even its name'
is "$(sql "select count(*) > 20 from v_event where pid=$server and bytes > 0")" 1 '-a: the server is'
kill "$client" "$server" 2>/dev/null

# names, threads, children
record -- "$PROGS/morph"
is "$status" 0 'morph exits 0'
main=$(word "$out" main) thread=$(word "$out" thread) child=$(word "$out" child)
is "$(sql "select comm||' '||count(*) from v_event where op='write' and kind='pipe' group by comm order by comm")" \
	"morph 9
morph-child 7
morph-new 2
morph-thread 5
morph-two 4" 'each call has the name its thread had then: rename, thread, fork, exec'
is "$(sql "select count(*) from v_event where pid=$main and tid=$thread and op='write'")" 5 'a thread is told apart'
is "$(sql "select count(*) from v_event where pid=$child and op='write'")" 15 'children are followed'
is "$(sql "select sum(bytes) from v_talk where dst_pid=$main")" 27 'and all that was sent arrived'
is "$(sql "select ppid from task where tid=$child")" "$main" 'a child knows its parent'
is "$(sql "select exit_code from task where tid=$child")" 0 'and has ended well'
is "$(sql "select count(*) from task where exit_ns is null and pid in (select pid from event)")" 0 \
	'everybody has exited'

record --no-follow -- "$PROGS/morph"
is "$status" 0 '--no-follow: exits 0'
is "$(sql "select count(*) from v_event where op='write'")" 12 '--no-follow: the process and its threads'
is "$(sql "select count(distinct pid) from event")" 1 '--no-follow: no child'

# Descriptors beyond the first sixteen thousand, and a range of them closed in a table of one's own
most=$(ulimit -Hn)
if [ "$most" = unlimited ] || [ "$most" -gt 18000 ]; then
	record -- python3 -c '
import ctypes, os, resource
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (18000, hard))
r, w = os.pipe()
os.dup2(r, 17000)
if os.fork() == 0:
    os._exit(ctypes.CDLL(None).syscall(436, 3, 17999, 2)) # close_range, CLOSE_RANGE_UNSHARE
os._exit(os.wait()[1])'
	is "$status" 0 'a program with a high descriptor' || diag "$out" "$err"
	is "$(sql "select count(*) from endpoint where fd=17000 and how=2")" 1 'its child has it from birth'
	is "$(sql "select count(*) from endpoint e where e.pid=(select pid from endpoint where fd=17000 and how=2) and
		e.fd in (3, 4, 17000) and e.to_ns < (select exit_ns from task t where t.tid=e.pid)")" 3 \
		'until it closes all of a range'
else
	skip "no more than $most descriptors here" 3
fi
done_testing
