#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The corpus of waits: every case of `ipctap demo` gets the verdict and the core that stand beside it,
# several times over, all cases at once on a machine that is also busy talking; and what talks is never
# found. IPCTAP_ROUNDS, IPCTAP_SNAPSHOTS: how often.
. tests/live/live.sh

# ---- live traffic: pairs on every mechanism, for as long as this test runs ----
pair() { # MECHANISM: restarted when it has done its rounds; without the alarm, which would save it
	PINGPONG_NO_ALARM=1 perl -e '$SIG{TERM} = "DEFAULT"; my ($prog, $mech) = @ARGV;
		setpgrp; for (1 .. 100000) { exit 1 if system($prog, $mech, 20000) }' "$PROGS/pingpong" "$1" >/dev/null &
	live_pids="$live_pids $!"
	pairs="$pairs $!"
}
pairs=
end_pairs() {
	for p in $pairs; do kill -TERM "-$p" 2>/dev/null; done
}
at_end() { end_pairs; }
mechs='pipe unix dgram seqpacket tcp udp msg sem mq semt futex mutex eventfd epoll poll pipe unix tcp msg mutex'
for mech in $mechs; do pair "$mech"; done

run "$PROGS/snapload" "${IPCTAP_SNAPSHOTS:-200}" $pairs
is "$status" 0 '20 pairs that talk: nothing is found in any snapshot'
like "$out" "^snapshots=${IPCTAP_SNAPSHOTS:-200} findings=0 slept=[1-9]" 'and threads that slept through two were among them'
[ "$status" = 0 ] || diag "$out"

# ---- the cases ----
python3 tests/live/deadlock_corpus "$IPCTAP" "${IPCTAP_ROUNDS:-5}" >"$T/cases" 2>"$T/cases.err"
is "$?:$(cat "$T/cases.err")" 0: 'the corpus ran'
ok_lines "$T/cases"
ok "$([ "$(grep -c . "$T/cases")" -ge 50 ]; echo $?)" 'all of it'
done_testing
