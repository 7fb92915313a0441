#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What bash offers behind a half-typed command line.
. tests/lib.sh

command -v bash >/dev/null || skip_all 'bash is not installed'

# completes WORD…: what the last one could become, sorted, in one line
completes() {
	bash --norc -c '
		compopt() { :; } # of no use outside a completion
		. ui/completion/ipctap.bash
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
		_ipctap
		printf "%s\n" "${COMPREPLY[@]}"' bash "$IPCTAP" "$@" 2>&1 | sort -u | tr '\n' ' '
}

is "$(completes re)" 'record replay report ' 'verbs'
verbs=$("$IPCTAP" --help | sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p')
is "$(completes '' | tr ' ' '\n' | grep -cx "$(printf '%s\n' $verbs | sed 's/$/\\|/' | tr -d '\n')x")" \
	"$(echo $verbs | wc -w | tr -d ' ')" 'all of them'
for verb in $verbs; do
	for option in $("$IPCTAP" "$verb" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
		case " $(completes "$verb" "$option")" in
		*" $option "*) ;;
		*) echo "$verb $option" ;;
		esac
	done
done >"$T/missed"
is "$(cat "$T/missed")" '' 'every option of every verb'
is "$(completes export -f p)" 'perfetto ' 'formats'
is "$(completes export --format '')" 'csv dot html json perfetto ' 'all of them'
is "$(completes events -e k)" 'kind= ' 'filter words'
is "$(completes demo pipe)" 'pipeline ' 'demos'
is "$(completes record -d '')" ' ' 'nothing where nothing can be known'
like " $(completes why '')" " $$ " 'processes'
like " $(completes record -p '')" " $$ " 'there too'

: >"$T/some.db"
: >"$T/some.txt"
is "$(completes replay "$T/so")" "$T/some.db " 'traces, and no other files'
is "$(completes events --filter blocked "$T/so")" "$T/some.db " 'behind options, too'
is "$(completes record -o "$T/so")" "$T/some.db $T/some.txt " 'any file where any is'
like " $(completes record -- s)" ' sh ' 'behind --: commands'
is "$(completes record -- sh "$T/some.t")" "$T/some.txt " 'and their files'
done_testing
