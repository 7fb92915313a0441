// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *     wide LINES
 *
 * A process sends another LINES lines through a pipe by streams of wide characters, in each of the ways
 * there are; of one, two and three bytes each. Says how many bytes that is: "sent=N".
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

#define LINE_BYTES (3 + 2 + 1 + 1 + 5) /* € é x, a digit, and what fputwc and fwprintf add */

static void send_all(FILE *out, int lines)
{
	for (int i = 0; i < lines; i++) {
		fputws(L"\u20ac\u00e9x", out);
		fputwc(L'0' + i % 10, out);
		fwprintf(out, L"%ls\n", L"abcd");
	}
	fclose(out);
}

static long receive(FILE *in)
{
	wchar_t line[64];
	long n = 0;
	if (fgetwc(in) != L'\u20ac')
		exit(2);
	while (fgetws(line, 64, in))
		n++;
	return n;
}

int main(int argc, char **argv)
{
	int lines = argc > 1 ? atoi(argv[1]) : 1000, fds[2], status;
	if (!setlocale(LC_ALL, "C.UTF-8") || pipe(fds))
		return 1;
	if (fork() == 0) {
		close(fds[1]);
		_exit(receive(fdopen(fds[0], "r")) == lines ? 0 : 2);
	}
	close(fds[0]);
	send_all(fdopen(fds[1], "w"), lines);
	if (wait(&status) < 0 || status)
		return 2;
	printf("sent=%d\n", lines * LINE_BYTES);
	return 0;
}
