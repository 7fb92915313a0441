// SPDX-License-Identifier: GPL-2.0-or-later
/* Kills without end (crash.h): the named objects of ripc.h, messages among them. */
#include "lib/ripc/buffer.h"
#include "tests/ripc/crash.h"

/* ---- critical section ---- */

static struct ripc_cs *cs;

static void cs_work(void)
{
	for (;;) {
		int err = ripc_cs_enter(cs);
		if (err == -EOWNERDEAD) {
			page->told++;
			page->last = page->first;
		} else if (err || page->first != page->last) {
			page->torn++;
		}
		page->first++;
		page->last++;
		if (ripc_cs_leave(cs))
			page->torn++;
	}
}

static bool cs_is_sound(int killed)
{
	(void)killed;
	int err = ripc_cs_enter_until(cs, ripc_deadline_in(5 * SECOND));
	if (err == -EOWNERDEAD)
		page->last = page->first;
	else if (err || page->first != page->last)
		return false;
	return ripc_cs_leave(cs) == 0 && !page->torn;
}

/* ---- the leaf lock: kept, taken, left ---- */

static struct ripc_leaf *leaf;

static void leaf_work(void)
{
	for (;;) {
		unsigned burst = 1u << roll(10);
		for (unsigned i = 0; i < burst; i++) {
			int err = ripc_leaf_lock(leaf);
			if (err == -EOWNERDEAD) {
				page->told++;
				page->last = page->first;
			} else if (err || page->first != page->last) {
				page->torn++;
			}
			if (i == 0)
				leaf->reluctance = 0;
			page->first++;
			page->last++;
			ripc_leaf_unlock(leaf);
		}
	}
}

static bool leaf_is_sound(int killed)
{
	(void)killed;
	int64_t start = ripc_now_ns();
	int err = ripc_leaf_lock(leaf);
	if (err == -EOWNERDEAD)
		page->last = page->first;
	else if (err || page->first != page->last)
		return false;
	ripc_leaf_unlock(leaf);
	return !page->torn && ripc_now_ns() - start < 5 * SECOND;
}

/* ---- semaphore ---- */

#define UNITS 5
static struct ripc_semaphore *sem;

static void sem_work(void)
{
	for (;;) {
		if (ripc_semaphore_wait(sem) || ripc_semaphore_post(sem, 1))
			page->torn++;
	}
}

/* At most one unit for each that was killed is missing; the survivors' world is made whole again. */
static bool sem_is_sound(int killed)
{
	unsigned value = ripc_semaphore_value(sem);
	if (value > UNITS || (int)(UNITS - value) > killed)
		return false;
	while (ripc_semaphore_value(sem) < UNITS)
		ripc_semaphore_post(sem, 1);
	for (int i = 0; i < UNITS; i++) {
		if (ripc_semaphore_wait_until(sem, ripc_deadline_in(5 * SECOND)))
			return false;
	}
	return ripc_semaphore_try(sem) == -EAGAIN && !ripc_semaphore_post(sem, UNITS) && !page->torn;
}

/* ---- event and condition ---- */

static struct ripc_event *event;
static struct ripc_condition *cond;

static void event_work(void)
{
	for (unsigned i = 0;; i++) {
		if (i % 3 == 0) {
			ripc_event_set(event);
			ripc_condition_broadcast(cond);
		} else if (i % 3 == 1) {
			ripc_event_wait_until(event, ripc_deadline_in(20000));
		} else {
			int err = ripc_cs_enter(cs);
			if (err && err != -EOWNERDEAD)
				page->torn++;
			ripc_condition_wait_until(cond, cs, ripc_deadline_in(20000));
			ripc_cs_leave(cs);
		}
	}
}

static int event_sleeper(void *arg)
{
	(void)arg;
	int err = ripc_event_wait(event), entered = ripc_cs_enter(cs);
	if (entered && entered != -EOWNERDEAD)
		return 1;
	while (page->first != 77)
		ripc_condition_wait(cond, cs);
	return ripc_cs_leave(cs) || err;
}

/* One that sleeps is woken: by the event, then by the condition. */
static bool event_is_sound(int killed)
{
	(void)killed;
	page->first = 0;
	ripc_event_reset(event);
	pid_t pid = tap_fork(event_sleeper, NULL);
	bool slept = tap_sleeps(pid);
	ripc_event_set(event);
	int err = ripc_cs_enter_until(cs, ripc_deadline_in(5 * SECOND));
	page->first = 77;
	ripc_condition_signal(cond);
	ripc_cs_leave(cs);
	return slept && (!err || err == -EOWNERDEAD) && tap_wait(pid) == 0 && !page->torn;
}

/* ---- message buffers ---- */

#define SLOTS 8
static struct ripc_buffer *fixed, *variable;

static void send_letter(struct ripc_buffer *b, bool by_span)
{
	struct letter l;
	struct ripc_span s;
	letter_fill(&l);
	size_t bytes = LETTER_BYTES(l.bytes);
	if (!by_span) {
		ripc_buffer_send_until(b, &l.number, bytes, RIPC_TRY);
	} else if (!ripc_buffer_reserve(b, sizeof(l), &s, RIPC_TRY)) {
		memcpy(s.data, &l.number, bytes);
		if (l.number % 5 ? ripc_buffer_commit(b, &s, bytes) : ripc_buffer_abandon(b, &s))
			page->torn++;
	}
}

static void receive_letter(struct ripc_buffer *b, bool by_span)
{
	struct letter l;
	struct ripc_span s;
	if (!by_span) {
		ssize_t n = ripc_buffer_receive_until(b, &l.number, sizeof(l), RIPC_TRY);
		if (n >= 0)
			letter_check(&l, n);
		else if (n != -EAGAIN)
			page->torn++;
	} else if (!ripc_buffer_view(b, &s, RIPC_TRY)) {
		memcpy(&l.number, s.data, s.bytes);
		letter_check(&l, (ssize_t)s.bytes);
		if (ripc_buffer_release(b, &s))
			page->torn++;
	}
}

static void buffer_work(struct ripc_buffer *b)
{
	for (;;) {
		unsigned what = roll(8);
		if (what & 1)
			send_letter(b, what & 2);
		else
			receive_letter(b, what & 2);
	}
}

static void fixed_work(void) { buffer_work(fixed); }
static void variable_work(void) { buffer_work(variable); }

static bool drain(struct ripc_buffer *b)
{
	struct letter l;
	ssize_t n;
	while ((n = ripc_buffer_receive_until(b, &l.number, sizeof(l), RIPC_TRY)) >= 0)
		letter_check(&l, n);
	return n == -EAGAIN;
}

/* All its messages are whole and single, and all its room is there. */
static bool buffer_is_sound(struct ripc_buffer *b, int room, int max_room)
{
	char text[300] = "";
	int n = 0;
	if (!drain(b) || page->torn || page->duplicates)
		return false;
	while (!ripc_buffer_send_until(b, text, sizeof(text), RIPC_TRY))
		n++;
	for (int i = 0; i < n; i++) {
		if (ripc_buffer_receive_until(b, text, sizeof(text), RIPC_TRY) != sizeof(text))
			return false;
	}
	return n >= room && n <= max_room && ripc_buffer_count(b) == 0;
}

static bool fixed_is_sound(int killed)
{
	(void)killed;
	return buffer_is_sound(fixed, SLOTS, SLOTS);
}

static bool variable_is_sound(int killed)
{
	(void)killed;
	/* 8192 bytes, 352 a message: 23; one fewer where the ring's end is left unused */
	return buffer_is_sound(variable, 22, 23);
}

/* Blocking at both ends: whoever sleeps is woken though others are killed around it. */
static void stream_work(void)
{
	struct letter l;
	for (unsigned i = (unsigned)getpid();; i++) {
		if (i % 2) {
			letter_fill(&l);
			ripc_buffer_send_until(fixed, &l.number, LETTER_BYTES(l.bytes),
					       ripc_deadline_in(SECOND / 1000));
		} else {
			ssize_t n = ripc_buffer_receive_until(fixed, &l.number, sizeof(l),
							      ripc_deadline_in(SECOND / 1000));
			if (n >= 0)
				letter_check(&l, n);
		}
	}
}

static int stream_end(void *arg)
{
	char text[320];
	for (int i = 0; i < 50; i++) {
		if (arg ? ripc_buffer_send_until(fixed, "x", 1, ripc_deadline_in(5 * SECOND)) != 0
			: ripc_buffer_receive_until(fixed, text, 320, ripc_deadline_in(5 * SECOND)) != 1)
			return 1;
	}
	return 0;
}

static bool stream_is_sound(int killed)
{
	if (!fixed_is_sound(killed))
		return false;
	pid_t a = tap_fork(stream_end, NULL), b = tap_fork(stream_end, page);
	bool sent = tap_wait(b) == 0, received = tap_wait(a) == 0;
	return sent && received && fixed_is_sound(killed);
}

/* One way, as fast as can be: each side keeps its lock until another comes. */
static void one_way_work(void)
{
	bool sends = roll(2);
	for (;;) {
		for (int i = 0; i < 100; i++) {
			if (sends)
				send_letter(fixed, false);
			else
				receive_letter(fixed, false);
		}
		/* whoever came has made it reluctant */
		fixed->b->send_lock.reluctance = fixed->b->receive_lock.reluctance = 0;
	}
}

static bool one_way_is_sound(int killed)
{
	page->told += !!(atomic_load(&fixed->b->send_lock.word) & RIPC_LEAF_KEPT);
	return fixed_is_sound(killed);
}

/* ---- all of it ---- */

static const struct story stories[] = {
	{"critical section", cs_work, cs_is_sound, 300, "heirs were told (EOWNERDEAD)"},
	{"leaf lock", leaf_work, leaf_is_sound, 300, "heirs were told (EOWNERDEAD)"},
	{"semaphore", sem_work, sem_is_sound, 300, NULL},
	{"event and condition", event_work, event_is_sound, 400, NULL},
	{"fixed message buffer", fixed_work, fixed_is_sound, 300, NULL},
	{"variable message buffer", variable_work, variable_is_sound, 300, NULL},
	{"message buffer, one way", one_way_work, one_way_is_sound, 400, "a lock was kept"},
	{"message buffer, full and empty", stream_work, stream_is_sound, 600, NULL},
};

static void close_all(void)
{
	ripc_cs_close(cs);
	ripc_semaphore_close(sem);
	ripc_event_close(event);
	ripc_condition_close(cond);
	ripc_buffer_close(fixed);
	ripc_buffer_close(variable);
	ripc_dir_sweep();
}

int main(int argc, char **argv)
{
	struct ripc_buffer_shape f = {.messages = SLOTS, .message_bytes = 320};
	struct ripc_buffer_shape v = {.room_bytes = 8192, .message_bytes = 320};
	crash_begin();
	leaf = mmap(NULL, sizeof(*leaf), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ripc_leaf_prepare())
		ripc_leaf_never_keep(leaf);
	cs = init_CS("c");
	sem = init_semaphore(UNITS, "s");
	event = init_event("e");
	cond = init_condition("o");
	ripc_buffer_open(&fixed, "f", &f, RIPC_CREATE, 0);
	ripc_buffer_open(&variable, "v", &v, RIPC_CREATE, 0);
	if (!cs || !sem || !event || !cond || !fixed || !variable) {
		printf("Bail out! cannot create objects\n");
		return 255;
	}
	crash_run(stories, sizeof(stories) / sizeof(*stories), argc, argv);
	close_all();
	return tap_end();
}
