// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Anonymous pipes: who holds which end. (pipe_io.c: what goes through.)
 *
 * A fork must never look as if the last writer had gone: the parent may close its end before the
 * child has run a single instruction. So the parent takes the child's row before it forks, in its
 * own name, and waits until the child has made it its own.
 */
#include "pipe.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#define ADOPTION_NS 1000000000ll /* a child that has not run by then was killed, or fork failed */

static pthread_mutex_t ends_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ripc_pipe_end *ends;

/* ---- who holds an end ---- */

static int take_row(struct pipe_body *b, int side)
{
	ripc_id me = ripc_self_id();

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < RIPC_PIPE_PROCESSES; i++) {
			ripc_id was = atomic_load(&b->side[side].holders[i]);

			/* only when the table is full are the dead looked for */
			if (was && (round == 0 || ripc_id_is_alive(was)))
				continue;
			if (atomic_compare_exchange_strong(&b->side[side].holders[i], &was, me))
				return i;
		}
	}
	return -EUSERS;
}

static void give_row(struct ripc_pipe_end *e)
{
	if (e->row >= 0)
		atomic_store(&e->body->side[e->side].holders[e->row], 0);
	e->row = -1;
	/* the other side may be waiting for just this */
	ripc_gate_wake(&e->body->side[!e->side].gate, INT_MAX);
}

/* ---- fork ---- */

static void fork_prepare(void)
{
	pthread_mutex_lock(&ends_lock);
	for (struct ripc_pipe_end *e = ends; e; e = e->next)
		e->forked_row = e->row < 0 ? -1 : take_row(e->body, e->side);
}

/* Whether the child has put its own id over ours. */
static int is_adopted(void *arg)
{
	const struct ripc_pipe_end *e = arg;

	return atomic_load(&e->body->side[e->side].holders[e->forked_row]) != ripc_self_id();
}

static void fork_parent(void)
{
	int64_t until = ripc_deadline_in(ADOPTION_NS);

	for (struct ripc_pipe_end *e = ends; e; e = e->next) {
		ripc_id me = ripc_self_id();

		if (e->forked_row < 0)
			continue;
		if (ripc_gate_wait(&e->body->side[e->side].gate, is_adopted, e, until) < 0)
			atomic_compare_exchange_strong(
				&e->body->side[e->side].holders[e->forked_row], &me, 0);
		e->forked_row = -1;
	}
	pthread_mutex_unlock(&ends_lock);
}

/* Runs after the core's handler, since ours are registered later: the id is the child's. */
static void fork_child(void)
{
	for (struct ripc_pipe_end *e = ends; e; e = e->next) {
		e->row = e->forked_row;
		e->forked_row = -1;
		if (e->row < 0)
			continue;
		atomic_store(&e->body->side[e->side].holders[e->row], ripc_self_id());
		ripc_gate_wake(&e->body->side[e->side].gate, INT_MAX);
	}
	pthread_mutex_unlock(&ends_lock);
}

static void register_fork(void) { pthread_atfork(fork_prepare, fork_parent, fork_child); }

/* ---- ends ---- */

static int end_new(struct ripc_pipe_end **result, struct pipe_share *share, uint64_t size, int side)
{
	struct ripc_pipe_end *e = calloc(1, sizeof(*e));
	int row;

	if (!e)
		return -ENOMEM;
	e->share = share;
	e->body = share->object->body;
	e->size = size;
	e->side = side;
	e->forked_row = -1;
	pthread_mutex_lock(&ends_lock);
	e->row = row = take_row(e->body, side);
	if (row >= 0) {
		share->ends++;
		e->next = ends;
		e->link = &ends;
		if (ends)
			ends->link = &e->next;
		ends = e;
	}
	pthread_mutex_unlock(&ends_lock);
	if (row < 0) {
		free(e);
		return row;
	}
	*result = e;
	return 0;
}

void ripc_pipe_close(struct ripc_pipe_end *end)
{
	struct pipe_share *share;
	bool last;

	if (!end)
		return;
	share = end->share;
	pthread_mutex_lock(&ends_lock);
	*end->link = end->next;
	if (end->next)
		end->next->link = end->link;
	give_row(end);
	last = --share->ends == 0;
	pthread_mutex_unlock(&ends_lock);
	if (last) {
		ripc_object_close(share->object);
		free(share);
	}
	free(end);
}

static int init_body(void *body, size_t bytes, void *arg)
{
	(void)bytes;
	((struct pipe_body *)body)->size = *(const uint64_t *)arg;
	return 0;
}

int ripc_pipe_create(struct ripc_pipe_end **reader, struct ripc_pipe_end **writer, size_t bytes)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint64_t size = bytes ? (bytes + RIPC_PIPE_BUF - 1) / RIPC_PIPE_BUF * RIPC_PIPE_BUF
			      : RIPC_PIPE_DEFAULT;
	struct ripc_spec spec = {
	    .type = RIPC_TYPE_PIPE,
	    .body_bytes = sizeof(struct pipe_body) + size,
	    .init = init_body,
	    .arg = &size,
	};
	struct pipe_share *share;
	int err;

	if (bytes > RIPC_PIPE_MAX)
		return -EINVAL;
	pthread_once(&once, register_fork);
	share = calloc(1, sizeof(*share));
	if (!share)
		return -ENOMEM;
	err = ripc_object_open(&share->object, &spec, RIPC_CREATE);
	if (err < 0) {
		free(share);
		return err;
	}
	share->ends = 1; /* until both are there */
	err = end_new(reader, share, size, READ_END);
	if (!err) {
		err = end_new(writer, share, size, WRITE_END);
		share->ends--;
		if (err)
			ripc_pipe_close(*reader);
	} else {
		ripc_object_close(share->object);
		free(share);
	}
	return err;
}

int ripc_pipe_dup(struct ripc_pipe_end **copy, struct ripc_pipe_end *end)
{
	int err = end_new(copy, end->share, end->size, end->side);

	if (!err)
		(*copy)->nonblock = end->nonblock;
	return err;
}

void ripc_pipe_set_nonblock(struct ripc_pipe_end *end, bool nonblock) { end->nonblock = nonblock; }
