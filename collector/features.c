// SPDX-License-Identifier: GPL-2.0-or-later
#include "features.h"

#include <string.h>

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

const char *features_source(void)
{
	struct feature f[FEATURES_MAX];
	int n = features_probe(f, FEATURES_MAX);
	for (int i = 0; i < n; i++)
		if (f[i].required && f[i].err)
			return "none";
	return "bpf";
}
