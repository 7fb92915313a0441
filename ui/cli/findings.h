/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verdicts as deadlock and why print them: in words, and as JSON (keys in ipctap-deadlock(1)).
 * Whatever comes out of here is safe on a terminal.
 */
#ifndef IPCTAP_UI_CLI_FINDINGS_H
#define IPCTAP_UI_CLI_FINDINGS_H

#include <jansson.h>
#include <stdio.h>

#include "args.h"
#include "lib/analysis/explain.h"

struct snap;
struct stacks;

struct findings_view {
	const struct solution *solution; /* borrowed */
	uint64_t now_ns;
	enum wg_verdict level; /* the weakest verdict to show */
	bool *in_scope;        /* by thread; NULL: all are */
	bool verbose;          /* the certificate in the text too */
	struct stacks *stacks; /* borrowed; NULL: none */
	bool live;             /* the processes are there, and /proc can be asked about them */
};

/*
 * Marks the threads of the scope: processes named by it and, unless no_follow, their descendants.
 * `command`: the process that stands for -- CMD, else 0. -ENOMEM or 0. findings_release frees.
 */
int findings_set_scope(struct findings_view *v, const struct scope *scope, pid_t command);
void findings_release(struct findings_view *v);

/* Says on stderr why less can be seen than with BPF, when that is so. */
void findings_say_source(const struct snap *snap);

/* At or above the level, and with somebody of the scope in its core or among its victims. */
bool findings_has(const struct findings_view *v, const struct wg_finding *f);
uint32_t findings_count(const struct findings_view *v);

void findings_print_one(const struct findings_view *v, const struct wg_finding *f, FILE *out);
/* All that is to be shown, or the line that there is nothing; then what could not be judged. */
void findings_print(const struct findings_view *v, FILE *out);
/* "dd[12]  read(3)  pipe:[7] (empty)  for 4.2 s" */
void findings_print_wait(const struct findings_view *v, uint32_t thread, const char *indent,
			 FILE *out);

json_t *findings_json(const struct findings_view *v);
json_t *findings_json_one(const struct findings_view *v, const struct wg_finding *f);
json_t *findings_json_wait(const struct findings_view *v, uint32_t thread);

#endif
