# SPDX-License-Identifier: GPL-2.0-or-later
# A real terminal for tests: tmux, on a server of its own. Sourced after live.sh.

command -v tmux >/dev/null || live_cannot 'tmux is not installed'

TM="tmux -L ipctap-test-$$ -f /dev/null"
at_end() { $TM kill-server 2>/dev/null; }
PANE=$T/pane.sh
export XDG_CONFIG_HOME="$T/config" # what keys choose is kept, and must be neither the user's nor the last test's

# in_terminal COLSxROWS CMD ARG…: CMD in a terminal whose modes, cursor and screen are compared
# before and after; $T/pid is CMD's
in_terminal() {
	size=$1
	shift
	rm -rf "$T/config" "$T/pid" "$T/status" "$T/before" "$T/after" "$T/stopped"
	{
		echo "stty -g >'$T/before'; set -m"
		printf "sh -c 'echo \$\$ >%s; exec \"\$@\"' sh" "$T/pid"
		printf " '%s'" "$@"
		echo
		echo "s=\$?; while [ \$s = 148 ]; do stty -g >'$T/stopped'; read go; fg; s=\$?; done"
		echo "stty -g >'$T/after'; echo \$s >'$T/status'; echo back in the shell; read end"
	} >"$PANE"
	$TM kill-server 2>/dev/null # it takes a moment, in which no new one can start
	wait_until 10 $TM new-session -d -x "${size%x*}" -y "${size#*x}" "exec sh '$PANE'" ||
		ok 1 'tmux starts'
}

pane() { $TM capture-pane -p; }
pane_like() { pane | grep -Eq -e "$1"; }
press() { $TM send-keys "$@"; }
# shows REGEX NAME: within ten seconds some line of the screen matches
shows() {
	wait_until 10 pane_like "$1"
	ok $? "$2" || diag "$(pane)"
}
shows_not() {
	wait_until 10 not pane_like "$1"
	ok $? "$2" || diag "$(pane)"
}
not() { ! "$@"; }
ended() { [ -s "$T/status" ]; }
stopped() { [ -s "$T/stopped" ]; }
mode() { $TM display-message -p "#{$1}"; }
# restored NAME: the terminal is as the program found it
restored() {
	is "$(cat "$T/after" 2>&1)" "$(cat "$T/before")" "$1: the terminal's modes are as before"
	is "$(mode alternate_on) $(mode cursor_flag)" '0 1' "$1: so are its screen and cursor"
}
