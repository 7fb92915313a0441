#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# why and deadlock as they are typed: exit statuses, the JSON, watching, commands, real programs.
. tests/live/live.sh

cat >"$T/two.py" <<'END'
import os, sys
r1, w1 = os.pipe()
r2, w2 = os.pipe()
if os.fork() == 0:
    os.close(w1); os.close(r2)
    os.write(w2, b'x' * 200000)
    os._exit(0)
os.close(r1); os.close(w2)
os.write(w1, b'y' * 200000)
END
# json PROGRAM: runs Python on the JSON in $out, as d
json() { printf '%s' "$out" | python3 -c "import json, sys; d = json.load(sys.stdin); $1"; }
hangs() { "$IPCTAP" deadlock -p "$1" --no-stacks >/dev/null; [ $? -eq 1 ]; }
child_of() { cat "/proc/$1/task/$1/children"; }

# ---- a hang that was never traced ----
background python3 "$T/two.py"
parent=$started
wait_until 10 hangs "$parent"
ok $? 'a hang is found, with status 1'
child=$(child_of "$parent" | tr -d ' ')
live_pids="$live_pids $child"
run "$IPCTAP" deadlock --json -p "$parent"
is "$status:$err" 1: 'the JSON has the same status'
is "$(printf '%s' "$out" | python3 -c 'import json, sys
f, = json.load(sys.stdin)["findings"]
core = f["core"]
print(f["verdict"], sorted(w["pid"] for w in core) == sorted(map(int, sys.argv[1:])), f["cycle"],
      len(f["victims"]), len({w["channel"] for w in core}), all(w["since_ns"] > 0 for w in core),
      [w["waits_for"] for w in core] == [[w["pid"]] for w in core[::-1]], bool(f["cause"]), bool(f["cure"]),
      len(f["certificate"]), all("write" in w["stack"][0] for w in core))' "$parent" "$child")" \
	'proven True 2 0 2 True True True True 2 True' \
	'both processes in a circle, both channels, since when, cause, cure, certificate, stacks'
run "$IPCTAP" deadlock -v -p "$child"
is "$status" 1 'it is found through its other member too'
like "$out" '^DEADLOCK \(proven\)' 'the text says so'
like "$out" "python3\[$parent\]  write\([0-9]+\)  on pipe:\[[0-9]+\].*  for [0-9.]+m?s" 'who, in what, on what, since when'
like "$out" '^  Cause: Each fills' 'why'
like "$out" '^  Cure: ' 'and what to do'
like "$out" "python3\[$parent\] needs python3\[$child\] \(stuck\)" 'the certificate, with -v'
run "$IPCTAP" why "$child"
is "$status" 0 'why explains it'
like "$out" "^Root: python3\[$child\] cannot move \(proven\)" 'the root is the deadlock'
run "$IPCTAP" why --json --no-stacks "$child"
is "$(json 'print(d["threads"][0]["root"], d["threads"][0]["finding"]["verdict"])')" 'deadlock proven' 'in JSON too'
is "$(cat "/proc/$parent/status" | sed -n 's/^State:.\(.\).*/\1/p')" S 'looking has not moved it'

# ---- nothing to find ----
background sleep 100
sleeper=$started
run "$IPCTAP" deadlock --json -p "$sleeper"
is "$status:$(json 'print(d["findings"], d["lost"])')" '0:[] 0' 'a sleeper is no finding'
run "$IPCTAP" deadlock -p "$sleeper"
is "$status:$out" '0:No deadlock found.' 'nor in words'
run "$IPCTAP" why "$sleeper"
like "$out" 'goes on when its time is up' 'why: a timer'
background sh -c 'while :; do :; done'
busy=$started
run "$IPCTAP" why "$busy"
like "$out" "^Root: sh\[$busy\] is not waiting" 'why: it computes'
mkfifo "$T/fifo"
background sh -c "(sleep 100; echo) >'$T/fifo' & exec cat <'$T/fifo'"
wait_until 5 sh -c "[ \"\$(cat /proc/$started/comm)\" = cat ]"
run "$IPCTAP" why "$started"
like "$out" "^cat\[$started\]  read" 'why: a reader'
like "$out" '^Root: .* goes on when its time is up' '... whose writer sleeps'
for p in $(child_of "$started"); do live_pids="$live_pids $p $(child_of "$p")"; done
run "$IPCTAP" why 999999999
is "$status" 3 'no such process: status 3'
background sh -c 'true & exec sleep 100'
ended() { zombie=$(child_of "$started"); [ -n "$zombie" ] && [ "$(cat "/proc/$started/comm")" = sleep ] &&
	grep -q '^State:.Z' "/proc/$(echo $zombie)/status"; }
wait_until 5 ended
run "$IPCTAP" why $zombie
is "$status" 3 'one that has ended: status 3'
like "$err" "^ipctap: $(echo $zombie): it has ended, and its parent has not waited for it yet" '... and why'
like "$err" "^  ipctap why $started says" '... and whom to ask about instead'
background python3 -c 'import ctypes, threading, time
threading.Thread(target=time.sleep, args=(100,)).start()
ctypes.CDLL(None).pthread_exit(None)'
leaderless() { grep -q '^State:.Z' "/proc/$started/status"; }
wait_until 5 leaderless
run "$IPCTAP" why "$started"
like "$out" '^Root: .* goes on when its time is up' 'of one whose first thread has ended, the others are explained'
for args in 'why' 'why nobody' 'why 0' 'deadlock --level dead' 'deadlock a b' 'deadlock --watch a'; do
	# shellcheck disable=SC2086 # words
	run "$IPCTAP" $args
	is "$status" 2 "$args: status 2"
done

# ---- beside a command ----
run timeout 60 "$IPCTAP" deadlock -d 20 -- python3 "$T/two.py"
is "$status" 1 'a command that hangs: status 1'
like "$out" '^DEADLOCK \(proven\)' '... and the diagnosis, before its time is up'
only_ours() { [ "$(pgrep -f "$T/two.py" | grep -vxc -e "$parent" -e "$child")" = 0 ]; }
wait_until 10 only_ours # they are killed, and go as soon as they get a CPU
ok $? 'it is ended'
run "$IPCTAP" deadlock -d 20 -- sh -c 'echo out; exit 7'
is "$status:$out" 0:out 'a command that ends: status 0, its output untouched'
run "$IPCTAP" deadlock -d 1 -- sleep 20
is "$status:$out" 0: 'one that is still alive at the end: status 0'
like "$err" 'still runs, and no deadlock' '... and it is said'
run "$IPCTAP" deadlock -d 1 -- /no/such/program
is "$status" 3 'one that cannot be run: status 3'

# ---- watching ----
run timeout 60 "$IPCTAP" deadlock --watch -d 5 --no-stacks --json -p "$parent" --exec "cat >>'$T/told'"
is "$status" 1 'watching: status 1'
is "$(printf '%s\n' "$out" | grep -c '"verdict": "proven"')" 1 'each finding is told once'
is "$(grep -c '"verdict": "proven"' "$T/told")" 1 'and given to the command of --exec once'
like "$out" '"t_ns": [0-9]+' 'with the time'
like "$(cat "$T/told")" '"t_ns": [0-9]+' '... which the command gets, too'

# ---- every key is in the man page ----
run "$IPCTAP" deadlock --json -p "$parent"
for key in $(printf '%s' "$out" | grep -oE '"[a-z0-9_]+" ?:' | tr -d '": ' | sort -u) t_ns why; do
	grep -qE "\*$key\*" ui/man/ipctap-deadlock.1.scd || echo "$key"
done >"$T/undocumented"
is "$(cat "$T/undocumented")" '' 'each key of the JSON is in the man page'

# ---- real programs ----
background python3 -c 'import subprocess, sys
p = subprocess.Popen([sys.executable, "-c", "import sys; sys.stderr.write(\"e\" * 200000); print(1)"],
	stdout=subprocess.PIPE, stderr=subprocess.PIPE)
p.stdout.read()'
wait_until 10 hangs "$started"
ok $? 'a Python subprocess whose errors nobody reads'
live_pids="$live_pids $(child_of "$started")"
run "$IPCTAP" deadlock -p "$started" --no-stacks
like "$out" '^DEADLOCK \(proven\)' '... is a deadlock'
like "$out" '^  Cause: One waits to read what the other will not write' '... and its cause is known'

background sh -c 'sleep 1000 | cat'
wait_until 10 sh -c "[ \$(cat /proc/$started/task/$started/children | wc -w) = 2 ]"
live_pids="$live_pids $(child_of "$started")"
cat_pid=$(for p in $(child_of "$started"); do grep -lx cat "/proc/$p/comm"; done | sed 's|/proc/\([0-9]*\)/.*|\1|')
run "$IPCTAP" deadlock -p "$started"
is "$status" 0 'a pipeline whose writer sleeps on is no deadlock'
run "$IPCTAP" why "$cat_pid"
like "$out" "^  sleep\[" 'why leads from its reader to who holds the write end'
run "$IPCTAP" deadlock --level leak-suspect -p "$cat_pid"
like "$out" "held only by sleep\[[0-9]+\], which inherited it" '... and a leak may be suspected'

# ---- out of a trace ----
record -d 3 -- "$IPCTAP" demo two-pipes-full
left=$(sql "select pid from task where comm = 'tp-left' and pid = tid")
right=$(sql "select pid from task where comm = 'tp-right' and pid = tid")
run "$IPCTAP" deadlock --json "$DB"
is "$status:$(json 'f, = d["findings"]
print(f["verdict"], sorted((w["pid"], w["comm"]) for w in f["core"]))')" \
	"1:proven $(printf "[(%d, 'tp-left'), (%d, 'tp-right')]" "$left" "$right")" 'a trace has its deadlock'
run "$IPCTAP" why "$left" "$DB"
like "$out" "^Root: tp-left\[$left\] cannot move \(proven\)" 'and why knows it'
is "$(sql "select count(*) from holder h join chan c on c.id = h.chan where c.kind = 'pipe' and pid in ($left, $right)
	and exists (select 1 from wait w where w.chan = c.id and w.until_ns is null)")" 2 \
	'the holders of the awaited ends are in it'
# a call that goes on after a stop is known by a name of the kernel's, though most of root's power is gone
record -d 4 -- "$IPCTAP" demo poll-stopped
run "$IPCTAP" deadlock --level quiescent --json "$DB"
is "$status:$(json 'f, = d["findings"]
print(f["verdict"], *sorted({w["comm"] for w in f["core"]}))')" '1:quiescent ps-left ps-right' 'so has one of calls that were interrupted'
# killed, it leaves what it had seen
background "$IPCTAP" demo two-pipes-full
both() { [ "$(child_of "$started" | wc -w)" = 2 ]; }
wait_until 10 both
members=$(child_of "$started")
record_bg -p "$(echo $members | tr ' ' ,)"
seen() { [ "$(sql "select count(*) from meta where key = 'waitgraph'")" = 1 ]; }
wait_until 20 seen
kill -KILL "$recorder"
wait "$recorder" 2>/dev/null
run "$IPCTAP" deadlock --json "$DB"
is "$status:$(json 'f, = d["findings"]
print(f["verdict"], *sorted(w["pid"] for w in f["core"]))')" "1:proven $(echo $members)" 'so has one whose recorder was killed'

record -- sleep 0.1
run "$IPCTAP" deadlock "$DB"
is "$status:$out" '0:No deadlock found.' 'a trace without long waits has none'
sqlite3 "$DB" "insert into meta values ('waitgraph', 'ipctap-waitgraph 1' || char(10) || 'n 9 9 9 =')"
run "$IPCTAP" deadlock "$DB"
is "$status:$out" 3: 'a damaged graph is refused'
done_testing
