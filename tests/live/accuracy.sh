# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of attribution share: they source it after live.sh.

# measure WORD…: runs truth and sets $figures; false when it could not
measure() {
	record -- "$PROGS/truth" "$@"
	cp "$T/out" "$T/truth"
	[ "$status" = 0 ] && [ "$(sql 'select count(*) from loss')" = 0 ] &&
		figures=$("$PROGS/accuracy" "$DB" "$T/truth")
}
hundredths() { word "$figures" percent | tr -d .; }

one() { # WORD…: every byte is its writer's, and known to be
	measure "$@"
	ok $? "$*: recorded" || diag "$out" "$err"
	is "$(word "$figures" right)" "$(word "$figures" bytes)" "$*: every byte is its writer's"
	is "$(word "$figures" exact) $(word "$figures" only_truth) $(word "$figures" only_ipctap)" \
		"$(word "$figures" bytes) 0 0" "$*: and marked exact, read by read"
}

many() { # LEAST WORD…: at least so many hundredths of a percent
	least=$1 best=0 wrong=0 runs=0
	shift
	while [ $runs -lt 8 ] && [ "$best" -lt "$least" ]; do
		runs=$((runs + 1))
		measure "$@" || continue
		[ "$(hundredths)" -le "$best" ] || best=$(hundredths)
		wrong=$((wrong + $(word "$figures" exact_wrong)))
	done
	[ "$best" -ge "$least" ]
	ok $? "$*: $((best / 100)).$(printf %02d $((best % 100))) % right" || diag "$least wanted; $figures"
	is "$wrong" 0 "$*: none wrong that is marked exact"
}
