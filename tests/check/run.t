#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `make run` does its job: the dashboard in a terminal, a report without one, any command by ARGS.
. tests/lib.sh

if [ "${BPF:-1}" = 0 ] || [ "$(id -u)" != 0 ] || [ ! -r /sys/kernel/btf/vmlinux ]; then
	[ "${IPCTAP_REQUIRE_LIVE:-}" != 1 ] || { ok 1 'tracing works here'; done_testing; }
	skip_all 'tracing needs root, BPF and BTF'
fi
# What the make that runs the suite was given is in MAKEFLAGS; O and the like may be from the environment
make_run="make -s O=${O:-build} BPF=${BPF:-1} SAN=${SAN:-} run"

run $make_run ARGS='--version'
is "$status" 0 'ARGS runs another command'
like "$out" '^ipctap [0-9]' '... and shows what it says'

run $make_run ARGS='record -o /nowhere/at/all.db -- true'
unlike "$status" '^0$' 'and its failure is the failure of make'

run $make_run
is "$status" 0 'without a terminal it ends by itself' || diag "$err"
like "$out" '^Who talked to whom' 'with a report'
like "$out" '^ux-server\[[0-9]*\] +ux-client-1\[[0-9]*\] +unix ' '... of the demo'

# In a terminal of its own, whatever the one of the suite is
tmux="tmux -L ipctap-$$ -f /dev/null"
trap '$tmux kill-server 2>/dev/null; rm -rf "$T"' EXIT
screen() { $tmux capture-pane -p 2>/dev/null; }
# shows REGEX: until the screen does, for 20 seconds at most
shows() {
	tries=200
	until screen | grep -Eq -e "$1"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { diag "$(screen)"; return 1; }
		sleep 0.1
	done
}
$tmux new-session -d -x 120 -y 40 "$make_run; echo left with \$?; exec cat"
shows 'ux-server'
ok $? 'in a terminal, the dashboard shows the demo'
$tmux send-keys q
shows 'left with 0'
ok $? 'and q leaves it'
unlike "$(screen)" 'ux-server|Error' '... with the terminal as it was'
done_testing
