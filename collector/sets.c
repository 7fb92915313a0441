// SPDX-License-Identifier: GPL-2.0-or-later
#include "sets.h"

#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "collector/procfs.h"
#include "collector/snap_mem.h"

#define MEMBERS_MAX 64 /* looked at; the rest is counted */

struct set {
	struct join *join;
	uint32_t pid, tid;   /* of the thread that waits */
	unsigned int n;      /* members found */
	unsigned int untold; /* for which there was no room */
	char text[EV_NAME_LEN];
};

/* The object behind what stat tells of a descriptor; 0: none of ours. */
static const char *text_of_stat(struct join *j, const struct stat *st)
{
	uint32_t dev = (uint32_t)major(st->st_dev) << 20 | (uint32_t)minor(st->st_dev);
	uint64_t ino = st->st_ino;
	const char *text = NULL;
	if (S_ISFIFO(st->st_mode)) {
		text = join_text(j, RAW_OBJ(KIND_PIPE, (uint64_t)(dev & 0xffffff) << 32 | (uint32_t)ino));
		if (!text)
			text = join_text(j, RAW_OBJ_FIFO(dev, ino));
	} else if (S_ISSOCK(st->st_mode)) {
		for (uint16_t kind = KIND_UNIX; kind <= KIND_UDP && !text; kind++)
			text = join_text(j, RAW_OBJ(kind, ino));
	}
	return text;
}

/* Behind the others while there is room; from the first one that finds none on, they are counted. */
static void add_text(struct set *s, const char *one)
{
	size_t used = strlen(s->text), n = strlen(one);
	const char *comma = used ? ", " : "";
	if (s->untold || used + strlen(comma) + n + sizeof(" +1000000") > sizeof(s->text))
		s->untold++;
	else
		snprintf(s->text + used, sizeof(s->text) - used, "%s%s", comma, one);
}

static void add_member(void *arg, int fd)
{
	struct set *s = arg;
	char path[64], link[64], one[EV_NAME_LEN + 32];
	struct stat st;
	if (s->n++ >= MEMBERS_MAX) {
		s->untold++;
		return;
	}
	snprintf(path, sizeof(path), "/proc/%u/fd/%d", s->pid, fd);
	const char *text = stat(path, &st) ? NULL : text_of_stat(s->join, &st);
	int32_t id;
	if (!text && procfs_eventfd(s->pid, fd, &id) == 0)
		text = join_text(s->join, RAW_OBJ(KIND_EVENTFD, (uint32_t)id));
	if (!text) {
		procfs_fd_path(s->pid, fd, link, sizeof(link));
		text = strncmp(link, "anon_inode:", 11) == 0 ? link + 11 : link;
	}
	snprintf(one, sizeof(one), "%d %s", fd, text);
	add_text(s, one);
}

/* The first of n members of `size` bytes into `to`, which has room for MEMBERS_MAX; returns how many. */
static size_t read_members(struct set *s, uint64_t address, uint64_t n, void *to, size_t size)
{
	size_t have = n < MEMBERS_MAX ? (size_t)n : MEMBERS_MAX;
	if (procfs_is_fetching(s->pid, s->tid) || procfs_read_memory(s->pid, address, to, have * size))
		return 0;
	s->untold += (unsigned int)(n - have);
	return have;
}

static void add_pollfds(struct set *s, uint64_t address, uint64_t n)
{
	struct pollfd fds[MEMBERS_MAX];
	size_t have = read_members(s, address, n, fds, sizeof(fds[0]));
	for (size_t i = 0; i < have; i++)
		if (fds[i].fd >= 0)
			add_member(s, fds[i].fd);
}

static void add_fd_sets(struct set *s, const __u64 *address, uint64_t nfds)
{
	fd_set sets[2];
	int n = nfds < FD_SETSIZE ? (int)nfds : FD_SETSIZE;
	size_t bytes = ((size_t)n + 63) / 64 * 8;
	FD_ZERO(&sets[0]);
	FD_ZERO(&sets[1]);
	for (int i = 0; i < 2 && !procfs_is_fetching(s->pid, s->tid); i++)
		if (address[i] && procfs_read_memory(s->pid, address[i], &sets[i], bytes))
			FD_ZERO(&sets[i]);
	for (int fd = 0; fd < n; fd++)
		if (FD_ISSET(fd, &sets[0]) || FD_ISSET(fd, &sets[1]))
			add_member(s, fd);
}

struct waiter { /* struct futex_waitv */
	uint64_t val, address;
	uint32_t flags, reserved;
};
#define WAITER_PRIVATE 128u /* FUTEX2_PRIVATE */

/* By the names that the words have where one of them is waited for alone. */
static void add_futex(struct set *s, const struct waiter *w)
{
	char one[EV_NAME_LEN + 32];
	struct snap_place p;
	const char *text = NULL;
	snprintf(one, sizeof(one), "private 0x%" PRIx64, w->address);
	if (!(w->flags & WAITER_PRIVATE) && snap_place_of(s->pid, w->address, &p) && p.shared) {
		text = join_text(s->join, RAW_OBJ_FUTEX(RAW_MIX(p.ino, p.dev), p.offset, 0));
		if (strncmp(p.name, "/dev/zero", 9) == 0) /* what the kernel calls memory that has no file */
			snprintf(p.name, sizeof(p.name), "anonymous [%" PRIu64 "]", p.ino);
		snprintf(one, sizeof(one), "%s+0x%" PRIx64, p.name, p.offset);
	}
	add_text(s, text ? text : one);
}

static void add_futexes(struct set *s, uint64_t address, uint64_t n)
{
	struct waiter w[MEMBERS_MAX];
	size_t have = read_members(s, address, n, w, sizeof(w[0]));
	for (size_t i = 0; i < have; i++)
		add_futex(s, &w[i]);
}

int sets_tell(struct join *j, const struct raw_inflight *r, uint64_t now_ns)
{
	struct set s = { .join = j, .pid = r->pid, .tid = r->tid };
	if (r->op == OP_POLL || r->op == OP_PPOLL)
		add_pollfds(&s, r->set[0], r->set[2]);
	else if (r->op == OP_SELECT || r->op == OP_PSELECT6)
		add_fd_sets(&s, r->set, r->set[2]);
	else if (r->op == OP_FUTEX_WAITV)
		add_futexes(&s, r->set[0], r->set[2]);
	else
		procfs_epoll(r->pid, r->fd, add_member, &s);
	if (s.untold) {
		size_t used = strlen(s.text);
		snprintf(s.text + used, sizeof(s.text) - used, " +%u", s.untold);
	}
	return s.text[0] ? join_name(j, r->obj, s.text, now_ns) : 0;
}
