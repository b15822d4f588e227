/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef PMD_TEST_H
#define PMD_TEST_H

/**
 * @file
 * What the test programs of the driver share: EAL and devices, mbuf chains of
 * any shape, running ops, zlib as the judge.
 *
 * A program is a list of cases. It ends at the first failure, with a line that
 * says how to have it again, because after one nothing can be trusted to be
 * sane: lines of ours start with "pmd_test:".
 *
 * usage: PROGRAM [EAL-ARGUMENT...] [-- OPTION...]
 *   --seed   base of all random choices (the order in which a compiler evaluates
 *            arguments matters: the same program, the same choices)
 *   --count  iterations of each case that has any
 *   --first  iteration to start with; each one has a seed of its own
 *   --case   run only this case
 *   --dev    device arguments added to those of every device that the program makes
 *   --spimdevd  path of the service: started, for --dev dev=unix:... where the program does
 *            not do that itself
 *   --sandbox   on or off, for the service
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_comp.h>
#include <rte_compressdev.h>
#include <rte_mbuf.h>

#include "test_zip_codec_util.h"

/*
 * What a case makes happen on purpose. Without: no failed queue, no lost request, no op
 * that ends with an error, and none done in software that a function with the whole
 * extension could have done. A device with injected faults or quirks is not looked at.
 */
#define PMD_BAD_OPS  0x1u /**< Ops that end with an error, which the case looks at. */
#define PMD_FAULTS   0x2u /**< The case plays a device that fails. */

#define PMD_LINES    0x4u /**< Lines of the driver that the case does not collect. */
#define PMD_LONG     0x8u /**< Its later iterations take long; there is no limit. */

/** Run by pmd_main() in their order; after each, the process holds what it held before. */
struct pmd_case {
	const char *name;
	void (*run)(void);
	unsigned int expect;
};

/** One test program. */
struct pmd_program {
	const char *name;            /**< Also the EAL file prefix. */
	unsigned long count;         /**< Iterations without --count; a quarter if slow. */
	const struct pmd_case *cases; /**< Ended by one without a name. */
	const char *const *vdevs;    /**< Names and arguments, NULL-terminated; NULL: one plain. */
	unsigned int huge_mb;        /**< Hugepages that it takes, and gives back; 0: --no-huge. */
	bool own_service;            /**< It starts the service itself. */
};

/** Runs everything. Returns the program's exit status. */
int pmd_main(int argc, char **argv, const struct pmd_program *program);

/** Ends the program with a line that says where and how to have it again. */
void pmd_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

/** An expectation; the rest is a printf() format that shows the values. */
#define PMD_CHECK(cond, ...) do { \
	if (!(cond)) \
		pmd_fail(__FILE__, __LINE__, #cond ": " __VA_ARGS__); \
} while (0)

/**
 * The next iteration of the running case.
 * @param rng
 *   Seeded for this iteration alone.
 * @return
 *   false: there are no more.
 */
bool pmd_next(struct rng *rng);

/** Seed for a case that has no iterations. */
void pmd_rng(struct rng *rng);

/** Number of the iteration. */
unsigned long pmd_iteration(void);

/** Iterations of each case. */
unsigned long pmd_count(void);

/** true once in n times. */
bool rng_one_in(struct rng *rng, unsigned int n);
/** A number from min to max. */
size_t rng_range(struct rng *rng, size_t min, size_t max);

/** 1: built for a sanitizer that makes things slow. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PMD_SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PMD_SLOW 1
#endif
#endif
#ifndef PMD_SLOW
#define PMD_SLOW 0
#endif

/* ---- Devices ------------------------------------------------------------------------------- */

/** Make a device while the program runs, with --dev added; fails the program if that fails. */
uint8_t pmd_dev_add(const char *name, const char *args);
/** Remove it again. */
void pmd_dev_remove(const char *name);
/** The device id of a name. */
uint8_t pmd_dev_id(const char *name);

struct hisi_zip_qp;
/** The driver's own queue pair (hisi_zip_qp.h): to look at its counters, or to play the device. */
struct hisi_zip_qp *pmd_qp(uint8_t dev, uint16_t qp);

/** Configure a device, set all its queue pairs up, start it. */
void pmd_dev_start(uint8_t dev, uint16_t qps, uint32_t depth);
/** Stop it and close it. */
void pmd_dev_stop(uint8_t dev);

void *pmd_xform(uint8_t dev, const struct rte_comp_xform *xform);
void pmd_xform_free(uint8_t dev, void *xform);

/** Plain transforms: level 1, default codes, window 15, no checksum. */
extern const struct rte_comp_xform pmd_deflate_xform, pmd_inflate_xform;

/** A random compression transform: everything that DEFLATE offers. */
struct rte_comp_xform pmd_random_deflate(struct rng *rng);
/** A random decompression transform. */
struct rte_comp_xform pmd_random_inflate(struct rng *rng);

/* ---- Bytes --------------------------------------------------------------------------------- */

/** Bytes on the heap. */
struct bytes {
	uint8_t *data;
	size_t len;
};

struct bytes bytes_alloc(size_t len);
/** Random data: kind and content. */
struct bytes bytes_random(struct rng *rng, size_t len);
/** Compress with zlib, with level and window as in rte_comp_compress_xform (8 becomes 9). */
struct bytes bytes_deflate(const uint8_t *data, size_t len, int level, int window);
void bytes_free(struct bytes *b);
/** Make it longer. */
void bytes_append(struct bytes *b, const uint8_t *data, size_t len);

/** A random length: none, one, few, many up to max. */
size_t pmd_random_len(struct rng *rng, size_t max);

/** zlib's checksum, continued from prev (0: a fresh start), in compressdev's form. */
uint64_t pmd_chksum(enum rte_comp_checksum_type type, uint64_t prev, const uint8_t *data,
		size_t len);

/* ---- Mbuf chains --------------------------------------------------------------------------- */

/** How bytes are cut into segments. */
enum pmd_shape {
	PMD_LINEAR, /**< One segment, as long as it can hold them. */
	PMD_FEW,    /**< Up to 8, some of them empty. */
	PMD_MANY,   /**< Up to 200. */
	PMD_TOO_MANY, /**< 256 to 700: more than one request of the hardware can carry. */
	PMD_FULL,   /**< As long as segments can be. */
	PMD_SHAPES,
};

enum pmd_shape pmd_random_shape(struct rng *rng);

/**
 * A chain of skip + len + tail bytes; the len bytes in the middle are data's, or,
 * without data, a pattern, as around them. Segments lie in pool memory or in
 * heap memory of their own, with something behind that shows who wrote there.
 */
struct rte_mbuf *pmd_chain(struct rng *rng, enum pmd_shape shape, const uint8_t *data, size_t skip,
		size_t len, size_t tail);

/** Copy bytes out of a chain. */
void pmd_chain_read(const struct rte_mbuf *m, size_t offset, uint8_t *data, size_t len);

/** Fails unless the first bytes of a chain still are the pattern. */
void pmd_chain_check_skip(const struct rte_mbuf *m, size_t skip);

/** Bytes behind an offset. */
size_t pmd_chain_room(const struct rte_mbuf *m, size_t offset);

/** Frees all segments; fails if something was written behind one. */
void pmd_chain_free(struct rte_mbuf *m);

/* ---- Ops ----------------------------------------------------------------------------------- */

/** A stateless op with FLUSH_FINAL. */
struct rte_comp_op *pmd_op(void *xform, struct rte_mbuf *src, uint32_t src_offset,
		uint32_t src_len, struct rte_mbuf *dst, uint32_t dst_offset);
/** Frees an op and its mbufs. */
void pmd_op_free(struct rte_comp_op *op);

/** Hand ops in; fails if not all are taken at once. */
void pmd_enqueue(uint8_t dev, uint16_t qp, struct rte_comp_op **ops, uint16_t n);
/** Take n ops out; fails if that takes longer than a minute. */
void pmd_dequeue(uint8_t dev, uint16_t qp, struct rte_comp_op **ops, uint16_t n);
/** Both, and fails unless they come back in order. */
void pmd_run(uint8_t dev, uint16_t qp, struct rte_comp_op **ops, uint16_t n);

const char *pmd_status(uint8_t status);

/** Memory anywhere, as an mbuf of that length. @param info Must outlive it. */
struct rte_mbuf *pmd_mbuf_at(void *va, uint16_t len, struct rte_mbuf_ext_shared_info *info);

/**
 * Have len bytes at va compressed to va + 2 * len, where there is as much room again; fails if
 * that succeeds with anything but what zlib undoes.
 * @param touch
 *   false: nobody looks there, as there may be no memory.
 * @return The op's status.
 */
uint8_t pmd_compress_at(uint8_t dev, char *va, uint32_t len, bool touch);

/* ---- Service ------------------------------------------------------------------------------- */

/** Was there --spimdevd? */
bool pmd_service_have(void);
/** Where it listens. */
const char *pmd_service_path(void);
/** The device argument for it. */
const char *pmd_service_dev(void);
/**
 * Start it with more options, NULL-terminated or NULL, and wait until it listens. One that begins
 * with a comma is the access point's.
 */
void pmd_service_start(const char *const *options);
/** Its process; 0: there is none. */
int pmd_service_pid(void);
/** End it; SIGTERM: fails unless it ends well. */
void pmd_service_end(int sig);

/* ---- Hugepages ----------------------------------------------------------------------------- */

/** Bytes of one; 0: this kernel has none. */
size_t pmd_huge_page(void);
/** How many are in use by this process, plus those by the service that it has started. */
unsigned long pmd_huge_used(void);

/* ---- What the process holds ---------------------------------------------------------------- */

/** Libraries keep a little; a codec or an executor has much more. */
#define PMD_MALLOC_SLACK (1u << 20)

/** Things of which a leak would show. */
struct pmd_usage {
	size_t heap_bytes;    /**< EAL heaps. */
	unsigned int heap_blocks;
	size_t malloc_bytes;
	unsigned int zones;   /**< EAL memzones. */
	unsigned int objects; /**< Of all mempools. */
	unsigned int fds;
	unsigned int maps;    /**< Shared, of files that are not EAL's. */
	unsigned int threads;
};

struct pmd_usage pmd_usage_get(void);
/** Fails unless as much is held as before: what has gone could hide a leak. Not of malloc(). */
void pmd_usage_check(const char *what, const struct pmd_usage *before);

/* ---- Log ----------------------------------------------------------------------------------- */

/** Collect log lines. The driver says nothing otherwise: a case with such a line fails. */
void pmd_log_begin(void);
/** Stop that. Returns all lines, valid until the next call. */
const char *pmd_log_end(void);

#endif /* PMD_TEST_H */
