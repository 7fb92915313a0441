#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Who waits for whom in calls that wait: for a lock, a child, a signal, a set of descriptors; told while
# they last, also of programs that were asleep before they were looked at.
. tests/live/live.sh

python=/usr/bin/python3
[ -x "$python" ] || live_cannot 'python3 is not installed'

# wait_row OP KIND: thread, name and whether it is open, of the long waits in that operation
wait_row() {
	sql "select t.comm||' '||coalesce(nullif(c.name, ''), c.ident)||' '||(w.until_ns is null) from wait w
		join op o on o.id=w.op join chan c on c.id=w.chan join task t on t.tid=w.tid
		where o.name='$1' and c.kind='$2'"
}

# until_wait OP KIND ARG…: recorded until such a wait is in the trace, which is $row then; for 30 s at most
until_wait() {
	wait_op=$1 wait_kind=$2
	shift 2
	record_bg -d 30 "$@"
	wait_until 30 has_wait || diag "$(cat "$T/bg.err")"
	row=$(wait_row "$wait_op" "$wait_kind")
	kill -INT "$recorder"
	wait "$recorder"
}
has_wait() { [ -s "$DB" ] && [ -n "$(wait_row "$wait_op" "$wait_kind")" ]; }

# ---- waits that last, seen from their beginning ----

touch "$T/lock"
background flock --no-fork "$T/lock" sleep 1000
wait_until 5 sh -c '! flock -n "$1" true' sh "$T/lock"
until_wait flock lock -- flock "$T/lock" true
is "$row" "flock $T/lock 1" 'who waits for a lock waits on that file'
holder=$started
record -d 2 -- flock "$T/lock" true
is "$(sql "select count(*) from holder h join chan c on c.id=h.chan where c.kind='lock' and c.name='$T/lock'
	and h.pid=$holder")" 1 'and when it has waited for long, who has it is in the trace'
until_wait wait4 child -- sh -c 'sleep 100; true'
is "$row" 'sh any child 1' 'a shell waits for any child'
until_wait wait4 child -- perl -e 'if (!($p = fork)) { exec "sleep", "100" } waitpid $p, 0'
like "$row" '^perl sleep\[[0-9]+\] 1$' 'who waits for one is told by its name of today'
until_wait pause signal -- perl -e 'use POSIX; pause'
is "$row" 'perl any signal 1' 'pause waits for any signal'
until_wait rt_sigtimedwait signal -- "$python" -c 'import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1]); signal.sigwait([signal.SIGUSR1])'
is "$row" 'python3 SIGUSR1 1' 'sigwait for one waits for that one'

set_of() { # CALLS OP KIND WANTED NAME
	until_wait "$2" "$3" -- "$python" -c "import os, select, socket
p, _ = os.pipe(); q, _ = os.pipe(); e = os.eventfd(0); s = socket.socket(socket.AF_UNIX); s.bind('$T/s$5'); s.listen()
$1"
	like "$row" "$4" "$5"
}
set_of 'o = select.poll(); o.register(p); o.poll()' poll pipe '^python3 pipe:\[[0-9]+\] 1$' 'poll of one'
set_of 'o = select.poll(); o.register(p, 1); o.register(e, 1); o.poll()' poll set \
	'^python3 [0-9]+ pipe:\[[0-9]+\], [0-9]+ eventfd:\[[0-9]+\] 1$' 'poll of two'
set_of 'select.select([p, s], [], [])' pselect6 set \
	"^python3 [0-9]+ pipe:\\[[0-9]+\\], [0-9]+ $T/sselect" 'select'
set_of 'o = select.epoll(); o.register(q, 1); o.register(s, 1); o.poll()' epoll_wait set \
	"(pipe:\\[[0-9]+\\], [0-9]+ $T/sepoll[^,]*|$T/sepoll[^,]*, [0-9]+ pipe:\\[[0-9]+\\]) 1\$" 'epoll'

# futex_waitv: any of two, one of them shared with others; found asleep, and from its beginning.
cat >"$T/waitv.py" <<'END'
import ctypes, mmap, struct
m, own = mmap.mmap(-1, 4096), ctypes.c_uint32(0)
words = (ctypes.addressof(ctypes.c_char.from_buffer(m)) + 64, ctypes.addressof(own))
vector = b"".join(struct.pack("QQII", 0, at, 2 | flags, 0) for at, flags in zip(words, (0, 128)))
print("ready", flush=True)
ctypes.CDLL(None).syscall(449, vector, 2, 0, None, 0)
END
until_wait futex_waitv set -- "$python" "$T/waitv.py"
like "$row" '^python3 anonymous \[[0-9]+\]\+0x40, private 0x[0-9a-f]+ 1$' \
	'futex_waitv waits for any of its futexes'

until_wait waitid child -- "$python" -c 'import os
pid = os.fork()
if not pid: os.execv("/bin/sleep", ["sleep", "100"])
os.waitid(os.P_PIDFD, os.pidfd_open(pid), os.WEXITED)'
like "$row" '^python3 sleep\[[0-9]+\] 1$' 'who waits by a pidfd waits for the process that is meant'

# A poll that is stopped goes on as another system call, which is the same wait.
cat >"$T/stopped.py" <<'END'
import os, select, signal, sys, time
p, q = os.pipe()
r, _ = os.pipe()
pid = os.fork()
if not pid:
    o = select.poll()
    o.register(p, select.POLLIN)
    o.register(r, select.POLLIN)
    os._exit(len(o.poll(60000)) != 1)
def until(call):
    for i in range(3000):
        with open(f"/proc/{pid}/syscall") as f:
            if f.read().split()[0] == call:
                return
        time.sleep(0.01)
    sys.exit(9)
until("7") # poll
os.kill(pid, signal.SIGSTOP)
os.waitpid(pid, os.WUNTRACED)
os.kill(pid, signal.SIGCONT)
until("219") # restart_syscall
os.write(q, b"x")
sys.exit(os.waitpid(pid, 0)[1])
END
record -- "$python" "$T/stopped.py"
is "$status $(sql "select group_concat(ret) from (select ret from v_event where op='poll' and kind='set' and slept_ns > 0
	order by t_ns)")" '0 -516,1' 'a poll goes on after a stop'
if command -v strace >/dev/null; then
	run tests/live/strace_compare --together -- "$python" "$T/stopped.py"
	is "$status" 0 'call by call as strace has it' || diag "$out" "$err"
else
	skip 'strace is not installed'
fi

# ---- asleep before they are looked at ----

adopted() { # OP KIND CMD…: recorded when it sleeps already
	wait_op=$1 wait_kind=$2
	shift 2
	background "$@"
	wait_until 5 sh -c 'grep -q "^State:.S" "/proc/$1/status"' sh "$started"
	until_wait "$wait_op" "$wait_kind" -p "$started"
}
adopted pause signal perl -e 'use POSIX; pause'
is "$row" 'perl any signal 1' 'pause, entered before'
adopted flock lock flock "$T/lock" true
is "$row" "flock $T/lock 1" 'flock, entered before'
adopted pselect6 set "$python" -c 'import os, select; p, _ = os.pipe(); q, _ = os.pipe(); select.select([p, q], [], [])'
like "$row" '^python3 [0-9]+ pipe:\[[0-9]+\], [0-9]+ pipe:\[[0-9]+\] 1$' 'select, entered before'
adopted futex_waitv set "$python" "$T/waitv.py"
like "$row" '^python3 anonymous \[[0-9]+\]\+0x40, private 0x[0-9a-f]+ 1$' 'futex_waitv, entered before'
adopted wait4 child sh -c 'sleep 100; true'
is "$row" 'sh any child 1' 'wait4, entered before'

# What of a sleep was before the trace is no part of the trace's span.
mkfifo "$T/fifo"
background "$python" -c "import os, select
r, p = os.open('$T/fifo', os.O_RDONLY | os.O_NONBLOCK), os.pipe()[0]
o = select.poll(); o.register(r, select.POLLIN); o.register(p, select.POLLIN); o.poll()"
wait_until 20 grep -q '^7 ' "/proc/$started/syscall"
record_bg -p "$started"
wait_until 30 is_recorded "$started"
echo x >"$T/fifo"
wait "$recorder"
is "$(sql "select count(*), min(t_ns < (select value from meta where key='first_ns')) from event where (flags & 512) <> 0")" '1|1' 'a sleep from before does not stretch the span'
run "$IPCTAP" report --json "$DB"
like "$out" "\"first_ns\": $(sql "select value from meta where key='first_ns'")," 'nor that of a report'
done_testing
