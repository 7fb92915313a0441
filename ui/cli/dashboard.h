/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verbs that have a dashboard, top and replay, make of their options alike. */
#ifndef IPCTAP_UI_CLI_DASHBOARD_H
#define IPCTAP_UI_CLI_DASHBOARD_H

#include "args.h"
#include "ui/tui/tui.h"

args_setter args_view; /* const char *: a view by its name, in any case */

struct dashboard_opts {
	struct tui_opts tui;
	char config[TUI_PATH_SIZE];
};
/* Fills *o, which borrows from *a: all but the model and where it comes from. */
void dashboard_opts(struct dashboard_opts *o, const struct args *a, const char *verb);

/* Whether it can be shown: as text, as JSON, or on a terminal. If not, it was said why. */
bool dashboard_is_possible(const struct args *a, const char *verb);

#endif
