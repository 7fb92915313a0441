#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Memory is bounded: 200,000 processes and 1,000,000 channels come and go, with what is kept by default.
. tests/live/memory.sh

bounded 200000 1000000 10000 16384
done_testing
