#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What `make install` puts where, and that `make uninstall` takes all of it away again.
. tests/lib.sh

# With the options of the make that runs the suite, so that nothing is built anew
make_it() { run make -s O="${O:-build}" BPF="${BPF:-1}" SAN="${SAN:-}" DESTDIR="$T/root" PREFIX=/opt/x "$@"; }

make_it install
is "$status" 0 'make install succeeds' || diag "$err"
(cd "$T/root" && find . -type f | sort) >"$T/installed"
like "$(cat "$T/installed")" '^\./opt/x/bin/ipctap$' 'the program'
like "$(cat "$T/installed")" '^\./opt/x/share/doc/ipctap/README\.md$' 'the README'
like "$(cat "$T/installed")" '^\./opt/x/share/doc/ipctap/LICENSE$' 'the licence'
like "$(cat "$T/installed")" '^\./opt/x/share/bash-completion/completions/ipctap$' 'completion for bash'
for scd in ui/man/*.scd; do
	page=$(basename "$scd" .scd)
	echo "./opt/x/share/man/man${page##*.}/$page"
done | sort >"$T/pages"
grep '/man/man[0-9]/' "$T/installed" >"$T/got"
same_file "$T/got" "$T/pages" 'every manual page, in its section'
is "$(grep -vc '^\./opt/x/' "$T/installed")" 0 'and nothing outside PREFIX'

run "$T/root/opt/x/bin/ipctap" --help
is "$status" 0 'the installed program runs'

make_it uninstall
is "$status" 0 'make uninstall succeeds' || diag "$err"
is "$(cd "$T/root" && find . -type f)" '' 'and leaves no file'
done_testing
