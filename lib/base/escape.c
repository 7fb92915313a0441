// SPDX-License-Identifier: GPL-2.0-or-later
#include "escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Code points that are valid text but act on the terminal or the reader instead of being seen. */
static const struct {
	uint32_t first, last;
} invisible[] = {
    {0x0001, 0x001f},    /* C0 controls */
    {0x007f, 0x009f},    /* DEL and the C1 controls, U+009B being CSI */
    {0x00ad, 0x00ad},    /* soft hyphen */
    {0x034f, 0x034f},    /* combining grapheme joiner */
    {0x061c, 0x061c},    /* Arabic letter mark: bidi */
    {0x115f, 0x1160},    /* Hangul fillers */
    {0x17b4, 0x17b5},    /* Khmer inherent vowels: no glyph */
    {0x180b, 0x180f},    /* Mongolian selectors and vowel separator */
    {0x200b, 0x200f},    /* zero width, and the left-to-right and right-to-left marks */
    {0x2028, 0x202e},    /* line and paragraph separators, bidi embeddings and overrides */
    {0x2060, 0x206f},    /* word joiner, invisible operators, bidi isolates */
    {0x3164, 0x3164},    /* Hangul filler */
    {0xe000, 0xf8ff},    /* private use: whatever the font says */
    {0xfdd0, 0xfdef},    /* noncharacters */
    {0xfe00, 0xfe0f},    /* variation selectors */
    {0xfeff, 0xfeff},    /* byte order mark */
    {0xffa0, 0xffa0},    /* half-width Hangul filler */
    {0xfff0, 0xfffb},    /* interlinear annotation, unassigned specials */
    {0x1bca0, 0x1bca3},  /* shorthand format controls */
    {0x1d173, 0x1d17a},  /* musical format controls */
    {0xe0000, 0x10ffff}, /* tags, more selectors, private planes */
};

static bool is_invisible(uint32_t code)
{
	if ((code & 0xfffe) == 0xfffe)
		return true; /* the last two of every plane are noncharacters */
	size_t lo = 0, hi = sizeof(invisible) / sizeof(invisible[0]);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (code > invisible[mid].last)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < sizeof(invisible) / sizeof(invisible[0]) && code >= invisible[lo].first;
}

/*
 * The length of the UTF-8 character at s (RFC 3629: shortest form, no surrogates, at most
 * U+10FFFF), or 0 when there is none. A NUL ends any character, so nothing past it is read.
 */
static size_t utf8_decode(const unsigned char *s, size_t avail, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = s[0] < 0x80       ? 1
		     : s[0] >> 5 == 6  ? 2
		     : s[0] >> 4 == 14 ? 3
		     : s[0] >> 3 == 30 ? 4
				       : 0;
	if (len == 0 || len > avail)
		return 0;
	*code = len == 1 ? s[0] : s[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	if (*code < smallest[len] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return len;
}

/* What to show for the character at s: its text in out[16]; returns the bytes of s it stands for.
 */
static size_t escape_one(const unsigned char *s, size_t avail, char out[16])
{
	uint32_t code = 0;
	size_t len = utf8_decode(s, avail, &code);
	if (len == 0 || (len == 1 && is_invisible(code))) {
		snprintf(out, 16, "\\x%02X", s[0]);
		return 1;
	}
	if (is_invisible(code)) {
		snprintf(out, 16, "\\u{%X}", code);
	} else if (code == '\\') {
		memcpy(out, "\\\\", 3);
	} else {
		memcpy(out, s, len);
		out[len] = '\0';
	}
	return len;
}

size_t escape_text(char *dst, size_t dst_size, const char *src, size_t src_max)
{
	if (dst_size == 0)
		return 0;
	const unsigned char *s = (const unsigned char *)src;
	size_t avail = strnlen(src, src_max), n = 0;
	while (avail > 0) {
		char out[16];
		/* nearly all of nearly every text */
		while (avail > 0 && *s >= ' ' && *s < 0x7f && *s != '\\' && n + 1 < dst_size) {
			dst[n++] = (char)*s++;
			avail--;
		}
		if (avail == 0)
			break;
		size_t used = escape_one(s, avail, out), len = strlen(out);
		if (n + len >= dst_size)
			break;
		memcpy(dst + n, out, len);
		n += len;
		s += used;
		avail -= used;
	}
	dst[n] = '\0';
	return n;
}
