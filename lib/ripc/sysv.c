// SPDX-License-Identifier: LGPL-2.1-or-later
/* Identifiers, keys and permissions of System V objects (sysv.h). */
#include "lib/ripc/sysv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

long ripc_sysv_result(long r)
{
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}

void ripc_sysv_id_name(char *buf, size_t bytes, int id) { snprintf(buf, bytes, "i%d", id); }

static void key_name(char *buf, size_t bytes, key_t key)
{
	snprintf(buf, bytes, "k%08x", (unsigned)key);
}

/* ---- permissions: POSIX.1-2017, XSH 2.7.1 ---- */

static bool in_group(gid_t gid)
{
	gid_t groups[256];
	if (getegid() == gid)
		return true;
	int n = getgroups(256, groups);
	for (int i = 0; i < n; i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

int ripc_sysv_may(const struct sysv_head *h, unsigned want)
{
	uid_t me = geteuid();
	unsigned mode = h->mode;
	if (me == 0)
		return 0;
	if (me == h->uid || me == h->cuid)
		mode >>= 6;
	else if (in_group(h->gid) || in_group(h->cgid))
		mode >>= 3;
	return (want & ~mode & 6) ? -EACCES : 0;
}

int ripc_sysv_owns(const struct sysv_head *h)
{
	uid_t me = geteuid();
	return me == 0 || me == h->uid || me == h->cuid ? 0 : -EPERM;
}

/* The control file must be writable by all who may do anything; the rest is checked by us. */
static mode_t file_mode(unsigned mode)
{
	return 0600 | (mode & 060 ? 060 : 0) | (mode & 06 ? 06 : 0);
}

void ripc_sysv_fill_perm(const struct sysv_head *h, struct ipc_perm *perm)
{
	memset(perm, 0, sizeof(*perm));
	perm->__key = h->key;
	perm->uid = h->uid;
	perm->gid = h->gid;
	perm->cuid = h->cuid;
	perm->cgid = h->cgid;
	perm->mode = h->mode & 0777;
}

static int change_file(const char *path, const struct ipc_perm *perm, mode_t mode, bool give_away)
{
	if (give_away && fchownat(AT_FDCWD, path, perm->uid, perm->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return chmod(path, mode) < 0 ? -errno : 0;
}

int ripc_sysv_set_perm(const struct sysv_kind *kind, struct ripc_object *o,
		       const struct ipc_perm *perm)
{
	struct sysv_head *h = o->body;
	char dir[4096], file[RIPC_FILE_MAX + 1], path[4096 + RIPC_FILE_MAX + 8], name[16];
	bool give_away = perm->uid != h->uid || perm->gid != h->gid;
	ripc_sysv_id_name(name, sizeof(name), h->id);
	int err = ripc_dir_file_name(file, sizeof(file), kind->type, name);
	if (!err)
		err = ripc_dir_path(dir, sizeof(dir));
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	err = change_file(path, perm, file_mode(perm->mode), give_away);
	if (err == -ENOENT && ripc_sysv_is_removed(o))
		err = 0;
	if (!err && kind->type == RIPC_TYPE_SHM) {
		snprintf(path, sizeof(path), "%s/%s+data", dir, file);
		err = change_file(path, perm, perm->mode & 0666, give_away);
	}
	if (err)
		return err == -EACCES ? -EPERM : err;
	h->uid = perm->uid;
	h->gid = perm->gid;
	h->mode = perm->mode & 0777;
	h->ctime_s = time(NULL);
	return 0;
}

/* ---- get ---- */

struct get_args {
	const struct sysv_kind *kind;
	const void *arg;
	struct sysv_head head;
};

static int init_body(void *body, size_t bytes, void *arg)
{
	struct get_args *a = arg;
	(void)bytes;
	*(struct sysv_head *)body = a->head;
	return a->kind->init(body, a->head.id, a->arg);
}

static int check_body(const void *body, size_t bytes, void *arg)
{
	const struct get_args *a = arg;
	const struct sysv_head *h = body;
	if (bytes != a->kind->body_bytes || h->id < 0)
		return -EBADMSG;
	return 0;
}

static void recover_body(void *body, size_t bytes, void *arg)
{
	const struct get_args *a = arg;
	if (bytes == a->kind->body_bytes && a->kind->recover)
		a->kind->recover(body);
}

static struct ripc_spec spec_for(struct get_args *a, const char *name, int flags)
{
	return (struct ripc_spec){.type = a->kind->type,
				  .name = name,
				  .body_bytes = a->kind->body_bytes,
				  .mode = file_mode((unsigned)flags & 0777),
				  .sparse = true,
				  .is_silent = name[0] == 'k', /* known by its identifier */
				  .init = init_body,
				  .check = check_body,
				  .recover = recover_body,
				  .arg = a};
}

struct id_count {
	unsigned type;
	size_t n;
};

static int count_id(const struct ripc_listing *l, void *arg)
{
	struct id_count *c = arg;
	c->n += l->type == c->type && l->name[0] == 'i';
	return 0;
}

/* An identifier that nobody has; under the directory's lock. */
static int new_id(const struct sysv_kind *kind)
{
	struct id_count count = {.type = kind->type};
	int err = ripc_dir_list(count_id, &count);
	if (err < 0)
		return err;
	if (count.n >= kind->limit)
		return -ENOSPC;
	for (int tries = 0; tries < 100; tries++) {
		uint32_t r;
		char name[16];
		if (getrandom(&r, sizeof(r), 0) != sizeof(r))
			return -EAGAIN;
		ripc_sysv_id_name(name, sizeof(name), (int)(r & INT32_MAX));
		if (!ripc_dir_taken(kind->type, name))
			return (int)(r & INT32_MAX);
	}
	return -ENOSPC;
}

static int create(struct get_args *a, const char *key, int flags)
{
	char id_name[16];
	struct ripc_object *o;
	int id = new_id(a->kind);
	if (id < 0)
		return id;
	ripc_sysv_id_name(id_name, sizeof(id_name), id);
	a->head.id = id;
	a->head.mode = (unsigned)flags & 0777;
	a->head.uid = a->head.cuid = geteuid();
	a->head.gid = a->head.cgid = getegid();
	a->head.ctime_s = time(NULL);
	struct ripc_spec spec = spec_for(a, id_name, flags);
	int err = ripc_object_open(&o, &spec, RIPC_CREATE | RIPC_EXCL);
	if (err < 0)
		return err;
	err = key ? ripc_object_alias(o, key) : 0;
	if (!err)
		ripc_object_keep(o);
	ripc_object_close(o);
	return err ? err : id;
}

/* What an existing one answers to a get. */
static int check_get(struct get_args *a, struct ripc_object *o, int flags)
{
	const struct sysv_head *h = o->body;
	int id = h->id;
	if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
		return -EEXIST;
	unsigned want = ((unsigned)flags >> 6 | (unsigned)flags >> 3 | (unsigned)flags) & 6;
	int err = ripc_sysv_may(h, want);
	if (!err && a->kind->fits)
		err = a->kind->fits(o->body, a->arg);
	return err ? err : id;
}

static int get_locked(struct get_args *a, int flags)
{
	char name[16];
	struct ripc_object *o;
	key_name(name, sizeof(name), a->head.key);
	struct ripc_spec spec = spec_for(a, name, flags);
	int r = ripc_object_open(&o, &spec, 0);
	if (r >= 0 && ripc_sysv_is_removed(o)) {
		ripc_object_close(o); /* whoever removed it died, or is about to take its name away */
		ripc_object_unlink(a->kind->type, name);
		r = -ENOENT;
	}
	if (r == -ENOENT)
		return flags & IPC_CREAT ? create(a, name, flags) : -ENOENT;
	if (r < 0)
		return r == -EACCES && (flags & IPC_CREAT) && (flags & IPC_EXCL) ? -EEXIST : r;
	r = check_get(a, o, flags);
	ripc_object_close(o);
	return r;
}

int ripc_sysv_get(const struct sysv_kind *kind, key_t key, int flags, const void *arg)
{
	struct get_args a = {.kind = kind, .arg = arg, .head = {.key = key}};
	int dirfd = ripc_dir_lock();
	if (dirfd < 0)
		return dirfd;
	int r = key == IPC_PRIVATE ? create(&a, NULL, flags) : get_locked(&a, flags);
	ripc_dir_unlock(dirfd);
	return r == -EUSERS ? -ENOSPC : r;
}

int ripc_sysv_open(struct ripc_object **out, const struct sysv_kind *kind, int id)
{
	char name[16];
	struct get_args a = {.kind = kind};
	*out = NULL;
	if (id < 0)
		return -EINVAL;
	ripc_sysv_id_name(name, sizeof(name), id);
	struct ripc_spec spec = spec_for(&a, name, 0);
	int r = ripc_object_open(out, &spec, 0);
	if (r == 0 && ((struct sysv_head *)(*out)->body)->id != id) {
		ripc_object_close(*out);
		*out = NULL;
		r = -EBADMSG;
	}
	return r == -ENOENT ? -EINVAL : r == -EUSERS ? -ENOMEM : r;
}

bool ripc_sysv_is_removed(const struct ripc_object *o) { return !ripc_object_is_kept(o); }

void ripc_sysv_remove(const struct sysv_kind *kind, struct ripc_object *o, bool keep_id)
{
	const struct sysv_head *h = o->body;
	char name[16];
	ripc_object_unkeep(o);
	int dirfd = ripc_dir_lock();
	if (dirfd < 0)
		return;
	struct ripc_object *by_key;
	struct get_args a = {.kind = kind};
	key_name(name, sizeof(name), h->key);
	/* the key may name a new object by now: only ours is unlinked */
	struct ripc_spec spec = spec_for(&a, name, 0);
	if (h->key != IPC_PRIVATE && ripc_object_open(&by_key, &spec, 0) == 0) {
		bool ours = ((struct sysv_head *)by_key->body)->id == h->id;
		ripc_object_close(by_key);
		if (ours)
			ripc_object_unlink(kind->type, name);
	}
	ripc_sysv_id_name(name, sizeof(name), h->id);
	if (!keep_id)
		ripc_object_unlink(kind->type, name);
	ripc_dir_unlock(dirfd);
}
