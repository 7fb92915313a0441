// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * verifier OBJECT…: what the running kernel's verifier says of each BPF program in these object files,
 * loaded by itself and not attached. One line each, in the file's order:
 *
 *     NAME 136+104+16     loads; the bytes of its frame and of those of the functions appended to it, as far as the
 *                         verifier came into them
 *     NAME refused TEXT   does not; the last that the verifier had to say before its totals, or libbpf's error
 *
 * Exits 1 when a file could not be read.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#define LOG_STATS 4 /* BPF_LOG_STATS of kernel/bpf/verifier.c: totals only */
#define LOG_BYTES (1 << 20)
#define TOTALS "stack depth "

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level, (void)fmt, (void)args;
	return 0;
}

/* The last line of LOG that says why; LOG is cut there. NULL: there is none. */
static const char *reason(char *log)
{
	static const char *const totals[] = { "processed ", "verification time ", TOTALS };
	char *why = NULL;
	for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n")) {
		bool total = line[0] == ';'; /* or a line of source */
		for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
			total |= !strncmp(line, totals[i], strlen(totals[i]));
		if (!total)
			why = line;
	}
	return why;
}

/* Loads the program of that number, and no other. Returns 0 when there is none, < 0 when it cannot look. */
static int ask(const char *path, int number, char *log)
{
	struct bpf_object *o = bpf_object__open_file(path, NULL);
	if (!o)
		return -errno;
	struct bpf_program *p, *asked = NULL;
	int n = 0;
	bpf_object__for_each_program(p, o) {
		bpf_program__set_autoload(p, n == number);
		if (n++ == number)
			asked = p;
	}
	if (asked) {
		log[0] = 0;
		bpf_program__set_log_buf(asked, log, LOG_BYTES);
		bpf_program__set_log_level(asked, LOG_STATS);
		int err = bpf_object__load(o);
		char *depth = strstr(log, TOTALS);
		const char *why = err ? reason(log) : NULL;
		if (err)
			printf("%s refused %s\n", bpf_program__name(asked), why ? why : strerror(-err));
		else if (depth)
			printf("%s %.*s\n", bpf_program__name(asked), (int)strcspn(depth + strlen(TOTALS), "\n"),
				depth + strlen(TOTALS));
	}
	bpf_object__close(o);
	return asked != NULL;
}

int main(int argc, char **argv)
{
	char *log = malloc(LOG_BYTES);
	int status = log && argc > 1 ? 0 : 1;
	libbpf_set_print(silent);
	for (int i = 1; log && i < argc; i++) {
		int found = 1;
		for (int n = 0; found > 0; n++)
			found = ask(argv[i], n, log);
		if (found < 0) {
			fprintf(stderr, "verifier: %s: %s\n", argv[i], strerror(-found));
			status = 1;
		}
	}
	free(log);
	return status;
}
