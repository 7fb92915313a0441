// SPDX-License-Identifier: GPL-2.0-or-later
/* Tasks, counts, losses: what the model knows of what it was told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model_story.h"

static int count_procs(const struct model *m)
{
	int n = 0;
	for (const struct m_proc *p = model_procs(m); p; p = p->next)
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

/* ---- losses ---- */

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
	    cmocka_unit_test(losses_add_up_by_cause_and_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
