/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * A function that fails, in every way that can be injected, and one that lies: the test, which is
 * in the same process, changes what it wrote, as a service of somebody else could. Each op that
 * was accepted comes back once, in order; those that the function did not do, with an error.
 */

#include "dma_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_malloc.h>

#include "hisi_udma_recover.h"
#include "hisi_udma_sqe.h"
#include "hisi_udma_vchan.h"

#define LEN 256u
#define OPS 32
#define DESC 64

/* ---- What can be made of a device ---- */

static void
check_refused(const char *args, int expected, const char *line)
{
	dma_log_begin();
	assert_int_equal(dma_try_add(DMA_NAME, args), expected);
	dma_log_end(line);
	assert_int_equal(rte_dma_get_dev_id_by_name(DMA_NAME), -EINVAL);
}

static void
test_probe(void **state)
{
	(void)state;
	check_refused("ext=off", -ENOTSUP, "the function has no UDMA: features 0x0 of revision "
		"0x30, expected 0x10000 among them");
	check_refused("dev=nowhere", -EINVAL, "dev=nowhere: expected local or unix:PATH");
	check_refused("dev=unix:/nowhere/at/all", -ENOENT, "dev=unix:/nowhere/at/all could not be "
		"opened (-2)");
	check_refused("workers=65", -EINVAL, "workers=65, expected 0 to 64");
	check_refused("engine=copy", -EINVAL, "unknown device argument engine=copy, expected one "
		"of dev, workers, rev, ext, ");
	check_refused("timeout=9", -EINVAL, "timeout=9, expected 0 (none) or 10 to 3600000 ms");
	/* V2 has it, too, as the extension says so. */
	assert_int_equal(dma_try_add(DMA_NAME, "rev=v2"), 0);
	dma_remove(DMA_NAME);
}

/* ---- Faults ---- */

static uint8_t *src, *dst;

static void
buffers(bool alloc)
{
	if (alloc) {
		src = dma_mem(OPS * LEN, 1);
		dst = dma_mem(OPS * LEN, 2);
	} else {
		rte_free(src);
		rte_free(dst);
	}
}

static void
enqueue(int16_t dev, uint16_t from, uint16_t n, uint64_t last_flags)
{
	for (uint16_t i = 0; i < n; i++)
		dma_copy_id(dev, 0, src + i * LEN, dst + i * LEN, LEN,
			i == n - 1 ? last_flags : 0, (uint16_t)(from + i));
}

#define GOOD 10 /* ops before the one at which the fault strikes */

/*
 * OPS ops, of which the function does the first few and no more, or one wrong. Those come back; for
 * the others completed() says that there is an error, and completed_status() what it is.
 */
static void
run_failing(int16_t dev, bool lost)
{
	const uint16_t bad = OPS - GOOD;
	enum rte_dma_status_code status[OPS];
	enum rte_dma_vchan_status st;
	bool error = false;
	uint16_t idx;

	memset(dst, 0, OPS * LEN);
	/* One by one: what is executed together with the one that fails is lost with it. */
	for (uint16_t i = 0; i < GOOD; i++) {
		enqueue(dev, i, 1, RTE_DMA_OP_FLAG_SUBMIT);
		dma_wait(dev, 0, 1, i);
	}
	assert_memory_equal(dst, src, LEN);
	enqueue(dev, GOOD, bad, RTE_DMA_OP_FLAG_SUBMIT);
	while (!error) {
		assert_int_equal(rte_dma_completed(dev, 0, OPS, &idx, &error), 0);
		assert_int_equal(idx, GOOD - 1);
		usleep(10);
	}
	assert_int_equal(rte_dma_completed(dev, 0, OPS, &idx, &error), 0);
	assert_true(error);
	assert_int_equal(rte_dma_vchan_status(dev, 0, &st), 0);
	if (lost)
		assert_int_equal(st, RTE_DMA_VCHAN_HALTED_ERROR);
	/* Some at a time; only then there is room for others. */
	dma_wait_status(dev, 0, 3, GOOD + 2, status);
	if (lost)
		assert_int_equal(rte_dma_burst_capacity(dev, 0), 0);
	dma_wait_status(dev, 0, bad - 3, OPS - 1, status + 3);
	assert_int_equal(rte_dma_burst_capacity(dev, 0), DESC);
	assert_int_equal(status[0], lost ? RTE_DMA_STATUS_DEV_LINK_ERROR :
		RTE_DMA_STATUS_ERROR_UNKNOWN);
	for (uint16_t i = 1; i < bad; i++)
		assert_int_equal(status[i], lost ? RTE_DMA_STATUS_DEV_LINK_ERROR :
			RTE_DMA_STATUS_SUCCESSFUL);
}

/* It was the queue; the next op has another one. */
static void
test_stall(void **state)
{
	static const char *const faults[] = { "stall@11", "aeq:cq_overflow@11",
		"aeq:cqe_error@11" };

	(void)state;
	buffers(true);
	for (unsigned int i = 0; i < RTE_DIM(faults); i++) {
		for (int workers = 0; workers < 2; workers++) {
			char args[96];
			int16_t dev;

			/* A worker that the machine keeps waiting is no queue that failed. */
			snprintf(args, sizeof(args), "workers=%d,timeout=%d,fault=%s", workers,
				workers > 0 ? 600 : 40, faults[i]);
			dev = dma_make(args, DESC);
			dma_log_begin();
			run_failing(dev, true);
			dma_log_end("channel 0: hardware queue 0 is silent: no answer for ");
			assert_int_equal(dma_vchan(dev, 0)->deq.fails[HISI_WATCH_STALLED], 1);
			assert_int_equal(dma_vchan(dev, 0)->deq.errors[HISI_UDMA_ERROR_LOST],
				OPS - GOOD);
			enqueue(dev, OPS, OPS, RTE_DMA_OP_FLAG_SUBMIT);
			dma_wait(dev, 0, OPS, 2 * OPS - 1);
			assert_memory_equal(dst, src, OPS * LEN);
			dma_end(dev);
		}
	}
	buffers(false);
}

static void
test_vanish(void **state)
{
	(void)state;
	buffers(true);
	for (int workers = 0; workers < 2; workers++) {
		int16_t dev;

		dev = dma_make(workers ? "workers=1,fault=vanish@11" : "fault=vanish@11", DESC);
		dma_log_begin();
		run_failing(dev, true);
		dma_log_end("channel 0: hardware queue 0 has gone with its function: no answer "
			"for ");
		assert_int_equal(dma_vchan(dev, 0)->deq.fails[HISI_WATCH_GONE], 1);
		/* There is no other one. */
		dma_log_begin();
		for (int i = 0; i < 300; i++)
			assert_int_equal(dma_copy(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT),
				-ENODEV);
		dma_log_end("(-19)");
		dma_end(dev);
	}
	buffers(false);
}

static void
test_error_status(void **state)
{
	int16_t dev = dma_make("fault=status:0x7f@11", DESC);

	(void)state;
	buffers(true);
	run_failing(dev, false);
	assert_int_equal(dma_vchan(dev, 0)->deq.errors[HISI_UDMA_ERROR_OTHER], 1);
	assert_int_equal(dma_vchan(dev, 0)->deq.lies, 0);
	buffers(false);
	dma_end(dev);
}

/* Ops that were enqueued and not submitted when the queue failed come back, too. */
static void
test_not_submitted(void **state)
{
	enum rte_dma_status_code status[OPS];
	int16_t dev = dma_make("timeout=40,fault=stall@1", 64);
	bool error = false;
	uint16_t idx;

	(void)state;
	buffers(true);
	dma_log_begin();
	enqueue(dev, 0, 4, RTE_DMA_OP_FLAG_SUBMIT);
	enqueue(dev, 4, 4, 0);
	while (!error)
		assert_int_equal(rte_dma_completed(dev, 0, OPS, &idx, &error), 0);
	dma_log_end("is silent");
	/* A new queue only when all are back. */
	assert_int_equal(dma_copy(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT), -ENOSPC);
	assert_int_equal(rte_dma_submit(dev, 0), 0);
	dma_wait_status(dev, 0, 8, 7, status);
	for (int i = 0; i < 8; i++)
		assert_int_equal(status[i], RTE_DMA_STATUS_DEV_LINK_ERROR);
	dma_copy_id(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT, 8);
	dma_wait(dev, 0, 1, 8);
	buffers(false);
	dma_end(dev);
}

/* The first op of a channel has all of its time, as any other. */
static void
test_first(void **state)
{
	int16_t dev = dma_make("timeout=40,fault=stall@1", 64);
	struct hisi_udma_vchan *v = dma_vchan(dev, 0);
	uint16_t idx;

	(void)state;
	buffers(true);
	enqueue(dev, 0, 1, RTE_DMA_OP_FLAG_SUBMIT);
	for (unsigned int i = 0; i < HISI_WATCH_POLLS; i++)
		assert_int_equal(rte_dma_completed(dev, 0, 1, &idx, NULL), 0);
	assert_true(v->watch.last != 0);
	assert_true(v->watch.silent == 0);
	buffers(false);
	dma_end(dev);
}

/* Without a timeout a queue may be silent for ever; stop ends it. */
static void
test_no_timeout(void **state)
{
	int16_t dev = dma_make("timeout=0,fault=stall@1", 64);
	bool error = false;
	uint16_t idx;

	(void)state;
	buffers(true);
	enqueue(dev, 0, 4, RTE_DMA_OP_FLAG_SUBMIT);
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(rte_dma_completed(dev, 0, OPS, &idx, &error), 0);
		assert_false(error);
		usleep(50);
	}
	buffers(false);
	dma_log_begin();
	dma_end(dev);
	dma_log_end("");
}

/* A mailbox that does not answer: no queue, an error, tried again only after a while. */
static void
test_no_queue(void **state)
{
	int16_t dev = dma_make("fault=mailbox_timeout@4", 64);
	int ret;

	(void)state;
	buffers(true);
	dma_log_begin();
	ret = dma_copy(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT);
	dma_log_end("no ");
	assert_true(ret < 0 && ret != -ENOSPC);
	for (int i = 0; i < 100; i++)
		assert_int_equal(dma_copy(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT), ret);
	assert_int_equal(rte_dma_submit(dev, 0), 0);
	assert_int_equal(rte_dma_completed(dev, 0, OPS, NULL, NULL), 0);
	assert_int_equal(dma_vchan(dev, 0)->enq.no_queue, 101);
	buffers(false);
	dma_end(dev);
}

/* ---- Lies ---- */

struct lie {
	void (*tell)(struct hisi_udma_sqe *sqe, struct hisi_qm_cqe *cqe);
	enum rte_dma_status_code status;
	bool impossible; /* no error that a function may tell of */
};

#define LIE_WB(name, value) \
	static void \
	name(struct hisi_udma_sqe *sqe, struct hisi_qm_cqe *cqe) \
	{ \
		RTE_SET_USED(cqe); \
		sqe->wb = (value); \
	}

LIE_WB(not_done, 0)
LIE_WB(done_with_error, HISI_UDMA_WB_GOOD | 1u << HISI_UDMA_WB_ERR_SHIFT)
LIE_WB(done_with_detail, HISI_UDMA_WB_GOOD | 1u << HISI_UDMA_WB_EXT_SHIFT)
LIE_WB(done_with_wtype, HISI_UDMA_WB_GOOD | 1u << HISI_UDMA_WB_WTYPE_SHIFT)
LIE_WB(done_twice, 3)
LIE_WB(all_ones, UINT32_MAX)
LIE_WB(unknown_error, HISI_UDMA_ERROR | 0x77u << HISI_UDMA_WB_ERR_SHIFT)
LIE_WB(bad_address, HISI_UDMA_ERROR | 0x22u << HISI_UDMA_WB_ERR_SHIFT)
LIE_WB(bad_request, HISI_UDMA_ERROR | 0x21u << HISI_UDMA_WB_ERR_SHIFT)

#define LIE_SLOT(name, change) \
	static void \
	name(struct hisi_udma_sqe *sqe, struct hisi_qm_cqe *cqe) \
	{ \
		RTE_SET_USED(sqe); \
		cqe->sq_head change; \
	}

LIE_SLOT(slot_before, -= 1)
LIE_SLOT(slot_after, += 1)
LIE_SLOT(slot_beyond, = UINT16_MAX)

/* In words that the function is not to write to: nobody looks there. */
static void
request_changed(struct hisi_udma_sqe *sqe, struct hisi_qm_cqe *cqe)
{
	uint32_t wb = sqe->wb;

	RTE_SET_USED(cqe);
	memset(sqe, 0xff, sizeof(*sqe));
	sqe->wb = wb;
}

static const struct lie lies[] = {
	{ not_done, RTE_DMA_STATUS_ERROR_UNKNOWN, true },
	{ done_with_error, RTE_DMA_STATUS_ERROR_UNKNOWN, true },
	{ done_with_detail, RTE_DMA_STATUS_ERROR_UNKNOWN, true },
	{ done_with_wtype, RTE_DMA_STATUS_ERROR_UNKNOWN, true },
	{ done_twice, RTE_DMA_STATUS_ERROR_UNKNOWN, true },
	{ all_ones, RTE_DMA_STATUS_ERROR_UNKNOWN, true },
	{ unknown_error, RTE_DMA_STATUS_ERROR_UNKNOWN, false },
	{ bad_address, RTE_DMA_STATUS_INVALID_ADDR, false },
	{ bad_request, RTE_DMA_STATUS_INVALID_ADDR, false },
	{ slot_before, RTE_DMA_STATUS_ERROR_UNKNOWN, true },
	{ slot_after, RTE_DMA_STATUS_ERROR_UNKNOWN, true },
	{ slot_beyond, RTE_DMA_STATUS_ERROR_UNKNOWN, true },
	{ request_changed, RTE_DMA_STATUS_SUCCESSFUL, false },
};

/* Lies are told about the middle one of three ops; the others are as if nothing had been. */
static void
test_lies(void **state)
{
	(void)state;
	buffers(true);
	for (unsigned int i = 0; i < RTE_DIM(lies); i++) {
		int16_t dev = dma_make("", 64);
		struct hisi_qm_ring *ring;
		enum rte_dma_status_code status;
		bool error = false;
		uint16_t idx;

		enqueue(dev, 0, 3, RTE_DMA_OP_FLAG_SUBMIT);
		dma_idle(dev, 0);
		ring = dma_vchan(dev, 0)->hwq.ring;
		lies[i].tell(hisi_qm_sq_slot(ring, 1), &ring->cq[1]);
		if (lies[i].status != RTE_DMA_STATUS_SUCCESSFUL) {
			assert_int_equal(rte_dma_completed(dev, 0, 3, &idx, &error), 1);
			assert_true(error);
			/* What was seen stays so, whatever is written now. */
			((struct hisi_udma_sqe *)hisi_qm_sq_slot(ring, 1))->wb = HISI_UDMA_WB_GOOD;
			ring->cq[1].sq_head = 1;
			dma_wait_status(dev, 0, 1, 1, &status);
			assert_int_equal(status, lies[i].status);
			dma_wait(dev, 0, 1, 2);
		} else {
			dma_wait(dev, 0, 3, 2);
		}
		assert_int_equal(dma_vchan(dev, 0)->deq.lies, lies[i].impossible);
		/* The slot is as good as new. */
		for (uint16_t id = 3; id < 200; id++) {
			dma_copy_id(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT, id);
			if (lies[i].tell == request_changed && id == 129) {
				dma_wait_status(dev, 0, 1, id, &status);
				assert_int_equal(status, RTE_DMA_STATUS_INVALID_ADDR);
			} else {
				dma_wait(dev, 0, 1, id);
			}
		}
		dma_log_begin();
		dma_end(dev);
		dma_log_end(lies[i].impossible ? "channel 0: an answer cannot be true: result 0x" :
			"");
	}
	buffers(false);
}

/* Completions that nobody has asked for: of no op, of one that is not submitted, twice. */
static void
test_uncalled(void **state)
{
	int16_t dev = dma_make("", 64);
	struct hisi_qm_ring *ring;
	enum rte_dma_status_code status[2];
	bool error = false;
	uint16_t idx = 0;

	(void)state;
	buffers(true);
	enqueue(dev, 0, 1, RTE_DMA_OP_FLAG_SUBMIT);
	dma_wait(dev, 0, 1, 0);
	ring = dma_vchan(dev, 0)->hwq.ring;
	for (uint16_t slot = 0; slot <= ring->mask; slot++) {
		ring->cq[slot].sq_head = slot;
		ring->cq[slot].w7 |= HISI_QM_CQE_PHASE;
	}
	for (int i = 0; i < 100; i++) {
		assert_int_equal(rte_dma_completed(dev, 0, OPS, &idx, &error), 0);
		assert_int_equal(rte_dma_completed_status(dev, 0, 2, &idx, status), 0);
		assert_int_equal(idx, 0);
		assert_false(error);
	}
	enqueue(dev, 1, 2, 0);
	assert_int_equal(rte_dma_completed(dev, 0, OPS, &idx, &error), 0);
	/* Once it is submitted it has a completion, and is not done: that is an error. */
	assert_int_equal(rte_dma_submit(dev, 0), 0);
	assert_int_equal(rte_dma_completed(dev, 0, OPS, &idx, &error), 0);
	assert_true(error);
	assert_int_equal(rte_dma_completed_status(dev, 0, 2, &idx, status), 2);
	assert_int_equal(idx, 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(status[i], RTE_DMA_STATUS_ERROR_UNKNOWN);
	assert_int_equal(dma_vchan(dev, 0)->deq.lies, 2);
	assert_int_equal(rte_dma_burst_capacity(dev, 0), 64);
	buffers(false);
	dma_log_begin();
	dma_end(dev);
	dma_log_end("an answer cannot be true: result 0x0 for slot 1, expected 0x1 (done) or an "
		"error (0x2 in its lowest bits) for slot 1; such ops end with an error; said once");
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		DMA_TEST(test_probe), DMA_TEST(test_stall), DMA_TEST(test_vanish),
		DMA_TEST(test_error_status), DMA_TEST(test_not_submitted),
		DMA_TEST(test_first), DMA_TEST(test_no_timeout), DMA_TEST(test_no_queue),
		DMA_TEST(test_lies), DMA_TEST(test_uncalled),
	};

	return dma_test_main(argc, argv, "dma_fault", tests, RTE_DIM(tests));
}
