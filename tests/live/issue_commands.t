#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A shell pipeline, recorded, reported and listed: who sent what to whom, to the byte.
. tests/live/live.sh

record -- sh -c 'dd if=/dev/zero bs=1000 count=500 status=none | wc -c'
is "$status" 0 'record exits as the command does'
is "$(echo $out)" 500000 "the command's own output is what it would be untraced"
is "$(sql "select sum(bytes) from v_talk where kind='pipe' and src_comm='dd' and dst_comm='wc'")" 500000 \
	'dd sent 500000 bytes to wc'
is "$(sql "select sum(messages) from v_talk where src_comm='dd' and dst_comm='wc'")" 500 \
	'in 500 messages'
is "$(sql "select count(*) from v_event where comm='dd' and op='write' and kind='pipe' and ret=1000")" 500 \
	'dd wrote 500 times 1000 bytes'
is "$(sql "select sum(bytes) from v_event where comm='wc' and op='read' and kind='pipe'")" 500000 \
	'wc read 500000 bytes'
is "$(sql 'select count(*) from loss')" 0 'nothing was lost'
is "$(sql 'select count(*) from v_talk where approximate')" 0 'nothing was guessed'

run "$IPCTAP" report "$DB"
is "$status" 0 'report exits 0'
like "$out" 'dd.*wc' 'report names who talks to whom'
like "$out" '(^| )500( |$)' 'report counts the messages'
run "$IPCTAP" report --json "$DB"
is "$status" 0 'report --json exits 0'
python3 -m json.tool <"$T/out" >/dev/null
ok $? 'report --json is JSON'
like "$out" '500000' 'report --json has the bytes'

run "$IPCTAP" events "$DB" -e 'kind=pipe op=write'
is "$status" 0 'events exits 0'
is "$(printf '%s\n' "$out" | wc -l)" 500 'events lists every write, a line each'
is "$(printf '%s\n' "$out" | grep -c 'dd.*write')" 500 'each by name'

# A demo that says nothing on the standard output that it shares with top
quiet() { run timeout 30 "$IPCTAP" top "$@" -n 3 -- sh -c 'exec "$0" demo pipeline -d 20 >/dev/null' "$IPCTAP"; }
quiet -b
is "$status" 0 'top -b -n 3 ends after three refreshes'
is "$(printf '%s\n' "$out" | grep -c '^pl-filter\[.*pl-sink')" 3 'each shows who talks to whom'
quiet --json -i 0.3
is "$(printf '%s\n' "$out" | wc -l)" 3 'top --json -n 3 writes three objects, a line each'
printf '%s\n' "$out" | while read -r line; do printf '%s' "$line" | python3 -m json.tool >/dev/null || exit 1; done
ok $? 'each is JSON'
done_testing
