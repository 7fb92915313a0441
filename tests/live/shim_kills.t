#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs under the shim are killed, and collectors: what had been told is kept, nobody else notices.
. tests/live/shim_kills.sh

kill_programs 40
kill_collectors 6
done_testing
