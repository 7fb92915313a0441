/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of text: what printer.c and printer_verbose.c have in common. */
#ifndef IPCTAP_UI_CLI_PRINTER_LINE_H
#define IPCTAP_UI_CLI_PRINTER_LINE_H

#include "ui/cli/printer.h"

/* What a line begins with: the time, to either of the printer's files, and the thread; a blank behind each. */
void printer_time(const struct printer *p, FILE *out, uint64_t t_ns);
void printer_who(const struct printer *p, uint32_t pid, uint32_t tid);
void printer_chan(const struct printer *p, uint64_t id);

/* The line of an event that only -v tells of; nothing for others. */
void printer_verbose(const struct printer *p, const struct ev_hdr *ev);

#endif
