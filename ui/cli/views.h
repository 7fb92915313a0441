/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The option --view of the verbs that have a dashboard: a view by its name, in any case. */
#ifndef IPCTAP_UI_CLI_VIEWS_H
#define IPCTAP_UI_CLI_VIEWS_H

#include "args.h"
#include "ui/tui/tui.h"

args_setter args_view; /* const char * */
enum tui_view views_parse(const char *word); /* of one that args_view took, or NULL: the first */

#endif
