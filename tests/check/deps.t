#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is remade when something changes, and that nothing is when nothing did. Works on a copy of
# the sources, so that no file of the tree is touched, and builds the few objects that show it.
. tests/lib.sh

mkdir "$T/src"
cp -R Makefile bpf collector lib ui "$T/src" || exit 1
b=$T/build
user=lib/stream/order.o # includes lib/abi/event.h
other=lib/base/fail.o   # does not
if [ "${BPF:-1}" = 0 ]; then
	bpf=
	objects="$b/$user $b/$other"
else
	bpf=yes
	objects="$b/$user $b/$other $b/bpf/ipctap.skel.h $b/collector/src_bpf.o"
fi
of_bpf=${bpf:+bpf/ipctap.bpf.o bpf/ipctap.skel.h bpf/ripc.bpf.o bpf/ripc.skel.h bpf/waits.bpf.o bpf/waits.skel.h }
of_c="${bpf:+collector/src_bpf.o }$other $user "
unset MAKEFLAGS MFLAGS MAKELEVEL

# remade VAR=…: makes the objects; $made is what make says it made, sorted
remade() {
	run make -s -C "$T/src" O="$b" V=0 BPF="${BPF:-1}" "$@" $objects
	[ "$status" -eq 0 ] || diag "$err"
	made=$(printf '%s\n' "$out" | sed -n "s|^  [A-Z]* *$b/||p" | sort | tr '\n' ' ')
}

# The clock of files is coarser than a test is quick: make all sources old, and what was built less so
age() {
	find "$T/src" -type f -exec touch -d '2 hours ago' {} +
	find "$b" -type f -exec touch -d '1 hour ago' {} +
}

remade CFLAGS=-O0
is "$status" 0 'a first build succeeds'
is "$made" "$of_bpf$of_c" 'and makes everything'

age
remade CFLAGS=-O0
is "$status $made" '0 ' 'nothing touched: nothing remade'

touch "$T/src/lib/abi/event.h"
remade CFLAGS=-O0
is "$status" 0 'a build after touching lib/abi/event.h succeeds'
is "$made" "$of_bpf${bpf:+collector/src_bpf.o }$user " \
	'it remakes the BPF objects, the skeletons and the users, and nothing else'
age
remade CFLAGS=-O0
is "$status $made" '0 ' '... once'

if [ -n "$bpf" ]; then
	touch "$T/src/bpf/kernel.h"
	remade CFLAGS=-O0
	is "$made" "${of_bpf}collector/src_bpf.o " \
		'touching bpf/kernel.h remakes the BPF objects, the skeletons and the user of one'
	age
	touch "$b/bpf/ipctap.skel.h"
	remade CFLAGS=-O0
	is "$made" 'collector/src_bpf.o ' 'a newer skeleton remakes its user'
	age
else
	skip 'built with BPF=0' 2
fi

remade CFLAGS=-O1
is "$made" "$of_c" 'other CFLAGS remake every C object and no BPF one'
remade CFLAGS=-O1
is "$status $made" '0 ' '... once'
remade CFLAGS=-O1 SAN=undefined
is "$made" "$of_c" 'so does another SAN'
remade CFLAGS=-O1
is "$made" "$of_c" 'and going back'

objects=$b/$other
echo 'struct fail;' >"$T/src/lib/base/extra.h"
sed -i '2i #include "extra.h"' "$T/src/lib/base/fail.c"
remade CFLAGS=-O1
age
rm "$T/src/lib/base/extra.h"
sed -i 2d "$T/src/lib/base/fail.c"
remade CFLAGS=-O1
is "$status $made" "0 $other " 'a header that was removed does not stop the build'

objects="$b/$user $b/$other"
if [ -n "$bpf" ]; then
	BPF=0 remade CFLAGS=-O1 CLANG=/bin/false BPFTOOL=/bin/false
	is "$status $made" "0 $other $user " 'BPF=0 remakes in the same folder, without clang and bpftool'
fi
run make -n -C "$T/src" O="$b" BPF=0 "$b/ipctap"
unlike "$out" 'src_bpf|features_bpf|-lbpf|clang' 'BPF=0 leaves the BPF source out of the program'

run make -s -j2 -C "$T/src" O="$b" BPF=0 CLANG=/bin/false BPFTOOL=/bin/false CFLAGS=-O0
is "$status" 0 'all of BPF=0 builds without clang and bpftool' || diag "$err"
run "$b/ipctap" record --source bpf -o "$T/x.db" -- true
unlike "$status" '^0$' 'what it builds has no probes'
like "$err" '^ipctap: .*BPF' '... and says why'
run "$b/ipctap" record -o "$T/x.db" -- true
is "$status" 0 'it traces a command with the shim'
like "$err" 'with the shim' '... and says so'
done_testing
