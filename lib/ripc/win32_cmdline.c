// SPDX-License-Identifier: LGPL-2.1-or-later
#include "win32_cmdline.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* The program's name. Returns where the rest begins. */
static const char *take_program(const char *in, char **out)
{
	if (*in == '"') {
		for (in++; *in && *in != '"'; in++)
			*(*out)++ = *in;
		in += *in == '"';
	} else {
		while (*in && !is_blank(*in))
			*(*out)++ = *in++;
	}
	*(*out)++ = '\0';
	return in;
}

/* A run of backslashes at `in`, and what it makes of a quote that follows. */
static const char *take_backslashes(const char *in, char **out)
{
	size_t n = strspn(in, "\\"), keep = in[n] == '"' ? n / 2 : n;

	memset(*out, '\\', keep);
	*out += keep;
	in += n;
	if (*in == '"' && n % 2)
		*(*out)++ = *in++;
	return in;
}

static const char *take_argument(const char *in, char **out)
{
	bool quoted = false;

	while (*in && (quoted || !is_blank(*in))) {
		if (*in == '\\') {
			in = take_backslashes(in, out);
		} else if (*in != '"') {
			*(*out)++ = *in++;
		} else if (quoted && in[1] == '"') {
			*(*out)++ = '"';
			in += 2;
		} else {
			quoted = !quoted;
			in++;
		}
	}
	*(*out)++ = '\0';
	return in;
}

char **w32_cmdline_split(const char *line)
{
	size_t len = strlen(line), max = len / 2 + 3, argc = 0;
	/* no argument is longer than its source, and each has a blank or the end behind it */
	char **argv = malloc(max * sizeof(*argv) + len + 2), *out;

	if (!argv)
		return NULL;
	out = (char *)(argv + max);
	argv[argc++] = out;
	line = take_program(line, &out);
	for (;;) {
		line += strspn(line, " \t");
		if (!*line)
			break;
		argv[argc++] = out;
		line = take_argument(line, &out);
	}
	argv[argc] = NULL;
	return argv;
}
