/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TAP from a C program, and comparison with golden files. */
#ifndef IPCTAP_TESTS_SCREENS_TAP_H
#define IPCTAP_TESTS_SCREENS_TAP_H

#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_n, tap_failed;

__attribute__((format(printf, 2, 3))) static inline bool ok(bool passed, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", passed ? "" : "not ", ++tap_n);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	tap_failed += !passed;
	return passed;
}

static inline bool is_text(const char *got, const char *wanted, const char *name)
{
	bool same = strcmp(got, wanted) == 0;

	if (!ok(same, "%s", name))
		printf("#    got: %s\n# wanted: %s\n", got, wanted);
	return same;
}

/* The whole file; NULL when it cannot be read. */
static inline char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;
	ssize_t n;

	if (!f)
		return NULL;
	n = getdelim(&text, &size, '\0', f);
	fclose(f);
	if (n < 0) {
		free(text);
		return NULL;
	}
	return text;
}

static inline void show_difference(const char *got, const char *wanted)
{
	for (int line = 1; *got || *wanted; line++) {
		size_t g = strcspn(got, "\n"), w = strcspn(wanted, "\n");

		if (g != w || memcmp(got, wanted, g) != 0)
			printf("# line %d\n#    got: %.*s\n# wanted: %.*s\n", line, (int)g, got, (int)w,
			       wanted);
		got += g + (got[g] != '\0');
		wanted += w + (wanted[w] != '\0');
	}
}

/* `got` is what DIR/NAME.txt holds; with `update`, it is made so. */
static inline void is_golden(const char *dir, const char *name, const char *got, bool update)
{
	char path[4096];
	char *wanted;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.txt", dir, name);
	if (update && (f = fopen(path, "w"))) {
		fputs(got, f);
		fclose(f);
	}
	wanted = slurp(path);
	if (!ok(wanted && strcmp(got, wanted) == 0, "golden: %s", name))
		show_difference(got, wanted ? wanted : "");
	free(wanted);
}

static inline int done_testing(void)
{
	printf("1..%d\n", tap_n);
	return tap_failed != 0;
}

#endif
