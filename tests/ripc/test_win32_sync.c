// SPDX-License-Identifier: GPL-2.0-or-later
/* Events, mutexes and semaphores by their Win32 names, and what WaitForSingleObject says of them. */
#include "children.h"

#include <pthread.h>

#include "lib/ripc/ripc_win32.h"

static void *try_mutex(void *arg)
{
	return (void *)(uintptr_t)WaitForSingleObject(arg, 0);
}

static DWORD in_a_thread(void *(*fn)(void *), HANDLE h)
{
	pthread_t t;
	void *result;

	pthread_create(&t, NULL, fn, h);
	pthread_join(t, &result);
	return (DWORD)(uintptr_t)result;
}

static void events(void **state)
{
	HANDLE a = CreateEvent(NULL, FALSE, FALSE, "auto"), m = CreateEvent(NULL, TRUE, TRUE, "man");
	HANDLE again;

	(void)state;
	assert_non_null(a);
	assert_int_equal(WaitForSingleObject(a, 0), WAIT_TIMEOUT);
	assert_int_equal(WaitForSingleObject(a, 20), WAIT_TIMEOUT);
	assert_true(SetEvent(a) && SetEvent(a)); /* sets do not add up */
	assert_int_equal(WaitForSingleObject(a, 0), WAIT_OBJECT_0);
	assert_int_equal(WaitForSingleObject(a, 0), WAIT_TIMEOUT);
	assert_int_equal(WaitForSingleObject(m, INFINITE), WAIT_OBJECT_0);
	assert_int_equal(WaitForSingleObject(m, 0), WAIT_OBJECT_0);
	assert_true(ResetEvent(m));
	assert_int_equal(WaitForSingleObject(m, 0), WAIT_TIMEOUT);
	again = CreateEvent(NULL, FALSE, TRUE, "Local\\auto");
	assert_int_equal(GetLastError(), ERROR_ALREADY_EXISTS);
	assert_true(SetEvent(again));
	assert_int_equal(WaitForSingleObject(a, 0), WAIT_OBJECT_0);
	assert_fails(ReleaseMutex(a), ERROR_INVALID_HANDLE);
	CloseHandle(again);
	CloseHandle(a);
	CloseHandle(m);
	assert_fails(OpenEvent(0, FALSE, "auto"), ERROR_FILE_NOT_FOUND);
	assert_fails(CreateEvent(NULL, FALSE, FALSE, NULL), ERROR_NOT_SUPPORTED);
	assert_fails(CreateEvent(NULL, FALSE, FALSE, "a\\b"), ERROR_PATH_NOT_FOUND);
}

static void child_sets(void *arg)
{
	HANDLE e = OpenEvent(0, FALSE, arg);

	CHECK(e && SetEvent(e));
}

static void an_event_wakes_another_process(void **state)
{
	HANDLE e = CreateEvent(NULL, FALSE, FALSE, "wake");
	pid_t child = start_child(child_sets, (void *)(uintptr_t)"wake");

	(void)state;
	assert_int_equal(WaitForSingleObject(e, 20000), WAIT_OBJECT_0);
	join_child(child);
	CloseHandle(e);
}

static void mutexes(void **state)
{
	HANDLE m = CreateMutex(NULL, TRUE, "mutex"), again;

	(void)state;
	assert_int_equal(WaitForSingleObject(m, 0), WAIT_OBJECT_0); /* recursive */
	assert_int_equal(in_a_thread(try_mutex, m), WAIT_TIMEOUT);
	assert_true(ReleaseMutex(m));
	assert_int_equal(in_a_thread(try_mutex, m), WAIT_TIMEOUT);
	again = CreateMutex(NULL, TRUE, "mutex"); /* there: not obtained once more */
	assert_int_equal(GetLastError(), ERROR_ALREADY_EXISTS);
	assert_true(ReleaseMutex(m));
	assert_fails(ReleaseMutex(m), ERROR_NOT_OWNER);
	CloseHandle(again);
	CloseHandle(m);
}

static void child_dies_owning(void *arg)
{
	HANDLE m = OpenMutex(0, FALSE, arg);

	CHECK(m && WaitForSingleObject(m, INFINITE) == WAIT_OBJECT_0);
	raise(SIGKILL);
}

static void a_dead_owner_has_abandoned_it(void **state)
{
	HANDLE m = CreateMutex(NULL, FALSE, "left");

	(void)state;
	assert_int_equal(end_of_child(start_child(child_dies_owning, (void *)(uintptr_t)"left")),
			 128 + SIGKILL);
	assert_int_equal(WaitForSingleObject(m, INFINITE), WAIT_ABANDONED);
	assert_true(ReleaseMutex(m));
	assert_int_equal(WaitForSingleObject(m, INFINITE), WAIT_OBJECT_0);
	assert_true(ReleaseMutex(m));
	CloseHandle(m);
}

static void semaphores(void **state)
{
	HANDLE s = CreateSemaphore(NULL, 1, 2, "sem"), again;
	long was;

	(void)state;
	assert_int_equal(WaitForSingleObject(s, 0), WAIT_OBJECT_0);
	assert_int_equal(WaitForSingleObject(s, 0), WAIT_TIMEOUT);
	assert_true(ReleaseSemaphore(s, 2, NULL));
	assert_fails(ReleaseSemaphore(s, 1, NULL), ERROR_TOO_MANY_POSTS);
	assert_fails(ReleaseSemaphore(s, 0, NULL), ERROR_INVALID_PARAMETER);
	assert_fails(ReleaseSemaphore(s, 1, &was), ERROR_NOT_SUPPORTED);
	assert_int_equal(WaitForSingleObject(s, 0), WAIT_OBJECT_0);
	assert_int_equal(WaitForSingleObject(s, 0), WAIT_OBJECT_0);
	assert_int_equal(WaitForSingleObject(s, 0), WAIT_TIMEOUT);
	again = OpenSemaphore(0, FALSE, "Global\\sem");
	assert_true(ReleaseSemaphore(again, 1, NULL));
	assert_int_equal(WaitForSingleObject(s, 0), WAIT_OBJECT_0);
	CloseHandle(again);
	assert_fails(OpenSemaphore(0, FALSE, "none"), ERROR_FILE_NOT_FOUND);
	assert_fails(OpenSemaphore(0, FALSE, NULL), ERROR_NOT_SUPPORTED);
	assert_fails(CreateSemaphore(NULL, 3, 2, "x"), ERROR_INVALID_PARAMETER);
	assert_fails(CreateSemaphore(NULL, -1, 2, "x"), ERROR_INVALID_PARAMETER);
	assert_fails(CreateSemaphore(NULL, 0, 0, "x"), ERROR_INVALID_PARAMETER);
	CloseHandle(s);
}

static void one_name_space(void **state)
{
	HANDLE e = CreateEvent(NULL, FALSE, FALSE, "one"), m;

	(void)state;
	assert_fails(CreateMutex(NULL, FALSE, "one"), ERROR_INVALID_HANDLE);
	assert_fails(CreateSemaphore(NULL, 0, 1, "one"), ERROR_INVALID_HANDLE);
	assert_fails(OpenMutex(0, FALSE, "one"), ERROR_INVALID_HANDLE);
	assert_fails(CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 9, "one"),
		     ERROR_INVALID_HANDLE);
	CloseHandle(e);
	m = CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 9, "one");
	assert_non_null(m);
	assert_fails(CreateEvent(NULL, FALSE, FALSE, "one"), ERROR_INVALID_HANDLE);
	assert_int_equal(WaitForSingleObject(m, 0), WAIT_FAILED);
	assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
	CloseHandle(m);
	assert_int_equal(objects_left(false), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(events),
	    cmocka_unit_test(an_event_wakes_another_process),
	    cmocka_unit_test(mutexes),
	    cmocka_unit_test(a_dead_owner_has_abandoned_it),
	    cmocka_unit_test(semaphores),
	    cmocka_unit_test(one_name_space),
	};

	return cmocka_run_group_tests(tests, objects_setup, objects_teardown);
}
