/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clocks of all times in ipctap: nanoseconds since boot, and what to add for the time of day. */
#ifndef IPCTAP_BASE_CLOCK_H
#define IPCTAP_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

static inline uint64_t clock_read_ns(clockid_t clock)
{
	struct timespec ts;
	clock_gettime(clock, &ts);
	return (uint64_t)(ts.tv_sec * NS_PER_S + ts.tv_nsec);
}

/* CLOCK_MONOTONIC, as in every event. */
static inline uint64_t clock_now_ns(void) { return clock_read_ns(CLOCK_MONOTONIC); }

/* CLOCK_REALTIME - CLOCK_MONOTONIC, now. */
static inline int64_t clock_base_ns(void)
{
	return (int64_t)(clock_read_ns(CLOCK_REALTIME) - clock_now_ns());
}

#endif
