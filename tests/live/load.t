#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# doctor --load: what it says it measured adds up, the least ring is one of those, and nothing stays behind.
. tests/live/live.sh

mkdir "$T/tmp"
export TMPDIR="$T/tmp"
run "$IPCTAP" doctor --load 0.3 --json
is "$status" 0 'it measures'
printf '%s\n' "$out" >"$T/doc.json"
facts=$(python3 - "$T/doc.json" <<'END'
import json, sys
load = json.load(open(sys.argv[1]))["load"]
runs = load["runs"]
whole = [r["ring_bytes"] for r in runs if r["lost"] == 0]
print("runs=%d busy=%d sum=%d least=%d time=%d order=%d" % (
    len(runs) > 0,
    all(r["calls"] > 1000 for r in runs),
    all(r["calls"] == r["recorded"] + r["lost"] for r in runs),
    load["least_ring_bytes"] == (min(whole) if whole else None),
    all(0.3e9 <= r["dur_ns"] < 30e9 for r in runs),
    runs[0]["ring_bytes"] == 16 << 20 and
        all(b["ring_bytes"] in (a["ring_bytes"] // 2, a["ring_bytes"] * 2) for a, b in zip(runs, runs[1:]))))
END
)
is "$(word "$facts" runs)$(word "$facts" busy)" 11 'the programs were busy'
is "$(word "$facts" sum)" 1 'what they called is what was recorded and what was lost' || diag "$out"
is "$(word "$facts" least)" 1 'the least ring is the smallest that lost nothing' || diag "$out"
is "$(word "$facts" time)$(word "$facts" order)" 11 'each run as long as asked for, each ring half or twice the one before' || diag "$out"
is "$(ls "$T/tmp")" '' 'no trace stays behind'

run "$IPCTAP" doctor --load 0.1
like "$out" 'ring 16.0M .* calls in .* recorded, [0-9]+ lost' 'as text, a line for each ring'
like "$out" 'Least ring that lost nothing: --ring [0-9]+k|No ring holds' '… and what follows from it'

TMPDIR="$T/not there" run "$IPCTAP" doctor --load 0.1
is "$status" 3 'without a folder to write in it says so'
like "$err" 'set TMPDIR' '… with the remedy'
done_testing
