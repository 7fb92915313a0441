// SPDX-License-Identifier: GPL-2.0-or-later
#include "views.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ui/tui/view.h"

static int find(const char *word)
{
	for (int i = 0; i < VIEW_MAX; i++)
		if (strcasecmp(views[i]->name, word) == 0)
			return i;
	return -1;
}

enum tui_view views_parse(const char *word)
{
	return word ? (enum tui_view)find(word) : (enum tui_view)0;
}

/* "processes, channels or talk" */
static void list(char *buf, size_t size)
{
	size_t n = 0;

	for (int i = 0; i < VIEW_MAX && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%c%s",
				      i == 0 ? "" : i == VIEW_MAX - 1 ? " or " : ", ",
				      views[i]->name[0] | 0x20, views[i]->name + 1);
}

int args_view(struct args *a, const struct args_row *row, const char *value, struct fail *fail)
{
	char names[128], remedy[160];

	if (find(value) < 0) {
		list(names, sizeof(names));
		snprintf(remedy, sizeof(remedy), "write %s", names);
		fail_set(fail, 0, remedy, "--%s: '%s' is not a view", row->name, value);
		return -EINVAL;
	}
	a->view = value;
	return 0;
}
