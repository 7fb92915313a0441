/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside ripc_win32: a command line, cut into arguments by the rules of the Microsoft C runtime
 * ("Parsing C command-line arguments"):
 * - arguments are parted by blanks and tabs, outside quotes;
 * - the first is the program: it ends at the closing quote when it begins with one, else at the
 *   first blank, and backslashes in it are just that;
 * - 2n backslashes before a quote give n and the quote parts; 2n + 1 give n and a plain quote;
 *   backslashes elsewhere are just that; "" inside quotes is one plain quote.
 */
#ifndef RIPC_WIN32_CMDLINE_H
#define RIPC_WIN32_CMDLINE_H

/* An argument vector in one block of memory, to be freed; NULL: no memory. argv[0] may be "". */
char **w32_cmdline_split(const char *line);

#endif
