/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What bench_ripc.c asks of a way to carry messages. Two channels each: there, and back.
 *
 * A message has a long in front of it, which carriers with a message type may read and write: so
 * that none has to copy a message where a user of it would not.
 */
#ifndef RIPC_TESTS_BENCH_H
#define RIPC_TESTS_BENCH_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum bench_channel { BENCH_THERE, BENCH_BACK, BENCH_CHANNELS };

struct bench_carrier {
	const char *name;
	/* before fork, with room for depth messages if it can; 0, or not possible (size, machine) */
	int (*open)(size_t bytes, unsigned depth);
	/* whole messages; 0, or an error that ends the run */
	int (*send)(int channel, const void *message, size_t bytes);
	int (*receive)(int channel, void *message, size_t bytes);
	void (*close)(void);
	int senders_max; /* 0: any number */
};

/* libripc's first, then the others, then what none can beat; bench_carriers.c, bench_bare.c */
#define BENCH_OURS 3
#define BENCH_MOST 9
extern const struct bench_carrier bench_ours[BENCH_OURS];
extern const struct bench_carrier bench_kernels[];
extern const int bench_nkernels;
extern const struct bench_carrier bench_boost; /* bench_boost.cc, where the header is installed */
extern const struct bench_carrier bench_bare;

/*
 * Uncontended locks: each taken and given back, the nanoseconds of that, over rounds in turns.
 * libripc's critical section and semaphore, then the C library's.
 */
#define BENCH_LOCKS 5
#define BENCH_ROUNDS_MAX 101
enum bench_lock { BENCH_CS, BENCH_SEM, BENCH_MUTEX };
extern const char *const bench_lock_names[BENCH_LOCKS];
void bench_locks(int rounds, double ns[BENCH_LOCKS][BENCH_ROUNDS_MAX]);

#ifdef __cplusplus
}
#endif
#endif
