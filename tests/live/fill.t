#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# How full channels are, against what the kernel itself says of them (tests/progs/brimful.c): with the
# probes and with the shim, in the report, in the trace. The shim says nothing of packets, which it does not
# know, or of what a POSIX queue has room for: asking would be a call that the probes tell of as the program's.
. tests/live/live.sh

# fills <report.json: NAME INSIDE/ROOM of each channel of brimful, which are told apart by their room
cat >"$T/fills.py" <<'EOF'
import json, sys
kinds = {"fifo": "fifo", "mq": "mq"}
rooms = {"msg": {8192: "msg", 4096: "number"}, "pipe": {16384: "pipe", 262144: "grown", 65536: "packet"}}
for c in json.load(sys.stdin)["channels"]:
    name = kinds.get(c["kind"]) or rooms.get(c["kind"], {}).get(c["room_bytes"])
    if not name:
        continue
    room = c["room_messages"] if name in ("packet", "mq") else c["room_bytes"]
    if not room:
        continue
    print(name, "?" if c["fill"] is None else "%g" % (c["fill"] * room), room)
EOF

for source in bpf shim; do
	record --source $source -- "$PROGS/brimful" "$T"
	is "$status" 0 "$source: recorded"
	sort "$T/out" | if [ $source = bpf ]; then cat; else grep -v 'packet\|mq'; fi >"$T/truth"
	"$IPCTAP" report --json "$DB" 2>"$T/err" | python3 "$T/fills.py" | sort >"$T/fills"
	is "$(grep -c . "$T/out")" 7 "$source: seven channels were filled"
	same_file "$T/fills" "$T/truth" "$source: what is in each, and what it has room for, is what the kernel says"
	is "$(sql "select room_bytes, room_messages from chan where kind in ('msg', 'fifo') order by kind, room_bytes")" \
		"8192|2
4096|
8192|" "$source: the trace has what they have room for, the size that was set last"
	like "$("$IPCTAP" report "$DB" 2>&1)" ' fifo .* 8192 .* 100% ' "$source: the report shows what is full"
done

# A write that is half done, as long as it sleeps: only the kernel knows what it has put in.
record_bg -- "$PROGS/brimful" hold
wait_until 20 test -s "$DB" || diag 'nothing is recorded'
held() { pgrep -P "$recorder" -x brimful >"$T/held"; }
wait_until 20 held
asleep() { [ "$(cut -d' ' -f1 "/proc/$(cat "$T/held")/syscall")" = 1 ]; }
wait_until 20 asleep
ok $? 'a program sleeps in a write to a pipe that nobody reads'
mkfifo "$T/top"
"$IPCTAP" top --json -p "$(cat "$T/held")" -i 0.2 >"$T/top" 2>/dev/null </dev/null &
top=$!
live_pids="$live_pids $top"
timeout 30 grep -m 1 '"unread_bytes":null,"fill":1\.0,' "$T/top" >"$T/line"
ok $? 'top -p, which comes late, says that the pipe is full'
kill -TERM "$top"
wait "$top" 2>/dev/null
told() { "$IPCTAP" events -v --json "$DB" >"$T/events" 2>/dev/null; grep -q '"bytes_inside": *65536' "$T/events"; }
kill -INT "$recorder"
wait "$recorder" 2>/dev/null
told
ok $? 'the recording has what the kernel had in it'
is "$("$IPCTAP" report --json "$DB" 2>/dev/null | python3 -c '
import json, sys
print([(c["unread_bytes"], c["fill"]) for c in json.load(sys.stdin)["channels"] if c["kind"] == "pipe" and c["fill"]])')" \
	'[(0, 1.0)]' 'and the report shows it full, though no write has been told of'
done_testing
