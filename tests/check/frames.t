#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The stack of every probe fits the verifier of the oldest kernel, and the check sees each way not to.
. tests/lib.sh

[ "${BPF:-1}" != 0 ] || skip_all 'built without BPF'

run make --no-print-directory check-frames O="$O"
is "$status" 0 'the frames of every probe fit' || diag "$out" "$err"

ours=$O/tests/check/frames.bpf.o
run tests/check/frames "$ours"
is "$status" 1 'programs that need more are refused'
# whose FILE: whose PROGRAM, what
is "$(printf '%s\n' "$out" | sed "s|^$ours: ||")" \
	'576 bytes of stack, of 512: by_steps 72 -> step2 72 -> step3 72 -> step4 72 -> step5 72 -> step6 72
544 bytes of stack, of 512: in_callback 256 -> called_back 264
9 frames, of 8: many_frames 0 -> two 8 -> three 8 -> four 8 -> five 8 -> six 8 -> seven 8 -> eight 8 -> nine 8
544 bytes of stack, of 512: too_deep 256 -> half_word 256 -> word 8
frames: 4 wrong, of 5 programs' 'each with its chain and what is in it; not the one that just fits'

run tests/check/frames -l "$ours"
is "$(printf '%s\n' "$out" | grep -e fits -e callback)" 'fits 256+256
in_callback 280+264' 'what the verifier would print, with what a bpf_loop saves'

run tests/check/frames
is "$status $out" '1 frames: nothing to look at' 'no program at all is not taken for good ones'
run tests/check/frames "$IPCTAP"
is "$status" 255 'nor is a file of another kind'
like "$err" "^frames: $IPCTAP: " '… which is named'
done_testing
