// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files that are not objects: garbage, truncated, foreign, newer, and sound ones with any byte
 * changed; and the links of locks, changed while they are held. Each is an error or an object that
 * works; never a crash, never a wait without end.
 */
#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "lib/ripc/head.h"
#include "lib/ripc/ripc.h"
#include "lib/ripc/ripc_sysv.h"
#include "lib/ripc/ripc_win32.h"
#include "tests/ripc/tap.h"

static char path[256];

static void put_file(const char *name, const void *data, size_t bytes)
{
	snprintf(path, sizeof(path), "%s/%s", tap_dir, name);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, data, bytes) != (ssize_t)bytes)
		printf("Bail out! %s\n", path);
	close(fd);
}

static int open_sem(void)
{
	struct ripc_semaphore *s;
	int r = ripc_semaphore_open(&s, "x", 1, 0, RIPC_CREATE, 0);
	ripc_semaphore_close(s);
	return r;
}

static void not_objects(void)
{
	char text[9000];
	memset(text, 'x', sizeof(text));
	put_file("sem.x", "", 0);
	IS(open_sem(), -EBADMSG, "an empty file: EBADMSG");
	put_file("sem.x", text, 100);
	IS(open_sem(), -EBADMSG, "some text: EBADMSG");
	put_file("sem.x", text, sizeof(text));
	IS(open_sem(), -EBADMSG, "much text: EBADMSG");
	struct stat st;
	OK(stat(path, &st) == 0 && st.st_size == sizeof(text), "and it is left as it is");
	unlink(path);
	OK(mkdir(path, 0700) == 0 && open_sem() == -EBADMSG, "a directory: EBADMSG");
	rmdir(path);
	OK(mkfifo(path, 0600) == 0 && open_sem() == -EBADMSG, "a FIFO: EBADMSG, without waiting");
	unlink(path);
	OK(symlink("/etc/passwd", path) == 0 && open_sem() == -EBADMSG, "a link: EBADMSG, not followed");
	unlink(path);
}

/* A sound file of a semaphore that is kept, copied. */
static size_t sound(unsigned char *copy, size_t room)
{
	struct ripc_semaphore *s;
	ripc_semaphore_open(&s, "x", 1, 0, RIPC_CREATE | RIPC_KEEP, 0);
	ripc_semaphore_close(s);
	snprintf(path, sizeof(path), "%s/sem.x", tap_dir);
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, copy, room);
	close(fd);
	return n > 0 ? (size_t)n : 0;
}

static void nearly_objects(void)
{
	unsigned char good[16384], bad[16384];
	size_t n = sound(good, sizeof(good));
	struct ripc_head *h = (struct ripc_head *)(void *)bad;
	OK(n > 4096, "(a sound one)");
	bool refused = true;
	for (size_t cut = 0; cut < n; cut += cut < 4096 ? 61 : 17) {
		put_file("sem.x", good, cut);
		refused &= open_sem() == -EBADMSG;
	}
	OK(refused, "truncated anywhere: EBADMSG");
	memcpy(bad, good, n);
	h->layout++;
	put_file("sem.x", bad, n);
	IS(open_sem(), -EPROTONOSUPPORT, "a newer layout: EPROTONOSUPPORT");
	memcpy(bad, good, n);
	h->type = RIPC_TYPE_EVENT;
	put_file("sem.x", bad, n);
	IS(open_sem(), -EBADMSG, "another kind's: EBADMSG");
	const uint64_t odd[] = {0, 1, 4095, 1ull << 20, 1ull << 40, 1ull << 63, UINT64_MAX};
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		memcpy(bad, good, n);
		h->body_bytes = odd[i];
		put_file("sem.x", bad, n);
		refused &= open_sem() == -EBADMSG;
		memcpy(bad, good, n);
		h->body_off = odd[i];
		put_file("sem.x", bad, n);
		refused &= open_sem() == -EBADMSG;
		memcpy(bad, good, n);
		h->nholders = (uint32_t)odd[i];
		put_file("sem.x", bad, n);
		int r = open_sem();
		refused &= r == -EBADMSG || (r == 0 && h->nholders == 1);
	}
	OK(refused, "sizes of all kinds: EBADMSG");
	memcpy(bad, good, n);
	for (int i = 0; i < RIPC_HOLDERS_DEFAULT; i++)
		atomic_store(&h->holders[i], ripc_self_id());
	put_file("sem.x", bad, n);
	IS(open_sem(), -EUSERS, "every row taken by the living: EUSERS");
	unlink(path);
}

/* ---- made by another version of the library ---- */

static int open_cs(void)
{
	struct ripc_cs *cs;
	int r = ripc_cs_open(&cs, "v", RIPC_CREATE, 0);
	return r < 0 ? r : (ripc_cs_close(cs), 0);
}

static int open_event(void)
{
	struct ripc_event *e;
	int r = ripc_event_open(&e, "v", RIPC_EVENT_AUTO, false, RIPC_CREATE, 0);
	return r < 0 ? r : (ripc_event_close(e), 0);
}

static int open_condition(void)
{
	struct ripc_condition *c;
	int r = ripc_condition_open(&c, "v", RIPC_CREATE, 0);
	return r < 0 ? r : (ripc_condition_close(c), 0);
}

static int open_buffer(void)
{
	struct ripc_buffer *b;
	const struct ripc_buffer_shape shape = {.messages = 4, .message_bytes = 8};
	int r = ripc_buffer_open(&b, "v", &shape, RIPC_CREATE, 0);
	return r < 0 ? r : (ripc_buffer_close(b), 0);
}

static int open_queue(void)
{
	errno = 0;
	return ripc_msgget(0x76, 0600 | IPC_CREAT) < 0 ? -errno : 0;
}

static int open_segment(void)
{
	errno = 0;
	return ripc_shmget(0x76, 100, 0600 | IPC_CREAT) < 0 ? -errno : 0;
}

static int of_handle(HANDLE h)
{
	if (h && h != INVALID_HANDLE_VALUE)
		return CloseHandle(h) ? 0 : -EIO;
	return GetLastError() == ERROR_REVISION_MISMATCH ? -EPROTONOSUPPORT : -EIO;
}

static int open_mapping(void)
{
	return of_handle(CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 100, "v"));
}

static int open_npipe(void)
{
	return of_handle(CreateNamedPipe("\\\\.\\pipe\\v", PIPE_ACCESS_DUPLEX, 0, 2, 0, 0, 0, NULL));
}

static int open_mutex(void) { return of_handle(CreateMutex(NULL, FALSE, "v")); }

static int become(const char *file, uint32_t layout)
{
	snprintf(path, sizeof(path), "%s/%s", tap_dir, file);
	int fd = open(path, O_RDWR);
	bool done = fd >= 0 && pwrite(fd, &layout, sizeof(layout),
				      offsetof(struct ripc_head, layout)) == sizeof(layout);
	close(fd);
	return done ? 0 : -errno;
}

/* One of these files, as it was. */
static bool is_untouched(uint32_t layout, off_t bytes)
{
	struct ripc_head h;
	struct stat st;
	int fd = open(path, O_RDONLY);
	bool same = fd >= 0 && fstat(fd, &st) == 0 && st.st_size == bytes &&
		    read(fd, &h, sizeof(h)) == sizeof(h) && h.layout == layout;
	close(fd);
	return same;
}

static void other_layouts(void)
{
	static const struct {
		const char *file;
		enum ripc_type type;
		int (*open)(void);
	} kinds[] = {
	    {"cs.v", RIPC_TYPE_CS, open_cs},
	    {"cs.v", RIPC_TYPE_CS, open_mutex},
	    {"event.v", RIPC_TYPE_EVENT, open_event},
	    {"cond.v", RIPC_TYPE_CONDITION, open_condition},
	    {"buffer.v", RIPC_TYPE_BUFFER, open_buffer},
	    {"msq.k00000076", RIPC_TYPE_MSQ, open_queue},
	    {"shm.k00000076", RIPC_TYPE_SHM, open_segment},
	    {"mapping.v", RIPC_TYPE_MAPPING, open_mapping},
	    {"npipe.v", RIPC_TYPE_NPIPE, open_npipe},
	};
	const uint32_t layouts[] = {1, RIPC_LAYOUT - 1, RIPC_LAYOUT + 1, 0, UINT32_MAX};
	int wrong = 0, touched = 0, stuck = 0;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++) {
			struct stat st = {0};
			struct ripc_object *o;
			const struct ripc_spec spec = {
			    .type = kinds[k].type, .name = strchr(kinds[k].file, '.') + 1, .body_bytes = 8192};
			/* there, with a holder; whatever is in it, the version is looked at first */
			if (ripc_object_open(&o, &spec, RIPC_CREATE | RIPC_EXCL) != 1 ||
			    become(kinds[k].file, layouts[i]) || stat(path, &st))
				printf("Bail out! %s\n", kinds[k].file);
			int r = kinds[k].open();
			if (r != -EPROTONOSUPPORT)
				fprintf(stderr, "# %s, layout %u: %d\n", kinds[k].file, layouts[i], r);
			wrong += r != -EPROTONOSUPPORT;
			touched += !is_untouched(layouts[i], st.st_size);
			/* the remedy, which is what ripc rm does; then it can be made */
			stuck += ripc_object_unlink(kinds[k].type, spec.name) != 0;
			ripc_object_close(o);
			stuck += kinds[k].open() != 0;
			ripc_msgctl(ripc_msgget(0x76, 0), IPC_RMID, NULL);
			ripc_shmctl(ripc_shmget(0x76, 0, 0), IPC_RMID, NULL);
		}
	}
	IS(wrong, 0, "older and newer layouts, of every kind: EPROTONOSUPPORT, ERROR_REVISION_MISMATCH");
	IS(touched, 0, "they are left as they are");
	IS(stuck, 0, "once taken away, the name can be used");
}

/* ---- any bytes changed, then used ---- */

static unsigned dice;
static unsigned roll(unsigned below)
{
	dice = dice * 1664525 + 1013904223;
	return (dice >> 8) % below;
}

/* Overwrites some words of a file. Interesting values more often than any. */
static void scribble(const char *file, size_t from)
{
	static const uint64_t values[] = {0, 1, 0x7fffffff, 0x80000000, UINT32_MAX, 1ull << 62, UINT64_MAX};
	char name[512];
	struct stat st;
	snprintf(name, sizeof(name), "%s/%s", tap_dir, file);
	int fd = open(name, O_RDWR);
	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	for (unsigned i = 1 + roll(8); i; i--) {
		uint64_t v = roll(2) ? values[roll(7)] : (uint64_t)roll(1 << 24) << roll(40);
		off_t at = (off_t)(from + roll(((unsigned)st.st_size - (unsigned)from) / 8) * 8);
		if (roll(3)) /* most of what matters is at the start of the body */
			at = (off_t)(from + roll(96) * 8);
		(void)!pwrite(fd, &v, roll(2) ? 4 : 8, at);
	}
	close(fd);
}

static int use_buffer(unsigned seed, bool is_variable)
{
	char m[300];
	struct ripc_span s;
	struct ripc_buffer *b;
	struct ripc_buffer_shape shape = {.message_bytes = 200, .room_bytes = 2000};
	if (!is_variable)
		shape = (struct ripc_buffer_shape){.message_bytes = 200, .messages = 5};
	dice = seed;
	if (ripc_buffer_open(&b, "x", &shape, RIPC_CREATE, 0) < 0)
		return 1;
	for (int i = 0; i < 3; i++)
		ripc_buffer_send_until(b, m, roll(200), RIPC_TRY);
	scribble("buffer.x", 4096);
	for (int i = 0; i < 20; i++) {
		ripc_buffer_send_until(b, m, roll(200), RIPC_TRY);
		if (!ripc_buffer_reserve(b, roll(200), &s, RIPC_TRY)) {
			memset(s.data, 1, s.bytes);
			roll(2) ? ripc_buffer_commit(b, &s, 0) : ripc_buffer_abandon(b, &s);
		}
		if (ripc_buffer_receive_until(b, m, 200, RIPC_TRY) > 200)
			return 2;
		if (!ripc_buffer_view(b, &s, ripc_deadline_in(1000))) {
			if (s.bytes > 2000)
				return 3;
			volatile char last = s.bytes ? ((char *)s.data)[s.bytes - 1] : 0;
			(void)last;
			ripc_buffer_release(b, &s);
		}
	}
	ripc_buffer_count(b);
	ripc_buffer_close(b);
	return 0;
}

static int use_queue(unsigned seed)
{
	struct {
		long type;
		char text[9000];
	} m = {.type = 1};
	char file[32];
	int id = ripc_msgget(IPC_PRIVATE, 0600);
	dice = seed;
	if (id < 0)
		return 1;
	for (int i = 0; i < 5; i++)
		ripc_msgsnd(id, &m, roll(1000), IPC_NOWAIT);
	snprintf(file, sizeof(file), "msq.i%d", id);
	/* not the first words: a queue that says it is removed is gone, which is no test */
	scribble(file, 4096 + 64);
	for (int i = 0; i < 20; i++) {
		m.type = 1 + (long)roll(3);
		ripc_msgsnd(id, &m, roll(3000), IPC_NOWAIT);
		m.type = 0;
		if (ripc_msgrcv(id, &m, 8192, (long)roll(5) - 2, IPC_NOWAIT | MSG_NOERROR) > 8192)
			return 2;
	}
	struct msqid_ds ds;
	ripc_msgctl(id, IPC_STAT, &ds);
	ripc_msgctl(id, IPC_RMID, NULL);
	return 0;
}

static int use_named(unsigned seed)
{
	dice = seed;
	struct ripc_semaphore *s = init_semaphore(1, "x");
	struct ripc_event *e = init_event("x");
	struct ripc_cs *cs = init_CS("x");
	if (!s || !e || !cs)
		return 1;
	scribble("sem.x", 4096);
	scribble("event.x", 4096);
	ripc_semaphore_wait_until(s, ripc_deadline_in(1000));
	ripc_semaphore_post(s, 1);
	ripc_event_set(e);
	ripc_event_wait_until(e, ripc_deadline_in(1000));
	/* a lock that says that somebody has it, who is not there */
	scribble("cs.x", 4096);
	if (ripc_cs_enter_until(cs, ripc_deadline_in(1000)) >= 0)
		ripc_cs_leave(cs);
	return 0; /* exit: closing is the sweep's */
}

static void scribbled_objects(void)
{
	int crashes = 0, wrong = 0, n = 0;
	for (unsigned seed = 1; seed <= 300; seed++) {
		fflush(stdout);
		pid_t pid = fork();
		if (pid == 0) {
			alarm(20); /* a wait without end is a death by SIGALRM */
			setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
			int kind = seed % 4;
			_exit(kind == 0   ? use_queue(seed)
			      : kind == 1 ? use_named(seed)
					  : use_buffer(seed, kind == 2));
		}
		int r = tap_wait(pid);
		if (r >= 1000)
			fprintf(stderr, "# seed %u: signal %d\n", seed, r - 1000);
		crashes += r >= 1000;
		wrong += r > 0 && r < 1000;
		n++;
		/* what has been scribbled on is no example for the next */
		char command[128];
		snprintf(command, sizeof(command), "rm -f %s/[a-z]*", tap_dir);
		if (system(command))
			wrong++;
	}
	IS(crashes, 0, "objects scribbled on while in use: no crash, no wait without end");
	IS(wrong, 0, "and nothing beyond its bounds");
	IS(n, 300, "(300 of them)");
}

/* ---- links of a lock that is held ---- */

static struct {
	uint64_t before, canary, after;
} memory = {1, 2, 3};

/* Over both links of a critical section's lock, by its file: what another user of it might write. */
static bool scribble_links(const char *name, uint64_t prev, uint64_t next)
{
	uint64_t links[2] = {prev, next};
	snprintf(path, sizeof(path), "%s/cs.%s", tap_dir, name);
	int fd = open(path, O_RDWR);
	bool done = fd >= 0 && pwrite(fd, links, sizeof(links),
				      4096 + (off_t)offsetof(struct ripc_lock, prev)) == sizeof(links);
	close(fd);
	return done;
}

static void robust_mutex(pthread_mutex_t *m)
{
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(m, &a);
}

#define NAMES 3
static const char *const names[NAMES] = {"a", "b", "c"};

/* 0, or the step that went wrong. Locks of the library lie in the same list. */
static int hold_with_links(uint64_t prev, uint64_t next)
{
	struct ripc_cs *cs[NAMES];
	pthread_mutex_t outer, inner;
	robust_mutex(&outer);
	robust_mutex(&inner);
	for (int i = 0; i < NAMES; i++)
		cs[i] = init_CS(names[i]);
	for (int turn = 0; turn < 6; turn++) {
		/* left in every order */
		int first = turn % 3, second = (first + 1 + turn / 3) % 3, third = 3 - first - second;
		if (pthread_mutex_lock(&outer) || ripc_cs_enter(cs[0]) || ripc_cs_enter(cs[1]) ||
		    pthread_mutex_lock(&inner) || ripc_cs_enter(cs[2]))
			return 1;
		for (int i = 0; i < NAMES; i++) {
			if (!scribble_links(names[i], prev, next))
				return 2;
		}
		if (ripc_cs_leave(cs[first]) || ripc_cs_enter(cs[first]) ||
		    pthread_mutex_unlock(turn % 2 ? &inner : &outer) || ripc_cs_leave(cs[second]) ||
		    ripc_cs_leave(cs[first]))
			return 3;
		if (!scribble_links(names[third], prev, next) ||
		    pthread_mutex_unlock(turn % 2 ? &outer : &inner) || ripc_cs_leave(cs[third]))
			return 4;
	}
	if (memory.before != 1 || memory.canary != 2 || memory.after != 3)
		return 5;
	/* and the list is in order: what is held at the end is told (below) */
	if (ripc_cs_enter(cs[0]) || pthread_mutex_lock(&inner) || ripc_cs_enter(cs[1]))
		return 6;
	return 0;
}

static void scribbled_links(void)
{
	void *readable = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const uint64_t values[] = {0,
				   1,
				   8,
				   4096,
				   0x4141414141414141ull,
				   UINT64_MAX,
				   UINT64_MAX - 7,
				   1ull << 63,
				   (uint64_t)(uintptr_t)readable + 64,
				   (uint64_t)(uintptr_t)&memory.canary,
				   (uint64_t)(uintptr_t)&memory.after};
	const int n = sizeof(values) / sizeof(*values);
	int crashes = 0, wrong = 0, untold = 0;
	for (int i = 0; i < n * n; i++) {
		struct ripc_cs *a = init_CS("a"), *b = init_CS("b"); /* they outlive the child */
		fflush(stdout);
		pid_t pid = fork();
		if (pid == 0) {
			alarm(20);
			setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
			_exit(hold_with_links(values[i / n], values[i % n]));
		}
		int r = tap_wait(pid);
		if (r)
			fprintf(stderr, "# links %d, %d: %d\n", i / n, i % n, r);
		crashes += r >= 1000;
		wrong += r > 0 && r < 1000;
		untold += ripc_cs_try_enter(a) != -EOWNERDEAD;
		untold += ripc_cs_try_enter(b) != -EOWNERDEAD;
		ripc_cs_leave(a);
		ripc_cs_leave(b);
		ripc_cs_close(a);
		ripc_cs_close(b);
	}
	IS(crashes, 0, "links of held locks scribbled on: no crash");
	IS(wrong, 0, "they are left and entered as ever, and nobody's memory is written to");
	IS(untold, 0, "and the death of who has them is told afterwards");
	munmap(readable, 4096);
}

int main(void)
{
	tap_begin(0700);
	not_objects();
	nearly_objects();
	other_layouts();
	scribbled_links();
	scribbled_objects();
	return tap_end();
}
