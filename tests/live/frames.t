#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What tests/check/frames computes is what the kernel's verifier computes: of programs of known frames
# it refuses those that the check refuses; of the probes it finds the frames that the check finds, or less
# where a part of one is dead on this kernel.
. tests/live/live.sh

ours=$O/tests/check/frames.bpf.o
run "$PROGS/verifier" "$ours"
is "$status" 0 'the kernel is asked'
says() { printf '%s\n' "$out" | sed -n "s/^$1 //p"; }
is "$(says fits)" '256+256' 'what just fits is loaded'
like "$(says too_deep)" '^refused combined stack size of 3 calls is 5[0-9]*\. Too large' 'one word more is not'
like "$(says in_callback)" '^refused combined stack size of 2 calls is 5[0-9]*\. Too large' 'nor in a callback'
like "$(says many_frames)" '^refused the call stack of [89] frames is too deep' 'nor are nine frames'
# Counted in steps of 32 bytes it is too deep, in steps of 16 it is not: to each kernel its own.
like "$(says by_steps)" '^(72\+72\+72\+72\+72\+72|refused combined stack size of 6 calls is 576\. Too large)$' \
	'small frames count in steps'
case $(uname -r) in
6.1.*) like "$(says by_steps)" '^refused ' '… of 32 bytes on Linux 6.1' ;;
esac

# Functions that are dead here may be taken out, so where their number differs only the program's own
# frame is compared. It prints whose frames are more than the check says, and how many are just that.
compare='
	my ($check, $kernel) = map {
		open my $in, "<", $_ or die "$_: $!";
		+{ map { /^(\S+) ([\d+]+)$/ } <$in> };
	} @ARGV;
	my ($frames, $equal) = (0, 0);
	for my $program (sort keys %$kernel) {
		my @most = split /\+/, $check->{$program};
		my @is = map { 8 * int(($_ + 7) / 8) } split /\+/, $kernel->{$program};
		($#most, $#is) = (0, 0) if @most != @is;
		$frames += @is;
		for (0 .. $#is) {
			$equal++ if $is[$_] == $most[$_];
			print "$program, $_: $is[$_], not $most[$_]\n" if $is[$_] > $most[$_];
		}
	}
	print "programs=", scalar keys %$kernel, " frames=$frames equal=$equal\n";
'
"$PROGS/verifier" "$O"/bpf/*.bpf.o >"$T/kernel"
is $? 0 'it is asked about the probes'
tests/check/frames -l "$O"/bpf/*.bpf.o >"$T/check"
is $? 0 'and so is the check'
perl -we "$compare" "$T/check" "$T/kernel" >"$T/differ"
totals=$(tail -n 1 "$T/differ")
is "$(sed '$d' "$T/differ")" '' 'no frame is more than the check says'
is "$(grep -Ec '^on_sys_(enter|exit) [0-9+]+$' "$T/kernel")" 2 'the largest two are among them'
[ "$(word "$totals" programs)" -ge 25 ] && [ "$(word "$totals" frames)" -ge 90 ]
ok $? 'most of them load here by themselves' || diag "$totals" "$(cat "$T/kernel")"
[ $(($(word "$totals" equal) * 10)) -ge $(($(word "$totals" frames) * 9)) ]
ok $? 'and nine of ten are just that' || diag "$totals"
done_testing
