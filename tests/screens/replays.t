#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The screen of a replay is the screen that was live; its timeline against the golden files.
# After a wanted change: build/tests/screens/replays --update tests/golden/screens
unset COLUMNS
TZ=UTC LC_ALL=C.UTF-8 exec "${O:-build}/tests/screens/replays" tests/golden/screens
