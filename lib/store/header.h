/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first 100 bytes of a SQLite file, read without SQLite. Private to lib/store. */
#ifndef IPCTAP_STORE_HEADER_H
#define IPCTAP_STORE_HEADER_H

#include <stdint.h>

enum header_is {
	HEADER_OURS,
	HEADER_EMPTY, /* a file of 0 bytes */
	HEADER_NOT_SQLITE,
	HEADER_NOT_OURS, /* SQLite, but of another application */
};

struct header {
	enum header_is is;
	uint32_t user_version;
	uint64_t expected_bytes; /* that the file should have, as far as the header tells; else 0 */
};

/* Reads from fd, a regular file. 0 or -errno. */
int header_read(int fd, struct header *h);

#endif
