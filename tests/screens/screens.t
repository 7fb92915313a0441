#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The dashboard's screens against the golden files, in a UTF-8 locale.
# After a wanted change: build/tests/screens/screens --update tests/golden/screens
unset COLUMNS
LC_ALL=C.UTF-8 exec "${O:-build}/tests/screens/screens" tests/golden/screens
