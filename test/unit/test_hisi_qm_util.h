/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef TEST_HISI_QM_UTIL_H
#define TEST_HISI_QM_UTIL_H

/**
 * @file
 * A scripted function for the tests of hisi_qm. It writes down all that is done to it,
 * memory that is taken and given back included, in the order in which it is done, and
 * answers as a test wants. Its clock is the test's: waiting costs no time.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hisi_qm.h"
#include "hisi_qm_event.h"

/** Where allocation n appears to the device: nowhere near where the process sees it. */
#define FAKE_IOVA(n) (0x5a0000001000ull + (uint64_t)(n) * 0x10000000000ull)

#define FAKE_ALLOCS 256

/** What a mailbox command meets. */
enum fake_fault {
	FAKE_STATUS, /**< It ends with a status other than 0. */
	FAKE_BUSY,   /**< It never ends, and no other after it. */
	FAKE_GONE,   /**< The function is gone when it comes. */
	FAKE_LATE,   /**< It takes busy_ms. */
	FAKE_UNSENT, /**< It does not reach the function: errno is status. */
};

struct fake {
	struct hisi_qm_io io;
	struct hisi_qm_io_ops ops;
	struct hisi_qm_mem_ops mem;
	struct hisi_qm *qm;     /**< Whose lock must be held by who sends a command, or NULL. */
	/* What it is. */
	uint64_t vft;
	uint64_t bt;            /**< Where the SQCs are, as it was told. */
	uint32_t mb[4];
	uint32_t wb_done;
	_Alignas(64) volatile uint64_t db[HISI_QM_QUEUES_MAX][16]; /* as hisi_qm_shadow */
	struct hisi_qm_sqc sqc[HISI_QM_QUEUES_MAX];
	struct hisi_qm_cqc cqc[HISI_QM_QUEUES_MAX];
	struct hisi_qm_eqc eqc;
	/* What it shall do. */
	int fault_at;           /**< Commands before the one that meets a fault; -1: none. */
	int fault_cmd;          /**< All commands of this kind meet it; -1: none. */
	enum fake_fault fault;
	uint8_t status;
	uint64_t busy_ms;
	uint64_t steal_ms;      /**< Once, who has read "busy", or a CQC, does not run so long. */
	bool gone;              /**< All registers read as ones. */
	int reset_result;
	int doorbells_result;
	bool reset_behind;      /**< The next unlocking: another thread has it reset then. */
	int alloc_result;       /**< Of the next allocations. */
	uint16_t sq_tail, sq_w11; /**< In a dump of an SQC. */
	const struct hisi_qm_cqc *dumps; /**< One for each dump of a CQC, the last for ever. */
	unsigned int dumps_left;
	/* What was done to it. */
	char did[8192];
	size_t did_len;
	bool quiet;             /**< Do not write it down. */
	unsigned int commands, reads, resets, wakes;
	uint64_t busy_until;    /**< ns; UINT64_MAX: for ever. */
	uint64_t now;           /**< ns on the clock. */
	uint64_t slept;         /**< ns, of them in sleep. */
	/* Memory. */
	struct hisi_qm_mem mems[FAKE_ALLOCS];
	unsigned int allocs;    /**< So far. */
	unsigned int held;      /**< Now. */
	/* Log lines. */
	char line[512];
	int line_error;
	unsigned int lines;
};

/** The function of the running test. */
extern struct fake *f;

/** A function of revision V3 with four queues. */
int fake_setup(void **state);
/** Everything must have been given back. */
int fake_teardown(void **state);

extern const struct base_log fake_log;

/** The function has no more than this from now on. */
void fake_queues(unsigned int queues);

/** The next command but n meets a fault. */
void fake_fault(int n, enum fake_fault fault);

/** Forget what was done. */
void fake_forget(void);

/** Assert what was done since the last look, all of it and in this order; see fake_did(). */
void fake_did(const char *expected);

/** The lock must be free: whoever took it let it go. */
void fake_unlocked(struct hisi_qm *qm);

/** Bring it up, and forget how. */
void fake_up(struct hisi_qm *qm);

/** Start a queue pair of 16 entries, and forget how. */
void fake_start(struct hisi_qm *qm, struct hisi_qm_qp *qp);

/** Free n queue pairs, and take the function down. */
void fake_down(struct hisi_qm *qm, struct hisi_qm_qp *qp, unsigned int n);

#endif /* TEST_HISI_QM_UTIL_H */
