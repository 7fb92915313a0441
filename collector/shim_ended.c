// SPDX-License-Identifier: GPL-2.0-or-later
#include "shim_ended.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/procfs.h"
#include "lib/abi/raw.h"

/* The place of an object, emptied if it was another's. */
static struct shim_ended *place_of(struct shim_control *c, uint64_t obj)
{
	struct shim_ended *oldest = NULL;
	for (unsigned int i = 0; i < SHIM_DEED_PROBES; i++) {
		struct shim_ended *e = &c->ended[shim_ended_place(obj, i)];
		if (e->obj == obj)
			return e;
		if (!e->obj) {
			oldest = e;
			break;
		}
		if (!oldest || e->ended_ns < oldest->ended_ns)
			oldest = e;
	}
	/* who looks meanwhile is not to take one's for the other's */
	__atomic_store_n(&oldest->obj, 0, __ATOMIC_RELEASE);
	memset(oldest, 0, sizeof(*oldest));
	return oldest;
}

static void finish(struct shim_ended *e, uint64_t obj, uint64_t now_ns)
{
	e->ended_ns = now_ns;
	__atomic_store_n(&e->obj, obj, __ATOMIC_RELEASE);
}

static void note_deed(struct shim_control *c, const struct shim_deed *d, const struct shim_person *who, uint64_t now_ns)
{
	struct shim_ended *e = place_of(c, d->obj);
	if (d->born_ns > e->ended_ns) /* what those before did was to another one */
		*e = (struct shim_ended){ .obj = e->obj };
	e->gives += d->gives;
	e->strange += d->strange;
	if (d->gives && d->last_ns >= e->last_ns && d->last_ns <= now_ns) {
		e->last_ns = d->last_ns;
		e->giver = *who;
	}
	if (d->units) {
		e->units += d->units;
		e->holder = *who;
	}
	finish(e, d->obj, now_ns);
}

void shim_ended_note(struct shim_control *c, const struct shim_ring *header, const struct shim_person *who,
		     bool of_process, uint64_t now_ns)
{
	struct shim_ring r = *header; /* that it does not change while we look */
	for (unsigned int i = 0; i < SHIM_DEEDS_MAX; i++) {
		const struct shim_deed *d = &r.deeds[i];
		if (d->obj && (d->gives || d->units) && !(of_process && RAW_OBJ_IS_PRIVATE(d->obj)))
			note_deed(c, d, who, now_ns);
	}
	for (unsigned int i = 0; i < SHIM_HELD_MAX; i++) {
		uint64_t obj = r.held[i].obj;
		if (!obj || (of_process && RAW_OBJ_IS_PRIVATE(obj)))
			continue;
		struct shim_ended *e = place_of(c, obj);
		e->held++;
		e->holder = *who;
		finish(e, obj, now_ns);
	}
}

const struct shim_ended *shim_ended_find(const struct shim_ended list[SHIM_ENDED_MAX], uint64_t obj)
{
	for (unsigned int i = 0; obj && i < SHIM_DEED_PROBES; i++) {
		const struct shim_ended *e = &list[shim_ended_place(obj, i)];
		if (e->obj == obj)
			return e;
	}
	return NULL;
}

/* ---- rings that nobody reads ---- */

static int is_ring(const struct dirent *d) { return strncmp(d->d_name, SHIM_RING_PREFIX, strlen(SHIM_RING_PREFIX)) == 0; }

static bool has_ended(uint32_t pid, uint32_t tid)
{
	char state = procfs_state(pid, tid);
	return !state || state == 'Z' || state == 'X';
}

/* "ring.TID.PID.N": has that thread ended? */
static bool names_ended(const char *name, struct shim_person *who)
{
	return sscanf(name, SHIM_RING_PREFIX "%u.%u.", &who->tid, &who->pid) == 2 && has_ended(who->pid, who->tid);
}

static bool read_header(int folder, const char *name, struct shim_ring *r)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool whole = fd >= 0 && pread(fd, r, sizeof(*r), 0) == (ssize_t)sizeof(*r) && r->magic == SHIM_MAGIC &&
		     r->version == SHIM_VERSION;
	if (fd >= 0)
		close(fd);
	return whole;
}

void shim_ended_sweep(const struct shim_folder *f, uint64_t now_ns)
{
	struct dirent **names;
	struct shim_person who;
	int n = scandirat(f->fd, ".", &names, is_ring, NULL);
	for (int i = 0; i < n; i++) {
		struct shim_ring r;
		if (names_ended(names[i]->d_name, &who)) {
			if (read_header(f->fd, names[i]->d_name, &r)) {
				memcpy(who.comm, r.comm, sizeof(who.comm));
				shim_ended_note(f->control, &r, &who, has_ended(who.pid, who.pid), now_ns);
			}
			unlinkat(f->fd, names[i]->d_name, 0);
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}
