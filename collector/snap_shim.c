// SPDX-License-Identifier: GPL-2.0-or-later
#include "snap_shim.h"

#include <string.h>
#include <uthash.h>

#include "collector/shim_ended.h"

#define FOLDER "/ipctap-" /* as collector/shim_folder.c makes them */

/* What one process tells, read once for each snapshot. */
struct shim_process {
	uint32_t pid;
	bool live; /* it is told to somebody, or was until he was killed: so it is kept up to date */
	uint32_t offs;
	struct shim_ended *ended; /* SHIM_ENDED_MAX of them, hostile; NULL: nothing is known */
	struct shim_ring *rings; /* headers, as copied: hostile */
	uint32_t n, room;
	UT_hash_handle hh;
};

/* What was found out for one of many that wait for the same. */
struct shim_answer {
	uint64_t key;
	wg_ref condition;
	char detail[WG_DETAIL_LEN];
	UT_hash_handle hh;
};

struct snap_shim {
	struct shim_process *processes;
	struct shim_answer *answers;
};

void snap_shim_free(struct snap_shim *s)
{
	struct shim_process *p, *next;
	struct shim_answer *a, *after;
	if (!s)
		return;
	HASH_ITER(hh, s->answers, a, after) {
		HASH_DEL(s->answers, a);
		free(a);
	}
	HASH_ITER(hh, s->processes, p, next) {
		HASH_DEL(s->processes, p);
		free(p->ended);
		free(p->rings);
		free(p);
	}
	free(s);
}

/* ---- reading ---- */

static bool is_called(const char *name, const char *prefix)
{
	const char *base = strrchr(name, '/');
	return base && strncmp(base + 1, prefix, strlen(prefix)) == 0 && strstr(name, FOLDER);
}

static void take_control(struct shim_process *p, uint64_t at)
{
	struct shim_control c;
	if (!snap_mem_read(p->pid, at, &c, sizeof(c)) || c.magic != SHIM_MAGIC || c.version != SHIM_VERSION)
		return;
	p->live = c.on != 0;
	p->offs = c.offs;
	if (!p->ended && p->live)
		p->ended = malloc(sizeof(c.ended));
	if (p->ended)
		memcpy(p->ended, c.ended, sizeof(c.ended));
}

static void take_ring(struct shim_process *p, uint64_t at)
{
	if (p->n == p->room) {
		uint32_t room = p->room ? p->room * 2 : 4;
		struct shim_ring *grown = realloc(p->rings, room * sizeof(*grown));
		if (!grown)
			return; /* whose it is, of them nothing is known */
		p->rings = grown;
		p->room = room;
	}
	struct shim_ring *r = &p->rings[p->n];
	if (snap_mem_read(p->pid, at, r, sizeof(*r)) && r->magic == SHIM_MAGIC && r->version == SHIM_VERSION)
		p->n++;
}

static void take_mapping(void *arg, uint64_t start, uint64_t end, const char *name)
{
	struct shim_process *p = arg;
	if (end - start >= SHIM_PAGE && is_called(name, SHIM_CONTROL))
		take_control(p, start);
	else if (end - start >= SHIM_PAGE && is_called(name, SHIM_RING_PREFIX))
		take_ring(p, start);
}

/* By thread, of each the latest first. */
static int by_tid(const void *pa, const void *pb)
{
	const struct shim_ring *a = pa, *b = pb;
	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	return a->start_ns < b->start_ns ? 1 : a->start_ns > b->start_ns ? -1 : 0;
}

static const struct shim_process *process_of(struct snap_world *w, uint32_t pid)
{
	struct shim_process *p;
	if (!w->shim)
		w->shim = calloc(1, sizeof(*w->shim));
	if (!w->shim)
		return NULL;
	HASH_FIND(hh, w->shim->processes, &pid, sizeof(pid), p);
	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->pid = pid;
	snap_mappings(pid, take_mapping, p);
	if (p->n)
		qsort(p->rings, p->n, sizeof(*p->rings), by_tid);
	HASH_ADD(hh, w->shim->processes, pid, sizeof(p->pid), p);
	return p;
}

const struct shim_ring *snap_shim_ring(struct snap_world *w, const struct snap_task *t)
{
	const struct shim_process *p = process_of(w, t->pid);
	uint32_t low = 0, high = p && p->live ? p->n : 0;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (p->rings[mid].tid < t->ns_tid)
			low = mid + 1;
		else
			high = mid;
	}
	const struct shim_ring *r = p && p->live && low < p->n ? &p->rings[low] : NULL;
	return r && r->tid == t->ns_tid && r->pid == t->ns_pid && r->offs == p->offs ? r : NULL;
}

const struct shim_ended *snap_shim_ended(struct snap_world *w, const struct snap_task *t, uint64_t obj)
{
	const struct shim_process *p = process_of(w, t->pid);
	return p && p->live && p->ended ? shim_ended_find(p->ended, obj) : NULL;
}

bool snap_shim_covers(struct snap_world *w, const struct snap_task *t) { return snap_shim_ring(w, t) != NULL; }

/* ---- answers ---- */

bool snap_shim_answered(struct futex_word *f, uint64_t key)
{
	struct shim_answer *a = NULL;
	if (f->c->w->shim)
		HASH_FIND(hh, f->c->w->shim->answers, &key, sizeof(key), a);
	if (!a)
		return false;
	f->c->th->condition = a->condition;
	memcpy(f->c->th->detail, a->detail, sizeof(a->detail));
	f->c->told = true;
	return true;
}

void snap_shim_answer(struct futex_word *f, uint64_t key)
{
	struct shim_answer *a = f->c->told && f->c->w->shim ? calloc(1, sizeof(*a)) : NULL;
	if (!a)
		return;
	a->key = key;
	a->condition = f->c->th->condition;
	memcpy(a->detail, f->c->th->detail, sizeof(a->detail));
	HASH_ADD(hh, f->c->w->shim->answers, key, sizeof(a->key), a);
}
