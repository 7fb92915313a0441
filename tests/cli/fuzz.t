#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is fuzzed, over the inputs that are kept and some made of them: always the same ones, in seconds.
# `make fuzz` goes on from there.
. tests/lib.sh

for target in "${O:-build}"/tests/fuzz/fuzz_*; do
	name=${target##*/fuzz_}
	case $name in *.*) continue ;; esac
	kept=$(find "tests/fuzz/corpus/$name" -type f | wc -l)
	[ "$kept" -gt 0 ]
	ok $? "$name: inputs are kept"
	run timeout 120 "$target" -m 150 "tests/fuzz/corpus/$name"
	is "$status" 0 'comes back from all of them' || diag "$err"
	like "$out" "^files=$kept inputs=$((kept * 151)) told=" 'and was given each, and 150 made of it'
	like "$out" ' told=[1-9][0-9]{2}' 'which are not refused at the door' ||
		diag 'did lib/abi change? Then: tests/fuzz/seeds'
done
done_testing
