// SPDX-License-Identifier: GPL-2.0-or-later
#include "features_ripc.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/ripc_files.h"

#define SELF "/proc/self/exe"

/* perf_event_open(2): the kind of its event that is a place in a file; ENOENT: not in this kernel. */
static int uprobe_type(uint32_t *type)
{
	FILE *f = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	if (!f)
		return errno;
	int n = fscanf(f, "%u", type);
	fclose(f);
	return n == 1 ? 0 : ENOENT;
}

int features_ripc_attach(int prog_fd)
{
	struct usdt_site *sites = NULL;
	int n = usdt_sites(SELF, "ripc", &sites, NULL);
	if (n <= 0)
		return n ? -n : ENOENT;
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.config1 = (uint64_t)(uintptr_t)SELF,
		.config2 = sites[0].offset,
	};
	free(sites);
	int err = uprobe_type(&attr.type);
	if (err)
		return err;
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return errno;
	err = ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog_fd) ? errno : 0;
	close(fd);
	return err;
}

struct places {
	struct ripc_place *list;
	int n, max;
};

static void found(void *arg, const char *path, const struct usdt_site *sites, size_t n)
{
	struct places *p = arg;
	(void)sites;
	if (p->n == p->max)
		return;
	snprintf(p->list[p->n].path, sizeof(p->list[p->n].path), "%s", path);
	p->list[p->n++].sites = n;
}

int features_ripc_places(struct ripc_place *out, int max)
{
	struct places p = { out, 0, max };
	struct ripc_files *f = ripc_files_new(found, &p);
	if (f)
		ripc_files_likely(f, NULL);
	ripc_files_free(f);
	return p.n;
}
