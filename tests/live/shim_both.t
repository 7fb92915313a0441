#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# One program, three sources: the probes, the shim, and both at once, which tell of no operation twice.
. tests/live/live.sh

# from SOURCE CMD…: records
from() {
	source=$1
	shift
	record --source "$source" -- "$@"
	is "$status" 0 "$source: the command runs"
	is "$(sql 'select coalesce(sum(count), 0) from loss')" 0 "$source: nothing is lost"
}

for source in bpf shim bpf+shim; do
	from $source perl -e 'pipe R, W; for (1 .. 1000) { syswrite W, "x" x 10; sysread R, $b, 10 }'
	is "$(sql "select op, count(*), sum(bytes) from v_event where kind = 'pipe' and op in ('read', 'write') group by 1")" \
		"read|1000|10000
write|1000|10000" "$source: each call on a pipe, once"
	is "$(sql "select value from meta where key = 'source'")" $source "$source: the trace says so"

	from $source sh -c 'dd if=/dev/zero bs=1000 count=500 status=none | wc -c'
	is "$(sql "select src_comm, dst_comm, messages, bytes from v_talk where kind = 'pipe' and src_comm = 'dd'")" \
		'dd|wc|500|500000' "$source: who talked to whom"
	is "$(sql "select comm, exit_code from task where pid = tid and outside = 0 order by comm")" 'dd|0
sh|0
wc|0' "$source: the same processes"
done

# Semaphores that are posted so many times: by no call of the kernel where nobody waits.
posts="select count(*) from event e join op o on o.id = e.op where o.name = 'sem_post' or (o.name = 'futex' and e.mtype & 127 = 1)"
for source in shim bpf+shim; do
	from $source "$IPCTAP" demo posix-sem -d 1
	sent=$(word "$out" sent)
	is "$(sql "$posts")" "$sent" "$source: each post, once"
	is "$(sql "select count(*) from chan where kind = 'futex' and name like '%sem.%'")" 2 "$source: two semaphores"
done
unlike "$(sql "select count(*) from event e join op o on o.id = e.op where o.name = 'futex' and e.mtype & 127 = 1")" '^0$' \
	'bpf+shim: those that woke somebody are told as the kernel saw them'
done_testing
