#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The same programs under strace and under ipctap: call by call the same, in every thread.
. tests/live/live.sh

command -v strace >/dev/null || live_cannot 'strace is not installed'
python=/usr/bin/python3 # not a wrapper of it, which would be traced too
[ -x "$python" ] || live_cannot 'python3 is not installed'
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" # cannot look under ptrace

check() { # NAME ARG…
	name=$1
	shift
	run tests/live/strace_compare "$@"
	ok "$status" "$name: $(printf '%s\n' "$out" | tail -n 1)" || diag "$(printf '%s\n' "$out" "$err" | head -n 60)"
}

# Each of two runs, so that strace is not in ipctap's way; what is a matter of timing is left out
check 'a shell pipeline' --merge -- sh -c 'dd if=/dev/zero bs=1000 count=500 status=none | wc -c'
check 'every call form' -- "$PROGS/callforms"
check 'a unix-socket server and clients in Python' -- "$python" tests/progs/unix_echo.py 3 20
check 'names, threads and children' --merge -- "$PROGS/morph"
# One run that both see: nothing is left out, not even which pipe or socket it was
check 'tee and xargs, seen together' --together -- \
	sh -c "seq 1 500 | xargs -n 50 echo | tee '$T/copy' | wc -l"
check 'every call form, seen together' --together -- "$PROGS/callforms"
if command -v bash >/dev/null; then
	check 'a pipe that is opened by /dev/fd, seen together' --together -- bash -c 'cat <(seq 3) | wc -l'
fi
check 'every form of a call on queues, signals, terminals, locks, children and sets' --together -- \
	"$PROGS/eventforms"
check 'every form of a call on memory' --together -- "$PROGS/memforms"

# The comparison is no formality: $1 done to the trace before it is compared must be told as $2
tampered() { # SQL TOLD NAME [CMD ARG…]
	cat >"$T/tamper" <<-END
		#!/bin/sh
		"$IPCTAP" "\$@"; status=\$?
		sqlite3 "\$3" "$1"
		exit \$status
	END
	chmod +x "$T/tamper"
	told=$2 name=$3
	shift 3
	[ $# -gt 0 ] || set -- sh -c 'seq 1 5 | cat | wc -l'
	run env IPCTAP="$T/tamper" tests/live/strace_compare --together -- "$@"
	is "$status" 1 "$name is a difference"
	like "$out" "$told" "... and told: $told" || diag "$out"
}
read_row="(select id from event where op=(select id from op where name='read') and bytes > 0 limit 1)"
tampered "delete from event where id=$read_row" 'strace: read .*; ipctap: ' 'a call that is missing'
tampered "insert into event(t_ns, dur_ns, slept_ns, pid, tid, op, chan, fd, ret, bytes, mtype, flags)
	select t_ns, dur_ns, slept_ns, pid, tid, op, chan, fd, ret, bytes, mtype, flags from event where id=$read_row" \
	'; ipctap: read .* bytes=[1-9]' 'a call too many'
tampered "update event set bytes = bytes - 1 where id=$read_row" 'bytes=' 'a byte'
tampered "update event set ret = ret + 1 where id=$read_row" 'ret=' 'a result'
tampered "update event set fd = 9 where id=$read_row" 'ipctap: read fd=9 ' 'a descriptor'
tampered "update event set tid = (select max(tid) from event) + 1 where id=$read_row" 'strace: read .*; ipctap: ' 'a thread'
tampered "update chan set ident = 'pipe:[1]' where id = (select chan from event where id=$read_row)" 'pipe pipe:.1. ' 'a channel'
tampered "update event set t_ns = (select max(t_ns) from event) where id=$read_row" 'strace: read ' 'an order'
in_memory() { tampered "$@" "$PROGS/memforms"; }
row_of() { echo "(select min(id) from event where op=(select id from op where name='$1') and ret $2)"; }
in_memory "delete from event where id=$(row_of munmap '= 0')" 'strace: munmap .*; ipctap: ' 'an munmap that is missing'
in_memory "update event set ret = ret + 4096 where id=$(row_of mmap '<> 0 and fd = -1')" 'ipctap: mmap ' 'an address'
in_memory "update chan set ident = ident || '8' where id = (select chan from event where id=$(row_of futex '= 1'))" \
	'strace: futex .*; ipctap: futex .*8 ret=1 ' 'the place of a futex'
in_memory "update event set mtype = mtype + 1 where id=$(row_of process_vm_readv '= 15')" \
	'ipctap: process_vm_readv ' "whose memory it was"
in_memory "update event set fd = 99 where id=$(row_of pidfd_getfd '>= 0')" 'ipctap: pidfd_getfd fd=99 ' \
	'a descriptor that was taken'
done_testing
