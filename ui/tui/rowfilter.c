// SPDX-License-Identifier: GPL-2.0-or-later
/* Which rows of a view are shown; see rowfilter.h. */
#include "ui/tui/rowfilter.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WORD_SIZE 256

static const struct {
	const char *key;
	enum facet facet;
} facets[] = { { "kind=", FACET_KIND }, { "chan=", FACET_CHAN }, { "op=", FACET_OP } };

bool row_shows(const struct view *view, const struct row *row, const char *plain)
{
	char buf[VALUE_SIZE];

	for (int i = 0; i < view->ncolumns; i++) {
		const struct column *c = &view->columns[i];

		if (c->width && strcasestr(value_string(c, &row->values[i], buf), plain))
			return true;
	}
	return false;
}

/* `text` matches one of the comma-separated patterns in `globs`. */
static bool any_glob(const char *globs, const char *text)
{
	char glob[WORD_SIZE];

	for (const char *p = globs; *p;) {
		size_t n = strcspn(p, ",");

		snprintf(glob, sizeof(glob), "%.*s", (int)n, p);
		/* a name may look like a pattern that it does not match: pipe:[123] */
		if (strcasecmp(glob, text) == 0 || fnmatch(glob, text, FNM_CASEFOLD) == 0)
			return true;
		p += n + (p[n] == ',');
	}
	return false;
}

static bool facet_matches(const struct view *view, const struct row *row, enum facet facet,
			  const char *globs)
{
	char buf[VALUE_SIZE];

	for (int i = 0; i < view->ncolumns; i++)
		if (view->columns[i].facet == facet && row->values[i].known &&
		    any_glob(globs, value_string(&view->columns[i], &row->values[i], buf)))
			return true;
	return false;
}

static bool pid_matches(const struct row *row, const char *globs)
{
	char pid[16];

	for (int i = 0; i < row->nends; i++) {
		snprintf(pid, sizeof(pid), "%" PRIu32, row->ends[i].pid);
		if (any_glob(globs, pid))
			return true;
	}
	return false;
}

static bool comm_matches(const struct row *row, const char *globs)
{
	for (int i = 0; i < row->nends; i++)
		if (any_glob(globs, row->ends[i].comm))
			return true;
	return false;
}

static bool word_matches(const struct view *view, const struct row *row, const char *word)
{
	if (strncasecmp(word, "pid=", 4) == 0)
		return pid_matches(row, word + 4);
	if (strncasecmp(word, "comm=", 5) == 0)
		return comm_matches(row, word + 5);
	for (size_t i = 0; i < sizeof(facets) / sizeof(facets[0]); i++) {
		size_t n = strlen(facets[i].key);

		if (strncasecmp(word, facets[i].key, n) == 0)
			return facet_matches(view, row, facets[i].facet, word + n);
	}
	return row_shows(view, row, word);
}

bool rowfilter_match(const char *text, const struct view *view, const struct row *row)
{
	char word[WORD_SIZE];

	for (;;) {
		bool negated;
		size_t n;

		text += strspn(text, " ");
		if (!*text)
			return true;
		negated = *text == '!';
		text += negated;
		n = strcspn(text, " ");
		snprintf(word, sizeof(word), "%.*s", (int)n, text);
		text += n;
		/* A word that is still being typed ("!", "pid=") hides nothing yet. */
		if (!*word || word[strlen(word) - 1] == '=')
			continue;
		if (word_matches(view, row, word) == negated)
			return false;
	}
}
