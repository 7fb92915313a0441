#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What lies where: the top level, licence lines, the help text.
. tests/lib.sh

# O may be a folder of the tree
build=$(basename "${O:-build}")
for f in *; do
	case $f in
	bpf | collector | ui | lib | tests | Makefile | README.md | LICENSE | "$build" | build) ;;
	*) echo "$f" ;;
	esac
done >"$T/strangers"
is "$(cat "$T/strangers")" '' 'nothing else at the top level'

for f in bpf collector ui lib tests Makefile README.md LICENSE; do
	[ -e "$f" ] || echo "$f"
done >"$T/missing"
is "$(cat "$T/missing")" '' 'and nothing is missing there'

# The first two lines, since scripts begin with #!
find bpf collector lib ui tests -type f \( -name '*.[ch]' -o -name '*.sh' -o -name '*.t' \) |
	while read -r f; do
		case $f in
		collector/shim/* | lib/ripc/*) want=LGPL-2.1-or-later ;;
		bpf/*.bpf.c) want='GPL-2.0' ;; # the kernel's own wording counts there, any suffix
		*) want=GPL-2.0-or-later ;;
		esac
		head -n 2 "$f" | grep -q "SPDX-License-Identifier: $want" || echo "$f: not $want"
	done >"$T/unlicensed"
is "$(cat "$T/unlicensed")" '' 'every source file says its licence first'

like "$(cat LICENSE)" 'GNU GENERAL PUBLIC LICENSE' 'LICENSE holds the GPL'
like "$(cat LICENSE)" 'GNU LESSER GENERAL PUBLIC LICENSE' 'LICENSE holds the LGPL'

# What README.md points at is there
grep -oE '\b(bpf|collector|lib|ui|tests)/[A-Za-z0-9_./-]*[A-Za-z0-9_/]' README.md | sort -u |
	while read -r f; do
		[ -e "$f" ] || echo "$f"
	done >"$T/nowhere"
is "$(cat "$T/nowhere")" '' 'every path in README.md exists'
"$IPCTAP" --help | sed -n 's/^  \([a-z]\{1,\}\) .*/\1/p' >"$T/verbs"
sed -n 's/^    ipctap \([a-z]\{1,\}\) .*/\1/p' README.md >"$T/readme_verbs"
same_file "$T/readme_verbs" "$T/verbs" 'README.md lists the verbs there are, in their order'
while read -r v; do
	[ -e "ui/man/ipctap-$v.1.scd" ] || echo "$v"
done <"$T/verbs" >"$T/unmanned"
is "$(cat "$T/unmanned")" '' 'every verb has a manual page'

run make -s help
is "$status" 0 'make help works'
# Every target of .PHONY that is meant for people, and every knob
for w in run test test-long kernels KERNEL deps unit cli screens live check check-layers check-headers asan ubsan bench man \
	install uninstall clean help V O SAN DEBUG BPF CC CLANG BPFTOOL ARGS PREFIX DESTDIR TIERS; do
	printf '%s\n' "$out" | grep -Eq "(^|[ ,(])$w([=, )]|\$)" || echo "$w"
done >"$T/unsaid"
is "$(cat "$T/unsaid")" '' 'make help names every target and knob'
done_testing
