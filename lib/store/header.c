// SPDX-License-Identifier: GPL-2.0-or-later
#include "header.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "schema.h"

/* https://www.sqlite.org/fileformat2.html, section 1.3 */
#define AT_PAGE_SIZE 16
#define AT_CHANGES 24
#define AT_PAGES 28
#define AT_USER_VERSION 60
#define AT_APPLICATION_ID 68
#define AT_VALID_FOR 92
#define HEADER_BYTES 100

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

int header_read(int fd, struct header *h)
{
	unsigned char raw[HEADER_BYTES];
	ssize_t n = pread(fd, raw, sizeof(raw), 0);
	if (n < 0)
		return -errno;
	*h = (struct header){.is = n == 0 ? HEADER_EMPTY : HEADER_NOT_SQLITE};
	if (n < HEADER_BYTES || memcmp(raw, "SQLite format 3", 16) != 0)
		return 0;
	h->is =
	    be32(raw + AT_APPLICATION_ID) == TRACE_APPLICATION_ID ? HEADER_OURS : HEADER_NOT_OURS;
	h->user_version = be32(raw + AT_USER_VERSION);
	uint32_t page = (uint32_t)raw[AT_PAGE_SIZE] << 8 | raw[AT_PAGE_SIZE + 1];
	if (be32(raw + AT_VALID_FOR) == be32(raw + AT_CHANGES))
		h->expected_bytes = (uint64_t)be32(raw + AT_PAGES) * (page == 1 ? 65536 : page);
	return 0;
}
