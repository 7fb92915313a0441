#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# One program, whose calls are known, seen by the kernel's probes and by the shim: the same calls on the
# same kinds of channels, as often, with as many bytes and as many failures; and the same who to whom.
. tests/live/live.sh

PROGRAM=$(realpath "$PROGS")/libcforms
IPCTAP=$(realpath "$IPCTAP")
cd "$T" || exit 255

sources='bpf shim'
# both at once, where this build has it: nothing twice
"$IPCTAP" record --help | grep -q 'bpf+shim' && sources="$sources bpf+shim"

# With both, the probes see what the shim does for itself in the program, too: it maps its folder's files,
# and asks the state of the System V objects that it describes (IPC_STAT, 2). The program does neither.
own="name glob '/dev/shm/ipctap-[0-9]*-*/*'"
asks="o.name in ('msgctl', 'semctl', 'shmctl') and e.mtype = 2"

for source in $sources; do
	record --source "$source" -- "$PROGRAM"
	is "$status" 0 "$source: the program succeeds"
	is "$(sql 'select count(*) from loss')" 0 "$source: nothing is lost"
	sql "select o.name, coalesce(k.kind, '-'), count(*), sum(e.bytes), sum(e.ret < 0)
		from event e join op o on o.id = e.op left join chan k on k.id = e.chan and k.id > 0
		where not coalesce(k.$own, 0) and not ($asks) group by 1, 2 order by 1, 2" >"$T/calls.$source"
	sql "select kind, sum(messages), sum(bytes), sum(approximate) from v_talk where bytes > 0 group by 1 order by 1" >"$T/talk.$source"
	sql "select kind, count(*) from chan where id > 0 and not coalesce($own, 0) group by 1 order by 1" >"$T/chans.$source"
done
[ "$(wc -l <"$T/calls.bpf")" -ge 80 ]
ok $? 'there is much to compare'
for source in ${sources#bpf}; do
	same_file "$T/calls.$source" "$T/calls.bpf" "$source: the calls that bpf sees"
	same_file "$T/talk.$source" "$T/talk.bpf" "$source: the flows that bpf sees"
	same_file "$T/chans.$source" "$T/chans.bpf" "$source: the channels that bpf sees"
done
done_testing
