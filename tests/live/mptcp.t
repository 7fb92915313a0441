#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Multipath TCP: the two ends of a connection joined by their addresses, and every byte its sender's, also
# where one end speaks only TCP. The position in the stream is not known, so it goes by order.
. tests/live/live.sh

[ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" = 1 ] || skip_all 'this kernel has no MPTCP, or does not use it'
command -v python3 >/dev/null || live_cannot 'python3 is not installed'

# A server for two clients, one after the other; the second one speaks only TCP.
cat >"$T/mptcp.py" <<'END'
import os, socket, sys
MPTCP = 262
def whole(s, n):
    while n:
        got = len(s.recv(n))
        if not got:
            sys.exit(3)
        n -= got
l = socket.socket(socket.AF_INET, socket.SOCK_STREAM, MPTCP)
l.bind(("127.0.0.1", 0))
l.listen()
def client(protocol, times, size, reply):
    pid = os.fork()
    if not pid:
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
        s.connect(l.getsockname())
        for i in range(times):
            s.sendall(b"x" * size)
            whole(s, reply)
        os._exit(0)
    s, _ = l.accept()
    for i in range(times):
        whole(s, size)
        s.sendall(b"y" * reply)
    if os.waitpid(pid, 0)[1]:
        sys.exit(4)
    return pid
a, b = client(MPTCP, 40, 1000, 50), client(0, 30, 500, 7)
print("both=%d plain=%d server=%d port=%d" % (a, b, os.getpid(), l.getsockname()[1]))
END
record -- python3 "$T/mptcp.py"
is "$status" 0 'recorded' || diag "$out" "$err"
server=$(word "$out" server)
for what in 'both 40000 2000' 'plain 15000 210'; do
	client=$(word "$out" "${what%% *}")
	is "$(sql "select src_pid=$client, sum(bytes), max(approximate) from v_talk where kind='tcp' and $client in (src_pid, dst_pid)
		and $server in (src_pid, dst_pid) group by src_pid order by 1 desc" | xargs)" \
		"1|$(echo "$what" | cut -d' ' -f2)|0 0|$(echo "$what" | cut -d' ' -f3)|0" "${what%% *}: bytes there and back, exact"
done
is "$(sql "select count(*) from v_talk where kind='tcp' and (src_comm='?' or dst_comm='?')")" 0 'nothing is left over'
is "$(sql "select count(*) from chan where ident like 'mptcp%' and name like '127.0.0.1:$(word "$out" port)%'")" 2 \
	'the listener and the connection say what they are'
is "$(sql "select count(*) from event where flags & 0x2000 and chan in (select id from chan where ident like 'mptcp %-%')")" 0 \
	'no position is told that is none'

# One that exists before it is looked at: the ends are known, what flows from then on is approximate at most.
cat >"$T/older.py" <<'END'
import os, signal, socket, sys
l = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
l.bind(("127.0.0.1", 0))
l.listen()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
pid = os.fork()
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262) if not pid else None
if not pid:
    s.connect(l.getsockname())
    l.close()
    sys.exit(len(s.recv(300, socket.MSG_WAITALL)) != 300)
s, _ = l.accept()
print("ready %d" % pid, flush=True)
signal.sigwait([signal.SIGUSR1])
s.sendall(b"z" * 300)
sys.exit(os.waitpid(pid, 0)[1])
END
background python3 "$T/older.py"
older=$started
wait_until 10 grep -q ready "$T/started.out"
reader=$(sed 's/ready //' "$T/started.out")
record_bg -p "$older,$reader"
has_begun() { [ "$(sql "select count(*) from task where comm='python3'")" -ge 2 ]; }
wait_until 20 has_begun
kill -USR1 "$older"
wait "$older"
is "$?" 0 'a connection from before: wrote and read'
wait "$recorder"
is "$(sql "select src_pid, dst_pid, bytes from v_talk where kind='tcp'")" "$older|$reader|300" 'both ends of it are known'
done_testing
