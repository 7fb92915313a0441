#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Keys, the mouse, setup, files: what the dashboard does, in a UTF-8 locale and in one that has none.
LC_ALL=C.UTF-8 "${O:-build}/tests/screens/habits" || exit
LC_ALL=C "${O:-build}/tests/screens/habits" >/dev/null || {
	echo 'Bail out! in the C locale something is different:'
	LC_ALL=C "${O:-build}/tests/screens/habits" | grep -A3 '^not ok' | sed 's/^/# /'
	exit 1
}
