#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Workloads that know how much they sent: the trace says the same, for every kind of channel.
. tests/live/live.sh

# sums KIND: messages and bytes of a kind between processes with a name. The kernel's own signals are
# not the workload's: the leak checker of a sanitized build stops the program that ends.
sums() {
	sql "select coalesce(sum(messages),0), coalesce(sum(bytes),0) from v_talk where kind='$1'
	     and src_comm not in ('?', 'kernel') and dst_comm <> '?'"
}

check_line() { # WORKLOAD LINE
	kind=$(word "$2" kind)
	case $kind in
	sem)
		is "$(sql "select count(*) from v_event where kind='sem' and op in ('semop','semtimedop') and ret=0")" \
			"$(word "$2" ops)" "$1: every semop is there"
		;;
	lock)
		is "$(sql "select count(*) from v_event where kind='lock' and op in ('flock','fcntl') and ret=0")" \
			"$(word "$2" ops)" "$1: every lock and unlock is there"
		;;
	eventfd)
		is "$(sql "select count(*), sum(bytes) from v_event where kind='eventfd' and op='write' and ret=8")" \
			"$(word "$2" sent)|$(word "$2" bytes)" "$1: every addition is there"
		is "$(sql "select count(*) from v_event where kind='eventfd' and op='read' and ret=8")" \
			"$(word "$2" sent)" "$1: and so is what took it"
		is "$(sql "select sum(messages), sum(bytes), max(approximate) from v_talk where kind='eventfd' and (src_comm, dst_comm)
			in (values ('ev-asker','ev-answerer'), ('ev-answerer','ev-asker'))")" "$(word "$2" sent)|0|0" \
			"$1: by the other, whether the reader slept or not"
		;;
	shm)
		is "$(sql "select group_concat(op) from (select op from v_event where kind='shm' and op
			in ('shmat','shmdt') and ret <> -1 order by op)")" shmat,shmat,shmdt,shmdt \
			"$1: both sides attach and detach the memory"
		;;
	*)
		is "$(sums "$kind")" "$(word "$2" sent)|$(word "$2" bytes)" "$1: $kind messages and bytes"
		is "$(sql "select count(*) from v_talk where kind='$kind' and (src_comm='?' or dst_comm='?')")" \
			0 "$1: every sender and receiver of $kind is known"
		;;
	esac
}

for workload in pipeline fifo unix-server unix-dgram seqpacket tcp udp msgq shm-ring \
	posix-mq eventfd signals locks pty mixed; do
	record -- "$IPCTAP" demo "$workload" -c 200
	is "$status" 0 "$workload: exits 0"
	is "$(sql 'select count(*) from loss')" 0 "$workload: nothing is lost"
	printf '%s\n' "$out" >"$T/lines"
	while read -r line; do
		check_line "$workload" "$line"
	done <"$T/lines"
done

# The last one was all at once: each workload's own ends are its own.
talk() { sql "select sum(messages)||' '||sum(bytes) from v_talk where src_comm='$1' and dst_comm='$2'"; }
is "$(talk pl-source pl-filter)" '200 12800' 'pl-source → pl-filter'
is "$(talk pl-filter pl-sink)" '200 12800' 'pl-filter → pl-sink'
is "$(talk ff-writer ff-reader)" '200 25600' 'ff-writer → ff-reader'
is "$(talk ux-client-3 ux-server)" '200 12800' 'one client of four → ux-server'
is "$(talk ux-server ux-client-3)" '200 51200' 'and back'
is "$(talk dg-app-2 dg-logger)" '201 19200' 'dg-app-2 → dg-logger, an empty datagram among them'
is "$(talk tcp-client tcp-server)" '200 20000' 'tcp-client → tcp-server'
is "$(talk tcp-server tcp-client)" '200 200000' 'and back'
is "$(talk udp-client udp-server)" '201 8000' 'udp-client → udp-server'
is "$(talk udp-server udp-client)" '200 24000' 'and back'
is "$(talk pm-maker-1 pm-taker)" '201 9600' 'pm-maker-1 → pm-taker, an empty message among them'
is "$(talk sg-caller sg-callee)" '201 0' 'sg-caller → sg-callee'
is "$(talk sg-callee sg-caller)" '200 0' 'and back'
is "$(talk pt-terminal pt-shell)" '201 6432' 'pt-terminal → pt-shell'
is "$(talk pt-shell pt-terminal)" '201 19296' 'and back'
is "$(sql "select count(*) from v_talk where kind in ('signal','pty','child') and approximate")" 0 \
	'signals, a raw terminal and ends of children are exact'
woken() { # KIND OPS: operations that slept and that a thread woke
	sql "select count(*) from event e join chan c on c.id=e.chan join op o on o.id=e.op where c.kind='$1'
		and o.name in ($2) and e.slept_ns > 0 and e.waker_tid <> 0 and e.ret >= 0"
}
[ "$(woken eventfd "'read'")" -gt 100 ]
ok $? 'most readers of an eventfd were woken by a thread'
is "$(sql "select coalesce(sum(messages), 0) from v_talk where kind='lock' and (src_comm, dst_comm) in
	(values ('lk-posix','lk-ofd'), ('lk-ofd','lk-posix'))")" "$(woken lock "'flock','fcntl'")" \
	'whoever waited for a lock got it from the other'
like "$(sql "select distinct name from chan where kind='lock'")" '/lock$' 'a lock is known by its file'
is "$(sql "select sum(messages) from v_talk where src_comm like 'mq-maker-%' and dst_comm='mq-bulk'")" \
	136 'mq-bulk got the messages of type 3, from both makers'
is "$(sql "select count(*) from v_talk where kind='unix' and src_comm='ux-client-1' and dst_comm<>'ux-server'")" \
	0 'nobody is joined with a stranger'

# Whoever slept was woken by the peer; nobody else could have.
for mech in pipe unix dgram seqpacket tcp udp msg sem; do
	record -- "$PROGS/pingpong" "$mech" 300 40
	is "$status" 0 "pingpong $mech: exits 0"
	ping=$(word "$out" ping) pong=$(word "$out" pong)
	[ "$mech" = sem ] || is "$(sql "select src_pid=$ping, dst_pid=$pong, sum(messages), sum(bytes)
		from v_talk where src_pid in ($ping, $pong) and kind <> 'child' group by src_pid order by src_pid=$pong")" \
		"1|1|300|12000
0|0|300|12000" "pingpong $mech: 300 messages each way"
	blocked=$(sql "select count(*) from event where slept_ns > 0 and pid in ($ping, $pong)
		and op in (select id from op where name in ('read','msgrcv','semop','semtimedop'))")
	right=$(sql "select count(*) from event where slept_ns > 0 and op in (select id from op where name
		in ('read','msgrcv','semop','semtimedop')) and (pid=$ping and waker_tid=$pong or pid=$pong and waker_tid=$ping)")
	[ "$blocked" -gt 50 ] && [ $((right * 100)) -ge $((blocked * 95)) ]
	ok $? "pingpong $mech: the waker is the peer" || diag "$right of $blocked"
done
done_testing
