#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The shim, as an ordinary user: who talks to whom, how much, without root and without a probe.
. tests/live/shim.sh

shim -- sh -c 'dd if=/dev/zero bs=1000 count=500 status=none | wc -c'
is "$status" 0 'the command'"'"'s exit status is handed on'
is "$out" 500000 'and its output is its own'
like "$err" 'nothing lost' 'nothing was lost'
is "$(sql "select src_comm, dst_comm, kind, bytes, messages, approximate from v_talk where kind = 'pipe'")" \
	'dd|wc|pipe|500000|500|0' 'dd sent 500,000 bytes in 500 writes to wc'
is "$(sql "select count(*) from v_event where comm = 'dd' and op = 'write' and kind = 'pipe'")" 500 'each write is there'
is "$(sql "select sum(bytes) from v_event where comm = 'wc' and op = 'read' and kind = 'pipe'")" 500000 'and every byte was read'
is "$(sql "select src_comm, dst_comm from v_talk where kind = 'child' order by 1")" "dd|sh
wc|sh" 'the shell saw both of its children end'
is "$(sql "select comm, exit_code from task where pid = tid order by comm")" "dd|0
sh|0
wc|0" 'three processes, all of which succeeded'
is "$(sql "select value from meta where key = 'source'")" shim 'the trace says what watched'

shim -- sh -c 'exit 7'
is "$status" 7 'an exit status is the command'"'"'s'
is "$(sql 'select exit_code from task')" "$((7 << 8))" 'and is in the trace'

shim -- sh -c 'sh -c "kill -KILL \$\$"; exit 0'
is "$(sql 'select count(*) from task where exit_code = 9')" 1 'a child that was killed'

for demo in unix-server:unix seqpacket:unix tcp:tcp pipeline:pipe fifo:fifo; do
	shim -- "$SHIM_IPCTAP" demo "${demo%%:*}" -d 1
	is "$status" 0 "demo ${demo%%:*} runs"
	kind=${demo##*:}
	is "$(sql "select count(*) > 0, sum(src_comm = '?' or dst_comm = '?'), sum(approximate) from v_talk where kind = '$kind'")" \
		'1|0|0' 'both ends of every flow are known'
	is "$(sql "select coalesce(sum(case when op in ('read', 'recvfrom', 'recvmsg', 'readv') then bytes else -bytes end), 0)
		from v_event where kind = '$kind' and bytes > 0 and ret > 0")" 0 'as many bytes were read as written'
	is "$(sql 'select count(*) from loss')" 0 'nothing was lost'
done

# ---- every verb that looks at a command, and those that read what was recorded ----
line="dd if=/dev/zero bs=1000 count=50 status=none | wc -c"
run user "$SHIM_IPCTAP" report --source shim -- sh -c "$line"
like "$out" '^dd\[[0-9]+\] +wc\[[0-9]+\] +pipe +50 +50000' 'report'
run user "$SHIM_IPCTAP" events --source shim -e 'kind=pipe op=write comm=dd' -- sh -c "$line"
is "$(printf '%s\n' "$out" | grep -c 'dd\[[0-9]*\] write(pipe:')" 50 'events'
run user "$SHIM_IPCTAP" top -b --source shim -- sh -c "$line"
is "$status" 0 'top -b'
like "$out" '^pipe +pipe:\[[0-9]+\]' '... shows what they talk through'
run user "$SHIM_IPCTAP" deadlock --source shim -- sh -c "$line"
is "$status" 0 'deadlock: none'
shim -- sh -c "$line"
run user "$SHIM_IPCTAP" export "$DB" -f dot
like "$out" 'dd.*->|->.*label' 'export of what was recorded'
run user "$SHIM_IPCTAP" deadlock "$DB"
is "$status" 0 'deadlock of it'
run user "$SHIM_IPCTAP" doctor
like "$out" 'shim' 'doctor names the shim'

find /dev/shm /tmp -maxdepth 1 -name "ipctap-65534-*" 2>/dev/null >"$T/left"
is "$(cat "$T/left")" '' 'no folder is left behind'
done_testing
