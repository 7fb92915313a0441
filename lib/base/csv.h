/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text as a field of a CSV file (RFC 4180). */
#ifndef IPCTAP_BASE_CSV_H
#define IPCTAP_BASE_CSV_H

#include <stdio.h>

/* In quotes if it has to be: a comma, a quote or the end of a line in it. No comma behind it. */
void csv_put(FILE *out, const char *text);

#endif
