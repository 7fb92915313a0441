// SPDX-License-Identifier: GPL-2.0-or-later
/* Static probes found in ELF files: their arguments' forms, libripc's own, and hostile files. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <unistd.h>

#include <cmocka.h>

#include "collector/usdt.h"

static void arguments(void **state)
{
	struct raw_usdt u;
	(void)state;
	assert_true(usdt_parse_args("8@%rdi -4@$-5 8@-16(%rbp) 8@(%r12) -1@%eax", &u));
	assert_int_equal(u.nargs, 5);
	assert_int_equal(u.arg[0].form, RAW_USDT_REG);
	assert_int_equal(u.arg[0].reg, offsetof(struct user_regs_struct, rdi));
	assert_int_equal(u.arg[0].size, 8);
	assert_false(u.arg[0].is_signed);
	assert_int_equal(u.arg[1].form, RAW_USDT_CONST);
	assert_int_equal(u.arg[1].value, -5);
	assert_int_equal(u.arg[1].size, 4);
	assert_true(u.arg[1].is_signed);
	assert_int_equal(u.arg[2].form, RAW_USDT_MEMORY);
	assert_int_equal(u.arg[2].value, -16);
	assert_int_equal(u.arg[2].reg, offsetof(struct user_regs_struct, rbp));
	assert_int_equal(u.arg[3].value, 0);
	assert_int_equal(u.arg[3].reg, offsetof(struct user_regs_struct, r12));
	assert_int_equal(u.arg[4].reg, offsetof(struct user_regs_struct, rax));
	assert_true(usdt_parse_args("", &u));
	assert_int_equal(u.nargs, 0);
}

static void forms_not_known(void **state)
{
	static const char *const bad[] = {
		"8@", "@%rdi", "%rdi", "3@%rdi", "8@%xyz", "8@%", "8@$", "8@$5x", "8@8(%rdi",
		"8@(%rdi,%rsi,8)", "8@name(%rip)", "8@8[%rdi]", "8@99999999999999999999(%rdi)",
		"8@%rax 8@%rax 8@%rax 8@%rax 8@%rax 8@%rax", "8@(%)", "8@()",
	};
	struct raw_usdt u;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (usdt_parse_args(bad[i], &u))
			fail_msg("taken: %s", bad[i]);
	}
}

static size_t count(const struct usdt_site *sites, int n, const char *name, unsigned nargs)
{
	size_t found = 0;
	for (int i = 0; i < n; i++) {
		if (strcmp(sites[i].name, name) == 0) {
			assert_int_equal(sites[i].args.nargs, nargs);
			found++;
		}
	}
	return found;
}

static bool library(char *path, size_t size)
{
	const char *o = getenv("O");
	snprintf(path, size, "%s/libripc.so", o ? o : "build");
	return access(path, R_OK) == 0;
}

/* As the compiler left them: each of a form that is known, each where there is a nop. */
static void libripc_s_own(void **state)
{
	static const struct {
		const char *name;
		unsigned nargs;
	} probes[] = {{"open", 4},    {"close", 3},   {"begin", 0},	 {"send", 5},	 {"receive", 5},
		      {"acquire", 3}, {"release", 3}, {"wait_begin", 3}, {"wait_end", 4}};
	struct usdt_site *sites;
	size_t passed_over = 99, sum = 0;
	char path[4096];
	(void)state;
	if (!library(path, sizeof(path)))
		skip();
	int n = usdt_sites(path, "ripc", &sites, &passed_over), fd = open(path, O_RDONLY);
	assert_true(n > 20);
	assert_int_equal(passed_over, 0);
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		size_t here = count(sites, n, probes[i].name, probes[i].nargs);
		assert_true(here > 0);
		sum += here;
	}
	assert_int_equal(sum, n);
	for (int i = 0; i < n; i++) {
		uint8_t code = 0;
		assert_int_equal(pread(fd, &code, 1, (off_t)sites[i].offset), 1);
		assert_int_equal(code, 0x90);
	}
	close(fd);
	free(sites);
	assert_int_equal(usdt_sites(path, "nobody", &sites, NULL), 0);
	assert_null(sites);
}

/* The library, cut off or with a byte changed anywhere: an answer, whatever it is. */
static void damaged_files(void **state)
{
	char path[4096], copy[] = "/tmp/test-usdt.XXXXXX";
	struct usdt_site *sites;
	struct stat st;
	(void)state;
	if (!library(path, sizeof(path)))
		skip();
	int from = open(path, O_RDONLY), to = mkstemp(copy);
	assert_true(to >= 0 && fstat(from, &st) == 0);
	char *bytes = malloc((size_t)st.st_size);
	assert_int_equal(read(from, bytes, (size_t)st.st_size), st.st_size);
	assert_int_equal(write(to, bytes, (size_t)st.st_size), st.st_size);
	unsigned dice = 12345;
	for (int i = 0; i < 2000; i++) {
		/* mostly where the structure is: at both ends */
		dice = dice * 1103515245 + 12345;
		off_t at = (off_t)(dice >> 8) % (i % 2 ? 1024 : st.st_size);
		at = i % 4 ? at : st.st_size - 1 - at % 16384;
		assert_int_equal(pwrite(to, &dice, 1, at), 1);
		usdt_sites(copy, "ripc", &sites, NULL);
		free(sites);
		assert_int_equal(pwrite(to, bytes + at, 1, at), 1);
	}
	for (off_t size = st.st_size; size > 0; size -= size > 4096 ? 4099 : 61) {
		assert_int_equal(ftruncate(to, size), 0);
		usdt_sites(copy, "ripc", &sites, NULL);
		free(sites);
	}
	free(bytes);
	close(from);
	close(to);
	unlink(copy);
}

static void no_files(void **state)
{
	struct usdt_site *sites;
	(void)state;
	assert_int_equal(usdt_sites("/nowhere/at/all", "ripc", &sites, NULL), -ENOENT);
	assert_null(sites);
	assert_int_equal(usdt_sites("/dev/null", "ripc", &sites, NULL), 0);
	assert_true(usdt_sites("/tmp", "ripc", &sites, NULL) <= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments),	 cmocka_unit_test(forms_not_known),
		cmocka_unit_test(libripc_s_own), cmocka_unit_test(damaged_files),
		cmocka_unit_test(no_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
