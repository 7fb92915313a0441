#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The programs of the notes, as demos: what each prints, exactly; and the probes that show them.
. tests/lib.sh

demo() { # demo NAME WANTED
	run timeout 30 "$IPCTAP" demo "$1"
	is "$status $out" "0 $2" "$1"
	[ -z "$err" ] || diag "$err"
}

demo ripc-shm-letter 'P2 sees A in a segment of 2048 bytes, attached 2 times'
demo ripc-shm-letter-win32 'P2 sees A in the mapping that P1 made'
demo ripc-msg-queue '4 messages, 26 bytes on the queue
type -2 gives third, of type 1
type  2 gives second, of type 2
type  0 gives first, of type 3
type  0 gives fourth, of type 2
IPC_NOWAIT on the empty queue: no message'
demo ripc-create-pipe 'message
pipe
socket
printf | sort: exit codes 0 and 0'
three='client 1: 5 requests answered
client 2: 5 requests answered
client 3: 5 requests answered'
demo ripc-named-pipe "$three"
demo ripc-named-pipe-tcp "$three"
demo ripc-objects 'critical section: 600 counted
semaphore of 2: 600 entries, never more than 2 inside
event: 3 let through
condition: 60 turns
message buffer of 100: sum 40200'
if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; then
	demo ripc-sockets 'TCP over IPv4: 2 clients served
UDP over IPv4: 2 clients served
TCP over IPv6: 2 clients served
UDP over IPv6: 2 clients served
TCP at all addresses: 2 clients served
UDP at all addresses: 2 clients served'
else
	demo ripc-sockets 'TCP over IPv4: 2 clients served
UDP over IPv4: 2 clients served
TCP over IPv6: not on this machine
UDP over IPv6: not on this machine
TCP at all addresses: 2 clients served
UDP at all addresses: 2 clients served'
fi

if [ -e /usr/include/sys/sdt.h ] || ls /usr/include/*/sys/sdt.h >/dev/null 2>&1; then
	run readelf -n "$O/libripc.so"
	for probe in send receive acquire release wait_begin wait_end; do
		like "$(printf '%s\n' "$out" | grep -A1 'Provider: ripc')" "Name: $probe\$" \
			"libripc.so has the probe ripc:$probe"
	done
else
	skip 'built without sys/sdt.h (systemtap-sdt-dev)' 6
fi
done_testing
