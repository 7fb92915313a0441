#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --help, the man pages and the program say the same: every verb has a page, the synopsis is the
# usage, and the options in the one are the options in the other.
. tests/lib.sh

man=ui/man

# options_of_help: the options that lines of --help begin with, sorted, one a line
options_of_help() {
	sed -n 's/^ *\(-[-a-zA-Z, ]*\).*/\1/p' | grep -oE -- '(^|[ ,])--?[a-zA-Z][a-z-]*' | tr -d ' ,' | sort -u
}
# options_of_man FILE: those that begin a paragraph of its OPTIONS
options_of_man() {
	sed -n '/^# OPTIONS/,/^# [^O]/p' "$1" | grep '^\*-' | grep -oE -- '\*--?[a-zA-Z][a-z-]*\*' | tr -d '*' | sort -u
}
synopsis_of_man() {
	sed -n '/^# SYNOPSIS/,/^# DESCRIPTION/p' "$1" | grep '^\*' | sed 's/++$//; s/[*_]//g'
}

run "$IPCTAP" --help
is "$status:$err" 0: '--help exits 0, and says it on stdout'
verbs=$(printf '%s\n' "$out" | sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p')
is "$(echo $verbs)" 'record report events top replay export why deadlock doctor demo' 'it lists the verbs'
is "$("$IPCTAP" help)" "$out" 'help is the same'
for words in --help --version 'record --help' 'demo --help' demo; do
	sh -c '"$@" >/dev/full' sh "$IPCTAP" $words 2>"$T/err"
	is "$?:$(head -n 1 "$T/err")" '3:ipctap: cannot write to standard output: No space left on device' \
		"$words: a full disk below stdout is told"
done
run "$IPCTAP" --version
like "$out" '^ipctap [0-9]+\.[0-9]+' '--version'

for verb in $verbs; do
	page=$man/ipctap-$verb.1.scd
	run "$IPCTAP" "$verb" --help
	is "$status:$err" 0: "$verb --help exits 0, and says it on stdout"
	help=$out
	is "$("$IPCTAP" help "$verb")" "$help" "help $verb is the same"
	[ -e "$page" ]
	ok $? "$verb has a man page"
	is "$(printf '%s\n' "$help" | options_of_help | grep -vx -e -h -e --help)" \
		"$(options_of_man "$page" | grep -vx -e -h -e --help)" \
		"$verb: the options of --help and of the man page are the same"
	is "$(printf '%s\n' "$help" | sed -n 's/^\([Uu]sage:\)* *\(ipctap [a-z]* .*\)$/\2/p')" \
		"$(synopsis_of_man "$page")" "$verb: so is the synopsis"
	is "$(printf '%s\n' "$help" | sed -n 's/^ \{2,6\}-//p' | grep -v '  ' | grep -vE '^(., -)?-?[a-z-]+( [^ ]+)?$')" '' \
		"$verb: what an option does stands apart from it"
	like "$(cat $man/ipctap.1.scd)" "^\*ipctap-$verb\*\(1\)$" "ipctap(1) names $verb"
done

is "$("$IPCTAP" demo | sed -n 's/^\([a-z0-9-]*\)  .*/\1/p')" \
	"$("$IPCTAP" demo --json | grep -o '"name": *"[^"]*"' | cut -d'"' -f4)" 'demo: each name stands apart from what it does'

if command -v scdoc >/dev/null; then
	for page in "$man"/*.scd; do
		scdoc <"$page" >"$T/page" 2>"$T/err"
		ok $? "$page: scdoc takes it" || diag "$(cat "$T/err")"
	done
else
	skip 'scdoc is not installed'
fi

# every key that --json prints is explained in the man page
DB=$T/small.db
cp tests/golden/small.db "$DB"
keys() { grep -oE '"[a-z0-9_]+" ?:' | tr -d '": ' | sort -u; }
documented() { # PAGE <keys
	while read -r key; do
		grep -qE "\*$key\*" "$1" || echo "$key"
	done
}
for verb in report 'events -v'; do
	# shellcheck disable=SC2086 # the verb and its option are two words
	"$IPCTAP" $verb --json "$DB" 2>/dev/null | keys >"$T/keys"
	[ "$(wc -l <"$T/keys")" -gt 20 ]
	ok $? "$verb --json has keys"
	is "$(documented "$man/ipctap-${verb%% *}.1.scd" <"$T/keys")" '' \
		"$verb --json: each is in the man page"
done
# Words are told by the tables they come from
mentioned() { # PAGE <words
	while read -r word; do
		grep -qE "(^|[^a-z0-9_-])$word([^a-z0-9_-]|\$)" "$1" || echo "$word"
	done
}
words() { # MACRO FILE: the third field of its rows
	sed -n "s/^[[:space:]]*$1([0-9]*, [A-Z0-9_]*, \"\([^\"]*\)\".*/\1/p" "$2"
}
words L lib/abi/tables.h >"$T/losses"
words K lib/abi/tables.h >"$T/kinds"
grep -o '{ IO_[A-Z_]*, "[a-z_-]*"' ui/cli/printer.c | cut -d'"' -f2 >"$T/flags"
for table in losses:13 kinds:19 flags:19; do
	[ "$(wc -l <"$T/${table%:*}")" -ge "${table#*:}" ]
	ok $? "there are ${table%:*}"
done
is "$(mentioned $man/ipctap-trace.5.scd <"$T/losses")" '' 'each cause of loss is in the man page of the trace'
is "$(mentioned $man/ipctap-trace.5.scd <"$T/kinds")" '' '... and each kind of channel'
is "$(mentioned $man/ipctap.1.scd <"$T/kinds")" '' '... which is also in that of the filter'
is "$(mentioned $man/ipctap-events.1.scd <"$T/flags")" '' 'each flag is in the man page of events'
"$IPCTAP" doctor --json 2>/dev/null | keys >"$T/keys"
is "$(documented $man/ipctap-doctor.1.scd <"$T/keys")" '' 'doctor --json: each key is in the man page'
"$IPCTAP" replay --at end --json "$DB" 2>/dev/null | keys | grep -vxE 'ring_op|compat32' >"$T/keys"
is "$(documented $man/ipctap-top.1.scd <"$T/keys")" '' 'replay --json: each key is in the man page of top'
if "$IPCTAP" doctor >/dev/null 2>&1; then
	"$IPCTAP" top --json -n 2 -i 0.2 -- "$IPCTAP" demo pipeline -d 1 2>/dev/null | keys |
		grep -vxE 'ring_op|ring_ctl|no_storage|compat32|bad_record|torn' >"$T/keys"
	is "$(documented $man/ipctap-top.1.scd <"$T/keys")" '' 'top --json: each key is in the man page'
else
	skip 'this host cannot be traced: see ipctap doctor'
fi
done_testing
