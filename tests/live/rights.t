#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The capabilities that README.md names are enough, also for what is loaded only when somebody waits.
. tests/live/live.sh

enough='setpriv --inh-caps -all --bounding-set -all,+bpf,+perfmon,+sys_ptrace --'
caps=000000c000080000
if ! "$IPCTAP" doctor | grep -q '^ok *bpf_rdonly_cast'; then # before Linux 6.2; dropped after loading
	enough="${enough% --},+sys_admin --"
	caps=000000c000280000
fi
is "$($enough grep CapEff /proc/self/status | cut -f 2)" "$caps" 'a process has these and no other'

has_found() { [ "$(sql 'select count(*) from found' 2>/dev/null)" = 1 ]; }
# shellcheck disable=SC2086 # words
$enough perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV or die' \
	"$IPCTAP" record --source bpf -o "$DB" -- "$IPCTAP" demo two-pipes-full >"$T/bg.out" 2>"$T/bg.err" </dev/null &
recorder=$!
live_pids="$live_pids $recorder"
wait_until 30 has_found
ok $? 'it records, and has found the deadlock' || diag "$(cat "$T/bg.err")"
kill -INT "$recorder"
wait "$recorder"
run "$IPCTAP" deadlock "$DB"
like "$status:$out" '^1:DEADLOCK \(proven\)' 'which is proven: all could be seen'
is "$(sql "select count(*) from event e join op o on o.id=e.op join task t on t.tid=e.tid where o.name='close'
	and t.comm like 'tp-%'")" 4 'each call of the command is there'
is "$(sql 'select count(*) from loss')" 0 'nothing was lost'

if [ $caps = 000000c000080000 ]; then
	run setpriv --inh-caps -all --bounding-set -all,+bpf -- "$IPCTAP" record --source bpf -o "$DB" -- true
	is "$status" 3 'with less it is refused'
	like "$err" 'CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE' '… and told what to give'
else
	run setpriv --inh-caps -all --bounding-set -all,+bpf,+perfmon,+sys_ptrace -- "$IPCTAP" doctor
	like "$out" 'MISSING +module types' 'with less, doctor says what is missing'
	like "$out" 'auto takes: shim' 'and the shim is taken'
fi

# In a pid namespace of its own ipctap does not know processes by the numbers that the kernel tells
contained() { run unshare --pid --fork --mount-proc "$IPCTAP" "$@"; }
run unshare --pid --fork --mount-proc true
if [ "$status" -eq 0 ]; then
	rm -f "$DB" "$T/ran"
	contained record --source bpf -o "$DB" -- touch "$T/ran"
	[ "$status" -eq 3 ] && [ ! -e "$T/ran" ]
	ok $? 'inside of a pid namespace the probes are refused, and nothing is started'
	like "$err" '^ipctap: .*pid namespace' 'a line says why'
	like "$err" '^  .*--pid=host' 'and one what to do'
	contained record -o "$DB" -- sh -c 'seq 1 3 | cat'
	is "$status:$(sql 'select sum(bytes) from v_talk where src_comm = "seq"')" 0:6 'left the choice, it takes the shim'
	contained doctor
	like "$out" '^MISSING +host pids' 'doctor says so'
	contained deadlock
	like "$err" 'pid namespace' 'a deadlock is looked for by /proc, which is said'
else
	skip 'no pid namespaces here' 6
fi
done_testing
