/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file whole, whatever its size: those of /proc and of BPF iterators tell none before they are read. */
#ifndef IPCTAP_BASE_SLURP_H
#define IPCTAP_BASE_SLURP_H

#include <stddef.h>

/*
 * What is left of an open file that blocks, up to its end, *len bytes and a NUL behind them; the caller
 * frees it. NULL, with errno, when a read fails: part of a file is none. EAGAIN, with which a BPF iterator
 * that has passed over much asks to be called again, is no failure. Leaves the descriptor open.
 */
char *slurp_fd(int fd, size_t *len);

/* A file by its name, as text. NULL with errno. */
char *slurp(const char *path);

#endif
