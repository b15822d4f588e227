/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMDEV_H
#define SPIMDEV_H

/**
 * @file
 * Compression by a shared accelerator, for programs that do not use DPDK.
 *
 * An access point is opened by name: "unix:PATH" (the service), or "local" (a
 * software function in this process, with threads of its own). Opening costs the
 * service next to nothing; a queue is one of its resources, to be taken when there
 * is work and put when there is none.
 *
 * @code
 *   struct spim_zip *z;
 *   struct spim_zip_queue *q;
 *   struct spim_zip_op op = { .level = 1, .last = 1 }, *done;
 *
 *   spim_zip_open("unix:/run/spimdev/zip", NULL, &z);
 *   op.src = spim_zip_alloc(z, 65536);
 *   op.dst = spim_zip_alloc(z, 65536 + 4096);
 *   ...
 *   spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 16, &q);
 *   spim_zip_submit(q, &op);
 *   while (spim_zip_poll(q, &done, 1) == 0)
 *           spim_zip_wait(q, -1);
 *   spim_zip_queue_put(q);
 *   spim_zip_close(z);
 * @endcode
 *
 * Data is raw DEFLATE. Ops of a queue come back in the order of submission.
 *
 * A service that is killed and started again is not noticed, but for the time it
 * takes: what was in flight is executed by the new one.
 *
 * Threads: an access point and its queues may be used by one thread at a time; use
 * one access point per thread. A child of fork() must not use those of its parent.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An access point. */
struct spim_zip;

/** A queue of one direction. */
struct spim_zip_queue;

enum spim_zip_dir {
	SPIM_ZIP_COMPRESS,
	SPIM_ZIP_DECOMPRESS,
};

/** How an op ended. */
enum spim_zip_status {
	SPIM_ZIP_OK,       /**< All done. */
	SPIM_ZIP_NO_SPACE, /**< The output does not fit in dst_len bytes; nothing is valid. */
	SPIM_ZIP_BAD_DATA, /**< Not a valid, complete DEFLATE stream. */
	SPIM_ZIP_ERROR,    /**< Not executed: memory not from spim_zip_alloc(), and others. */
};

/** Most bytes of input of an op, and of output that it uses. */
#define SPIM_ZIP_LEN_MAX (8u << 20)

#define SPIM_ZIP_LEVEL_MAX 9

/** One operation. Belongs to the library from submission until it comes back. */
struct spim_zip_op {
	const void *src;    /**< Input, in memory from spim_zip_alloc() of the same access point. */
	void *dst;          /**< Output, in such memory; must not overlap. */
	uint32_t src_len;   /**< Bytes, up to SPIM_ZIP_LEN_MAX. */
	uint32_t dst_len;   /**< Room in bytes. */
	uint8_t level;      /**< Compression: 0 (stored) to 9. */
	/**
	 * Compression. 1: a complete stream. 0: a piece that others are put behind; it
	 * ends at a byte boundary and needs nothing of those before it.
	 */
	uint8_t last;
	uint8_t status;     /**< Result: enum spim_zip_status. */
	uint32_t consumed;  /**< Result: bytes of input used. */
	uint32_t produced;  /**< Result: bytes of output. */
	uint32_t crc32;     /**< Result: CRC-32 (as zlib's) of the plain data. */
	void *user;         /**< The caller's. */
};

/** Options; those that are 0 mean their default. */
struct spim_zip_conf {
	const char *name; /**< In log lines; default "spimdev". Must outlive the access point. */
	/** Takes a log line without newline; NULL: none. error: 1 = error, 0 = information. */
	void (*log)(int error, const char *line);
	uint16_t threads; /**< Of "local"; default 1. */
};

/**
 * Open an access point.
 * @param conf
 *   NULL: all defaults.
 * @return
 *   0; -EINVAL (name), -ENOENT, -ECONNREFUSED, -EACCES (no service there, or none for
 *   you), -EPROTO (another program's socket), -ENOTSUP (a function that cannot do what
 *   this interface offers), -ENOMEM and others.
 */
int spim_zip_open(const char *name, const struct spim_zip_conf *conf, struct spim_zip **z);

/** Close it. All queues must have been put; its memory goes away. NULL: nothing. */
void spim_zip_close(struct spim_zip *z);

/**
 * Memory for input and output: whole pages, zeroed. A call costs some tens of
 * microseconds: allocate once, use often.
 * @return NULL and errno if there is none.
 */
void *spim_zip_alloc(struct spim_zip *z, size_t len);

/** Free it; no op may use it. NULL: nothing. */
void spim_zip_free(struct spim_zip *z, void *mem);

/**
 * Take a queue.
 * @param depth
 *   Most ops in flight, 1 to 1023.
 * @return
 *   0; -EBUSY: none is free now, try later or do without; -ENOTCONN and others: the
 *   service is away.
 */
int spim_zip_queue_take(struct spim_zip *z, enum spim_zip_dir dir, uint16_t depth,
		struct spim_zip_queue **q);

/**
 * Put a queue. Ops that are in flight are finished, but do not come back. If the
 * service is away they are dropped. If the function does not confirm the end, which a
 * log line says, it may write to the memory of those ops until spim_zip_close().
 * NULL: nothing.
 */
void spim_zip_queue_put(struct spim_zip_queue *q);

/** @return 0; -EAGAIN: as many as depth are in flight; -EINVAL: a field of op is out of range. */
int spim_zip_submit(struct spim_zip_queue *q, struct spim_zip_op *op);

/**
 * Get ops that are done.
 * @return
 *   How many were written to ops, up to n; -ENOTCONN if there are none and the service
 *   has been killed and not started again yet: ops in flight stay so, try again.
 */
int spim_zip_poll(struct spim_zip_queue *q, struct spim_zip_op **ops, unsigned int n);

/**
 * Sleep until spim_zip_poll() has something to say.
 * @param timeout_ms
 *   -1: for as long as it takes.
 * @return 1; 0 after the timeout; -errno of poll() (-EINTR), or as spim_zip_fd().
 */
int spim_zip_wait(struct spim_zip_queue *q, int timeout_ms);

/**
 * The descriptor to wait on with others, in an event loop: when it is readable, call
 * spim_zip_poll() for all queues of the access point.
 * @return It, or -ENOTCONN (the service is away: try again), -ENOTSUP, -EMFILE and others.
 */
int spim_zip_fd(struct spim_zip *z);

/**
 * Have the descriptor become readable, once, for the next op that is done, or for one that
 * is done already. To be called before waiting, when spim_zip_poll() had nothing.
 */
void spim_zip_arm(struct spim_zip_queue *q);

/** Text for a status; a constant. */
const char *spim_zip_status_text(uint8_t status);

#ifdef __cplusplus
}
#endif

#endif /* SPIMDEV_H */
