#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What report says of locks under the shim: who waited for them and held them longest; and that threads
# nest them in opposite orders, which is no deadlock, but may become one.
. tests/live/shim.sh

report() {
	run user "$SHIM_IPCTAP" report "$@" "$DB"
	[ "$1" = --json ] && printf '%s' "$out" >"$T/report.json"
}
json() { python3 -c "import json; d = json.load(open('$T/report.json')); $1"; }
names() { json 'print([[(s["comm"], s["held"]["ident"], s["got"]["ident"]) for s in c] for c in d["lock_inversions"]])'; }

for source in shim bpf+shim; do
	if [ $source = bpf+shim ]; then
		if [ "$(id -u)" != 0 ] || [ "${BPF:-1}" = 0 ] || [ ! -r /sys/kernel/btf/vmlinux ]; then
			skip 'no root or no BPF: both sources at once' 10
			continue
		fi
		user() { (cd "$T/work" && exec "$@"); }
	fi
	for how in opposite private; do
		rm -f "$DB" "$DB"-wal "$DB"-shm
		run user "$SHIM_IPCTAP" record --source $source -o "$DB" -- "$T/progs/lockorder" $how
		is "$status:$(sql 'select count(*) from loss')" 0:0 "$source, $how: recorded, nothing lost"
		report --json
		is "$(json 'print([sorted(s["comm"] for s in c) for c in d["lock_inversions"]])')" "[['lo-first', 'lo-second']]" \
			"$source, $how: one inversion, of those two"
		is "$(json 'c = d["lock_inversions"][0]; print(all(a["got"]["chan"] == b["held"]["chan"] for a, b in zip(c, c[1:] + c[:1])))')" \
			True "$source, $how: what each got the next held"
		report
		like "$out" '^Possible inversions of lock order \(no deadlock' "$source, $how: the report says what it is"
		like "$out" '^  .* then .*, by lo-first\[[0-9/]+\] at ' "$source, $how: and who did what"
		run user "$SHIM_IPCTAP" deadlock --level stuck "$DB"
		is "$status" 0 "$source, $how: which is no deadlock"
	done
	# of the process's own, which nobody else sees, only what lasts is told: the first held the third for 20 ms
	report --json
	is "$(json 'l = [k for k in d["locks"] if k["longest_hold"]][0]["longest_hold"]; print(l["comm"], 2e7 <= l["ns"] < 1e9)')" \
		'lo-first True' "$source: of one's own locks, who held one for long, and how long"
	is "$(sql "select min(mtype >= 20000), sum(mtype >= 20000000) from event e join op o on o.id = e.op
		where o.name in ('pthread_mutex_unlock', 'lock_held')")" '1|1' "$source: ... and of short holds nothing"
	rm -f "$DB" "$DB"-wal "$DB"-shm
	run user "$SHIM_IPCTAP" record --source $source -o "$DB" -- "$T/progs/lockorder" condition
	is "$status:$(sql "select count(*), min(mtype) >= 20000000, max(comm) from event e join op o on o.id = e.op join task t on t.tid = e.tid
		where o.name = 'lock_held'")" '0:1|1|lo-first' "$source: a wait for a condition ends a hold, which is told"
	rm -f "$DB" "$DB"-wal "$DB"-shm
	run user "$SHIM_IPCTAP" record --source $source -o "$DB" -- "$T/progs/lockorder" same 100
	report --json
	is "$(names)" '[]' "$source: of one order, nothing is said"
	is "$(sql "select count(*) from v_event where op = 'lock_order'")" 4 "$source: a nesting is told once by each who does it"
	# the one that is contended: held for 20 ms by the first, while the second waits
	is "$(json 'l = d["locks"][0]; print(l["longest_wait"]["comm"], l["waits"] >= 1, l["longest_wait"]["ns"] >= 5e6)')" \
		'lo-second True True' "$source: who waited longest for which lock"
	is "$(json 'l = d["locks"][0]; print(l["longest_hold"]["comm"], l["longest_hold"]["ns"] >= 2e7, l["holds"] == 204)')" \
		'lo-first True True' "$source: and who held it longest"
	report
	like "$out" '^ *WAITS +WAITED +LONGEST +BY +HELD +LONGEST +BY +LOCK' "$source: a table of them"
	unlike "$out" 'inversion' "$source: and no word of inversions"
done
done_testing
