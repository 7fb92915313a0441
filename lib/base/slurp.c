// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define FIRST 8192

char *slurp_fd(int fd, size_t *len)
{
	size_t room = FIRST;
	char *buf = malloc(room);

	*len = 0;
	while (buf) {
		ssize_t n = read(fd, buf + *len, room - *len - 1);

		if (n == 0) {
			buf[*len] = '\0';
			return buf;
		}
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			break;
		*len += (size_t)n;
		if (room - *len < 2) {
			char *grown = realloc(buf, room *= 2);

			if (!grown)
				break;
			buf = grown;
		}
	}

	int err = buf ? errno : ENOMEM;

	free(buf);
	errno = err;
	return NULL;
}

char *slurp(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	size_t len;
	char *buf;

	if (fd < 0)
		return NULL;
	buf = slurp_fd(fd, &len);
	err = errno;
	close(fd);
	errno = err;
	return buf;
}
