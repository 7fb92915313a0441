// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers as people read them; see units.h. */
#include "ui/tui/units.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* What printf("%.*f%s") writes of a small number that is not negative, in a tenth of the time. */
static void put(char buf[UNITS_SIZE], double v, int decimals, const char *suffix)
{
	static const unsigned int scales[] = { 1, 10, 100 };
	unsigned long n = (unsigned long)lrint(v * scales[decimals]); /* halves to even, as printf does */
	char digits[24], *at = digits + sizeof(digits);
	size_t len;

	for (int i = 0; i <= decimals || n; i++, n /= 10) {
		if (decimals && i == decimals)
			*--at = '.';
		*--at = (char)('0' + n % 10);
	}
	len = (size_t)(digits + sizeof(digits) - at);
	if (len > UNITS_SIZE - 3)
		len = UNITS_SIZE - 3;
	memcpy(buf, at, len);
	memcpy(buf + len, suffix, strlen(suffix) + 1);
}

/*
 * Three significant digits. The limits are where %.1f and %.0f would round up to one more digit, so
 * that 999.7 becomes 1.0k and not 1000.
 */
static const char *scaled(char buf[UNITS_SIZE], double v, double base, const char *suffixes)
{
	char suffix[2] = "";

	if (v == 0) /* most are */
		return memcpy(buf, "0", 2);
	if (v > 0 && v < 0.995) {
		put(buf, v < 0.01 ? 0.01 : v, 2, "");
		return buf;
	}
	while (v >= 999.5 && suffixes[1]) {
		v /= base;
		suffixes++;
	}
	suffix[0] = *suffixes == ' ' ? '\0' : *suffixes;
	put(buf, v, suffix[0] && v < 99.95, suffix);
	return buf;
}

const char *units_count(char buf[UNITS_SIZE], double count)
{
	return scaled(buf, count, 1000, " kMGTPE");
}

const char *units_bytes(char buf[UNITS_SIZE], double bytes)
{
	return scaled(buf, bytes, 1024, " KMGTPE");
}

const char *units_time(char buf[UNITS_SIZE], uint64_t ns)
{
	static const struct {
		const char *suffix;
		double ns;
	} units[] = { { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 } };
	uint64_t s = ns / 1000000000;

	if (ns < 1000) {
		snprintf(buf, UNITS_SIZE, "%uns", (unsigned int)ns);
		return buf;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		double v = (double)ns / units[i].ns;

		if (v >= (i == 2 ? 99.95 : 999.5))
			continue;
		put(buf, v, v < 9.995 ? 2 : v < 99.95, units[i].suffix);
		return buf;
	}
	if (s < 3600)
		snprintf(buf, UNITS_SIZE, "%um%02us", (unsigned int)(s / 60), (unsigned int)(s % 60));
	else if (s < 86400)
		snprintf(buf, UNITS_SIZE, "%uh%02um", (unsigned int)(s / 3600),
			 (unsigned int)(s / 60 % 60));
	else if (s < 100 * 86400)
		snprintf(buf, UNITS_SIZE, "%ud%02uh", (unsigned int)(s / 86400),
			 (unsigned int)(s / 3600 % 24));
	else
		snprintf(buf, UNITS_SIZE, "%ud", (unsigned int)(s / 86400));
	return buf;
}

const char *units_share(char buf[UNITS_SIZE], double share)
{
	snprintf(buf, UNITS_SIZE, "%.0f%%", share * 100);
	return buf;
}

const char *units_part(char buf[UNITS_SIZE], double share)
{
	return units_share(buf, share > 0.99 && share < 1 ? 0.99 : share);
}
