#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What may go wrong while a command is traced: its status is passed on, its output untouched, and
# whatever happens to ipctap does not happen to it.
. tests/live/live.sh

full=
at_end() { [ -z "$full" ] || umount "$full"; }

record -- "$T/no-such-command"
is "$status" 127 'a command that is not there: 127'
like "$err" 'no-such-command.*No such file' 'and why'
is "$out" '' 'and nothing on stdout'
: >"$T/plain"
record -- "$T/plain"
is "$status" 126 'a file that cannot be executed: 126'
record -- sh -c 'exit 7'
is "$status" 7 'the status of the command is passed on'
record -- sh -c 'kill -TERM $$'
is "$status" 143 'a command that is killed by a signal: 128 + N'
record -- sh -c 'kill -KILL $$'
is "$status" 137 'also by one that cannot be caught'

perl -e 'print map { chr } 0 .. 255 for 1 .. 64' >"$T/bytes"
record -- cat "$T/bytes"
cmp -s "$T/out" "$T/bytes"
ok $? "the command's standard output is intact"
record -- sh -c 'echo to-stderr >&2; cat' # stdin is /dev/null
like "$err" '^to-stderr$' 'so is its standard error'
"$IPCTAP" record -o "$DB" -- wc -c <"$T/bytes" >"$T/out" 2>/dev/null
is "$(echo $(cat "$T/out"))" 16384 'so is its standard input'

record -o "$T/no/such/folder/t.db" -- touch "$T/ran"
[ "$status" -ne 0 ] && [ ! -e "$T/ran" ]
ok $? 'a trace that cannot be created: the command is not even started'
like "$err" 'no/such/folder' 'and the line says where'
record -p 4194304
[ "$status" -ne 0 ]
ok $? 'a pid that is not there is an error'
like "$err" 4194304 'and named'

# a thread that is no process, and one that is there for no longer than the test
background python3 -c 'import threading, time
t = threading.Thread(target=time.sleep, args=(100,), daemon=True)
t.start()
print(t.native_id, flush=True)
time.sleep(100)'
wait_until 20 test -s "$T/started.out"
record -p "$(cat "$T/started.out")"
is "$status" 3 '-p of a thread is an error'
like "$err" "is a thread of process $started" 'which says so'
like "$err" "-p $started" 'and whom to name'

# closed standard channels: what is printed must not go into what is opened in their place
for fd in 0 1 2; do
	rm -f "$DB"
	run env IPCTAP="$IPCTAP" DB="$DB" OUT="$T/left" FD=$fd sh -c 'eval "exec $FD>&-"
		"$IPCTAP" record -o "$DB" -- sh -c "ls -l /proc/self/fd >\"\$OUT\"; echo x | cat >/dev/null"'
	is "$status:$(sql "select count(*) from v_event where op = 'write' and kind = 'pipe' and bytes = 2")" 0:1 \
		"descriptor $fd closed: all is recorded"
	unlike "$(cat "$T/left")" '-> /$' '... and none of ours is passed on'
done
run sh -c '"$0" events -- sh -c "echo x | cat >/dev/null" >&-' "$IPCTAP"
is "$status" 3 'standard output closed: status 3'
like "$err" 'standard output: Bad file descriptor' 'and why'

background "$PROGS/echo" server "$T/sock" 600
server=$started
wait_until 10 test -e "$T/sock.ready"
background "$PROGS/echo" client "$T/sock" 600
wait_until 10 test -e "$T/sock.asked"
for signal in INT TERM; do
	record_bg -p "$server"
	recorded() { [ "$(sql 'select count(*) from event')" -gt 0 ]; }
	wait_until 10 recorded
	kill -s "$signal" "$recorder"
	wait "$recorder"
	is $? 0 "SIG$signal ends a recording cleanly"
	is "$(sql 'select count(*) > 0 from flow')" 1 'and it is whole'
	kill -0 "$server"
	ok $? 'the traced program lives'
done

record_bg -- sh -c 'echo $$ >"$0"; exec sleep 60' "$T/pid"
wait_until 10 test -s "$T/pid"
kill -TERM "$recorder"
wait "$recorder"
is $? 143 'SIGTERM while a command runs: it is ended, and its status is ours'
is_gone "$(cat "$T/pid")"
ok $? 'it is gone'
run "$IPCTAP" report "$DB"
is "$status" 0 'the trace is good'

mkdir "$T/full"
if mount -t tmpfs -o size=2m tmpfs "$T/full" 2>/dev/null; then
	full=$T/full
	run timeout 60 "$IPCTAP" record -o "$full/t.db" -- sh -c '"$0" -n 200000 >"$1"; echo $? >"$2"' \
		"$PROGS/storm" "$T/storm.out" "$T/status"
	like "$err" 'No space left|disk is full' 'a full disk: said in a line'
	wait_until 10 test -s "$T/status"
	is "$(cat "$T/status")" 0 'the traced program is unharmed'
	is "$(cat "$T/storm.out")" 'calls=400003 writes=200000' 'and did all its work'
	kept=$(printf '%s\n' "$err" | sed -n 's/.*: \([0-9]*\) operations kept.*/\1/p')
	"$IPCTAP" events "$full/t.db" >/dev/null
	run "$IPCTAP" report "$full/t.db"
	like "$out" '^Trace: .* \(cut short: ' 'a report says that it is not whole'
	is "$(sqlite3 "$full/t.db" 'select count(*) from event')" "$kept" 'as many are in the trace as was said'
else
	skip 'cannot mount a small file system' 5
fi

run sh -c 'ulimit -n 24; exec "$@"' sh "$IPCTAP" record --source bpf -o "$DB" -- true
is "$status" 3 'too few descriptors for the probes are an error'
like "$err" 'ulimit -n' '... with the remedy'

# a kernel without types of its own, as far as can be seen
mkdir "$T/none"
without_btf() { run unshare -m sh -c 'mount --bind "$0" /sys/kernel/btf && exec "$@"' "$T/none" "$@"; }
without_btf true
if [ "$status" -eq 0 ]; then
	rm -f "$T/ran"
	without_btf "$IPCTAP" record --source bpf -o "$DB" -- touch "$T/ran"
	[ "$status" -eq 3 ] && [ ! -e "$T/ran" ]
	ok $? 'without BTF the probes are refused, and nothing is started'
	like "$err" '^ipctap: cannot read the kernel.s type information' 'a line says why'
	like "$err" '^  .*CONFIG_DEBUG_INFO_BTF' 'and one what to do'
	without_btf "$IPCTAP" record -o "$DB" -- touch "$T/ran"
	[ "$status" -eq 0 ] && [ -e "$T/ran" ]
	ok $? 'left the choice, it takes the shim'
	without_btf "$IPCTAP" deadlock -p $$
	is "$status" 0 'a deadlock is looked for by /proc'
	like "$err" '^ipctap: cannot read the kernel.s type information' 'which is said, and why'
else
	skip 'cannot mount over /sys/kernel/btf' 6
fi
done_testing
