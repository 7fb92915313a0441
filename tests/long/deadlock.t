#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The corpus of waits and live traffic once more, for longer: a thousand snapshots, ten rounds.
IPCTAP_SNAPSHOTS=1000 IPCTAP_ROUNDS=10 exec sh tests/live/deadlock.t
