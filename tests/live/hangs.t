#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A few cases of the corpus, once, one of each way in which the iterators look: for kernels on which
# all of it (deadlock.t) would take too long. SETTLE_S: how long a case may take to be right.
. tests/live/live.sh

SETTLE_S=${SETTLE_S:-200} python3 tests/live/deadlock_corpus "$IPCTAP" 1 eof-self fd-in-flight unix-send \
	dgram-sendto connect-full poll-stopped uring-fixed uring-keeper uring-write rwlock-abba pi-abba \
	futex-many ofd-abba ofd-offset philosophers mq-full tcp-patience eventfd-aio \
	memfd-keeper asked-first >"$T/cases" 2>"$T/cases.err"
is "$?:$(cat "$T/cases.err")" 0: 'the cases ran'
is "$(grep -c . "$T/cases")" 20 'all of them'
is "$(grep -v '^ok' "$T/cases")" '' 'each gets its verdict'
done_testing
