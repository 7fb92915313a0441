#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A minute of a program that does nothing but calls of one byte, recorded while the trace's writer
# has the other processor: nothing is lost with the default ring.
#
# That is 100 MB of trace a second, which is more than many a disk takes; the events are then lost, and
# counted, behind the ring. So the file lies in memory where there is enough of it.
if [ -z "${TMPDIR:-}" ] && [ "$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)" -gt 16000000 ]; then
	export TMPDIR=/dev/shm
fi
. tests/live/live.sh

record -- "$PROGS/storm" -t 60
is "$status" 0 'the command exits 0'
calls=$(word "$out" calls)
[ "$calls" -gt 1000000 ]
ok $? 'a minute of calls was made' || diag "$calls"
is "$(sql 'select count(*) from event')" "$calls" 'every one is in the trace'
is "$(sql 'select count(*) from loss')" 0 'nothing is counted as lost'
like "$err" 'nothing lost' 'and it says so'

run "$IPCTAP" doctor --load 10
like "$out" 'ring 16.0M .* recorded, 0 lost' 'doctor measures the same'
like "$out" 'Least ring that lost nothing: --ring [0-9]+k' "and finds the least ring: $(printf '%s\n' "$out" | sed -n 's/.*--ring \([0-9]*k\).*/\1/p')"
done_testing
