// SPDX-License-Identifier: GPL-2.0-or-later
/* Signals of a process on a terminal; see signals.h. */
#include "ui/tui/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t asked_to_end, hung_up, asked_to_stop, continued;
static void (*on_crash)(void);
static int async_fd = -1; /* the terminal once more: it sends SIGIO when there is a key */

static void note_signal(int sig)
{
	switch (sig) {
	case SIGHUP:
		hung_up = 1;
		break;
	case SIGTSTP:
		asked_to_stop = 1;
		break;
	case SIGCONT:
		continued = 1;
		break;
	case SIGIO: /* to interrupt a sleep is all it is for */
		break;
	default:
		asked_to_end = 1;
	}
}

static void crash(int sig);

static struct caught {
	int sig;
	void (*handler)(int);
	struct sigaction before;
} caught[] = {
	{ .sig = SIGINT, .handler = note_signal },  { .sig = SIGTERM, .handler = note_signal },
	{ .sig = SIGQUIT, .handler = note_signal }, { .sig = SIGHUP, .handler = note_signal },
	{ .sig = SIGTSTP, .handler = note_signal }, { .sig = SIGCONT, .handler = note_signal },
	{ .sig = SIGIO, .handler = note_signal },
	{ .sig = SIGSEGV, .handler = crash },	    { .sig = SIGABRT, .handler = crash },
	{ .sig = SIGBUS, .handler = crash },	    { .sig = SIGFPE, .handler = crash },
	{ .sig = SIGILL, .handler = crash },	    { .sig = SIGSYS, .handler = crash },
	{ .sig = SIGTRAP, .handler = crash },
};
#define NCAUGHT (sizeof(caught) / sizeof(caught[0]))

static void crash(int sig)
{
	on_crash();
	for (size_t i = 0; i < NCAUGHT; i++)
		if (caught[i].sig == sig)
			sigaction(sig, &caught[i].before, NULL);
	raise(sig);
}

/* A stack that overflowed cannot run a handler: they have their own. */
static char signal_stack[64 * 1024];

/* An open file of its own: the flag must not stay on the one that the shell shares with us. */
static void async_open(void)
{
	int flags;

	async_fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (async_fd < 0)
		return;
	flags = fcntl(async_fd, F_GETFL);
	if (fcntl(async_fd, F_SETOWN, getpid()) == 0 &&
	    fcntl(async_fd, F_SETFL, flags | O_ASYNC) == 0)
		return;
	close(async_fd);
	async_fd = -1;
}

void signals_catch(void (*give_back)(void))
{
	stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) };

	on_crash = give_back;
	asked_to_end = hung_up = asked_to_stop = continued = 0;
	sigaltstack(&stack, NULL);
	for (size_t i = 0; i < NCAUGHT; i++) {
		struct sigaction sa = { .sa_handler = caught[i].handler };

		/* no SA_RESTART: a sleep in the pump ends at once */
		if (caught[i].handler == crash)
			sa.sa_flags = SA_ONSTACK | SA_NODEFER;
		if (caught[i].sig == SIGIO) /* still ends epoll_wait and poll, and spares the others */
			sa.sa_flags = SA_RESTART;
		sigaction(caught[i].sig, &sa, &caught[i].before);
	}
	async_open();
}

void signals_release(void)
{
	stack_t none = { .ss_flags = SS_DISABLE };

	if (async_fd >= 0) /* first, or a late SIGIO would end the process */
		close(async_fd);
	async_fd = -1;
	for (size_t i = 0; i < NCAUGHT; i++)
		sigaction(caught[i].sig, &caught[i].before, NULL);
	sigaltstack(&none, NULL);
}

enum signal_kind signals_take(void)
{
	if (hung_up)
		return SIGNAL_HUNG_UP;
	if (asked_to_end) {
		asked_to_end = 0;
		return SIGNAL_END;
	}
	if (asked_to_stop) {
		asked_to_stop = 0;
		return SIGNAL_STOP;
	}
	if (!continued)
		return SIGNAL_NONE;
	continued = 0;
	return SIGNAL_CONTINUED;
}

void signals_stop(void)
{
	struct sigaction by_default = { .sa_handler = SIG_DFL }, ours;

	sigaction(SIGTSTP, &by_default, &ours);
	raise(SIGTSTP);
	sigaction(SIGTSTP, &ours, NULL);
}

bool signals_tell_keys(void) { return async_fd >= 0; }
