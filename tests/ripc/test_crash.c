// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kills without end: processes that use an object are killed with SIGKILL wherever they are, and
 * after each batch a survivor finds the object usable, sound and complete. The kills of all stories
 * are KILLS (environment RIPC_KILLS), the seed is printed (RIPC_SEED repeats the dice).
 *
 * Every story shares a page in which the workers count what they do just before and just after, so
 * that the survivor knows what may have been lost: at most what was in the hands of the killed.
 */
#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "lib/ripc/object.h"
#include "lib/ripc/ripc.h"
#include "lib/ripc/ripc_sysv.h"
#include "tests/ripc/tap.h"

#define KILLS 10000
#define WORKERS 3
#define SECOND 1000000000ll
#define MESSAGES (1u << 22)

struct page {
	_Atomic unsigned next;	       /* number of the next message */
	volatile unsigned first, last; /* what the critical section protects */
	_Atomic unsigned duplicates, torn, told;
	unsigned char seen[MESSAGES]; /* how often a message was received */
};

static struct page *page;
static uint64_t dice;

static unsigned roll(unsigned below)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (unsigned)((dice >> 11) % below);
}

/* ---- a message that shows when it is torn ---- */

struct letter {
	long type;
	unsigned number, bytes;
	unsigned char text[300];
};
#define LETTER_BYTES(n) (offsetof(struct letter, text) - sizeof(long) + (n))

static void letter_fill(struct letter *l)
{
	l->number = atomic_fetch_add(&page->next, 1) % MESSAGES;
	l->bytes = l->number * 2654435761u >> 8;
	l->bytes %= sizeof(l->text) + 1;
	l->type = 1 + l->number % 4;
	memset(l->text, (int)(l->number & 0xff), l->bytes);
}

/* length: of what came, without the type */
static void letter_check(const struct letter *l, ssize_t length)
{
	bool whole = length == (ssize_t)LETTER_BYTES(l->bytes) && l->number < MESSAGES;
	for (unsigned i = 0; whole && i < l->bytes; i++)
		whole = l->text[i] == (l->number & 0xff);
	if (!whole)
		page->torn++;
	else if (__atomic_fetch_add(&page->seen[l->number], 1, __ATOMIC_SEQ_CST))
		page->duplicates++;
}

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

/* ---- System V ---- */

static int queue;

static void queue_work(void)
{
	struct letter l;
	for (;;) {
		if (roll(2)) {
			letter_fill(&l);
			ripc_msgsnd(queue, &l, LETTER_BYTES(l.bytes), IPC_NOWAIT);
		} else {
			ssize_t n = ripc_msgrcv(queue, &l, sizeof(l), (long)roll(6) - 3, IPC_NOWAIT);
			if (n >= 0)
				letter_check(&l, n);
			else if (errno != ENOMSG)
				page->torn++;
		}
	}
}

/* What it says it holds is what comes out; then it is empty, and takes all that it should. */
static bool queue_is_sound(int killed)
{
	struct msqid_ds ds;
	struct letter l = {.type = 1};
	size_t count = 0, bytes = 0;
	ssize_t n;
	(void)killed;
	if (ripc_msgctl(queue, IPC_STAT, &ds))
		return false;
	while ((n = ripc_msgrcv(queue, &l, sizeof(l), 0, IPC_NOWAIT)) >= 0) {
		letter_check(&l, n);
		count++;
		bytes += (size_t)n;
	}
	bool right = errno == ENOMSG && count == ds.msg_qnum && bytes == ds.__msg_cbytes;
	l.type = 1;
	for (count = 0; !ripc_msgsnd(queue, &l, 256, IPC_NOWAIT); count++)
		;
	right &= count == RIPC_MSGMNB / 256;
	while (ripc_msgrcv(queue, &l, sizeof(l), 0, IPC_NOWAIT) == 256)
		count--;
	return right && !count && !ripc_msgctl(queue, IPC_STAT, &ds) && !ds.msg_qnum &&
	       !ds.__msg_cbytes && !page->torn && !page->duplicates;
}

static void segment_work(void)
{
	for (;;) {
		int id = ripc_shmget((key_t)(0x100 + roll(3)), 5000, 0600 | IPC_CREAT);
		if (id < 0)
			continue;
		volatile char *p = ripc_shmat(id, NULL, 0);
		if (p == (void *)-1)
			continue;
		p[roll(5000)] = 1;
		if (roll(2))
			ripc_shmdt((void *)p);
		if (roll(3) == 0)
			ripc_shmctl(id, IPC_RMID, NULL);
		if (roll(2))
			ripc_shmdt((void *)p);
	}
}

/* The dead have detached; what is removed is gone, with nothing left of it. */
static bool segment_is_sound(int killed)
{
	(void)killed;
	bool right = true;
	for (key_t key = 0x100; key < 0x103; key++) {
		struct shmid_ds ds;
		int id = ripc_shmget(key, 1, 0);
		if (id < 0) {
			right &= errno == ENOENT;
			continue;
		}
		char *p = ripc_shmat(id, NULL, 0);
		right &= p != (void *)-1 && !ripc_shmctl(id, IPC_STAT, &ds) && ds.shm_nattch == 1;
		right &= !ripc_shmdt(p) && !ripc_shmctl(id, IPC_RMID, NULL);
		right &= ripc_shmget(key, 1, 0) < 0;
	}
	return right;
}

/* ---- coming and going ---- */

static void coming_work(void)
{
	static const char *const names[] = {"a", "b"};
	for (;;) {
		const char *name = names[roll(2)];
		struct ripc_semaphore *s = init_semaphore(1, name);
		struct ripc_cs *c = init_CS(name);
		struct ripc_buffer *b = init_message_buffer(2, name);
		int key = (int)(0x200 + roll(2)), q = ripc_msgget(key, 0600 | IPC_CREAT);
		if (!s || !c || !b || (q < 0 && errno != EEXIST))
			page->torn++;
		if (roll(3) == 0)
			ripc_semaphore_unlink(name);
		if (roll(3) == 0)
			ripc_msgctl(q, IPC_RMID, NULL);
		ripc_semaphore_close(s);
		ripc_cs_close(c);
		ripc_buffer_close(b);
	}
}

static int files_of_queues(void)
{
	int n = 0;
	for (int key = 0x200; key < 0x202; key++) {
		int q = ripc_msgget(key, 0);
		n += q >= 0 && ripc_msgctl(q, IPC_RMID, NULL) != 0;
	}
	return n;
}

static bool coming_is_sound(int killed)
{
	(void)killed;
	struct ripc_semaphore *s = init_semaphore(3, "a");
	bool right = s && !ripc_semaphore_wait_until(s, ripc_deadline_in(SECOND));
	ripc_semaphore_close(s);
	right &= files_of_queues() == 0 && ripc_dir_sweep() >= 0;
	return right && !page->torn;
}

/* ---- the stories ---- */

static const struct story {
	const char *name;
	void (*work)(void);
	bool (*is_sound)(int killed);
	unsigned most_us; /* a worker's life */
} stories[] = {
	{"critical section", cs_work, cs_is_sound, 300},
	{"semaphore", sem_work, sem_is_sound, 300},
	{"event and condition", event_work, event_is_sound, 400},
	{"fixed message buffer", fixed_work, fixed_is_sound, 300},
	{"variable message buffer", variable_work, variable_is_sound, 300},
	{"message buffer, full and empty", stream_work, stream_is_sound, 600},
	{"System V queue", queue_work, queue_is_sound, 300},
	{"System V segments", segment_work, segment_is_sound, 1500},
	{"coming and going", coming_work, coming_is_sound, 1500},
};
#define STORIES (sizeof(stories) / sizeof(*stories))

static pid_t start_worker(const struct story *s)
{
	pid_t pid = fork();
	if (pid == 0) {
		dice ^= (uint64_t)getpid() << 20;
		s->work();
	}
	return pid;
}

static void wait_us(unsigned us)
{
	int64_t until = ripc_now_ns() + us * 1000ll;
	if (us > 100)
		usleep(us - 60);
	while (ripc_now_ns() < until)
		;
}

/* Starts some, kills each at a moment of its own; how many. A worker that ends by itself is wrong. */
static int batch(const struct story *s, bool *died_alone)
{
	pid_t pids[WORKERS];
	for (int i = 0; i < WORKERS; i++)
		pids[i] = start_worker(s);
	for (int i = 0; i < WORKERS; i++) {
		wait_us(20 + roll(s->most_us));
		kill(pids[i], SIGKILL);
	}
	for (int i = 0; i < WORKERS; i++)
		*died_alone |= tap_wait(pids[i]) != 1000 + SIGKILL;
	return WORKERS;
}

static int tell(const struct story *s, int kills)
{
	int killed = 0, unsound = 0;
	bool died_alone = false;
	char name[128];
	int64_t start = ripc_now_ns();
	page->torn = page->duplicates = page->told = 0;
	page->first = page->last = 0;
	while (killed < kills && !unsound) {
		int n = batch(s, &died_alone);
		killed += n;
		unsound += !s->is_sound(n);
		/* which has received all there was: numbers may be used again */
		unsigned used = page->next < MESSAGES ? page->next : MESSAGES;
		memset(page->seen, 0, used);
		page->next = 0;
	}
	snprintf(name, sizeof(name), "%s: sound after each of %d kills", s->name, killed);
	if (!OK(!unsound, name))
		fprintf(stderr, "# torn %u, twice %u, after %d kills\n", page->torn,
			page->duplicates, killed);
	snprintf(name, sizeof(name), "%s: nobody ended but by a kill", s->name);
	OK(!died_alone, name);
	if (s->work == cs_work)
		OK(page->told > 0, "critical section: heirs were told (EOWNERDEAD)");
	fprintf(stderr, "# %s: %.1f s\n", s->name, (double)(ripc_now_ns() - start) / SECOND);
	return killed;
}

static void close_all(void)
{
	ripc_cs_close(cs);
	ripc_semaphore_close(sem);
	ripc_event_close(event);
	ripc_condition_close(cond);
	ripc_buffer_close(fixed);
	ripc_buffer_close(variable);
	ripc_msgctl(queue, IPC_RMID, NULL);
	ripc_dir_sweep();
}

int main(void)
{
	const char *kills = getenv("RIPC_KILLS"), *seed = getenv("RIPC_SEED");
	int each = (kills ? atoi(kills) : KILLS) / (int)STORIES + 1, total = 0;
	struct ripc_buffer_shape f = {.messages = SLOTS, .message_bytes = 320};
	struct ripc_buffer_shape v = {.room_bytes = 8192, .message_bytes = 320};
	tap_begin(0700);
	dice = seed ? strtoull(seed, NULL, 0) : (uint64_t)ripc_now_ns() | 1;
	fprintf(stderr, "# RIPC_SEED=%llu\n", (unsigned long long)dice);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cs = init_CS("c");
	sem = init_semaphore(UNITS, "s");
	event = init_event("e");
	cond = init_condition("o");
	queue = ripc_msgget(IPC_PRIVATE, 0600);
	ripc_buffer_open(&fixed, "f", &f, RIPC_CREATE, 0);
	ripc_buffer_open(&variable, "v", &v, RIPC_CREATE, 0);
	if (!cs || !sem || !event || !cond || !fixed || !variable || queue < 0) {
		printf("Bail out! cannot create objects\n");
		return 255;
	}
	for (size_t i = 0; i < STORIES; i++)
		total += tell(&stories[i], each);
	OK(total >= (kills ? atoi(kills) : KILLS), "as many kills as promised");
	close_all();
	return tap_end();
}
