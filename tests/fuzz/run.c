// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *     fuzz_NAME [-m TIMES] FILE|FOLDER…
 *
 * Gives a fuzz target each file as it is, and then TIMES inputs made of each by changing it, the same
 * ones every time. Tells how many it gave, and how many events the files as they are led to. No fuzzer: it does not learn, but needs no clang.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (128u << 10)
/* An input that takes longer is as bad as one that crashes. */
#define HANG_S 10

static unsigned long times, files, inputs, told;
static uint64_t seed = 1;

static uint64_t any(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static void give(const uint8_t *data, size_t size)
{
	/* of its exact size, so that a look beyond its end is seen */
	uint8_t *copy = malloc(size ? size : 1);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	alarm(HANG_S);
	LLVMFuzzerTestOneInput(copy, size);
	alarm(0);
	free(copy);
	inputs++;
}

static void set_number(uint8_t *at, size_t room)
{
	static const uint64_t numbers[] = { 0, 1, 7, 8, 16, 0x7f, 0xff, 0x100, 0x7fff, 0xffff, 0x10000,
					    0x7fffffff, 0xffffffff, 1ull << 40, INT64_MAX, UINT64_MAX };
	uint64_t n = numbers[any(sizeof(numbers) / sizeof(*numbers))];
	size_t width = (size_t)1 << any(4);
	memcpy(at, &n, width < room ? width : room);
}

/* One to four changes; *size may become less or more, up to INPUT_MAX. */
static void change(uint8_t *data, size_t *size)
{
	for (uint64_t n = 1 + any(4); n > 0 && *size > 0; n--) {
		size_t at = any(*size), other = any(*size), room = *size - at;
		size_t len = 1 + any(room < 256 ? room : 256);
		switch (any(6)) {
		case 0:
			data[at] ^= (uint8_t)(1u << any(8));
			break;
		case 1:
			data[at] = (uint8_t)any(256);
			break;
		case 2:
			set_number(data + at, room);
			break;
		case 3:
			memmove(data + at, data + other, *size - other < len ? *size - other : len);
			break;
		case 4:
			memmove(data + at, data + at + len, room - len);
			*size -= len;
			break;
		default:
			if (*size + len > INPUT_MAX)
				break;
			memmove(data + at + len, data + at, room);
			*size += len;
		}
	}
}

static void run_file(const char *path)
{
	static uint8_t whole[INPUT_MAX], changed[INPUT_MAX];
	FILE *in = fopen(path, "rb");
	size_t size = in ? fread(whole, 1, sizeof(whole), in) : 0;
	if (!in || ferror(in)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	fclose(in);
	files++;
	unsigned long before = fuzz_told;
	give(whole, size);
	told += fuzz_told - before;
	for (unsigned long i = 0; i < times; i++) {
		size_t n = size;
		memcpy(changed, whole, size);
		change(changed, &n);
		give(changed, n);
	}
}

static void run_folder(const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort); /* the same order everywhere */
	if (n < 0) {
		run_file(path);
		return;
	}
	for (int i = 0; i < n; i++) {
		char whole[4096];
		if (names[i]->d_name[0] != '.') {
			snprintf(whole, sizeof(whole), "%s/%s", path, names[i]->d_name);
			run_file(whole);
		}
		free(names[i]);
	}
	free(names);
}

int main(int argc, char **argv)
{
	int first = 1;
	if (argc > 3 && strcmp(argv[1], "-m") == 0) {
		times = strtoul(argv[2], NULL, 10);
		first = 3;
	}
	for (int i = first; i < argc; i++)
		run_folder(argv[i]);
	printf("files=%lu inputs=%lu told=%lu\n", files, inputs, told);
	return files ? 0 : 2;
}
