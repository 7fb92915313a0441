#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Shared memory, futexes in it, descriptors passed, and the memory of other processes.
. tests/live/live.sh

demo() { # WORKLOAD: recorded, exits 0, loses nothing
	record -- "$IPCTAP" demo "$1" -c 200
	is "$status" 0 "$1: exits 0"
	is "$(sql 'select count(*) from loss')" 0 "$1: nothing is lost"
}
map="from endpoint e join chan c on c.id=e.chan join task t on t.tid=e.pid where c.kind='map'"

demo posix-shm
name=$(sql "select name from chan where kind='map' and name like '/dev/shm/ipctap-demo-%-ring'")
like "$name" '^/dev/shm/ipctap-demo-[0-9]*-ring$' 'posix-shm: the object has the name it was opened by'
is "$(sql "select comm, op from v_event where name='$name' and comm like 'px-%' and op <> 'futex' order by comm, t_ns")" \
	'px-reader|openat
px-reader|mmap
px-reader|munmap
px-writer|openat
px-writer|mmap
px-writer|munmap' 'posix-shm: each side opens, maps and unmaps it once'
is "$(sql "select t.comm, e.how, e.to_ns is not null, dir $map and c.name='$name' and t.comm like 'px-%' order by 1")" \
	'px-reader|5|1|3
px-writer|5|1|3' 'posix-shm: and is attached in between'
is "$(sql "select count(*) from chan where kind='futex' and name not in ('$name+0x0', '$name+0x20')")" 0 \
	'posix-shm: its semaphores are called by the object and their offset in it'
is "$(sql "select count(*) from v_talk where kind='futex' and not (src_comm='px-writer' and dst_comm='px-reader' and
	name='$name+0x20' or src_comm='px-reader' and dst_comm='px-writer' and name='$name+0x0')")" 0 \
	'posix-shm: the writer wakes who waits for a filled slot, the reader who waits for a free one'

demo posix-sem
is "$(sql "select group_concat(distinct n) from (select count(distinct pid) as n from v_event where kind='futex' and
	comm like 'ps-%' group by name having max(slept_ns) > 0)")" 2 'posix-sem: both processes give a semaphore the same name'
is "$(sql "select count(*) from chan where kind='futex' and name not like '/dev/shm/sem.ipctap-demo-%-p_ng+0x0'")" \
	0 'posix-sem: by the names they were made with'
slept=$(sql "select count(*) from event e join op o on o.id=e.op where o.name='futex' and slept_ns > 0 and ret=0")
right=$(sql "select count(*) from event e join op o on o.id=e.op join task t on t.tid=e.tid join task w on
	w.tid=e.waker_tid where o.name='futex' and slept_ns > 0 and ret=0 and t.comm like 'ps-%' and w.comm like 'ps-%' and t.comm <> w.comm")
[ "$slept" -gt 20 ] && [ $((right * 100)) -ge $((slept * 95)) ]
ok $? 'posix-sem: who slept was woken by the other'
is "$(sql "select coalesce(sum(messages), 0) from v_talk where kind='futex'")" "$right" \
	'posix-sem: every such wake-up is a message of a flow'

demo futex
is "$(sql "select count(*) from v_event where op='futex' and comm like 'fx-%'")" "$(word "$out" ops)" \
	'futex: every call that was made is there'
is "$(sql "select count(distinct chan), count(distinct pid) from event where op=(select id from op where name='futex')")" \
	'1|2' 'futex: and all are on the one word'
slept=$(sql "select count(*) from event where slept_ns > 0 and waker_tid <> 0 and op=(select id from op where name='futex')")
[ "$slept" -ge 100 ]
ok $? 'futex: most turns were waited for'
is "$(sql "select sum(messages) from v_talk where kind='futex' and (src_comm='fx-ping' and dst_comm='fx-pong' or
	src_comm='fx-pong' and dst_comm='fx-ping')")" "$slept" 'futex: each by the other, whose wake-up is a message'

demo fd-passing
is "$(sql "select src_comm, dst_comm, kind, count(*) from v_passed group by 1, 2, 3")" \
	'fp-sender|fp-receiver|pipe|200' 'fd-passing: every pipe handed over, from whom, to whom'
is "$(sql "select src_comm, dst_comm, kind, sum(messages), sum(bytes) from v_talk where kind not in ('child', 'signal') group by 1, 2, 3 order by 3")" \
	'fp-sender|fp-receiver|pipe|200|6400
fp-sender|fp-receiver|unix|200|200' 'fd-passing: and what went through them'
is "$(sql "select count(*) from event e join op o on o.id=e.op where o.name in ('sendmsg','recvmsg') and mtype=1")" \
	400 'fd-passing: the calls say that a descriptor went with them'
is "$(sql "select count(*) from endpoint where how=7 and to_ns is null")" 0 'fd-passing: the receiver closed them all'
run "$IPCTAP" events "$DB" -v
like "$out" 'fp-receiver.*\*\*\* is passed pipe.* to read, by fp-sender' 'fd-passing: events -v tells of it'

demo process-vm
is "$(sql "select src_comm, dst_comm, kind, messages, bytes, approximate from v_talk where kind='mem' order by bytes")" \
	'pv-watcher|pv-subject|mem|200|3200|0
pv-subject|pv-watcher|mem|200|12800|0' 'process-vm: what is read comes from its owner, what is written goes there'
like "$(sql "select name from chan where kind='mem'")" '^memory of pv-subject\[[0-9]*\]$' 'process-vm: it says whose it is'

# A process outside the scope whose memory is read is named all the same.
background sleep 60
record -- python3 -c '
import ctypes, sys
class iov(ctypes.Structure): _fields_ = [("b", ctypes.c_void_p), ("n", ctypes.c_size_t)]
pid = int(sys.argv[1])
at = next(int(l.split("-")[0], 16) for l in open(f"/proc/{pid}/maps") if "[stack]" in l)
end = next(int(l.split("-")[1].split()[0], 16) for l in open(f"/proc/{pid}/maps") if "[stack]" in l)
out = ctypes.create_string_buffer(64)
n = ctypes.CDLL(None).process_vm_readv(pid, ctypes.byref(iov(ctypes.addressof(out), 64)), 1, ctypes.byref(iov(end - 64, 64)), 1, 0)
sys.exit(n != 64)' "$started"
is "$status" 0 'the reader of a stranger exits 0'
is "$(sql "select src_comm, src_pid, messages, bytes from v_talk where kind='mem'")" "sleep|$started|1|64" \
	'the stranger is named as the source'

# What was mapped before tracing began is found; an unmapping then is known for what it is.
cat >"$T/hold.py" <<'PY'
import mmap, os, sys
fd = os.memfd_create("held")
os.ftruncate(fd, 16384)
m = mmap.mmap(fd, 16384)
os.close(fd)
print("ready", flush=True)
while not os.path.exists(sys.argv[1]): os.sched_yield()
m.close()
PY
/usr/bin/env python3 "$T/hold.py" "$T/go" >"$T/hold.out" 2>&1 </dev/null &
holder=$!
live_pids="$live_pids $holder"
wait_until 10 grep -q ready "$T/hold.out"
record_bg -p "$holder"
attached() { sqlite3 -batch "file:$DB?mode=ro" "select count(*) from endpoint e join chan c on c.id=e.chan where c.name='memfd:held'" | grep -q 1; }
wait_until 10 attached
ok $? 'a mapping from before is found'
touch "$T/go"
wait "$recorder"
is "$(sql "select count(*) from v_event where op='munmap' and kind='map' and name='memfd:held'")" 1 \
	'its end is told, by name'
is "$(sql "select count(*) from endpoint e join chan c on c.id=e.chan where c.name='memfd:held' and to_ns is not null
	and from_ns < to_ns")" 1 'and ends the attachment'

# Anonymous memory is shared with a child by fork alone, and lost by exec.
record -- python3 -c '
import mmap, os
m = mmap.mmap(-1, 4096)
if os.fork() == 0: os.execv("/bin/true", ["true"])
os.wait()'
anon="from endpoint e join chan c on c.id=e.chan where c.name like 'anonymous%'"
is "$(sql "select count(*), count(distinct pid), sum(to_ns is null) $anon")" '2|2|0' \
	'anonymous memory: the child has it from fork to exec'

# A private futex is a wait and no more.
record -- python3 -c '
import threading, time
go = threading.Lock(); go.acquire()
t = threading.Thread(target=go.acquire); t.start(); time.sleep(0.3); go.release(); t.join()'
is "$(sql "select count(*) from v_event where op='futex' and slept_ns between 200000000 and 2000000000 and name like 'private 0x%'")" \
	1 'a thread that waits for another of its process is seen waiting'
is "$(sql "select (select count(*) from v_talk where kind='futex') + (select count(*) from endpoint e join chan c on
	c.id=e.chan where c.kind='futex')")" 0 'there is no flow in that, and no end is held'

# A well-known port has a name.
record -- python3 -c '
import socket
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.97", 5432)); s.listen()
c = socket.create_connection(("127.0.0.97", 5432)); a = s.accept()[0]
c.send(b"query"); a.recv(10)'
is "$(sql "select distinct name from v_talk where kind='tcp'")" '127.0.0.97:5432 (postgresql)' \
	'a port is told with the name of its service'
done_testing
