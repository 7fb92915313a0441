#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The thread that looks out for deadlocks beside a dashboard: finds, keeps nobody waiting, ends.
. tests/live/live.sh

background "$IPCTAP" demo two-pipes-full
demo=$started
members() { pgrep -P "$demo" tp-; }
both() { [ "$(members | wc -l)" = 2 ]; }
wait_until 10 both
# shellcheck disable=SC2046 # numbers
run "$PROGS/lookout" 30 $(members)
is "$status:$err" 0: 'it looks and ends'
is "$(word "$out" findings):$(word "$out" verdict)" 1:proven 'a hang is found'
is "$(word "$out" core | tr ',' '\n' | sort)" "$(members | sort)" '... of these two'
ok "$([ "$(word "$out" slowest_us)" -lt 20000 ]; echo $?)" 'and asking has taken less than a redraw'

background sleep 100
run "$PROGS/lookout" 4 "$started"
is "$status:$(word "$out" findings):$(word "$out" rows)" 0:0:0 'elsewhere there is nothing'

# Through a dashboard: no finding of whom it does not show, and each by its name
run timeout 60 "$IPCTAP" top -b -d 4 -- sleep 100
is "$status" 0 'top beside a command' || diag "$err"
unlike "$out" 'DEADLOCK|QUIESCENT' 'says nothing of what hangs elsewhere, not at first either'
run timeout 60 "$IPCTAP" top -b -d 4 -p "$(members | paste -sd ,)"
like "$out" '^DEADLOCK, proven: tp-' 'nor is silent of what it shows'
run timeout 60 "$IPCTAP" top -b -d 6 -- "$IPCTAP" demo unix-recv
like "$out" '^QUIESCENT: ' 'who wait to be spoken to are called so'
unlike "$out" 'DEADLOCK' '... and not deadlocked'
done_testing
