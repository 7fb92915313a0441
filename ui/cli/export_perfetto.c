// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The Trace Event Format (JSON), which ui.perfetto.dev and chrome://tracing read: a track for each
 * thread with its operations as slices, the time asleep as a slice within. Requests of an io_uring
 * overlap and go to tracks of their own. Losses are instants of the whole trace. Who ended a sleep is an
 * arrow to its end, from the waker's operation (arrows.h).
 */
#include <errno.h>
#include <inttypes.h>

#include "arrows.h"
#include "export.h"
#include "lib/abi/words.h"
#include "text.h"

static int begin(struct export *x)
{
	x->arrows = arrows_new();
	if (!x->arrows)
		return -ENOMEM;
	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", x->out);
	return 0;
}

/* The format counts microseconds, with a fraction. */
static void put_time(FILE *out, const char *key, uint64_t ns)
{
	fprintf(out, "\"%s\":%" PRIu64 ".%03u,", key, ns / 1000, (unsigned int)(ns % 1000));
}

static void put_head(struct export *x, const char *phase, uint32_t pid, uint32_t tid)
{
	fprintf(x->out, "%s{\"ph\":\"%s\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32 ",",
		x->n++ ? ",\n" : "", phase, pid, tid);
}

static void put_args(struct export *x, const struct ev_io *io)
{
	const struct m_chan *c = io->chan ? model_chan(x->model, io->chan) : NULL;
	char name[TEXT_SIZE];

	fprintf(x->out, "\"args\":{\"ret\":%" PRId64 ",\"bytes\":%" PRIu64 ",\"fd\":%" PRId32,
		(int64_t)io->ret, (uint64_t)io->bytes, io->fd);
	if (io->waker_tid)
		fprintf(x->out, ",\"waker_tid\":%" PRIu32, io->waker_tid);
	if (c) {
		fputs(",\"channel\":", x->out);
		export_quoted(x->out, text_chan(name, c));
	}
	fputs("}", x->out);
}

static const char *kind_of(const struct export *x, const struct ev_io *io)
{
	const struct m_chan *c = io->chan ? model_chan(x->model, io->chan) : NULL;

	return c ? kind_word(c->kind) : "none";
}

/* One that overlaps others of its thread. */
static void put_uring(struct export *x, const struct ev_io *io)
{
	uint64_t id = x->n;

	put_head(x, "b", io->pid, io->tid);
	put_time(x->out, "ts", io->enter_ns);
	fprintf(x->out, "\"cat\":\"io_uring\",\"id\":%" PRIu64 ",\"name\":\"%s\",", id, op_word(io->op));
	put_args(x, io);
	fputs("}", x->out);
	put_head(x, "e", io->pid, io->tid);
	put_time(x->out, "ts", io->enter_ns + io->dur_ns);
	fprintf(x->out, "\"cat\":\"io_uring\",\"id\":%" PRIu64 ",\"name\":\"%s\"}", id, op_word(io->op));
}

static void put_arrow(void *arg, const struct arrow *a)
{
	struct export *x = arg;
	uint64_t id = x->n;

	put_head(x, "s", a->from_pid, a->from_tid);
	put_time(x->out, "ts", a->from_ns);
	fprintf(x->out, "\"cat\":\"wakes\",\"id\":%" PRIu64 ",\"name\":\"wakes\"}", id);
	put_head(x, "f", a->to_pid, a->to_tid);
	put_time(x->out, "ts", a->to_ns);
	fprintf(x->out,
		"\"cat\":\"wakes\",\"id\":%" PRIu64 ",\"name\":\"wakes\",\"bp\":\"e\"}", id);
}

/* It slept until the moment when it took effect, or as much before as the call is old. */
static int put_sleep(struct export *x, const struct ev_io *io)
{
	uint64_t end_ns = io->enter_ns + io->dur_ns, to_ns = io->hdr.t_ns;
	uint64_t slept_ns = io->slept_ns < io->dur_ns ? io->slept_ns : io->dur_ns;

	to_ns = to_ns > end_ns ? end_ns : to_ns;
	if (to_ns < io->enter_ns + slept_ns)
		to_ns = io->enter_ns + slept_ns;
	put_head(x, "X", io->pid, io->tid);
	put_time(x->out, "ts", to_ns - slept_ns);
	put_time(x->out, "dur", slept_ns);
	fputs("\"cat\":\"asleep\",\"name\":\"asleep\"}", x->out);
	return arrows_sleep(x->arrows, io, to_ns, put_arrow, x);
}

static int put_io(struct export *x, const struct ev_io *io)
{
	int err;

	if (io->hdr.flags & IO_URING) {
		put_uring(x, io);
		return 0;
	}
	put_head(x, "X", io->pid, io->tid);
	put_time(x->out, "ts", io->enter_ns);
	put_time(x->out, "dur", io->dur_ns);
	fprintf(x->out, "\"cat\":\"%s\",\"name\":\"%s\",", kind_of(x, io), op_word(io->op));
	put_args(x, io);
	fputs("}", x->out);
	err = arrows_op(x->arrows, io, put_arrow, x);
	if (!err && io->slept_ns && !(io->hdr.flags & IO_HALF))
		err = put_sleep(x, io);
	return err;
}

static void put_name(struct export *x, const char *what, uint32_t pid, uint32_t tid,
		     const char *comm)
{
	char buf[ESCAPE_SIZE(EV_COMM_LEN)];

	escape_text(buf, sizeof(buf), comm, EV_COMM_LEN);
	put_head(x, "M", pid, tid);
	fprintf(x->out, "\"name\":\"%s\",\"args\":{\"name\":", what);
	export_quoted(x->out, buf);
	fputs("}}", x->out);
}

static int event(struct export *x, const struct ev_hdr *ev)
{
	const struct ev_task *t = (const struct ev_task *)ev;
	const struct ev_lost *l = (const struct ev_lost *)ev;

	if (ev->type == EV_IO) {
		return put_io(x, (const struct ev_io *)ev);
	} else if (ev->type == EV_TASK && t->what != TASK_EXIT && t->comm[0]) {
		if (t->pid == t->tid)
			put_name(x, "process_name", t->pid, t->tid, t->comm);
		put_name(x, "thread_name", t->pid, t->tid, t->comm);
	} else if (ev->type == EV_LOST) {
		put_head(x, "i", 0, 0);
		put_time(x->out, "ts", l->hdr.t_ns);
		fprintf(x->out, "\"s\":\"g\",\"name\":\"lost %" PRIu64 " %s\"}", (uint64_t)l->count,
			loss_word(l->cause));
	}
	return 0;
}

/* What was still going on when the trace ended. */
static int end(struct export *x, const struct report *r)
{
	uint64_t now_ns = model_now_ns(r->model);

	for (size_t i = 0; i < r->waits.n; i++) {
		const struct m_wait *w = r->waits.item[i];

		put_head(x, "X", w->task->proc->pid, w->task->tid);
		put_time(x->out, "ts", w->since_ns);
		put_time(x->out, "dur", now_ns > w->since_ns ? now_ns - w->since_ns : 0);
		fprintf(x->out, "\"cat\":\"asleep\",\"name\":\"%s, still waiting\"}", op_word(w->op));
	}
	fputs("\n]}\n", x->out);
	return 0;
}

const struct export_format export_perfetto = {
	.name = "perfetto",
	.what = "a timeline of every thread, for ui.perfetto.dev",
	.begin = begin,
	.event = event,
	.end = end,
};
