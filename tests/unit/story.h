/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A random but repeatable story in which everything happens, again and again, to ever new
 * processes and channels. Times never go back, but for those that tell none.
 */
#ifndef IPCTAP_TESTS_STORY_H
#define IPCTAP_TESTS_STORY_H

#include <stdlib.h>

#include "make_event.h"

#define PICK(n) ((unsigned int)rand_r(r) % (n))

static inline const struct ev_hdr *story_io(unsigned int *r, uint64_t t, uint32_t pid, uint64_t chan)
{
	struct ev_io *io = make_io(t, pid, (uint16_t)(1 + PICK(OP_MAX - 1)), PICK(0x8000), chan,
				   PICK(5000));
	io->tid = pid + PICK(3);
	io->fd = (int)PICK(10) - 1;
	io->slept_ns = PICK(3) ? 0 : PICK(100);
	io->dur_ns = PICK(300);
	io->waker_tid = PICK(8);
	io->mtype = PICK(2) ? (int64_t)PICK(3) : (int64_t)PICK(100000);
	io->messages = (uint16_t)PICK(4);
	return &io->hdr;
}

static inline const struct ev_hdr *story_task(unsigned int *r, uint64_t t, uint32_t pid)
{
	struct ev_task *e = make_task(t, pid, PICK(2) ? pid : pid + PICK(20), (uint16_t)(1 + PICK(5)),
				      "name");
	e->start_ns = PICK(3) ? t : 0;
	e->ppid = 1 + PICK(4);
	snprintf(e->exe, sizeof(e->exe), "/bin/%u", PICK(9));
	e->hdr.flags = PICK(4);
	return &e->hdr;
}

/* Event number i of the story. */
static inline const struct ev_hdr *story_event(unsigned int seed, int i)
{
	static struct ev_gone gone;
	static struct ev_room room;
	unsigned int state = seed * 100003 + (unsigned int)i, *r = &state;
	uint64_t t = 1000 + (uint64_t)i * 50, chan = 1 + (uint64_t)i / 100 + PICK(8);
	uint32_t pid = 1 + (uint32_t)i / 200 + PICK(6);
	int32_t fd;
	switch (PICK(14)) {
	case 0:
		return &make_chan(chan, (uint16_t)(1 + PICK(KIND_MAX - 1)),
				  (uint16_t)PICK(SHAPE_MAX), PICK(2))
				->hdr;
	case 1:
	case 2:
		fd = PICK(8) ? (int32_t)PICK(3000) : -1;
		return &make_endpoint(t, pid, chan, fd, (uint8_t)(1 + PICK(7)))->hdr;
	case 3:
	case 4:
		return story_task(r, t, pid);
	case 5:
		return &make_wait(t, pid, PICK(2) * chan, (uint16_t)(1 + PICK(2)), t - 40)->hdr;
	case 6:
		if (PICK(50) == 0)
			return &make_lost(1 + PICK(LOST_MAX - 1), PICK(3), 1 + PICK(5))->hdr;
		return story_io(r, t, pid, chan);
	case 7:
		if (PICK(3) == 0) {
			room = (struct ev_room){.hdr = {.t_ns = t, .type = EV_ROOM, .size = sizeof(room),
							.flags = PICK(2)},
						.chan = chan, .bytes = PICK(3) * 4096, .inside = PICK(5000),
						.messages = PICK(20), .messages_inside = PICK(20)};
			return &room.hdr;
		}
		gone = (struct ev_gone){.hdr = {.t_ns = t, .type = EV_GONE, .size = sizeof(gone)},
					.chan = chan > 20 ? chan - PICK(20) : chan};
		return &gone.hdr;
	default:
		return story_io(r, t, pid, chan);
	}
}

#endif
