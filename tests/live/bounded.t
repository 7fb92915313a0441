#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Memory is bounded: a few thousand processes and channels come and go, a few hundred are kept. The
# long tier has the same with 200,000 and 1,000,000.
. tests/live/memory.sh

bounded 4000 30000 300 8192
stalled 24000 180000 300 131072
done_testing
