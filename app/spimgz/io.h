/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMGZ_IO_H
#define SPIMGZ_IO_H

/**
 * @file
 * Reading and writing whole pieces, of descriptors that may be non-blocking; progress.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** A file or pipe that is read. */
struct input {
	int fd;
	const char *name;
	uint64_t size;    /**< 0: not known. */
	uint64_t done;    /**< Bytes read so far. */
	bool progress;
	uint8_t *buf;     /**< Bytes [pos, end) were read ahead. */
	size_t pos, end, cap;
};

int input_open(struct input *in, int fd, const char *name, uint64_t size, bool progress);
void input_close(struct input *in);

/** Read n bytes, fewer at the end. @return how many, or -1 after a complaint. */
ssize_t input_read(struct input *in, void *to, size_t n);

/** Have at least n bytes (up to 128 KiB) in [pos, end), fewer at the end. 0 or -1. */
int input_ahead(struct input *in, size_t n);

/**
 * Put bytes back in front of what is read next.
 * @return 0, or -1 after a complaint.
 */
int input_back(struct input *in, const void *from, size_t n);

/** Write all of it. fd -1: nowhere. 0, or -1 after a complaint. */
int output_write(int fd, const char *name, const void *from, size_t n);

#endif /* SPIMGZ_IO_H */
