// SPDX-License-Identifier: GPL-2.0-or-later
#include "snap_shim.h"
#include "snap_world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- tables ---- */

static bool table_add(struct snap_world *w, const void ***rows, uint32_t *n, uint32_t *room,
		      const void *row)
{
	if (*n == *room) {
		uint32_t more = *room ? *room * 2 : 256;
		const void **grown = realloc(*rows, more * sizeof(**rows));
		if (!grown) {
			w->failed = true;
			return false;
		}
		*rows = grown;
		*room = more;
	}
	(*rows)[(*n)++] = row;
	return true;
}

#define ADD(w, name, h)                                                                            \
	table_add(w, (const void ***)&(w)->name, &(w)->n##name, &(w)->room##name, h)

/* The size a record of each type must have; one that has another is left out and counted. */
static const uint16_t record_size[SNAP_TYPE_MAX] = {
	[SNAP_TASK] = sizeof(struct snap_task), [SNAP_FILE] = sizeof(struct snap_file),
	[SNAP_PIPE] = sizeof(struct snap_pipe), [SNAP_SOCK] = sizeof(struct snap_sock),
	[SNAP_MQ] = sizeof(struct snap_mq),	[SNAP_LOCK] = sizeof(struct snap_lock),
	[SNAP_PARCEL] = sizeof(struct snap_parcel), [SNAP_SEM] = sizeof(struct snap_sem),
	[SNAP_UNDO] = sizeof(struct snap_undo), [SNAP_MSG] = sizeof(struct snap_msg),
	[SNAP_RING] = sizeof(struct snap_ring), [SNAP_REQ] = sizeof(struct snap_req),
	[SNAP_CUT] = sizeof(struct snap_hdr),
};

/* A ring is told once for each descriptor that leads to it; only the first time counts, as do its requests. */
static void ring_add(struct snap_world *w, const struct snap_hdr *h)
{
	const struct snap_ring *r = (const struct snap_ring *)h;
	w->ring_again = false;
	for (uint32_t i = 0; i < w->nrings && !w->ring_again; i++)
		w->ring_again = w->rings[i]->obj == r->obj;
	if (!w->ring_again)
		ADD(w, rings, h);
}

static void record_add(struct snap_world *w, const struct snap_hdr *h)
{
	switch (h->type) {
	case SNAP_TASK: ADD(w, tasks, h); break;
	case SNAP_FILE: ADD(w, files, h); break;
	case SNAP_PIPE: ADD(w, pipes, h); break;
	case SNAP_SOCK: ADD(w, socks, h); break;
	case SNAP_MQ: ADD(w, mqs, h); break;
	case SNAP_LOCK: ADD(w, locks, h); break;
	case SNAP_PARCEL: ADD(w, parcels, h); break;
	case SNAP_SEM: ADD(w, sems, h); break;
	case SNAP_UNDO: ADD(w, undos, h); break;
	case SNAP_MSG: ADD(w, msgs, h); break;
	case SNAP_RING: ring_add(w, h); break;
	case SNAP_REQ:
		if (!w->ring_again)
			ADD(w, reqs, h);
		break;
	default: ADD(w, cuts, h); break;
	}
}

static void records_split(struct snap_world *w)
{
	uint64_t bad = 0;
	for (size_t at = 0; at + sizeof(struct snap_hdr) <= w->buf.len;) {
		const struct snap_hdr *h = (const struct snap_hdr *)(w->buf.data + at);
		if (h->size < sizeof(*h) || h->size % 8 || h->size > w->buf.len - at) {
			bad++;
			break; /* where the next one begins is not known */
		}
		if (h->type < SNAP_TYPE_MAX && h->size == record_size[h->type])
			record_add(w, h);
		else
			bad++;
		at += h->size;
	}
	if (bad)
		wg_lost(w->g, bad, "records of the snapshot that made no sense");
}

/* ---- indexes ---- */

static uint64_t tuple_key(uint32_t netns, uint32_t type, const uint8_t *from, uint16_t fport,
			  const uint8_t *to, uint16_t tport)
{
	uint64_t a[4];
	memcpy(a, from, 16);
	memcpy(a + 2, to, 16);
	uint64_t key = snap_mix(netns, type);
	for (int i = 0; i < 4; i++)
		key = snap_mix(key, a[i]);
	return snap_mix(key, (uint64_t)fport << 16 | tport);
}

static uint64_t ns_key(uint32_t pidns, uint32_t tid) { return (uint64_t)pidns << 32 | tid; }

#define INDEX(ix, name, key)                                                                       \
	do {                                                                                       \
		if (snap_index_init(&w->ix, w->n##name))                                           \
			return -ENOMEM;                                                            \
		for (uint32_t i = 0; i < w->n##name; i++)                                          \
			snap_index_put(&w->ix, i, key);                                            \
	} while (0)

static uint64_t files_of_row(struct snap_world *w, uint32_t i)
{
	const struct snap_task *t = snap_task_of(w, w->files[i]->hdr.tid);
	return t ? t->files : 0;
}

static int index_tasks(struct snap_world *w)
{
	INDEX(task_tid, tasks, w->tasks[i]->hdr.tid);
	INDEX(task_pid, tasks, w->tasks[i]->pid);
	INDEX(task_ppid, tasks, w->tasks[i]->ppid);
	INDEX(task_mm, tasks, w->tasks[i]->mm);
	INDEX(task_files, tasks, w->tasks[i]->files);
	INDEX(task_tracer, tasks, w->tasks[i]->tracer);
	INDEX(task_undo, tasks, w->tasks[i]->undo);
	for (uint32_t i = 1; i < w->ntasks; i++)
		w->many_pidns = w->many_pidns || w->tasks[i]->pidns != w->tasks[0]->pidns;
	INDEX(task_ns, tasks, ns_key(w->tasks[i]->pidns, w->tasks[i]->ns_tid));
	return 0;
}

static int index_files(struct snap_world *w)
{
	INDEX(file_fd, files, snap_fd_key(files_of_row(w, i), w->files[i]->fd));
	INDEX(file_obj, files, w->files[i]->obj);
	INDEX(file_file, files, w->files[i]->file);
	INDEX(pipe_obj, pipes, w->pipes[i]->obj);
	INDEX(sock_obj, socks, w->socks[i]->obj);
	INDEX(sock_peer, socks, w->socks[i]->peer);
	INDEX(sock_tuple, socks,
	      tuple_key(w->socks[i]->netns, w->socks[i]->type, w->socks[i]->laddr, w->socks[i]->lport,
			w->socks[i]->raddr, w->socks[i]->rport));
	INDEX(mq_obj, mqs, w->mqs[i]->obj);
	INDEX(lock_obj, locks, w->locks[i]->obj);
	INDEX(parcel_file, parcels, w->parcels[i]->file);
	INDEX(parcel_obj, parcels, w->parcels[i]->obj);
	INDEX(sem_obj, sems, snap_mix(w->sems[i]->hdr.tid, w->sems[i]->num));
	INDEX(undo_obj, undos, w->undos[i]->hdr.tid);
	INDEX(cut_tid, cuts, w->cuts[i]->tid);
	INDEX(msg_obj, msgs, w->msgs[i]->hdr.tid);
	INDEX(ring_obj, rings, w->rings[i]->obj);
	INDEX(req_ring, reqs, w->reqs[i]->ring);
	INDEX(req_file, reqs, w->reqs[i]->file);
	INDEX(req_obj, reqs, w->reqs[i]->obj);
	return 0;
}

/* Each userfaultfd has an inode of its own; most other anonymous files share one. */
static bool has_userfaultfd(struct snap_world *w)
{
	char link[64];
	for (uint32_t i = 0; i < w->nfiles; i++) {
		const struct snap_file *f = w->files[i];
		uint32_t *seen = f->what == SNAP_IS_ANON ? snap_memo(w, MEMO_ANON, f->ino) : NULL;
		if (!seen || *seen)
			continue;
		*seen = 1;
		snap_fd_link(f->pid, f->fd, link, sizeof(link));
		if (strcmp(link, "anon_inode:[userfaultfd]") == 0)
			return true;
	}
	return false;
}

int snap_world_init(struct snap_world *w, struct snap_buf *buf, bool whole)
{
	*w = (struct snap_world){ .buf = *buf, .whole = whole };
	*buf = (struct snap_buf){ 0 };
	w->g = waitgraph_new();
	w->memo_room = 4096;
	w->memo = calloc(w->memo_room, sizeof(*w->memo));
	if (!w->g || !w->memo)
		return -ENOMEM;
	records_split(w);
	w->busy = calloc(w->nfiles + 1, sizeof(*w->busy));
	if (w->failed || !w->busy)
		return -ENOMEM;
	int err = index_tasks(w);
	if (!err)
		err = index_files(w);
	w->fetches = !err && has_userfaultfd(w);
	return err;
}

void snap_world_release(struct snap_world *w)
{
	struct snap_index *all[] = {
		&w->task_tid, &w->task_pid, &w->task_ppid, &w->task_mm, &w->task_files, &w->task_undo,
		&w->task_ns, &w->task_tracer, &w->file_fd, &w->file_obj, &w->file_file, &w->pipe_obj, &w->sock_obj,
		&w->sock_tuple, &w->sock_peer, &w->mq_obj, &w->lock_obj, &w->parcel_file, &w->parcel_obj,
		&w->sem_obj, &w->undo_obj, &w->msg_obj, &w->cut_tid, &w->ring_obj, &w->req_ring, &w->req_file,
		&w->req_obj,
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		snap_index_release(all[i]);
	free(w->tasks), free(w->files), free(w->pipes), free(w->socks), free(w->mqs);
	free(w->locks), free(w->parcels), free(w->sems), free(w->undos), free(w->msgs), free(w->cuts);
	free(w->rings), free(w->reqs);
	free(w->busy), free(w->memo);
	snap_maps_free(w->maps);
	snap_shim_free(w->shim);
	snap_buf_release(&w->buf);
	waitgraph_free(w->g);
	*w = (struct snap_world){ 0 };
}

/* ---- looking up ---- */

const struct snap_task *snap_task_of(const struct snap_world *w, uint32_t tid)
{
	uint32_t i = snap_first(&w->task_tid, tid);
	return i == SNAP_NONE ? NULL : w->tasks[i];
}

const struct snap_task *snap_task_in(const struct snap_world *w, uint32_t pidns, uint32_t tid)
{
	uint32_t i = snap_first(&w->task_ns, ns_key(pidns, tid));
	return i == SNAP_NONE ? NULL : w->tasks[i];
}

uint32_t snap_fd_row(const struct snap_world *w, const struct snap_task *t, int fd)
{
	return t->files && fd >= 0 ? snap_first(&w->file_fd, snap_fd_key(t->files, fd)) : SNAP_NONE;
}

const struct snap_pipe *snap_pipe_of(const struct snap_world *w, uint64_t obj)
{
	uint32_t i = snap_first(&w->pipe_obj, obj);
	return i == SNAP_NONE ? NULL : w->pipes[i];
}

const struct snap_sock *snap_sock_of(const struct snap_world *w, uint64_t obj)
{
	uint32_t i = obj ? snap_first(&w->sock_obj, obj) : SNAP_NONE;
	return i == SNAP_NONE ? NULL : w->socks[i];
}

const struct snap_sock *snap_tuple_peer(const struct snap_world *w, const struct snap_sock *s)
{
	uint64_t key = tuple_key(s->netns, s->type, s->raddr, s->rport, s->laddr, s->lport);
	for (uint32_t i = snap_first(&w->sock_tuple, key); i != SNAP_NONE;
	     i = snap_next(&w->sock_tuple, i)) {
		const struct snap_sock *p = w->socks[i];
		if (p->obj != s->obj && p->lport == s->rport && p->rport == s->lport &&
		    !memcmp(p->laddr, s->raddr, 16) && !memcmp(p->raddr, s->laddr, 16))
			return p;
	}
	return NULL;
}

/* ---- memo ---- */

static void memo_grow(struct snap_world *w)
{
	uint32_t room = w->memo_room * 2;
	struct snap_memo *memo = calloc(room, sizeof(*memo));
	if (!memo) {
		w->failed = true;
		return;
	}
	for (uint32_t i = 0; i < w->memo_room; i++) {
		if (!w->memo[i].key)
			continue;
		uint32_t at = (uint32_t)(w->memo[i].key >> 32) & (room - 1);
		while (memo[at].key)
			at = (at + 1) & (room - 1);
		memo[at] = w->memo[i];
	}
	free(w->memo);
	w->memo = memo;
	w->memo_room = room;
}

uint32_t *snap_memo(struct snap_world *w, unsigned int what, uint64_t obj)
{
	uint64_t key = snap_mix(obj, what) | 1;
	if (w->nmemo * 2 > w->memo_room)
		memo_grow(w);
	uint32_t at = (uint32_t)(key >> 32) & (w->memo_room - 1), tried = 0;
	while (w->memo[at].key && w->memo[at].key != key && ++tried < w->memo_room)
		at = (at + 1) & (w->memo_room - 1);
	if (!w->memo[at].key) {
		w->memo[at].key = key;
		w->nmemo++;
	}
	return &w->memo[at].value;
}

wg_ref snap_or(struct snap_world *w, wg_ref a, wg_ref b)
{
	if (!a || !b)
		return a ? a : b;
	wg_ref any = wg_any(w->g);
	wg_add(w->g, any, a, 1);
	wg_add(w->g, any, b, 1);
	return any;
}
