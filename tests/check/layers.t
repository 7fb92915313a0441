#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The tree passes the layer check, and the check sees each kind of wrong include.
. tests/lib.sh

run tests/check/layers .
is "$status" 0 'includes of this tree look one way' || diag "$out"

# wrong FILE INCLUDE: a tree of that one file must be refused, by file and line
wrong() {
	rm -rf "$T/tree"
	mkdir -p "$T/tree/$(dirname "$1")"
	printf '// a comment\n#include %s\n' "$2" >"$T/tree/$1"
	run tests/check/layers "$T/tree"
	is "$status" 1 "$1 may not include $2"
	like "$out" "^$1:2: " "... and the line is named"
}
# right FILE INCLUDE: one that only a too strict check would refuse
right() {
	rm -rf "$T/tree"
	mkdir -p "$T/tree/$(dirname "$1")"
	printf '#include %s\n' "$2" >"$T/tree/$1"
	run tests/check/layers "$T/tree"
	is "$status" 0 "$1 may include $2" || diag "$out"
}

wrong lib/base/x.h '"lib/abi/event.h"'
wrong lib/base/x.c '<uthash.h>'
wrong lib/abi/x.h '"lib/base/fail.h"'
wrong lib/stream/x.h '"lib/model/model.h"'
wrong lib/model/x.c '"lib/stream/stream.h"'
wrong lib/model/x.h '<sqlite3.h>'
wrong lib/model/x.c '"../store/store.h"'
wrong lib/analysis/x.c '"lib/store/store.h"'
wrong lib/store/x.c '"collector/feed.h"'
wrong lib/store/x.c '"ui/tui/tui.h"'
wrong collector/feed.c '"ui/tui/tui.h"'
wrong collector/feed.c '<sqlite3.h>'
wrong collector/feed.c '<bpf/libbpf.h>'
wrong collector/feed.c '"bpf/ipctap.skel.h"'
wrong collector/shim/x.c '"lib/base/fail.h"'
wrong bpf/x.bpf.c '"lib/base/hist.h"'
wrong bpf/x.bpf.c '<stdlib.h>'
wrong bpf/x.bpf.c '<bpf/libbpf.h>'
wrong ui/tui/view.c '<curses.h>'
wrong ui/tui/view.c '<ncursesw/ncurses.h>'
wrong ui/cli/x.c '<sqlite3.h>'
wrong ui/cli/x.c '<bpf/bpf.h>'

right lib/model/x.c '<uthash.h>'
right lib/store/x.c '<sqlite3.h>'
right ui/tui/curses.c '<curses.h>'
right collector/src_bpf_attach.c '<bpf/libbpf.h>'
right collector/features_bpf.c '"bpf/ipctap.skel.h"'
right bpf/x.bpf.c '<bpf/bpf_helpers.h>'

mkdir -p "$T/other/lib/other"
echo '#include <stdio.h>' >"$T/other/lib/other/x.c"
run tests/check/layers "$T/other"
like "$status $out" '^1 lib/other/x.c:1: is in no layer' 'a folder that is in no layer is refused'

mkdir "$T/empty"
run tests/check/layers "$T/empty"
is "$status" 1 'a tree without includes is not taken for a good one'
done_testing
