// SPDX-License-Identifier: GPL-2.0-or-later
#include "procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

static int link_of(const char *path, char *buf, size_t size)
{
	ssize_t n = readlink(path, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
	return n < 0 ? -errno : 0;
}

/* The first size - 1 bytes of a file of one process. Returns how many, or a negative errno. */
static ssize_t slurp(uint32_t pid, const char *file, char *buf, size_t size)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%u/%s", pid, file);
	buf[0] = '\0';
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, buf, size - 1);
	ssize_t result = n < 0 ? -errno : n;
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return result;
}

int procfs_exe(uint32_t pid, char *buf, size_t size)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	return link_of(path, buf, size);
}

int procfs_fd_path(uint32_t pid, int fd, char *buf, size_t size)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%u/fd/%d", pid, fd);
	return link_of(path, buf, size);
}

void procfs_join_args(char *args, size_t size)
{
	size_t len = size - 1;
	args[len] = '\0';
	while (len && !args[len - 1])
		len--;
	for (size_t i = 0; i < len; i++)
		if (!args[i])
			args[i] = ' ';
}

int procfs_args(uint32_t pid, char *buf, size_t size)
{
	memset(buf, 0, size);
	ssize_t n = slurp(pid, "cmdline", buf, size);
	if (n < 0)
		return (int)n;
	procfs_join_args(buf, size);
	return 0;
}

int procfs_cgroup(uint32_t pid, char *buf, size_t size)
{
	char text[4096];
	ssize_t n = slurp(pid, "cgroup", text, sizeof(text));
	buf[0] = '\0';
	if (n < 0)
		return (int)n;
	/* lines "N:controllers:path"; the v2 hierarchy is "0::path" */
	const char *line = strstr(text, "0::");
	while (line && line != text && line[-1] != '\n')
		line = strstr(line + 1, "0::");
	line = line ? line + 3 : strchr(text, '/');
	if (!line)
		return -ENOENT;
	size_t len = strcspn(line, "\n");
	snprintf(buf, size, "%.*s", (int)(len < size ? len : size - 1), line);
	return 0;
}

int procfs_fifo(uint32_t pid, int dirfd, const char *path, uint32_t *dev, uint64_t *ino,
		char *whole, size_t size)
{
	char full[512];
	int n;
	if (path[0] == '/')
		n = snprintf(full, sizeof(full), "/proc/%u/root%s", pid, path);
	else if (dirfd == AT_FDCWD)
		n = snprintf(full, sizeof(full), "/proc/%u/cwd/%s", pid, path);
	else
		n = snprintf(full, sizeof(full), "/proc/%u/fd/%d/%s", pid, dirfd, path);
	if (n < 0 || (size_t)n >= sizeof(full))
		return -ENAMETOOLONG;
	struct stat st;
	if (stat(full, &st))
		return -errno;
	if (!S_ISFIFO(st.st_mode))
		return -ENOTSUP;
	*dev = (uint32_t)major(st.st_dev) << 20 | (uint32_t)minor(st.st_dev);
	*ino = st.st_ino;
	char *real = realpath(full, NULL);
	snprintf(whole, size, "%s", real ? real : path);
	free(real);
	return 0;
}

static void children_of(const char *path, void (*each)(void *arg, uint32_t pid), void *arg)
{
	FILE *f = fopen(path, "re");
	uint32_t pid;
	while (f && fscanf(f, "%" SCNu32, &pid) == 1)
		each(arg, pid);
	if (f)
		fclose(f);
}

int procfs_children(uint32_t pid, void (*each)(void *arg, uint32_t pid), void *arg)
{
	char path[64];
	glob_t threads;
	snprintf(path, sizeof(path), "/proc/%u/task/*/children", pid);
	if (glob(path, GLOB_NOSORT, NULL, &threads))
		return -ESRCH;
	for (size_t i = 0; i < threads.gl_pathc; i++)
		children_of(threads.gl_pathv[i], each, arg);
	globfree(&threads);
	return 0;
}

int procfs_read_string(uint32_t pid, uint64_t address, char *buf, size_t size)
{
	struct iovec to = { buf, size - 1 }, from = { (void *)(uintptr_t)address, size - 1 };
	buf[0] = '\0';
	ssize_t n = process_vm_readv((pid_t)pid, &to, 1, &from, 1, 0);
	if (n < 0) { /* it may lie near the end of a mapping: up to the end of its page */
		from.iov_len = 4096 - (address & 4095);
		to.iov_len = from.iov_len < size - 1 ? from.iov_len : size - 1;
		n = process_vm_readv((pid_t)pid, &to, 1, &from, 1, 0);
	}
	buf[n > 0 ? n : 0] = '\0';
	return n < 0 ? -errno : 0;
}

int procfs_read_memory(uint32_t pid, uint64_t address, void *buf, size_t size)
{
	struct iovec to = { buf, size }, from = { (void *)(uintptr_t)address, size };
	ssize_t n = process_vm_readv((pid_t)pid, &to, 1, &from, 1, 0);
	return n < 0 ? -errno : (size_t)n == size ? 0 : -EFAULT;
}

static FILE *open_fdinfo(uint32_t pid, int fd)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%d", pid, fd);
	return fopen(path, "re");
}

int procfs_epoll(uint32_t pid, int epfd, void (*each)(void *arg, int fd), void *arg)
{
	char line[256];
	int fd;
	FILE *f = open_fdinfo(pid, epfd);
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "tfd: %d", &fd) == 1)
			each(arg, fd);
	fclose(f);
	return 0;
}

int procfs_eventfd(uint32_t pid, int fd, int32_t *id)
{
	char line[256];
	int err = -ENOTSUP;
	FILE *f = open_fdinfo(pid, fd);
	if (!f)
		return -errno;
	while (err && fgets(line, sizeof(line), f))
		if (sscanf(line, "eventfd-id: %" SCNd32, id) == 1)
			err = 0;
	fclose(f);
	return err;
}

char procfs_state(uint32_t pid, uint32_t tid)
{
	char name[32], text[256];
	snprintf(name, sizeof(name), "task/%u/stat", tid);
	const char *at = slurp(pid, name, text, sizeof(text)) > 0 ? strrchr(text, ')') : NULL;
	return at && at[1] == ' ' ? at[2] : 0;
}

int procfs_wchan(uint32_t pid, uint32_t tid, char *buf, size_t size)
{
	char name[32];
	snprintf(name, sizeof(name), "task/%u/wchan", tid);
	int n = slurp(pid, name, buf, size);
	if (n < 0 || strcmp(buf, "0") == 0)
		buf[0] = '\0';
	return n < 0 ? n : 0;
}

bool procfs_is_fetching(uint32_t pid, uint32_t tid)
{
	char where[64];
	return procfs_wchan(pid, tid, where, sizeof(where)) == 0 && strstr(where, "userfault");
}

/* The number in a line of its status: "\nPPid:"; 0: gone. */
static uint32_t status_number(uint32_t pid, const char *label)
{
	char text[4096];
	const char *at = slurp(pid, "status", text, sizeof(text)) > 0 ? strstr(text, label) : NULL;
	return at ? (uint32_t)strtoul(at + strlen(label), NULL, 10) : 0;
}

uint32_t procfs_process(uint32_t tid) { return status_number(tid, "\nTgid:"); }
uint32_t procfs_parent(uint32_t pid) { return status_number(pid, "\nPPid:"); }

#define LIBC_SIGNALS (3ull << 31) /* 32 and 33: glibc's, for cancellation and for setuid of all threads */

bool procfs_has_handlers(uint32_t pid)
{
	char text[4096];
	const char *at = slurp(pid, "status", text, sizeof(text)) > 0 ? strstr(text, "\nSigCgt:") : NULL;
	return !at || (strtoull(at + 8, NULL, 16) & ~LIBC_SIGNALS);
}

int procfs_handlers(uint32_t pid, char *buf, size_t size)
{
	char text[4096];
	const char *at = slurp(pid, "status", text, sizeof(text)) > 0 ? strstr(text, "\nSigCgt:") : NULL;
	uint64_t mask = at ? strtoull(at + 8, NULL, 16) : 0;
	size_t len = 0;
	int n = 0;
	buf[0] = '\0';
	for (int sig = 1; sig < 32; sig++) {
		const char *name = mask >> (sig - 1) & 1 ? sigabbrev_np(sig) : NULL;
		if (!name)
			continue;
		if (len < size)
			len += (size_t)snprintf(buf + len, size - len, "%s%s", n ? ", " : "", name);
		n++;
	}
	return n;
}
