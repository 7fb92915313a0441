/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers as people read them, at most six columns wide, in ASCII, never in the locale's way:
 *     counts      0 999 1.2k 34.5k 999k 1.2M     powers of 1000
 *     bytes       0 999 1.2K 34.5K 999K 1.2M     powers of 1024
 *     durations   850ns 12.3us 1.23ms 2.50s 2m03s 3h05m 12d04h
 *     shares      0% 7% 100%
 */
#ifndef IPCTAP_UI_TUI_UNITS_H
#define IPCTAP_UI_TUI_UNITS_H

#include <stdint.h>

#define UNITS_SIZE 16 /* bytes that hold any of these, with the NUL */

/* Each returns `buf`. A rate that is above 0 but below 1 keeps two digits (0.05). */
const char *units_count(char buf[UNITS_SIZE], double count);
const char *units_bytes(char buf[UNITS_SIZE], double bytes);
const char *units_time(char buf[UNITS_SIZE], uint64_t ns);
const char *units_share(char buf[UNITS_SIZE], double share); /* 0.07 -> 7% */
const char *units_part(char buf[UNITS_SIZE], double share);  /* the same; 100% only where it is all */

#endif
