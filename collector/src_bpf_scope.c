// SPDX-License-Identifier: GPL-2.0-or-later
#include "src_bpf_scope.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bpf/ipctap.skel.h"
#include "lib/abi/event.h"

#define SCOPE_MAX (sizeof(((struct ipctap_bpf__rodata *)0)->scope_comms) / EV_COMM_LEN)

static int set_comms(struct ipctap_bpf *skel, const char *const *comms, struct fail *fail)
{
	uint32_t n = 0;
	for (; comms && comms[n]; n++) {
		if (n == SCOPE_MAX)
			return fail_set(fail, E2BIG, NULL, "more than %zu names in --comm", SCOPE_MAX);
		/* the kernel cuts names at 15 bytes: so does whoever reads them off a screen */
		snprintf(skel->rodata->scope_comms[n], EV_COMM_LEN, "%s", comms[n]);
	}
	skel->rodata->scope_ncomms = n;
	return 0;
}

/* Where the v2 hierarchy is mounted; -ENOENT when it is not. */
static int cgroup_mount(char *buf, size_t size)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	int err = -ENOENT;
	while (f && (m = getmntent(f))) {
		if (strcmp(m->mnt_type, "cgroup2"))
			continue;
		snprintf(buf, size, "%s", m->mnt_dir);
		err = 0;
		break;
	}
	if (f)
		endmntent(f);
	return err;
}

/* A cgroup's id is the 64-bit inode number in its file handle; its level, its depth below the mount. */
static int cgroup_find(const char *path, uint64_t *id, uint32_t *level)
{
	char mount[512], full[1024];
	int err = cgroup_mount(mount, sizeof(mount));
	if (err)
		return err;
	size_t len = strlen(mount);
	bool below = strncmp(path, mount, len) == 0 && (path[len] == '/' || !path[len]);
	snprintf(full, sizeof(full), "%s/%s", mount, below ? path + len : path);
	struct stat st;
	if (stat(full, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	struct {
		struct file_handle head;
		uint64_t id;
	} handle = { .head.handle_bytes = sizeof(uint64_t) };
	int mount_id;
	if (name_to_handle_at(AT_FDCWD, full, &handle.head, &mount_id, 0))
		return -errno;
	memcpy(id, handle.head.f_handle, sizeof(*id));
	*level = 0;
	for (const char *p = full + len; *p; p++)
		if (*p == '/' && p[1] && p[1] != '/')
			(*level)++;
	return 0;
}

static int set_cgroups(struct ipctap_bpf *skel, const char *const *cgroups, struct fail *fail)
{
	uint32_t n = 0;
	for (; cgroups && cgroups[n]; n++) {
		uint64_t id;
		uint32_t level;
		if (n == SCOPE_MAX)
			return fail_set(fail, E2BIG, NULL, "more than %zu in --cgroup", SCOPE_MAX);
		int err = cgroup_find(cgroups[n], &id, &level);
		if (err)
			return fail_set(fail, -err,
					"give a directory of the cgroup v2 hierarchy, or its path below that mount",
					"cannot use cgroup '%s'", cgroups[n]);
		skel->rodata->scope_cgroup_ids[n] = id;
		skel->rodata->scope_cgroup_levels[n] = level;
	}
	skel->rodata->scope_ncgroups = n;
	return 0;
}

int src_bpf_scope_consts(struct ipctap_bpf *skel, const struct scope *scope, struct fail *fail)
{
	skel->rodata->scope_all = scope->all;
	int err = set_comms(skel, scope->comms, fail);
	return err ? err : set_cgroups(skel, scope->cgroups, fail);
}

int src_bpf_scope_pids(struct ipctap_bpf *skel, const struct scope *scope, pid_t held)
{
	int fd = bpf_map__fd(skel->maps.scope_pids);
	uint8_t one = 1;
	for (int i = 0; i < scope->npids; i++) {
		uint32_t pid = (uint32_t)scope->pids[i];
		if (bpf_map_update_elem(fd, &pid, &one, BPF_ANY))
			return -errno;
	}
	uint32_t pid = (uint32_t)held;
	if (held && bpf_map_update_elem(fd, &pid, &one, BPF_ANY))
		return -errno;
	return 0;
}
