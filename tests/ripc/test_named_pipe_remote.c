// SPDX-License-Identifier: GPL-2.0-or-later
/* Named pipes of "another machine": TCP on loopback. Off unless switched on; as local ones if on. */
#include "children.h"

#include <arpa/inet.h>
#include <pthread.h>

#include "lib/ripc/ripc_socket.h"
#include "lib/ripc/ripc_win32.h"

#define LOCAL "\\\\.\\pipe\\tests\\remote"
#define REMOTE "\\\\medusa\\pipe\\Tests\\remote"
#define MESSAGES (PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE)
#define RW (GENERIC_READ | GENERIC_WRITE)

static WORD port;

static HANDLE client_open(DWORD access)
{
	return CreateFile(REMOTE, access, 0, NULL, OPEN_EXISTING, 0, NULL);
}

static HANDLE server_new(DWORD mode)
{
	HANDLE h = CreateNamedPipe(LOCAL, PIPE_ACCESS_DUPLEX, mode, 2, 0, 0, 0, NULL);

	assert_ptr_not_equal(h, INVALID_HANDLE_VALUE);
	return h;
}

static void pair_new(HANDLE *s, HANDLE *c, DWORD mode)
{
	DWORD read_mode = mode & PIPE_READMODE_MESSAGE;

	*s = server_new(mode);
	*c = client_open(RW);
	assert_ptr_not_equal(*c, INVALID_HANDLE_VALUE);
	assert_true(SetNamedPipeHandleState(*c, &read_mode, NULL, NULL));
	assert_fails(ConnectNamedPipe(*s, NULL), ERROR_PIPE_CONNECTED);
}

static void off_unless_switched_on(void **state)
{
	HANDLE s = server_new(MESSAGES);

	(void)state;
	assert_bad_handle(client_open(RW), ERROR_BAD_NETPATH);
	assert_fails(WaitNamedPipe(REMOTE, 10), ERROR_BAD_NETPATH);
	assert_fails(ripc_remote_machine("medusa", NULL, 0), ERROR_BAD_NETPATH);
	assert_fails(ripc_remote_machine("medusa", "localhost", 1), ERROR_INVALID_PARAMETER);
	assert_fails(ripc_remote_machine(".", "127.0.0.1", 1), ERROR_INVALID_PARAMETER);
	assert_fails(ripc_remote_serve("localhost", 0, NULL), ERROR_INVALID_PARAMETER);
	assert_true(ripc_remote_serve(NULL, 0, &port));
	assert_fails(ripc_remote_serve(NULL, 0, &port), ERROR_ALREADY_EXISTS);
	assert_bad_handle(client_open(RW), ERROR_BAD_NETPATH); /* not named yet */
	assert_true(ripc_remote_machine("Medusa", "127.0.0.1", port));
	CloseHandle(s);
}

static void opening(void **state)
{
	HANDLE s, c;

	(void)state;
	assert_bad_handle(client_open(RW), ERROR_FILE_NOT_FOUND);
	assert_fails(WaitNamedPipe(REMOTE, NMPWAIT_WAIT_FOREVER), ERROR_FILE_NOT_FOUND);
	s = CreateNamedPipe(LOCAL, PIPE_ACCESS_DUPLEX, MESSAGES | PIPE_REJECT_REMOTE_CLIENTS, 1, 0, 0,
			    0, NULL);
	assert_bad_handle(client_open(RW), ERROR_ACCESS_DENIED);
	CloseHandle(s);
	s = CreateNamedPipe(LOCAL, PIPE_ACCESS_INBOUND, MESSAGES, 1, 0, 0, 0, NULL);
	assert_bad_handle(client_open(RW), ERROR_ACCESS_DENIED);
	CloseHandle(s);
	pair_new(&s, &c, MESSAGES);
	assert_bad_handle(client_open(RW), ERROR_PIPE_BUSY);
	assert_fails(WaitNamedPipe(REMOTE, 1200), ERROR_SEM_TIMEOUT);
	CloseHandle(c);
	CloseHandle(s);
}

static void messages_both_ways(void **state)
{
	static const DWORD sizes[] = {0, 1, 4096, 4097, 65536, 65537, 300000};
	char *data = malloc(300000), *got = malloc(300000);
	HANDLE s, c;
	DWORD n;

	(void)state;
	for (int i = 0; i < 300000; i++)
		data[i] = (char)(i * 13);
	pair_new(&s, &c, MESSAGES);
	for (size_t i = 0; i < 7; i++) {
		assert_true(WriteFile(c, data, sizes[i], &n, NULL) && n == sizes[i]);
		assert_true(ReadFile(s, got, 300000, &n, NULL));
		assert_int_equal(n, sizes[i]);
		assert_memory_equal(got, data, n);
		assert_true(WriteFile(s, data, sizes[i], &n, NULL) && n == sizes[i]);
		assert_true(ReadFile(c, got, 300000, &n, NULL));
		assert_int_equal(n, sizes[i]);
		assert_memory_equal(got, data, n);
	}
	assert_true(WriteFile(s, "0123456789", 10, &n, NULL));
	assert_fails(ReadFile(c, got, 4, &n, NULL), ERROR_MORE_DATA);
	assert_true(ReadFile(c, got, 100, &n, NULL) && n == 6);
	n = PIPE_READMODE_MESSAGE | PIPE_NOWAIT;
	assert_true(SetNamedPipeHandleState(c, &n, NULL, NULL));
	assert_fails(ReadFile(c, got, 4, &n, NULL), ERROR_NO_DATA);
	free(data);
	free(got);
	CloseHandle(c);
	CloseHandle(s);
}

static void bytes_both_ways(void **state)
{
	char got[16];
	HANDLE s, c;
	DWORD n, have = 0;

	(void)state;
	pair_new(&s, &c, PIPE_TYPE_BYTE);
	assert_true(WriteFile(c, "abc", 3, &n, NULL));
	assert_true(WriteFile(c, "def", 3, &n, NULL));
	for (; have < 6; have += n)
		assert_true(ReadFile(s, got + have, 16 - have, &n, NULL));
	assert_memory_equal(got, "abcdef", 6);
	CloseHandle(c);
	CloseHandle(s);
}

static void closing_is_told_after_the_data(void **state)
{
	char got[16];
	HANDLE s, c;
	DWORD n;

	(void)state;
	pair_new(&s, &c, MESSAGES);
	assert_true(WriteFile(c, "last", 4, &n, NULL));
	CloseHandle(c);
	assert_true(ReadFile(s, got, 16, &n, NULL) && n == 4);
	assert_fails(ReadFile(s, got, 16, &n, NULL), ERROR_BROKEN_PIPE);
	CloseHandle(s);

	pair_new(&s, &c, MESSAGES);
	assert_true(WriteFile(s, "last", 4, &n, NULL));
	CloseHandle(s);
	assert_true(ReadFile(c, got, 16, &n, NULL) && n == 4);
	assert_fails(ReadFile(c, got, 16, &n, NULL), ERROR_BROKEN_PIPE);
	CloseHandle(c);

	pair_new(&s, &c, MESSAGES);
	assert_true(DisconnectNamedPipe(s));
	assert_fails(ReadFile(c, got, 16, &n, NULL), ERROR_PIPE_NOT_CONNECTED);
	CloseHandle(c);
	CloseHandle(s);
}

static void child_dies_connected(void *arg)
{
	HANDLE c = client_open(RW);
	DWORD n;

	(void)arg;
	CHECK(c != INVALID_HANDLE_VALUE);
	CHECK(WriteFile(c, "x", 1, &n, NULL));
	CHECK(ReadFile(c, &n, 1, &n, NULL));
	raise(SIGKILL);
}

static void a_killed_client_is_told(void **state)
{
	char got[16];
	DWORD n;

	(void)state;
	for (int i = 0; i < 10; i++) {
		HANDLE s = server_new(MESSAGES);
		pid_t child = start_child(child_dies_connected, NULL);

		if (!ConnectNamedPipe(s, NULL))
			assert_int_equal(GetLastError(), ERROR_PIPE_CONNECTED);
		assert_true(ReadFile(s, got, 16, &n, NULL) && n == 1);
		assert_true(WriteFile(s, "y", 1, &n, NULL));
		assert_fails(ReadFile(s, got, 16, &n, NULL), ERROR_BROKEN_PIPE);
		assert_int_equal(end_of_child(child), 128 + SIGKILL);
		CloseHandle(s);
	}
}

static void child_serves_locally(void *arg)
{
	HANDLE h = CreateNamedPipe(LOCAL, PIPE_ACCESS_DUPLEX, MESSAGES, 2, 0, 0, 0, NULL);

	CHECK(h != INVALID_HANDLE_VALUE);
	step_done(arg);
	pause();
}

static void another_process_pipes_are_not_let_out(void **state)
{
	struct step ready;
	pid_t child;

	(void)state;
	step_init(&ready);
	child = start_child(child_serves_locally, &ready);
	step_await(&ready);
	assert_bad_handle(client_open(RW), ERROR_FILE_NOT_FOUND);
	kill_child(child);
	step_release(&ready);
}

/* Whatever comes over the network: no answer but a refusal, and the door stays open. */
static void nonsense_from_the_network(void **state)
{
	uint32_t seed = 1;
	HANDLE s, c;

	(void)state;
	for (int i = 0; i < 60; i++) {
		char junk[64];
		struct ripc_peer *p;

		for (size_t k = 0; k < sizeof(junk); k++) {
			seed = seed * 1103515245 + 12345;
			junk[k] = (char)(seed >> 16);
		}
		if (i % 2)
			memcpy(junk, "ripcnp1\n", 8);
		if (i % 4 == 3)
			memcpy(junk + 8, "\0\0\0\1\300\0\0\0\0\0\0\0\0\0\0\10..\\\\pipe", 24);
		assert_int_equal(ripc_connect(&p, "127.0.0.1", port, SOCK_STREAM, 2000), 0);
		assert_int_equal(ripc_send(p, junk, (size_t)i + 4), 0);
		ripc_send_end(p);
		while (ripc_receive(p, junk, sizeof(junk)) > 0)
			;
		ripc_close(p);
	}
	pair_new(&s, &c, MESSAGES);
	CloseHandle(c);
	CloseHandle(s);
}

static void talks_nonsense(struct ripc_peer *peer, void *arg)
{
	(void)arg;
	ripc_send(peer, "220 mail.medusa ESMTP, and then a lot of text that is no answer\r\n", 64);
}

static void goes_away(struct ripc_peer *peer, void *arg)
{
	(void)peer, (void)arg;
}

/* Whatever else listens at the port */
static void a_machine_that_speaks_otherwise(void **state)
{
	void (*const serve[])(struct ripc_peer *, void *) = {talks_nonsense, goes_away};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ripc_server_options o = {.serve = serve[i], .type = SOCK_STREAM};
		struct ripc_server *s;

		assert_int_equal(ripc_server_start(&s, NULL, 0, &o), 0);
		assert_true(ripc_remote_machine("other", "127.0.0.1", ripc_server_port(s)));
		assert_bad_handle(CreateFile("\\\\other\\pipe\\x", RW, 0, NULL, OPEN_EXISTING, 0, NULL),
				  ERROR_UNEXP_NET_ERR);
		assert_fails(WaitNamedPipe("\\\\other\\pipe\\x", 10), ERROR_UNEXP_NET_ERR);
		ripc_server_stop(s, 1000);
	}
	assert_true(ripc_remote_machine("other", NULL, 0));
}

static void stopping_ends_every_connection(void **state)
{
	char got[16];
	HANDLE s, c;
	DWORD n;

	(void)state;
	pair_new(&s, &c, MESSAGES);
	ripc_remote_stop();
	assert_false(ReadFile(c, got, 16, &n, NULL));
	assert_fails(ReadFile(s, got, 16, &n, NULL), ERROR_BROKEN_PIPE);
	assert_bad_handle(client_open(RW), ERROR_BAD_NETPATH);
	CloseHandle(c);
	CloseHandle(s);
	assert_true(ripc_remote_machine("medusa", NULL, 0));
	assert_int_equal(objects_left(false), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(off_unless_switched_on),
	    cmocka_unit_test(opening),
	    cmocka_unit_test(messages_both_ways),
	    cmocka_unit_test(bytes_both_ways),
	    cmocka_unit_test(closing_is_told_after_the_data),
	    cmocka_unit_test(a_killed_client_is_told),
	    cmocka_unit_test(another_process_pipes_are_not_let_out),
	    cmocka_unit_test(nonsense_from_the_network),
	    cmocka_unit_test(a_machine_that_speaks_otherwise),
	    cmocka_unit_test(stopping_ends_every_connection),
	};

	return cmocka_run_group_tests(tests, objects_setup, objects_teardown);
}
