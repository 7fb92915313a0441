// SPDX-License-Identifier: GPL-2.0-or-later
/* The keyframes that a player knows of: those of the trace, and those that it made; see player.h. */
#include "player_inner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keyframes.h"
#include "lib/model/keyframe.h"
#include "trace.h"

#define MEMORY_BYTES (256u << 20) /* of keyframes that are not in the trace */

struct mark *player_mark_before(struct player *p, uint64_t seq, uint64_t t_ns)
{
	size_t low = 0, high = p->nmarks;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (p->marks[mid].seq <= seq && p->marks[mid].t_ns <= t_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &p->marks[low - 1] : NULL;
}

void player_mark_remove(struct player *p, size_t at)
{
	struct mark *m = &p->marks[at];
	if (m->blob)
		p->memory_bytes -= m->blob->size;
	keyframe_blob_free(m->blob);
	memmove(m, m + 1, (p->nmarks - at - 1) * sizeof(*m));
	p->nmarks--;
}

/* Every second one of those in memory goes, so that they stay spread over all of the trace. */
static void marks_thin(struct player *p)
{
	bool drop = false;
	for (size_t i = p->nmarks; i-- > 0;) {
		if (!p->marks[i].blob)
			continue;
		drop = !drop;
		if (drop)
			player_mark_remove(p, i);
	}
}

static int mark_insert(struct player *p, size_t at, const struct mark *m)
{
	if (p->nmarks == p->room) {
		struct mark *grown = reallocarray(p->marks, 2 * p->room + 64, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		p->marks = grown;
		p->room = 2 * p->room + 64;
	}
	memmove(&p->marks[at + 1], &p->marks[at], (p->nmarks - at) * sizeof(*m));
	p->marks[at] = *m;
	p->nmarks++;
	return 0;
}

void player_mark_here(struct player *p)
{
	struct mark *before = player_mark_before(p, p->seq, UINT64_MAX);
	size_t at = before ? (size_t)(before - p->marks) + 1 : 0;
	if (before && p->seq - before->seq < KEYFRAME_EVENTS) {
		p->mark_due = before->seq + KEYFRAME_EVENTS;
		return;
	}
	struct mark here = {.seq = p->seq, .t_ns = p->t_ns};
	here.blob = keyframe_blob_new(p->model, p->t_ns);
	p->mark_due = p->seq + keyframe_distance(here.blob ? here.blob->size : 0);
	if (!here.blob)
		return;
	/* one that is not far behind will do as well */
	if (at < p->nmarks && p->marks[at].seq < p->mark_due) {
		p->mark_due = p->marks[at].seq + KEYFRAME_EVENTS;
		keyframe_blob_free(here.blob);
		return;
	}
	if (mark_insert(p, at, &here)) {
		keyframe_blob_free(here.blob);
		return;
	}
	p->memory_bytes += here.blob->size;
	while (p->memory_bytes > MEMORY_BYTES)
		marks_thin(p);
}

int player_marks_load(struct player *p)
{
	struct keyframe_at *v;
	size_t n;
	int rc = p->opts.is_filtered ? 0 : keyframes_list(p->trace->db, &v, &n);
	if (rc || p->opts.is_filtered)
		return rc;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = mark_insert(p, p->nmarks, &(struct mark){.seq = v[i].seq, .t_ns = v[i].t_ns});
	free(v);
	return rc;
}
