# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 of programs under the shim, and of who watches them; sourced by shim_kills.t of the live and the
# long tier, which differ in numbers alone.

. tests/live/shim_programs.sh

# Whatever was published is kept, at whatever instruction a program is killed: what it had counted as
# done is recorded, and at most what it was doing then beside it.
kill_programs() { # TIMES
	kills=$1
	shim -- "$T/progs/killed" some "$kills" "$T/work/shared"
	is "$status" 0 "$kills programs are killed"
	is "$(sql 'select count(*) from loss')" 0 '... nothing was lost'
	wrong=0
	while read -r pid count; do
		seen=$(sql "select sum(op = 'write') from v_event where pid = $pid and bytes > 0")
		[ "${seen:-0}" -ge "$count" ] && [ "$seen" -le $((count + 1)) ] && continue
		wrong=$((wrong + 1))
		diag "$pid had done $count, $seen were recorded"
	done <<END
$out
END
	is "$wrong" 0 '... and of each all that it had done, and no more than it was doing'
	is "$(sql 'select count(*) from task where exit_code = 9')" "$kills" '... each is known to have been killed'
}

# The collector's end is nothing to the program; another can take its place.
kill_collectors() { # TIMES
	kills=$1
	i=0 went_on=0 sound=0 taken=0 ended=0
	while [ $((i += 1)) -le "$kills" ]; do
		rm -f "$DB" "$DB"-wal "$DB"-shm "$T/work/shared" "$T/work/pid"
		user_bg "$SHIM_IPCTAP" record --source shim -o "$DB" -- sh -c 'echo $$ >pid; exec "$@"' - \
			"$T/progs/killed" count shared >"$T/said" 2>/dev/null
		recorder=$started
		user "$T/progs/killed" wait shared $((i * 77 % 500 + 10)) || diag 'it did not begin'
		kill -KILL "$recorder"
		wait "$recorder" 2>/dev/null
		shim_pids="$shim_pids $(cat "$T/work/pid")"
		now=$(perl -e 'open F, $ARGV[0]; read F, $b, 8; print unpack "Q", $b' "$T/work/shared")
		user "$T/progs/killed" wait shared $((now + 300)) && went_on=$((went_on + 1))
		[ "$(sql 'pragma integrity_check')" = ok ] && sound=$((sound + 1))
		if [ $((i % 2)) = 0 ]; then
			rm -f "$DB" "$DB"-wal "$DB"-shm
			run user "$SHIM_IPCTAP" record --source shim -o "$DB" -n 500 -p "$(cat "$T/work/pid")"
			[ "$status" = 0 ] && [ "$(sql "select count(*) from v_event where comm = 'killed'")" -ge 500 ] &&
				taken=$((taken + 1))
		fi
		user "$T/progs/killed" stop shared
		wait_gone "$(cat "$T/work/pid")" && shim_pids= && grep -qx '[0-9][0-9]*' "$T/said" && ended=$((ended + 1))
	done
	is "$went_on" "$kills" "$kills collectors are killed: what they watched goes on"
	is "$ended" "$kills" '... and ends as if nothing had been'
	is "$sound" "$kills" '... the trace is sound'
	is "$taken" "$((kills / 2))" '... and another one can take over'
}
