/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Static probes in ELF files, as <sys/sdt.h> leaves them: notes of type stapsdt, each with a place
 * in the code and where the arguments lie there. Files are hostile: what does not make sense is
 * passed over, nothing is read outside. 64-bit files of x86 only.
 */
#ifndef IPCTAP_COLLECTOR_USDT_H
#define IPCTAP_COLLECTOR_USDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/abi/raw.h"

struct usdt_site {
	char name[16];	 /* of the probe */
	uint64_t offset; /* of its instruction in the file */
	struct raw_usdt args;
};

/*
 * The sites of one provider: *sites is malloc'ed, the caller frees it. Returns how many there are
 * (0: none, and *sites is NULL) or a negative errno. *passed_over (may be NULL): those whose
 * arguments are of a form that is not known here, or more than RAW_USDT_ARGS.
 */
int usdt_sites(const char *path, const char *provider, struct usdt_site **sites,
	       size_t *passed_over);

/* "8@%rdi -4@$5 8@-16(%rbp)", as in the notes; false: a form not known. */
bool usdt_parse_args(const char *text, struct raw_usdt *out);

#endif
