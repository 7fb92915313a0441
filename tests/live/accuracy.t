#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who wrote what a read got, against the truth that the payload carries (tests/progs/truth.c): the
# part of all bytes that the model gives to the right writer, read by read.
#
# One writer, and several of one TCP connection: every byte, and marked exact. Else several: by the order of calls that overlap on several
# processors, which can err, so a least part is wanted, and that no flow marked exact has a wrong byte.
# The measure is how well the probes place calls, which a machine busy with something else spoils (a
# thread preempted in the middle of a write looks as if it wrote later), so the best of some runs counts:
# the first that reaches the figure ends them.
. tests/live/live.sh
. tests/live/accuracy.sh

for kind in pipe unix tcp udp seqpacket dgram msg; do
	one "$kind" 1 1 3000
done
one pipe 1 1 3000 nonblock
for kind in unix tcp seqpacket dgram; do
	one $kind 1 1 3000 nonblock
done
one pipe 1 2 3000
one pipe 1 1 3000 read=5
one tcp 1 1 3000 size=100 read=7
one tcp 1 1 300 size=60000 read=5000
one pipe 1 1 300 size=60000 read=60000
one pipe 1 1 3000 packet read=5
one pipe 1 1 3000 packet read=5 nonblock
one pipe 1 1 100 size=10000 read=3000 packet
one unix 1 1 2000 peek
one tcp 1 1 2000 peek
one seqpacket 1 1 2000 peek

# ---- several writers ----

# Over TCP the place in the stream is seen while the socket is locked: as with one writer, unless a
# long write has to wait for room and others come in between.
if "$IPCTAP" doctor | grep -q '^ok *tcp_sendmsg_locked'; then
	for writers in 2 4 8; do
		one tcp $writers 1 3000
		one tcp $writers 1 3000 nonblock
	done
	one tcp 4 1 3000 peek
	one tcp 4 2 3000
	one tcp 8 4 2000 size=7 read=50
	one tcp 4 2 200 size=60000 read=5000 nonblock
	many 9000 tcp 4 1 300 size=60000 read=60000
else
	pass 'tcp: this kernel does not tell where a send lies # SKIP'
fi
# by the order of calls alone, as on a kernel that has none of the hooks
export IPCTAP_HOOKS=none
one tcp 1 1 3000
many 9000 tcp 4 1 3000
many 9000 udp 4 1 3000
unset IPCTAP_HOOKS

many 9990 pipe 2 1 10000
many 9990 pipe 2 1 10000 nonblock
many 9989 pipe 4 1 10000
many 9989 pipe 4 1 10000 nonblock
many 9962 pipe 4 1 10000 read=4096
# every write has a buffer of its own, so writers wait for room all the time
many 9900 pipe 4 1 10000 read=5 packet
many 9990 pipe 8 1 5000
many 9943 pipe 8 1 5000 nonblock
many 9900 pipe 4 2 5000
for writers in 2 4 8; do
	for kind in unix seqpacket dgram; do
		many 9900 $kind $writers 1 5000
		many 9900 $kind $writers 1 5000 nonblock
	done
	many 9900 msg $writers 1 5000
done
many 9900 msg 4 2 5000
many 9900 pipe 4 1 2000 size=2000 read=4000
# Linux 6.18 has one of several senders put also the others' datagrams into the queue: nothing tells where
# between their calls' begin and end. What is seen of it (the queueing of one's own) puts 97 to 99 % right.
many 9000 udp 4 1 5000

# ---- splice and tee in the middle: of each pipe, who put in what who took out ----

record -- "$PROGS/truth" pipe 2 1 1000 splice
cp "$T/out" "$T/truth"
for n in 0 1; do
	pid=$(sed -n "s/^writer $n //p" "$T/truth")
	is "$(sql "select sum(bytes) from v_talk where src_pid=$pid and dst_pid not in (0, $pid)")" 16000 \
		"splice: what writer $n sent, the one in the middle got"
done
is "$(sql "select count(distinct chan), sum(bytes) from flow where chan in (select id from chan where kind='pipe')
	and src_pid = (select pid from event where op = (select id from op where name='splice') limit 1)")" '2|64000' 'splice and tee: it sent all of it on, twice'
is "$(sql "select count(*) from v_talk where src_comm='?' or dst_comm='?'")" 0 'splice and tee: nobody is unknown'

# ---- 100 bytes lay in the channel when tracing began ----

# found_once WORD…: attached to when it exists already; sets $figures. False: something was lost, as said.
found_once() {
	rm -f "$T/control" "$T/truth"
	mkfifo "$T/control"
	"$PROGS/truth" "$@" wait <"$T/control" >"$T/truth" &
	program=$!
	live_pids="$live_pids $program"
	exec 9>"$T/control"
	wait_until 10 grep -q ready "$T/truth"
	record_bg -p "$program"
	wait_until 10 is_recorded
	echo go >&9
	exec 9>&-
	wait "$program"
	is $? 0 "$*: ran on"
	wait "$recorder"
	figures=$("$PROGS/accuracy" "$DB" "$T/truth")
	[ "$(sql 'select count(*) from loss')" = 0 ]
}

found() { # LEAST EXACT WORD…: of three runs, one in which nothing is lost
	least=$1 exact=$2
	shift 2
	found_once "$@" || found_once "$@" || found_once "$@"
	[ "$(hundredths)" -ge "$least" ]
	ok $? "$* found at work: $(word "$figures" percent) % right" ||
		diag "$least wanted; $figures" "$(cat "$T/bg.err")" "$(sql 'select cause, count from loss')" "$(sql 'select pid, comm, outside, exit_ns from task')"
	is "$(word "$figures" exact) $(word "$figures" exact_wrong)" "$exact 0" \
		"$*: $exact bytes marked exact, none of them wrong"
}
is_recorded() { [ -s "$DB" ] && [ "$(sqlite3 -readonly "$DB" 'select count(*) > 0 from task')" = 1 ]; }
found 10000 16000 pipe 1 1 1000 read=64
found 10000 16000 pipe 1 1 1000 read=4096 early=1000000
found 10000 16000 tcp 1 1 1000 read=64
found 10000 16000 unix 1 1 1000 read=64
for kind in seqpacket dgram udp; do # the last byte is the parent's word that it is over
	found 10000 16001 $kind 1 1 1000 read=64
done
done_testing
