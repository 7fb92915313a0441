#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A replay in a real terminal: what was recorded live is shown, sought, stepped and played.
. tests/live/live.sh
. tests/live/terminal.sh

record -- "$IPCTAP" demo mixed -d 3
is "$status" 0 'recorded'

in_terminal 100x30 "$IPCTAP" replay --at 50% "$DB"
shows '^ ipctap replay ' 'a replay is called one'
shows 'pl-filter +[1-9]' 'processes are shown, with their rates'
shows '^ \|\| 1x  .* 50%  ' 'it stands where it was told to'
shows '^ ops/s <=[0-9.]+k? +.' 'with the timeline below'
before=$(pane | sed -n 's/.*#\([0-9]*\) .*/\1/p')
press .
shows_not "#$before " '.: an operation on'
after=$(pane | sed -n 's/.*#\([0-9]*\) .*/\1/p')
[ "$after" -gt "$before" ]
ok $? 'which has a higher number'
press , ,
wait_until 10 not pane_like "#$after "
[ "$(pane | sed -n 's/.*#\([0-9]*\) .*/\1/p')" -lt "$after" ]
ok $? ',: and back'
press 2
shows 'pipe .*pl-source\[[0-9]+\] -> pl-' '2: the channels'
press 3
shows '^pl-filter\[[0-9]+\] +pl-sink\[[0-9]+\] +pipe' '3: who talks to whom'
press 4
shows '^ *[0-9]+ pl-sink +read +pipe' '4: who is blocked'
press : 1s Enter
shows '1\.000s of ' ': goes to a time'
press a Right b =
shows 'between A and B: 1\.000s to 1\.0' '=: rates between the marks'
press Left
shows '1\.000s of ' 'Left: back'
press e 'comm=pl-sink op=read' Enter
shows '  pl-sink\[[0-9]+\] read ' 'e: the next operation that matches'
press 0
shows '\|\| 1x  0\.000s of ' '0: the start'
press ']' ']' Space
shows '5x  [0-9.]+s of' 'faster'
shows ' END 5x .* 100%' 'and it plays to the end'
press F1
shows 'Space play, pause' 'F1: the keys of the replay'
press Escape
$TM resize-window -x 80 -y 24
shows '^ END 5x' 'it fits itself into a smaller terminal'
$TM resize-window -x 60 -y 11
shows '^ F1 Help' 'where there is no room for the timeline, it is left out'
$TM resize-window -x 160 -y 45
shows '^ END 5x' 'and shown again'
press q
wait_until 20 ended
is "$(cat "$T/status")" 0 'q: ends with status 0'
restored 'after q'

record -d 2 -- "$IPCTAP" demo two-pipes-full
in_terminal 100x24 env LC_ALL=C "$IPCTAP" replay --at start --view blocked "$DB"
shows '^ \|\| 1x ' 'a trace with a deadlock'
press d
shows '(proven|closed-world): tp-.*tp-' 'd: goes to the finding, and says what it is'
is "$(pane | LC_ALL=C grep -c '[^ -~]')" 0 'the C locale: nothing but ASCII'
press d
shows 'no deadlock was found after that' 'd: there is no other'
press '$'
shows '^ *[0-9.]+(s|ms) tp-|tp-left +write +pipe' '$: at the end they wait for each other'
shows '^ *D-' 'the finding is marked on the timeline'
kill -TERM "$(cat "$T/pid")"
wait_until 20 ended
ok $? 'SIGTERM ends it'
restored 'after SIGTERM'
done_testing
