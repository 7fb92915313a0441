#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What deadlock and why say of programs that people run: every demo that goes on, tools that idle, and
# hangs made with tools alone.
. tests/live/live.sh

json() { printf '%s' "$out" | python3 -c "import json, sys; d = json.load(sys.stdin); $1"; }
child_of() { cat "/proc/$1/task/$1/children"; }
named() { # NAME PID: that process under PID which is called so
	for p in $(child_of "$2"); do
		if [ "$(cat "/proc/$p/comm")" = "$1" ]; then echo "$p"; else named "$1" "$p"; fi
	done
}
there() { [ -n "$(named "$1" "$2")" ]; }
hangs() { "$IPCTAP" deadlock -p "$1" --no-stacks >/dev/null; [ $? -eq 1 ]; }
# What is under them goes with those that were started.
all_under() { for p in $(child_of "$1" 2>/dev/null); do echo "$p"; all_under "$p"; done; }
end_started() {
	started_tree="$started $(all_under "$started")"
	# shellcheck disable=SC2086 # numbers
	kill -KILL $started_tree 2>/dev/null
	wait "$started" 2>/dev/null
}

# ---- the list, and the one that it is all about ----
run "$IPCTAP" demo
like "$out" '^two-pipes-full +proven ' 'the list has the right verdicts beside the cases'
like "$out" '^one-live-saves +none ' '... also of those that are no deadlocks'
background "$IPCTAP" demo two-pipes-full
wait_until 10 hangs "$started"
run "$IPCTAP" deadlock -p "$started"
is "$status" 1 'two full pipes: status 1'
for name in tp-left tp-right; do
	like "$out" "^  $name\[[0-9]+\]  write\([0-9]+\)  on pipe:\[[0-9]+\] \(full" "$name, in what and on what"
done
is "$(printf '%s\n' "$out" | grep -o 'pipe:\[[0-9]*\]' | sort -u | wc -l)" 2 'both channels'
like "$out" '^  Cause: Each fills a channel' 'the cause'
like "$out" '^  Cure:  Read while writing' 'and the cure'
end_started
run timeout 60 "$IPCTAP" deadlock -d 5 -- "$IPCTAP" demo mutex-abba
is "$status" 1 'of a command that hangs: status 1'

# ---- what is said beside a verdict ----
background python3 -c 'import os, signal
signal.signal(signal.SIGTERM, lambda *a: None)
r, w = os.pipe()
os.read(r, 1)'
wait_until 10 hangs "$started"
run "$IPCTAP" deadlock --no-stacks -p "$started"
like "$out" "^  A signal may reach it: python3\[$started\] has handlers for .*TERM" 'handlers are named'
cp "$IPCTAP" "$T/ipctap"
chmod 755 "$T" "$T/ipctap"
run setpriv --reuid=65534 --regid=65534 --clear-groups "$T/ipctap" deadlock --level stuck -p "$started"
is "$status" 0 'without root nothing of another user is proven'
like "$err" '^ipctap: not allowed to look with BPF' '... and why is said'
end_started

# ---- in a container, which has other numbers for its processes than BPF ----
cat >"$T/inside" <<'END'
mount -t proc proc /proc
"$IPCTAP" deadlock -d 5 --level stuck -- "$IPCTAP" demo mutex-abba >"$T/inside.out" 2>"$T/inside.err"
echo "$?" >"$T/inside.status"
"$IPCTAP" record -o "$T/inside.db" -- sh -c 'echo hello | cat' >/dev/null 2>&1
"$IPCTAP" record --source bpf -o "$T/none.db" -- true 2>"$T/inside.bpf"
END
export IPCTAP T
run timeout 120 unshare --pid --fork --mount --kill-child sh "$T/inside"
is "$(cat "$T/inside.status")" 1 'in a pid namespace of its own: a command that hangs is found'
like "$(cat "$T/inside.out")" '^STUCK' '... as far as the shim and /proc tell'
like "$(cat "$T/inside.err")" '^ipctap: the probes cannot be used inside of a pid namespace' '... and why no more'
is "$(sqlite3 "$T/inside.db" "select bytes from v_talk where kind = 'pipe' and dst_comm = 'cat'")" 6 '... and what is recorded is there'
like "$(cat "$T/inside.bpf")" '--pid=host' 'where BPF is insisted on, the remedy is told'

# ---- what goes on is never found ----
found=
seen=0
for demo in $("$IPCTAP" demo --json | python3 -c 'import json, sys
print(*(d["name"] for d in json.load(sys.stdin) if "verdict" not in d))'); do
	background "$IPCTAP" demo "$demo" -d 20
	under() { is_gone "$started" || [ -n "$(child_of "$started")" ]; }
	wait_until 5 under
	run "$IPCTAP" deadlock --json --no-stacks -p "$started"
	[ "$status:$(json 'print(d["findings"])')" = '0:[]' ] || found="$found $demo"
	is_gone "$started" || seen=$((seen + 1))
	kill -TERM "$started" 2>/dev/null
	wait "$started" 2>/dev/null
done
is "$found" '' 'in no demo that goes on anything is found'
ok "$([ "$seen" -ge 20 ]; echo $?)" "... of which $seen were still under way"

# ---- tools that idle ----
touch "$T/log"
background tail -f "$T/log"
run "$IPCTAP" deadlock --level stuck -p "$started"
is "$status" 0 'tail -f'
end_started

background python3 -c 'import os, pty, signal
pid, fd = pty.fork()
if not pid:
	os.execvp("sh", ["sh", "-i"])
while True:
	os.read(fd, 100)'
wait_until 10 there sh "$started"
shell=$(named sh "$started")
prompts() { "$IPCTAP" why --no-stacks "$shell" >"$T/why"; grep -q 'waits for somebody to type' "$T/why"; }
wait_until 10 prompts
ok $? 'a shell at its prompt waits for somebody to type'
run "$IPCTAP" deadlock --level stuck -p "$started"
is "$status" 0 '... and is no deadlock'
end_started

# ---- hangs made with tools ----
background sh -c '{ echo; sleep 1000 & } | cat'
wait_until 10 there cat "$started"
reader=$(named cat "$started")
alone() { "$IPCTAP" deadlock --no-stacks --level leak-suspect -p "$reader" >"$T/leak"; [ $? -eq 1 ]; }
wait_until 20 alone
ok $? 'a reader whose only writer is in the background: a leak is suspected'
like "$(cat "$T/leak")" 'held only by sleep\[[0-9]+\], which inherited it' '... and named'
run "$IPCTAP" deadlock -p "$reader"
is "$status" 0 '... which proves nothing'
run "$IPCTAP" why "$reader"
like "$out" "^cat\[$reader\]  read\(0\)" 'why leads from the reader'
like "$out" '^  sleep\[[0-9]+\]  sleep' '... to who keeps the end open'
sleeper=$(sed -n 's/.*held only by sleep\[\([0-9]*\)\].*/\1/p' "$T/leak")
live_pids="$live_pids $sleeper"
end_started

background python3 -c 'import subprocess
p = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
p.stdin.write(b"x" * 1000000)'
wait_until 20 hangs "$started"
ok $? 'Python feeds cat and does not read'
run "$IPCTAP" deadlock --no-stacks -p "$started"
like "$out" '^DEADLOCK \(proven\)' '... is proven'
end_started

background sh -c 'cd "$0"
flock a sh -c "touch a.is; until [ -e b.is ]; do sleep 0.02; done; flock b true; :" &
flock b sh -c "touch b.is; until [ -e a.is ]; do sleep 0.02; done; flock a true; :"
wait' "$T"
wait_until 20 hangs "$started"
ok $? 'two flock commands that nest in opposite order'
run "$IPCTAP" deadlock --no-stacks -p "$started"
like "$out" '^DEADLOCK \(proven\)' '... are proven'
like "$out" "flock\[[0-9]+\]  flock\([0-9]+\)  on .*/[ab]" '... with the file'
like "$out" '^  Cause: Whoever holds a lock waits for a child to exit that needs it' '... and why'
end_started

# ---- hangs in a library of Python's, of whose semaphores it is not known who has them ----
background python3 -c 'import multiprocessing
q = multiprocessing.Queue()
p = multiprocessing.Process(target=q.put, args=("x" * 1000000,))
p.start()
p.join()'
wait_until 20 hangs "$started"
ok $? 'a process is joined before its queue is emptied'
run "$IPCTAP" deadlock --no-stacks -p "$started"
like "$out" '^DEADLOCK \(proven\)' '... is proven'
like "$out" '^  Cause: It waits for a child to exit that waits for somebody to read its output' '... and why'
end_started

background python3 -c 'import threading
lock = threading.Lock()
with lock:
	t = threading.Thread(target=lock.acquire)
	t.start()
	t.join()'
wait_until 20 hangs "$started"
ok $? 'a thread is joined under a lock that it wants'
run "$IPCTAP" deadlock --no-stacks -p "$started"
like "$out" "^  Cause: Each waits for a semaphore or for another's end" '... which says nothing of who has what'
end_started
done_testing
