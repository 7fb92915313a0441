// SPDX-License-Identifier: GPL-2.0-or-later
/* Named pipes by the Win32 documentation: messages, and who waits for them or does not. */
#include "npipe_pair.h"

#include <pthread.h>

/* ---- messages ---- */

static void message_boundaries_are_kept(void **state)
{
	static const DWORD sizes[] = {0, 1, 2, 4095, 4096, 4097, 0, 7};
	static char data[4097];
	HANDLE s, c;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	pair_new(&s, &c, MESSAGES, 65536);
	for (size_t i = 0; i < 8; i++)
		put(c, data, sizes[i]);
	for (size_t i = 0; i < 8; i++)
		expect(s, data, sizes[i], 8000);
	pair_close(s, c);
}

static void more_data(void **state)
{
	HANDLE s, c;
	char buf[16];
	DWORD n, left, avail;

	(void)state;
	pair_new(&s, &c, MESSAGES, 0);
	put(c, "0123456789", 10);
	put(c, "ab", 2);
	assert_fails(ReadFile(s, buf, 4, &n, NULL), ERROR_MORE_DATA);
	assert_int_equal(n, 4);
	assert_memory_equal(buf, "0123", 4);
	assert_true(PeekNamedPipe(s, buf, 2, &n, &avail, &left));
	assert_int_equal(n, 2);
	assert_int_equal(avail, 8);
	assert_int_equal(left, 4);
	assert_memory_equal(buf, "45", 2);
	assert_fails(ReadFile(s, buf, 5, &n, NULL), ERROR_MORE_DATA);
	expect(s, "9", 1, 16);
	assert_fails(ReadFile(s, buf, 0, &n, NULL), ERROR_MORE_DATA);
	expect(s, "ab", 2, 2); /* exactly: no MORE_DATA */
	pair_close(s, c);
}

static void peek_takes_nothing(void **state)
{
	HANDLE s, c;
	char buf[16];
	DWORD n = 5, avail = 5, left = 5;

	(void)state;
	pair_new(&s, &c, MESSAGES, 0);
	assert_true(PeekNamedPipe(s, buf, 16, &n, &avail, &left));
	assert_int_equal(n + avail + left, 0);
	put(c, "first", 5);
	put(c, "second", 6);
	for (int i = 0; i < 3; i++) {
		assert_true(PeekNamedPipe(s, buf, 16, &n, &avail, &left));
		assert_int_equal(n, 5);
		assert_int_equal(avail, 11);
		assert_int_equal(left, 0);
		assert_memory_equal(buf, "first", 5);
	}
	assert_true(PeekNamedPipe(s, NULL, 0, NULL, &avail, &left));
	assert_int_equal(left, 5);
	expect(s, "first", 5, 16);
	expect(s, "second", 6, 16);
	pair_close(s, c);
}

static void a_message_pipe_read_by_bytes(void **state)
{
	HANDLE s, c;
	DWORD n, mode = PIPE_READMODE_BYTE, avail, left;
	char buf[16];

	(void)state;
	pair_new(&s, &c, MESSAGES, 0);
	assert_true(SetNamedPipeHandleState(s, &mode, NULL, NULL));
	put(c, "abc", 3);
	put(c, "def", 3);
	put(c, "", 0);
	put(c, "g", 1);
	assert_true(PeekNamedPipe(s, buf, 16, &n, &avail, &left));
	assert_int_equal(n, 7);
	assert_int_equal(avail, 7);
	expect(s, "ab", 2, 2);
	expect(s, "cdef", 4, 16); /* an empty message is read alone */
	expect(s, "", 0, 16);
	expect(s, "g", 1, 16);
	pair_close(s, c);
}

static void a_byte_pipe_runs_together(void **state)
{
	HANDLE s, c;
	DWORD mode = PIPE_READMODE_MESSAGE;

	(void)state;
	pair_new(&s, &c, PIPE_TYPE_BYTE, 0);
	assert_fails(SetNamedPipeHandleState(c, &mode, NULL, NULL), ERROR_INVALID_PARAMETER);
	put(s, "ab", 2);
	put(s, "cd", 2);
	expect(c, "abcd", 4, 16);
	pair_close(s, c);
}

struct large {
	HANDLE h;
	char *data;
	DWORD size;
};

static void *write_large(void *arg)
{
	struct large *l = arg;
	DWORD n = 0;

	return WriteFile(l->h, l->data, l->size, &n, NULL) && n == l->size ? NULL : (void *)1;
}

static void messages_larger_than_the_buffer(void **state)
{
	struct large l = {.size = 3 * 1024 * 1024 + 17};
	HANDLE s, c;
	pthread_t t;
	char *got = malloc(l.size);
	void *failed;
	DWORD n, have = 0;

	(void)state;
	l.data = malloc(l.size);
	for (DWORD i = 0; i < l.size; i++)
		l.data[i] = (char)(i ^ (i >> 8));
	pair_new(&s, &c, MESSAGES, 1000);
	l.h = c;
	assert_int_equal(pthread_create(&t, NULL, write_large, &l), 0);
	assert_true(ReadFile(s, got, l.size, &n, NULL)); /* whole */
	assert_int_equal(n, l.size);
	assert_memory_equal(got, l.data, n);
	pthread_join(t, &failed);
	assert_null(failed);
	assert_int_equal(pthread_create(&t, NULL, write_large, &l), 0);
	memset(got, 0, l.size);
	while (!ReadFile(s, got + have, 7777, &n, NULL)) { /* in parts */
		assert_int_equal(GetLastError(), ERROR_MORE_DATA);
		assert_int_equal(n, 7777);
		have += n;
	}
	assert_int_equal(have + n, l.size);
	assert_memory_equal(got, l.data, l.size);
	pthread_join(t, &failed);
	assert_null(failed);
	free(got);
	free(l.data);
	pair_close(s, c);
}

/* ---- PIPE_NOWAIT ---- */

static void nowait(void **state)
{
	HANDLE s, c;
	char buf[8192] = {0};
	DWORD n, mode = PIPE_READMODE_MESSAGE | PIPE_NOWAIT, count = 0;

	(void)state;
	pair_new(&s, &c, MESSAGES, 4096);
	assert_true(SetNamedPipeHandleState(s, &mode, NULL, NULL));
	assert_true(SetNamedPipeHandleState(c, &mode, NULL, NULL));
	n = 0;
	assert_true(GetNamedPipeHandleState(c, &n, NULL, NULL, NULL, NULL, 0));
	assert_int_equal(n, mode);
	assert_fails(ReadFile(s, buf, 8, &n, NULL), ERROR_NO_DATA);
	do { /* until a message does not fit: TRUE, and 0 bytes */
		assert_true(WriteFile(c, buf, 1000, &n, NULL));
		count += n == 1000;
	} while (n);
	assert_int_equal(count, 4);
	assert_true(WriteFile(c, buf, 8192, &n, NULL));
	assert_int_equal(n, 0);
	for (; count; count--)
		expect(s, buf, 1000, 8192);
	assert_fails(ReadFile(s, buf, 8, &n, NULL), ERROR_NO_DATA);
	pair_close(s, c);

	pair_new(&s, &c, PIPE_TYPE_BYTE | PIPE_NOWAIT, 4096);
	mode = PIPE_NOWAIT;
	assert_true(SetNamedPipeHandleState(c, &mode, NULL, NULL));
	assert_true(WriteFile(c, buf, 8192, &n, NULL)); /* bytes: as many as fit */
	assert_in_range(n, 4096, 8191);
	count = n;
	assert_true(WriteFile(c, buf, 1, &n, NULL));
	assert_int_equal(n, 0);
	assert_true(ReadFile(s, buf, 8192, &n, NULL));
	assert_int_equal(n, count);
	pair_close(s, c);
}

/* ---- blocking and waking ---- */

static void child_reads_until_broken(void *arg)
{
	HANDLE c = client_open(GENERIC_READ | GENERIC_WRITE);
	char buf[16];
	DWORD n;

	(void)arg;
	CHECK(c != INVALID_HANDLE_VALUE);
	CHECK(ReadFile(c, buf, 16, &n, NULL) && n == 4);
	CHECK(!ReadFile(c, buf, 16, &n, NULL));
	_exit((int)GetLastError());
}

static void a_reader_is_woken(void **state)
{
	for (int how = 0; how < 2; how++) {
		HANDLE s = server_new(PIPE_ACCESS_DUPLEX, MESSAGES, 1, 0);
		pid_t child = start_child(child_reads_until_broken, NULL);

		(void)state;
		if (!ConnectNamedPipe(s, NULL))
			assert_int_equal(GetLastError(), ERROR_PIPE_CONNECTED);
		assert_true(await_sleep(child));
		put(s, "wake", 4);
		assert_true(FlushFileBuffers(s));
		assert_true(await_sleep(child));
		if (how)
			assert_true(DisconnectNamedPipe(s));
		CloseHandle(s);
		assert_int_equal(end_of_child(child),
				 how ? ERROR_PIPE_NOT_CONNECTED : ERROR_BROKEN_PIPE);
	}
}

static void child_fills(void *arg)
{
	HANDLE c = client_open(GENERIC_READ | GENERIC_WRITE);
	char buf[1000];
	DWORD n;

	(void)arg;
	CHECK(c != INVALID_HANDLE_VALUE);
	memset(buf, 'f', sizeof(buf));
	for (int i = 0; i < 20; i++)
		CHECK(WriteFile(c, buf, sizeof(buf), &n, NULL) && n == sizeof(buf));
	CHECK(FlushFileBuffers(c));
}

static void a_writer_waits_for_room(void **state)
{
	HANDLE s = server_new(PIPE_ACCESS_DUPLEX, MESSAGES, 1, 4096);
	pid_t child = start_child(child_fills, NULL);
	char buf[1000];

	(void)state;
	memset(buf, 'f', sizeof(buf));
	if (!ConnectNamedPipe(s, NULL))
		assert_int_equal(GetLastError(), ERROR_PIPE_CONNECTED);
	assert_true(await_sleep(child)); /* full */
	for (int i = 0; i < 19; i++)
		expect(s, buf, 1000, 1000);
	assert_true(await_sleep(child)); /* flushing: one is unread */
	expect(s, buf, 1000, 1000);
	join_child(child);
	CloseHandle(s);
}

static void *disconnect_soon(void *arg)
{
	struct timespec ms = {.tv_nsec = 50 * 1000000};

	nanosleep(&ms, NULL);
	return (void *)(intptr_t)!DisconnectNamedPipe(arg);
}

static void disconnect_ends_the_servers_own_calls(void **state)
{
	HANDLE s = server_new(PIPE_ACCESS_DUPLEX, MESSAGES, 1, 0), c;
	char buf[4];
	DWORD n;
	pthread_t t;
	void *failed;

	(void)state;
	pthread_create(&t, NULL, disconnect_soon, s);
	assert_fails(ConnectNamedPipe(s, NULL), ERROR_PIPE_NOT_CONNECTED);
	pthread_join(t, &failed);
	assert_null(failed);
	n = PIPE_NOWAIT;
	assert_true(SetNamedPipeHandleState(s, &n, NULL, NULL));
	assert_true(ConnectNamedPipe(s, NULL));
	n = 0;
	assert_true(SetNamedPipeHandleState(s, &n, NULL, NULL));
	c = client_new(0);
	pthread_create(&t, NULL, disconnect_soon, s);
	assert_fails(ReadFile(s, buf, 4, &n, NULL), ERROR_PIPE_NOT_CONNECTED);
	pthread_join(t, &failed);
	assert_null(failed);
	pair_close(s, c);
}

static void child_waits_for_instance(void *arg)
{
	(void)arg;
	CHECK(WaitNamedPipe(NAME, NMPWAIT_WAIT_FOREVER));
	CHECK(client_open(GENERIC_READ) != INVALID_HANDLE_VALUE);
}

static void child_waits_in_vain(void *arg)
{
	(void)arg;
	CHECK(!WaitNamedPipe(NAME, NMPWAIT_WAIT_FOREVER));
	CHECK(GetLastError() == ERROR_FILE_NOT_FOUND);
}

static void wait_named_pipe_is_woken(void **state)
{
	HANDLE s, s2, c;
	pid_t child;

	(void)state;
	s = server_new(PIPE_ACCESS_DUPLEX, MESSAGES, 2, 0);
	c = client_new(0);
	child = start_child(child_waits_for_instance, NULL);
	assert_true(await_sleep(child));
	s2 = server_new(PIPE_ACCESS_DUPLEX, MESSAGES, 2, 0);
	join_child(child);
	CloseHandle(s2);
	child = start_child(child_waits_in_vain, NULL);
	assert_true(await_sleep(child));
	CloseHandle(s);
	join_child(child);
	CloseHandle(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(message_boundaries_are_kept),
	    cmocka_unit_test(more_data),
	    cmocka_unit_test(peek_takes_nothing),
	    cmocka_unit_test(a_message_pipe_read_by_bytes),
	    cmocka_unit_test(a_byte_pipe_runs_together),
	    cmocka_unit_test(messages_larger_than_the_buffer),
	    cmocka_unit_test(nowait),
	    cmocka_unit_test(a_reader_is_woken),
	    cmocka_unit_test(a_writer_waits_for_room),
	    cmocka_unit_test(disconnect_ends_the_servers_own_calls),
	    cmocka_unit_test(wait_named_pipe_is_woken),
	};
	return cmocka_run_group_tests(tests, objects_setup, objects_teardown);
}
