#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# UDP on one host: whose socket a datagram arrives in, seen inside the sender's call, or, where that is
# not seen, by its address (IPCTAP_HOOKS=none makes it so); and what finds no room there, arrives nowhere.
. tests/live/live.sh

cat >"$T/full.py" <<'END'
import socket
r = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
r.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
r.bind(("127.0.0.1", 0))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(200):
    s.sendto(b"x" * 100, r.getsockname())
r.setblocking(False)
got = 0
try:
    while r.recv(200):
        got += 1
except BlockingIOError:
    print("got=%d lost=%d port=%d" % (got, 200 - got, r.getsockname()[1]))
END

cat >"$T/several.py" <<'END'
import os, socket
def bound(at):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(at)
    return s
one = bound(("127.0.0.1", 0))
port = one.getsockname()[1]
two = bound(("127.0.0.2", port))
any = bound(("0.0.0.0", port))
pid = os.fork()
if pid == 0:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for address, times in (("127.0.0.1", 10), ("127.0.0.2", 20), ("127.0.0.3", 30)):
        for i in range(times):
            s.sendto(b"x" * times, (address, port))
    os._exit(0)
os.waitpid(pid, 0)
for s, n in ((one, 10), (two, 20), (any, 30)):
    for i in range(n):
        assert len(s.recv(100)) == n
print("sender=%d receiver=%d" % (pid, os.getpid()))
END

for hooks in all none; do
	[ $hooks = all ] || export IPCTAP_HOOKS=$hooks
	record -- python3 "$T/full.py"
	is "$status" 0 "hooks $hooks: a socket that is full: recorded" || diag "$out" "$err"
	lost=$(word "$out" lost)
	[ "$lost" -gt 0 ]
	ok $? "… $lost datagrams were lost"
	is "$(sql "select sum(messages) from v_talk where kind='udp' and src_pid = dst_pid")" "$(word "$out" got)" \
		'… the others arrived'
	is "$(sql "select sum(messages) from v_talk where kind='udp' and dst_comm = '?'")" "$lost" '… these went nowhere'
	is "$(sql "select count(*) from v_talk where kind='udp' and src_comm = '?'")" 0 '… nothing came from nowhere'

	record -- python3 "$T/several.py"
	is "$status" 0 "hooks $hooks: three sockets of one port: recorded" || diag "$out" "$err"
	is "$(sql "select sum(messages) || ' ' || sum(bytes) from v_talk where kind='udp'
		and src_pid=$(word "$out" sender) and dst_pid=$(word "$out" receiver)
		group by name order by 1" | xargs)" '10 100 20 400 30 900' '… each got its own'
	is "$(sql "select count(*) from v_talk where kind='udp' and (src_comm='?' or dst_comm='?')")" 0 '… and nothing is left over'
done

is "$(sql "select count(*) from event where op=(select id from op where name='sendto') and flags & 0x8000 = 0")" 0 \
	'what was not seen arriving says so'
is "$(sql "select min(approximate) from v_talk where kind='udp'")" 1 '… and makes its flow approximate'
done_testing
