// SPDX-License-Identifier: GPL-2.0-or-later
#include "dashboard.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "say.h"
#include "ui/tui/table.h"
#include "ui/tui/view.h"

static int find(const char *word)
{
	for (int i = 0; i < VIEW_MAX; i++)
		if (strcasecmp(views[i]->name, word) == 0)
			return i;
	return -1;
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

void dashboard_opts(struct dashboard_opts *o, const struct args *a, const char *verb)
{
	const char *no_colour = getenv("NO_COLOR");

	o->tui = (struct tui_opts){
		.verb = verb,
		.title = a->scope_text,
		.interval_s = a->interval_s,
		.refreshes = a->refreshes > LONG_MAX ? LONG_MAX : (long)a->refreshes,
		.view = a->view ? (enum tui_view)find(a->view) : VIEW_PROCESSES,
		.sort = a->sort,
		.filter = a->filter,
		.mono = no_colour && *no_colour,
		.config = tui_config_path(o->config) == 0 ? o->config : NULL,
	};
}

bool dashboard_is_possible(const struct args *a, const char *verb)
{
	struct fail fail = { 0 };
	struct table asked = { .view = views[a->view ? find(a->view) : VIEW_PROCESSES] };

	if (a->sort && table_sort_by(&asked, a->sort, &fail) < 0) {
		say_fail(&fail);
		return false;
	}
	if (a->json || a->batch || (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)))
		return true;
	fail_set(&fail, 0, "use -b for text, or --json", "%s: this is not a terminal", verb);
	say_fail(&fail);
	return false;
}
