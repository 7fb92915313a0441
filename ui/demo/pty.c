// SPDX-License-Identifier: GPL-2.0-or-later
/* pty: pt-terminal holds the master, pt-shell the slave; every line typed is answered */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "workloads.h"

#define LINE_BYTES 32u
#define ANSWER_BYTES 96u

/* The last line is answered as well: to hang up before it was read would lose it. */
static void pt_ask(struct demo_run *run, int fd, const char *what, uint64_t n)
{
	char line[LINE_BYTES], answer[ANSWER_BYTES];

	demo_fill(line, sizeof(line), what, n);
	demo_write(run, KIND_PTY, fd, line, sizeof(line));
	if (!demo_read(run, KIND_PTY, fd, answer, sizeof(answer)))
		demo_die("read: the terminal ended");
}

static void pt_terminal(struct demo_run *run, const int *fds)
{
	struct demo_pace pace = {0};

	close(fds[1]);
	while (demo_turn(run, &pace))
		pt_ask(run, fds[0], "line", pace.sent);
	pt_ask(run, fds[0], "exit", 0);
}

static void pt_shell(struct demo_run *run, const int *fds)
{
	char line[LINE_BYTES], answer[ANSWER_BYTES];
	uint64_t n = 0;

	close(fds[0]);
	do {
		if (!demo_read(run, KIND_PTY, fds[1], line, sizeof(line)))
			demo_die("read: the terminal ended");
		demo_fill(answer, sizeof(answer), "answer", ++n);
		demo_write(run, KIND_PTY, fds[1], answer, sizeof(answer));
	} while (strncmp(line, "exit", 4) != 0);
}

/* Raw: bytes go through as they are, so that they can be counted. */
static int open_pair(int fds[3])
{
	struct termios raw;
	const char *name;

	fds[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fds[0] < 0 || grantpt(fds[0]) < 0 || unlockpt(fds[0]) < 0)
		return -errno;
	name = ptsname(fds[0]);
	fds[1] = name ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
	if (fds[1] < 0 || tcgetattr(fds[1], &raw) < 0)
		return -errno;
	cfmakeraw(&raw);
	return tcsetattr(fds[1], TCSANOW, &raw) < 0 ? -errno : 0;
}

int demo_pty(struct demo_run *run)
{
	int fds[] = {-1, -1, -1}, err = open_pair(fds);

	if (!err)
		err = demo_spawn(run, "pt-shell", pt_shell, fds);
	if (!err)
		err = demo_spawn(run, "pt-terminal", pt_terminal, fds);
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return err;
}
