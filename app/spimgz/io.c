/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base_clock.h"
#include "io.h"
#include "spimgz.h"

#define AHEAD (128u << 10)

#define PROGRESS_NS 200000000

/* A line that overwrites itself, five times a second. */
static void
show(const struct input *in, bool last)
{
	static int64_t shown;
	int64_t now = base_now_ns();

	if (!last && now - shown < PROGRESS_NS)
		return;
	shown = now;
	if (last)
		fprintf(stderr, "\r\033[K");
	else if (in->size != 0)
		fprintf(stderr, "\r%s: %" PRIu64 "%%\033[K", in->name,
			in->done / (in->size / 100 + 1));
	else
		fprintf(stderr, "\r%s: %" PRIu64 " MiB\033[K", in->name, in->done >> 20);
}

int
input_open(struct input *in, int fd, const char *name, uint64_t size, bool progress)
{
	*in = (struct input){ .fd = fd, .name = name, .size = size, .progress = progress };
	in->cap = AHEAD;
	in->buf = malloc(in->cap);
	if (in->buf == NULL)
		complain("%s: no memory", name);
	return in->buf != NULL ? 0 : -1;
}

void
input_close(struct input *in)
{
	if (in->progress)
		show(in, true);
	free(in->buf);
}

/* Whether a call is to be made again: at once, or when a non-blocking descriptor is ready. */
static bool
again(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (errno == EINTR)
		return true;
	if (errno != EAGAIN)
		return false;
	(void)poll(&p, 1, -1);
	return true;
}

/* One read. */
static ssize_t
read_some(struct input *in, void *to, size_t n)
{
	ssize_t got;

	do {
		got = read(in->fd, to, n);
	} while (got < 0 && again(in->fd, POLLIN));
	if (got < 0)
		complain("%s: %s", in->name, strerror(errno));
	else
		in->done += (uint64_t)got;
	if (in->progress)
		show(in, false);
	return got;
}

ssize_t
input_read(struct input *in, void *to, size_t n)
{
	size_t have = in->end - in->pos < n ? in->end - in->pos : n;

	memcpy(to, in->buf + in->pos, have);
	in->pos += have;
	while (have < n) {
		ssize_t got = read_some(in, (char *)to + have, n - have);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

int
input_ahead(struct input *in, size_t n)
{
	if (in->end - in->pos >= n)
		return 0;
	memmove(in->buf, in->buf + in->pos, in->end - in->pos);
	in->end -= in->pos;
	in->pos = 0;
	while (in->end < n) {
		ssize_t got = read_some(in, in->buf + in->end, in->cap - in->end);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		in->end += (size_t)got;
	}
	return 0;
}

int
input_back(struct input *in, const void *from, size_t n)
{
	size_t have = in->end - in->pos;

	if (in->pos < n) {
		size_t cap = n + (have > AHEAD ? have : AHEAD);
		uint8_t *buf = malloc(cap);

		if (buf == NULL) {
			complain("%s: no memory", in->name);
			return -1;
		}
		memcpy(buf + n, in->buf + in->pos, have);
		free(in->buf);
		in->buf = buf;
		in->cap = cap;
		in->pos = n;
		in->end = n + have;
	}
	in->pos -= n;
	memcpy(in->buf + in->pos, from, n);
	return 0;
}

int
output_write(int fd, const char *name, const void *from, size_t n)
{
	const char *at = from;

	while (fd >= 0 && n != 0) {
		ssize_t put = write(fd, at, n);

		if (put < 0 && again(fd, POLLOUT))
			continue;
		if (put < 0) {
			complain("%s: %s", name, strerror(errno));
			return -1;
		}
		at += put;
		n -= (size_t)put;
	}
	return 0;
}
