// SPDX-License-Identifier: GPL-2.0-or-later
#include "src_shim_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/procfs.h"
#include "collector/shim_death.h"
#include "lib/base/clock.h"

#define DEEP_MAX 64 /* generations */

/* ---- processes ---- */

struct shim_proc *shim_proc_find(struct src_shim *s, uint32_t pid)
{
	struct shim_proc *p;
	HASH_FIND(hh, s->procs, &pid, sizeof(pid), p);
	return p;
}

static struct shim_proc *proc_get(struct src_shim *s, uint32_t pid, uint32_t ppid)
{
	struct shim_proc *p = shim_proc_find(s, pid);
	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->pid = pid;
	p->ppid = ppid;
	p->status = -1;
	p->dead_ns = clock_now_ns(); /* should it be gone already */
	p->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (p->pidfd >= 0)
		epoll_ctl(s->deaths, EPOLL_CTL_ADD, p->pidfd, &(struct epoll_event){ .events = EPOLLIN, .data.u32 = pid });
	else
		p->dead = errno == ESRCH;
	HASH_ADD(hh, s->procs, pid, sizeof(p->pid), p);
	return p;
}

void shim_proc_free(struct src_shim *s, struct shim_proc *p)
{
	HASH_DEL(s->procs, p);
	if (p->pidfd >= 0)
		close(p->pidfd);
	free(p);
}

/* Before the rings are looked at: what those have told that are gone by now is all there. */
void shim_procs_note_deaths(struct src_shim *s)
{
	struct epoll_event ev[64];
	int n;
	struct shim_proc *p, *next;
	while ((n = epoll_wait(s->deaths, ev, 64, 0)) > 0)
		for (int i = 0; i < n; i++) {
			p = shim_proc_find(s, ev[i].data.u32);
			if (!p || p->pidfd < 0)
				continue;
			p->status = shim_death_status(p->pid, p->pidfd);
			p->dead_ns = clock_now_ns();
			p->dead = true;
			close(p->pidfd);
			p->pidfd = -1;
		}
	HASH_ITER(hh, s->procs, p, next)
		if (p->pidfd < 0 && !p->dead) {
			p->dead = kill((pid_t)p->pid, 0) && errno == ESRCH;
			p->dead_ns = clock_now_ns();
		}
}

/* ---- rings ---- */

void shim_ring_free(struct shim_source_ring *r)
{
	shim_guard_remove(&r->guard);
	munmap(r->base, r->bytes);
	free(r);
}

static struct shim_source_ring *ring_map(struct src_shim *s, const char *name)
{
	struct stat st;
	struct shim_source_ring *r = calloc(1, sizeof(*r));
	int fd = openat(s->folder.fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	void *p = MAP_FAILED;
	if (r && fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > SHIM_PAGE &&
	    st.st_size <= (off_t)(SHIM_PAGE + SHIM_DATA_MAX)) {
		r->bytes = (size_t)st.st_size;
		p = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	}
	if (fd >= 0)
		close(fd);
	unlinkat(s->folder.fd, name, 0);
	if (p != MAP_FAILED) {
		r->base = p;
		if (shim_guard_add(&r->guard, p, r->bytes) == 0 && shim_reader_init(&r->reader, p, r->bytes))
			return r;
		shim_ring_free(r);
		return NULL;
	}
	free(r);
	return NULL;
}

/* Of what the process was before it executed something else: by whichever of its threads. */
void shim_rings_replace(struct src_shim *s, const struct shim_source_ring *by)
{
	for (size_t i = 0; i < s->nrings; i++)
		if (s->rings[i]->proc == by->proc && s->rings[i]->start_ns < by->start_ns)
			s->rings[i]->replaced = true;
}

/*
 * With -p only some of those that share the folder are meant: those named, and what comes from them. Its
 * ring is not kept of another; it is full some time, and tells no more.
 */
static bool is_in_scope(struct src_shim *s, uint32_t pid, uint32_t ppid)
{
	const struct scope *scope = &s->opts.scope;
	if (!scope->npids || shim_proc_find(s, pid))
		return true;
	for (int up = 0; pid && up < DEEP_MAX; up++) {
		for (int i = 0; i < scope->npids; i++)
			if ((uint32_t)scope->pids[i] == pid)
				return true;
		if (scope->no_follow)
			return false;
		if (!up && shim_proc_find(s, ppid))
			return true;
		pid = procfs_parent(pid);
	}
	return false;
}

/* Of a process in another pid namespace: its numbers, and those in its records, are somebody else's here. */
static bool is_foreign(const struct shim_source_ring *r)
{
	struct stat st;
	uint32_t its = r->reader.ring->pidns;
	return its && stat("/proc/self/ns/pid", &st) == 0 && its != (uint32_t)st.st_ino;
}

static int ring_add(struct src_shim *s, const char *name)
{
	struct shim_source_ring *r = ring_map(s, name);
	if (!r)
		return shim_tell_lost(s, LOST_BAD_RECORD, 1);
	if (is_foreign(r)) {
		bool first = r->reader.pid == r->reader.tid;
		shim_ring_free(r);
		return shim_tell_lost(s, LOST_SHIM_NAMESPACE, first);
	}
	if (!is_in_scope(s, r->reader.pid, r->reader.ppid)) {
		shim_ring_free(r);
		return 0;
	}
	if (s->nrings == s->room) {
		size_t room = s->room ? s->room * 2 : 64;
		struct shim_source_ring **grown = realloc(s->rings, room * sizeof(struct shim_source_ring *));
		if (grown)
			s->rings = grown;
		s->room = grown ? room : s->room;
	}
	r->proc = s->nrings < s->room ? proc_get(s, r->reader.pid, r->reader.ppid) : NULL;
	if (!r->proc) {
		shim_ring_free(r);
		return -ENOMEM;
	}
	r->start_ns = r->reader.last_ns;
	r->proc->nrings++;
	s->rings[s->nrings++] = r;
	return 0;
}

static bool is_ring_name(const char *name)
{
	return strncmp(name, SHIM_RING_PREFIX, strlen(SHIM_RING_PREFIX)) == 0;
}

/* Those that were there before we began to watch. */
static int list_rings(struct src_shim *s)
{
	char buf[8192];
	ssize_t n;
	int err = 0;
	s->listed = true;
	lseek(s->folder.fd, 0, SEEK_SET);
	while (!err && (n = syscall(SYS_getdents64, s->folder.fd, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n && !err;) {
			uint16_t reclen;
			memcpy(&reclen, buf + at + 16, sizeof(reclen));
			if (is_ring_name(buf + at + 19))
				err = ring_add(s, buf + at + 19);
			at += reclen;
		}
	return err;
}

int shim_rings_new(struct src_shim *s)
{
	char buf[4096] __attribute__((aligned(8)));
	ssize_t n;
	int err = s->listed ? 0 : list_rings(s);
	while (!err && (n = read(s->notify, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n && !err;) {
			const struct inotify_event *e = (const struct inotify_event *)(buf + at);
			if (e->mask & IN_Q_OVERFLOW)
				s->listed = false;
			else if (e->len && is_ring_name(e->name) && faccessat(s->folder.fd, e->name, F_OK, 0) == 0)
				err = ring_add(s, e->name);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	return !err && !s->listed ? list_rings(s) : err;
}
