# SPDX-License-Identifier: GPL-2.0-or-later
# Memory while processes and channels come and go; sourced by bounded.t of the live and the long
# tier, which differ in numbers alone.

. tests/live/live.sh

# sample PID FILE: its own memory (without what it maps of files and of the ring), in KiB, until it ends
sample() {
	while [ -r "/proc/$1/status" ]; do
		sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status" 2>/dev/null || break
		sleep 0.02
	done >"$2"
}

# part FILE FROM TO: the largest of the samples between two hundredths of the run
part() {
	awk -v from="$2" -v to="$3" '{ v[NR] = $1 } END {
		for (i = int(NR * from / 100) + 1; i <= NR * to / 100; i++) if (v[i] > max) max = v[i]
		print max + 0 }' "$1"
}

# bounded PROCESSES CHANNELS KEEP GROWTH_KIB: records the churn, and says what must hold
bounded() {
	processes=$1 channels=$2 keep=$3 growth=$4
	record_bg --keep "$keep" --dump-model "$T/live.txt" -- "$PROGS/churn" -p "$processes" -c "$channels"
	wait "$recorder"
	is $? 0 'the recorder ends well'
	is "$(cat "$T/bg.out")" "children=$processes channels=$channels received=$processes" 'so did the program'
	is "$(sql 'select count(*) from loss')" 0 'nothing was lost'
	like "$(cat "$T/live.txt")" '^folded procs=[1-9][0-9]* tasks=[1-9][0-9]* chans=[1-9]' 'what was folded is counted'

	# each channel has its two ends, whatever kernel address was used again: a byte of its own
	is "$(sql "select count(*) from chan where id > 0 and kind='unix'")" "$((channels - (channels + 2) / 3))" \
		'each pair of sockets is a channel of its own'
	is "$(sql "select max(bytes) from v_talk where kind='unix' and name not like '%folded%'")" 1 \
		'through which one byte went'
	is "$(sql 'select sum(bytes) from flow')" "$((2 * processes + channels))" 'not a byte is missing from the flows'
	is "$(sql "select sum(bytes) from v_talk where src_comm='churn' or src_comm like '%folded%'")" \
		"$((2 * processes + channels))" 'nor is one from nobody'
	like "$(sql "select distinct name from v_talk where kind='unix'")" '^\([0-9]+ folded\)$' 'the older ones are one row'

	run "$IPCTAP" report --keep "$keep" --dump-model "$T/replay.txt" "$DB"
	like "$out" '^Folded: +[1-9][0-9]* processes' 'the report says what was folded'
	like "$out" '^\([0-9]+ folded\)  *churn\[' 'and shows it in one row'
	same_file "$T/replay.txt" "$T/live.txt" 'model(live) = model(replay)'

	# without a trace, whose writer takes what it needs to keep up with the disk
	"$IPCTAP" report --keep "$keep" -- "$PROGS/churn" -p "$processes" -c "$channels" >"$T/report" 2>"$T/report.err" &
	sample $! "$T/rss"
	wait $!
	is $? 0 'a live report'
	early=$(part "$T/rss" 25 50) late=$(part "$T/rss" 70 97) # the report itself comes at the end
	[ "$early" -gt 0 ] && [ "$late" -le $((early + growth)) ]
	ok $? "its memory stays flat: at most $early KiB in the first half, $late KiB later"
	diag "memory: $early KiB in the first half, $late KiB later, $(wc -l <"$T/rss") samples"
}
