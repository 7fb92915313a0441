// SPDX-License-Identifier: GPL-2.0-or-later
#include "writer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "db.h"
#include "finish.h"
#include "keyframes.h"
#include "spill.h"
#include "lib/base/clock.h"

/* How old an event may be when its batch is taken: a quarter of what may be lost. */
#define FLUSH_NS 50000000ull

const struct store_tuning store_tuning_default = {
    .batch_bytes = 16384 * sizeof(struct ev_io), /* small enough to stay in a core's cache */
    .memory_cap = 256u << 20,
    .backlog = 4,
};

static struct timespec to_timespec(uint64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S),
				 .tv_nsec = (long)(ns % NS_PER_S)};
}

/* ---- the sink's side; every function with s->lock held ---- */

static void queue_fill(struct store *s)
{
	*s->queue_tail = s->fill;
	s->queue_tail = &s->fill->next;
	s->queued++;
	s->fill = NULL;
	s->lost = NULL;
	pthread_cond_signal(&s->wake);
}

static int new_fill(struct store *s)
{
	struct batch *b = s->spare;
	if (b) {
		s->spare = b->next;
		batch_clear(b);
	} else {
		size_t room = s->tuning.batch_bytes;
		b = batch_new(room > UINT16_MAX ? room : UINT16_MAX + 1); /* any record fits */
	}
	if (!b)
		return -ENOMEM;
	b->seq = s->seq;
	b->born_ns = clock_now_ns();
	s->held_bytes += b->capacity;
	s->fill = b;
	pthread_cond_signal(&s->wake); /* now there is something to wait for */
	return 0;
}

static int append(struct store *s, const struct ev_hdr *ev, struct ev_hdr **at)
{
	if (!s->fill || !batch_add(s->fill, ev, at)) {
		if (s->fill)
			queue_fill(s);
		int rc = new_fill(s);
		if (rc)
			return rc;
		batch_add(s->fill, ev, at);
	}
	s->seq++;
	return 0;
}

/* One that is not kept is counted in place, or begins a count. */
static int drop(struct store *s, uint64_t t_ns, enum ipctap_loss cause)
{
	s->followed = NULL; /* it has what the trace has not, from here on */
	if (s->lost && s->lost->cause == cause) {
		s->lost->count++;
		return 0;
	}
	struct ev_lost lost = lost_event(t_ns, cause, 1);
	struct ev_hdr *at = NULL;
	int rc = append(s, &lost.hdr, &at);
	if (rc == 0)
		s->lost = (struct ev_lost *)at;
	return rc;
}

static int take(struct store *s, const struct ev_hdr *ev)
{
	if (s->err) {
		s->stats.lost += ev->type == EV_IO;
		bool first = !s->err_told;
		s->err_told = true;
		return first ? s->err : 0;
	}
	if (!event_is_valid(ev, ev->size))
		return drop(s, ev->t_ns, LOST_BAD_RECORD);
	if (ev->type != EV_IO)
		return append(s, ev, NULL);
	if (s->held_bytes >= s->tuning.memory_cap) {
		s->stats.lost++;
		return drop(s, ev->t_ns, LOST_STORE_QUEUE);
	}
	int rc = append(s, ev, NULL);
	s->stats.events += rc == 0;
	return rc;
}

/* The batch ends here: a keyframe stands behind the last event of one. */
static void take_keyframe(struct store *s)
{
	s->keyframe_due = s->seq + KEYFRAME_EVENTS;
	s->fill->keyframe = keyframe_blob_new(s->followed, s->last_ns);
	if (!s->fill->keyframe)
		return;
	s->keyframe_due = s->seq + keyframe_distance(s->fill->keyframe->size);
	queue_fill(s);
}

void store_follow(struct store *s, const struct model *m)
{
	pthread_mutex_lock(&s->lock);
	s->followed = m;
	s->keyframe_due = s->seq + KEYFRAME_EVENTS;
	pthread_mutex_unlock(&s->lock);
}

static int store_event(struct sink *self, const struct ev_hdr *ev)
{
	struct store *s = (struct store *)self;
	pthread_mutex_lock(&s->lock);
	int rc = take(s, ev);
	if (event_tells_time(ev) && ev->t_ns > s->last_ns)
		s->last_ns = ev->t_ns;
	if (s->followed && s->seq >= s->keyframe_due && !s->err && s->fill)
		take_keyframe(s);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* ---- the thread ---- */

static int write_batches(struct store *s, const struct batch *chain, bool as_blobs)
{
	int rc = db_exec(s->db, "BEGIN IMMEDIATE");
	for (const struct batch *b = chain; rc == 0 && b; b = b->next) {
		rc = as_blobs ? spill_put(s->db, b) : rows_write(&s->rows, b);
		if (rc == 0 && b->keyframe)
			rc = keyframes_put(s->db, b->seq + b->n - 1, b->keyframe);
	}
	if (rc == 0 && !as_blobs)
		rc = rows_save_totals(&s->rows);
	if (rc == 0)
		rc = db_exec(s->db, "COMMIT");
	if (rc)
		db_rollback(s->db);
	return rc;
}

/* Somebody deleted or replaced the file: what we write would be gone when we close it. */
static int check_still_there(const struct store *s)
{
	struct stat ours, named;
	if (stat(s->path, &named))
		return errno == ENOENT ? -ENOENT : 0;
	if (fstat(s->fd, &ours))
		return -errno;
	return ours.st_ino == named.st_ino && ours.st_dev == named.st_dev ? 0 : -ENOENT;
}

/* Gives batches back, and counts what they held when they could not be written. */
static void retire(struct store *s, struct batch *chain, int err, bool as_blobs)
{
	pthread_mutex_lock(&s->lock);
	if (err && !s->err)
		s->err = err;
	for (struct batch *b = chain, *next; b; b = next) {
		next = b->next;
		if (s->err) {
			s->stats.events -= b->nio;
			s->stats.lost += b->nio;
		} else if (as_blobs) {
			s->stats.spilled += b->nio;
		}
		s->held_bytes -= b->capacity;
		if (s->spare && s->spare->next) { /* two are enough to go on with */
			batch_free(b);
			continue;
		}
		batch_clear(b);
		b->next = s->spare;
		s->spare = b;
	}
	pthread_mutex_unlock(&s->lock);
}

static void write_chain(struct store *s, struct batch *chain, unsigned int n)
{
	bool as_blobs = s->spilled_now || n > s->tuning.backlog;
	int rc = s->err ? s->err : check_still_there(s);
	if (rc == 0)
		rc = write_batches(s, chain, as_blobs);
	if (rc == 0 && as_blobs)
		s->spilled_now = true;
	if (s->tuning.slow_us)
		usleep(s->tuning.slow_us);
	retire(s, chain, rc, as_blobs);
}

static void expand_one(struct store *s)
{
	int rc = s->err ? s->err : spill_expand(&s->rows);
	if (rc <= 0)
		s->spilled_now = false;
	if (rc < 0)
		retire(s, NULL, rc, false);
	pthread_mutex_lock(&s->lock);
	s->rows_made = s->rows.events;
	pthread_mutex_unlock(&s->lock);
}

static bool is_due(const struct store *s)
{
	return s->fill && (s->closing || clock_now_ns() - s->fill->born_ns >= FLUSH_NS);
}

/*
 * Waits for work. Returns all batches that wait, or NULL: expand a blob, or, when there is none
 * left (`*done`), end.
 */
static struct batch *next_work(struct store *s, unsigned int *n, bool *done)
{
	pthread_mutex_lock(&s->lock);
	while (!s->queue && !is_due(s) && !s->closing) {
		if (s->spilled_now && !s->tuning.keep_spilled)
			break;
		if (s->fill) {
			struct timespec until = to_timespec(s->fill->born_ns + FLUSH_NS);
			pthread_cond_timedwait(&s->wake, &s->lock, &until);
		} else {
			pthread_cond_wait(&s->wake, &s->lock);
		}
	}
	if (is_due(s))
		queue_fill(s);
	struct batch *chain = s->queue;
	*n = s->queued;
	s->queue = NULL;
	s->queue_tail = &s->queue;
	s->queued = 0;
	*done = !chain && s->closing && !(s->spilled_now && s->finish);
	pthread_mutex_unlock(&s->lock);
	return chain;
}

static void close_database(struct store *s)
{
	rows_release(&s->rows);
	/* SQLite leaves the -wal of a file alone that took our file's place */
	sqlite3_close(s->db);
	s->db = NULL;
}

static void *writer_main(void *arg)
{
	struct store *s = arg;
	unsigned int n;
	bool done = false;
	while (!done) {
		struct batch *chain = next_work(s, &n, &done);
		if (chain)
			write_chain(s, chain, n);
		else if (!done && s->spilled_now)
			expand_one(s);
	}
	int rc = s->err ? s->err : check_still_there(s);
	if (rc == 0 && s->finish)
		rc = finish_trace(s->db, s->model, s->rows.activity);
	if (rc)
		retire(s, NULL, rc, false);
	close_database(s);
	return NULL;
}

int writer_start(struct store *s)
{
	s->sink.event = store_event;
	s->queue_tail = &s->queue;
	s->tuning = store_tuning_default;
	s->seq = 1;
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&s->lock, NULL);

	/* signals are the main thread's; this includes SIGXFSZ, which then is EFBIG and no more */
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = -pthread_create(&s->thread, NULL, writer_main, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	s->running = rc == 0;
	return rc;
}

static void free_batches(struct batch *b)
{
	for (struct batch *next; b; b = next) {
		next = b->next;
		batch_free(b);
	}
}

/* Much that was spilled takes its time. */
static void await_writer(struct store *s)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	while (s->tell) {
		until.tv_sec++;
		if (pthread_clockjoin_np(s->thread, NULL, CLOCK_MONOTONIC, &until) == 0)
			return;
		pthread_mutex_lock(&s->lock);
		double done = s->stats.events ? (double)s->rows_made / (double)s->stats.events : 1;
		pthread_mutex_unlock(&s->lock);
		s->tell(s->tell_arg, done < 1 ? done : 1);
	}
	pthread_join(s->thread, NULL);
}

int writer_stop(struct store *s, bool finish, const struct model *m)
{
	if (!s->running)
		return s->err;
	pthread_mutex_lock(&s->lock);
	s->closing = true;
	s->finish = finish;
	s->model = m;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	await_writer(s);
	s->running = false;
	free_batches(s->spare);
	s->spare = NULL;
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	return s->err;
}

void store_tune(struct store *s, const struct store_tuning *t)
{
	pthread_mutex_lock(&s->lock);
	s->tuning = *t;
	pthread_mutex_unlock(&s->lock);
}
