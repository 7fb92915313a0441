// SPDX-License-Identifier: GPL-2.0-or-later
#include "wall.h"
#include "lib/base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>


int64_t wall_offset_ns(struct trace *trace)
{
	const char *text;
	char *end;
	int64_t offset;

	if (!trace)
		return clock_base_ns();
	text = trace_meta(trace, "clock_base_ns");
	if (!text)
		return 0;
	errno = 0;
	offset = strtoll(text, &end, 10);
	return errno || end == text || *end || offset < 0 ? 0 : offset;
}

const char *wall_text(char buf[static WALL_SIZE], uint64_t t_ns, int64_t offset_ns)
{
	int64_t ns = (int64_t)(t_ns & INT64_MAX);
	struct tm tm = { 0 };
	time_t s;

	if (__builtin_add_overflow(ns, offset_ns, &ns)) /* a hostile trace */
		ns = 0;
	s = (time_t)(ns / NS_PER_S);
	localtime_r(&s, &tm);
	snprintf(buf, WALL_SIZE, "%02d:%02d:%02d.%09" PRId64, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 ns % NS_PER_S);
	return buf;
}
