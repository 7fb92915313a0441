// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The least that a preloaded library can do about a call: forwards it. With INTERPOSE_STORE in the
 * environment, what none that tells of calls can do without: takes the time before and after, and stores
 * a record of 96 bytes. The floor beside which the shim is measured.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RECORD_BYTES 96
#define ROOM (1u << 20)

struct record {
	uint64_t from_ns, to_ns;
	int64_t ret;
	const void *what;
	uint8_t rest[RECORD_BYTES - 32];
};

static struct {
	ssize_t (*read)(int, void *, size_t);
	ssize_t (*write)(int, const void *, size_t);
	int (*lock)(pthread_mutex_t *);
	int (*unlock)(pthread_mutex_t *);
} real;
static int stores;
static __thread uint64_t position __attribute__((tls_model("initial-exec")));
static uint8_t ring[ROOM + RECORD_BYTES] __attribute__((aligned(64)));

__attribute__((constructor)) static void load(void)
{
	*(void **)&real.read = dlsym(RTLD_NEXT, "read");
	*(void **)&real.write = dlsym(RTLD_NEXT, "write");
	*(void **)&real.lock = dlsym(RTLD_NEXT, "pthread_mutex_lock");
	*(void **)&real.unlock = dlsym(RTLD_NEXT, "pthread_mutex_unlock");
	stores = getenv("INTERPOSE_STORE") != NULL;
}

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void store(uint64_t from_ns, int64_t ret, const void *what)
{
	struct record r = { .from_ns = from_ns, .to_ns = now_ns(), .ret = ret, .what = what };
	memcpy(ring + position, &r, sizeof(r));
	position = (position + sizeof(r)) & (ROOM - 1);
}

#define FORWARD(type, call, what)                                                                  \
	do {                                                                                       \
		if (!stores)                                                                       \
			return call;                                                               \
		uint64_t from_ns = now_ns();                                                       \
		type ret = call;                                                                   \
		store(from_ns, (int64_t)ret, what);                                                \
		return ret;                                                                        \
	} while (0)

ssize_t read(int fd, void *buf, size_t n) { FORWARD(ssize_t, real.read(fd, buf, n), buf); }
ssize_t write(int fd, const void *buf, size_t n) { FORWARD(ssize_t, real.write(fd, buf, n), buf); }
int pthread_mutex_lock(pthread_mutex_t *m) { FORWARD(int, real.lock(m), m); }
int pthread_mutex_unlock(pthread_mutex_t *m) { FORWARD(int, real.unlock(m), m); }
