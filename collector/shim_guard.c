// SPDX-License-Identifier: GPL-2.0-or-later
#include "shim_guard.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

static struct shim_guard *guards;
static struct sigaction before;
static volatile sig_atomic_t gave_up;

static struct shim_guard *around(const char *at)
{
	for (struct shim_guard *g = guards; g; g = g->next)
		if (at >= (char *)g->base && at < (char *)g->base + g->bytes)
			return g;
	return NULL;
}

/*
 * Back to the look that faulted: it is repeated, and finds what has been put there. A fault that is not
 * ours is repeated before whoever had it before, or, should that one hand it back, before nobody.
 */
static void on_bus_error(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	struct shim_guard *g = around(info->si_addr);
	(void)context;
	if (g && mmap(g->base, g->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE,
		      -1, 0) != MAP_FAILED) {
		g->cut = true;
	} else if (gave_up) {
		signal(sig, SIG_DFL);
	} else {
		gave_up = 1;
		sigaction(sig, &before, NULL);
	}
	errno = saved;
}

int shim_guard_on(void)
{
	struct sigaction sa = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK }, now;
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGBUS, NULL, &now))
		return -errno;
	if (now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_bus_error)
		return 0;
	before = now;
	return sigaction(SIGBUS, &sa, NULL) ? -errno : 0;
}

int shim_guard_add(struct shim_guard *g, void *base, size_t bytes)
{
	*g = (struct shim_guard){ .base = base, .bytes = bytes, .next = guards };
	if (guards)
		guards->prev = g;
	guards = g;
	return shim_guard_on();
}

void shim_guard_remove(struct shim_guard *g)
{
	if (g->next)
		g->next->prev = g->prev;
	if (g->prev)
		g->prev->next = g->next;
	else if (guards == g)
		guards = g->next;
	*g = (struct shim_guard){ .cut = g->cut };
}
