// SPDX-License-Identifier: GPL-2.0-or-later
/* Tab in the filter: words, kinds, calls, names and numbers that could stand where one is typed. */
#include <stdio.h>
#include <string.h>

#include "lib/abi/words.h"
#include "lib/abi/event.h"
#include "ui/tui/dash.h"

/* What fits so far: how many, what they have in common, and a few of them to show. */
struct fits {
	const char *typed;
	int n;
	char common[DASH_INPUT_SIZE];
	char some[120];
};

static void offer(struct fits *f, const char *word)
{
	size_t typed = strlen(f->typed), len = strlen(f->some), same = 0;

	if (strncasecmp(word, f->typed, typed) != 0 || strchr(word, ' '))
		return;
	if (f->n) {
		while (f->common[same] && f->common[same] == word[same])
			same++;
		if (!f->common[same] && !word[same])
			return; /* once more */
		while (same > typed && ((unsigned char)f->common[same] & 0xc0) == 0x80)
			same--;
		f->common[same] = '\0';
	} else {
		snprintf(f->common, sizeof(f->common), "%s", word);
	}
	f->n++;
	if (len < sizeof(f->some))
		snprintf(f->some + len, sizeof(f->some) - len, "%s%s", len ? "  " : "", word);
}

/* Of the rows that there are: the same name is often offered, and counted, more than once. */
static void offer_ends(struct fits *f, struct table *t, bool names)
{
	char last[64] = "", pid[16];

	if (table_fill_rows(t, LATE_TEXT) < 0)
		return;
	for (size_t i = 0; i < t->rows.n; i++)
		for (int e = 0; e < t->rows.v[i].nends; e++) {
			const struct row_end *end = &t->rows.v[i].ends[e];

			snprintf(pid, sizeof(pid), "%u", end->pid);
			if (strcmp(last, names ? end->comm : pid) == 0)
				continue;
			snprintf(last, sizeof(last), "%s", names ? end->comm : pid);
			offer(f, last);
		}
}

static void offer_values(struct fits *f, struct dash *d, const char *key, size_t n)
{
	static const char *const families[] = { "send", "recv", "read", "write", "open",
						"create", "ctl", "signal", "wait", "poll" };

	if (strncmp(key, "kind=", n) == 0)
		for (unsigned int k = 1; k < KIND_MAX; k++)
			offer(f, kind_word(k));
	else if (strncmp(key, "op=", n) == 0) {
		for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
			offer(f, families[i]);
		for (unsigned int op = 1; op < OP_MAX; op++)
			if (op_parse(op_word(op)) == (int)op)
				offer(f, op_word(op));
	} else if (strncmp(key, "comm=", n) == 0)
		offer_ends(f, &d->frame.tables[VIEW_PROCESSES], true);
	else if (strncmp(key, "pid=", n) == 0)
		offer_ends(f, &d->frame.tables[VIEW_PROCESSES], false);
}

void complete_filter(struct dash *d)
{
	struct fits f = { 0 };
	char *word = strrchr(d->input, ' '), *value, typed[DASH_INPUT_SIZE];
	size_t room, at;

	word = word ? word + 1 : d->input;
	word += *word == '!';
	value = strchr(word, '=');
	if (value && strrchr(value, ','))
		value = strrchr(value, ',');
	snprintf(typed, sizeof(typed), "%s", value ? value + 1 : word);
	f.typed = typed;
	if (value)
		offer_values(&f, d, word, (size_t)(strchr(word, '=') - word) + 1);
	else
		for (int i = 0; rowfilter_words[i]; i++)
			offer(&f, rowfilter_words[i]);
	if (!f.n) {
		dash_say(d, "nothing begins like that");
		return;
	}
	at = (size_t)((value ? value + 1 : word) - d->input);
	room = sizeof(d->input) - at;
	if (strlen(f.common) < room)
		snprintf(d->input + at, room, "%s", f.common);
	if (f.n > 1)
		dash_say(d, "%s", f.some);
}
