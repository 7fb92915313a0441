#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Whatever is typed or read that makes no sense: one line that says what and why, a second with the
# remedy, a status that is not 0, nothing on stdout, and nobody harmed.
. tests/lib.sh

DB=$T/small.db
cp tests/golden/small.db "$DB"

# refuses STATUS REGEX NAME ARG…: exits STATUS, and the first line of stderr is like REGEX
refuses() {
	wanted=$1 regex=$2 name=$3
	shift 3
	run timeout 60 "$IPCTAP" "$@"
	is "$status" "$wanted" "$name: exit $wanted"
	like "$(printf '%s\n' "$err" | head -n 1)" "$regex" "$name: says what"
	is "$out" '' "$name: nothing on stdout"
	[ "$(printf '%s\n' "$err" | wc -l)" -le 2 ]
	ok $? "$name: in a line, and one for the remedy"
}
remedy() { like "$err" "^  .*$1" "$2"; }

# ---- what is typed ----
refuses 2 '^ipctap: recrod: no such verb$' 'unknown verb' recrod
remedy 'did you mean record\?' 'the nearest verb is offered'
refuses 2 '^ipctap: zzzzzzzz: no such verb$' 'a verb like no other' zzzzzzzz
unlike "$err" 'did you mean' 'nothing is offered for that'
refuses 2 '^ipctap: no verb' 'no verb'
refuses 2 '^ipctap: --cgruop: record has no such option$' 'unknown option' record --cgruop x -a
remedy 'did you mean --cgroup\?' 'the nearest option is offered'
refuses 2 '^ipctap: -Z: events has no such option$' 'unknown short option' events -Z "$DB"
refuses 2 '^ipctap: -d: its argument is missing$' 'option without its argument' record -a -d
refuses 2 '^ipctap: --json: takes no argument$' 'option with an argument too many' report --json=1 "$DB"
refuses 2 '^ipctap: record: nothing to trace$' 'no scope' record
remedy '\-p PID' 'which scopes there are'
refuses 2 '^ipctap: report: nothing to read and nothing to trace$' 'neither trace nor scope' report
refuses 2 '^ipctap: record: more than one scope' 'two scopes' record -a -p 1
refuses 2 '^ipctap: record: more than one scope' 'a scope and a command' record --comm x -- true
refuses 2 '^ipctap: .*not both$' 'a trace and a scope' events "$DB" -a
refuses 2 '^ipctap: .*one file too many$' 'two traces' events "$DB" "$DB"
refuses 2 '^ipctap: true: record takes no such argument$' 'a command without --' record true
remedy 'behind --' 'where the command goes'
refuses 2 '^ipctap: --: nothing follows it$' 'nothing behind --' record --
for bad in abc '' 0 -1 1x inf nan 0x10 1e3 1..2; do
	refuses 2 "^ipctap: -d: '.*' is not a number of seconds$" "-d '$bad'" record -a -d "$bad"
done
remedy '0\.25' 'how seconds are written'
for bad in abc 0 -1 1.5 '' 99999999999999999999999; do
	refuses 2 "^ipctap: -n: " "-n '$bad'" events "$DB" -n "$bad"
done
for bad in 0 -1 abc 12,,13 12, 4294967297 ''; do
	refuses 2 "^ipctap: -p: '.*' is not a list of process ids$" "-p '$bad'" record -p "$bad"
done
for bad in abc 1 3g 99999g 12q 12mb ''; do
	refuses 2 '^ipctap: --ring: ' "--ring '$bad'" record -a --ring "$bad"
done
for bad in 257 99999 -1 x ''; do
	refuses 2 '^ipctap: -s: ' "-s '$bad'" record -a -s "$bad"
done
refuses 2 '^ipctap: --source: .* is not a source$' '--source x' record -a --source x
refuses 2 '^ipctap: --comm: .* cannot be the name' 'a comm that is too long' record --comm 1234567890123456
refuses 2 'knid' 'unknown filter word' events "$DB" -e 'knid=pipe'
remedy 'kind' 'which filter words there are'
refuses 2 'carrier-pigeon' 'unknown kind in a filter' events "$DB" -e 'kind=carrier-pigeon'
refuses 2 '^ipctap: --view: .* is not a view$' '--view x' top -b --view x
refuses 2 '^ipctap: top: this is not a terminal$' 'top into a pipe' top
remedy '\-b' 'what to use there'
refuses 2 "^ipctap: no column 'nope' in the view Talk$" '--sort nope' top -b --view talk --sort nope
remedy 'its columns are' 'which there are'
refuses 2 '^ipctap: x: doctor takes no such argument$' 'doctor with an argument' doctor x
refuses 2 '^ipctap: --: doctor runs no command$' 'doctor with a command' doctor -- true

# what was typed may be hostile as well, when a script typed it
refuses 2 '^ipctap: \\x1B\[31m: no such verb$' 'a verb with an escape sequence' "$(printf '\033[31m')"

# ---- what is read ----
refuses 3 'no such.*/t.db|/t.db.*No such file' 'a trace that is not there' report "$T/no/t.db"
echo 'this is not a trace' >"$T/text"
refuses 3 "text'.*not" 'a text is not a trace' report "$T/text"
cp "$T/text" "$T/text.before"
: >"$T/empty"
refuses 3 'empty' 'an empty file is not a trace' events "$T/empty"
refuses 3 ' ' 'a directory is not a trace' events "$T"
if command -v sqlite3 >/dev/null; then
	sqlite3 "$T/other.db" 'create table t(x); insert into t values(1)'
	refuses 3 'other.db' "another program's database is not a trace" report "$T/other.db"
	cp "$DB" "$T/newer.db"
	sqlite3 "$T/newer.db" 'pragma user_version = 999'
	refuses 3 'newer' 'a trace of a newer version' report "$T/newer.db"
	[ -n "$(printf '%s\n' "$err" | sed -n 2p)" ]
	ok $? 'with the remedy'
else
	skip 'sqlite3(1) is not installed' 9
fi
size=$(wc -c <"$DB")
for part in 1 2 3; do
	head -c $((size * part / 4)) "$DB" >"$T/cut.db"
	refuses 3 'cut.db' "a trace cut at $part/4" report "$T/cut.db"
done

# ---- what is written ----
if "$IPCTAP" doctor >/dev/null 2>&1; then
	refuses 3 "$T/no/t.db|unable|cannot" 'a folder that is not there' record -o "$T/no/t.db" -- touch "$T/ran"
	[ ! -e "$T/ran" ]
	ok $? 'the command was not started'
	refuses 3 'text' 'a file that is not a trace is not replaced' record -o "$T/text" -- touch "$T/ran"
	same_file "$T/text" "$T/text.before" 'and is as it was'
	refuses 3 '4194304' 'a pid that is not there' record -o "$T/t.db" -p 4194304
	[ ! -e "$T/t.db" ]
	ok $? 'no trace is begun for it'
else
	skip 'this host cannot be traced: see ipctap doctor' 15
fi
done_testing
