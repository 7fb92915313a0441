#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What tests/live/accuracy.t measures, once for each mechanism and each hook: who wrote what a read got. On an
# emulated processor a recording takes ten seconds to begin, and calls overlap as they do nowhere else, so of
# several writers, where the order of calls decides, only that none is wrong which is marked exact, and that nine
# of ten are right.
. tests/live/live.sh
. tests/live/accuracy.sh

for kind in pipe unix tcp udp seqpacket dgram msg; do
	one "$kind" 1 1 1000
done
one tcp 4 1 1000
many 9000 pipe 4 1 1000
many 9000 udp 4 1 1000
# as on a kernel that has none of the hooks
export IPCTAP_HOOKS=none
one tcp 1 1 1000
many 9000 tcp 4 1 1000
many 9000 udp 4 1 1000
done_testing
