/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hostile text made harmless. Names, paths and payloads of traced processes may hold anything;
 * what escape_text returns can be written to a terminal, a log or a table cell: one line of valid
 * UTF-8 without a control character, an escape sequence or an invisible formatting character.
 *
 * What is not harmless becomes visible, and a backslash itself is doubled so that the result is
 * unambiguous:
 *     bytes 0x01-0x1f, 0x7f, and bytes that are not valid UTF-8     \xNN
 *     C1 controls, bidi controls, zero-width and other format characters, line and paragraph
 *     separators, private use, noncharacters, variation selectors, tags   \u{NNNN}
 * Everything else is copied. (JSON has quoting of its own, which is jansson's business; bytes
 * that are not UTF-8 must go through here before jansson will take them.)
 */
#ifndef IPCTAP_BASE_ESCAPE_H
#define IPCTAP_BASE_ESCAPE_H

#include <stddef.h>

/*
 * Reads `src` up to its NUL or `src_max` bytes (SIZE_MAX: up to its NUL), writes at most dst_size
 * bytes with the NUL, cutting between characters, never inside one or inside an escape. Always
 * terminates when dst_size > 0. Returns the length written, without the NUL.
 */
size_t escape_text(char *dst, size_t dst_size, const char *src, size_t src_max);

/* Bytes that suffice for any text of n bytes, with the NUL. */
#define ESCAPE_SIZE(n) (4 * (size_t)(n) + 1)

#endif
