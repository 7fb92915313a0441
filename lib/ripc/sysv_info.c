// SPDX-License-Identifier: LGPL-2.1-or-later
/* All segments or queues there are: counted through, and their sums (msgctl(2), shmctl(2)). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ripc/sysv_msq.h"
#include "lib/ripc/sysv_shm.h"

/* What <linux/msg.h> says of a kernel's, which nothing depends on. */
#define SEGMENT_BYTES 16

struct walk {
	enum ripc_type type;
	int *ids; /* malloc'ed */
	size_t n, room;
	uint64_t messages, bytes, pages;
	int err;
};

/* Bodies are anybody's, and may change as they are read: each value once. */
static void sum(struct walk *w, const struct ripc_listing *l)
{
	if (w->type == RIPC_TYPE_MSQ && l->body_bytes == sizeof(struct msq_body)) {
		const struct msq_body *q = l->body;
		w->messages += q->count;
		w->bytes += q->bytes;
	} else if (w->type == RIPC_TYPE_SHM && l->body_bytes == sizeof(struct shm_body)) {
		uint64_t bytes = ((const struct shm_body *)l->body)->bytes;
		w->pages += bytes / SHM_PAGE + (bytes % SHM_PAGE != 0);
	}
}

/* A removed segment is there as long as it is attached; a removed queue is gone. */
static int note(const struct ripc_listing *l, void *arg)
{
	struct walk *w = arg;
	if (l->type != w->type || l->name[0] != 'i' || l->error || !l->body ||
	    !(l->keep || (l->holders && l->type == RIPC_TYPE_SHM)))
		return 0;
	if (w->n == w->room) {
		size_t room = w->room ? 2 * w->room : 64;
		int *grown = realloc(w->ids, room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		w->ids = grown;
		w->room = room;
	}
	w->ids[w->n++] = atoi(l->name + 1);
	sum(w, l);
	return 0;
}

static int ascending(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return x < y ? -1 : x > y;
}

static int walk(struct walk *w)
{
	int err = ripc_dir_list(note, w);
	if (err) {
		free(w->ids);
		w->ids = NULL;
		w->n = 0;
	}
	if (w->n)
		qsort(w->ids, w->n, sizeof(*w->ids), ascending);
	return err;
}

int ripc_sysv_by_index(enum ripc_type type, int index)
{
	struct walk w = {.type = type};
	int err = walk(&w);
	if (!err)
		err = (size_t)index < w.n ? w.ids[index] : -EINVAL;
	free(w.ids);
	return err;
}

static int highest(const struct walk *w) { return w->n ? (int)w->n - 1 : 0; }

int ripc_shm_info(int cmd, void *buf)
{
	struct walk w = {.type = RIPC_TYPE_SHM};
	int err = walk(&w);
	free(w.ids);
	if (err)
		return err;
	if (cmd == IPC_INFO) {
		struct shminfo info = {.shmmax = RIPC_SHMMAX, .shmmin = 1, .shmmni = RIPC_SHMMNI};
		info.shmseg = info.shmmni;
		info.shmall = RIPC_SHMMAX / SHM_PAGE;
		memcpy(buf, &info, sizeof(info));
	} else {
		struct shm_info info = {.used_ids = (int)w.n, .shm_tot = w.pages};
		memcpy(buf, &info, sizeof(info));
	}
	return highest(&w);
}

int ripc_msq_info(int cmd, void *buf)
{
	struct walk w = {.type = RIPC_TYPE_MSQ};
	int err = walk(&w);
	free(w.ids);
	if (err)
		return err;
	struct msginfo info = {.msgmni = RIPC_MSGMNI, .msgmax = RIPC_MSGMAX, .msgmnb = RIPC_MSGMNB,
			       .msgssz = SEGMENT_BYTES, .msgseg = UINT16_MAX};
	if (cmd == IPC_INFO) {
		info.msgpool = (int)((long)RIPC_MSGMNI * RIPC_MSGMNB / 1024);
		info.msgmap = info.msgtql = RIPC_MSGMNB;
	} else {
		info.msgpool = (int)w.n;
		info.msgmap = (int)w.messages;
		info.msgtql = (int)w.bytes;
	}
	memcpy(buf, &info, sizeof(info));
	return highest(&w);
}
