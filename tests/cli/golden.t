#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What report and events print over a small recorded trace, to the letter; tests/progs/mktrace.c
# says what is in it. To renew after an intended change: tests/cli/golden.t --renew, then read the diff.
. tests/lib.sh

# Reading must never write: the trace in the tree may not be ours to change.
DB=$T/small.db
cp tests/golden/small.db "$DB"

# golden NAME ARG…: the verb's standard output is tests/golden/NAME
golden() {
	name=$1
	shift
	run "$IPCTAP" "$@"
	# the path of the trace is the one thing that differs from run to run
	sed "s|$T/||" "$T/out" >"$T/got"
	if [ "${renew:-}" ]; then
		cp "$T/got" "tests/golden/$name"
	fi
	is "$status" 0 "$*: exits 0"
	same_file "$T/got" "tests/golden/$name" "$name is what it was"
}
[ "${1:-}" != --renew ] || renew=1

golden report.txt report "$DB"
like "$err" '^ipctap: lost 7 operations: .*\[ring-op\]$' 'losses are said on stderr'
like "$err" '^ipctap: lost 2 .*\[compat32\] \(i386 call 3: 2\)$' 'each cause for itself'
like "$err" '^  raise --ring' 'with the remedy'
golden report.json report --json "$DB"
golden report-filter.txt report "$DB" -e 'kind=pipe op=write'
golden events.txt events "$DB"
like "$err" '^09:12:10\.[0-9]* --- lost 7 |^09:12:09\.[0-9]* --- lost 7 ' 'a loss is shown where it happened'
like "$err" 'lost 7' 'and at the end'
like "$err" '^ipctap: 1 operation had not finished' 'so is what had not finished'
golden events-verbose.txt events -v --monotonic "$DB"
golden events.json events --json -v "$DB"

run "$IPCTAP" events "$DB" -e 'kind=pipe op=write'
is "$(grep -c . "$T/out")" 3 'events -e prints the operations that match, a line each'
is "$(grep -c 'dd\[1001\] write(pipe:\[77001\]' "$T/out")" 3 'and nothing else on stdout'
run "$IPCTAP" events "$DB" -n 2 -e kind=unix
is "$(grep -c . "$T/out")" 2 'events -n stops after so many that match'
run "$IPCTAP" events "$DB" -d 0.0004
is "$(grep -c . "$T/out")" 6 'events -d shows the first seconds of a trace'
run "$IPCTAP" events "$DB" -e pid=424242
is "$status:$out" 0: 'a filter that nothing matches prints nothing'

# the names in the trace try to reach the terminal; no control byte may
for verb in report events 'report --json' 'events --json' 'events -v'; do
	# shellcheck disable=SC2086 # the verb and its option are two words
	run "$IPCTAP" $verb "$DB"
	is "$(LC_ALL=C tr -d '\n\040-\176' <"$T/out" | wc -c | tr -d ' ')" 0 \
		"$verb: nothing but printable ASCII comes out of this trace"
done

# on a terminal a table fits into it, in a pipe nothing is cut
if command -v script >/dev/null; then
	script -qec "stty cols 80; $IPCTAP report $DB" /dev/null </dev/null >"$T/tty" 2>/dev/null
	is "$(tr -d '\r' <"$T/tty" | awk '/^Who talked/ { on = 1 } /^Lost/ { on = 0 } on && length > 80' |
		grep -c .)" 0 'on a terminal of 80 columns no line of a table is longer'
	like "$(cat "$T/tty")" 'dd\[1001\] +wc\[1002\]' 'and the names that fit are whole'
else
	skip 'script(1) is not installed' 2
fi

sh -c '"$1" events "$2"; echo "$?" >"$3"' sh "$IPCTAP" "$DB" "$T/status" 2>"$T/err" | head -n 1 >"$T/out"
is "$(cat "$T/status")" 0 'a reader that goes away is no error'
unlike "$(cat "$T/err")" 'cannot write|Broken pipe' 'and not worth a word'
sh -c '"$1" report --json "$2" >/dev/full' sh "$IPCTAP" "$DB" 2>"$T/err"
is "$?" 3 'a full disk below stdout: exit 3'
like "$(cat "$T/err")" 'cannot write to standard output: No space left' 'and says so'

run "$IPCTAP" report -o "$T/report" "$DB"
is "$out" '' 'report -o leaves stdout alone'
like "$(cat "$T/report")" 'dd\[1001\] +wc\[1002\] +pipe +3 +3000' 'with the report in it'

# the writer of today makes of the same events what the writer of the committed trace made
mktrace=${PROGS:-$(dirname "$IPCTAP")/tests/progs}/mktrace
if [ -x "$mktrace" ]; then
	"$mktrace" "$T/fresh.db"
	is $? 0 'mktrace writes a trace'
	"$IPCTAP" events -v --monotonic "$T/fresh.db" >"$T/got" 2>/dev/null
	same_file "$T/got" tests/golden/events-verbose.txt 'a trace written now tells the same'
else
	skip "$mktrace is not built" 2
fi
done_testing
