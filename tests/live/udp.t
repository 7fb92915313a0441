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

# One datagram of three calls, ten of one call: by a socket option, and by a control message, read together.
cat >"$T/parts.py" <<'END'
import os, socket, struct
UDP_SEGMENT, UDP_GRO = 103, 104
def udp(to=None):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(to) if to else s.bind(("127.0.0.1", 0))
    return s
def child(work):
    pid = os.fork()
    if pid == 0:
        work(udp(at))
        os._exit(0)
    os.waitpid(pid, 0)
    return pid
def parts(s):
    for i in range(10):
        s.send(b"a" * 100, socket.MSG_MORE)
        s.send(b"b" * 50, socket.MSG_MORE)
        s.send(b"c" * 25)
def segments(s):
    s.setsockopt(socket.SOL_UDP if hasattr(socket, "SOL_UDP") else 17, UDP_SEGMENT, 100)
    s.send(b"d" * 1000)
def said(s):
    s.sendmsg([b"e" * 950], [(socket.IPPROTO_IP, socket.IP_TOS, struct.pack("i", 0)), (17, UDP_SEGMENT, struct.pack("H", 100))])
def plain(s):
    for i in range(10):
        s.send(b"f" * 30)
r = udp()
at = r.getsockname()
pids = [child(w) for w in (parts, segments, said, plain)]
sizes = [175] * 10 + [100] * 10 + [100] * 9 + [50] + [30] * 10
assert [len(r.recv(2000)) for size in sizes] == sizes
r.setsockopt(17, UDP_GRO, 1)
pids += [child(segments), child(plain)]
got = [r.recvmsg(2000, 64)[0] for i in range(11)]
assert list(map(len, got)) == [1000] + [30] * 10
print("parts=%d segments=%d said=%d plain=%d together=%d after=%d" % tuple(pids))
END

cat >"$T/many.py" <<'END'
import os, socket, struct
group = struct.pack("=4s4si", socket.inet_aton("239.255.7.7"), socket.inet_aton("127.0.0.1"), 1)
sockets = []
for i in range(3):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("239.255.7.7", sockets[0].getsockname()[1] if i else 0))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    sockets.append(s)
pid = os.fork()
if pid == 0:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, group)
    for i in range(10):
        s.sendto(b"x" * 40, sockets[0].getsockname())
    os._exit(0)
os.waitpid(pid, 0)
for s in sockets:
    for i in range(10):
        assert len(s.recv(100, socket.MSG_DONTWAIT)) == 40
print("sender=%d" % pid)
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

	record -- python3 "$T/parts.py"
	is "$status" 0 "hooks $hooks: datagrams in parts, and many at once: recorded" || diag "$out" "$err"
	for what in 'parts 10 1750' 'segments 10 1000' 'said 10 950' 'plain 10 300' 'together 10 1000' 'after 10 300'; do
		is "$(sql "select sum(messages), sum(bytes) from v_talk where kind='udp' and src_pid=$(word "$out" "${what%% *}")" |
			tr '|' ' ')" "${what#* }" "… ${what%% *}: each datagram is its sender's"
	done
	is "$(sql "select count(*) from v_talk where kind='udp' and (src_comm='?' or dst_comm='?')")" 0 '… and nothing is left over'

	record -- "$PROGS/segments"
	is "$status" 0 "hooks $hooks: many messages of many datagrams in one call: recorded" || diag "$out" "$err"
	for what in apart together; do
		is "$(sql "select sum(messages), sum(bytes) from v_talk where kind='udp' and dst_comm <> '?' and
			src_pid=$(word "$out" $what)")" "$(word "$out" ${what}_got)|$(word "$out" bytes)" "… $what: each datagram is its sender's"
	done
	is "$(sql "select group_concat(messages) from (select e.messages from event e join op o on o.id=e.op
		where o.name='sendmmsg' order by e.t_ns)")" '21,21' '… the call tells datagrams, not messages'
	is "$(sql "select count(*), sum(e.messages) from event e join op o on o.id=e.op where o.name='recvmmsg' and e.ret > 0")" \
		"$(word "$out" calls)|42" '… and so does what receives them'
	is "$(sql "select count(*) from v_talk where kind='udp' and (src_comm='?' or dst_comm='?')")" 0 '… and nothing is left over'
	if [ $hooks = all ]; then # else nobody sees where a datagram arrives
		record -- python3 "$T/many.py"
		is "$status" 0 'one datagram to three sockets: recorded' || diag "$out" "$err"
		is "$(sql "select count(*), sum(messages), sum(bytes) from v_talk where kind='udp' and dst_comm = 'python3' and
			src_pid=$(word "$out" sender)")" '3|30|1200' '… each has it from its sender'
		is "$(sql "select count(*) from v_talk where kind='udp' and (src_comm='?' or dst_comm='?')")" 0 '… and nothing is left over'
		is "$(sql "select count(*) from v_event where op='sendto' and pid=$(word "$out" sender)")" 30 \
			'… of which one row for each is the call'
	fi

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
