// SPDX-License-Identifier: GPL-2.0-or-later
/* Named pipes by the Win32 documentation: every state, mode, limit and error. */
#include "npipe_pair.h"

#include <pthread.h>
#include <sys/stat.h>

/* ---- arguments and names ---- */

static void names_are_checked(void **state)
{
	static const char *const bad[] = {
	    "\\\\.\\pipe\\", "\\\\.\\pipe", "pipe\\x", "/tmp/x", "\\\\medusa\\pipe\\x", "",
	    "\\\\.\\pipe\\a\\\\b", "\\\\.\\pipe\\a\\", "\\\\.\\pipe\\\\a", "\\\\.\\pipe\\~a",
	};
	char name[400] = "\\\\.\\pipe\\";
	HANDLE h;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad_handle(CreateNamedPipe(bad[i], PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, NULL),
				  ERROR_INVALID_NAME);
	assert_bad_handle(CreateNamedPipe(NULL, PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, NULL),
			  ERROR_INVALID_NAME);
	memset(name + 9, 'n', 160);
	h = CreateNamedPipe(name, PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, NULL);
	assert_ptr_not_equal(h, INVALID_HANDLE_VALUE);
	CloseHandle(h);
	name[9 + 160] = 'n';
	assert_bad_handle(CreateNamedPipe(name, PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, NULL),
			  ERROR_INVALID_NAME);
	assert_fails(WaitNamedPipe("no pipe", 1), ERROR_INVALID_NAME);
}

static void names_have_no_case(void **state)
{
	HANDLE s = CreateNamedPipe("\\\\.\\PIPE\\Tests\\CASE", PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0,
				   NULL);
	HANDLE c = CreateFile("\\\\.\\pipe\\tests\\case", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0,
			      NULL);

	(void)state;
	assert_ptr_not_equal(s, INVALID_HANDLE_VALUE);
	assert_ptr_not_equal(c, INVALID_HANDLE_VALUE);
	pair_close(s, c);
}

static void arguments_are_checked(void **state)
{
	SECURITY_ATTRIBUTES sa = {.nLength = 1};

	(void)state;
	for (DWORD i = 0; i < 2; i++)
		assert_bad_handle(CreateNamedPipe(NAME, PIPE_ACCESS_DUPLEX, 0, i ? 256 : 0, 0, 0, 0,
						  NULL),
				  ERROR_INVALID_PARAMETER);
	assert_bad_handle(CreateNamedPipe(NAME, 0, 0, 1, 0, 0, 0, NULL), ERROR_INVALID_PARAMETER);
	assert_bad_handle(CreateNamedPipe(NAME, 0x100003, 0, 1, 0, 0, 0, NULL),
			  ERROR_INVALID_PARAMETER);
	assert_bad_handle(CreateNamedPipe(NAME, PIPE_ACCESS_DUPLEX, 0x100, 1, 0, 0, 0, NULL),
			  ERROR_INVALID_PARAMETER);
	assert_bad_handle(CreateNamedPipe(NAME, PIPE_ACCESS_DUPLEX, PIPE_READMODE_MESSAGE, 1, 0, 0,
					  0, NULL),
			  ERROR_INVALID_PARAMETER);
	assert_bad_handle(CreateNamedPipe(NAME, PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, &sa),
			  ERROR_INVALID_PARAMETER);
	sa.nLength = sizeof(sa);
	sa.lpSecurityDescriptor = &sa;
	assert_bad_handle(CreateNamedPipe(NAME, PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, &sa),
			  ERROR_NOT_SUPPORTED);
	assert_int_equal(objects_left(false), 0);
}

static void overlapped_is_refused(void **state)
{
	HANDLE s, c;
	LPOVERLAPPED o = (LPOVERLAPPED)&s;
	char buf[4];
	DWORD n = 7;

	(void)state;
	assert_bad_handle(CreateNamedPipe(NAME, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, 0, 1, 0,
					  0, 0, NULL),
			  ERROR_NOT_SUPPORTED);
	pair_new(&s, &c, MESSAGES, 0);
	assert_bad_handle(CreateFile(NAME, GENERIC_READ, 0, NULL, OPEN_EXISTING,
				     FILE_FLAG_OVERLAPPED, NULL),
			  ERROR_NOT_SUPPORTED);
	assert_fails(ReadFile(c, buf, 4, &n, o), ERROR_NOT_SUPPORTED);
	assert_fails(WriteFile(c, "abcd", 4, &n, o), ERROR_NOT_SUPPORTED);
	assert_fails(ConnectNamedPipe(s, o), ERROR_NOT_SUPPORTED);
	assert_fails(TransactNamedPipe(c, buf, 4, buf, 4, &n, o), ERROR_NOT_SUPPORTED);
	assert_int_equal(n, 7);
	pair_close(s, c);
}

static void handles_of_other_kinds_are_refused(void **state)
{
	HANDLE file = CreateFile("/dev/null", GENERIC_READ | GENERIC_WRITE, 3, NULL, OPEN_EXISTING, 0,
				 NULL);
	DWORD n;

	(void)state;
	assert_fails(ConnectNamedPipe(file, NULL), ERROR_INVALID_HANDLE);
	assert_fails(DisconnectNamedPipe(file), ERROR_INVALID_HANDLE);
	assert_fails(PeekNamedPipe(file, NULL, 0, NULL, NULL, NULL), ERROR_INVALID_HANDLE);
	assert_fails(GetNamedPipeHandleState(file, &n, NULL, NULL, NULL, NULL, 0),
		     ERROR_INVALID_HANDLE);
	assert_true(CloseHandle(file));
	assert_fails(ConnectNamedPipe(file, NULL), ERROR_INVALID_HANDLE);
	assert_fails(ConnectNamedPipe(NULL, NULL), ERROR_INVALID_HANDLE);
	assert_fails(ConnectNamedPipe((HANDLE)6, NULL), ERROR_INVALID_HANDLE);
}

/* ---- coming and going ---- */

static void without_a_pipe_nothing_is_found(void **state)
{
	int64_t t = test_now_ms();

	(void)state;
	assert_bad_handle(client_open(GENERIC_READ), ERROR_FILE_NOT_FOUND);
	assert_fails(WaitNamedPipe(NAME, 5000), ERROR_FILE_NOT_FOUND);
	assert_fails(WaitNamedPipe(NAME, NMPWAIT_WAIT_FOREVER), ERROR_FILE_NOT_FOUND);
	assert_true(test_now_ms() - t < 2000); /* "returns immediately, regardless of the time-out" */
	assert_int_equal(objects_left(false), 0);
}

static void a_client_before_connect_is_a_good_connection(void **state)
{
	HANDLE s = server_new(PIPE_ACCESS_DUPLEX, MESSAGES, 1, 0), c = client_new(0);

	(void)state;
	put(c, "early", 5);
	assert_fails(ConnectNamedPipe(s, NULL), ERROR_PIPE_CONNECTED);
	expect(s, "early", 5, 100);
	pair_close(s, c);
}

static void child_connects(void *arg)
{
	DWORD n;
	char buf[16];
	HANDLE c;

	(void)arg;
	CHECK(WaitNamedPipe(NAME, NMPWAIT_WAIT_FOREVER));
	c = client_open(GENERIC_READ | GENERIC_WRITE);
	CHECK(c != INVALID_HANDLE_VALUE);
	CHECK(WriteFile(c, "hello", 5, &n, NULL) && n == 5);
	CHECK(ReadFile(c, buf, sizeof(buf), &n, NULL) && n == 3 && memcmp(buf, "you", 3) == 0);
	CHECK(!ReadFile(c, buf, sizeof(buf), &n, NULL) && GetLastError() == ERROR_BROKEN_PIPE);
}

static void connect_waits_for_another_process(void **state)
{
	HANDLE s = server_new(PIPE_ACCESS_DUPLEX, MESSAGES, 1, 0);
	ULONG pid = 0;
	pid_t child = start_child(child_connects, NULL);

	(void)state;
	if (!ConnectNamedPipe(s, NULL))
		assert_int_equal(GetLastError(), ERROR_PIPE_CONNECTED);
	expect(s, "hello", 5, 16);
	assert_true(GetNamedPipeClientProcessId(s, &pid));
	assert_int_equal(pid, child);
	assert_true(GetNamedPipeServerProcessId(s, &pid));
	assert_int_equal(pid, getpid());
	put(s, "you", 3);
	assert_true(FlushFileBuffers(s));
	CloseHandle(s);
	join_child(child);
	assert_int_equal(objects_left(false), 0);
}

static void instances_are_limited(void **state)
{
	HANDLE s[3], c[3];
	DWORD n = 0;

	(void)state;
	for (int i = 0; i < 3; i++)
		s[i] = server_new(PIPE_ACCESS_DUPLEX, MESSAGES, 3, 0);
	assert_bad_handle(CreateNamedPipe(NAME, PIPE_ACCESS_DUPLEX, MESSAGES, 3, 0, 0, 0, NULL),
			  ERROR_PIPE_BUSY);
	assert_true(GetNamedPipeHandleState(s[0], NULL, &n, NULL, NULL, NULL, 0));
	assert_int_equal(n, 3);
	for (int i = 0; i < 3; i++)
		c[i] = client_new(0);
	assert_bad_handle(client_open(GENERIC_READ), ERROR_PIPE_BUSY);
	assert_fails(WaitNamedPipe(NAME, 30), ERROR_SEM_TIMEOUT);
	assert_fails(WaitNamedPipe(NAME, NMPWAIT_USE_DEFAULT_WAIT), ERROR_SEM_TIMEOUT);
	/* an instance's end makes room for another, also while its client holds on */
	assert_true(CloseHandle(s[1]));
	s[1] = server_new(PIPE_ACCESS_DUPLEX, MESSAGES, 3, 0);
	assert_true(WaitNamedPipe(NAME, 30));
	for (int i = 0; i < 3; i++) {
		CloseHandle(s[i]);
		CloseHandle(c[i]);
	}
	assert_int_equal(objects_left(false), 0);
}

static void all_255_instances(void **state)
{
	static HANDLE s[PIPE_UNLIMITED_INSTANCES], c[PIPE_UNLIMITED_INSTANCES];
	const DWORD max = PIPE_UNLIMITED_INSTANCES;
	char text[16];
	DWORD n;

	(void)state;
	for (DWORD i = 0; i < max; i++)
		s[i] = server_new(PIPE_ACCESS_DUPLEX, MESSAGES, max, 0);
	assert_bad_handle(CreateNamedPipe(NAME, PIPE_ACCESS_DUPLEX, MESSAGES, max, 0, 0, 0, NULL),
			  ERROR_PIPE_BUSY);
	for (DWORD i = 0; i < max; i++) {
		c[i] = client_new(0);
		put(c[i], &i, sizeof(i));
	}
	assert_bad_handle(client_open(GENERIC_READ), ERROR_PIPE_BUSY);
	for (DWORD i = 0; i < max; i++) { /* each pair is its own */
		assert_true(ReadFile(s[i], &n, sizeof(n), (LPDWORD)(void *)text, NULL));
		assert_true(n < max);
		put(s[i], &n, sizeof(n));
	}
	for (DWORD i = 0; i < max; i++) {
		expect(c[i], &i, sizeof(i), 16);
		CloseHandle(c[i]);
		CloseHandle(s[i]);
	}
	assert_int_equal(objects_left(false), 0);
}

static void later_instances_must_agree(void **state)
{
	HANDLE s = server_new(PIPE_ACCESS_DUPLEX, MESSAGES, 2, 0);

	(void)state;
	assert_bad_handle(CreateNamedPipe(NAME, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 2, 0, 0, 0, NULL),
			  ERROR_ACCESS_DENIED);
	assert_bad_handle(CreateNamedPipe(NAME, PIPE_ACCESS_INBOUND, MESSAGES, 2, 0, 0, 0, NULL),
			  ERROR_ACCESS_DENIED);
	assert_bad_handle(CreateNamedPipe(NAME, PIPE_ACCESS_DUPLEX, MESSAGES, 3, 0, 0, 0, NULL),
			  ERROR_ACCESS_DENIED);
	assert_bad_handle(CreateNamedPipe(NAME, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE,
					  MESSAGES, 2, 0, 0, 0, NULL),
			  ERROR_ACCESS_DENIED);
	CloseHandle(s);
	s = CreateNamedPipe(NAME, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE, MESSAGES, 2, 0,
			    0, 0, NULL);
	assert_ptr_not_equal(s, INVALID_HANDLE_VALUE);
	CloseHandle(s);
}

static void directions_are_kept(void **state)
{
	HANDLE s, c;
	char buf[8];
	DWORD n, mode = PIPE_READMODE_BYTE;

	(void)state;
	s = server_new(PIPE_ACCESS_INBOUND, 0, 1, 0);
	assert_bad_handle(client_open(GENERIC_READ), ERROR_ACCESS_DENIED);
	assert_bad_handle(client_open(GENERIC_READ | GENERIC_WRITE), ERROR_ACCESS_DENIED);
	c = client_open(GENERIC_WRITE);
	assert_ptr_not_equal(c, INVALID_HANDLE_VALUE);
	put(c, "in", 2);
	expect(s, "in", 2, 8);
	assert_fails(ReadFile(c, buf, 8, &n, NULL), ERROR_ACCESS_DENIED);
	assert_fails(WriteFile(s, "x", 1, &n, NULL), ERROR_ACCESS_DENIED);
	assert_fails(PeekNamedPipe(c, NULL, 0, NULL, &n, NULL), ERROR_ACCESS_DENIED);
	pair_close(s, c);

	s = server_new(PIPE_ACCESS_OUTBOUND, 0, 1, 0);
	assert_bad_handle(client_open(GENERIC_WRITE), ERROR_ACCESS_DENIED);
	c = client_open(GENERIC_READ);
	put(s, "out", 3);
	expect(c, "out", 3, 8);
	assert_fails(WriteFile(c, "x", 1, &n, NULL), ERROR_ACCESS_DENIED);
	assert_fails(ReadFile(s, buf, 8, &n, NULL), ERROR_ACCESS_DENIED);
	assert_fails(SetNamedPipeHandleState(c, &mode, NULL, NULL), ERROR_ACCESS_DENIED);
	CloseHandle(c);
	DisconnectNamedPipe(s);
	mode = PIPE_NOWAIT;
	assert_true(SetNamedPipeHandleState(s, &mode, NULL, NULL));
	assert_true(ConnectNamedPipe(s, NULL));
	c = client_open(GENERIC_READ | FILE_WRITE_ATTRIBUTES);
	mode = PIPE_READMODE_BYTE;
	assert_true(SetNamedPipeHandleState(c, &mode, NULL, NULL));
	pair_close(s, c);
}

/* ---- what the ends are told of each other ---- */

static void listening_is_told(void **state)
{
	HANDLE s = server_new(PIPE_ACCESS_DUPLEX, MESSAGES, 1, 0);
	char buf[4];
	DWORD n;

	(void)state;
	assert_fails(ReadFile(s, buf, 4, &n, NULL), ERROR_PIPE_LISTENING);
	assert_fails(WriteFile(s, buf, 4, &n, NULL), ERROR_PIPE_LISTENING);
	assert_fails(PeekNamedPipe(s, NULL, 0, NULL, &n, NULL), ERROR_PIPE_LISTENING);
	CloseHandle(s);
}

static void a_closed_client_leaves_what_it_wrote(void **state)
{
	HANDLE s, c;
	char buf[8];
	DWORD n = 9;

	(void)state;
	pair_new(&s, &c, MESSAGES, 0);
	put(c, "one", 3);
	put(c, "two", 3);
	CloseHandle(c);
	expect(s, "one", 3, 8);
	assert_fails(WriteFile(s, "x", 1, &n, NULL), ERROR_NO_DATA);
	assert_int_equal(n, 0);
	expect(s, "two", 3, 8);
	assert_fails(ReadFile(s, buf, 8, &n, NULL), ERROR_BROKEN_PIPE);
	assert_fails(PeekNamedPipe(s, buf, 8, &n, NULL, NULL), ERROR_BROKEN_PIPE);
	assert_fails(ConnectNamedPipe(s, NULL), ERROR_NO_DATA);
	assert_bad_handle(client_open(GENERIC_READ), ERROR_PIPE_BUSY);
	assert_true(DisconnectNamedPipe(s));
	assert_fails(ReadFile(s, buf, 8, &n, NULL), ERROR_PIPE_NOT_CONNECTED);
	assert_fails(DisconnectNamedPipe(s), ERROR_PIPE_NOT_CONNECTED);
	CloseHandle(s);
}

static void a_closed_server_leaves_what_it_wrote(void **state)
{
	HANDLE s, c;
	char buf[8];
	DWORD n;

	(void)state;
	pair_new(&s, &c, MESSAGES, 0);
	put(s, "last", 4);
	CloseHandle(s);
	expect(c, "last", 4, 8);
	assert_fails(ReadFile(c, buf, 8, &n, NULL), ERROR_BROKEN_PIPE);
	assert_fails(WriteFile(c, "x", 1, &n, NULL), ERROR_NO_DATA);
	assert_fails(WaitNamedPipe(NAME, 1000), ERROR_FILE_NOT_FOUND);
	/* the name is free for a new pipe while the old client still holds on */
	s = CreateNamedPipe(NAME, PIPE_ACCESS_INBOUND | FILE_FLAG_FIRST_PIPE_INSTANCE, 0, 7, 0, 0, 0,
			    NULL);
	assert_ptr_not_equal(s, INVALID_HANDLE_VALUE);
	assert_fails(ReadFile(c, buf, 8, &n, NULL), ERROR_BROKEN_PIPE);
	pair_close(s, c);
}

static void disconnect_throws_the_client_and_its_data_off(void **state)
{
	HANDLE s, c, c2;
	char buf[8];
	DWORD n;

	(void)state;
	pair_new(&s, &c, MESSAGES, 0);
	put(c, "unread", 6);
	put(s, "unread", 6);
	assert_true(DisconnectNamedPipe(s));
	assert_fails(ReadFile(c, buf, 8, &n, NULL), ERROR_PIPE_NOT_CONNECTED);
	assert_fails(WriteFile(c, buf, 8, &n, NULL), ERROR_PIPE_NOT_CONNECTED);
	assert_fails(FlushFileBuffers(c), ERROR_PIPE_NOT_CONNECTED);
	assert_fails(ReadFile(s, buf, 8, &n, NULL), ERROR_PIPE_NOT_CONNECTED);
	assert_bad_handle(client_open(GENERIC_READ), ERROR_PIPE_BUSY); /* not open till Connect */
	assert_fails(DisconnectNamedPipe(c), ERROR_INVALID_HANDLE);
	assert_fails(ConnectNamedPipe(c, NULL), ERROR_INVALID_HANDLE);
	n = MESSAGES & PIPE_READMODE_MESSAGE;
	n |= PIPE_NOWAIT;
	assert_true(SetNamedPipeHandleState(s, &n, NULL, NULL));
	assert_true(ConnectNamedPipe(s, NULL));
	c2 = client_new(PIPE_READMODE_MESSAGE);
	put(c2, "new", 3);
	expect(s, "new", 3, 8);
	assert_fails(ReadFile(c, buf, 8, &n, NULL), ERROR_PIPE_NOT_CONNECTED);
	CloseHandle(c);
	put(s, "still", 5);
	expect(c2, "still", 5, 8);
	pair_close(s, c2);
}

static void an_instance_serves_client_after_client(void **state)
{
	HANDLE s = server_new(PIPE_ACCESS_DUPLEX, MESSAGES | PIPE_NOWAIT, 1, 0), held[16];
	DWORD i;

	(void)state;
	assert_fails(ConnectNamedPipe(s, NULL), ERROR_PIPE_LISTENING);
	for (i = 0; i < 500; i++) {
		HANDLE c = client_new(PIPE_READMODE_MESSAGE);

		assert_fails(ConnectNamedPipe(s, NULL), ERROR_PIPE_CONNECTED);
		put(c, &i, sizeof(i));
		expect(s, &i, sizeof(i), 16);
		if (i % 2)
			CloseHandle(c);
		assert_true(DisconnectNamedPipe(s));
		if (i % 2 == 0)
			CloseHandle(c);
		assert_true(ConnectNamedPipe(s, NULL));
		assert_fails(ConnectNamedPipe(s, NULL), ERROR_PIPE_LISTENING);
	}
	/* the memory of clients that are thrown off and do not let go is not used again: it runs out */
	for (i = 0; i < 16; i++) {
		held[i] = client_new(0);
		SetLastError(0);
		if (!DisconnectNamedPipe(s))
			break;
		assert_true(ConnectNamedPipe(s, NULL));
	}
	assert_in_range(i, 8, 15);
	assert_int_equal(GetLastError(), ERROR_NO_SYSTEM_RESOURCES);
	CloseHandle(held[0]); /* one lets go, and all is well */
	assert_true(DisconnectNamedPipe(s));
	for (DWORD n = 1; n <= i; n++)
		CloseHandle(held[n]);
	CloseHandle(s);
	assert_int_equal(objects_left(false), 0);
}

/* ---- transactions, information ---- */

static void *answer(void *arg)
{
	char buf[64];
	DWORD n;

	while (ReadFile(arg, buf, sizeof(buf), &n, NULL)) {
		for (DWORD i = 0; i < n; i++)
			buf[i]++;
		if (!WriteFile(arg, buf, n, &n, NULL))
			break;
	}
	return NULL;
}

static void transactions(void **state)
{
	char in[] = "HAL", out[8] = {0};
	DWORD n, mode = PIPE_READMODE_BYTE;
	HANDLE s, c;
	pthread_t t;

	(void)state;
	pair_new(&s, &c, MESSAGES, 0);
	pthread_create(&t, NULL, answer, s);
	assert_true(TransactNamedPipe(c, in, 3, out, 8, &n, NULL));
	assert_int_equal(n, 3);
	assert_memory_equal(out, "IBM", 3);
	assert_fails(TransactNamedPipe(c, in, 3, out, 2, &n, NULL), ERROR_MORE_DATA);
	assert_int_equal(n, 2);
	assert_fails(TransactNamedPipe(c, in, 3, out, 2, &n, NULL), ERROR_PIPE_BUSY);
	expect(c, "M", 1, 8);
	assert_true(SetNamedPipeHandleState(c, &mode, NULL, NULL));
	assert_fails(TransactNamedPipe(c, in, 3, out, 8, &n, NULL), ERROR_BAD_PIPE);
	CloseHandle(c);
	pthread_join(t, NULL);
	CloseHandle(s);

	assert_fails(CallNamedPipe(NAME, in, 3, out, 8, &n, 50), ERROR_FILE_NOT_FOUND);
	s = server_new(PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 1, 0);
	assert_fails(CallNamedPipe(NAME, in, 3, out, 8, &n, 50), ERROR_BAD_PIPE);
	assert_fails(CallNamedPipe(NAME, in, 3, out, 8, &n, 50), ERROR_SEM_TIMEOUT);
	CloseHandle(s);
}

static void *serve_one(void *arg)
{
	ConnectNamedPipe(arg, NULL);
	return answer(arg);
}

static void call_named_pipe(void **state)
{
	char in[] = "HAL", out[8];
	HANDLE s = server_new(PIPE_ACCESS_DUPLEX, MESSAGES, 1, 0), c;
	pthread_t t;
	DWORD n;

	(void)state;
	pthread_create(&t, NULL, serve_one, s);
	assert_true(CallNamedPipe(NAME, in, 3, out, 8, &n, NMPWAIT_WAIT_FOREVER));
	assert_int_equal(n, 3);
	assert_memory_equal(out, "IBM", 3);
	pthread_join(t, NULL);
	CloseHandle(s);
	assert_fails(CallNamedPipe(NAME, in, 3, out, 8, &n, NMPWAIT_NOWAIT), ERROR_FILE_NOT_FOUND);
	pair_new(&s, &c, MESSAGES, 0); /* the only instance has its client */
	assert_fails(CallNamedPipe(NAME, in, 3, out, 8, &n, NMPWAIT_NOWAIT), ERROR_PIPE_BUSY);
	assert_fails(CallNamedPipe(NAME, in, 3, out, 8, &n, 20), ERROR_SEM_TIMEOUT);
	pair_close(s, c);
}

static void information(void **state)
{
	DWORD flags, out, in, max, n = 0;
	HANDLE s, c;
	char user[8];

	(void)state;
	s = CreateNamedPipe(NAME, PIPE_ACCESS_DUPLEX, MESSAGES, 5, 10000, 20000, 0, NULL);
	c = client_open(GENERIC_READ);
	assert_true(GetNamedPipeInfo(s, &flags, &out, &in, &max));
	assert_int_equal(flags, PIPE_SERVER_END | PIPE_TYPE_MESSAGE);
	assert_true(out >= 10000 && in >= 20000 && out < in);
	assert_int_equal(max, 5);
	assert_true(GetNamedPipeInfo(c, &flags, NULL, NULL, NULL));
	assert_int_equal(flags, PIPE_CLIENT_END | PIPE_TYPE_MESSAGE);
	assert_true(GetNamedPipeHandleState(c, &n, NULL, NULL, NULL, NULL, 0));
	assert_int_equal(n, PIPE_WAIT | PIPE_READMODE_BYTE); /* how a client begins */
	assert_fails(GetNamedPipeHandleState(c, NULL, NULL, &n, NULL, NULL, 0),
		     ERROR_INVALID_PARAMETER);
	assert_fails(GetNamedPipeHandleState(c, NULL, NULL, NULL, NULL, user, 8),
		     ERROR_INVALID_PARAMETER);
	assert_fails(SetNamedPipeHandleState(s, NULL, &n, NULL), ERROR_INVALID_PARAMETER);
	n = 0x10;
	assert_fails(SetNamedPipeHandleState(s, &n, NULL, NULL), ERROR_INVALID_PARAMETER);
	pair_close(s, c);
}

static void a_forked_child_has_no_handle(void *arg)
{
	char buf[4];
	DWORD n;

	CHECK(!ReadFile(arg, buf, 4, &n, NULL) && GetLastError() == ERROR_INVALID_HANDLE);
	CHECK(CloseHandle(arg)); /* its own memory only */
}

static void fork_leaves_the_parents_end_alone(void **state)
{
	HANDLE s, c;

	(void)state;
	pair_new(&s, &c, MESSAGES, 0);
	join_child(start_child(a_forked_child_has_no_handle, s));
	put(c, "alive", 5);
	expect(s, "alive", 5, 8);
	pair_close(s, c);
}

static void child_is_somebody_else(void *arg)
{
	(void)arg;
	CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	CHECK(client_open(GENERIC_READ) == INVALID_HANDLE_VALUE);
	CHECK(GetLastError() == ERROR_ACCESS_DENIED);
	CHECK(!WaitNamedPipe(NAME, 10) && GetLastError() == ERROR_ACCESS_DENIED);
	CHECK(CreateNamedPipe(NAME, PIPE_ACCESS_DUPLEX, MESSAGES, 2, 0, 0, 0, NULL) ==
	      INVALID_HANDLE_VALUE);
	CHECK(GetLastError() == ERROR_ACCESS_DENIED);
}

static void another_users_pipes_are_out_of_reach(void **state)
{
	HANDLE s = server_new(PIPE_ACCESS_DUPLEX, MESSAGES, 2, 0);

	(void)state;
	if (geteuid() != 0) {
		CloseHandle(s);
		skip();
	}
	join_child(start_child(child_is_somebody_else, NULL));
	/* also when the directory is open to all: the object itself is not */
	assert_int_equal(chmod(objects_dir, 0755), 0);
	join_child(start_child(child_is_somebody_else, NULL));
	assert_int_equal(chmod(objects_dir, 0700), 0);
	CloseHandle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_checked),
	    cmocka_unit_test(names_have_no_case),
	    cmocka_unit_test(arguments_are_checked),
	    cmocka_unit_test(overlapped_is_refused),
	    cmocka_unit_test(handles_of_other_kinds_are_refused),
	    cmocka_unit_test(without_a_pipe_nothing_is_found),
	    cmocka_unit_test(a_client_before_connect_is_a_good_connection),
	    cmocka_unit_test(connect_waits_for_another_process),
	    cmocka_unit_test(instances_are_limited),
	    cmocka_unit_test(all_255_instances),
	    cmocka_unit_test(later_instances_must_agree),
	    cmocka_unit_test(directions_are_kept),
	    cmocka_unit_test(listening_is_told),
	    cmocka_unit_test(a_closed_client_leaves_what_it_wrote),
	    cmocka_unit_test(a_closed_server_leaves_what_it_wrote),
	    cmocka_unit_test(disconnect_throws_the_client_and_its_data_off),
	    cmocka_unit_test(an_instance_serves_client_after_client),
	    cmocka_unit_test(transactions),
	    cmocka_unit_test(call_named_pipe),
	    cmocka_unit_test(information),
	    cmocka_unit_test(fork_leaves_the_parents_end_alone),
	    cmocka_unit_test(another_users_pipes_are_out_of_reach),
	};
	return cmocka_run_group_tests(tests, objects_setup, objects_teardown);
}
