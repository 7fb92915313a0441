// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The /proc way of taking a snapshot, where BPF is not allowed: the same records, as far as /proc
 * tells. Pipes and FIFOs have their holders; what lies in them, and the other ends of sockets, it
 * does not tell, and the graph says so.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "snap_read.h"

#define SIGBIT(sig) (1ull << ((sig) - 1))
#define SIGALRM_NR 14
#define SIGCHLD_NR 17

/* The beginning of a small file of /proc; false when it cannot be read or is empty. */
static bool slurp(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static bool is_number(const char *s)
{
	for (const char *p = s; *p; p++)
		if (!isdigit((unsigned char)*p))
			return false;
	return *s != '\0';
}

static uint64_t field_of(const char *text, const char *name, int base)
{
	const char *at = strstr(text, name);
	return at ? strtoull(at + strlen(name), NULL, base) : 0;
}

static void parse_stat(const char *text, struct snap_task *t)
{
	const char *from = strchr(text, '('), *to = strrchr(text, ')');
	char state = 'R';
	unsigned int ppid = 0, pgrp = 0;
	unsigned long long start = 0;
	if (!from || !to || to < from)
		return;
	size_t len = (size_t)(to - from - 1);
	memcpy(t->comm, from + 1, len < sizeof(t->comm) ? len : sizeof(t->comm) - 1);
	sscanf(to + 1,
	       " %c %u %u %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &state,
	       &ppid, &pgrp, &start);
	t->ppid = ppid;
	t->pgrp = pgrp;
	t->start_ns = start * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
	t->state = state == 'R' ? 0 : state == 'T' ? 4 : state == 't' ? 8 : state == 'D' ? 2 : 1;
	if (state == 'Z' || state == 'X')
		t->flags |= SNAP_ZOMBIE;
}

/* "NR a0 … a5 sp pc", "-1 sp pc" or "running" */
static void parse_syscall(const char *text, struct snap_task *t)
{
	if (strncmp(text, "running", 7) == 0)
		t->state = 0;
	else if (sscanf(text, "%d %llx %llx %llx %llx %llx %llx %llx", &t->nr, &t->args[0], &t->args[1],
			&t->args[2], &t->args[3], &t->args[4], &t->args[5], &t->sp) < 8)
		t->nr = -1;
}

/* The last number of "NSpid:	1234	5": as the innermost namespace counts. */
static uint32_t last_number(const char *text, const char *name)
{
	const char *at = strstr(text, name), *end = at ? strchr(at, '\n') : NULL;
	while (end && end > at && isdigit((unsigned char)end[-1]))
		end--;
	return end ? (uint32_t)strtoul(end, NULL, 10) : 0;
}

static void parse_status(const char *text, struct snap_task *t)
{
	uint64_t caught = field_of(text, "SigCgt:", 16);
	t->csw = field_of(text, "\nvoluntary_ctxt_switches:", 10) +
		 field_of(text, "nonvoluntary_ctxt_switches:", 10);
	t->ns_tid = last_number(text, "NSpid:");
	t->ns_pid = last_number(text, "NStgid:");
	t->tracer = (uint32_t)field_of(text, "TracerPid:", 10);
	if (caught & SIGBIT(SIGALRM_NR)) /* whether the timer runs cannot be seen */
		t->flags |= SNAP_TIMER;
	if (caught & SIGBIT(SIGCHLD_NR))
		t->flags |= SNAP_CHILD_HANDLER;
}

static uint32_t namespace_of(uint32_t tid, const char *which)
{
	char path[64], link[64];
	snprintf(path, sizeof(path), "/proc/%u/ns/%s", tid, which);
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	link[n > 0 ? n : 0] = '\0';
	const char *at = strchr(link, '[');
	return at ? (uint32_t)strtoul(at + 1, NULL, 10) : 0;
}

/*
 * A thread. Of another user's, or of one that has just gone, the call cannot be read: it is told as
 * being in no system call, and so may do anything.
 */
static int add_thread(struct snap_buf *b, uint32_t pid, uint32_t tid)
{
	char path[64], text[4096];
	struct snap_task t = {
		.hdr = { .type = SNAP_TASK, .size = sizeof(t), .tid = tid }, .pid = pid, .nr = -1,
		/* one table, one memory to a process: what is shared beyond that is not seen */
		.files = pid, .mm = pid, .files_users = 1,
	};
	snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", pid, tid);
	if (!slurp(path, text, sizeof(text)))
		return 0;
	parse_stat(text, &t);
	snprintf(path, sizeof(path), "/proc/%u/task/%u/status", pid, tid);
	if (slurp(path, text, sizeof(text)))
		parse_status(text, &t);
	snprintf(path, sizeof(path), "/proc/%u/task/%u/syscall", pid, tid);
	if (slurp(path, text, sizeof(text)))
		parse_syscall(text, &t);
	t.pidns = namespace_of(tid, "pid");
	t.ipcns = namespace_of(tid, "ipc");
	struct snap_task *to = snap_buf_add(b, sizeof(t));
	if (!to)
		return -ENOMEM;
	*to = t;
	return 0;
}

/* Calls each(b, pid, number) for every entry of a folder of /proc that is a number. */
static int each_number(struct snap_buf *b, const char *path, uint32_t pid,
		       int (*each)(struct snap_buf *b, uint32_t pid, uint32_t number))
{
	DIR *d = opendir(path);
	struct dirent *e;
	int err = 0;
	while (d && !err && (e = readdir(d)))
		if (is_number(e->d_name))
			err = each(b, pid, (uint32_t)strtoul(e->d_name, NULL, 10));
	if (d)
		closedir(d);
	return err;
}

static int add_process(struct snap_buf *b, uint32_t none, uint32_t pid)
{
	char path[64], text[64];
	size_t from = b->len;
	(void)none;
	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	int err = each_number(b, path, pid, add_thread);
	snprintf(path, sizeof(path), "/proc/%u/timers", pid);
	if (!err && slurp(path, text, sizeof(text)))
		for (size_t at = from; at < b->len; at += sizeof(struct snap_task))
			((struct snap_task *)(void *)(b->data + at))->flags |= SNAP_TIMER;
	return err;
}

static int proc_tasks(struct snap_reader *r, struct snap_buf *b)
{
	(void)r;
	return each_number(b, "/proc", 0, add_process);
}

/* ---- descriptors ---- */

static uint16_t what_of(mode_t fmt, const char *link)
{
	switch (fmt) {
	case S_IFIFO: return strncmp(link, "pipe:", 5) == 0 ? SNAP_IS_PIPE : SNAP_IS_FIFO;
	case S_IFSOCK: return SNAP_IS_SOCK;
	case S_IFCHR: return SNAP_IS_CHAR;
	case 0: return SNAP_IS_ANON;
	default: return SNAP_IS_OTHER;
	}
}

static int add_fd(struct snap_buf *b, uint32_t pid, uint32_t fd)
{
	char path[64], text[256];
	struct stat st;
	snprintf(path, sizeof(path), "/proc/%u/fd/%u", pid, fd);
	if (stat(path, &st))
		return 0;
	mode_t fmt = st.st_mode & S_IFMT;
	if (fmt == S_IFREG || fmt == S_IFDIR)
		return 0;
	struct snap_file f = {
		.hdr = { .type = SNAP_FILE, .size = sizeof(f), .tid = pid },
		.ino = st.st_ino, .dev = (uint32_t)st.st_dev, .pid = pid, .fd = (int32_t)fd,
	};
	ssize_t n = readlink(path, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	f.what = what_of(fmt, text);
	/* the inode stands for the object; anonymous files have but one for them all */
	f.obj = f.what == SNAP_IS_ANON ? (uint64_t)pid << 32 | fd : f.ino << 12 ^ f.dev;
	f.file = (uint64_t)pid << 32 | fd; /* which struct file it is, /proc does not tell */
	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%u", pid, fd);
	if (slurp(path, text, sizeof(text)))
		f.flags = (uint32_t)field_of(text, "flags:", 8);
	f.mode = (f.flags & O_ACCMODE) == O_RDONLY ? 1 : (f.flags & O_ACCMODE) == O_WRONLY ? 2 : 3;
	struct snap_file *to = snap_buf_add(b, sizeof(f));
	if (!to)
		return -ENOMEM;
	*to = f;
	return 0;
}

static int add_fds(struct snap_buf *b, uint32_t none, uint32_t pid)
{
	char path[64];
	(void)none;
	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	return each_number(b, path, pid, add_fd);
}

static int proc_files(struct snap_reader *r, struct snap_buf *b)
{
	(void)r;
	return each_number(b, "/proc", 0, add_fds);
}

static void proc_free(struct snap_reader *r) { free(r); }

struct snap_reader *snap_reader_proc(struct fail *fail)
{
	struct snap_reader *r = malloc(sizeof(*r));
	if (!r)
		fail_set(fail, ENOMEM, NULL, "cannot look at /proc");
	else
		*r = (struct snap_reader){ .tasks = proc_tasks, .files = proc_files, .free = proc_free };
	return r;
}
