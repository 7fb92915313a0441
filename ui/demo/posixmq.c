// SPDX-License-Identifier: GPL-2.0-or-later
/* posix-mq: pm-maker-1, pm-maker-2 → one POSIX queue → pm-taker, in three priorities */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <unistd.h>

#include "workloads.h"

#define MAKERS 2
#define TASK_BYTES 48u
#define PRIORITIES 3u

static void pm_send(struct demo_run *run, mqd_t q, size_t bytes, unsigned int prio, uint64_t n)
{
	char text[TASK_BYTES];

	demo_fill(text, bytes, "task", n);
	if (mq_send(q, text, bytes, prio) < 0)
		demo_die("mq_send");
	demo_sent(run, KIND_MQ, bytes);
}

static void pm_maker(struct demo_run *run, const int *fds)
{
	struct demo_pace pace = {0};

	while (demo_turn(run, &pace))
		pm_send(run, fds[0], TASK_BYTES, (unsigned int)(pace.sent % PRIORITIES), pace.sent);
	pm_send(run, fds[0], 0, 0, 0); /* of the lowest priority: the last to be taken */
}

static void pm_taker(struct demo_run *run, const int *fds)
{
	int ends = 0;

	while (ends < MAKERS) {
		char text[TASK_BYTES];
		unsigned int prio;
		ssize_t n = mq_receive(fds[0], text, sizeof(text), &prio);

		if (n < 0)
			demo_die("mq_receive");
		demo_got(run, KIND_MQ, (size_t)n);
		ends += n == 0;
	}
}

int demo_posix_mq(struct demo_run *run)
{
	struct mq_attr attr = {.mq_maxmsg = 8, .mq_msgsize = TASK_BYTES};
	char name[32];
	mqd_t q;
	int err;

	snprintf(name, sizeof(name), "/ipctap-demo-%d", getpid());
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (q < 0)
		return -errno;
	mq_unlink(name); /* it lives as long as somebody has it open */
	err = demo_spawn(run, "pm-taker", pm_taker, (int[]){q, -1});
	for (int i = 1; i <= MAKERS && !err; i++) {
		char worker[24];

		snprintf(worker, sizeof(worker), "pm-maker-%d", i);
		err = demo_spawn(run, worker, pm_maker, (int[]){q, -1});
	}
	mq_close(q);
	return err;
}
