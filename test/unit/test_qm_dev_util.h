/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef TEST_QM_DEV_UTIL_H
#define TEST_QM_DEV_UTIL_H

/**
 * @file
 * A driver of the software function that is as small as can be, for its tests:
 * registers and rings as the contract headers say, nothing from hisi_qm.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hisi_acc_sgl.h"
#include "hisi_qm_regs.h"
#include "hisi_zip_ext.h"
#include "hisi_zip_sqe.h"
#include "qm_dev.h"
#include "zip_dev.h"

#define TD_IOVA 0x7000000000ull /**< Where the device sees the arena. */
#define TD_RAND 0x5a5a

/** How many times slower a sanitizer makes every access, or 1. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TD_SLOW 10
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TD_SLOW 10
#endif
#endif
#ifndef TD_SLOW
#define TD_SLOW 1
#endif

/** A function that uses memory at the same time as the device, on purpose. */
#if defined(__SANITIZE_THREAD__)
#define NO_TSAN __attribute__((no_sanitize("thread")))
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NO_TSAN __attribute__((no_sanitize("thread")))
#endif
#endif
#ifndef NO_TSAN
#define NO_TSAN
#endif

/** A function and the memory it may see. */
struct td {
	struct qm_dev *dev;
	unsigned int workers;
	uint8_t revision;
	bool wake; /**< Follow the wake-up protocol; as qm_dev_conf.wake. */
	struct qm_dev_group *group; /**< As qm_dev_conf.group. */
	uint8_t *arena;
	size_t size;
	size_t used;
};

/** One queue pair. */
struct tq {
	struct td *td;
	uint16_t qn;
	uint16_t depth;
	uint16_t tail; /**< Next slot to fill. */
	uint16_t head; /**< Next CQE. */
	uint16_t phase;
	bool armed;    /**< Its CQC asks for an event. */
	struct hisi_zip_sqe *sq;
	struct hisi_qm_cqe *cq;
	struct hisi_qm_shadow *db;
};

/** Fill conf with a plain choice: V3, extension, queues = 4. */
struct qm_dev_conf td_conf(unsigned int workers);

/** @return What conf, which td_conf() returned last, says to the class ZIP. */
struct zip_dev_conf *td_zip(struct qm_dev_conf *conf);

/** Make a function and map an arena of size bytes. */
void td_open(struct td *td, const struct qm_dev_conf *conf, size_t size);
/**
 * End it. If it has nothing to do its accounts must be right; and with the last function that
 * the main thread has open everything must be as it was before the first one: memory, maps,
 * descriptors, threads, quotas, queues of the group.
 */
void td_close(struct td *td);

/** Take maps back (qm_dev_dma_unmap_start()), and wait until no request touches them. */
int td_unmap(struct qm_dev *dev, uint64_t iova, uint64_t size);

/** For cmocka's setup: td_open() with td_conf(0); td is what td_teardown() ends. @return 0 */
int td_setup(void **state, struct td *td, size_t size);
/** cmocka's teardown, if setup has put the struct td into *state. */
int td_teardown(void **state);

/** Zeroed memory from the arena. */
void *td_alloc(struct td *td, size_t size, size_t align);
uint64_t td_iova(const struct td *td, const void *va);

/** A register of 4 bytes. */
uint32_t td_rd(const struct td *td, uint32_t off);
void td_wr(const struct td *td, uint32_t off, uint32_t value);
/** len bytes of config space. */
uint32_t td_cfg(const struct td *td, uint32_t off, size_t len);
void td_cfg_wr(const struct td *td, uint32_t off, size_t len, uint32_t value);
struct qm_dev_stats td_stats(const struct td *td);

/** The command in the mailbox is done. @return Its status. */
unsigned int td_mb_done(struct td *td);
/** A mailbox command. @return its status. */
unsigned int td_mb(struct td *td, enum hisi_qm_mb_cmd cmd, uint16_t qn, uint64_t base, bool read);

/** Give EQ or AEQ a ring of depth entries at base. @return mailbox status. */
unsigned int td_set_eq(struct td *td, enum qm_dev_irq which, uint64_t base, uint32_t depth);

/** Set up and start queue qn; its rings come from the arena. */
void tq_start(struct tq *q, struct td *td, uint16_t qn, enum hisi_zip_qc_type type,
		uint16_t depth);
/** Give the device contexts with rings at any address. @return mailbox status, SQC's or CQC's. */
unsigned int tq_set(struct tq *q, enum hisi_zip_qc_type type, uint64_t sq, uint64_t cq);
/** Start again with the rings that it has. @return mailbox status, SQC's or CQC's. */
unsigned int tq_restart(struct tq *q, enum hisi_zip_qc_type type);

/** The slot to fill next, zeroed but for what every request has. */
struct hisi_zip_sqe *tq_slot(struct tq *q, uint32_t req);
/** Step over the slot, without ringing. @return the slot. */
struct hisi_zip_sqe *tq_push(struct tq *q);
void tq_ring(struct tq *q);

/** The next completion, waited for; gives the CQE back. NULL if none comes. */
struct hisi_zip_sqe *tq_pop(struct tq *q);
/** Whether a completion is there; polls the device first. */
bool tq_ready(struct tq *q);

/** Push the slot, ring, wait. */
struct hisi_zip_sqe *tq_do(struct tq *q);

/** dw10 for a level, with the largest window. */
uint32_t ext_level(unsigned int level);

/**
 * Build an SGL chain of cnt segments over [va, va + len), per_sgl entries in
 * each SGL. @return its address for the device.
 */
uint64_t td_sgl(struct td *td, const void *va, size_t len, unsigned int cnt, unsigned int per_sgl);

/** Text that compresses, the same for the same seed. */
void fill_text(uint8_t *buf, size_t len, uint32_t seed);
/** Noise that does not. */
void fill_noise(uint8_t *buf, size_t len, uint32_t seed);
uint32_t rnd(uint32_t *state);
/** A length: any, about max, less than few, or, mostly, below 70000. */
uint32_t wild_len(uint32_t *state, uint32_t max, uint32_t few);

/** zlib with windowBits wbits (-15 raw, 15 zlib, 31 gzip). @return length of the result. */
size_t z_deflate(int wbits, const uint8_t *src, size_t len, uint8_t *dst, size_t cap);
/** @return length, or SIZE_MAX if the stream is not valid or not complete. */
size_t z_inflate(int wbits, const uint8_t *src, size_t len, uint8_t *dst, size_t cap);

#endif /* TEST_QM_DEV_UTIL_H */
