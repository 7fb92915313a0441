#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What keys of the views do on the page of a row.
LC_ALL=C.UTF-8 exec "${O:-build}/tests/screens/pages"
