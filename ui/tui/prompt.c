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
		memcpy(d->input, dash_filter(d)->text, sizeof(d->input));
	if (prompt == PROMPT_EXPORT)
		export_name(d, d->input, sizeof(d->input));
	memcpy(d->before, dash_filter(d)->text, sizeof(d->before));
	d->mark = table_mark(dash_table(d));
	if (d->npages)
		d->page_mark = dash_page(d)->cursor;
}

/* The cursor where it was when F3 was pressed. */
static void go_back(struct dash *d)
{
	if (d->npages)
		page_go_back(dash_page(d), &d->page_mark);
	else
		table_go_back(dash_table(d), &d->mark);
}

/* Rows follow what is typed, letter by letter. */
static void prompt_apply(struct dash *d)
{
	if (d->prompt == PROMPT_EXPORT)
		return;
	if (d->prompt == PROMPT_FILTER) {
		rowfilter_set(dash_filter(d), d->input);
		if (d->npages)
			dash_arrange_page(d);
		else
			dash_arrange(d);
		return;
	}
	memcpy(d->search, d->input, sizeof(d->search));
	go_back(d); /* each letter searches from where it began */
	if (d->search[0] && !dash_search(d, false))
		dash_say(d, "no row shows that");
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
		go_back(d);
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
		dash_say(d, "%.156s", fail.what);
	else
		dash_say(d, "written to %.140s", d->input);
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
