/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMGZ_GZIP_H
#define SPIMGZ_GZIP_H

/**
 * @file
 * The gzip format, RFC 1952: headers and trailers of members.
 */

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "io.h"

#define GZIP_TRAILER  8u

/** Header of a member of ours: without a name, and most. */
#define GZIP_OUR_SIZE 20u
#define GZIP_OUR_MAX  (GZIP_OUR_SIZE + NAME_MAX + 1)

/** What a header says. */
struct gzip_header {
	uint64_t size;           /**< Bytes of the header. */
	uint32_t mtime;          /**< Seconds since 1970; 0: not said. */
	const char *bad;         /**< GZIP_BAD: why. */
	bool long_name;          /**< There is a name that is longer than any of a file. */
	char name[NAME_MAX + 1]; /**< Of the file; "": not said, or too long. */
};

enum gzip_found {
	GZIP_MEMBER, /**< A member; its header has been read. */
	GZIP_END,    /**< Nothing is there. */
	GZIP_OTHER,  /**< Something else is; it has not been read. */
	GZIP_CUT,    /**< The header ends too early. */
	GZIP_BAD,    /**< A member with a header that is wrong, or not supported. */
	GZIP_UNREAD, /**< An error in reading, which was said. */
};

/** Read the header of a member, of any length. */
enum gzip_found gzip_next(struct input *in, struct gzip_header *h);

/**
 * Check whether a header is as those of ours. Another program's may be the same.
 * @param comp_size
 *   Filled with the bytes of DEFLATE data, as the header says.
 * @return Bytes of the header, up to GZIP_OUR_MAX; 0: it is not, or not complete.
 */
size_t gzip_ours(const uint8_t *data, size_t len, uint32_t *comp_size);

/**
 * Write the header of a member of ours.
 * @param to
 *   Room for GZIP_OUR_MAX bytes.
 * @param name
 *   Of the file, up to NAME_MAX bytes, or NULL.
 * @return Bytes.
 */
size_t gzip_header(uint8_t *to, uint32_t mtime, uint32_t comp_size, uint8_t level,
		const char *name);

void gzip_trailer(uint8_t *to, uint32_t crc32, uint32_t isize);
void gzip_trailer_read(const uint8_t *from, uint32_t *crc32, uint32_t *isize);

#endif /* SPIMGZ_GZIP_H */
