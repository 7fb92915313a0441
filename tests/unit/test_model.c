// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tasks, channels, endpoints, waits, losses, and the canonical text.
 * Long, because every rule has its story and all share the few helpers below.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/model/model.h"
#include "make_event.h"

static void tell(struct model *m, const void *ev) { assert_int_equal(model_apply(m, ev), 0); }

static char *dump(const struct model *m)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	assert_int_equal(model_dump(m, f), 0);
	fclose(f);
	return text;
}

static int count_procs(const struct model *m)
{
	int n = 0;
	for (const struct m_proc *p = model_procs(m); p; p = p->next)
		n++;
	return n;
}

static int count_endpoints(const struct model *m, uint64_t chan)
{
	int n = 0;
	for (const struct m_endpoint *e = model_chan(m, chan)->endpoints; e; e = e->next)
		n++;
	return n;
}

/* ---- tasks ---- */

static struct ev_task *started(struct ev_task *t, uint64_t start_ns)
{
	t->start_ns = start_ns;
	return t;
}

static void an_empty_model_knows_nothing(void **state)
{
	(void)state;
	struct model *m = model_new();
	assert_null(model_procs(m));
	assert_null(model_chans(m));
	assert_null(model_flows(m));
	assert_null(model_waits(m));
	assert_null(model_blocked(m));
	assert_null(model_losses(m));
	assert_null(model_proc(m, 1));
	assert_null(model_task(m, 1));
	assert_null(model_chan(m, 1));
	assert_int_equal(model_now_ns(m), 0);
	model_free(m);
	model_free(NULL);
}

static void a_fork_makes_a_process_or_a_thread(void **state)
{
	(void)state;
	struct model *m = model_new();
	struct ev_task *t = make_task(10, 5, 5, TASK_SEEN, "sh");
	strcpy(t->exe, "/bin/sh");
	strcpy(t->args, "sh -c x");
	strcpy(t->cgroup_path, "/user.slice");
	tell(m, t);
	t = make_task(20, 6, 6, TASK_FORK, "sh");
	t->ppid = 5;
	tell(m, t);
	t = make_task(30, 6, 7, TASK_FORK, "worker");
	t->ppid = 6;
	tell(m, t);
	const struct m_proc *p = model_proc(m, 6);
	assert_int_equal(p->ppid, 5);
	assert_int_equal(p->nthreads, 2);
	assert_int_equal(p->first_ns, 20);
	assert_string_equal(p->comm, "sh");
	assert_string_equal(p->exe, "/bin/sh"); /* its parent's, until it executes another */
	assert_string_equal(p->args, "sh -c x");
	assert_string_equal(p->cgroup, "/user.slice");
	assert_string_equal(model_task(m, 7)->comm, "worker");
	assert_ptr_equal(model_task(m, 7)->proc, p);
	assert_int_equal(count_procs(m), 2);
	model_free(m);
}

static void rename_changes_a_thread_and_through_its_leader_the_process(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_task(10, 5, 5, TASK_SEEN, "one"));
	tell(m, make_task(11, 5, 6, TASK_FORK, "one"));
	tell(m, make_task(12, 5, 6, TASK_RENAME, "two"));
	assert_string_equal(model_task(m, 6)->comm, "two");
	assert_string_equal(model_proc(m, 5)->comm, "one");
	tell(m, make_task(13, 5, 5, TASK_RENAME, "three"));
	assert_string_equal(model_task(m, 5)->comm, "three");
	assert_string_equal(model_proc(m, 5)->comm, "three");
	model_free(m);
}

static void exec_leaves_one_thread_and_a_new_program(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_task(10, 5, 5, TASK_SEEN, "old"));
	tell(m, make_task(11, 5, 6, TASK_FORK, "thread"));
	struct ev_task *t = make_task(20, 5, 5, TASK_EXEC, "new");
	strcpy(t->exe, "/bin/new");
	tell(m, t);
	const struct m_proc *p = model_proc(m, 5);
	assert_string_equal(p->comm, "new");
	assert_string_equal(p->exe, "/bin/new");
	assert_int_equal(p->nthreads, 1);
	assert_true(model_task(m, 6)->exited);
	assert_false(model_task(m, 5)->exited);
	assert_false(p->exited);
	assert_int_equal(count_procs(m), 1);
	model_free(m);
}

static void exec_by_another_thread_revives_the_leader(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_task(10, 5, 5, TASK_SEEN, "old"));
	tell(m, make_task(11, 5, 6, TASK_FORK, "thread"));
	tell(m, make_task(15, 5, 5, TASK_EXIT, "old"));
	tell(m, make_task(20, 5, 5, TASK_EXEC, "new"));
	assert_int_equal(model_proc(m, 5)->nthreads, 1);
	assert_false(model_task(m, 5)->exited);
	assert_true(model_task(m, 6)->exited);
	tell(m, make_write(30, 5, 0, 0));
	assert_int_equal(count_procs(m), 1);
	model_free(m);
}

static void the_last_exit_ends_the_process(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_task(10, 5, 5, TASK_SEEN, "x"));
	tell(m, make_task(11, 5, 6, TASK_FORK, "x"));
	tell(m, make_task(20, 5, 5, TASK_EXIT, "x")); /* the leader goes first */
	assert_false(model_proc(m, 5)->exited);
	assert_int_equal(model_proc(m, 5)->nthreads, 1);
	struct ev_task *t = make_task(30, 5, 6, TASK_EXIT, "x");
	t->hdr.flags = TASK_F_LAST;
	t->exit_code = 3 << 8;
	tell(m, t);
	tell(m, t); /* told twice: nothing new */
	const struct m_proc *p = model_proc(m, 5);
	assert_true(p->exited);
	assert_int_equal(p->nthreads, 0);
	assert_int_equal(p->exit_ns, 30);
	assert_int_equal(p->exit_code, 3 << 8);
	assert_int_equal(count_procs(m), 1);
	model_free(m);
}

static void a_reused_pid_is_another_process(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, started(make_task(10, 5, 5, TASK_FORK, "first"), 10));
	tell(m, make_write(12, 5, 0, 0));
	tell(m, started(make_task(50, 5, 5, TASK_FORK, "second"), 50)); /* the exit was missed */
	assert_int_equal(count_procs(m), 2);
	const struct m_proc *first = model_procs(m), *second = model_proc(m, 5);
	assert_ptr_equal(first->next, second);
	assert_true(first->exited);
	assert_int_equal(first->exit_ns, 50);
	assert_int_equal(first->count.ops, 1);
	assert_string_equal(second->comm, "second");
	assert_int_equal(second->start_ns, 50);
	tell(m, make_write(60, 5, 0, 0));
	assert_int_equal(second->count.ops, 1);
	model_free(m);
}

static void a_pid_reused_unannounced_is_noticed_by_its_exit(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_task(10, 5, 5, TASK_SEEN, "first"));
	struct ev_task *t = make_task(100, 5, 5, TASK_EXIT, "first");
	t->hdr.flags = TASK_F_LAST;
	tell(m, t);
	tell(m, make_write(105, 5, 0, 0)); /* entered at 95: its last word */
	assert_int_equal(count_procs(m), 1);
	tell(m, make_write(200, 5, 0, 0)); /* somebody else */
	assert_int_equal(count_procs(m), 2);
	assert_string_equal(model_proc(m, 5)->comm, "");
	assert_string_equal(model_procs(m)->comm, "first");
	model_free(m);
}

static void a_tid_that_moved_to_another_process_is_another_thread(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_task(10, 5, 5, TASK_SEEN, "a"));
	tell(m, make_task(10, 5, 7, TASK_FORK, "a"));
	struct ev_io *io = make_write(50, 6, 0, 0);
	io->tid = 7;
	tell(m, io);
	assert_int_equal(model_task(m, 7)->proc->pid, 6);
	assert_int_equal(model_proc(m, 5)->nthreads, 1);
	model_free(m);
}

static void a_placeholder_is_filled_in_by_the_announcement(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_write(10, 5, 0, 0));
	const struct m_proc *p = model_proc(m, 5);
	assert_string_equal(p->comm, "");
	assert_int_equal(p->start_ns, 0);
	assert_int_equal(p->nthreads, 1);
	tell(m, started(make_task(20, 5, 5, TASK_FORK, "late"), 8));
	assert_ptr_equal(model_proc(m, 5), p);
	assert_string_equal(p->comm, "late");
	assert_int_equal(p->start_ns, 8);
	tell(m, started(make_task(30, 5, 5, TASK_SEEN, "late"), 8)); /* the snapshot agrees */
	assert_int_equal(count_procs(m), 1);
	assert_int_equal(p->nthreads, 1);
	model_free(m);
}

static void a_process_seen_after_its_end_is_not_raised(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, started(make_task(10, 5, 5, TASK_FORK, "x"), 10));
	struct ev_task *t = started(make_task(20, 5, 5, TASK_EXIT, "x"), 10);
	t->hdr.flags = TASK_F_LAST;
	tell(m, t);
	tell(m, started(make_task(30, 5, 5, TASK_SEEN, "x"), 10));
	assert_int_equal(count_procs(m), 1);
	assert_true(model_proc(m, 5)->exited);
	model_free(m);
}

/* ---- counts ---- */

static void every_operation_is_counted_once(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, make_chan(2, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, make_io(10, 5, OP_PIPE2, 0, 1, 0));
	tell(m, make_write(20, 5, 1, 100));
	tell(m, make_io(30, 5, OP_SPLICE, IO_READ, 1, 100));
	tell(m, make_io(30, 5, OP_SPLICE, IO_WRITE | IO_HALF, 2, 100));
	struct ev_io *io = make_io(40, 5, OP_READ, IO_READ | IO_ERROR | IO_BLOCKED, 1, 0);
	io->ret = -4;
	io->slept_ns = 7;
	tell(m, io);
	const struct m_count *n = &model_proc(m, 5)->count;
	assert_int_equal(n->ops, 4);
	assert_int_equal(n->errors, 1);
	assert_int_equal(n->blocked, 1);
	assert_int_equal(n->slept_ns, 7);
	assert_int_equal(n->msgs_out, 2);
	assert_int_equal(n->bytes_out, 200);
	assert_int_equal(n->msgs_in, 1);
	assert_int_equal(n->bytes_in, 100);
	assert_int_equal(model_chan(m, 1)->count.ops, 4);
	assert_int_equal(model_chan(m, 2)->count.ops,
			 1); /* to its channel, a half is an operation */
	assert_int_equal(model_chan(m, 2)->count.bytes_out, 100);
	assert_int_equal(model_ops(m), 5);
	model_free(m);
}

static void channels_far_apart_are_found(void **state)
{
	(void)state;
	struct model *m = model_new();
	static const uint64_t ids[] = {1, 2, 1000, 5000, UINT64_MAX, 1ull << 40, 3};
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		tell(m, make_chan(ids[i], KIND_PIPE, SHAPE_STREAM, 0));
	for (uint64_t id = 4; id < 9000; id++) /* grows over those that came early */
		tell(m, make_chan(id, KIND_PIPE, SHAPE_STREAM, 0));
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		assert_int_equal(model_chan(m, ids[i])->id, ids[i]);
	for (uint64_t id = 1; id < 9000; id++)
		assert_int_equal(model_chan(m, id)->id, id);
	assert_null(model_chan(m, 9001));
	assert_null(model_chan(m, 0));
	int n = 0;
	for (const struct m_chan *c = model_chans(m); c; c = c->next)
		n++;
	assert_int_equal(n, 8999 + 2);
	model_free(m);
}

static void a_channel_announced_again_knows_more(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_UNIX, SHAPE_NONE, 0));
	struct ev_chan *c = make_chan(1, KIND_UNIX, SHAPE_STREAM, 1);
	strcpy(c->name, "/run/x");
	strcpy(c->ident, "unix:[1]-[2]");
	c->key = 0x1234;
	tell(m, c);
	c = make_chan(1, KIND_UNIX, SHAPE_STREAM, 1);
	c->ident[0] = '\0'; /* says nothing new: keeps what is known */
	tell(m, c);
	assert_string_equal(model_chan(m, 1)->name, "/run/x");
	assert_string_equal(model_chan(m, 1)->ident, "unix:[1]-[2]");
	assert_int_equal(model_chan(m, 1)->key, 0x1234);
	assert_int_equal(model_chan(m, 1)->shape, SHAPE_STREAM);
	assert_true(model_chan(m, 1)->duplex);
	assert_null(model_chans(m)->next);
	model_free(m);
}

static void time_spans_all_that_was_told(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_write(1000, 5, 0, 0)); /* 990 to 1010 */
	assert_int_equal(model_first_ns(m), 990);
	assert_int_equal(model_now_ns(m), 1010);
	struct ev_io *io = make_write(2000, 5, 0, 0);
	io->enter_ns = 3; /* was asleep when tracing began: stretches nothing */
	io->hdr.flags |= IO_EARLY;
	tell(m, io);
	assert_int_equal(model_first_ns(m), 990);
	assert_int_equal(model_now_ns(m), 2000);
	struct ev_hdr time = {.t_ns = 2500, .type = EV_TIME, .size = sizeof(time)};
	tell(m, &time); /* and nothing happened */
	assert_int_equal(model_now_ns(m), 2500);
	io = make_write(3000, 5, 0, 0);
	io->dur_ns = UINT64_MAX; /* nonsense, but harmless */
	tell(m, io);
	assert_int_equal(model_now_ns(m), UINT64_MAX);
	model_free(m);
}

/* ---- endpoints ---- */

static void endpoints_open_and_close(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, make_endpoint(10, 5, 1, 3, ENDPOINT_OPEN));
	tell(m, make_endpoint(10, 5, 1, 4, ENDPOINT_OPEN));
	struct ev_endpoint *found = make_endpoint(10, 5, 1, 2000, ENDPOINT_SEEN); /* a large fd */
	found->hdr.flags = EV_SYNTHETIC;
	tell(m, found);
	assert_int_equal(model_chan(m, 1)->nopen, 3);
	tell(m, make_endpoint(20, 5, 1, 3, ENDPOINT_CLOSE));
	tell(m, make_endpoint(21, 5, 1, 2000, ENDPOINT_CLOSE));
	tell(m, make_endpoint(22, 5, 1, 3, ENDPOINT_CLOSE));  /* was closed already */
	tell(m, make_endpoint(22, 99, 1, 3, ENDPOINT_CLOSE)); /* nobody knows that process */
	assert_int_equal(model_chan(m, 1)->nopen, 1);
	assert_int_equal(count_endpoints(m, 1), 3);
	const struct m_endpoint *e = model_chan(m, 1)->endpoints;
	assert_int_equal(e->fd, 3);
	assert_int_equal(e->from_ns, 10);
	assert_int_equal(e->to_ns, 20);
	assert_false(e->open);
	assert_false(e->synthetic);
	assert_true(e->next->next->synthetic);
	assert_int_equal(e->proc->pid, 5);
	assert_null(model_proc(m, 99));
	model_free(m);
}

static void a_missed_close_is_made_up_for(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, make_chan(2, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, make_endpoint(10, 5, 1, 3, ENDPOINT_OPEN));
	tell(m, make_endpoint(20, 5, 2, 3, ENDPOINT_SEEN));
	assert_int_equal(model_chan(m, 1)->nopen, 0);
	assert_int_equal(model_chan(m, 1)->endpoints->to_ns, 20);
	assert_int_equal(model_chan(m, 2)->nopen, 1);
	tell(m, make_endpoint(25, 5, 1, 3, ENDPOINT_CLOSE)); /* of the one no longer there */
	assert_int_equal(model_chan(m, 2)->nopen, 1);
	tell(m, make_endpoint(30, 5, 2, 3, ENDPOINT_SEEN)); /* again: the same */
	assert_int_equal(count_endpoints(m, 2), 1);
	model_free(m);
}

static void exit_closes_all_that_a_process_holds(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, make_chan(2, KIND_SHM, SHAPE_MEMORY, 0));
	tell(m, make_endpoint(10, 5, 1, 3, ENDPOINT_OPEN));
	tell(m, make_endpoint(10, 5, 1, 5000, ENDPOINT_OPEN));
	tell(m, make_endpoint(10, 5, 2, -1, ENDPOINT_ATTACH));
	tell(m, make_endpoint(10, 6, 1, 3, ENDPOINT_OPEN));
	struct ev_task *t = make_task(30, 5, 5, TASK_EXIT, "x");
	tell(m, t);
	assert_int_equal(model_chan(m, 1)->nopen, 3); /* of one thread only */
	t = make_task(40, 5, 5, TASK_EXIT, "x");
	t->hdr.flags = TASK_F_LAST;
	tell(m, t);
	assert_int_equal(model_chan(m, 1)->nopen, 1);
	assert_int_equal(model_chan(m, 2)->nopen, 0);
	assert_int_equal(model_chan(m, 2)->endpoints->to_ns, 40);
	model_free(m);
}

static void what_survives_an_exec_is_the_same_endpoint(void **state)
{
	(void)state;
	struct model *m = model_new();
	for (uint64_t id = 1; id <= 3; id++)
		tell(m, make_chan(id, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, make_endpoint(10, 5, 1, 3, ENDPOINT_OPEN));
	tell(m, make_endpoint(11, 5, 2, 4, ENDPOINT_OPEN)); /* close-on-exec */
	tell(m, make_endpoint(12, 5, 3, 6, ENDPOINT_OPEN)); /* not announced, but used again */
	tell(m, make_task(50, 5, 5, TASK_EXEC, "new"));
	assert_int_equal(model_chan(m, 1)->nopen, 0);
	tell(m, make_endpoint(51, 5, 1, 3, ENDPOINT_INHERIT));
	struct ev_io *io = make_read(100, 5, 3, 0);
	io->fd = 6;
	tell(m, io);
	assert_int_equal(count_endpoints(m, 1), 1);
	assert_int_equal(count_endpoints(m, 3), 1);
	const struct m_endpoint *e = model_chan(m, 1)->endpoints;
	assert_true(e->open);
	assert_int_equal(e->from_ns, 10);
	assert_int_equal(e->to_ns, 0);
	assert_true(model_chan(m, 3)->endpoints->open);
	assert_false(model_chan(m, 3)->endpoints->synthetic);
	assert_int_equal(model_chan(m, 2)->endpoints->to_ns, 50);
	/* closed by itself and passed on again is another story */
	tell(m, make_endpoint(60, 5, 1, 3, ENDPOINT_CLOSE));
	tell(m, make_endpoint(70, 5, 1, 3, ENDPOINT_INHERIT));
	assert_int_equal(count_endpoints(m, 1), 2);
	model_free(m);
}

static void an_operation_proves_that_its_fd_is_open(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_UNIX, SHAPE_STREAM, 1));
	struct ev_io *io = make_io(100, 5, OP_WRITE, IO_WRITE | IO_SIDE_B, 1, 8);
	io->fd = 4;
	tell(m, io);
	const struct m_endpoint *e = model_chan(m, 1)->endpoints;
	assert_int_equal(e->fd, 4);
	assert_int_equal(e->dir, ENDPOINT_DIR_WRITE);
	assert_int_equal(e->side, 1);
	assert_true(e->synthetic);
	assert_int_equal(e->from_ns, 90);
	io = make_io(200, 5, OP_READ, IO_READ | IO_SIDE_B, 1, 0);
	io->fd = 4;
	tell(m, io);
	assert_int_equal(e->dir, ENDPOINT_DIR_READ | ENDPOINT_DIR_WRITE);
	assert_int_equal(count_endpoints(m, 1), 1);
	/* the end of a call that was under way when its fd was closed opens nothing */
	tell(m, make_endpoint(300, 5, 1, 4, ENDPOINT_CLOSE));
	io = make_read(305, 5, 1, 0);
	io->fd = 4;
	tell(m, io);
	assert_int_equal(model_chan(m, 1)->nopen, 0);
	io = make_io(310, 5, OP_CLOSE, 0, 1, 0); /* nor does a call that moves no data */
	io->fd = 4;
	tell(m, io);
	assert_int_equal(count_endpoints(m, 1), 1);
	io = make_read(400, 5, 1, 0);
	io->fd = 4;
	tell(m, io);
	assert_int_equal(count_endpoints(m, 1), 2);
	model_free(m);
}

static void attachments_are_counted_one_by_one(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_SHM, SHAPE_MEMORY, 0));
	tell(m, make_endpoint(10, 5, 1, -1, ENDPOINT_ATTACH));
	tell(m, make_endpoint(20, 5, 1, -1, ENDPOINT_ATTACH));
	tell(m, make_endpoint(30, 6, 1, -1, ENDPOINT_ATTACH));
	assert_int_equal(model_chan(m, 1)->nopen, 3);
	tell(m, make_endpoint(40, 5, 1, -1, ENDPOINT_DETACH));
	assert_int_equal(model_chan(m, 1)->nopen, 2);
	tell(m, make_endpoint(50, 5, 1, -1, ENDPOINT_DETACH));
	tell(m, make_endpoint(60, 5, 1, -1, ENDPOINT_DETACH)); /* one too many */
	assert_int_equal(model_chan(m, 1)->nopen, 1);
	model_free(m);
}

static void a_channel_found_in_use_holds_what_nobody_knows(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, make_chan(2, KIND_PIPE, SHAPE_STREAM, 0));
	struct ev_chan *c = make_chan(3, KIND_PIPE, SHAPE_STREAM, 0);
	c->hdr.flags = EV_SYNTHETIC;
	tell(m, c);
	tell(m, make_endpoint(10, 5, 1, 3, ENDPOINT_OPEN));
	tell(m, make_endpoint(10, 6, 1, 3, ENDPOINT_SEEN)); /* passed on: it was seen being made */
	tell(m, make_endpoint(10, 5, 2, 4, ENDPOINT_SEEN));
	assert_true(model_chan(m, 1)->unread_known);
	assert_false(model_chan(m, 2)->unread_known);
	assert_false(model_chan(m, 3)->unread_known);
	model_free(m);
}

/* ---- waits and sleeps ---- */

static void sleeps_add_up_by_thread_operation_and_channel(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	for (uint64_t i = 1; i <= 3; i++) {
		struct ev_io *io = make_read(1000 * i, 5, 1, 0);
		io->slept_ns = 100 * i;
		tell(m, io);
	}
	struct ev_io *io = make_write(9000, 5, 1, 0);
	io->slept_ns = 7;
	tell(m, io);
	io = make_read(9500, 5, 1, 0);
	io->slept_ns = 50;
	io->hdr.flags |= IO_HALF; /* the same sleep, told again */
	tell(m, io);
	const struct m_blocked *b = model_blocked(m);
	assert_int_equal(b->op, OP_READ);
	assert_int_equal(b->total_slept_ns, 600);
	assert_int_equal(b->longest_ns, 300);
	assert_int_equal(b->times, 3);
	assert_int_equal(b->task->tid, 5);
	assert_int_equal(b->chan->id, 1);
	assert_false(b->still);
	assert_int_equal(b->next->op, OP_WRITE);
	assert_int_equal(b->next->total_slept_ns, 7);
	assert_null(b->next->next);
	model_free(m);
}

static void a_wait_is_open_until_it_ends(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	struct ev_wait *w = make_wait(1000, 5, 1, WAIT_BEGIN, 600);
	w->deadline_ns = 5000;
	tell(m, w);
	tell(m, make_wait(1000, 6, 0, WAIT_BEGIN, 700)); /* the channel is not known */
	const struct m_wait *open = model_waits(m);
	assert_int_equal(open->task->tid, 5);
	assert_int_equal(open->chan->id, 1);
	assert_int_equal(open->op, OP_READ);
	assert_int_equal(open->fd, 3);
	assert_int_equal(open->since_ns, 600);
	assert_int_equal(open->deadline_ns, 5000);
	assert_null(open->next->chan);
	assert_ptr_equal(model_proc(m, 5)->waits, open);
	assert_int_equal(model_proc(m, 5)->nwaits, 1);
	assert_ptr_equal(model_task(m, 5)->wait, open);
	const struct m_blocked *b = model_blocked(m);
	assert_true(b->still);
	assert_int_equal(b->still_since_ns, 600);
	assert_int_equal(b->times, 0);

	tell(m, make_wait(2000, 5, 1, WAIT_END, 600));
	assert_int_equal(model_waits(m)->task->tid, 6);
	assert_null(model_waits(m)->next);
	assert_int_equal(model_proc(m, 5)->nwaits, 0);
	assert_null(model_proc(m, 5)->waits);
	assert_int_equal(model_blocked(m)->task->tid,
			 6); /* 5's row is empty until its EV_IO comes */
	struct ev_io *io = make_read(2000, 5, 1, 0);
	io->slept_ns = 1400;
	tell(m, io);
	b = model_blocked(m)->next;
	assert_int_equal(b->task->tid, 5);
	assert_int_equal(b->total_slept_ns, 1400);
	assert_false(b->still);
	tell(m, make_wait(3000, 5, 1, WAIT_END, 600)); /* not open: nothing */
	tell(m, make_wait(3000, 77, 1, WAIT_END, 600));
	assert_null(model_proc(m, 77));
	model_free(m);
}

static void a_wait_ends_with_its_operation_or_its_thread(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_wait(1000, 5, 0, WAIT_BEGIN, 600));
	tell(m, make_write(550, 5, 0, 0)); /* of before */
	assert_non_null(model_waits(m));
	tell(m, make_write(1500, 5, 0, 0)); /* it works again: the end was missed */
	assert_null(model_waits(m));
	tell(m, make_wait(2000, 5, 0, WAIT_BEGIN, 1600));
	tell(m,
	     make_wait(2100, 5, 0, WAIT_BEGIN, 1700)); /* a thread sleeps in one call at a time */
	assert_null(model_waits(m)->next);
	assert_int_equal(model_waits(m)->since_ns, 1700);
	tell(m, make_task(3000, 5, 5, TASK_EXIT, "x"));
	assert_null(model_waits(m));
	assert_null(model_blocked(m));
	model_free(m);
}

/* ---- losses, nonsense ---- */

static void losses_add_up_by_cause_and_place(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_lost(LOST_RING_OP, 0, 3));
	tell(m, make_lost(LOST_RING_OP, 1, 4));
	tell(m, make_lost(LOST_RING_OP, 0, 5));
	tell(m, make_lost(LOST_COMPAT32, 4, 0)); /* nothing lost: no row */
	const struct m_loss *l = model_losses(m);
	assert_int_equal(l->count, 8);
	assert_int_equal(l->where, 0);
	assert_int_equal(l->next->count, 4);
	assert_null(l->next->next);
	model_free(m);
}

static void nonsense_is_refused_and_changes_nothing(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_write(10, 5, 0, 0));
	char *before = dump(m);
	struct ev_io *io = make_write(20, 6, 1, 1);
	io->op = OP_MAX;
	assert_int_equal(model_apply(m, &io->hdr), -EINVAL);
	io = make_write(20, 6, 1, 1);
	io->hdr.size -= 8;
	assert_int_equal(model_apply(m, &io->hdr), -EINVAL);
	io->hdr.type = EV_TYPE_MAX;
	assert_int_equal(model_apply(m, &io->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_chan(0, KIND_PIPE, SHAPE_STREAM, 0)->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_chan(9, KIND_MAX, SHAPE_STREAM, 0)->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_chan(9, KIND_PIPE, SHAPE_MAX, 0)->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_task(9, 7, 7, 0, "x")->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_task(9, 7, 7, TASK_EXIT + 1, "x")->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_endpoint(9, 7, 0, 3, ENDPOINT_OPEN)->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_endpoint(9, 7, 1, -1, ENDPOINT_OPEN)->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_endpoint(9, 7, 1, 3, 0)->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_wait(9, 7, 1, 0, 1)->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_lost(LOST_MAX, 0, 1)->hdr), -EINVAL);
	char *after = dump(m);
	assert_string_equal(before, after);
	free(before);
	free(after);
	model_free(m);
}

/* ---- the canonical text ---- */

static void the_text_is_what_was_told(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, started(make_task(100, 5, 5, TASK_FORK, "a\033[m"), 100));
	tell(m, make_write(200, 5, 1, 64));
	tell(m, make_read(300, 10, 1, 64));
	char *text = dump(m);
	assert_string_equal(
	    text,
	    "model first=1 now=310 ops=2\n"
	    "proc pid=5/100 first=100 ppid=0 threads=1 waits=0 exited=0 outside=0 exit=0 code=0 "
	    "comm=\"a\\x1B[m\" exe=\"\" args=\"\" cgroup=\"\" "
	    "ops=1 errors=0 blocked=0 slept=0 in=0:0 out=1:64\n"
	    "proc pid=10/0 first=290 ppid=0 threads=1 waits=0 exited=0 outside=0 exit=0 code=0 "
	    "comm=\"\" exe=\"\" args=\"\" cgroup=\"\" "
	    "ops=1 errors=0 blocked=0 slept=0 in=1:64 out=0:0\n"
	    "task proc=5/100 tid=5/100 exited=0 exit=0 comm=\"a\\x1B[m\"\n"
	    "task proc=10/0 tid=10/0 exited=0 exit=0 comm=\"\"\n"
	    "chan id=1 kind=pipe shape=stream duplex=0 remote=0 key=0 ident=\"ident:[1]\" "
	    "name=\"\" "
	    "first=1 last=300 open=0 unread=0 known=1 "
	    "ops=2 errors=0 blocked=0 slept=0 in=1:64 out=1:64 "
	    "latency=1:100:100:100[100:1] sizes=1:64:64:64[64:1]\n"
	    "flow chan=1 src=5/100 dst=10/0 messages=1 bytes=64 first=300 last=300 approximate=0 "
	    "latency=1:100:100:100[100:1]\n");
	free(text);
	model_free(m);
}

/* A random but repeatable story in which everything happens; `until` events of it. */
static void tell_random(struct model *m, unsigned int seed, int until)
{
	unsigned int r = seed;
#define PICK(n) ((unsigned int)rand_r(&r) % (n))
	for (int i = 0; i < until; i++) {
		uint64_t t = 1000 + (uint64_t)i * 50;
		uint32_t pid = 1 + PICK(6), chan = 1 + PICK(8);
		struct ev_io *io;
		switch (PICK(12)) {
		case 0:
			model_apply(m, &make_chan(chan, (uint16_t)(1 + PICK(KIND_MAX - 1)),
						  (uint16_t)PICK(SHAPE_MAX), PICK(2))
					    ->hdr);
			break;
		case 1:
			model_apply(m, &make_endpoint(t, pid, chan, (int)PICK(3000) - 1,
						      (uint8_t)(1 + PICK(6)))
					    ->hdr);
			break;
		case 2:
			io = NULL;
			struct ev_task *e = make_task(t, pid, PICK(2) ? pid : pid + PICK(20),
						      (uint16_t)(1 + PICK(5)), "name");
			e->start_ns = PICK(3) ? t : 0;
			e->hdr.flags = PICK(4);
			model_apply(m, &e->hdr);
			break;
		case 3:
			model_apply(
			    m, &make_wait(t, pid, PICK(2) * chan, (uint16_t)(1 + PICK(2)), t - 40)
				    ->hdr);
			break;
		case 4:
			if (PICK(50) == 0)
				model_apply(
				    m, &make_lost(1 + PICK(LOST_MAX - 1), PICK(3), PICK(5))->hdr);
			break;
		default:
			io = make_io(t, pid, (uint16_t)(1 + PICK(OP_MAX - 1)), PICK(0x1000), chan,
				     PICK(5000));
			io->tid = pid + PICK(3);
			io->fd = (int)PICK(10) - 1;
			io->slept_ns = PICK(3) ? 0 : PICK(100);
			io->dur_ns = PICK(300);
			io->waker_tid = PICK(8);
			io->mtype = (int64_t)PICK(3);
			io->messages = (uint16_t)PICK(4);
			model_apply(m, &io->hdr);
		}
	}
#undef PICK
}

static void the_same_events_make_the_same_text(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed < 20; seed++) {
		struct model *a = model_new(), *b = model_new();
		tell_random(a, seed, 3000);
		void *shift = malloc(12345); /* other addresses for the second */
		tell_random(b, seed, 3000);
		char *x = dump(a), *y = dump(b), *again = dump(a);
		assert_string_equal(x, y);
		assert_string_equal(x, again); /* asking changes nothing */
		assert_true(strlen(x) > 1000);
		tell_random(b, seed + 100, 5);
		char *other = dump(b);
		assert_string_not_equal(x, other);
		free(x);
		free(y);
		free(again);
		free(other);
		free(shift);
		model_free(a);
		model_free(b);
	}
}

/* Sums that must agree whatever is told, hostile or not. */
static void the_books_balance(void **state)
{
	(void)state;
	for (unsigned int seed = 40; seed < 60; seed++) {
		struct model *m = model_new();
		tell_random(m, seed, 5000);
		uint64_t ops = 0, chan_in = 0, chan_out = 0, in = 0, out = 0;
		uint32_t waits = 0, open = 0;
		for (const struct m_proc *p = model_procs(m); p; p = p->next) {
			uint32_t alive = 0, waiting = 0;
			for (const struct m_task *t = p->tasks; t; t = t->sibling) {
				alive += !t->exited;
				waiting += t->wait != NULL;
				assert_false(t->exited && t->wait);
			}
			assert_int_equal(alive, p->nthreads);
			assert_int_equal(waiting, p->nwaits);
			assert_false(p->exited && p->nthreads);
			waits += p->nwaits;
			ops += p->count.ops;
			in += p->count.bytes_in;
			out += p->count.bytes_out;
		}
		for (const struct m_wait *w = model_waits(m); w; w = w->next)
			waits--;
		assert_int_equal(waits, 0);
		for (const struct m_chan *c = model_chans(m); c; c = c->next) {
			chan_in += c->count.bytes_in;
			chan_out += c->count.bytes_out;
			open = 0;
			for (const struct m_endpoint *e = c->endpoints; e; e = e->next) {
				open += e->open;
				assert_false(e->open && (e->proc->exited || e->to_ns));
			}
			assert_int_equal(open, c->nopen);
			assert_true(c->unread_bytes < 1ull << 40); /* never below 0 */
		}
		assert_int_equal(in, chan_in);
		assert_int_equal(out, chan_out);
		assert_true(ops <= model_ops(m));
		for (const struct m_flow *f = model_flows(m); f; f = f->next)
			assert_true(f->messages + f->bytes > 0 && f->first_ns <= f->last_ns);
		model_free(m);
	}
}

static void a_descriptor_that_was_passed_is_an_end_and_keeps_its_sender(void **state)
{
	(void)state;
	struct model *m = model_new();
	struct ev_endpoint *e = make_endpoint(10, 5, 1, 7, ENDPOINT_PASSED);
	e->from = 4;
	tell(m, e);
	const struct m_endpoint *end = model_chan(m, 1)->endpoints;
	assert_int_equal(end->proc->pid, 5);
	assert_int_equal(end->fd, 7);
	assert_true(end->open);
	assert_int_equal(end->passed_by, 4);
	tell(m, make_endpoint(20, 5, 1, 7, ENDPOINT_CLOSE));
	assert_false(end->open);
	struct ev_endpoint *wrong = make_endpoint(30, 5, 1, 7, ENDPOINT_PASSED + 1);
	assert_int_equal(model_apply(m, &wrong->hdr), -EINVAL);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_model_knows_nothing),
	    cmocka_unit_test(a_fork_makes_a_process_or_a_thread),
	    cmocka_unit_test(rename_changes_a_thread_and_through_its_leader_the_process),
	    cmocka_unit_test(exec_leaves_one_thread_and_a_new_program),
	    cmocka_unit_test(exec_by_another_thread_revives_the_leader),
	    cmocka_unit_test(the_last_exit_ends_the_process),
	    cmocka_unit_test(a_reused_pid_is_another_process),
	    cmocka_unit_test(a_pid_reused_unannounced_is_noticed_by_its_exit),
	    cmocka_unit_test(a_tid_that_moved_to_another_process_is_another_thread),
	    cmocka_unit_test(a_placeholder_is_filled_in_by_the_announcement),
	    cmocka_unit_test(a_process_seen_after_its_end_is_not_raised),
	    cmocka_unit_test(every_operation_is_counted_once),
	    cmocka_unit_test(channels_far_apart_are_found),
	    cmocka_unit_test(a_channel_announced_again_knows_more),
	    cmocka_unit_test(time_spans_all_that_was_told),
	    cmocka_unit_test(endpoints_open_and_close),
	    cmocka_unit_test(a_missed_close_is_made_up_for),
	    cmocka_unit_test(exit_closes_all_that_a_process_holds),
	    cmocka_unit_test(what_survives_an_exec_is_the_same_endpoint),
	    cmocka_unit_test(an_operation_proves_that_its_fd_is_open),
	    cmocka_unit_test(attachments_are_counted_one_by_one),
	    cmocka_unit_test(a_descriptor_that_was_passed_is_an_end_and_keeps_its_sender),
	    cmocka_unit_test(a_channel_found_in_use_holds_what_nobody_knows),
	    cmocka_unit_test(sleeps_add_up_by_thread_operation_and_channel),
	    cmocka_unit_test(a_wait_is_open_until_it_ends),
	    cmocka_unit_test(a_wait_ends_with_its_operation_or_its_thread),
	    cmocka_unit_test(losses_add_up_by_cause_and_place),
	    cmocka_unit_test(nonsense_is_refused_and_changes_nothing),
	    cmocka_unit_test(the_text_is_what_was_told),
	    cmocka_unit_test(the_same_events_make_the_same_text),
	    cmocka_unit_test(the_books_balance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
