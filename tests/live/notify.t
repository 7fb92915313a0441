#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Who tells whom that something happened, by a signal, a child's end, an eventfd: named, counted, also across
# namespaces; and which part of a file a lock is on.
. tests/live/live.sh

python=/usr/bin/python3
[ -x "$python" ] || live_cannot 'python3 is not installed'

# ---- signals ----

record -- perl -e '
	setpgrp; pipe(R, W); $SIG{USR1} = "IGNORE";
	for (1, 2) { if (!fork) { $0 = "sg-$_"; $SIG{USR1} = sub { exit 0 }; syswrite W, "x"; select(undef,undef,undef,9) while 1 } }
	for (1, 2) { sysread R, $x, 1 } kill "USR1", -$$; wait for 1, 2'
is "$(sql "select count(*) from v_event where op='kill' and kind='signal' and name='SIGUSR1'")" 3 \
	'a signal to a group has a row for every process of it'
is "$(sql "select count(distinct c.id) from event e join chan c on c.id=e.chan where c.kind='signal' and
	e.op=(select id from op where name='kill')")" 3 'each in a channel of its own'
is "$(sql "select count(*), sum(messages), sum(approximate) from v_talk where kind='signal'")" '2|2|0' \
	'it reached the two that did not ignore it'
is "$(sql "select count(*) from v_talk where kind='child' and dst_comm='perl' and messages=1")" 2 \
	'and the parent learnt of both ends'

background sleep 100
record -- sh -c "kill -s TERM $started"
is "$(sql "select dst_comm, messages, approximate from v_talk where kind='signal' and name='SIGTERM' and
	dst_pid=$started")" 'sleep|1|0' 'a process outside the scope is known as the target'

record -- perl -MPOSIX -MTime::HiRes=setitimer,ITIMER_REAL -e '
	$SIG{ALRM} = sub { $n++ }; setitimer(ITIMER_REAL, 0.01); POSIX::pause while !$n;
	if (!fork) { $0 = "broken"; pipe(R, W); close R; syswrite W, "x" }
	if (!fork) { $0 = "fault"; unpack "p", pack "J", 8 }
	wait for 1, 2'
is "$(sql "select src_pid || ' ' || src_comm || ' ' || dst_comm || ' ' || name || ' ' || messages || ' ' || approximate
	from v_talk where kind='signal' order by name")" "0 kernel perl SIGALRM 1 0
0 kernel broken SIGPIPE 1 0
0 kernel fault SIGSEGV 1 0" 'a timer, a broken pipe, a fault: the kernel sent it'
is "$(sql "select outside from task where pid=0")" 1 'the kernel is nobody who was traced'
like "$("$IPCTAP" events "$DB" -e 'kind=signal op=signal' 2>&1)" 'kernel\[0\] signal\(signal SIGPIPE, SIGPIPE\) = 0' \
	'and told as a line of its own'

record_bg -- perl -MPOSIX -e '$SIG{USR2} = sub { exit 3 }; syswrite STDOUT, "$$\n"; POSIX::pause while 1'
wait_until 10 test -s "$T/bg.out"
perl -e 'kill "USR2", shift' "$(cat "$T/bg.out")" &
killer=$!
wait "$killer"
wait "$recorder"
is "$? $(sql "select src_pid = $killer, dst_pid, name, messages from v_talk where kind='signal'")" \
	"3 1|$(cat "$T/bg.out")|SIGUSR2|1" 'a signal from outside the scope says whose it is'

if unshare --pid --fork true 2>/dev/null; then
	record -- unshare --pid --fork sh -c 'sleep 100 & kill -s KILL $!; wait $!; (exit 7); exit 0'
	is "$(sql "select count(*) from v_talk v join task t on t.pid=v.dst_pid and t.tid=t.pid where v.kind='signal' and
		v.name='SIGKILL' and t.exit_code=9")" 1 'in a pid namespace the target is who really gets it'
	is "$(sql "select count(*) from event e join op o on o.id=e.op join chan c on c.id=e.chan join task t
		on c.ident='child:['||t.pid||']' where o.name='wait4' and e.ret>0 and t.exit_code=9 and e.mtype=9")" 1 \
		'and the child waited for is the one that ended'
else
	skip 'no pid namespaces here' 2
fi

# ---- eventfds in an event loop ----

# Two write, one reads what epoll says is there; a semaphore, whose maker has put 3 in, is taken one by one.
cat >"$T/loop.py" <<'END'
import os, select, sys
e = os.eventfd(0, os.EFD_NONBLOCK)
o = select.epoll()
o.register(e, select.EPOLLIN)
kids = []
for n in (50, 70):
    pid = os.fork()
    if not pid:
        for i in range(n):
            os.eventfd_write(e, 3)
        os._exit(0)
    kids.append(pid)
got = 0
while got < 3 * 120:
    o.poll()
    got += os.eventfd_read(e)
for pid in kids:
    os.waitpid(pid, 0)
s = os.eventfd(3, os.EFD_SEMAPHORE)
for i in range(3):
    assert os.eventfd_read(s) == 1
pid = os.fork()
if not pid:
    o = select.epoll()
    o.register(s, select.EPOLLIN)
    for i in range(20):
        o.poll()
        assert os.eventfd_read(s) == 1
    os._exit(0)
for i in range(10):
    os.eventfd_write(s, 2)
sys.exit(os.waitpid(pid, 0)[1])
END
record -- "$python" "$T/loop.py"
is "$status" 0 'eventfds in an event loop: recorded' || diag "$out" "$err"
is "$(sql "select count(*) from v_event where op='read' and kind='eventfd' and slept_ns > 0")" 0 'no read of them slept'
is "$(sql "select group_concat(messages||' '||bytes||' '||approximate, ', ') from (select * from v_talk where kind='eventfd'
	and src_pid <> dst_pid order by messages desc)")" '70 0 0, 50 0 0, 20 0 0' 'whose every write, or one, was is known'
is "$(sql "select group_concat(messages||' '||approximate) from v_talk where kind='eventfd' and src_pid = dst_pid")" '3 0' \
	'what it began with is its maker'"'"'s'
is "$(sql "select count(*) from v_talk where kind='eventfd' and (src_comm='?' or dst_comm='?')")" 0 'nothing came from nowhere'

# One that is older than the trace: what it held then is from nobody known, what comes is its writer's.
cat >"$T/older.py" <<'END'
import os, signal, sys
e = os.eventfd(5)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
print("ready", flush=True)
signal.sigwait([signal.SIGUSR1])
pid = os.fork()
if not pid:
    os.eventfd_write(e, 2)
    os._exit(0)
os.waitpid(pid, 0)
sys.exit(os.eventfd_read(e) != 7)
END
background "$python" "$T/older.py"
older=$started
wait_until 10 grep -q ready "$T/started.out"
record_bg -p "$older"
wait_until 20 is_recorded "$older"
kill -USR1 "$older"
wait "$older"
is "$?" 0 'an eventfd that held 5 before: read'
wait "$recorder"
is "$(sql "select group_concat((src_comm='?')||' '||messages||' '||approximate, ', ') from (select * from v_talk where
	kind='eventfd' order by src_comm <> '?')")" '1 1 0, 0 1 0' 'the 5 are nobody'"'"'s, the 2 are the writer'"'"'s'

record -- "$PROGS/eventforms"
is "$status" 0 'eventforms ran as it should'
is "$(sql "select group_concat(name) from (select distinct name from v_event where op='read' and kind='signal' and
	ret > 0 order by name)")" 'SIGRTMIN,SIGUSR1,SIGUSR2' 'what is read of a signalfd says which signal it was'
is "$(sql "select sum(messages) from v_talk where kind='signal' and name='SIGUSR1' and src_pid=dst_pid")" 2 \
	'a signal that was pending already is not sent twice'
is "$(sql "select messages from v_talk where kind='signal' and name='SIGCONT'")" 1 'SIGCONT acts, handled or not'
is "$(sql "select count(*) from chan where kind='eventfd'")" 3 \
	'an eventfd whose id was given out again is another channel'
is "$(sql "select sum(e.mtype) from event e join chan c on c.id=e.chan join op o on o.id=e.op where c.kind='eventfd'
	and o.name='read' and e.ret=8 and e.mtype > 3")" 42 'an eventfd read says what it took'
is "$(sql "select group_concat(mtype||':'||bytes, ' ') from event e join op o on o.id=e.op where
	o.name='mq_timedreceive' and e.ret >= 0 order by e.t_ns")" '-1:6 5:0 1:3' 'a queue gives the highest priority first'
is "$(sql "select messages, bytes, approximate from v_talk where kind='mq'")" '3|9|0' 'and each is matched with its send'
is "$(sql "select count(*) from v_event where op='mq_unlink' and ret=0 and kind='mq' and name like '/eventforms-%'")" 1 \
	'the name of a queue that is taken away is known'
is "$(sql "select group_concat(e.mtype) from event e join op o on o.id=e.op where o.name='wait4' and e.ret > 0 and
	e.mtype <> 0 order by e.t_ns")" '4991,9,768' 'a wait tells the status: stopped, killed, exited'
is "$(sql "select count(*) from v_event where op='vfork' and kind='child' and slept_ns > 0")" 1 'a vfork waits for its child'
is "$(sql "select count(*) from v_event where op='poll' and kind='eventfd'")" 2 'to poll one channel is to wait for that'
is "$(sql "select count(*) from v_event where op in ('poll','ppoll') and kind='set'")" 2 'several are a set'
is "$(sql "select count(*) from v_talk where kind='pty' and bytes in (5, 7) and not approximate")" 0 \
	'what a terminal edited and what it did not share a flow, which is approximate'
is "$(sql "select sum(bytes) from v_talk where kind='pty' and src_comm <> '?'")" 16 'with every byte that was written'

record -- script -qec 'printf "a\nb\n"; exit 0' /dev/null
is "$(sql "select max(approximate) from v_talk where kind='pty' and dst_comm='script' and name like '/dev/pts/%'")" 1 \
	'a terminal that puts in carriage returns makes flows approximate'

# ---- locks of a part of a file ----

record -- "$python" -c "
import fcntl, os
f = open('$T/ranges', 'w+b'); f.write(b'x' * 1000); f.flush(); f.seek(100)
fcntl.lockf(f, fcntl.LOCK_EX, 50, 10)
fcntl.lockf(f, fcntl.LOCK_EX, 50, 10, os.SEEK_CUR)
fcntl.lockf(f, fcntl.LOCK_SH, 0, -10, os.SEEK_END)
fcntl.lockf(f, fcntl.LOCK_UN)"
out=$("$IPCTAP" events "$DB" -e 'kind=lock op=fcntl')
is "$(printf '%s\n' "$out" | sed -n 's/.*fcntl(.*fd=[0-9]*, \(.*\)) = 0.*/\1/p')" 'F_SETLKW, F_WRLCK, bytes 10-59
F_SETLKW, F_WRLCK, bytes 110-159
F_SETLKW, F_RDLCK, bytes 990-
F_SETLKW, F_UNLCK, bytes 0-' 'of a lock on a part of a file it is told which, wherever it was counted from'
like "$("$IPCTAP" events "$DB" --json -e 'kind=lock op=fcntl')" '"range": ?\{"start": ?110, ?"length": ?50\}' 'as JSON, too'
is "$(sql 'select count(*), sum(length(data)) from payload')" '4|64' 'and in the trace'
done_testing
