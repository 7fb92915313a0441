// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two processes, rw-a and rw-b, on each of libripc's objects, in a directory of their own; what they
 * do is counted in advance:
 *
 *     ripcwork DIR           all of it: see the functions below, each says its counts
 *     ripcwork late DIR      the message buffer only; says "ready" when both have it open and three
 *                            messages lie in it, and goes on at a line of input
 *     ripcwork never DIR     says "ready" and waits for the event "never", which nobody sets
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/ripc/ripc.h"
#include "lib/ripc/ripc_pipe.h"
#include "lib/ripc/ripc_sysv.h"
#include "lib/ripc/ripc_win32.h"

#define TIMES 200
#define PIPE_NAME "\\\\.\\pipe\\work"

#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);                 \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static int64_t soon(void) { return ripc_deadline_in(10000000000ll); }

/* a: 200 releases. b: 200 acquires. */
static void semaphore(struct ripc_semaphore *s, bool is_a)
{
	for (int i = 0; s && i < TIMES; i++)
		MUST((is_a ? ripc_semaphore_post(s, 1) : ripc_semaphore_wait_until(s, soon())) == 0);
	ripc_semaphore_close(s);
}

/* Each: 200 acquires, 200 releases; by its Win32 name. */
static void mutex(void)
{
	HANDLE m = CreateMutex(NULL, FALSE, "mutex");
	for (int i = 0; i < TIMES; i++)
		MUST(WaitForSingleObject(m, 10000) == WAIT_OBJECT_0 && ReleaseMutex(m));
	CloseHandle(m);
}

/* a: 200 sends of 32 bytes, 5 of 8 bytes in place. b: receives them; one wait in vain at the end. */
static void buffer(struct ripc_buffer *b, bool is_a)
{
	struct ripc_span span;
	char text[32] = "";
	for (int i = 0; i < TIMES; i++) {
		if (is_a)
			MUST(ripc_buffer_send_until(b, text, 32, soon()) == 0);
		else
			MUST(ripc_buffer_receive_until(b, text, 32, soon()) == 32);
	}
	for (int i = 0; i < 5; i++) {
		if (is_a) {
			MUST(ripc_buffer_reserve(b, 8, &span, soon()) == 0);
			MUST(ripc_buffer_commit(b, &span, 8) == 0);
		} else {
			MUST(ripc_buffer_view(b, &span, soon()) == 0 && span.bytes == 8);
			MUST(ripc_buffer_release(b, &span) == 0);
		}
	}
	if (!is_a)
		MUST(ripc_buffer_receive_until(b, text, 32, ripc_deadline_in(20000000)) == -ETIMEDOUT);
	ripc_buffer_close(b);
}

/* a: 30 sends of 10 bytes, types 1 to 3. b: takes those of 2, of 3, then the rest. */
static void queue(bool is_a)
{
	struct {
		long type;
		char text[10];
	} m = {0};
	int q = ripc_msgget(0x77, 0600 | IPC_CREAT);
	MUST(q >= 0);
	for (int i = 0; i < 30; i++) {
		m.type = 1 + i % 3;
		if (is_a)
			MUST(ripc_msgsnd(q, &m, 10, 0) == 0);
		else
			MUST(ripc_msgrcv(q, &m, 10, i < 10 ? 2 : i < 20 ? 3 : 0, 0) == 10);
	}
	if (!is_a)
		MUST(ripc_msgctl(q, IPC_RMID, NULL) == 0);
}

/* Each: the segment attached and detached, the view mapped and unmapped, once. */
static void memory(void)
{
	int id = ripc_shmget(0x78, 4096, 0600 | IPC_CREAT);
	char *p = ripc_shmat(id, NULL, 0);
	HANDLE h = CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, "view");
	char *v = MapViewOfFile(h, FILE_MAP_WRITE, 0, 0, 0);
	MUST(p != (char *)-1 && v);
	MUST(ripc_shmdt(p) == 0 && UnmapViewOfFile(v) && CloseHandle(h));
	ripc_shmctl(id, IPC_RMID, NULL); /* the second finds it gone, or its own */
}

/* a: 50 writes of 100 bytes. b: reads all, to the end. */
static void anonymous(struct ripc_pipe_end *ends[2], bool is_a)
{
	char text[100] = "";
	ssize_t n, sum = 0;
	ripc_pipe_close(ends[!is_a ? 1 : 0]);
	for (int i = 0; is_a && i < 50; i++)
		MUST(ripc_pipe_write(ends[1], text, 100) == 100);
	while (!is_a && (n = ripc_pipe_read(ends[0], text, 100)) > 0)
		sum += n;
	MUST(is_a || sum == 5000);
	ripc_pipe_close(ends[is_a ? 1 : 0]);
}

/* b asks 20 times with 6 bytes, a answers each with 9: messages. */
static void named(bool is_a)
{
	DWORD n, mode = PIPE_READMODE_MESSAGE;
	char text[16] = "question";
	HANDLE h;
	if (is_a) {
		h = CreateNamedPipe(PIPE_NAME, PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE | mode, 1, 0, 0, 0,
				    NULL);
		MUST(h != INVALID_HANDLE_VALUE);
		MUST(ConnectNamedPipe(h, NULL) || GetLastError() == ERROR_PIPE_CONNECTED);
		for (int i = 0; i < 20; i++)
			MUST(ReadFile(h, text, 16, &n, NULL) && n == 6 && WriteFile(h, text, 9, &n, NULL));
		MUST(!ReadFile(h, text, 16, &n, NULL) && GetLastError() == ERROR_BROKEN_PIPE);
	} else {
		while ((h = CreateFile(PIPE_NAME, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0,
				       NULL)) == INVALID_HANDLE_VALUE)
			MUST(GetLastError() == ERROR_FILE_NOT_FOUND || WaitNamedPipe(PIPE_NAME, 10000));
		MUST(SetNamedPipeHandleState(h, &mode, NULL, NULL));
		for (int i = 0; i < 20; i++)
			MUST(TransactNamedPipe(h, text, 6, text, 16, &n, NULL) && n == 9);
	}
	CloseHandle(h);
}

static int all(void)
{
	/* before there are two: an object goes with its last user */
	struct ripc_buffer_shape shape = {.messages = 16, .message_bytes = 32};
	struct ripc_semaphore *s = init_semaphore(0, "work");
	struct ripc_pipe_end *ends[2];
	struct ripc_buffer *b;
	int status = 0;
	MUST(s && ripc_buffer_open(&b, "work", &shape, RIPC_CREATE, 0) == 1);
	MUST(ripc_pipe_create(&ends[0], &ends[1], 0) == 0);
	pid_t pid = fork();
	bool is_a = pid == 0;
	prctl(PR_SET_NAME, is_a ? "rw-a" : "rw-b");
	semaphore(s, is_a);
	mutex();
	buffer(b, is_a);
	queue(is_a);
	memory();
	anonymous(ends, is_a);
	named(is_a);
	if (pid)
		MUST(waitpid(pid, &status, 0) == pid);
	return status != 0;
}

static void say_ready(void)
{
	puts("ready");
	fflush(stdout);
}

/* Three messages lie there; then 100 more go through, one at a time. */
static int late(void)
{
	struct ripc_buffer *b = init_message_buffer(8, "late");
	struct ripc_event *go = init_event("go");
	char text[64] = "", line[8];
	MUST(b && go);
	for (int i = 0; i < 3; i++)
		MUST(ripc_buffer_send(b, text, 20) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, "rw-b");
		MUST(ripc_event_wait(go) == 0);
		for (int i = 0; i < 103; i++)
			MUST(ripc_buffer_receive_until(b, text, 64, soon()) == 20);
		_exit(0);
	}
	prctl(PR_SET_NAME, "rw-a");
	say_ready();
	MUST(fgets(line, sizeof(line), stdin));
	MUST(ripc_event_set(go) == 0);
	for (int i = 0; i < 100; i++)
		MUST(ripc_buffer_send_until(b, text, 20, soon()) == 0);
	int status;
	MUST(waitpid(pid, &status, 0) == pid && !status);
	ripc_buffer_close(b);
	ripc_event_close(go);
	return 0;
}

int main(int argc, char **argv)
{
	bool is_late = argc == 3 && !strcmp(argv[1], "late");
	bool is_never = argc == 3 && !strcmp(argv[1], "never");
	if (argc != 2 && !is_late && !is_never)
		return 2;
	setenv("RIPC_DIR", argv[argc - 1], 1);
	alarm(60);
	if (is_late)
		return late();
	if (is_never) {
		prctl(PR_SET_NAME, "rw-never");
		struct ripc_event *e = init_event("never");
		say_ready();
		return e && ripc_event_wait(e) == 0;
	}
	return all();
}
