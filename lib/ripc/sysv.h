// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What segments and queues have in common: identifiers, keys, owners and permissions. Private.
 *
 * An object has the name "iID", and when it has a key also "kKEY" (8 hex digits): one file, two
 * links. It is there from when it is kept (ripc_object_keep) until it is no more: one store commits
 * its creation, after both names are made, and its removal, before they are taken away. Whoever
 * dies before the one or after the other leaves what is swept when its last holder has gone.
 */
#ifndef RIPC_SYSV_PRIVATE_H
#define RIPC_SYSV_PRIVATE_H

#include <sys/ipc.h>
#include <time.h>

#include "lib/ripc/object.h"

/* At the start of both kinds' bodies. */
struct sysv_head {
	int32_t id;
	key_t key;
	uint32_t uid, gid, cuid, cgid, mode; /* mode: the nine bits */
	int64_t ctime_s;
};

/* Fills a new body behind the head; the head is there already. */
struct sysv_kind {
	enum ripc_type type;
	size_t body_bytes, limit;
	int (*init)(void *body, int id, const void *arg);
	void (*recover)(void *body);
	/* EINVAL when arg does not fit an existing one; the body's size is right */
	int (*fits)(const void *body, const void *arg);
};

/* get: the identifier, or a negative errno. */
int ripc_sysv_get(const struct sysv_kind *kind, key_t key, int flags, const void *arg);

/* By identifier: -EINVAL when there is none. The caller closes. */
int ripc_sysv_open(struct ripc_object **out, const struct sysv_kind *kind, int id);

/* Removed, though somebody has it open. */
bool ripc_sysv_is_removed(const struct ripc_object *o);

/* want: 4 read, 2 write, 6 both. -EACCES. */
int ripc_sysv_may(const struct sysv_head *h, unsigned want);
/* For IPC_SET and IPC_RMID: -EPERM. */
int ripc_sysv_owns(const struct sysv_head *h);

/* IPC_STAT, IPC_SET and IPC_RMID as far as they are common. */
void ripc_sysv_fill_perm(const struct sysv_head *h, struct ipc_perm *perm);
int ripc_sysv_set_perm(const struct sysv_kind *kind, struct ripc_object *o,
		       const struct ipc_perm *perm);
/*
 * Removes it. keep_id: the name "iID" stays until the last holder has gone, for those who have it
 * attached. Waking who waits is the caller's.
 */
void ripc_sysv_remove(const struct sysv_kind *kind, struct ripc_object *o, bool keep_id);

void ripc_sysv_id_name(char *buf, size_t bytes, int id);

/*
 * SHM_STAT and MSG_STAT count through what there is, from 0 in the order of the identifiers: that of
 * number `index`, or -EINVAL. IPC_INFO, SHM_INFO and MSG_INFO fill what buf really points to, and
 * return the highest number there is (0 also when there is none). sysv_info.c
 */
int ripc_sysv_by_index(enum ripc_type type, int index);
int ripc_shm_info(int cmd, void *buf);
int ripc_msq_info(int cmd, void *buf);

/* errno and -1, or r */
long ripc_sysv_result(long r);

#endif
