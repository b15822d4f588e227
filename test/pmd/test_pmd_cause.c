/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Why a queue failed, and what becomes of it, for each answer of its function: what is counted,
 * what is said, and whether its memory may be used again. The function is not there: the linker
 * has the driver's questions come here.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rte_cycles.h>

#include "hisi_ap.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_qp.h"
#include "hisi_zip_recover.h"
#include "hisi_zip_slot.h"
#include "hisi_zip_stats.h"
#include "hisi_zip_xform.h"
#include "pmd_log.h"

#define TIMEOUT_MS 800u /* of which a look at the clock counts for 100 at most */

static int check_result, abort_result, restart_result;
static unsigned int checks, aborts, restarts, stops;

__typeof__(spim_queue_check) __wrap_spim_queue_check;
__typeof__(spim_queue_abort) __wrap_spim_queue_abort;
__typeof__(spim_queue_restart) __wrap_spim_queue_restart;
__typeof__(spim_queue_stop) __wrap_spim_queue_stop;
__typeof__(spim_opened) __wrap_spim_opened;
uint64_t __wrap_rte_get_tsc_hz(void);

int
__wrap_spim_queue_check(struct spim_dev *dev, const struct spim_queue *queue)
{
	(void)dev;
	(void)queue;
	checks++;
	return check_result;
}

int
__wrap_spim_queue_abort(struct spim_dev *dev, struct spim_queue *queue)
{
	(void)dev;
	(void)queue;
	aborts++;
	return abort_result;
}

int
__wrap_spim_queue_restart(struct spim_dev *dev, struct spim_queue *queue)
{
	(void)dev;
	(void)queue;
	restarts++;
	return restart_result;
}

int
__wrap_spim_queue_stop(struct spim_dev *dev, struct spim_queue *queue)
{
	(void)dev;
	(void)queue;
	stops++;
	return 0;
}

/* What was begun anew is the function that it was: nothing is asked of it again. */
uint32_t
__wrap_spim_opened(struct spim_dev *dev)
{
	(void)dev;
	return 0;
}

/* So slow that more than enough time has passed since the last look. */
uint64_t
__wrap_rte_get_tsc_hz(void)
{
	return 1000;
}

static struct hisi_ap ap;
static struct hisi_zip_dev dev;
static struct hisi_zip_qp qp;
static struct hisi_zip_slot slot;
static struct hisi_zip_sqe sqe;
static struct hisi_qm_cqe cqe;
static struct hisi_qm_ring ring;
static struct spim_queue queue = { .ring = &ring };

static unsigned int given;
__typeof__(hisi_hwq_put) __wrap_hisi_hwq_put;

void
__wrap_hisi_hwq_put(struct hisi_hwq *hwq)
{
	assert_ptr_equal(hwq, &qp.hwq[HISI_ZIP_COMP].q);
	given++;
	hwq->failed = hwq->outdated = 0;
}

/* A queue pair with an op that the function has had for a while. */
static void
begin(bool sw, bool polled, uint32_t timeout_ms)
{
	memset(&dev, 0, sizeof(dev));
	memset(&qp, 0, sizeof(qp));
	dev.hisi.driver = &hisi_zip_driver;
	strcpy(dev.hisi.name, "cause");
	dev.hisi.ap = &ap;
	dev.hisi.info.polled = polled;
	dev.sw = sw;
	dev.hisi.args.timeout_ms = timeout_ms;
	qp.dev = &dev;
	qp.id = 3;
	qp.polled = polled;
	qp.slots = &slot;
	qp.state = HISI_ZIP_QP_RUNNING;
	qp.watch.last = 1; /* it has been polled before, long ago */
	slot.kind = HISI_ZIP_SLOT_COMP;
	cqe.w7 = 0;
	ring.sq = (void *)&sqe;
	ring.cq = &cqe;
	ring.cq_phase = 1;
	for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++)
		hisi_hwq_init(&qp.hwq[dir].q, &(struct hisi_hwq_conf){ .dev = &dev.hisi,
			.owner_id = 3 });
	qp.hwq[HISI_ZIP_COMP].q.queue = &queue;
	qp.hwq[HISI_ZIP_COMP].q.qn = 9;
	checks = aborts = restarts = stops = 0;
}

static void
look(void)
{
	pmd_log_begin();
	hisi_zip_watch(&qp);
	pmd_log_end();
}

/* Of all causes, this one was counted, once. HISI_WATCH_FAILS: none. */
static void
check_failed(enum hisi_watch_found why)
{
	bool failed = why != HISI_WATCH_FAILS;

	for (enum hisi_watch_found i = 0; i < HISI_WATCH_FAILS; i++)
		assert_int_equal(qp.deq.fails[i], i == why);
	assert_int_equal(qp.hwq[HISI_ZIP_COMP].q.failed, failed);
	assert_int_equal(qp.hwq[HISI_ZIP_DECOMP].q.failed, 0);
	/* Of a function that was begun anew enqueue looks whether it is another one. */
	assert_int_equal(qp.state, failed || qp.deq.restarts != 0 ? HISI_ZIP_QP_FAILING :
		HISI_ZIP_QP_RUNNING);
	assert_int_equal(aborts, failed);
	if (!failed)
		assert_string_equal(pmd_log, "");
}

static void
test_causes(void **state)
{
	static const struct {
		int check, abort;
		enum hisi_watch_found why;
		const char *what;
		bool stuck;
	} rows[] = {
		{ -ENODEV, 0, HISI_WATCH_GONE, "has gone with its function", false },
		{ -ENOTCONN, 0, HISI_WATCH_GONE, "has gone with its function", false },
		{ -ESTALE, 0, HISI_WATCH_RESET, "was lost in a reset", false },
		{ -EIO, 0, HISI_WATCH_STALLED, "is silent", false },
		{ -ESTALE, -ENODEV, HISI_WATCH_GONE, "has gone with its function", false },
		{ -EIO, -ENODEV, HISI_WATCH_GONE, "has gone with its function", false },
		{ -EIO, -ETIMEDOUT, HISI_WATCH_STALLED, "is silent", true },
		{ -ESTALE, -ENOTSUP, HISI_WATCH_RESET, "was lost in a reset", true },
	};

	(void)state;
	restart_result = -EIO;
	for (size_t i = 0; i < 4 * RTE_DIM(rows); i++) {
		bool sw = i & 1, polled = i & 2, stuck = rows[i / 4].stuck && !polled;
		char want[512];

		/* Without software, one is waited for that takes the place of it. */
		if (rows[i / 4].check == -ENOTCONN && !sw)
			continue;
		check_result = rows[i / 4].check;
		abort_result = rows[i / 4].abort;
		begin(sw, polled, TIMEOUT_MS);
		look();
		snprintf(want, sizeof(want), "HISI_ZIP: cause: queue pair 3: hardware queue 9 %s: "
			"no answer for 100 ms, stopped with %d, expected 0; its ops come back "
			"%s\n", rows[i / 4].what, abort_result, stuck ?
			"with an error, its memory is not used again" : sw ? "from software" :
			"with an error");
		assert_string_equal(pmd_log, want);
		check_failed(rows[i / 4].why);
		assert_int_equal(qp.hwq[HISI_ZIP_COMP].q.stuck, stuck);
		assert_int_equal(checks, 1);
		assert_int_equal(restarts, check_result == -ENOTCONN);
	}
}

/* A service that is gone: another one, a last word of this one, or patience. */
static void
test_restart(void **state)
{
	(void)state;
	check_result = -ENOTCONN;
	abort_result = 0;
	for (int sw = 0; sw < 2; sw++) {
		begin(sw, false, TIMEOUT_MS);
		restart_result = 0;
		look();
		check_failed(HISI_WATCH_FAILS);
		assert_int_equal(restarts, 1);
		assert_int_equal(qp.deq.restarts, 1);
		/* Its time begins anew. */
		assert_int_equal(qp.watch.silent, 0);
		assert_int_equal(qp.watch.checked, 0);

		begin(sw, false, TIMEOUT_MS);
		restart_result = -EIO;
		cqe.w7 = 1;
		look();
		check_failed(HISI_WATCH_FAILS);
		assert_int_equal(restarts, 0);
	}
	begin(false, false, TIMEOUT_MS);
	look();
	check_failed(HISI_WATCH_FAILS);
	assert_int_equal(restarts, 1);
	assert_int_equal(qp.deq.restarts, 0);
	assert_int_equal(qp.watch.silent, 100);
}

/*
 * The same of a function that is asked known answers: another one does none of the requests that
 * software can do, and no other ones than those.
 */
static void
test_restart_asked(void **state)
{
	(void)state;
	check_result = -ENOTCONN;
	abort_result = restart_result = 0;
	begin(true, false, TIMEOUT_MS);
	dev.asks = true;
	look();
	check_failed(HISI_WATCH_GONE);
	assert_int_equal(restarts, 0);
	assert_int_equal(qp.hwq[HISI_ZIP_COMP].q.outdated, 0);

	begin(false, false, TIMEOUT_MS);
	dev.asks = true;
	look();
	check_failed(HISI_WATCH_FAILS);
	assert_int_equal(restarts, 1);
	assert_int_equal(qp.deq.restarts, 1);
	assert_int_equal(qp.hwq[HISI_ZIP_COMP].q.outdated, 1);
	/* Nor does one that has nothing in flight do what follows. */
	assert_int_equal(qp.hwq[HISI_ZIP_DECOMP].q.outdated, 1);
}

/* One that says that it is well has failed when its time is over, and with no limit never. */
static void
test_silence(void **state)
{
	(void)state;
	check_result = abort_result = 0;
	begin(false, false, TIMEOUT_MS);
	for (int i = 1; i < 8; i++) {
		/* The clock stands at a time that is long ago. */
		qp.watch.last = 1;
		look();
		check_failed(HISI_WATCH_FAILS);
		assert_int_equal(checks, i);
	}
	qp.watch.last = 1;
	look();
	check_failed(HISI_WATCH_STALLED);
	begin(false, false, 0);
	for (int i = 1; i < 20; i++) {
		qp.watch.last = 1;
		look();
		check_failed(HISI_WATCH_FAILS);
		assert_int_equal(qp.watch.silent, (uint64_t)i * HISI_TIMEOUT_MS / 8);
	}
	/* Another op is the oldest one now. */
	qp.head++;
	look();
	assert_int_equal(qp.watch.silent, 0);
	assert_int_equal(qp.watch.checked, 0);
	assert_int_equal(checks, 19);
}

/* A queue that failed, or is outdated, goes when the last op is back that was given to it. */
static void
test_renew(void **state)
{
	static const uint32_t tails[] = { 5, 1, 0, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < 2 * RTE_DIM(tails); i++) {
		uint32_t tail = tails[i / 2];
		bool failed = i % 2 == 0;

		begin(false, false, TIMEOUT_MS);
		given = 0;
		qp.state = HISI_ZIP_QP_FAILING;
		hisi_zip_renew(&qp);
		assert_int_equal(qp.state, HISI_ZIP_QP_RUNNING);
		qp.hwq[HISI_ZIP_COMP].q.failed = failed;
		qp.hwq[HISI_ZIP_COMP].q.outdated = !failed;
		qp.hwq[HISI_ZIP_COMP].q.ring = &ring;
		/* One that was not taken has nothing to put. */
		qp.hwq[HISI_ZIP_DECOMP].q.outdated = 1;
		qp.tail = tail;
		for (uint32_t left = 2; left > 0; left--) {
			qp.head = tail - left;
			hisi_zip_renew(&qp);
			assert_int_equal(given, 0);
			assert_int_equal(qp.state, HISI_ZIP_QP_FAILING);
			assert_null(qp.hwq[HISI_ZIP_COMP].q.ring);
			assert_int_equal(qp.hwq[HISI_ZIP_COMP].q.fail_end, tail);
			assert_int_equal(qp.hwq[HISI_ZIP_DECOMP].q.outdated, 0);
			/* What comes behind is nothing of this queue. */
			qp.tail++;
		}
		qp.head = tail;
		hisi_zip_renew(&qp);
		assert_int_equal(given, 1);
		/* One that failed has been stopped. */
		assert_int_equal(stops, !failed);
		assert_int_equal(qp.state, HISI_ZIP_QP_RUNNING);
	}
}

/* Software does what it can: not the next op of a stream, nor what the device may yet write to. */
static void
test_lost(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		bool sw = i & 1, stateful = i & 2, stuck = i & 4, again = sw && !stateful && !stuck;
		struct hisi_zip_stream stream = { .busy = 1 };
		struct rte_comp_op op = { .status = 77, .consumed = 1, .produced = 1,
			.output_chksum = 1, .debug_status = 1, .stream = &stream };

		begin(sw, false, TIMEOUT_MS);
		ring.cq_phase = 1;
		qp.hwq[HISI_ZIP_COMP].q.stuck = stuck;
		slot.op = &op;
		slot.flags = stateful ? HISI_ZIP_SLOT_F_STATEFUL : 0;
		hisi_zip_slot_lost(&qp, &slot);
		assert_int_equal(qp.deq.lost, 1);
		assert_int_equal(qp.deq.repeated, again);
		assert_int_equal(slot.kind, again ? HISI_ZIP_SLOT_SW : HISI_ZIP_SLOT_DONE);
		/* Nothing is ready any more. */
		assert_int_equal(ring.cq_phase, HISI_QM_CQE_PHASE + 1);
		assert_int_equal(stream.dead, stateful);
		assert_int_equal(stream.busy, !stateful);
		/* Its context is not freed: the function may yet write to it. */
		assert_int_equal(stream.ctx_owed, stateful && stuck);
		assert_int_equal(op.status, again ? 77 : RTE_COMP_OP_STATUS_ERROR);
		assert_int_equal(op.consumed, again);
		assert_int_equal(op.produced, again);
		assert_int_equal(op.output_chksum, again);
		assert_int_equal(op.debug_status, again);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_restart_asked),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_renew),
		cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests_name("pmd_cause", tests, NULL, NULL);
}
