#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# How far the shim reaches: streams of libc, locks and semaphores of shared memory, names; what does not
# fit is counted; and programs that it cannot get into are named.
. tests/live/shim.sh

shim -- sh -c 'seq 1 100000 | sort -n | tail -n 1'
is "$out" 100000 'a pipeline of programs that write by streams'
is "$(sql "select src_comm, dst_comm, bytes from v_talk where kind = 'pipe' order by src_comm")" 'seq|sort|588895
sort|tail|588895' 'every byte that went through a stream is told, to whom and from whom'
sum=$(sed -n 's/#define IO_SUM \(0x[0-9a-f]*\)u.*/\1/p' lib/abi/event.h)
is "$(sql "select count(*) from event e join op o on o.id = e.op where o.name = 'write' and e.flags & $sum = 0")" 0 \
	'... as what a library call moved'

for demo in posix-shm posix-sem shm-ring eventfd; do
	shim -- "$SHIM_IPCTAP" demo $demo -d 1
	is "$status" 0 "demo $demo runs"
	is "$(sql 'select count(*) from loss')" 0 '... and nothing is lost'
	unlike "$(sql "select count(*) from v_talk where kind in ('futex', 'sem', 'eventfd') and src_comm <> '?' and messages > 0")" \
		'^0$' '... and who woke whom is known'
done
shim -- "$SHIM_IPCTAP" demo process-vm -d 1
is "$(sql "select group_concat(src_comm || '>' || dst_comm, ' ') from (select * from v_talk where kind = 'mem' order by 1)")" \
	'pv-subject>pv-watcher pv-watcher>pv-subject' 'one process reads and writes the memory of another'
is "$(sql "select name like 'memory of pv-subject%' from chan where kind = 'mem'")" 1 '... which has its name'
shim -- "$SHIM_IPCTAP" demo posix-sem -d 1
is "$(sql "select group_concat(comm, ' ') from (select distinct comm from v_event where op = 'sem_post' order by 1)")" \
	'ps-ping ps-pong' 'threads have the names that they gave themselves'

# One thread, which reads what it writes: so many calls, seen or counted.
shim --ring 64k -- perl -e 'pipe R, W; for (1 .. 150000) { syswrite W, "x"; sysread R, $b, 1 }'
seen=$(sql "select count(*) from v_event where kind = 'pipe' and op in ('read', 'write')")
lost=$(sql 'select coalesce(sum(count), 0) from loss')
more=$((seen + lost - 300000))
[ "$more" -ge 0 ] && [ "$more" -le 4 ] # its last calls, on other channels or none, may be among the lost
ok $? 'what was made is what was recorded and what was lost' || diag "seen $seen, lost $lost"

# ---- wide characters, libraries loaded later, threads waited for ----
shim -- "$T/progs/wide" 1000
is "$status:$out" 0:sent=12000 'streams of wide characters work'
is "$(sql "select group_concat(src_comm || '>' || dst_comm || ' ' || bytes) from v_talk where kind = 'pipe'")" \
	'wide>wide 12000' '... and every byte that they are made into is told'

printf '#include <unistd.h>\nlong tell(int fd) { return write(fd, "12345", 5); }\n' >"$T/late.c"
if "${CC:-gcc}" -shared -fPIC -o "$T/late.so" "$T/late.c" 2>/dev/null && [ -x /usr/bin/python3 ]; then
	shim -- /usr/bin/python3 -c "
import ctypes, os
r, w = os.pipe()
late = ctypes.CDLL('$T/late.so')
print(sum(late.tell(w) for _ in range(7)), len(os.read(r, 100)))"
	is "$out" '35 35' 'a library that is loaded while the program runs'
	is "$(sql "select count(*), sum(bytes) from v_event where kind = 'pipe' and op = 'write' and bytes = 5")" '7|35' \
		'... is covered'
else
	skip 'no compiler or no python3' 2
fi

if [ -x /usr/bin/python3 ]; then
	shim -- /usr/bin/python3 -c '
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
r, w = os.pipe()
n, word = libc.syscall(1, w, b"by number", 9), ctypes.c_int(0)
print(n, os.read(r, 100), libc.syscall(0, -1, None, 0), ctypes.get_errno(), libc.syscall(39) == os.getpid())
print(libc.syscall(202, ctypes.byref(word), 128, 7, None, None, 0), ctypes.get_errno())'
	is "$out" "9 b'by number' -1 9 True
-1 11" 'calls by number do what they do, with their errors'
	is "$(sql "select op, bytes from v_event where kind = 'pipe' and bytes = 9 order by op")" 'read|9
write|9' '... and those that move bytes are told'
else
	skip 'no python3' 2
fi

# ---- every form of every call, made by number; the programs check what each returns ----
by_number="'accept','accept4','bind','close','connect','dup','dup2','dup3','fcntl','flock','listen','msgrcv','msgsnd','open','openat',
'pipe','pipe2','pread64','preadv','preadv2','process_vm_readv','process_vm_writev','pwrite64','pwritev','pwritev2','read','readv',
'recvfrom','recvmmsg','recvmsg','semop','semtimedop','sendmmsg','sendmsg','sendto','shutdown','socket','socketpair','write','writev',
'epoll_pwait','epoll_pwait2','epoll_wait','eventfd','eventfd2','kill','mq_timedreceive','mq_timedsend','poll','ppoll','pselect6',
'rt_sigqueueinfo','rt_tgsigqueueinfo','select','tgkill','wait4','waitid','splice','tee','sendfile','vmsplice','mknod','mknodat','creat',
'mq_open','mq_unlink','mq_getsetattr','mq_notify','shmget','shmctl','msgget','msgctl','semget','semctl'"
# A FIFO is looked at when the collector hears that it was made: its maker may have removed it by then.
of_each="select op, case when op like 'mknod%' then '' else kind end, bytes, count(*) from v_event where ret >= 0 and op in ($by_number) and kind <> 'map' group by 1, 2, 3 order by 1, 2, 3"
for p in callforms eventforms memforms; do
	shim -- "$T/progs/$p"
	is "$status:$(sql 'select count(*) from loss')" 0:0 "$p: by number, each call returns what it does without the shim"
	sql "$of_each" >"$T/by.shim"
	sql "select distinct op from v_event where op in ($by_number)" >>"$T/by.ops"
	if [ "$(id -u)" = 0 ] && [ "${BPF:-1}" != 0 ] && [ -r /sys/kernel/btf/vmlinux ]; then
		rm -f "$DB" "$DB"-wal "$DB"-shm
		run "$SHIM_IPCTAP" record --source bpf -o "$DB" -- "$T/progs/$p"
		sql "$of_each" >"$T/by.bpf"
		same_file "$T/by.shim" "$T/by.bpf" "$p: ... and is told as the kernel's probes tell it"
	else
		skip 'no root or no BPF: the same by the probes'
	fi
done
is "$(sort -u "$T/by.ops" | wc -l)" "$(echo "$by_number" | tr ',' '\n' | grep -c .)" 'all of them were among those calls'

shim -- "$T/progs/lockorder" private
is "$(sql "select count(*) > 0, min(e.ret), sum(c.name <> 'end of thread ' || e.mtype) from event e join op o on o.id = e.op
	join chan c on c.id = e.chan where o.name = 'pthread_join'")" '1|0|0' 'who waits for a thread, and for which'
is "$(sql "select group_concat(comm, ' ') from (select comm from task where pid <> tid order by 1)")" 'lo-first lo-second' \
	'threads that have ended keep their names'

# ---- some of those that run already ----
user sh -c 'echo $$ >pid && exec "$@"' sh "$SHIM_IPCTAP" record --source shim -o first.db -- \
	sh -c 'for n in 1 2 3; do perl -e "pipe R, W; for (1 .. 3000) { syswrite W, 1; sysread R, \$b, 1; select undef, undef, undef, .01 }" & echo $! >>pids; done; wait' \
	>/dev/null 2>&1 </dev/null &
reach_tries=0
until [ "$(cat "$T/work/pids" 2>/dev/null | wc -l)" = 3 ] || [ $reach_tries -ge 300 ]; do
	reach_tries=$((reach_tries + 1))
	sleep 0.1
done
kill -KILL "$(cat "$T/work/pid")"
pids=$(cat "$T/work/pids")
shim_pids="$shim_pids $pids"
some=$(echo "$pids" | sed -n '1,2p' | sort -n | tr '\n' ',')
reach_tries=0
while kill -0 "$(cat "$T/work/pid")" 2>/dev/null && [ $reach_tries -lt 300 ]; do # it holds the folder until it is gone
	reach_tries=$((reach_tries + 1))
	sleep 0.1
done
shim -p "${some%,}" -n 20
is "$status" 0 'two of three that run are traced, of a recorder that was killed'
is "$(sql "select group_concat(pid) from (select distinct pid from event order by 1)")" "${some%,}" '... those that were named'
run user "$SHIM_IPCTAP" record --source shim -d 1 -o no.db -p "$(echo "$pids" | head -n 1),$$"
is "$status" 3 'one that is not under the shim beside one that is'
like "$err" 'were not started under the shim by the same command' '... is refused, and why'
# shellcheck disable=SC2086 # numbers
kill -KILL $pids # so that the next one removes the folder that was left

# ---- out of reach ----
printf '#include <unistd.h>\nint main(void) { return write(1, "hi\\n", 3) != 3; }\n' >"$T/static.c"
if "${CC:-gcc}" -static -o "$T/aloof" "$T/static.c" 2>/dev/null; then
	shim -- sh -c "$T/aloof | cat; $T/aloof"
	is "$out" "hi
hi" 'a statically linked program runs'
	like "$err" 'lost 2 .*not-covered.*aloof\[[0-9]+\], aloof\[' 'and is named as not covered, each time'
	run user "$SHIM_IPCTAP" report "$DB"
	like "$out" 'not covered: .*/aloof' 'in the report of the trace, too'
else
	skip 'no static libc' 3
fi
if [ -u /usr/bin/passwd ]; then
	shim -- sh -c '/usr/bin/passwd -S >/dev/null 2>&1; exit 0'
	like "$err" 'not-covered.*passwd\[' 'so is one that gains privileges'
else
	skip 'no privileged program'
fi
shim -- sh -c 'env -i /bin/true; exit 0'
like "$err" 'not-covered.*true\[' 'so is one whose environment was cleaned'
shim -- sh -c 'true | cat'
unlike "$err" 'not-covered' 'others are not'

if user unshare --user --map-root-user --pid --fork true 2>/dev/null; then
	shim -- sh -c 'unshare --user --map-root-user --pid --fork sh -c "echo one; echo two | cat"; true'
	is "$out" 'one
two' 'a command starts a pid namespace'
	like "$err" 'shim-namespace' '... whose processes are said not to be traced'
	is "$(sql "select count(*) from task where comm = 'cat'")" 0 '... and are not taken for those that have their numbers here'
else
	skip 'no namespaces for an ordinary user' 3
fi

shim --no-follow -- sh -c 'env | grep -c -e IPCTAP_SHIM= -e libipctap; dd if=/dev/zero bs=1 count=9 status=none | cat >/dev/null'
is "$out" 0 'with --no-follow nothing of us is in the environment of its children'
is "$(sql 'select count(*) from task where pid = tid')" 1 '... and none of them is traced'
unlike "$err" 'not-covered' '... as was asked for'
done_testing
