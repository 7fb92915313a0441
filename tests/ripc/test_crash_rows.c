// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kills without end (crash.h): file mappings, shared variables, anonymous pipes, the clients of a
 * socket server, and those of a named pipe over TCP. (Named pipes of one machine: test_named_pipe_crash.)
 */
#include <pthread.h>

#include "lib/ripc/ripc.h"
#include "lib/ripc/ripc_pipe.h"
#include "lib/ripc/ripc_shared.h"
#include "lib/ripc/ripc_socket.h"
#include "lib/ripc/ripc_win32.h"
#include "tests/ripc/crash.h"

static int count_type(const struct ripc_listing *l, void *arg)
{
	int *type_and_count = arg;
	type_and_count[1] += (int)l->type == type_and_count[0];
	return 0;
}

/* Objects of a type that are left once what nobody holds has been swept. */
static int left_of(int type)
{
	int type_and_count[2] = {type, 0};
	if (ripc_dir_sweep() < 0 || ripc_dir_list(count_type, type_and_count) < 0)
		return -1;
	return type_and_count[1];
}

/* ---- file mappings ---- */

#define MAPPED 70000

static void mapping_work(void)
{
	for (;;) {
		HANDLE h = CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, MAPPED,
					     roll(2) ? "m1" : "m2");
		volatile char *p = MapViewOfFile(h, FILE_MAP_WRITE, 0, 0, 0);
		if (!h || !p) {
			page->torn++;
			continue;
		}
		p[roll(MAPPED)] = 1;
		if (roll(2))
			CloseHandle(h); /* the view holds it, too */
		else
			h = NULL;
		UnmapViewOfFile((LPCVOID)p);
	}
}

/* With its last user a mapping is gone; the next is new, and empty. */
static bool mapping_is_sound(int killed)
{
	(void)killed;
	bool right = left_of(RIPC_TYPE_MAPPING) == 0;
	HANDLE h = CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, MAPPED, "m1");
	right &= h && GetLastError() != ERROR_ALREADY_EXISTS;
	const char *p = MapViewOfFile(h, FILE_MAP_READ, 0, 0, 0);
	for (size_t i = 0; p && i < MAPPED; i++)
		right &= p[i] == 0;
	right &= p && UnmapViewOfFile(p) && CloseHandle(h);
	return right && left_of(RIPC_TYPE_MAPPING) == 0 && !page->torn;
}

/* ---- shared variables ---- */

#define SHARED_BYTES 65536 /* whole pages, of any size there is */
static char *section;	   /* what a library's variables would be */

static void shared_work(void)
{
	for (;;) {
		void *object;
		memset(section, 7, SHARED_BYTES);
		if (ripc_shared_attach(&object, "crash", section, SHARED_BYTES)) {
			page->torn++;
			continue;
		}
		section[roll(SHARED_BYTES)] = 9;
		ripc_shared_detach(object);
		/* private again, for the next time */
		if (mmap(section, SHARED_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			page->torn++;
	}
}

static int shared_looker(void *arg)
{
	void *object;
	(void)arg;
	memset(section, 7, SHARED_BYTES);
	if (ripc_shared_attach(&object, "crash", section, SHARED_BYTES))
		return 1;
	for (size_t i = 0; i < SHARED_BYTES; i++) {
		if (section[i] != 7)
			return 2;
	}
	ripc_shared_detach(object);
	return 0;
}

/* Once the last that has them is gone, they have their initial values again. */
static bool shared_is_sound(int killed)
{
	(void)killed;
	return tap_wait(tap_fork(shared_looker, NULL)) == 0 && left_of(RIPC_TYPE_SHARED) == 0 &&
	       !page->torn;
}

/* ---- anonymous pipes ---- */

#define PIPE_BYTES 8192
static struct ripc_pipe_end *reader, *writer;

static void pipe_work(void)
{
	struct letter l;
	ripc_pipe_set_nonblock(reader, true);
	ripc_pipe_set_nonblock(writer, true);
	for (;;) {
		if (roll(2)) {
			letter_fill(&l);
			l.bytes = 24;
			memset(l.text, (int)(l.number & 0xff), 24);
			ripc_pipe_write(writer, &l.number, 32);
		} else {
			ssize_t n = ripc_pipe_read(reader, &l.number, 32);
			if (n >= 0)
				letter_check(&l, n);
			else if (n != -EAGAIN)
				page->torn++;
		}
	}
}

static int only_holder(void *arg)
{
	ripc_pipe_close(arg);
	pause();
	return 0;
}

/* The survivor of a pipe whose other end was held by the killed alone is told. */
static bool end_is_told(bool of_readers)
{
	static const char full[RIPC_PIPE_BUF];
	struct ripc_pipe_end *r, *w;
	char c = 0;
	if (ripc_pipe_create(&r, &w, 0))
		return false;
	pid_t pid = tap_fork(only_holder, of_readers ? w : r);
	ripc_pipe_close(of_readers ? r : w);
	tap_kill(pid);
	bool told = !of_readers && ripc_pipe_read(r, &c, 1) == 0;
	/* a writer that finds room does not look */
	for (int i = 0; of_readers && !told && i <= RIPC_PIPE_DEFAULT / RIPC_PIPE_BUF; i++)
		told = ripc_pipe_write(w, full, RIPC_PIPE_BUF) == -EPIPE;
	ripc_pipe_close(of_readers ? w : r);
	return told;
}

/* What is in it is whole; then it is empty, and takes all that it should. */
static bool pipe_is_sound(int killed)
{
	static int batches;
	struct letter l;
	ssize_t n;
	size_t room = 0;
	(void)killed;
	ripc_pipe_set_nonblock(reader, true);
	ripc_pipe_set_nonblock(writer, true);
	while ((n = ripc_pipe_read(reader, &l.number, 32)) > 0)
		letter_check(&l, n);
	bool right = n == -EAGAIN && ripc_pipe_available(reader) == 0;
	while (ripc_pipe_write(writer, &l.number, 32) == 32)
		room += 32;
	right &= room == PIPE_BYTES && ripc_pipe_available(reader) == PIPE_BYTES;
	while (ripc_pipe_read(reader, &l.number, 32) == 32)
		room -= 32;
	if (batches++ % 50 == 0)
		right &= end_is_told(false) && end_is_told(true);
	return right && !room && !page->torn && !page->duplicates;
}

/* ---- sockets ---- */

static struct ripc_server *server;

static void echo(struct ripc_peer *peer, void *arg)
{
	char buf[256];
	ssize_t n;
	(void)arg;
	while ((n = ripc_receive(peer, buf, sizeof(buf))) > 0) {
		if (ripc_send(peer, buf, (size_t)n) < 0)
			break;
	}
}

static bool talk(struct ripc_peer *p, int times)
{
	char out[100], in[100];
	for (int i = 0; i < times; i++) {
		memset(out, i, sizeof(out));
		if (ripc_send(p, out, sizeof(out)) ||
		    ripc_receive_all(p, in, sizeof(in)) != sizeof(in) || memcmp(in, out, sizeof(in)))
			return false;
	}
	return true;
}

static void socket_work(void)
{
	for (;;) {
		struct ripc_peer *p;
		if (ripc_connect(&p, "127.0.0.1", ripc_server_port(server), SOCK_STREAM, 10000)) {
			page->torn++;
			continue;
		}
		if (!talk(p, (int)roll(5)))
			page->torn++;
		ripc_close(p);
	}
}

static int socket_client(void *arg)
{
	struct ripc_peer *p;
	(void)arg;
	return ripc_connect(&p, "127.0.0.1", ripc_server_port(server), SOCK_STREAM, 10000) ||
	       !talk(p, 3);
}

/* The conversations of the dead end, and the next is served. */
static bool socket_is_sound(int killed)
{
	struct ripc_server_counts c;
	(void)killed;
	bool served = tap_wait(tap_fork(socket_client, NULL)) == 0;
	for (int tries = 0; tries < 5000; tries++) {
		ripc_server_counts(server, &c);
		if (!c.now)
			break;
		usleep(1000);
	}
	return served && !c.now && !page->torn;
}

/* ---- named pipes of another machine ---- */

#define MODE (PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE)
#define INSTANCES 4
static WORD remote_port;

static void *remote_server(void *arg)
{
	char buf[256];
	DWORD n;
	(void)arg;
	for (;;) {
		HANDLE h = CreateNamedPipe("\\\\.\\pipe\\far", PIPE_ACCESS_DUPLEX, MODE, INSTANCES, 0, 0, 0,
					   NULL);
		if (h == INVALID_HANDLE_VALUE)
			return NULL;
		if (ConnectNamedPipe(h, NULL) || GetLastError() == ERROR_PIPE_CONNECTED) {
			while (ReadFile(h, buf, sizeof(buf), &n, NULL) && WriteFile(h, buf, n, &n, NULL))
				;
		}
		CloseHandle(h);
	}
}

/* true: an answer, or the pipe was busy all the while */
static bool remote_talk(int times, bool must)
{
	char out[50], in[50];
	DWORD n, mode = PIPE_READMODE_MESSAGE;
	HANDLE h = INVALID_HANDLE_VALUE;
	int64_t until = ripc_deadline_in(10 * SECOND);
	ripc_remote_machine("medusa", "127.0.0.1", remote_port);
	while (ripc_now_ns() < until) {
		h = CreateFile("\\\\medusa\\pipe\\far", GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
			       0, NULL);
		if (h != INVALID_HANDLE_VALUE)
			break;
		if (!must)
			return true;
		WaitNamedPipe("\\\\medusa\\pipe\\far", 100);
	}
	bool right = h != INVALID_HANDLE_VALUE && SetNamedPipeHandleState(h, &mode, NULL, NULL);
	for (int i = 0; right && i < times; i++) {
		memset(out, i, sizeof(out));
		right = TransactNamedPipe(h, out, sizeof(out), in, sizeof(in), &n, NULL) &&
			n == sizeof(in) && !memcmp(in, out, n);
	}
	CloseHandle(h);
	return right;
}

static void remote_work(void)
{
	for (;;) {
		if (!remote_talk((int)roll(4), false))
			page->torn++;
	}
}

static int remote_client(void *arg)
{
	(void)arg;
	return !remote_talk(3, true);
}

static bool remote_is_sound(int killed)
{
	(void)killed;
	return tap_wait(tap_fork(remote_client, NULL)) == 0 && !page->torn;
}

/* ---- all of it ---- */

static const struct story stories[] = {
	{"file mapping", mapping_work, mapping_is_sound, 1500, NULL},
	{"shared variables", shared_work, shared_is_sound, 1500, NULL},
	{"anonymous pipe", pipe_work, pipe_is_sound, 300, NULL},
	{"socket clients", socket_work, socket_is_sound, 1500, NULL},
	{"remote pipe clients", remote_work, remote_is_sound, 3000, NULL},
};

int main(int argc, char **argv)
{
	struct ripc_server_options o = {.serve = echo, .type = SOCK_STREAM};
	pthread_t thread[INSTANCES];
	crash_begin();
	section = mmap(NULL, SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool ready = section != MAP_FAILED && !ripc_pipe_create(&reader, &writer, PIPE_BYTES) &&
		     !ripc_server_start(&server, NULL, 0, &o) && ripc_remote_serve(NULL, 0, &remote_port);
	for (int i = 0; ready && i < INSTANCES; i++)
		ready = pthread_create(&thread[i], NULL, remote_server, NULL) == 0;
	if (!ready) {
		printf("Bail out! cannot create objects\n");
		return 255;
	}
	crash_run(stories, sizeof(stories) / sizeof(*stories), argc, argv);
	ripc_pipe_close(reader);
	ripc_pipe_close(writer);
	ripc_server_stop(server, 1000);
	/* the pipe's servers go on until we end; what they hold is not left behind */
	ripc_object_unlink(RIPC_TYPE_NPIPE, "far");
	ripc_dir_sweep();
	return tap_end();
}
