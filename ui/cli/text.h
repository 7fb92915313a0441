/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the listing verbs name things and where they write. Whatever comes out of these is safe on
 * a terminal (lib/base/escape.h).
 */
#ifndef IPCTAP_UI_CLI_TEXT_H
#define IPCTAP_UI_CLI_TEXT_H

#include <jansson.h>
#include <stdio.h>

#include "lib/base/escape.h"
#include "lib/base/fail.h"
#include "lib/model/model.h"

#define TEXT_SIZE ESCAPE_SIZE(EV_IDENT_LEN + 16)

/* Each writes into buf and returns it. */
const char *text_comm(char buf[static TEXT_SIZE], const char *comm); /* "?" when it is empty */
const char *text_proc(char buf[static TEXT_SIZE], const struct m_proc *p); /* "dd[12]"; NULL: "?" */
const char *text_task(char buf[static TEXT_SIZE],
		      const struct m_task *t); /* "dd[12]", "x[12/13]" */
/* What people call it, else what the kernel does, else its number. NULL: "?". */
const char *text_chan(char buf[static TEXT_SIZE], const struct m_chan *c);
const char *text_ident(char buf[static TEXT_SIZE], const struct m_chan *c);

/* "EPIPE"; also the kernel's own numbers that a tracer sees and errno(3) lacks. */
const char *text_errno(char buf[static 32], int err);

/* As it is when it is UTF-8, else escaped. JSON has its own quoting: dump with JSON_ENSURE_ASCII.
 */
json_t *json_text(const char *text);
json_t *json_proc_pid(const struct m_proc *p); /* null when it was not seen */

/* stdout, or the file of -o. NULL with *fail filled. */
FILE *out_open(const char *path, struct fail *fail);
/*
 * Flushes, and closes what is not stdout. A reader that went away (`| head`) is no failure; a full
 * disk is. `path` as given to out_open.
 */
int out_close(FILE *out, const char *path, struct fail *fail);

#endif
