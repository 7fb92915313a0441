#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Connects that do not come about: the socket is called by where it was to go, by the probes and by the
# shim alike; and a socket that nothing was wrong with keeps its name.
. tests/live/live.sh

cat >"$T/connect.py" <<'END'
import os, socket, sys
keep = []
def attempt(family, kind, to, first=None):
    s = socket.socket(family, kind)
    keep.append(s)
    if first:
        first(s)
    try:
        s.connect(to)
        error = 0
    except OSError as e:
        error = e.errno
    name = to if isinstance(to, str) else ("[%s]:%d" if family == socket.AF_INET6 else "%s:%d") % to[:2]
    print("%d|%s|%d" % (s.fileno(), name.replace("\0", "@"), -error))
    return s
with socket.socket() as s: # a port that nobody listens on
    s.bind(("127.0.0.1", 0))
    nobody = s.getsockname()[1]
IN, IN6, UNIX = socket.AF_INET, socket.AF_INET6, socket.AF_UNIX
STREAM, DGRAM = socket.SOCK_STREAM, socket.SOCK_DGRAM
missing = os.path.join(sys.argv[1], "missing")
attempt(IN, STREAM, ("127.0.0.1", nobody))
attempt(IN6, STREAM, ("::1", nobody))
attempt(IN, STREAM, ("127.0.0.1", nobody), lambda s: s.bind(("127.0.0.1", 0)))
attempt(IN, STREAM, ("127.0.0.1", nobody), lambda s: s.setblocking(False)).connect_ex(("127.0.0.1", nobody))
attempt(UNIX, STREAM, missing)
attempt(UNIX, DGRAM, missing)
attempt(UNIX, STREAM, "\0ipctap-nobody-%d" % os.getpid())
long = os.path.join(sys.argv[1], "x" * (107 - len(sys.argv[1]) - 1)) # with its NUL all of sun_path
attempt(UNIX, STREAM, long)
END

cat >"$T/keep.py" <<'END'
import os, socket, sys
l = socket.socket()
l.bind(("127.0.0.1", 0))
l.listen(0)
at = l.getsockname()
c = socket.create_connection(at)
again = c.connect_ex(("127.0.0.1", 9))
s = l.accept()[0]
s.send(b"hello")
c.recv(9)
server = l.connect_ex(("127.0.0.1", 9))
own = os.path.join(sys.argv[1], "own")
b = socket.socket(socket.AF_UNIX)
b.bind(own)
os.unlink(own)
nobody = b.connect_ex(own + "-not")
w = socket.create_connection(at) # as many as the backlog holds, and one that has to wait for room there
late = socket.socket()
late.setblocking(False)
under_way = late.connect_ex(at)
print("port=%d again=%d server=%d under_way=%d own=%s nobody=%d" %
      (at[1], again, server, under_way, own, nobody))
END

# What nobody here asked for: libc tries nscd before it reads /etc/passwd, as python3 does without a HOME.
ours="op = 'connect' and name not like '%/nscd/socket%'"

for source in bpf shim; do
	record --source $source -- python3 "$T/connect.py" "$T"
	is "$status" 0 "$source: connects that fail"
	printf '%s\n' "$out" | sed 's/|-/ (not connected)|-/' >"$T/truth"
	# the name of a service, which the port may happen to have, is left out
	sqlite3 -batch -noheader -separator '|' "$DB" "select fd, name, ret from (select fd, name, ret, min(t_ns)
		from v_event where $ours group by fd)" | sed 's/ ([^()]*)\( (not\)/\1/' >"$T/told"
	is "$(cat "$T/told")" "$(cat "$T/truth")" '… are told with where they were to go'

	record --source $source -- python3 "$T/keep.py" "$T"
	is "$status" 0 "$source: others"
	of_server="name like '127.0.0.1:$(word "$out" port)%' and name not like '%(not connected)'"
	is "$(sql "select count(*) from v_event where $ours and $of_server")" 5 '… by the address they lead to'
	is "$(word "$out" again):$(word "$out" server):$(word "$out" under_way)" 106:106:115 \
		'… with errors that say nothing of a target'
	is "$(sql "select name, ret from v_event where $ours and kind = 'unix'")" "$(word "$out" own)|-2" \
		'… a bound one by its own name'
	is "$(sql "select group_concat(ret) from v_event where op in ('sendto', 'recvfrom') and $of_server")" 5,5 '… and joined'
done
done_testing
