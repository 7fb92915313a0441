# SPDX-License-Identifier: GPL-2.0-or-later
# Memory while processes and channels come and go; sourced by bounded.t of the live and the long
# tier, which differ in numbers alone.

. tests/live/live.sh

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

	[ -z "$SAN" ] || return 0 # a sanitizer keeps what was freed
	# without a trace, whose writer takes what it needs to keep up with the disk; the ring is small,
	# for what has waited in it while the machine was busy is taken in at once
	run "$IPCTAP" report --ring 1m --keep "$keep" -- "$PROGS/churn" -m -p "$processes" -c "$channels"
	is "$status" 0 'a live report'
	early=$(word "$out" early) late=$(word "$out" late)
	[ "$early" -gt 0 ] && [ "$late" -le $((early + growth)) ]
	ok $? "its memory stays flat: at most $early KiB in the second quarter, $late KiB in the last"
	diag "memory: $early KiB in the second quarter, $late KiB in the last"
}

# stalled PROCESSES CHANNELS KEEP MOST_KIB: the collector stands still until the ring has overflowed;
# afterwards it catches up, and forgets also what it was not told the end of
stalled() {
	[ -z "$SAN" ] || return 0
	"$IPCTAP" report --ring 2m --keep "$3" -- "$PROGS/churn" -m -p "$1" -c "$2" >"$T/out" 2>"$T/err" &
	pid=$!
	live_pids="$live_pids $pid"
	wait_until 10 pgrep -P "$pid" -x churn >/dev/null
	kill -STOP "$pid"
	sleep 2
	kill -CONT "$pid"
	wait "$pid"
	is $? 0 'a collector that stood still for two seconds ends well'
	like "$(cat "$T/err")" 'lost [0-9]+ .*\[ring-ctl\]' 'it says what it lost'
	late=$(word "$(cat "$T/out")" late)
	[ "$late" -gt 0 ] && [ "$late" -le "$4" ]
	ok $? "and its memory is bounded: at most $late KiB in the last quarter"
}
