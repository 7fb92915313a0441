// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What segments and queues have in common: identifiers, keys, owners and permissions. Private.
 *
 * An object has the name "iID", and when it has a key also "kKEY" (8 hex digits): one file, two
 * links. The key's comes first; whoever finds a key without its identifier (the creator died in
 * between) makes it.
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
	_Atomic uint32_t removed;
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

/* want: 4 read, 2 write, 6 both. -EACCES. */
int ripc_sysv_may(const struct sysv_head *h, unsigned want);
/* For IPC_SET and IPC_RMID: -EPERM. */
int ripc_sysv_owns(const struct sysv_head *h);

/* IPC_STAT, IPC_SET and IPC_RMID as far as they are common. */
void ripc_sysv_fill_perm(const struct sysv_head *h, struct ipc_perm *perm);
int ripc_sysv_set_perm(const struct sysv_kind *kind, struct sysv_head *h,
		       const struct ipc_perm *perm);
/* keep_id: the name "iID" stays, for those who have it attached. */
void ripc_sysv_unlink(const struct sysv_kind *kind, const struct sysv_head *h, bool keep_id);

void ripc_sysv_id_name(char *buf, size_t bytes, int id);

/* errno and -1, or r */
long ripc_sysv_result(long r);

#endif
