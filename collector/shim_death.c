// SPDX-License-Identifier: GPL-2.0-or-later
#include "shim_death.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* struct pidfd_info of linux/pidfd.h as Linux 6.13 had it first; later ones only grow. */
struct pidfd_told {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid, uids[8];
	int32_t exit_code;
};
#define PIDFD_TOLD_EXIT (1u << 3)
#define PIDFD_ASK _IOWR(0xff, 11, struct pidfd_told)
_Static_assert(sizeof(struct pidfd_told) == 64, "the kernel's");

/* The last of the numbers in /proc/PID/stat, which is about a zombie. */
static bool by_proc(uint32_t pid, int *status)
{
	char path[64], buf[1024];
	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, buf, sizeof(buf) - 1) : -1;
	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	const char *end = strrchr(buf, ')'), *last = strrchr(buf, ' ');
	if (!end || (strncmp(end, ") Z", 3) != 0 && strncmp(end, ") X", 3) != 0) || last < end)
		return false;
	*status = atoi(last + 1);
	return true;
}

static bool by_pidfd(int pidfd, int *status)
{
	struct pidfd_told t = { .mask = PIDFD_TOLD_EXIT };
	if (ioctl(pidfd, PIDFD_ASK, &t) || !(t.mask & PIDFD_TOLD_EXIT))
		return false;
	*status = t.exit_code;
	return true;
}

int shim_death_status(uint32_t pid, int pidfd)
{
	int status = -1;
	if (by_proc(pid, &status) || by_pidfd(pidfd, &status))
		return status & 0xffff;
	return -1;
}
