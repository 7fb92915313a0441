#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The dashboard on terminals of all kinds and sizes, with names that mean harm, and with its files.
. tests/live/live.sh
. tests/live/terminal.sh

raw() { # what goes to the terminal from now on, byte by byte
	: >"$T/raw"
	$TM pipe-pane -o "cat >>'$T/raw'"
}
has_bytes() { LC_ALL=C grep -aq "$(printf "$1")" "$T/raw"; }

# ---- terminals ----

# A terminal with colours by their red, green and blue; those of the system are in a package of its own.
cat >"$T/direct.ti" <<'END'
test-direct|xterm with direct colours, RGB, colors#0x1000000, pairs#0x10000,
	setaf=\E[%?%p1%{8}%<%t3%p1%d%e38:2::%p1%{65536}%/%d:%p1%{256}%/%{255}%&%d:%p1%{255}%&%d%;m,
	setab=\E[%?%p1%{8}%<%t4%p1%d%e48:2::%p1%{65536}%/%d:%p1%{256}%/%{255}%&%d:%p1%{255}%&%d%;m,
	use=xterm-256color,
END
mkdir "$T/terminfo"
tic -x -o "$T/terminfo" "$T/direct.ti" 2>"$T/tic"
ok $? 'an entry for a terminal with direct colours' || diag "$(cat "$T/tic")"

export NCURSES_GPM_TERMS=- # no mouse of the console's: libgpm leaks, and is unloaded before that is looked at
for term in vt100 linux xterm-256color test-direct; do
	in_terminal 80x24 env TERM=$term TERMINFO_DIRS="$T/terminfo:/etc/terminfo:/lib/terminfo:/usr/share/terminfo" \
		"$IPCTAP" top -i 0.2 -- "$IPCTAP" demo pipeline -d 60
	shows '^ F1 Help .*F10 Quit' "$term: it runs"
	shows 'pl-filter +[1-9]' "$term: and shows what it traces"
	press T
	shows 'colours: none' "$term: another choice of colours"
	for i in 1 2 3 4 5; do press T; done
	shows 'colours: auto' "$term: all of them, round to the first"
	case $term in
	vt100) is "$($TM capture-pane -p -e | grep -Ec "$(printf '\033')\[([0-9]+;)*[34][0-7]m")" 0 "$term: has no colours" ;;
	test-direct) like "$($TM capture-pane -p -e)" '38[;:]2[;:]+95[;:]215[;:]255' "$term: any colour can be had" ;;
	esac
	press q
	wait_until 20 ended
	is "$(cat "$T/status")" 0 "$term: it ends"
	restored "$term"
done
in_terminal 80x24 env TERM=dumb "$IPCTAP" top -- true
shows "type 'dumb' cannot move its cursor" 'dumb: refused'
shows 'use -b for text' 'dumb: with the remedy'
wait_until 20 ended
restored dumb
unlike "$(pane)" 'ioctl' 'dumb: and not what the kernel calls it'
in_terminal 80x24 env -u TERM "$IPCTAP" top -- true
shows 'TERM is not set' 'without TERM: that is said'
wait_until 20 ended

# ---- killed ----

in_terminal 80x24 env TERM=xterm-256color "$IPCTAP" top -i 0.2 -- "$IPCTAP" demo pipeline -d 8
raw
shows 'pl-filter +[1-9]' 'kill -9: it runs'
pid=$(cat "$T/pid")
guard=$(pgrep -P "$pid" -x ipctap-guard)
[ -n "$guard" ]
ok $? 'kill -9: somebody watches over the terminal'
is "$(ls "/proc/$guard/fd" | wc -l)" 2 'who has it open, and no other file'
press F4 'comm=ipctap*' Enter
shows 'no row matches|rows? *$' 'what is traced'
unlike "$(pane)" 'ipctap-guard' 'is not the guard'
kill -INT "$guard"
kill -TSTP "$guard"
kill -HUP "$guard"
like "$(cat "/proc/$guard/status")" '^State:.S' 'no signal stops or ends it but one'
tty=$($TM display-message -p '#{pane_tty}')
tty_is_back() {
	[ "$(stty -g -F "$tty")" = "$(cat "$T/before")" ] &&
		[ "$(mode alternate_on) $(mode cursor_flag)" = '0 1' ]
}
not tty_is_back
ok $? 'the terminal is not as it was'
kill -9 "$pid"
wait_until 20 ended
is "$(cat "$T/status")" 137 'kill -9: it is gone'
wait_until 10 tty_is_back
ok $? 'kill -9: modes, screen and cursor are as before' || diag "$(stty -F "$tty" -a)" "$(mode alternate_on) $(mode cursor_flag)"
wait_until 10 has_bytes '\033\[?1000l'
ok $? 'kill -9: and the mouse is off'
gone() { ! kill -0 "$1" 2>/dev/null; }
wait_until 10 gone "$guard"
ok $? 'kill -9: the guard has gone, too'

in_terminal 80x24 "$IPCTAP" top -i 0.2 -- "$IPCTAP" demo pipeline -d 8
shows 'pl-filter +[1-9]' 'stopped, then killed: it runs'
pid=$(cat "$T/pid")
guard=$(pgrep -P "$pid" -x ipctap-guard)
raw
press C-z
wait_until 10 stopped
: >"$T/raw"
kill -9 "$pid"
wait_until 10 gone "$guard"
ok $? 'a terminal that was given back already: the guard goes'
has_bytes '\033\[?1049l' && ok 1 'and writes nothing' || ok 0 'and writes nothing'

# ---- sizes ----

in_terminal 80x24 "$IPCTAP" top -i 0.2 -- "$IPCTAP" demo pipeline -d 60
shows 'pl-filter +[1-9]' 'a storm of sizes: it runs'
for i in 1 2 3 4 5 6 7 8 9 10; do
	for size in 60x10 400x120 1x1 80x24 200x5 61x50; do
		$TM resize-window -x "${size%x*}" -y "${size#*x}"
		[ $((i % 3)) != 0 ] || press Tab F5 Enter BSpace
	done
done
press 1
$TM resize-window -x 100 -y 30
shows '^ F1 Help .* F10 Quit' 'and still runs'
shows 'every 0.2s *$' 'in the size that it has in the end'
kill -TERM "$(cat "$T/pid")"
wait_until 20 ended
ok $? 'SIGTERM ends it'
restored 'after SIGTERM'

# ---- names ----

# A process that calls itself what a terminal would obey, and in a script that is read from the right
cat >"$T/hostile" <<'END'
$0 = "\e]0;pwned\x07";
pipe(my $r, my $w) or die;
my $pid = fork() // die;
if (!$pid) { $0 = "\xd7\x90\xd7\x91\xd7\x92\xd7\x93"; for (1 .. 600) { sysread($r, my $x, 10); } exit }
for (1 .. 600) { syswrite($w, "x"); select(undef, undef, undef, 0.1); }
END
in_terminal 140x24 env LC_ALL=C.UTF-8 "$IPCTAP" top -i 0.2 -- perl "$T/hostile"
raw
shows '\\x1B\]0;pwned\\x07' 'a name with an escape sequence is shown, and not obeyed'
shows 'אבגד' 'one from right to left is shown'
press 3
shows '^\\x1B\]0;pwned\\x07\[[0-9]+\] +אבגד\[[0-9]+\] +pipe' 'both in their columns'
is "$(mode pane_title | grep -c pwned)" 0 'nobody has set the title'
ok "$(has_bytes '\033]0;pwned' && echo 1 || echo 0)" 'the sequence never went to the terminal'
press q
wait_until 20 ended
ok "$(has_bytes '\033\[8h' && echo 0 || echo 1)" 'text is laid out as before when it ends'
restored 'after hostile names'

# ---- setup and files ----

mkdir "$T/conf" "$T/work"
cd "$T/work" || exit
in_terminal 80x24 env XDG_CONFIG_HOME="$T/conf" "$IPCTAP" top -i 0.2 --view talk -- "$IPCTAP" demo pipeline -d 60
cd - >/dev/null || exit
shows '^FROM +TO +KIND' 'setup: the columns of the beginning'
shows '^pl-source.* pl-filter' 'and rows'
press F2
shows 'Setup: columns of Talk' 'F2: the setup'
press Down Down Down Down Space Escape
shows '^FROM +TO +NAME' 'a column is gone'
press F7 Enter
shows 'written to ipctap-talk-1.txt' 'F7: a file'
like "$(cat "$T/work/ipctap-talk-1.txt")" '^pl-source\[[0-9]+\] +pl-filter\[' 'with what the view shows'
is "$(stat -c %a "$T/work/ipctap-talk-1.txt")" 600 'that only its owner can read'
press q
wait_until 20 ended
like "$(cat "$T/conf/ipctap/top.conf")" '^columns.talk = FROM,TO,NAME,' 'the setup is kept'
in_terminal 80x24 env XDG_CONFIG_HOME="$T/conf" "$IPCTAP" top -i 0.2 --view talk -- "$IPCTAP" demo pipeline -d 60
shows '^FROM +TO +NAME' 'and is there the next time'
press q
wait_until 20 ended
ok $? 'it ends'

# ---- the mouse ----

in_terminal 80x24 env TERM=xterm-256color "$IPCTAP" top -i 0.2 -- "$IPCTAP" demo pipeline -d 60
shows 'pl-filter +[1-9]' 'the mouse: it runs'
printf '\033[<0;18;3M\033[<0;18;3m' >"$T/click" # pressed and let go at column 18, line 3, as xterm tells it
$TM load-buffer "$T/click"
$TM paste-buffer -r
shows '^KIND .*ENDS' 'a click on a tab opens the view'
printf '\033[<0;5;4M\033[<0;5;4m' >"$T/click"
$TM load-buffer "$T/click"
$TM paste-buffer -r
shows '^KIND(▼|v)' 'one on a header sorts'
press q
wait_until 20 ended
restored 'after the mouse'
done_testing
