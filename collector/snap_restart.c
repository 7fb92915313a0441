// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A call that a stop and a continuation have interrupted goes on as restart_syscall. Its registers are
 * still those of the first call; which that was, only the function tells through which it goes on.
 */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "snap_world.h"

static const struct restart {
	const char *symbol;
	int nr;
} restarts[] = {
#ifdef SYS_poll
	{ "do_restart_poll", SYS_poll },
#endif
	{ "hrtimer_nanosleep_restart", SYS_nanosleep }, /* clock_nanosleep too: either way it sleeps */
	{ "hrtimer_nanosleep", SYS_nanosleep },
	{ "futex_wait_restart", SYS_futex },
};

/* The name of a kernel function; "" when it is not told. */
static void symbol_at(uint64_t address, char *name, size_t size)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], symbol[128];
	unsigned long long at;

	snprintf(name, size, "%s", "");
	while (f && !name[0] && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llx %*c %127s", &at, symbol) == 2 && at == address)
			snprintf(name, size, "%s", symbol);
	if (f)
		fclose(f);
}

int snap_restarted(struct snap_world *w, const struct snap_task *t)
{
	char name[128];
	uint32_t *memo = snap_memo(w, MEMO_RESTART, t->restart_fn);

	if (!*memo && t->restart_fn) {
		symbol_at(t->restart_fn, name, sizeof(name));
		*memo = UINT32_MAX;
		for (size_t i = 0; i < sizeof(restarts) / sizeof(restarts[0]); i++)
			if (strcmp(restarts[i].symbol, name) == 0)
				*memo = (uint32_t)restarts[i].nr + 1;
	}
	return *memo && *memo != UINT32_MAX ? (int)*memo - 1 : -1;
}
