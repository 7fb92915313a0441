#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The same dashboard where the locale knows only ASCII: nothing else is drawn.
unset COLUMNS
LC_ALL=C exec "${O:-build}/tests/screens/screens" tests/golden/screens
