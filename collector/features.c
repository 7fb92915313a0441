// SPDX-License-Identifier: GPL-2.0-or-later
#include "features.h"

#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/src_bpf_types.h"

#ifdef IPCTAP_NO_BPF
#include <errno.h>

int features_probe(struct feature *out, int max)
{
	if (max < 1)
		return 0;
	out[0] = (struct feature){
		.name = "bpf", .what = "tracing live", .err = ENOTSUP,
		.remedy = "this ipctap was built with BPF=0: build it with `make`", .required = true,
	};
	return 1;
}
#endif

#define FIRST_PID_NAMESPACE 0xEFFFFFFCu /* the inode of it, always: PROC_PID_INIT_INO, since Linux 3.8 */

bool features_host_pids(void)
{
	struct stat st;
	return stat("/proc/self/ns/pid", &st) != 0 || st.st_ino == FIRST_PID_NAMESPACE;
}

bool features_has_rights(void)
{
#ifdef IPCTAP_NO_BPF
	return false;
#else
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	if (syscall(SYS_capget, &h, d))
		return false;
	uint64_t have = (uint64_t)d[1].effective << 32 | d[0].effective;
	return have >> CAP_SYS_ADMIN & 1 && access(KERNEL_TYPES, R_OK) == 0 && features_host_pids();
#endif
}

const char *features_source(void)
{
	struct feature f[FEATURES_MAX];
	int n = features_probe(f, FEATURES_MAX);
	for (int i = 0; i < n; i++)
		if (f[i].required && f[i].err)
			return "shim";
	return "bpf";
}
