// SPDX-License-Identifier: GPL-2.0-or-later
/* The line that is typed: what to search for, which rows to show, where to write; see dash.h. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "ui/tui/dash.h"
#include "ui/tui/keys.h"

void prompt_open(struct dash *d, enum dash_prompt prompt)
{
	d->prompt = prompt;
	d->input[0] = '\0';
	if (prompt == PROMPT_FILTER)
		memcpy(d->input, d->filter.text, sizeof(d->input));
	if (prompt == PROMPT_EXPORT)
		export_name(d, d->input, sizeof(d->input));
	memcpy(d->before, d->filter.text, sizeof(d->before));
	d->mark = table_mark(dash_table(d));
}

/* Rows follow what is typed, letter by letter. */
static void prompt_apply(struct dash *d)
{
	if (d->prompt == PROMPT_EXPORT)
		return;
	if (d->prompt == PROMPT_FILTER) {
		rowfilter_set(&d->filter, d->input);
		dash_arrange(d);
		return;
	}
	memcpy(d->search, d->input, sizeof(d->search));
	table_go_back(dash_table(d), &d->mark); /* each letter searches from where it began */
	if (d->search[0] && !table_search(dash_table(d), d->search, false))
		snprintf(d->message, sizeof(d->message), "no row shows that");
}

void line_append(char *line, size_t size, int key)
{
	size_t len = strlen(line), n;
	mbstate_t state = { 0 };
	char buf[MB_LEN_MAX];

	if (key < ' ' || key >= KEY_SPECIAL || !iswprint((wint_t)key))
		return;
	n = wcrtomb(buf, (wchar_t)key, &state);
	if (n == (size_t)-1 || len + n >= size)
		return;
	memcpy(line + len, buf, n);
	line[len + n] = '\0';
}

void line_erase(char *line)
{
	size_t len = strlen(line);

	while (len > 0 && ((unsigned char)line[--len] & 0xc0) == 0x80)
		;
	line[len] = '\0';
}

static void prompt_leave(struct dash *d)
{
	d->message[0] = '\0';
	if (d->prompt == PROMPT_FILTER) {
		memcpy(d->input, d->before, sizeof(d->input));
		prompt_apply(d);
	} else if (d->prompt == PROMPT_SEARCH) {
		table_go_back(dash_table(d), &d->mark);
	}
	d->prompt = PROMPT_NONE;
}

static void prompt_keep(struct dash *d)
{
	enum dash_prompt prompt = d->prompt;
	struct fail fail = { 0 };

	d->prompt = PROMPT_NONE;
	if (prompt != PROMPT_EXPORT || !d->input[0])
		return;
	if (export_view(d, d->input, &fail) < 0)
		snprintf(d->message, sizeof(d->message), "%.156s", fail.what);
	else
		snprintf(d->message, sizeof(d->message), "written to %.140s", d->input);
}

void prompt_key(struct dash *d, int key)
{
	switch (key) {
	case KEY_RETURN:
	case '\r':
		prompt_keep(d);
		return;
	case KEY_ESCAPE:
		prompt_leave(d);
		return;
	case KEY_TABULATOR:
		if (d->prompt == PROMPT_FILTER)
			complete_filter(d);
		break;
	case KEY_ERASE:
		line_erase(d->input);
		break;
	case KEY_CTRL_U:
		d->input[0] = '\0';
		break;
	default:
		line_append(d->input, sizeof(d->input), key);
	}
	prompt_apply(d);
}
