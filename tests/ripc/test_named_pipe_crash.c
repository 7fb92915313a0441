// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Named pipes and kill -9. Pairs of a server and a client that come, talk and go without end; one of
 * the two is killed at a random moment, thousands of times. The other is told; a server serves the
 * next client; a new server gets the name; no message is ever wrong; nothing is left at the end.
 * RIPC_KILLS says how many kills.
 */
#include "children.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/ripc/ripc_win32.h"

#define PAIRS 40
#define KILLS 2500
#define MESSAGES (PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE)
#define PATIENCE_MS 10000

struct message {
	uint32_t number, size, sum;
	unsigned char data[400];
};

struct pair {
	char name[64];
	pid_t server, client;
	int verifying; /* the client is one that must get an answer, once */
	int64_t act_ns, give_up_ms;
};

static uint32_t sum_of(const struct message *m)
{
	uint32_t sum = m->number * 2654435761u + m->size;

	for (uint32_t i = 0; i < m->size; i++)
		sum = sum * 31 + m->data[i];
	return sum;
}

static DWORD message_fill(struct message *m, uint32_t number)
{
	m->number = number;
	m->size = number * 7919 % sizeof(m->data);
	memset(m->data, (int)number, m->size);
	m->sum = sum_of(m);
	return (DWORD)(offsetof(struct message, data) + m->size);
}

static int message_is_whole(const struct message *m, DWORD size)
{
	return size >= offsetof(struct message, data) && m->size <= sizeof(m->data) &&
	       size == offsetof(struct message, data) + m->size && m->sum == sum_of(m);
}

static int is_goodbye(DWORD error)
{
	return error == ERROR_BROKEN_PIPE || error == ERROR_NO_DATA ||
	       error == ERROR_PIPE_NOT_CONNECTED;
}

static void server_main(void *arg)
{
	const struct pair *p = arg;
	struct message m;
	DWORD n;
	HANDLE h = CreateNamedPipe(p->name, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE,
				   MESSAGES, 2, 512, 512, 0, NULL);

	CHECK(h != INVALID_HANDLE_VALUE);
	for (unsigned int round = 0;; round++) {
		if (!ConnectNamedPipe(h, NULL))
			CHECK(GetLastError() == ERROR_PIPE_CONNECTED ||
			      GetLastError() == ERROR_NO_DATA);
		while (ReadFile(h, &m, sizeof(m), &n, NULL)) {
			CHECK(message_is_whole(&m, n));
			if (!WriteFile(h, &m, n, &n, NULL))
				break;
		}
		CHECK(is_goodbye(GetLastError()));
		if (round % 3) {
			CHECK(DisconnectNamedPipe(h));
			continue;
		}
		CHECK(CloseHandle(h));
		h = CreateNamedPipe(p->name, PIPE_ACCESS_DUPLEX, MESSAGES, 2, 512, 512, 0, NULL);
		CHECK(h != INVALID_HANDLE_VALUE);
	}
}

/* One conversation. 0: the server has gone on the way. */
static int talk(HANDLE h, unsigned int messages)
{
	struct message m, back;
	DWORD n, size;

	for (unsigned int i = 0; i < messages; i++) {
		size = message_fill(&m, i);
		if (!TransactNamedPipe(h, &m, size, &back, sizeof(back), &n, NULL)) {
			CHECK(is_goodbye(GetLastError()));
			return 0;
		}
		CHECK(n == size && memcmp(&m, &back, n) == 0);
	}
	return 1;
}

/* Opens the pipe; exits well when there is none: its server was killed (or is between two). */
static HANDLE reach(const struct pair *p, int must)
{
	int64_t end = test_now_ms() + PATIENCE_MS / 2;

	for (;;) {
		HANDLE h = CreateFile(p->name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
				      0, NULL);
		DWORD mode = PIPE_READMODE_MESSAGE;

		if (h != INVALID_HANDLE_VALUE) {
			CHECK(SetNamedPipeHandleState(h, &mode, NULL, NULL));
			return h;
		}
		CHECK(GetLastError() == ERROR_PIPE_BUSY || GetLastError() == ERROR_FILE_NOT_FOUND);
		if (GetLastError() == ERROR_FILE_NOT_FOUND && (!must || kill(p->server, 0) < 0))
			_exit(0);
		CHECK(test_now_ms() < end);
		WaitNamedPipe(p->name, 1000);
	}
}

static void client_main(void *arg)
{
	for (unsigned int round = 1;; round++) {
		HANDLE h = reach(arg, round == 1);

		talk(h, round % 20);
		CHECK(CloseHandle(h));
	}
}

static void verifier_main(void *arg)
{
	/* the server may be between two instances when we come: then it closes on us, once */
	for (int i = 0; i < 5; i++)
		if (talk(reach(arg, 1), 3))
			_exit(0);
	CHECK(!"an answer");
}

static uint32_t random_next(void)
{
	static uint32_t x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

static int64_t now_ns(void) { return ripc_now_ns(); }

static void pair_start(struct pair *p)
{
	if (!p->server)
		p->server = start_child(server_main, p);
	p->client = start_child(client_main, p);
	p->verifying = 0;
	p->act_ns = now_ns() + random_next() % 4000000;
	p->give_up_ms = test_now_ms() + PATIENCE_MS;
}

static int pair_kill(struct pair *p)
{
	p->act_ns = INT64_MAX;
	if (random_next() % 2) {
		kill_child(p->server);
		p->server = 0; /* the client finds out by itself */
	} else {
		kill_child(p->client);
		p->client = start_child(verifier_main, p);
		p->verifying = 1;
	}
	p->give_up_ms = test_now_ms() + PATIENCE_MS;
	return 1;
}

static void pair_reap(struct pair *p)
{
	int status;

	if (p->server && waitpid(p->server, &status, WNOHANG) == p->server)
		fail_msg("%s: the server ended: %x", p->name, (unsigned int)status);
	if (waitpid(p->client, &status, WNOHANG) != p->client) {
		if (test_now_ms() > p->give_up_ms)
			fail_msg("%s: wedged: server %d, client %d, verifying %d", p->name,
				 (int)p->server, (int)p->client, p->verifying);
		return;
	}
	if (status)
		fail_msg("%s: the client ended: %x", p->name, (unsigned int)status);
	/* a client that runs may also find the server between two instances, and go */
	pair_start(p);
}

static void kills_at_random(void **state)
{
	static struct pair pairs[PAIRS];
	const char *text = getenv("RIPC_KILLS");
	int kills = 0, want = text ? atoi(text) : KILLS;

	(void)state;
	for (int i = 0; i < PAIRS; i++) {
		snprintf(pairs[i].name, sizeof(pairs[i].name), "\\\\.\\pipe\\crash\\%d", i);
		pair_start(&pairs[i]);
	}
	while (kills < want) {
		struct timespec tick = {.tv_nsec = 100000};

		for (int i = 0; i < PAIRS; i++) {
			if (now_ns() >= pairs[i].act_ns)
				kills += pair_kill(&pairs[i]);
			pair_reap(&pairs[i]);
		}
		nanosleep(&tick, NULL);
	}
	for (int i = 0; i < PAIRS; i++) {
		kill_child(pairs[i].client);
		if (pairs[i].server)
			kill_child(pairs[i].server);
	}
	assert_int_equal(objects_left(false), 0);
}

/* ---- garbage ---- */

#define VICTIM "\\\\.\\pipe\\victim"

static void victim_path(char *path, size_t size)
{
	snprintf(path, size, "%s/npipe.victim", objects_dir);
}

/* Each call must fail, with one of these. */
static int is_refusal(DWORD error)
{
	return error == ERROR_FILE_CORRUPT || error == ERROR_REVISION_MISMATCH;
}

static void assert_refused(void)
{
	assert_ptr_equal(CreateNamedPipe(VICTIM, PIPE_ACCESS_DUPLEX, MESSAGES, 2, 0, 0, 0, NULL),
			 INVALID_HANDLE_VALUE);
	assert_true(is_refusal(GetLastError()));
	assert_ptr_equal(CreateFile(VICTIM, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL),
			 INVALID_HANDLE_VALUE);
	assert_true(is_refusal(GetLastError()));
	assert_false(WaitNamedPipe(VICTIM, 10));
	assert_true(is_refusal(GetLastError()));
}

static void garbage_files_are_refused(void **state)
{
	char path[128], garbage[8192];
	int fd;

	(void)state;
	victim_path(path, sizeof(path));
	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = (char)random_next();
	for (size_t size = 0; size <= sizeof(garbage); size += 1024) {
		fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, garbage, size), (ssize_t)size);
		close(fd);
		assert_refused();
	}
	unlink(path);
}

static void hold_forever(void *arg)
{
	HANDLE h = CreateNamedPipe(VICTIM, PIPE_ACCESS_DUPLEX, MESSAGES, 2, 0, 0, 0, NULL);

	CHECK(h != INVALID_HANDLE_VALUE);
	step_done(arg);
	pause();
}

/* A live server's object with its layout version, then its shape, changed under its name. */
static void newer_and_senseless_objects_are_refused(void **state)
{
	char path[128];
	struct step ready;
	struct stat st;
	uint32_t *words, was;
	pid_t child;
	int fd;

	(void)state;
	victim_path(path, sizeof(path));
	step_init(&ready);
	child = start_child(hold_forever, &ready);
	step_await(&ready);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	words = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(words, MAP_FAILED);
	was = words[2]; /* layout, after the magic number */
	words[2] = was + 1;
	assert_refused();
	words[2] = was;
	{
		uint64_t body = *(uint64_t *)(void *)(words + 4);
		uint32_t *shape = words + body / 4 + 16; /* behind the lock */

		for (int i = 0; i < 7; i++) {
			if (i == 0 || i == 4) /* any type bits and any time-out will do */
				continue;
			was = shape[i];
			shape[i] = 0x7fffffff;
			assert_refused();
			shape[i] = was;
		}
	}
	assert_true(WaitNamedPipe(VICTIM, 1000)); /* restored, it is a pipe again */
	munmap(words, (size_t)st.st_size);
	assert_int_equal(truncate(path, 5000), 0);
	assert_refused();
	close(fd);
	kill_child(child);
	unlink(path);
	step_release(&ready);
}

/*
 * While two processes talk, a third writes anything anywhere but into the lock, whose links are its
 * owner's addresses. They may fail or wait, not crash.
 */
static void scribble(void *arg)
{
	char path[128];
	struct stat st;
	uint64_t *words;
	int fd;

	(void)arg;
	victim_path(path, sizeof(path));
	while ((fd = open(path, O_RDWR)) < 0)
		;
	CHECK(fstat(fd, &st) == 0);
	words = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(words != MAP_FAILED);
	for (;;) {
		uint64_t from = words[2] / 8 % 4096 + 8, n = ((uint64_t)st.st_size / 8 - from) / 4;

		words[from + random_next() % n] = (uint64_t)random_next() << (random_next() % 33);
	}
}

static void talk_anyhow(void *arg)
{
	char buf[600] = {0};
	HANDLE s, c;
	DWORD n;

	(void)arg;
	alarm(0);
	ualarm(100000, 0); /* who waits for ever was told nonsense: that is no crash */
	for (;;) {
		s = CreateNamedPipe(VICTIM, PIPE_ACCESS_DUPLEX, MESSAGES | PIPE_NOWAIT, 2, 512, 512,
				    0, NULL);
		c = CreateFile(VICTIM, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
		for (int i = 0; i < 200; i++) {
			WriteFile(c, buf, (DWORD)i, &n, NULL);
			PeekNamedPipe(s, buf, 600, &n, NULL, NULL);
			ReadFile(s, buf, 600, &n, NULL);
			CHECK(n <= 600);
		}
		DisconnectNamedPipe(s);
		CloseHandle(c);
		CloseHandle(s);
	}
}

static void scribbling_crashes_nobody(void **state)
{
	char path[128];

	(void)state;
	victim_path(path, sizeof(path));
	for (int i = 0; i < 20; i++) {
		pid_t talker = start_child(talk_anyhow, NULL), scribbler = start_child(scribble, NULL);
		int end = end_of_child(talker);

		kill_child(scribbler);
		unlink(path);
		assert_int_equal(end, 128 + SIGALRM);
		random_next();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kills_at_random),
	    cmocka_unit_test(garbage_files_are_refused),
	    cmocka_unit_test(newer_and_senseless_objects_are_refused),
	    cmocka_unit_test(scribbling_crashes_nobody),
	};

	return cmocka_run_group_tests(tests, objects_setup, objects_teardown);
}
