#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every header compiles alone, and the check sees one that does not.
. tests/lib.sh

run make --no-print-directory check-headers BPF="${BPF:-1}"
is "$status" 0 'every header of this tree compiles alone' || diag "$err"

mkdir -p "$T/tree/lib/model" "$T/tree/bpf"
echo 'int model_size(struct model *m, size_t n);' >"$T/tree/lib/model/bad.h"
CLANG='' run tests/check/headers "$T/tree"
is "$status" 1 'a header that needs another first is refused'
like "$err" '^headers: lib/model/bad.h does not' '... and named'

printf '#include <stddef.h>\nstruct model;\nint model_size(struct model *m, size_t n);\n' \
	>"$T/tree/lib/model/bad.h"
CLANG='' run tests/check/headers "$T/tree"
is "$status" 0 'the same with what it needs is accepted' || diag "$err"

if [ "${BPF:-1}" = 0 ]; then
	skip 'built with BPF=0: no clang' 2
else
	echo 'static inline unsigned f(struct pt_regs *r) { return r->di; }' >"$T/tree/bpf/bad.h"
	BPF_CFLAGS='-target bpf' run tests/check/headers "$T/tree"
	is "$status" 1 'so is a header of the BPF side'
	like "$err" '^headers: bpf/bad.h does not' '... and named'
fi
done_testing
