/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of named pipes: one name, its two ends, and what goes through them. */
#ifndef IPCTAP_TESTS_NPIPE_PAIR_H
#define IPCTAP_TESTS_NPIPE_PAIR_H

#include "children.h"
#include "lib/ripc/ripc_win32.h"

#define NAME "\\\\.\\pipe\\tests\\conformance"
#define MESSAGES (PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE)

static inline HANDLE server_new(DWORD access, DWORD mode, DWORD max, DWORD size)
{
	HANDLE h = CreateNamedPipe(NAME, access, mode, max, size, size, 0, NULL);

	assert_ptr_not_equal(h, INVALID_HANDLE_VALUE);
	return h;
}

static inline HANDLE client_open(DWORD access)
{
	return CreateFile(NAME, access, 0, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
}

static inline HANDLE client_new(DWORD mode)
{
	HANDLE h = client_open(GENERIC_READ | GENERIC_WRITE);

	assert_ptr_not_equal(h, INVALID_HANDLE_VALUE);
	assert_true(SetNamedPipeHandleState(h, &mode, NULL, NULL));
	return h;
}

/* Both ends of a fresh duplex pipe, connected. */
static inline void pair_new(HANDLE *server, HANDLE *client, DWORD mode, DWORD size)
{
	*server = server_new(PIPE_ACCESS_DUPLEX, mode, 1, size);
	*client = client_new(mode & PIPE_READMODE_MESSAGE);
	assert_fails(ConnectNamedPipe(*server, NULL), ERROR_PIPE_CONNECTED);
}

static inline void pair_close(HANDLE server, HANDLE client)
{
	assert_true(CloseHandle(client));
	assert_true(CloseHandle(server));
	assert_int_equal(objects_left(false), 0);
}

static inline void put(HANDLE h, const void *buf, DWORD size)
{
	DWORD n = 12345;

	assert_true(WriteFile(h, buf, size, &n, NULL));
	assert_int_equal(n, size);
}

static inline void expect(HANDLE h, const void *what, DWORD size, DWORD room)
{
	char buf[8192];
	DWORD n = 12345;

	assert_true(room <= sizeof(buf));
	assert_true(ReadFile(h, buf, room, &n, NULL));
	assert_int_equal(n, size);
	assert_memory_equal(buf, what, size);
}

#endif
