// SPDX-License-Identifier: GPL-2.0-or-later
#include "snap.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "snap_read.h"
#include "snap_world.h"

struct snap {
	struct snap_reader *reader;
	enum snap_source source;
	struct fail without_bpf;
};

int snap_open(struct snap **out, enum snap_source source, struct fail *fail)
{
	struct fail why = { 0 };
	struct snap *s = calloc(1, sizeof(*s));
	if (!s)
		return fail_set(fail, ENOMEM, NULL, "cannot look at the host's tasks");
	if (source != SNAP_PROC)
		s->reader = snap_reader_bpf(&why);
	s->source = s->reader ? SNAP_BPF : SNAP_PROC;
	if (!s->reader && source != SNAP_BPF)
		s->reader = snap_reader_proc(&why);
	if (!s->reader) {
		free(s);
		*fail = why;
		return -why.err;
	}
	s->without_bpf = why;
	*out = s;
	return 0;
}

const struct fail *snap_without_bpf(const struct snap *s)
{
	return s->source == SNAP_PROC && s->without_bpf.what[0] ? &s->without_bpf : NULL;
}

void snap_free(struct snap *s)
{
	if (!s)
		return;
	s->reader->free(s->reader);
	free(s);
}

enum snap_source snap_source(const struct snap *s) { return s->source; }

/* Every thread goes into the graph: who holds something must be known to be able to act. */
static void add_threads(struct snap_world *w)
{
	for (uint32_t i = 0; i < w->ntasks; i++) {
		struct wg_thread th;
		if (w->tasks[i]->flags & SNAP_ZOMBIE)
			continue;
		snap_wait(w, w->tasks[i], &th);
		wg_thread(w->g, &th);
	}
}

int snap_take(struct snap *s, struct waitgraph **out, struct fail *fail)
{
	struct snap_world w = { 0 };
	struct snap_buf buf = { 0 };
	int err = s->reader->tasks(s->reader, &buf);
	if (!err)
		err = s->reader->files(s->reader, &buf);
	if (!err)
		err = snap_world_init(&w, &buf, s->reader->whole);
	if (!err) {
		w.now_ns = clock_now_ns();
		snap_count_busy(&w);
		add_threads(&w);
		if (w.failed || waitgraph_failed(w.g))
			err = -ENOMEM;
	}
	if (!err) {
		*out = w.g;
		w.g = NULL;
	}
	snap_world_release(&w);
	snap_buf_release(&buf);
	return err ? fail_set(fail, -err, NULL, "cannot look at the host's tasks") : 0;
}

int snap_tasks(struct snap *s, void (*each)(void *arg, const struct snap_task *t), void *arg)
{
	struct snap_buf buf = { 0 };
	int err = s->reader->tasks(s->reader, &buf);
	for (size_t at = 0; !err && at + sizeof(struct snap_hdr) <= buf.len;) {
		const struct snap_hdr *h = (const struct snap_hdr *)(buf.data + at);
		if (h->size < sizeof(*h) || h->size > buf.len - at)
			break;
		if (h->type == SNAP_TASK && h->size == sizeof(struct snap_task))
			each(arg, (const struct snap_task *)h);
		at += h->size;
	}
	snap_buf_release(&buf);
	return err;
}
