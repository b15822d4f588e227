/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "said.h"

void
said_begin(struct said *s, unsigned int streams)
{
	fflush(stdout);
	s->streams = streams;
	s->file = memfd_create("said", MFD_CLOEXEC);
	assert_true(s->file >= 0);
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		if ((streams & 1u << fd) == 0)
			continue;
		s->before[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		assert_true(s->before[fd] >= 0);
		assert_int_equal(dup2(s->file, fd), fd);
	}
}

const char *
said_end(struct said *s, char *to, size_t size)
{
	ssize_t n;

	fflush(stdout);
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		if ((s->streams & 1u << fd) == 0)
			continue;
		dup2(s->before[fd], fd);
		close(s->before[fd]);
	}
	n = pread(s->file, to, size - 1, 0);
	close(s->file);
	assert_true(n >= 0);
	to[n] = '\0';
	return to;
}
