// SPDX-License-Identifier: GPL-2.0-or-later
#include "maps.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* One call's worth: gone when the last of its ranges is. */
struct mapping {
	uint64_t chan;
	uint32_t ranges;
	uint8_t dir;
	bool synthetic;
};

struct range {
	uint64_t start, end;
	uint64_t since_ns; /* when the call that mapped it had returned */
	struct mapping *of;
};

struct futex {
	struct futex *next;
	uint64_t chan, memory;
};

struct holder {
	uint32_t pid;
	struct range *v; /* by address, none overlaps */
	size_t n, room;
	struct futex *futexes;
	UT_hash_handle hh;
};

struct maps {
	struct holder *by_pid;
};

struct maps *maps_new(void) { return calloc(1, sizeof(struct maps)); }

static struct holder *find(struct maps *m, uint32_t pid)
{
	struct holder *h;
	HASH_FIND(hh, m->by_pid, &pid, sizeof(pid), h);
	return h;
}

static struct holder *get(struct maps *m, uint32_t pid)
{
	struct holder *h = find(m, pid);
	if (h)
		return h;
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->pid = pid;
	HASH_ADD(hh, m->by_pid, pid, sizeof(h->pid), h);
	return h;
}

static void drop(struct maps *m, struct holder *h)
{
	HASH_DEL(m->by_pid, h);
	for (size_t i = 0; i < h->n; i++)
		if (--h->v[i].of->ranges == 0)
			free(h->v[i].of);
	for (struct futex *f = h->futexes, *next; f; f = next) {
		next = f->next;
		free(f);
	}
	free(h->v);
	free(h);
}

void maps_free(struct maps *m)
{
	if (!m)
		return;
	while (m->by_pid)
		drop(m, m->by_pid);
	free(m);
}

/* ---- telling ---- */

static int tell(struct sink *out, uint32_t pid, uint64_t chan, uint8_t what, uint8_t dir,
		bool synthetic, uint64_t t_ns)
{
	struct ev_endpoint e = {
		.hdr = { .t_ns = t_ns, .type = EV_ENDPOINT, .size = sizeof(e),
			 .flags = synthetic ? EV_SYNTHETIC : 0 },
		.chan = chan, .pid = pid, .fd = -1, .what = what, .dir = dir,
	};
	return sink_event(out, &e.hdr);
}

static bool has_mapped(const struct holder *h, uint64_t chan)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].of->chan == chan)
			return true;
	return false;
}

/* The memory is gone, and with it the futexes in it. */
static int tell_gone(struct holder *h, uint64_t memory, uint64_t t_ns, struct sink *out)
{
	int err = tell(out, h->pid, memory, ENDPOINT_DETACH, 0, false, t_ns);
	if (has_mapped(h, memory))
		return err;
	for (struct futex **at = &h->futexes; *at && !err;) {
		struct futex *f = *at;
		if (f->memory != memory) {
			at = &f->next;
			continue;
		}
		err = tell(out, h->pid, f->chan, ENDPOINT_DETACH, 0, false, t_ns);
		*at = f->next;
		free(f);
	}
	return err;
}

/* ---- ranges ---- */

static int insert(struct holder *h, size_t at, struct range r)
{
	if (h->n == h->room) {
		size_t room = h->room ? h->room * 2 : 8;
		struct range *grown = realloc(h->v, room * sizeof(*grown));
		if (!grown)
			return -1;
		h->v = grown;
		h->room = room;
	}
	memmove(&h->v[at + 1], &h->v[at], (h->n - at) * sizeof(*h->v));
	h->v[at] = r;
	h->n++;
	r.of->ranges++;
	return 0;
}

/* The first range that ends behind `address`. */
static size_t first_behind(const struct holder *h, uint64_t address)
{
	size_t low = 0, high = h->n;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (h->v[mid].end > address)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static int remove_at(struct holder *h, size_t at, uint64_t t_ns, struct sink *out)
{
	struct mapping *of = h->v[at].of;
	uint64_t chan = of->chan;
	h->n--;
	memmove(&h->v[at], &h->v[at + 1], (h->n - at) * sizeof(*h->v));
	if (--of->ranges)
		return 0;
	free(of);
	return tell_gone(h, chan, t_ns, out);
}

/*
 * Takes [start, end) away. What was mapped after the call began is not meant: the addresses were free
 * by then, and another thread was given them before the call returned. Sets *chan, if 0, to the
 * first channel that lost something.
 */
static int cut(struct holder *h, uint64_t start, uint64_t end, const struct ev_io *io,
	       uint64_t *chan, struct sink *out)
{
	int err = 0;
	for (size_t i = first_behind(h, start); !err && i < h->n && h->v[i].start < end;) {
		struct range *r = &h->v[i];
		if (r->since_ns > io->enter_ns) {
			i++;
			continue;
		}
		if (!*chan)
			*chan = r->of->chan;
		struct range tail = *r;
		if (r->start < start && r->end > end) { /* a hole in the middle */
			r->end = start;
			tail.start = end;
			insert(h, i + 1, tail);
			return 0;
		}
		if (r->start < start) {
			r->end = start;
			i++;
		} else if (r->end > end) {
			r->start = end;
			break;
		} else {
			err = remove_at(h, i, io->hdr.t_ns, out);
		}
	}
	return err;
}

static int cut_whole(struct holder *h, uint64_t address, const struct ev_io *io, uint64_t *chan,
		     struct sink *out)
{
	size_t at = first_behind(h, address);
	if (at == h->n || h->v[at].start > address)
		return 0;
	struct mapping *of = h->v[at].of;
	*chan = of->chan;
	int err = 0;
	for (size_t i = h->n; i-- > 0 && !err;)
		if (h->v[i].of == of) {
			bool last = of->ranges == 1;
			err = remove_at(h, i, io->hdr.t_ns, out);
			if (last)
				break;
		}
	return err;
}

static int add(struct holder *h, const struct raw_map *r, struct mapping *of)
{
	struct range range = { .start = r->start, .end = r->end, .of = of,
			       .since_ns = r->io.enter_ns + r->io.dur_ns };
	return insert(h, first_behind(h, r->start), range);
}

static int add_new(struct holder *h, const struct raw_map *r, uint64_t chan, uint8_t dir,
		   struct sink *out)
{
	bool synthetic = r->io.hdr.flags & EV_SYNTHETIC;
	struct mapping *of = calloc(1, sizeof(*of));
	if (!of)
		return 0;
	*of = (struct mapping){ .chan = chan, .dir = dir, .synthetic = synthetic };
	if (add(h, r, of)) {
		free(of);
		return 0;
	}
	return tell(out, h->pid, chan, ENDPOINT_ATTACH, dir, synthetic, r->io.hdr.t_ns);
}

/* mremap. What was shared at the old place is so at the new one; anything else is none of ours. */
static int move(struct holder *h, const struct raw_map *r, uint64_t *chan, struct sink *out)
{
	uint64_t none = 1;
	size_t at = first_behind(h, r->old_start);
	if (at == h->n || h->v[at].start > r->old_start)
		return cut(h, r->start, r->end, &r->io, &none, out);
	struct mapping *of = h->v[at].of;
	*chan = of->chan;
	if (r->keeps) {
		uint8_t dir = of->dir;
		int err = cut(h, r->start, r->end, &r->io, &none, out);
		return err ? err : add_new(h, r, *chan, dir, out);
	}
	of->ranges++; /* held while it has no range */
	int err = cut(h, r->old_start, r->old_end, &r->io, &none, out);
	if (!err)
		err = cut(h, r->start, r->end, &r->io, &none, out);
	if (!err)
		add(h, r, of);
	of->ranges--;
	return err;
}

/* A look at a process that is being traced already knows less than its calls. */
static int found(struct holder *h, const struct raw_map *r, uint64_t chan, struct sink *out)
{
	size_t at = first_behind(h, r->start);
	bool known = at < h->n && h->v[at].start < r->end;
	return known ? 0 : add_new(h, r, chan, r->dir, out);
}

int maps_change(struct maps *m, const struct raw_map *r, uint64_t *chan, struct sink *out)
{
	struct holder *h = *chan ? get(m, r->io.pid) : find(m, r->io.pid);
	uint64_t now = *chan, none = 1;
	if (!h)
		return 0;
	if (r->io.hdr.flags & EV_SYNTHETIC)
		return now ? found(h, r, now, out) : 0;
	if (r->moves)
		return move(h, r, chan, out);
	if (r->whole)
		return cut_whole(h, r->old_start, &r->io, chan, out);
	int err = cut(h, r->old_start, r->old_end, &r->io, now ? &none : chan, out);
	if (err || !now || r->start >= r->end)
		return err;
	return add_new(h, r, now, r->dir, out);
}

/* ---- futexes ---- */

static int futex_add(struct holder *h, uint64_t chan, uint64_t memory, uint64_t t_ns,
		     struct sink *out)
{
	struct futex *f = malloc(sizeof(*f));
	if (!f)
		return 0;
	*f = (struct futex){ .next = h->futexes, .chan = chan, .memory = memory };
	h->futexes = f;
	return tell(out, h->pid, chan, ENDPOINT_ATTACH, ENDPOINT_DIR_READ | ENDPOINT_DIR_WRITE,
		    false, t_ns);
}

int maps_futex(struct maps *m, uint32_t pid, uint64_t chan, uint64_t memory, uint64_t t_ns,
	       struct sink *out)
{
	struct holder *h = get(m, pid);
	if (!h)
		return 0;
	for (struct futex **at = &h->futexes; *at; at = &(*at)->next) {
		struct futex *f = *at;
		if (f->chan != chan)
			continue;
		*at = f->next; /* used again soon: to the front */
		f->next = h->futexes;
		h->futexes = f;
		return 0;
	}
	return futex_add(h, chan, memory, t_ns, out);
}

/* ---- processes ---- */

/* The child's mappings are its own: as many as the parent's, of as many ranges. */
static int inherit_range(struct holder *to, const struct holder *from, size_t i,
			 const struct ev_task *t, struct sink *out)
{
	struct range r = from->v[i];
	struct mapping *old = r.of;
	r.of = NULL;
	for (size_t k = 0; k < i && !r.of; k++)
		if (from->v[k].of == old && k < to->n)
			r.of = to->v[k].of;
	bool first = !r.of;
	if (first) {
		r.of = malloc(sizeof(*r.of));
		if (!r.of)
			return 0;
		*r.of = *old;
		r.of->ranges = 0;
	}
	if (insert(to, to->n, r)) {
		if (first)
			free(r.of);
		return 0;
	}
	return first ? tell(out, to->pid, old->chan, ENDPOINT_ATTACH, old->dir, old->synthetic,
			    t->hdr.t_ns)
		     : 0;
}

static int inherit(struct maps *m, const struct ev_task *t, struct sink *out)
{
	struct holder *from = find(m, t->ppid);
	struct holder *to = from ? get(m, t->pid) : NULL;
	int err = 0;
	if (!to || to->n)
		return 0;
	for (size_t i = 0; i < from->n && !err; i++)
		err = inherit_range(to, from, i, t, out);
	for (struct futex *f = from->futexes; f && !err; f = f->next)
		err = futex_add(to, f->chan, f->memory, t->hdr.t_ns, out);
	return err;
}

int maps_follow(struct maps *m, const struct ev_task *t, struct sink *out)
{
	struct holder *h = find(m, t->pid);
	if (h && (t->what == TASK_EXEC || (t->what == TASK_EXIT && (t->hdr.flags & TASK_F_LAST))))
		drop(m, h);
	return t->what == TASK_FORK && t->pid == t->tid ? inherit(m, t, out) : 0;
}
