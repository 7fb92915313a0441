// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who has an object open. A holder is one word in a table, taken and given back by one atomic
 * store, so that no death leaves it half done; the dead are told by /proc and swept when a row is
 * wanted or a count matters.
 */
#include "head.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stat_fields {
	char state;
	unsigned long long threads, start_ticks, stack;
};

/* proc_pid_stat(5): after the last ')' come state (3), …, threads (20), …, start (22), stack (28). */
static int read_stat(const char *path, struct stat_fields *out)
{
	char buf[1024];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, buf, sizeof(buf) - 1);
	int err = n < 0 ? errno : 0;
	close(fd);
	if (n <= 0)
		return err ? -err : -ESRCH;
	buf[n] = 0;
	char *p = strrchr(buf, ')');
	if (!p || p[1] != ' ' || !p[2])
		return -EIO;
	out->state = p[2];
	p += 3;
	for (int field = 4; field <= 28 && *p; field++) {
		unsigned long long v = strtoull(p, &p, 10);
		if (field == 20)
			out->threads = v;
		else if (field == 22)
			out->start_ticks = v;
		else if (field == 28)
			out->stack = v;
	}
	return 0;
}

/* A leader that has exited is a zombie while its other threads run on. */
static bool is_dead(const struct stat_fields *s)
{
	return (s->state == 'Z' || s->state == 'X') && s->threads <= 1;
}

#define FIELD_BITS 21
#define FIELD_MASK ((1ull << FIELD_BITS) - 1)

static uint64_t stack_hash(unsigned long long stack)
{
	return (stack * 0x9e3779b97f4a7c15ull) >> (64 - FIELD_BITS);
}

static ripc_id id_of(pid_t pid, const struct stat_fields *s)
{
	return ((uint64_t)pid & 0x3fffff) | (s->start_ticks & FIELD_MASK) << 22 |
	       stack_hash(s->stack) << 43;
}

static _Atomic ripc_id self_id;

void ripc_id_forget(void) { atomic_store(&self_id, 0); }

ripc_id ripc_self_id(void)
{
	ripc_id id = atomic_load_explicit(&self_id, memory_order_relaxed);
	if (id)
		return id;
	struct stat_fields s = {0};
	read_stat("/proc/self/stat", &s); /* without /proc: the pid alone */
	id = id_of(getpid(), &s);
	atomic_store(&self_id, id);
	return id;
}

bool ripc_id_is_alive(ripc_id id)
{
	pid_t pid = ripc_id_pid(id);
	if (pid <= 0)
		return false;
	if (id == ripc_self_id())
		return true;
	if (kill(pid, 0) < 0 && errno == ESRCH)
		return false;
	char path[32];
	struct stat_fields s = {0};
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	int err = read_stat(path, &s);
	if (err == -ENOENT || err == -ESRCH)
		return kill(pid, 0) == 0 || errno == EPERM; /* no /proc, or hidepid: who knows */
	if (err)
		return true;
	if (is_dead(&s) || ((s.start_ticks ^ id >> 22) & FIELD_MASK))
		return false;
	/* 0 and 1 are what proc shows of a process that we may not trace */
	return s.stack <= 1 || stack_hash(s.stack) == id >> 43;
}

bool ripc_tid_is_alive(uint32_t tid)
{
	if (kill((pid_t)tid, 0) < 0 && errno == ESRCH)
		return false;
	char path[32];
	struct stat_fields s = {0};
	snprintf(path, sizeof(path), "/proc/%u/stat", tid);
	return read_stat(path, &s) < 0 || (s.state != 'Z' && s.state != 'X');
}

static int claim_empty(_Atomic ripc_id *rows, unsigned n, ripc_id id)
{
	for (unsigned i = 0; i < n; i++) {
		ripc_id none = 0;
		if (atomic_compare_exchange_strong(&rows[i], &none, id))
			return (int)i;
	}
	return -EUSERS;
}

int ripc_holder_claim(_Atomic ripc_id *rows, unsigned n, ripc_id id)
{
	int row = claim_empty(rows, n, id);
	if (row >= 0)
		return row;
	ripc_holder_count(rows, n, true);
	return claim_empty(rows, n, id);
}

unsigned ripc_holder_count(_Atomic ripc_id *rows, unsigned n, bool sweep)
{
	unsigned count = 0;
	ripc_id known = 0; /* the last one found alive: neighbours are often the same process */
	for (unsigned i = 0; i < n; i++) {
		ripc_id id = atomic_load(&rows[i]);
		if (!id)
			continue;
		if (id == known || ripc_id_is_alive(id)) {
			known = id;
			count++;
		} else if (sweep) {
			atomic_compare_exchange_strong(&rows[i], &id, 0);
		}
	}
	return count;
}
