#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Colours and attributes, by theme and terminal.
exec "${O:-build}/tests/screens/looks"
