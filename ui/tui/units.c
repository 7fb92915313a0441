// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers as people read them; see units.h. */
#include "ui/tui/units.h"

#include <stddef.h>
#include <stdio.h>

/*
 * Three significant digits. The limits are where %.1f and %.0f would round up to one more digit, so
 * that 999.7 becomes 1.0k and not 1000.
 */
static const char *scaled(char buf[UNITS_SIZE], double v, double base, const char *suffixes)
{
	if (v > 0 && v < 0.995) {
		snprintf(buf, UNITS_SIZE, "%.2f", v < 0.01 ? 0.01 : v);
		return buf;
	}
	while (v >= 999.5 && suffixes[1]) {
		v /= base;
		suffixes++;
	}
	if (*suffixes == ' ')
		snprintf(buf, UNITS_SIZE, "%.0f", v);
	else
		snprintf(buf, UNITS_SIZE, "%.*f%c", v < 99.95, v, *suffixes);
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
		snprintf(buf, UNITS_SIZE, "%.*f%s", v < 9.995 ? 2 : v < 99.95, v, units[i].suffix);
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
