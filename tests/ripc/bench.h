// SPDX-License-Identifier: GPL-2.0-or-later
/* What bench_ripc.c asks of a way to carry messages. Two channels each: there, and back. */
#ifndef RIPC_TESTS_BENCH_H
#define RIPC_TESTS_BENCH_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum bench_channel { BENCH_THERE, BENCH_BACK, BENCH_CHANNELS };

struct bench_carrier {
	const char *name;
	/* before fork; 0, or not possible (this size, this machine) */
	int (*open)(size_t bytes, unsigned depth);
	/* whole messages; 0, or an error that ends the run */
	int (*send)(int channel, const void *message, size_t bytes);
	int (*receive)(int channel, void *message, size_t bytes);
	void (*close)(void);
};

/* libripc's first, then the others; bench_carriers.c */
#define BENCH_OURS 3
#define BENCH_MOST 8
extern const struct bench_carrier bench_ours[BENCH_OURS];
extern const struct bench_carrier bench_kernels[];
extern const int bench_nkernels;
extern const struct bench_carrier bench_boost; /* bench_boost.cc, where the header is installed */

#ifdef __cplusplus
}
#endif
#endif
