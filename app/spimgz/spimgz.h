/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMGZ_H
#define SPIMGZ_H

/**
 * @file
 * spimgz: gzip files by a shared accelerator.
 *
 *   main.c      options and files
 *   engine.c    the accelerator: service or software, ops in order
 *   gzip.c      the gzip format: headers and trailers
 *   compress.c  a stream in, members out
 *   expand.c    members in, a stream out
 *   io.c        reading and writing whole pieces, progress
 *
 * What it writes is a sequence of gzip members of up to SPIMGZ_CHUNK bytes of input each,
 * so that many can be worked on at a time in both directions. Each has its compressed size
 * in an extra field, which other programs ignore. Files by other programs are read, too:
 * such a member is inflated by zlib.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "spimdev.h"

#define SPIMGZ_CHUNK   (512u << 10) /**< Plain bytes of a member. */
#define SPIMGZ_SLOTS   8u           /**< Pieces worked on at a time. */

/** Room for a compressed chunk: DEFLATE grows data by little, and then stores it. */
#define SPIMGZ_OUT_MAX (SPIMGZ_CHUNK + SPIMGZ_CHUNK / 8 + 4096)

/** Exit codes, as gzip's. */
enum { SPIMGZ_OK = 0, SPIMGZ_FAILED = 1, SPIMGZ_WARNING = 2 };

/** "spimgz: " and a line on stderr. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- engine.c ---- */

/** One piece of work and its buffers. */
struct slot {
	struct spim_zip_op op;
	uint8_t *in;      /**< SPIMGZ_OUT_MAX bytes: either side may be the compressed one. */
	uint8_t *out;     /**< As many. */
	uint32_t isize;   /**< Expansion: what the trailer says. */
	uint32_t crc32;   /**< Of the plain data; expansion: what the trailer says. */
};

struct engine {
	const char *name;              /**< Of the access point in use. */
	struct spim_zip *z;
	struct spim_zip *old;          /**< Whose memory the slots lie in, if z took its place. */
	struct spim_zip_queue *queue;  /**< Of the direction that is being worked in. */
	enum spim_zip_dir dir;
	struct slot slots[SPIMGZ_SLOTS];
	unsigned int head, tail;       /**< Slots [head, tail), not wrapped, are submitted. */
};

/**
 * Open an access point.
 * @param name
 *   As for spim_zip_open(), or NULL: the service of this machine, else software.
 * @return SPIMGZ_OK, or SPIMGZ_FAILED after a complaint.
 */
int engine_open(struct engine *e, const char *name, bool verbose);
void engine_close(struct engine *e);

/** Begin a file: take a queue if there is none yet. @return SPIMGZ_OK or SPIMGZ_FAILED. */
int engine_begin(struct engine *e, enum spim_zip_dir dir);

/**
 * End a file. The queue stays for the next one, which would spend more time on taking another
 * than on a few KiB of data; after an error what is in flight is dropped, and the queue with it.
 */
void engine_end(struct engine *e);

/** The next slot to fill, or NULL: get the result of the oldest first. */
struct slot *engine_next(struct engine *e);

/** Submit what engine_next() gave. */
int engine_submit(struct engine *e);

/** Wait for the oldest; NULL after a complaint. Its buffers are good until engine_next(). */
struct slot *engine_result(struct engine *e);

static inline bool
engine_idle(const struct engine *e)
{
	return e->head == e->tail;
}

/* ---- gzip.c ---- */

#define GZIP_TRAILER  8u
#define GZIP_OUR_SIZE 20u /**< Header of a member of ours. */

/** What a header says. */
struct gzip_header {
	uint32_t size;      /**< Bytes of the header. */
	uint32_t comp_size; /**< Of the DEFLATE data, if it is a member of ours; else 0. */
};

/**
 * Look at the beginning of a member.
 * @return 1: complete; 0: more bytes are needed; -1: no gzip header.
 */
int gzip_parse(const uint8_t *data, size_t len, struct gzip_header *h);

/** Write the header of a member of ours: GZIP_OUR_SIZE bytes. */
void gzip_header(uint8_t *to, uint32_t mtime, uint32_t comp_size, uint8_t level);

void gzip_trailer(uint8_t *to, uint32_t crc32, uint32_t isize);
void gzip_trailer_read(const uint8_t *from, uint32_t *crc32, uint32_t *isize);

/* ---- io.c ---- */

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

/** Write all of it. fd -1: nowhere. 0, or -1 after a complaint. */
int output_write(int fd, const char *name, const void *from, size_t n);

/* ---- compress.c, expand.c ---- */

/** @return SPIMGZ_OK, _WARNING or _FAILED, after a complaint. */
int compress_stream(struct engine *e, struct input *in, int out, const char *out_name,
		uint8_t level, uint32_t mtime, uint64_t *written);
int expand_stream(struct engine *e, struct input *in, int out, const char *out_name,
		uint64_t *written);

#endif /* SPIMGZ_H */
