#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Waits of which the kernel keeps no account, under the shim: who has the units of a semaphore, who signals
# a condition, who reads a lock, who comes to a barrier is known then. As an ordinary user, and as root
# with both sources; of a command, of one that is being recorded, and from the trace.
# IPCTAP_ROUNDS: how often.
. tests/live/shim.sh

cp tests/live/shim_locks "$T"
corpus() { # WHAT ROUNDS SOURCE WHO…
	what=$1 rounds=$2 source=$3
	shift 3
	"$@" "$T/shim_locks" "$rounds" "$source" "$T/progs/lockhangs" -- "$SHIM_IPCTAP" >"$T/cases" 2>"$T/cases.err"
	is "$?:$(cat "$T/cases.err")" 0: "$what: the cases ran"
	ok_lines "$T/cases" "$what: "
	is "$(grep -c . "$T/cases")" 11 "$what: all of them"
}
corpus 'an ordinary user' "${IPCTAP_ROUNDS:-5}" shim user
if [ "$(id -u)" = 0 ] && [ "${BPF:-1}" != 0 ] && [ -r /sys/kernel/btf/vmlinux ]; then
	root() { (cd "$T/work" && exec "$@"); }
	corpus 'root, bpf+shim' "${IPCTAP_ROUNDS:-5}" bpf+shim root
	cores='import json, sys
print(*(f["verdict"] + ":" + ",".join(sorted(w["comm"] for w in f["core"])) for f in json.load(sys.stdin)["findings"]))'
	cases='sem-first rwlock-pair busy'
	for source in bpf+shim bpf; do
		# shellcheck disable=SC2086 # names
		run "$SHIM_IPCTAP" deadlock --source $source -d 4 --json --no-stacks --level closed-world -- "$T/progs/lockhangs" $cases
		printf '%s' "$out" | python3 -c "$cores" | tr ' ' '\n' | sort | tr '\n' ' ' >"$T/found.$source"
	done
	is "$(cat "$T/found.bpf+shim")" 'closed-world:rp-left,rp-right closed-world:sf-left,sf-right ' \
		'a command of root: what --source bpf+shim names …'
	is "$(cat "$T/found.bpf")" ' ' '… the snapshot alone does not'
else
	skip 'no root or no BPF: both sources at once' 4
fi

# ---- of a command, and of one process ----
run user "$SHIM_IPCTAP" deadlock -d 4 --no-stacks --source shim -- "$T/progs/lockhangs" rwlock-pair busy
is "$status" 1 'deadlock -- CMD: status 1'
like "$out" '^DEADLOCK \(closed world\)' 'a closed world'
like "$out" '^      1 reader: rp-right\[[0-9]+\]$' 'who reads is named'
like "$out" '^      waits for a read-write lock, from rp-right\[[0-9]+\]$' '... as the only one who could help'
like "$out" '^  Cause: Locks are taken in different orders' 'and the cause'
run user "$SHIM_IPCTAP" deadlock -d 4 --no-stacks --source shim -- "$T/progs/lockhangs" sem-gone rwlock-gone barrier-gone
is "$status" 1 'of those who are gone'
like "$out" '^      held by sg-taker\[[0-9]+\], which has ended; last [0-9.e+]+ s ago' '... who has the unit of a semaphore, and posted it last'
like "$out" '^      1 reader: rg-reader\[[0-9]+/[0-9]+\], which has ended$' '... who reads a lock, a thread'
like "$out" 'came before: bg-three\[[0-9]+\], which has ended$' '... who used to come to a barrier'
like "$out" '^  Cause: Who held the lock is gone' '... and that this is the cause'
run user "$SHIM_IPCTAP" deadlock -d 3 --level stuck --source shim -- "$T/progs/lockhangs" busy pool
is "$status:$err" '0:ipctap: the command still runs, and no deadlock was found; it is ended' 'of what goes on, nothing'

user sh -c 'echo $$ >pid && exec "$@"' sh "$SHIM_IPCTAP" record --source shim -o "$DB" -- "$T/progs/lockhangs" sem-first \
	>/dev/null 2>&1 </dev/null &
shim_tries=0
until [ -s "$T/work/pid" ] || [ $shim_tries -ge 300 ]; do shim_tries=$((shim_tries + 1)) && sleep 0.1; done
shim_pids="$shim_pids $(cat "$T/work/pid")"
member() { for p in $(grep -lx "$1" /proc/[0-9]*/comm 2>/dev/null); do p=${p#/proc/} && echo "${p%/comm}"; done; }
says() { user "$SHIM_IPCTAP" why --no-stacks "$(member sf-left)" >"$T/why" 2>/dev/null && grep -q 'DEADLOCK (closed world)' "$T/why"; }
shim_tries=0
until says || [ $shim_tries -ge 300 ]; do shim_tries=$((shim_tries + 1)) && sleep 0.1; done
like "$(cat "$T/why")" '^sf-left\[[0-9]+\]  sem_wait' 'why, of one that is being recorded'
like "$(cat "$T/why")" '^ +held or posted before by sf-right\[[0-9]+\]' '... names who has the unit'
like "$(cat "$T/why")" '^  sf-right\[[0-9]+\]  sem_wait' '... and leads on to it'

recorder=$(cat "$T/work/pid")
kill -INT "$recorder"
shim_tries=0
while kill -0 "$recorder" 2>/dev/null && [ $shim_tries -lt 300 ]; do shim_tries=$((shim_tries + 1)) && sleep 0.1; done
done_testing
