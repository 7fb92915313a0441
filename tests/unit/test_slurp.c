// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/slurp.h"

/* A file of `size` bytes that all differ from their neighbours, at its beginning. */
static int file_of(size_t size)
{
	int fd = memfd_create("slurp", 0);
	assert_true(fd >= 0);
	for (size_t i = 0; i < size; i++) {
		char c = (char)('a' + i % 23);
		assert_int_equal(pwrite(fd, &c, 1, (off_t)i), 1);
	}
	return fd;
}

static void a_file_of_any_size_comes_whole(void **state)
{
	(void)state;
	/* around the sizes at which the buffer grows */
	static const size_t sizes[] = { 0, 1, 8190, 8191, 8192, 8193, 16382, 16383, 16384, 40000 };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int fd = file_of(sizes[i]);
		size_t len = 1;
		char *text = slurp_fd(fd, &len);
		assert_non_null(text);
		assert_int_equal(len, sizes[i]);
		assert_int_equal(text[len], '\0');
		for (size_t at = 0; at < len; at++)
			assert_int_equal(text[at], 'a' + at % 23);
		free(text);
		close(fd);
	}
}

static void what_comes_bit_by_bit_is_put_together(void **state)
{
	(void)state;
	int p[2];
	size_t len;
	assert_int_equal(pipe(p), 0);
	pid_t pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 3000; i++)
			if (write(p[1], "0123456789", 10) != 10)
				_exit(1);
		_exit(0);
	}
	close(p[1]);
	char *text = slurp_fd(p[0], &len);
	assert_non_null(text);
	assert_int_equal(len, 30000);
	for (size_t at = 0; at < len; at++)
		assert_int_equal(text[at], '0' + at % 10);
	free(text);
	close(p[0]);
}

static void what_cannot_be_read_is_said(void **state)
{
	(void)state;
	size_t len;
	int dir = open("/", O_RDONLY);
	assert_null(slurp_fd(dir, &len));
	assert_int_equal(errno, EISDIR);
	close(dir);
	assert_null(slurp_fd(-1, &len));
	assert_int_equal(errno, EBADF);
	assert_null(slurp("/nowhere/at/all"));
	assert_int_equal(errno, ENOENT);
	char *text = slurp("/proc/self/comm");
	assert_string_equal(text, "test_slurp\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_of_any_size_comes_whole),
	    cmocka_unit_test(what_comes_bit_by_bit_is_put_together),
	    cmocka_unit_test(what_cannot_be_read_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
