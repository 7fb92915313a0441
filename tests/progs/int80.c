// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes seven 32-bit system calls on a pipe from a 64-bit program, by int $0x80, and says so:
 * `compat=7`. Exits 77 where the kernel has no 32-bit calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __x86_64__

enum { I386_READ = 3, I386_WRITE = 4, I386_PIPE = 42 };

/* Without 32-bit support the instruction is a general protection fault. */
static void on_fault(int sig)
{
	(void)sig;
	_exit(77);
}

/* Addresses must lie below 4 GiB. */
static int int80(int nr, unsigned long a, unsigned long b, unsigned long c)
{
	int ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory");
	return ret;
}

int main(void)
{
	unsigned char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int *fds = (int *)low, calls = 0, ret;

	if (low == MAP_FAILED)
		return 99;
	signal(SIGSEGV, on_fault);
	ret = int80(I386_PIPE, (unsigned long)fds, 0, 0);
	if (ret == -ENOSYS)
		return 77;
	calls++;
	for (int i = 1; i <= 3 && ret == 0; i++) {
		unsigned long data = (unsigned long)low + 64;

		if (int80(I386_WRITE, (unsigned long)fds[1], data, (unsigned long)i) != i ||
		    int80(I386_READ, (unsigned long)fds[0], data, 16) != i)
			ret = 1;
		calls += 2;
	}
	printf("compat=%d\n", calls);
	return ret != 0;
}

#else

int main(void) { return 77; }

#endif
