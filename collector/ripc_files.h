/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files have libripc's static probes in them (ELF notes, provider "ripc"): the library, and
 * programs and libraries that it is linked into. Each file is looked into once.
 */
#ifndef IPCTAP_COLLECTOR_RIPC_FILES_H
#define IPCTAP_COLLECTOR_RIPC_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#include "collector/usdt.h"

struct ripc_files;

/* Called once for each file that has them; nothing of it is good for longer. */
typedef void ripc_found(void *arg, const char *path, const struct usdt_site *sites, size_t n);

struct ripc_files *ripc_files_new(ripc_found *found, void *arg);
void ripc_files_free(struct ripc_files *f); /* accepts NULL */

/* One file; nothing when it is none, or was looked into before. */
void ripc_files_look(struct ripc_files *f, const char *path);

/*
 * Where the library is most likely to be before anybody has mapped it: the command itself (argv, may
 * be NULL), the folder it is in, $LD_PRELOAD, $LD_LIBRARY_PATH, our own folder, the system's.
 */
void ripc_files_likely(struct ripc_files *f, char *const *argv);

/* What process pid runs, or, `mapped`, all files that it has mapped for execution. */
void ripc_files_process(struct ripc_files *f, pid_t pid, bool mapped);

#endif
