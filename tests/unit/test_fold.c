// SPDX-License-Identifier: GPL-2.0-or-later
/* What is over is folded into totals: nothing that was counted is lost, and memory stays bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model_story.h"

#define KEEP 10
#define AT_MOST (KEEP + KEEP / 2 + 16) /* of what is over: folded when more have gathered */

static struct model *small_model(void)
{
	struct model *m = model_new();
	assert_non_null(m);
	model_set_keep(m, KEEP);
	return m;
}

static void gone(struct model *m, uint64_t t_ns, uint64_t chan)
{
	struct ev_gone e = {.hdr = {.t_ns = t_ns, .type = EV_GONE, .size = sizeof(e)}, .chan = chan};
	tell(m, &e);
}

static void task(struct model *m, uint64_t t_ns, uint32_t pid, uint32_t tid, uint16_t what)
{
	struct ev_task e = {
	    .hdr = {.t_ns = t_ns, .type = EV_TASK, .size = sizeof(e)},
	    .pid = pid, .tid = tid, .ppid = 1, .what = what, .start_ns = tid, .comm = "child",
	};
	if (what == TASK_EXIT && pid == tid)
		e.hdr.flags |= TASK_F_LAST;
	tell(m, &e);
}

/* A process that is born, sends five bytes to process 1 through `chan`, sleeps in it, and ends. */
static void short_life(struct model *m, uint64_t t_ns, uint32_t pid, uint64_t chan)
{
	task(m, t_ns, pid, pid, TASK_FORK);
	tell(m, make_endpoint(t_ns + 1, pid, chan, 3, ENDPOINT_INHERIT));
	struct ev_io *io = make_write(t_ns + 20, pid, chan, 5);
	io->fd = 3;
	io->slept_ns = 4;
	tell(m, io);
	tell(m, make_read(t_ns + 40, 1, chan, 5));
	task(m, t_ns + 60, pid, pid, TASK_EXIT);
}

struct sum {
	size_t procs, tasks, chans, endpoints, flows, blocked;
	uint64_t proc_ops, chan_ops, messages, bytes, latencies, times, slept_ns;
};

static struct sum sum_of(const struct model *m)
{
	struct sum s = {0};
	for (const struct m_proc *p = model_procs(m); p; p = p->next) {
		s.procs++;
		s.proc_ops += p->count.ops;
		for (const struct m_task *t = p->tasks; t; t = t->sibling)
			s.tasks++;
	}
	for (const struct m_chan *c = model_chans(m); c; c = c->next) {
		s.chans++;
		s.chan_ops += c->count.ops;
		for (const struct m_endpoint *e = c->endpoints; e; e = e->next)
			s.endpoints++;
	}
	for (const struct m_flow *f = model_flows(m); f; f = f->next) {
		s.flows++;
		s.messages += f->messages;
		s.bytes += f->bytes;
		s.latencies += f->latency.count;
	}
	for (const struct m_blocked *b = model_blocked(m); b; b = b->next) {
		s.blocked++;
		s.times += b->times;
		s.slept_ns += b->total_slept_ns;
	}
	return s;
}

static void dead_processes_become_one_row_with_all_they_did(void **state)
{
	(void)state;
	struct model *m = small_model();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	for (uint32_t i = 0; i < 1000; i++)
		short_life(m, 1000 + i * 100, 100 + i, 1);
	struct sum s = sum_of(m);
	assert_true(s.procs <= AT_MOST + 2);
	assert_true(s.tasks <= AT_MOST + 2);
	assert_true(s.flows <= AT_MOST + 2);
	assert_true(s.blocked <= AT_MOST + 1);
	assert_true(s.endpoints <= AT_MOST + 1);
	assert_int_equal(s.proc_ops, 2000);
	assert_int_equal(s.chan_ops, 2000);
	assert_int_equal(s.messages, 1000);
	assert_int_equal(s.bytes, 5000);
	assert_int_equal(s.latencies, 1000);
	assert_int_equal(s.times, 1000);
	assert_int_equal(s.slept_ns, 4000);
	struct m_folded n = model_folded(m);
	assert_int_equal(n.procs + s.procs - 2, 1000); /* process 1 and the sum are no children */
	const struct m_proc *sum = NULL;
	for (const struct m_proc *p = model_procs(m); p; p = p->next)
		if (p->folded)
			sum = p;
	assert_non_null(sum);
	assert_int_equal(sum->folded, n.procs);
	assert_int_equal(sum->count.ops, n.procs);
	assert_true(sum->exited);
	assert_non_null(strstr(sum->comm, "folded)"));
	assert_null(model_proc(m, 100));
	assert_non_null(model_proc(m, 1099)); /* the latest are whole */
	assert_int_equal(model_proc(m, 1)->count.ops, 1000);
	model_free(m);
}

static void channels_that_are_gone_become_one_row_for_each_kind(void **state)
{
	(void)state;
	struct model *m = small_model();
	for (uint64_t id = 1; id <= 3000; id++) {
		uint16_t kind = id % 3 ? KIND_PIPE : KIND_UNIX;
		tell(m, make_chan(id, kind, SHAPE_STREAM, 0));
		tell(m, make_endpoint(id * 100, 1, id, 3, ENDPOINT_OPEN));
		tell(m, make_write(id * 100 + 20, 1, id, 7));
		tell(m, make_read(id * 100 + 40, 2, id, 7));
		tell(m, make_endpoint(id * 100 + 60, 1, id, 3, ENDPOINT_CLOSE));
		gone(m, id * 100 + 70, id);
	}
	struct sum s = sum_of(m);
	struct m_folded n = model_folded(m);
	assert_true(s.chans <= AT_MOST + 2);
	assert_true(s.flows <= AT_MOST + 2);
	assert_true(s.endpoints <= AT_MOST);
	assert_int_equal(s.chan_ops, 6000);
	assert_int_equal(s.messages, 3000);
	assert_int_equal(s.bytes, 21000);
	assert_int_equal(n.chans + s.chans - 2, 3000);
	uint64_t pipes = 0, sockets = 0;
	for (const struct m_chan *c = model_chans(m); c; c = c->next) {
		assert_true(!c->folded || c->id == MODEL_FOLDED_ID(c->kind));
		assert_true(!c->folded || c->latency.count == c->folded);
		*(c->kind == KIND_PIPE ? &pipes : &sockets) += c->folded ? c->folded : 1;
	}
	assert_int_equal(pipes, 2000);
	assert_int_equal(sockets, 1000);
	assert_null(model_chan(m, 1));
	assert_non_null(model_chan(m, 3000));
	model_free(m);
}

/* Long-lived channels far below the latest, and one far beyond that the latest come up to. */
static void channels_are_found_however_far_their_numbers_lie_apart(void **state)
{
	(void)state;
	struct model *m = small_model();
	for (uint64_t id = 1; id <= 60000; id++) {
		bool stays = id % 5000 == 1;
		if (!stays || id < 20000)
			tell(m, make_chan(id, KIND_PIPE, SHAPE_STREAM, 0));
		if (stays)
			tell(m, make_chan(id + 20000, KIND_PIPE, SHAPE_STREAM, 0));
		if (!stays)
			gone(m, id, id);
	}
	for (uint64_t id = 1; id <= 60000; id += 5000) {
		assert_non_null(model_chan(m, id));
		assert_int_equal(model_chan(m, id)->id, id);
	}
	for (uint64_t id = 1; id <= 60000; id += 5000)
		gone(m, 70000, id);
	for (uint64_t id = 100001; id <= 101000; id++) {
		tell(m, make_chan(id, KIND_PIPE, SHAPE_STREAM, 0));
		gone(m, 70000 + id, id);
	}
	assert_null(model_chan(m, 1));
	assert_null(model_chan(m, 25001));
	assert_non_null(model_chan(m, 80000 - 4999));
	model_free(m);
}

static void what_is_open_or_alive_is_never_folded(void **state)
{
	(void)state;
	struct model *m = small_model();
	for (uint64_t id = 1; id <= 200; id++) {
		tell(m, make_chan(id, KIND_PIPE, SHAPE_STREAM, 0));
		tell(m, make_endpoint(id, (uint32_t)id, id, 3, ENDPOINT_OPEN));
	}
	for (uint64_t id = 201; id <= 500; id++) {
		tell(m, make_chan(id, KIND_PIPE, SHAPE_STREAM, 0));
		gone(m, id, id);
	}
	for (uint64_t id = 1; id <= 200; id++) {
		assert_non_null(model_chan(m, id));
		assert_int_equal(model_chan(m, id)->id, id);
		assert_non_null(model_proc(m, (uint32_t)id));
	}
	assert_int_equal(model_folded(m).procs, 0);
	assert_true(model_folded(m).chans > 250);
	model_free(m);
}

static void a_channel_somebody_sleeps_in_stays(void **state)
{
	(void)state;
	struct model *m = small_model();
	tell(m, make_chan(1, KIND_SEM, SHAPE_COUNTER, 0));
	struct ev_wait w = {
	    .hdr = {.t_ns = 500, .type = EV_WAIT, .size = sizeof(w)},
	    .since_ns = 100, .chan = 1, .pid = 7, .tid = 7, .fd = -1, .op = OP_SEMOP,
	    .what = WAIT_BEGIN,
	};
	tell(m, &w);
	gone(m, 600, 1);
	for (uint64_t id = 2; id <= 200; id++) {
		tell(m, make_chan(id, KIND_SEM, SHAPE_COUNTER, 0));
		gone(m, 600 + id, id);
	}
	assert_non_null(model_chan(m, 1));
	assert_ptr_equal(model_waits(m)->chan, model_chan(m, 1));
	w.what = WAIT_END;
	w.hdr.t_ns = w.until_ns = 900;
	tell(m, &w);
	for (uint64_t id = 201; id <= 300; id++) {
		tell(m, make_chan(id, KIND_SEM, SHAPE_COUNTER, 0));
		gone(m, 900 + id, id);
	}
	assert_null(model_chan(m, 1));
	model_free(m);
}

static void dead_threads_of_a_living_process_become_one(void **state)
{
	(void)state;
	struct model *m = small_model();
	task(m, 1, 5, 5, TASK_FORK);
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	for (uint32_t tid = 100; tid < 600; tid++) {
		task(m, tid * 100, 5, tid, TASK_FORK);
		struct ev_io *io = make_read(tid * 100 + 20, 5, 1, 0);
		io->tid = tid;
		io->slept_ns = 10;
		tell(m, io);
		task(m, tid * 100 + 50, 5, tid, TASK_EXIT);
	}
	struct sum s = sum_of(m);
	assert_true(s.tasks <= AT_MOST + 2);
	assert_true(s.blocked <= AT_MOST + 1);
	assert_int_equal(s.times, 500);
	assert_int_equal(s.proc_ops, 500);
	assert_int_equal(s.procs, 1);
	const struct m_task *sum = NULL;
	for (const struct m_task *t = model_proc(m, 5)->tasks; t; t = t->sibling)
		if (t->folded)
			sum = t;
	assert_non_null(sum);
	assert_int_equal(sum->folded, model_folded(m).tasks);
	assert_false(model_proc(m, 5)->exited);
	/* and when the process goes as well, its sum goes with it */
	task(m, 100000, 5, 5, TASK_EXIT);
	for (uint32_t pid = 1000; pid < 1100; pid++)
		short_life(m, 200000 + pid * 100, pid, 1);
	s = sum_of(m);
	assert_null(model_proc(m, 5));
	assert_int_equal(s.times, 600);
	assert_true(s.tasks <= AT_MOST + 3);
	model_free(m);
}

/* What a dead process wrote is still read as its, or as that of the sum it is in. */
static void unread_bytes_outlive_their_writer(void **state)
{
	(void)state;
	struct model *m = small_model();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, make_chan(2, KIND_PIPE, SHAPE_STREAM, 0));
	task(m, 10, 50, 50, TASK_FORK);
	tell(m, make_write(20, 50, 1, 9));
	task(m, 30, 50, 50, TASK_EXIT);
	for (uint32_t pid = 1000; pid < 1100; pid++)
		short_life(m, 1000 + pid * 100, pid, 2);
	assert_null(model_proc(m, 50));
	tell(m, make_read(900000, 1, 1, 9));
	const struct m_flow *f = model_flows(m);
	while (f && f->chan->id != 1)
		f = f->next;
	assert_non_null(f);
	assert_true(f->src && f->src->folded);
	assert_int_equal(f->bytes, 9);
	assert_int_equal(f->dst->pid, 1);
	model_free(m);
}

/* One process that opens and closes one end for ever. */
static void closed_ends_are_only_counted(void **state)
{
	(void)state;
	struct model *m = small_model();
	tell(m, make_chan(1, KIND_FIFO, SHAPE_STREAM, 0));
	tell(m, make_endpoint(5, 1, 1, 3, ENDPOINT_OPEN));
	for (uint64_t i = 0; i < 1000; i++) {
		int32_t fd = i % 2 ? 4 : 5000; /* both of the indexes of descriptors */
		tell(m, make_endpoint(10 + 2 * i, 1, 1, fd, ENDPOINT_OPEN));
		tell(m, make_endpoint(11 + 2 * i, 1, 1, fd, ENDPOINT_CLOSE));
	}
	struct sum s = sum_of(m);
	assert_true(s.endpoints <= 4 * KEEP + 2 * KEEP + 16 + 1);
	assert_int_equal(model_folded(m).endpoints + s.endpoints, 1001);
	assert_int_equal(model_chan(m, 1)->nopen, 1);
	tell(m, make_endpoint(9000, 1, 1, 4, ENDPOINT_OPEN));
	assert_int_equal(model_chan(m, 1)->nopen, 2);
	model_free(m);
}

static uint64_t rnd_state;
static uint64_t rnd(uint64_t n)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return rnd_state % n;
}

/* Anything in any order: totals as without folding, twice the same, and no memory error (asan). */
static void random_step(struct model *m, uint64_t t_ns, uint64_t r)
{
	rnd_state = r | 1;
	for (int i = 0; i < 4; i++)
		rnd(2);
	uint32_t pid = (uint32_t)(1 + rnd(40)), tid = rnd(4) ? pid : (uint32_t)(100 + rnd(40));
	uint64_t chan = 1 + rnd(30) + t_ns / 4000; /* a window that moves on */
	int32_t fd = rnd(2) ? (int32_t)rnd(8) : (int32_t)(2000 + rnd(3));
	static const uint8_t whats[] = {ENDPOINT_OPEN, ENDPOINT_CLOSE, ENDPOINT_INHERIT,
					ENDPOINT_ATTACH, ENDPOINT_DETACH};
	uint8_t what = whats[rnd(5)];
	struct ev_io *io;
	switch (rnd(8)) {
	case 0:
		task(m, t_ns, pid, tid, rnd(2) ? TASK_FORK : TASK_EXEC);
		break;
	case 1:
		task(m, t_ns, pid, tid, TASK_EXIT);
		break;
	case 2:
		tell(m, make_endpoint(t_ns, pid, chan, what >= ENDPOINT_ATTACH ? -1 : fd, what));
		break;
	case 3:
		gone(m, t_ns, 1 + t_ns / 4000 + rnd(3));
		break;
	case 4: {
		struct ev_wait w = {
		    .hdr = {.t_ns = t_ns, .type = EV_WAIT, .size = sizeof(w)},
		    .since_ns = t_ns, .chan = chan, .pid = pid, .tid = pid, .fd = fd,
		    .op = OP_READ, .what = rnd(2) ? WAIT_BEGIN : WAIT_END,
		};
		tell(m, &w);
		break;
	}
	case 5:
		tell(m, make_chan(chan, chan % 2 ? KIND_PIPE : KIND_MSG,
				  chan % 2 ? SHAPE_STREAM : SHAPE_TYPED, 0));
		break;
	default:
		io = rnd(2) ? make_write(t_ns, pid, chan, 1 + rnd(20))
			    : make_read(t_ns, pid, chan, 1 + rnd(20));
		io->fd = fd;
		io->mtype = (int64_t)rnd(3);
		io->slept_ns = rnd(2);
		io->waker_tid = pid;
		tell(m, io);
	}
}

static void whatever_happens_totals_are_those_of_a_model_that_keeps_all(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct model *all = model_new(), *few = small_model(), *again = small_model();
		model_set_keep(all, 1000000);
		for (uint64_t i = 0; i < 20000; i++) {
			uint64_t r = (seed << 32) + i * 0x9e3779b97f4a7c15ull;
			random_step(all, 100 + i * 10, r);
			random_step(few, 100 + i * 10, r);
			random_step(again, 100 + i * 10, r);
		}
		struct sum a = sum_of(all), f = sum_of(few);
		assert_int_equal(a.proc_ops, f.proc_ops);
		assert_int_equal(a.chan_ops, f.chan_ops);
		assert_int_equal(a.times, f.times);
		assert_int_equal(a.slept_ns, f.slept_ns);
		assert_true(model_folded(few).procs > 100);
		assert_int_equal(model_folded(all).procs, 0);
		char *one = dump(few), *two = dump(again);
		assert_string_equal(one, two);
		free(one), free(two);
		model_free(all), model_free(few), model_free(again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dead_processes_become_one_row_with_all_they_did),
	    cmocka_unit_test(channels_that_are_gone_become_one_row_for_each_kind),
	    cmocka_unit_test(channels_are_found_however_far_their_numbers_lie_apart),
	    cmocka_unit_test(what_is_open_or_alive_is_never_folded),
	    cmocka_unit_test(a_channel_somebody_sleeps_in_stays),
	    cmocka_unit_test(dead_threads_of_a_living_process_become_one),
	    cmocka_unit_test(unread_bytes_outlive_their_writer),
	    cmocka_unit_test(closed_ends_are_only_counted),
	    cmocka_unit_test(whatever_happens_totals_are_those_of_a_model_that_keeps_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
