// SPDX-License-Identifier: GPL-2.0-or-later
/* Row 5: message buffers of fixed and variable size, as ripc.h states them. */
#include <pthread.h>
#include <sys/mman.h>

#include "lib/ripc/ripc.h"
#include "tests/ripc/tap.h"

#define MS 1000000ll

static struct ripc_buffer *fixed(unsigned messages, unsigned bytes)
{
	struct ripc_buffer *b;
	struct ripc_buffer_shape shape = {.messages = messages, .message_bytes = bytes};
	ripc_buffer_open(&b, "b", &shape, RIPC_CREATE, 0);
	return b;
}

static struct ripc_buffer *variable(unsigned room, unsigned bytes)
{
	struct ripc_buffer *b;
	struct ripc_buffer_shape shape = {.message_bytes = bytes, .room_bytes = room};
	ripc_buffer_open(&b, "v", &shape, RIPC_CREATE, 0);
	return b;
}

static void shapes_are_checked(void)
{
	struct ripc_buffer *a = fixed(3, 10), *b;
	struct ripc_buffer_shape other = {.messages = 4, .message_bytes = 10}, got;
	OK(a != NULL, "created");
	IS(ripc_buffer_open(&b, "b", &other, RIPC_CREATE, 0), -EINVAL, "another shape: EINVAL");
	IS(ripc_buffer_open(&b, "b", NULL, 0, 0), 0, "whatever shape");
	ripc_buffer_get_shape(b, &got);
	OK(got.messages == 3 && got.message_bytes == 10 && !got.room_bytes, "tells its shape");
	ripc_buffer_close(b);
	const struct ripc_buffer_shape wrong[] = {
		{.messages = 0, .message_bytes = 8},
		{.messages = 1, .message_bytes = RIPC_MESSAGE_MAX + 1},
		{.messages = 1, .message_bytes = 8, .room_bytes = 100},
		{.messages = 0, .message_bytes = 0, .room_bytes = 100},
		{.messages = 0, .message_bytes = 8, .room_bytes = RIPC_ROOM_MAX + 1},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		IS(ripc_buffer_open(&b, "w", &wrong[i], RIPC_CREATE, 0), -EINVAL, "no such shape");
	ripc_buffer_close(a);
	b = init_message_buffer(100, "notes");
	ripc_buffer_get_shape(b, &got);
	OK(got.messages == 100 && got.message_bytes == RIPC_MESSAGE_BYTES, "the call of the notes");
	ripc_buffer_close(b);
}

static void bounds_are_exact(void)
{
	char m[16] = "0123456789";
	struct ripc_buffer *b = fixed(3, 10);
	IS(ripc_buffer_receive_until(b, m, 16, RIPC_TRY), -EAGAIN, "empty, try: EAGAIN");
	IS(ripc_buffer_receive_until(b, m, 16, ripc_deadline_in(20 * MS)), -ETIMEDOUT,
	   "empty, deadline: ETIMEDOUT");
	IS(ripc_buffer_send(b, m, 11), -EMSGSIZE, "too long: EMSGSIZE");
	IS(ripc_buffer_send(b, m, 10), 0, "the longest");
	IS(ripc_buffer_send(b, "", 0), 0, "the empty one");
	IS(ripc_buffer_send(b, "x", 1), 0, "the third of three");
	IS(ripc_buffer_send_until(b, "y", 1, RIPC_TRY), -EAGAIN, "full, try: EAGAIN");
	IS(ripc_buffer_send_until(b, "y", 1, ripc_deadline_in(20 * MS)), -ETIMEDOUT,
	   "full, deadline: ETIMEDOUT");
	IS(ripc_buffer_count(b), 3, "three are there");
	IS(ripc_buffer_receive(b, m, 9), -EMSGSIZE, "no room at the receiver: EMSGSIZE");
	memset(m, 0, sizeof(m));
	IS(ripc_buffer_receive(b, m, 10), 10, "and it stays: the first");
	OK(!memcmp(m, "0123456789", 10), "whole");
	IS(ripc_buffer_receive(b, m, 0), 0, "the empty one");
	IS(ripc_buffer_receive(b, m, 16), 1, "the third");
	OK(m[0] == 'x', "first in, first out");
	IS(ripc_buffer_count(b), 0, "none left");
	for (long i = 0; i < 100; i++) {
		long v = -1;
		if (ripc_buffer_send(b, &i, sizeof(i)) || ripc_buffer_receive(b, &v, 8) != 8 || v != i)
			OK(false, "round the ring");
	}
	ripc_buffer_close(b);
}

static void room_is_dynamic(void)
{
	unsigned char m[4000], got[4000];
	struct ripc_buffer *b = variable(0x2000, 4000);
	unsigned sent = 0, received = 0, x = 1;
	bool right = true;
	int fulls = 0;
	/* lengths and moments from a fixed sequence; contents tell which and how long */
	for (int i = 0; i < 20000; i++) {
		x = x * 1103515245 + 12345;
		if (x >> 16 & 1) {
			size_t n = (sent * 2654435761u >> 8) % (sent % 7 ? 100 : 4001);
			memset(m, (int)(sent & 0xff), n);
			int r = ripc_buffer_send_until(b, m, n, RIPC_TRY);
			fulls += r == -EAGAIN;
			right &= r == 0 || r == -EAGAIN;
			sent += r == 0;
		} else {
			ssize_t r = ripc_buffer_receive_until(b, got, sizeof(got), RIPC_TRY);
			if (r == -EAGAIN) {
				right &= sent == received;
				continue;
			}
			size_t n = (received * 2654435761u >> 8) % (received % 7 ? 100 : 4001);
			right &= r == (ssize_t)n;
			for (size_t k = 0; k < n; k++)
				right &= got[k] == (received & 0xff);
			received++;
		}
	}
	OK(right && received > 5000, "sizes of all kinds keep order and content");
	OK(fulls > 100, "(it was full at times)");
	while (ripc_buffer_receive_until(b, got, sizeof(got), RIPC_TRY) >= 0)
		;
	IS(ripc_buffer_send_until(b, m, 4000, RIPC_TRY), 0, "the largest fits when it is empty");
	ripc_buffer_close(b);
	b = variable(1, 1000);
	bool fits = true;
	for (int i = 0; i < 1000; i++)
		fits &= !ripc_buffer_send_until(b, m, 1000, RIPC_TRY) &&
			ripc_buffer_receive(b, got, 1000) == 1000 &&
			!ripc_buffer_send_until(b, m, (size_t)i, RIPC_TRY) &&
			ripc_buffer_receive(b, got, 1000) == i;
	OK(fits, "at whatever place in the smallest room");
	ripc_buffer_close(b);
}

/* ---- waiting ---- */

static int receive_one(void *arg)
{
	char c = 0;
	return ripc_buffer_receive(arg, &c, 1) == 1 ? c : 255;
}

static int send_one(void *arg) { return ripc_buffer_send(arg, "s", 1) ? 1 : 0; }

static void full_and_empty_wait(void)
{
	struct ripc_buffer *b = fixed(1, 8);
	pid_t p = tap_fork(receive_one, b), q = tap_fork(receive_one, b);
	OK(tap_sleeps(p) && tap_sleeps(q), "two wait for a message");
	ripc_buffer_send(b, "A", 1);
	int status = 0;
	pid_t first = wait(&status);
	IS(WEXITSTATUS(status), 'A', "one gets it");
	usleep(20000);
	IS(waitpid(first == p ? q : p, NULL, WNOHANG), 0, "the other waits on");
	ripc_buffer_send(b, "B", 1);
	IS(tap_wait(first == p ? q : p), 'B', "and gets the next");
	ripc_buffer_send(b, "0", 1);
	p = tap_fork(send_one, b), q = tap_fork(send_one, b);
	OK(tap_sleeps(p) && tap_sleeps(q), "two wait for room");
	char c;
	ripc_buffer_receive(b, &c, 1);
	first = wait(&status);
	IS(status, 0, "one finds it");
	ripc_buffer_receive(b, &c, 1);
	IS(tap_wait(first == p ? q : p), 0, "then the other");
	ripc_buffer_receive(b, &c, 1);
	p = tap_fork(receive_one, b), q = tap_fork(receive_one, b);
	OK(tap_sleeps(p) && tap_sleeps(q), "two wait");
	kill(p, SIGSTOP); /* woken, but killed before it can take it */
	ripc_buffer_send(b, "C", 1);
	tap_kill(p);
	IS(tap_wait(q), 'C', "one is killed: the message is for the other");
	ripc_buffer_close(b);
}

/* ---- many to many ---- */

#define SENDERS 3
#define RECEIVERS 3
#define EACH 20000

struct tally {
	_Atomic unsigned char seen[SENDERS][EACH];
	_Atomic unsigned twice, disorder, received;
};

static struct tally *tally;
struct stamp {
	unsigned from, number;
};

static int sender(void *arg)
{
	static unsigned from;
	from = (unsigned)(uintptr_t)arg;
	struct ripc_buffer *b;
	if (ripc_buffer_open(&b, "b", NULL, 0, 0) && ripc_buffer_open(&b, "v", NULL, 0, 0))
		return 1;
	for (unsigned i = 0; i < EACH; i++) {
		struct stamp s = {from, i};
		if (ripc_buffer_send(b, &s, sizeof(s)))
			return 1;
	}
	return 0;
}

static int receiver(void *arg)
{
	struct ripc_buffer *b;
	unsigned last[SENDERS] = {0};
	(void)arg;
	if (ripc_buffer_open(&b, "b", NULL, 0, 0) && ripc_buffer_open(&b, "v", NULL, 0, 0))
		return 1;
	for (;;) {
		struct stamp s;
		if (ripc_buffer_receive(b, &s, sizeof(s)) != sizeof(s))
			return 1;
		if (s.from >= SENDERS)
			return 0;
		tally->twice += tally->seen[s.from][s.number]++ != 0;
		/* what one receiver gets of one sender comes in the order sent */
		tally->disorder += s.number + 1 <= last[s.from];
		last[s.from] = s.number + 1;
		tally->received++;
	}
}

static void many_to_many(struct ripc_buffer *b, const char *name)
{
	pid_t from[SENDERS], to[RECEIVERS];
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < RECEIVERS; i++)
		to[i] = tap_fork(receiver, NULL);
	for (int i = 0; i < SENDERS; i++)
		from[i] = tap_fork(sender, (void *)(uintptr_t)i);
	bool fine = true;
	for (int i = 0; i < SENDERS; i++)
		fine &= tap_wait(from[i]) == 0;
	for (int i = 0; i < RECEIVERS; i++)
		ripc_buffer_send(b, &(struct stamp){99, 0}, sizeof(struct stamp));
	for (int i = 0; i < RECEIVERS; i++)
		fine &= tap_wait(to[i]) == 0;
	OK(fine, name);
	IS(tally->received, SENDERS * EACH, "every message arrives");
	IS(tally->twice, 0, "once");
	IS(tally->disorder, 0, "in its sender's order");
	munmap(tally, sizeof(*tally));
	ripc_buffer_close(b);
}

/* ---- without copying ---- */

static int commit_foreign(void *arg)
{
	struct ripc_span *s = arg;
	struct ripc_buffer *b;
	if (ripc_buffer_open(&b, "b", NULL, 0, 0))
		return 99;
	return -ripc_buffer_commit(b, s, 1);
}

static int reserve_and_die(void *arg)
{
	struct ripc_span s;
	if (ripc_buffer_reserve(arg, 8, &s, RIPC_TRY))
		return 1;
	raise(SIGKILL);
	return 0;
}

static int view_and_die(void *arg)
{
	struct ripc_span s;
	if (ripc_buffer_view(arg, &s, RIPC_TRY))
		return 1;
	raise(SIGKILL);
	return 0;
}

static void spans_lie_in_the_buffer(void)
{
	struct ripc_buffer *b = fixed(2, 64);
	struct ripc_span s, t, v, w;
	char m[64];
	IS(ripc_buffer_reserve(b, 65, &s, RIPC_TRY), -EMSGSIZE, "too long: EMSGSIZE");
	IS(ripc_buffer_view(b, &v, RIPC_TRY), -EAGAIN, "nothing to view: EAGAIN");
	IS(ripc_buffer_reserve(b, 64, &s, RIPC_FOREVER), 0, "reserve");
	OK((uintptr_t)s.data % 16 == 0 && s.bytes == 64, "aligned, and as long as asked for");
	IS(ripc_buffer_receive_until(b, m, 64, RIPC_TRY), -EAGAIN, "not there before it is committed");
	IS(ripc_buffer_send(b, "two", 3), 0, "another passes");
	IS(ripc_buffer_receive(b, m, 64), 3, "and is received before");
	IS(ripc_buffer_send_until(b, "x", 1, RIPC_TRY), -EAGAIN, "but room comes back in order");
	memcpy(s.data, "zero-copy", 9);
	IS(tap_wait(tap_fork(commit_foreign, &s)), EINVAL, "another process's: EINVAL");
	t = s;
	IS(ripc_buffer_commit(b, &s, 65), -EMSGSIZE, "longer than reserved: EMSGSIZE");
	IS(ripc_buffer_commit(b, &s, 9), 0, "commit of less than reserved");
	IS(ripc_buffer_commit(b, &t, 9), -EINVAL, "twice: EINVAL");
	IS(ripc_buffer_release(b, &t), -EINVAL, "release of what is not viewed: EINVAL");
	IS(ripc_buffer_view(b, &v, RIPC_FOREVER), 0, "view");
	OK(v.bytes == 9 && !memcmp(v.data, "zero-copy", 9), "what was written there");
	IS(ripc_buffer_send_until(b, "x", 1, RIPC_TRY), -EAGAIN, "what is viewed takes room");
	IS(ripc_buffer_release(b, &v), 0, "release");
	IS(ripc_buffer_release(b, &v), -EINVAL, "twice: EINVAL");
	OK(!ripc_buffer_send_until(b, "1", 1, RIPC_TRY) && !ripc_buffer_send_until(b, "2", 1, RIPC_TRY),
	   "all the room is back");
	IS(ripc_buffer_view(b, &v, RIPC_TRY), 0, "view the first");
	IS(ripc_buffer_view(b, &w, RIPC_TRY), 0, "a view does not keep others from the next");
	OK(w.bytes == 1 && !memcmp(w.data, "2", 1), "which it is");
	IS(ripc_buffer_release(b, &w), 0, "release, out of order");
	IS(ripc_buffer_release(b, &v), 0, "and the other");
	IS(ripc_buffer_reserve(b, 1, &s, RIPC_TRY), 0, "reserve");
	IS(ripc_buffer_abandon(b, &s), 0, "abandon");
	OK(!ripc_buffer_send_until(b, "1", 1, RIPC_TRY) && !ripc_buffer_send_until(b, "2", 1, RIPC_TRY),
	   "the room is back");
	IS(tap_wait(tap_fork(view_and_die, b)), 1000 + SIGKILL, "one views and is killed");
	IS(ripc_buffer_send_until(b, "3", 1, RIPC_TRY), 0, "its room is back");
	IS(ripc_buffer_receive(b, m, 64), 1, "what it viewed");
	OK(m[0] == '2', "counts as received");
	ripc_buffer_receive(b, m, 64);
	for (int i = 0; i < 2; i++)
		IS(tap_wait(tap_fork(reserve_and_die, b)), 1000 + SIGKILL, "one reserves and is killed");
	IS(ripc_buffer_send_until(b, "4", 1, RIPC_TRY), 0, "its room is back");
	pid_t p = tap_fork(receive_one, b);
	IS(tap_wait(p), '4', "and it is not waited for");
	ripc_buffer_close(b);
}

/* ---- sleeping and waking, both sides by themselves ---- */

#define LETTERS 4000

static void busy_for(int64_t ns)
{
	for (int64_t until = ripc_now_ns() + ns; ripc_now_ns() < until;)
		;
}

/* Now and then after just about the time for which the other looks before it sleeps. */
static int send_at_odd_times(void *arg)
{
	unsigned dice = 1;
	for (unsigned i = 0; i < LETTERS; i++) {
		dice = dice * 1103515245u + 12345u;
		busy_for(dice >> 16 & 0x1ffff);
		if (ripc_buffer_send(arg, &i, sizeof(i)))
			return 1;
	}
	return 0;
}

static int receive_at_odd_times(void *arg)
{
	unsigned dice = 2, m;
	for (unsigned i = 0; i < LETTERS; i++) {
		dice = dice * 1103515245u + 12345u;
		busy_for(dice >> 16 & 0x1ffff);
		if (ripc_buffer_receive(arg, &m, sizeof(m)) != sizeof(m) || m != i)
			return 1;
	}
	return 0;
}

/*
 * The heartbeat, after which who sleeps looks again, would hide a lost wakeup, but not the time: of
 * some thousand sleeps hardly one takes so long because the machine is busy.
 */
static void no_wakeup_is_lost(struct ripc_buffer *b, bool as_sender)
{
	unsigned m = 0, late = 0, wrong = 0;
	pid_t pid = tap_fork(as_sender ? receive_at_odd_times : send_at_odd_times, b);
	for (unsigned i = 0; i < LETTERS; i++) {
		int64_t start = ripc_now_ns();
		if (as_sender)
			wrong += ripc_buffer_send(b, &i, sizeof(i)) != 0;
		else
			wrong += ripc_buffer_receive(b, &m, sizeof(m)) != sizeof(m) || m != i;
		late += ripc_now_ns() - start > 150000000;
	}
	OK(tap_wait(pid) == 0 && !wrong, "one sender, one receiver: all in order");
	OK(late <= 3, as_sender ? "a sender who sleeps is woken" : "a receiver who sleeps is woken");
	if (late)
		fprintf(stderr, "# %u times late\n", late);
	ripc_buffer_close(b);
}

int main(void)
{
	tap_begin(0700);
	shapes_are_checked();
	bounds_are_exact();
	room_is_dynamic();
	full_and_empty_wait();
	many_to_many(fixed(16, sizeof(struct stamp)), "three senders, three receivers, fixed");
	many_to_many(variable(2048, 64), "three senders, three receivers, variable");
	spans_lie_in_the_buffer();
	no_wakeup_is_lost(fixed(2, sizeof(int)), false);
	no_wakeup_is_lost(fixed(2, sizeof(int)), true);
	return tap_end();
}
