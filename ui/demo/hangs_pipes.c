// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cases of the corpus of waits (hangs.h): pipes, FIFOs, eventfds, and parents that wait for children.
 */
#include "hangs_cases.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "hangs_kit.h"
#include "kit.h"

/* ---- pipes ---- */

void case_eof_self(void)
{
	int p[2];

	hang_pipe(p);
	prctl(PR_SET_NAME, "es-reader");
	hang_drain(p[0]); /* its own p[1] is still open */
	hang_got_past();
}

/* out and err of a child; the parent reads one to its end before the other */
void case_popen_both(void)
{
	int out[2], err[2];

	hang_pipe(out);
	hang_pipe(err);
	if (hang_member("pb-child")) {
		close(out[0]);
		close(err[0]);
		hang_fill(err[1]);
		hang_got_past();
	}
	prctl(PR_SET_NAME, "pb-parent");
	close(out[1]);
	close(err[1]);
	hang_drain(out[0]);
	hang_got_past();
}

void case_feed_cat(void)
{
	int in[2], out[2];

	hang_pipe(in);
	hang_pipe(out);
	if (hang_member("fc-cat")) {
		close(in[1]);
		close(out[0]);
		for (ssize_t n; (n = read(in[0], hang_block, 4096)) > 0;)
			hang_must(write(out[1], hang_block, (size_t)n) == n, "write");
		_exit(0);
	}
	prctl(PR_SET_NAME, "fc-feeder");
	close(in[0]);
	close(out[1]);
	hang_fill(in[1]);
	hang_got_past();
}

void case_wait_undrained(void)
{
	int out[2];

	hang_pipe(out);
	if (hang_member("wu-child")) {
		close(out[0]);
		hang_fill(out[1]);
		hang_got_past();
	}
	prctl(PR_SET_NAME, "wu-parent");
	close(out[1]);
	hang_wait_for_all();
}

/* The child of vfork may do little, and read is little: what hangs is what is wanted. */
void case_vfork_pipe(void)
{
	int p[2];

	hang_pipe(p);
	prctl(PR_SET_NAME, "vp-vfork");
	if (vfork() == 0) {
		char c;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(read(p[0], &c, 1) == 1);
	}
	hang_got_past();
}

/* a | b | c, and c feeds what it reads back to a */
void case_ring_of_three(void)
{
	static const char *const names[] = { "rt-one", "rt-two", "rt-three" };
	int p[3][2];

	for (int i = 0; i < 3; i++)
		hang_pipe(p[i]);
	for (int i = 0; i < 3; i++) {
		if (!hang_member(names[i]))
			continue;
		for (int k = 0; k < 3; k++) {
			if (k != (i + 2) % 3)
				close(p[k][0]);
			if (k != i)
				close(p[k][1]);
		}
		hang_fill(p[i][1]);
		hang_drain(p[(i + 2) % 3][0]);
		hang_got_past();
	}
	for (int i = 0; i < 3; i++) {
		close(p[i][0]);
		close(p[i][1]);
	}
	hang_wait_for_all();
}

static void on_alarm(int sig) { (void)sig; }

void case_with_alarm(void)
{
	int there[2], back[2];

	hang_pipe(there);
	hang_pipe(back);
	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "al-right" : "al-left")) {
			close(i ? there[1] : there[0]);
			close(i ? back[0] : back[1]);
			if (!i) {
				signal(SIGALRM, on_alarm);
				alarm(3600);
			}
			hang_fill(i ? back[1] : there[1]);
			hang_got_past();
		}
	demo_close((const int[]){ there[0], there[1], back[0], back[1], -1 });
	hang_wait_for_all();
}

/* A daemon that inherited the write end, and sleeps. */
void case_grand(void)
{
	int p[2];

	hang_pipe(p);
	if (hang_member("gr-daemon")) {
		close(p[0]);
		for (;;)
			hang_rest_ms(1000000);
	}
	prctl(PR_SET_NAME, "gr-reader");
	close(p[1]);
	hang_drain(p[0]);
	hang_got_past();
}

void case_slow(void)
{
	int p[2];

	hang_pipe(p);
	if (hang_member("sw-writer")) {
		close(p[0]);
		for (;;)
			hang_fill(p[1]);
	}
	prctl(PR_SET_NAME, "sw-reader");
	close(p[1]);
	while (read(p[0], hang_block, 100) > 0)
		hang_rest_ms(1000);
	hang_got_past();
}

/* Two of three wait for each other's pipe; the third has the same ends, and will write. */
void case_one_live_saves(void)
{
	int there[2], back[2];

	hang_pipe(there);
	hang_pipe(back);
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = { "ol-left", "ol-right", "ol-live" };

		if (!hang_member(names[i]))
			continue;
		if (i == 2) {
			int null = open("/dev/null", O_WRONLY);

			hang_must(write(null, "x", 1) == 1, "write"); /* it does use what it has */
			for (;;)
				hang_rest_ms(1000);
		}
		hang_drain(i ? there[0] : back[0]);
		hang_got_past();
	}
	demo_close((const int[]){ there[0], there[1], back[0], back[1], -1 });
	hang_wait_for_all();
}

void case_cron(void)
{
	if (hang_member("cr-cron"))
		for (;;)
			hang_rest_ms(60 * 1000);
	hang_wait_for_all();
}

/* ---- FIFOs ---- */

void case_fifo_opposite(void)
{
	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "fo-right" : "fo-left")) {
			hang_must(open(hang_fifo[i], O_RDONLY) >= 0, "open");
			hang_got_past();
		}
	hang_wait_for_all();
}

/* Who serves a FIFO keeps its write end open, so that it never sees the end of file. */
void case_fifo_server(void)
{
	prctl(PR_SET_NAME, "fs-server");
	hang_drain(open(hang_fifo[0], O_RDWR));
	hang_got_past();
}

/* ---- eventfd ---- */

/* Reads one eventfd, would then write the other. */
void case_eventfd_pair(void)
{
	int a = eventfd(0, 0), b = eventfd(0, 0);
	uint64_t one = 1;

	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "ev-right" : "ev-left")) {
			hang_must(read(i ? b : a, &one, sizeof(one)) == sizeof(one), "read");
			hang_got_past();
		}
	close(a);
	close(b);
	hang_wait_for_all();
}
