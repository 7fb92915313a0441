#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A hundred thousand kills of libripc's users: the crash suites of the ripc tier, ten times as long.
. tests/lib.sh

RIPC_KILLS=5000
export RIPC_KILLS
for program in "$O"/tests/ripc/test_crash*; do
	case $program in *.[do]) continue ;; esac
	run "$program"
	grep '^# ' "$T/err" | sed "s/^/# ${program##*/} /;s/# #/#/" >&2
	is "$status" 0 "${program##*/}: $(grep -c '^ok .* kills$' "$T/out") stories of $RIPC_KILLS kills"
	unlike "$out" '^not ok' "${program##*/}: each is sound"
done
done_testing
