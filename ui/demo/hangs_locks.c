// SPDX-License-Identifier: GPL-2.0-or-later
/* Cases of the corpus of waits (hangs.h): locks of files, by flock and fcntl. */
#include "hangs_cases.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "hangs_kit.h"

static int temp_file(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	hang_must(fd >= 0, "O_TMPFILE");
	return fd;
}

/* The same file opened anew: a struct file of its own. */
static int reopen(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_RDWR);
	hang_must(fd >= 0, "reopen");
	return fd;
}

static struct flock range(int type, int at)
{
	return (struct flock){ .l_type = (short)type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
}

void case_flock_abba(void)
{
	struct hang_meeting *m = hang_shared(sizeof(*m));
	int f[2] = { temp_file(), temp_file() };

	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "fk-right" : "fk-left")) {
			int mine = reopen(f[i]), other = reopen(f[!i]);

			flock(mine, LOCK_EX);
			hang_meet(m, 2);
			flock(other, LOCK_EX);
			hang_got_past();
		}
	hang_wait_for_all();
}

static void locks_cross(int cmd, const char *left, const char *right)
{
	struct hang_meeting *m = hang_shared(sizeof(*m));
	int f = temp_file();

	for (int i = 0; i < 2; i++)
		if (hang_member(i ? right : left)) {
			int fd = reopen(f);
			struct flock mine = range(F_WRLCK, i), other = range(F_WRLCK, !i);

			fcntl(fd, cmd, &mine);
			hang_meet(m, 2);
			if (fcntl(fd, cmd, &other) < 0 && errno == EDEADLK)
				for (;;) /* refused, it goes on with its work */
					hang_rest_ms(1000);
			hang_got_past();
		}
	hang_wait_for_all();
}

void case_ofd_abba(void) { locks_cross(F_OFD_SETLKW, "oa-left", "oa-right"); }
void case_fcntl_abba(void) { locks_cross(F_SETLKW, "fa-left", "fa-right"); }

/* The same with ranges told from where the file's offset is. */
void case_ofd_offset(void)
{
	struct hang_meeting *m = hang_shared(sizeof(*m));
	int f = temp_file();

	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "oo-right" : "oo-left")) {
			int fd = reopen(f);
			struct flock mine = range(F_WRLCK, 0), other = range(F_WRLCK, 0);

			mine.l_whence = other.l_whence = SEEK_CUR;
			lseek(fd, 100 + i, SEEK_SET);
			fcntl(fd, F_OFD_SETLKW, &mine);
			hang_meet(m, 2);
			lseek(fd, 100 + !i, SEEK_SET);
			fcntl(fd, F_OFD_SETLKW, &other);
			hang_got_past();
		}
	hang_wait_for_all();
}

/* The kernel refuses the second; the first has to wait until that lets go of its own. */
void case_fcntl_upgrade(void)
{
	struct hang_meeting *m = hang_shared(sizeof(*m));
	int f = temp_file();

	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "fq-right" : "fq-left")) {
			struct flock read_lock = range(F_RDLCK, 0), write_lock = range(F_WRLCK, 0);

			fcntl(f, F_SETLKW, &read_lock);
			hang_meet(m, 2);
			fcntl(f, F_SETLKW, &write_lock);
			for (;;) /* refused or not, it goes on with its work */
				hang_rest_ms(1000);
		}
	hang_wait_for_all();
}

void case_ofd_upgrade(void)
{
	struct hang_meeting *m = hang_shared(sizeof(*m));
	int f = temp_file();

	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "ou-right" : "ou-left")) {
			int fd = reopen(f);
			struct flock read_lock = range(F_RDLCK, 0), write_lock = range(F_WRLCK, 0);

			fcntl(fd, F_OFD_SETLKW, &read_lock);
			hang_meet(m, 2);
			fcntl(fd, F_OFD_SETLKW, &write_lock);
			hang_got_past();
		}
	hang_wait_for_all();
}

/* The lock belongs to what the dead parent opened, and its child still has that. */
void case_flock_heir(void)
{
	struct hang_meeting *m = hang_shared(sizeof(*m));
	int f = temp_file(), held = reopen(f);

	flock(held, LOCK_EX);
	if (hang_member("lh-heir")) {
		hang_meet(m, 2);
		pause();
		hang_got_past();
	}
	close(held);
	if (hang_member("lh-waiter")) {
		int mine = reopen(f);

		hang_meet(m, 2);
		flock(mine, LOCK_EX);
		hang_got_past();
	}
	close(f);
	hang_wait_for_all();
}

/* Linux gives up the shared lock first, so that two who upgrade get it in turn. */
void case_flock_upgrade(void)
{
	struct hang_meeting *m = hang_shared(sizeof(*m));
	int f = temp_file();

	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "fu-right" : "fu-left")) {
			int fd = reopen(f);

			flock(fd, LOCK_SH);
			hang_meet(m, 2);
			flock(fd, LOCK_EX);
			for (;;) /* got it; gives it back now and then */
				hang_rest_ms(1000);
		}
	hang_wait_for_all();
}
