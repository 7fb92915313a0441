#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# How far the shim reaches: streams of libc, locks and semaphores of shared memory, names; what does not
# fit is counted; and programs that it cannot get into are named.
. tests/live/shim.sh

shim -- sh -c 'seq 1 100000 | sort -n | tail -n 1'
is "$out" 100000 'a pipeline of programs that write by streams'
is "$(sql "select src_comm, dst_comm, bytes from v_talk where kind = 'pipe' order by src_comm")" 'seq|sort|588895
sort|tail|588895' 'every byte that went through a stream is told, to whom and from whom'
sum=$(sed -n 's/#define IO_SUM \(0x[0-9a-f]*\)u.*/\1/p' lib/abi/event.h)
is "$(sql "select count(*) from event e join op o on o.id = e.op where o.name = 'write' and e.flags & $sum = 0")" 0 \
	'... as what a library call moved'

for demo in posix-shm posix-sem shm-ring eventfd; do
	shim -- "$SHIM_IPCTAP" demo $demo -d 1
	is "$status" 0 "demo $demo runs"
	is "$(sql 'select count(*) from loss')" 0 '... and nothing is lost'
	unlike "$(sql "select count(*) from v_talk where kind in ('futex', 'sem', 'eventfd') and src_comm <> '?' and messages > 0")" \
		'^0$' '... and who woke whom is known'
done
shim -- "$SHIM_IPCTAP" demo process-vm -d 1
is "$(sql "select group_concat(src_comm || '>' || dst_comm, ' ') from (select * from v_talk where kind = 'mem' order by 1)")" \
	'pv-subject>pv-watcher pv-watcher>pv-subject' 'one process reads and writes the memory of another'
is "$(sql "select name like 'memory of pv-subject%' from chan where kind = 'mem'")" 1 '... which has its name'
shim -- "$SHIM_IPCTAP" demo posix-sem -d 1
is "$(sql "select group_concat(comm, ' ') from (select distinct comm from v_event where op = 'sem_post' order by 1)")" \
	'ps-ping ps-pong' 'threads have the names that they gave themselves'

# One thread, which reads what it writes: so many calls, seen or counted.
shim --ring 64k -- perl -e 'pipe R, W; for (1 .. 150000) { syswrite W, "x"; sysread R, $b, 1 }'
seen=$(sql "select count(*) from v_event where kind = 'pipe' and op in ('read', 'write')")
lost=$(sql 'select coalesce(sum(count), 0) from loss')
more=$((seen + lost - 300000))
[ "$more" -ge 0 ] && [ "$more" -le 4 ] # its last calls, on other channels or none, may be among the lost
ok $? 'what was made is what was recorded and what was lost' || diag "seen $seen, lost $lost"

# ---- out of reach ----
printf '#include <unistd.h>\nint main(void) { return write(1, "hi\\n", 3) != 3; }\n' >"$T/static.c"
if "${CC:-gcc}" -static -o "$T/aloof" "$T/static.c" 2>/dev/null; then
	shim -- sh -c "$T/aloof | cat; $T/aloof"
	is "$out" "hi
hi" 'a statically linked program runs'
	like "$err" 'lost 2 .*not-covered.*aloof\[[0-9]+\], aloof\[' 'and is named as not covered, each time'
	run user "$SHIM_IPCTAP" report "$DB"
	like "$out" 'not covered: .*/aloof' 'in the report of the trace, too'
else
	skip 'no static libc' 3
fi
if [ -u /usr/bin/passwd ]; then
	shim -- sh -c '/usr/bin/passwd -S >/dev/null 2>&1; exit 0'
	like "$err" 'not-covered.*passwd\[' 'so is one that gains privileges'
else
	skip 'no privileged program'
fi
shim -- sh -c 'env -i /bin/true; exit 0'
like "$err" 'not-covered.*true\[' 'so is one whose environment was cleaned'
shim -- sh -c 'true | cat'
unlike "$err" 'not-covered' 'others are not'

shim --no-follow -- sh -c 'env | grep -c -e IPCTAP_SHIM= -e libipctap; dd if=/dev/zero bs=1 count=9 status=none | cat >/dev/null'
is "$out" 0 'with --no-follow nothing of us is in the environment of its children'
is "$(sql 'select count(*) from task where pid = tid')" 1 '... and none of them is traced'
unlike "$err" 'not-covered' '... as was asked for'
done_testing
