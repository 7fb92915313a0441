#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Requests of an io_uring are in the trace like plain calls, and what is not decoded is counted.
. tests/live/live.sh

"$PROGS/ringforms" 2>/dev/null
[ $? != 77 ] || skip_all 'io_uring is not to be had here (/proc/sys/kernel/io_uring_disabled?)'

record -- "$IPCTAP" demo io-uring -c 200
is "$status" 0 'the demo exits 0'
is "$out" 'kind=pipe sent=200 bytes=22400
kind=unix sent=200 bytes=9600' 'it went through the ring'
is "$(sql 'select count(*) from loss')" 0 'nothing is lost'
is "$(sql "select src_comm, dst_comm, kind, messages, bytes, approximate from v_talk where kind not in ('child', 'signal') order by kind")" \
	'iu-server|iu-client|pipe|200|22400|0
iu-client|iu-server|unix|200|9600|0' 'who asked and who answered, every byte'
is "$(sql "select op, kind, count(*) from v_event where op in ('read','write','sendto','recvfrom') group by 1, 2")" \
	'read|pipe|200
recvfrom|unix|201
sendto|unix|200
write|pipe|200' 'each request is one operation; the last recv is the end'
is "$(sql "select count(*) from event e join op o on o.id=e.op where o.name in ('read','write','sendto','recvfrom')
	and (e.flags & 4096) = 0")" 0 'and all are marked as requests'
is "$(sql "select count(*) from event e join op o on o.id=e.op join task t on t.tid=e.tid where o.name in
	('read','write','sendto','recvfrom') and t.comm not like 'iu-%'")" 0 'they are their submitters'
run "$IPCTAP" events "$DB" -e 'op=sendto' -n 1
like "$out" 'iu-client.* sendto.unix.*bytes=48. = 48 .*io_uring' 'events says it was a request'

record -- "$PROGS/ringforms"
is "$status" 0 'the program exits 0'
ring="from event e join op o on o.id=e.op join chan c on c.id=e.chan where (e.flags & 4096) <> 0"
forms() { sql "select c.kind, e.ret, count(*) $ring and o.name='$1' group by 1, 2 order by 1, 2"; }
is "$(forms write)" 'pipe|7|2
pipe|10|4' 'writes, two of them through the table of the ring'
is "$(forms read)" 'pipe|10|4
pipe|14|1' 'reads, one that waited for its write'
is "$(forms splice)" 'pipe|20|2' 'a splice is two rows, one for each pipe'
is "$(forms sendto)" 'unix|9|1
unix|40|1' 'a stream and a datagram are sent'
is "$(sql "select count(*) $ring and o.name='accept' and e.ret > 0")" 2 'one accept that lasts accepts twice'
is "$(forms close)" 'unix|0|1' 'a close'
is "$(sql "select count(*) from endpoint p, (select distinct chan, fd from event where op=(select id
	from op where name='recvfrom')) r where p.chan=r.chan and p.fd=r.fd and p.how=1 and p.to_ns < (select
	min(t_ns) from v_event where op='socketpair')")" 1 'ends the end that the accept made'
is "$(sql "select messages, bytes from v_talk where kind='unix' order by bytes")" '1|9
1|40' 'both messages have their sender and receiver, once: to look is not to take'
is "$(sql "select sum(bytes) from v_talk where kind='pipe' and src_comm='ringforms'")" 94 \
	'every byte in the pipes but those of the silent write has a writer'
is "$(sql "select cause, place, sum(count) from loss group by 1, 2 order by 2")" 'uring|23|1
uring|40|1' 'the silent write and the message to a ring are counted by their opcodes'
is "$(sql "select min(approximate) from v_talk where kind='pipe' and src_comm='ringforms' and bytes > 20")" 1 \
	'and what else went through the pipe of the silent write is approximate'
like "$err" 'lost 2 io_uring requests.*write: 1, msg_ring: 1' 'and named'
run "$IPCTAP" doctor
like "$out" 'io_uring' 'doctor says whether rings can be followed'
done_testing
