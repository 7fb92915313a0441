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

# ---- waits that last, seen from their beginning ----

touch "$T/lock"
background flock "$T/lock" sleep 100
wait_until 5 sh -c '! flock -n "$1" true' sh "$T/lock"
record -d 1 -- flock "$T/lock" true
is "$(wait_row flock lock)" "flock $T/lock 1" 'who waits for a lock waits on that file'
holder=$started
record -d 2 -- flock "$T/lock" true
is "$(sql "select count(*) from holder h join chan c on c.id=h.chan where c.kind='lock' and c.name='$T/lock'
	and h.pid=$holder")" 1 'and when it has waited for long, who has it is in the trace'
record -d 1 -- sh -c 'sleep 100; true'
is "$(wait_row wait4 child)" 'sh any child 1' 'a shell waits for any child'
record -d 1 -- perl -e 'if (!($p = fork)) { exec "sleep", "100" } waitpid $p, 0'
like "$(wait_row wait4 child)" '^perl sleep\[[0-9]+\] 1$' 'who waits for one is told by its name of today'
record -d 1 -- perl -e 'use POSIX; pause'
is "$(wait_row pause signal)" 'perl any signal 1' 'pause waits for any signal'
record -d 1 -- "$python" -c 'import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1]); signal.sigwait([signal.SIGUSR1])'
is "$(wait_row rt_sigtimedwait signal)" 'python3 SIGUSR1 1' 'sigwait for one waits for that one'

set_of() { # CALLS OP KIND WANTED NAME
	record -d 1 -- "$python" -c "import os, select, socket
p, _ = os.pipe(); q, _ = os.pipe(); e = os.eventfd(0); s = socket.socket(socket.AF_UNIX); s.bind('$T/s$5'); s.listen()
$1"
	like "$(wait_row "$2" "$3")" "$4" "$5"
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
record -d 1 -- "$python" "$T/waitv.py"
like "$(wait_row futex_waitv set)" '^python3 anonymous \[[0-9]+\]\+0x40, private 0x[0-9a-f]+ 1$' \
	'futex_waitv waits for any of its futexes'

record -d 1 -- "$python" -c 'import os
pid = os.fork()
if not pid: os.execv("/bin/sleep", ["sleep", "100"])
os.waitid(os.P_PIDFD, os.pidfd_open(pid), os.WEXITED)'
like "$(wait_row waitid child)" '^python3 sleep\[[0-9]+\] 1$' 'who waits by a pidfd waits for the process that is meant'

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

adopted() { # CMD…: recorded for a second once it sleeps
	background "$@"
	wait_until 5 sh -c 'grep -q "^State:.S" "/proc/$1/status"' sh "$started"
	record -d 1 -p "$started"
}
adopted perl -e 'use POSIX; pause'
is "$(wait_row pause signal)" 'perl any signal 1' 'pause, entered before'
adopted flock "$T/lock" true
is "$(wait_row flock lock)" "flock $T/lock 1" 'flock, entered before'
adopted "$python" -c 'import os, select; p, _ = os.pipe(); q, _ = os.pipe(); select.select([p, q], [], [])'
like "$(wait_row pselect6 set)" '^python3 [0-9]+ pipe:\[[0-9]+\], [0-9]+ pipe:\[[0-9]+\] 1$' 'select, entered before'
adopted "$python" "$T/waitv.py"
like "$(wait_row futex_waitv set)" '^python3 anonymous \[[0-9]+\]\+0x40, private 0x[0-9a-f]+ 1$' 'futex_waitv, entered before'
adopted sh -c 'sleep 100; true'
is "$(wait_row wait4 child)" 'sh any child 1' 'wait4, entered before'
done_testing
