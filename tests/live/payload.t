#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# -s: the first bytes of what was moved are in the trace, as many as were asked for (up to a multiple of 8) and as
# many as there can be; with either source. Without it there are none.
. tests/live/live.sh

cat >"$T/moves.py" <<'EOF2'
import os
r, w = os.pipe()
os.write(w, bytes(range(32, 127)) * 20)
os.read(r, 4096)
EOF2
text=$(python3 -c 'print((bytes(range(32, 127)) * 20).decode(), end="")')
moved() { # the payloads of the write and of the read, as text
	sql "SELECT op.name, CAST(data AS TEXT) FROM payload JOIN event ON event.id = payload.event JOIN op ON op.id = event.op
	     WHERE event.bytes = 1900 ORDER BY event.id"
}

for source in bpf shim; do
	for n in 8 20 256; do
		record --source $source -s $n -- python3 "$T/moves.py"
		is "$status" 0 "$source -s $n: recorded"
		first=$(printf '%s' "$text" | cut -c 1-$(((n + 7) / 8 * 8)))
		is "$(moved)" "write|$first
read|$first" "$source -s $n: what was written and read begins like that"
	done
	record --source $source -- python3 "$T/moves.py"
	is "$(sql 'SELECT count(*) FROM payload')" 0 "$source: none without -s"
done
done_testing
