/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writer, private to lib/store: a queue of batches between the sink and one thread, the only
 * one that touches the database from the end of store_create on.
 *
 *   sink --> fill --(full, or 50 ms old)--> queue --> thread: rows, in one transaction
 *                                                      or, when more than a few wait: blobs
 *
 * The sink never waits for the disk. When even blobs are too slow and `memory_cap` bytes wait,
 * operations are dropped and counted in an EV_LOST of cause store-queue, which travels with the
 * rest and stands where they would have been.
 */
#ifndef IPCTAP_STORE_WRITER_H
#define IPCTAP_STORE_WRITER_H

#include <pthread.h>

#include "batch.h"
#include "rows.h"
#include "store.h"

/* Knobs that tests turn; everybody else has store_tuning_default. */
struct store_tuning {
	size_t batch_bytes;   /* room for records in a batch */
	size_t memory_cap;    /* bytes of batches that may wait */
	unsigned int backlog; /* more batches than this waiting at once become blobs */
	unsigned int slow_us; /* pretend that a transaction takes so much longer */
	bool keep_spilled;    /* never expand blobs before store_finish */
};
extern const struct store_tuning store_tuning_default;

struct store {
	struct sink sink;
	char *path;  /* as SQLite is given it */
	char *name;  /* as the user gave it, for messages */
	int fd;      /* of the trace: its flock says that the recorder is alive */
	sqlite3 *db; /* the thread's, once it runs */
	struct rows rows;
	bool spilled_now; /* there are blobs; the thread's */

	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* guards everything below */
	pthread_cond_t wake;
	struct store_tuning tuning;
	struct batch *fill, *queue, **queue_tail, *spare;
	unsigned int queued;
	size_t held_bytes;    /* of all batches that are not yet written */
	struct ev_lost *lost; /* in `fill`: counts what is being dropped now; or NULL */
	uint64_t seq;         /* of the next event */
	const struct model *followed; /* in step with the stream; NULL: no keyframes */
	uint64_t keyframe_due;        /* when seq has come so far */
	uint64_t last_ns;             /* the latest time that an event told */
	bool closing, finish;
	const struct model *model;
	void (*tell)(void *arg, double done); /* of store_finish_telling; or NULL */
	void *tell_arg;
	uint64_t rows_made; /* EV_IO that are rows */
	int err; /* the thread's first error; the batches from there on are not kept */
	bool err_told;
	struct fail fail;
	struct store_stats stats;
};

/* Starts the thread of a store whose database is open and whose rows are ready. */
int writer_start(struct store *s);
/* Ends it: everything that waits is written, and with `finish` the trace completed. */
int writer_stop(struct store *s, bool finish, const struct model *m);

void store_tune(struct store *s, const struct store_tuning *t);

#endif
