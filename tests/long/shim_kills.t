#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# 200 programs under the shim are killed, and 50 collectors: what had been told is kept, nobody else notices.
. tests/live/shim_kills.sh

kill_programs 200
kill_collectors 50
done_testing
