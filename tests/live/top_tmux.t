#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The dashboard in a real terminal: tmux, on a server of its own.
. tests/live/live.sh

. tests/live/terminal.sh

# ---- views, help, filter, sort, resize, quit ----

in_terminal 100x30 "$IPCTAP" top -i 0.2 -- "$IPCTAP" demo pipeline -d 60
shows 'pl-filter +[1-9]' 'processes are shown, with their rates'
like "$(pane)" '^ ipctap top .*demo pipeline' 'on top is what is traced'
like "$(pane)" '^ lost 0 ' 'and that nothing was lost'
like "$(pane)" '^ F1 Help .* F10 Quit' 'at the bottom are the keys'
is "$(mode alternate_on) $(mode cursor_flag)" '1 0' 'it has a screen of its own, without cursor'
press 2
shows '^KIND .*ENDS' '2: the channels'
shows 'pipe .*pl-source\[[0-9]+\] -> pl-' 'who holds the ends of a pipe'
press 3
shows '^pl-filter\[[0-9]+\] +pl-sink\[[0-9]+\] +pipe' '3: who talks to whom'
press 4
shows '^ *[0-9]+ [^a-z0-9]*pl-sink +read +pipe' '4: who is blocked'
press 5
shows '^ *[0-9.]+[a-z]+ +[0-9]+ pl-(source|filter|sink) +(read|write) +pipe' '5: the latest operations'
press Tab
shows '^ *PID COMM +OPS/s' 'Tab: round to the processes'
press F1
shows 'filter: show only rows that match' 'F1: the help'
press Escape
shows_not 'filter: show only rows that match' 'any key leaves it'
press F4 'comm=pl-s*' Enter
shows_not 'pl-filter' 'F4: rows that do not match are gone'
shows 'pl-source' 'those that match are not'
shows "filter 'comm=pl-s\*'" 'and the filter is shown'
press '\' C-u Enter
shows 'pl-filter' 'an empty filter shows all'
press '<' '<'
shows '^ *PID(▼|v) ' '<: sorted by an earlier column'
press I
shows '^ *PID(▲|\^) ' 'I: the other way round'
press / pl-sink Enter f 3
shows 'following pl-sink\[' '/ and f: a process is found and followed'
press Enter
shows '^ flow pl-filter|^ process pl-sink' 'Enter: the page of the row'
press BSpace
shows '^FROM' 'Backspace: back'
press F5
shows 'pl-source\[[0-9]+\] .*(>|▶).* pl-filter\[[0-9]+\] .*(>|▶).* pl-sink\[' 'F5: boxes and arrows'
press t
shows '^FROM . TO +bytes/s' 'again: a matrix'
press t
press Space
shows 'PAUSED' 'Space: paused'
press Space
shows_not 'PAUSED' 'Space: goes on'
$TM resize-window -x 62 -y 14
shows '^ F1 Help .*F3 Search' 'it fits itself into a smaller terminal'
is "$(pane | wc -l)" 14 'of 14 lines'
$TM resize-window -x 40 -y 8
shows 'too small: 40x8, needs 60x10' 'one that is too small is told so'
$TM resize-window -x 160 -y 45
shows '^ F1 Help .* F10 Quit' 'and into a larger one'
shows 'every 0.2s *$' 'all of its width'
press q
wait_until 20 ended
is "$(cat "$T/status")" 0 'q: ends with status 0'
restored 'after q'

in_terminal 80x24 "$IPCTAP" top -i 0.2 -- "$IPCTAP" demo pipeline -d 60
shows 'pl-filter +[1-9]' 'another one starts'
press C-z
wait_until 10 stopped
is "$(cat "$T/stopped" 2>&1)" "$(cat "$T/before")" 'Ctrl-Z: the shell gets its terminal back'
is "$(mode alternate_on)" 0 'and its screen'
press Enter
shows '^ F1 Help' 'fg: the dashboard is back'
shows 'pl-filter +[1-9]' 'and so are those it traces'
press q
wait_until 20 ended
is "$(cat "$T/status")" 0 'and ends as ever'
restored 'after a stop'

# ---- a deadlock, and the signals ----

in_terminal 80x24 env NO_COLOR=1 "$IPCTAP" top --view blocked -- "$IPCTAP" demo two-pipes-full
shows 'tp-left +write +pipe .* tp-right\[' 'a deadlock: who waits for whom'
shows '^ *DEADLOCK, proven +tp-(left|right)\[[0-9]+\], tp-(left|right)\[' 'it is found, and said above'
shows '^ Cause Each fills a channel' 'with the cause'
shows '^ Cure +Read while writing' 'and the cure'
shows '[0-9.]+(s|ms) tp-left\[' 'and the other way round'
unlike "$($TM capture-pane -p -e)" "$(printf '\033')"'\[[0-9;]*(3[0-7]|4[0-7])m' 'NO_COLOR: no colours'
press F10
wait_until 20 ended
ok $? 'F10 ends it'
restored 'after F10'

in_terminal 80x24 env LC_ALL=C "$IPCTAP" top -i 0.2 -- "$IPCTAP" demo pipeline -d 60
shows 'pl-filter +[1-9]' 'the C locale: it runs'
is "$(pane | LC_ALL=C grep -c '[^ -~]')" 0 'and draws nothing but ASCII'
kill -INT "$(cat "$T/pid")"
wait_until 20 ended
ok $? 'SIGINT ends it'
restored 'after SIGINT'

in_terminal 80x24 "$IPCTAP" top -i 0.2 -- "$IPCTAP" demo pipeline -d 5
shows 'pl-filter +[1-9]' 'it runs again'
kill -ILL "$(cat "$T/pid")" # not SEGV, which sanitizers take for themselves and report
wait_until 20 ended
is "$(cat "$T/status")" 132 'a crash is a crash'
restored 'after a crash'

in_terminal 80x24 "$IPCTAP" top -i 0.2 -- "$IPCTAP" demo pipeline -d 60
shows 'pl-filter +[1-9]' 'and again'
top=$(cat "$T/pid")
$TM kill-server
wait_until 20 is_gone "$top"
ok $? 'when its terminal goes away, it ends'

in_terminal 80x24 env TERM=no-such-terminal "$IPCTAP" top -- true
shows "terminal type 'no-such-terminal' is not known" 'an unknown terminal is refused by name'
shows 'use -b for text' 'with the remedy'
wait_until 20 ended
unlike "$(cat "$T/status")" '^0$' 'and a status that says so'
restored 'after that'
done_testing
