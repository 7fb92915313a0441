// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/tui/place.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "12" or "12.5"; false: no number begins here. strtod would take more than people mean by one. */
static bool read_number(const char **text, double *value)
{
	const char *p = *text;
	double scale = 0.1;

	if (!is_digit(*p))
		return false;
	for (*value = 0; is_digit(*p); p++)
		*value = *value * 10 + (*p - '0');
	if (*p == '.')
		for (p++; is_digit(*p); p++, scale /= 10)
			*value += (*p - '0') * scale;
	*text = p;
	return true;
}

static bool read_unit(const char **text, double *ns)
{
	static const struct {
		const char *word;
		double ns;
	} units[] = { { "ns", 1 },    { "us", 1e3 },   { "ms", 1e6 }, { "s", 1e9 },
		      { "m", 60e9 }, { "h", 3600e9 }, { "", 1e9 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		size_t n = strlen(units[i].word);
		char next = strncmp(*text, units[i].word, n) == 0 ? (*text)[n] : 'x';

		if (next != '\0' && !is_digit(next))
			continue;
		*ns = units[i].ns;
		*text += n;
		return n > 0 || next == '\0';
	}
	return false;
}

/* "2m30s", "12.5" */
static bool read_duration(const char *text, double *ns)
{
	double number, unit;

	*ns = 0;
	do {
		if (!read_number(&text, &number) || !read_unit(&text, &unit))
			return false;
		*ns += number * unit;
	} while (*text);
	return true;
}

/* "14:03:22.5": the first time that the clock showed so, from the trace's beginning on. */
static bool read_wall(const char *text, const struct place_of *of, double *since_ns)
{
	double h, m, s, of_day;
	int64_t first;
	time_t seconds;
	struct tm tm;

	if (!read_number(&text, &h) || *text++ != ':' || !read_number(&text, &m) ||
	    *text++ != ':' || !read_number(&text, &s) || *text || h >= 24 || m >= 60 || s >= 61)
		return false;
	if (__builtin_add_overflow((int64_t)(of->first_ns & INT64_MAX), of->wall_ns, &first))
		return false;
	seconds = (time_t)(first / NS_PER_S);
	localtime_r(&seconds, &tm);
	of_day = (tm.tm_hour * 3600.0 + tm.tm_min * 60.0 + tm.tm_sec) * 1e9 +
		 (double)(first % NS_PER_S);
	*since_ns = (h * 3600 + m * 60 + s) * 1e9 - of_day;
	if (*since_ns < -12 * 3600e9) /* past midnight */
		*since_ns += 24 * 3600e9;
	return true;
}

static uint64_t within(const struct place_of *of, double t_ns)
{
	if (!(t_ns > 0))
		return of->first_ns;
	if (t_ns >= (double)(of->last_ns - of->first_ns))
		return of->last_ns;
	return of->first_ns + (uint64_t)t_ns;
}

static bool read_seq(const char *text, const struct place_of *of, struct place *out)
{
	char *end;

	errno = 0;
	out->seq = is_digit(*text) ? strtoull(text, &end, 10) : 0;
	if (!out->seq || *end || errno)
		return false;
	if (out->seq > of->events)
		out->seq = of->events;
	return true;
}

static bool parse(struct place *out, const char *text, const struct place_of *of)
{
	double now = (double)(of->now_ns - of->first_ns), ns;
	const char *end = text;

	*out = (struct place){ 0 };
	if (*text == '#')
		return read_seq(text + 1, of, out);
	if (strcmp(text, "start") == 0 || strcmp(text, "end") == 0) {
		out->t_ns = *text == 's' ? of->first_ns : of->last_ns;
		return true;
	}
	if (read_number(&end, &ns) && strcmp(end, "%") == 0)
		ns = ns / 100 * (double)(of->last_ns - of->first_ns);
	else if (strchr(text, ':') ? !read_wall(text, of, &ns) :
				     !read_duration(text + (*text == '+' || *text == '-'), &ns))
		return false;
	if (*text == '+' || *text == '-')
		ns = now + (*text == '+' ? ns : -ns);
	out->t_ns = within(of, ns);
	return true;
}

int place_parse(struct place *out, const char *text, const struct place_of *of, struct fail *fail)
{
	if (parse(out, text, of))
		return 0;
	fail_set(fail, 0, "write it as " PLACE_HELP, "'%.60s' is no place in a trace", text);
	return -EINVAL;
}
