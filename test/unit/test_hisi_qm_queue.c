/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* The driver side of the queue manager: queue pairs are taken, started, stopped, given back. */

#include "test_hisi_qm_util.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Memory of a queue pair of 16, and its contexts, which lie behind both rings. */
#define TAKEN "alloc 2368 4096 -1\n"
#define SET   "mb 2000 q0 5b0000001900\nmb 2001 q0 5b0000001900\n"

static void
check_contexts(const struct hisi_qm_qp *qp, uint8_t type, uint16_t depth, uint16_t at,
		uint16_t phase)
{
	uint16_t qn = qp->ring.qn;
	uint64_t cq = qp->mem.iova + depth * 128u;
	/* QM 3.1, 3.2: entries of 2^7 and 2^4 bytes, completed in order, no event armed. */
	struct hisi_qm_sqc sqc = {
		.head = at, .tail = at,
		.base_l = (uint32_t)qp->mem.iova, .base_h = (uint32_t)(qp->mem.iova >> 32),
		.dw3 = 0x7000u | (depth - 1u), .cq_num = qn, .w13 = (uint16_t)(0x10 | type << 8),
	};
	struct hisi_qm_cqc cqc = {
		.head = at, .tail = at,
		.base_l = (uint32_t)cq, .base_h = (uint32_t)(cq >> 32),
		.dw3 = 0x4000u | (depth - 1u), .dw6 = phase,
	};

	assert_memory_equal(&f->sqc[qn], &sqc, sizeof(sqc));
	assert_memory_equal(&f->cqc[qn], &cqc, sizeof(cqc));
}

static void
test_start(void **state)
{
	static const uint16_t depths[] = { 16, 32, 64, 128, 256, 512, 1024 };
	struct hisi_qm qm;

	(void)state;
	fake_up(&qm);
	qm.resets = 5;
	for (uint8_t type = 0; type < 16; type++) {
		uint16_t depth = depths[type % ARRAY_LEN(depths)];
		int socket = type % 3 - 1;
		struct hisi_qm_qp qp[2];
		struct hisi_qm_ring *ring = &qp[1].ring;
		char expected[256];
		unsigned int n;

		assert_int_equal(hisi_qm_qp_start(&qm, &qp[0], 0, 16, -1), 0);
		memset(&qp[1], 0xa5, sizeof(qp[1]));
		fake_forget();
		n = f->allocs;
		assert_int_equal(hisi_qm_qp_start(&qm, &qp[1], type, depth, socket), 0);
		fake_unlocked(&qm);
		snprintf(expected, sizeof(expected), "alloc %u 4096 %d\n"
			"mb 2000 q1 %llx\nmb 2001 q1 %llx\n", depth * 144u + 64, socket,
			(unsigned long long)FAKE_IOVA(n) + depth * 144u,
			(unsigned long long)FAKE_IOVA(n) + depth * 144u);
		fake_did(expected);
		check_contexts(&qp[1], type, depth, 0, 1);
		assert_int_equal(qp[1].mem.iova, FAKE_IOVA(n));
		assert_int_equal(qp[1].type, type);
		assert_int_equal(qp[1].resets, 5);
		assert_ptr_equal(ring->sq, qp[1].mem.va);
		assert_ptr_equal(ring->cq, ring->sq + depth * 128u);
		assert_ptr_equal(ring->sq_db, &f->db[1][0]);
		assert_ptr_equal(ring->cq_db, &f->db[1][8]);
		assert_int_equal(ring->sq_db_base, 0x0001);
		assert_int_equal(ring->cq_db_base, 0x1001);
		assert_null(ring->wake_io);
		assert_int_equal(ring->mask, depth - 1);
		assert_int_equal(ring->qn, 1);
		assert_int_equal(ring->sq_tail | ring->sq_rung | ring->cq_head, 0);
		assert_int_equal(ring->cq_phase, 1);
		assert_int_equal(hisi_qm_qp_check(&qm, &qp[1]), 0);
		for (int i = 1; i >= 0; i--)
			hisi_qm_qp_free(&qm, &qp[i]);
		fake_unlocked(&qm);
	}
	assert_int_equal(f->held, 1);
	fake_down(&qm, NULL, 0);
}

static void
no_wake(struct hisi_qm_io *io, uint16_t qn)
{
	(void)io;
	(void)qn;
	f->wakes++;
}

static void
test_start_where_it_sleeps(void **state)
{
	struct hisi_qm_qp qp;
	struct hisi_qm qm;

	(void)state;
	f->ops.wake = no_wake;
	fake_up(&qm);
	fake_start(&qm, &qp);
	assert_ptr_equal(qp.ring.wake_io, &f->io);
	assert_int_equal(f->wakes, 0);
	fake_down(&qm, &qp, 1);
}

/* Every queue there is, each once; and one that is given back is the next. */
static void
test_run_out(void **state)
{
	static const uint16_t back[] = { 63, 0, 64, 129, 127, 128 };
	static struct hisi_qm_qp qp[131];
	struct hisi_qm qm;

	(void)state;
	fake_queues(130);
	fake_up(&qm);
	f->quiet = true;
	for (int i = 0; i < 130; i++) {
		assert_int_equal(hisi_qm_qp_start(&qm, &qp[i], 0, 16, -1), 0);
		assert_int_equal(qp[i].ring.qn, i);
	}
	f->quiet = false;
	for (size_t i = 0; i < ARRAY_LEN(back); i++) {
		unsigned int held = f->held;

		fake_forget();
		assert_int_equal(hisi_qm_qp_start(&qm, &qp[130], 0, 16, -1), -EBUSY);
		fake_unlocked(&qm);
		assert_int_equal(f->held, held);
		assert_int_equal(f->lines, 0); /* a matter of time */
		f->allocs--;
		hisi_qm_qp_free(&qm, &qp[back[i]]);
		assert_int_equal(hisi_qm_qp_start(&qm, &qp[back[i]], 0, 16, -1), 0);
		assert_int_equal(qp[back[i]].ring.qn, back[i]);
	}
	f->quiet = true;
	fake_down(&qm, qp, 130);
}

static void
test_depth(void **state)
{
	static const uint16_t bad[] = { 0, 1, 8, 15, 17, 48, 1000, 1023, 1025, 2048, 32768, 65535 };
	struct hisi_qm_qp qp;
	struct hisi_qm qm;

	(void)state;
	fake_up(&qm);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char line[100];

		fake_forget();
		assert_int_equal(hisi_qm_qp_start(&qm, &qp, 0, bad[i], -1), -EINVAL);
		snprintf(line, sizeof(line), "fake: ring depth %u, expected a power of two from 16 "
			"to 1024", bad[i]);
		assert_string_equal(f->line, line);
		assert_int_equal(f->line_error, 1);
		fake_did("");
	}
	fake_down(&qm, NULL, 0);
}

/* Each step fails once; what was taken before is given back, and nothing is done after it. */
static void
test_start_fails(void **state)
{
	static const struct {
		enum fake_fault fault;
		uint8_t status;
		int ret;
		unsigned int lines;
	} faults[] = {
		{ FAKE_STATUS, 1, -EIO, 1 }, { FAKE_STATUS, 15, -EIO, 1 },
		{ FAKE_STATUS, HISI_QM_MB_STATUS_NO_QUEUE, -EBUSY, 0 },
		{ FAKE_GONE, 0, -ENODEV, 1 },
		{ FAKE_BUSY, 0, -ETIMEDOUT, 2 },
		{ FAKE_UNSENT, ENOBUFS, -ENOBUFS, 1 },
	};
	struct hisi_qm_qp qp;
	struct hisi_qm qm;
	uint64_t before;

	(void)state;
	f->ops.reset = NULL;
	fake_up(&qm);
	f->alloc_result = -EXDEV;
	assert_int_equal(hisi_qm_qp_start(&qm, &qp, 0, 16, -1), -EXDEV);
	fake_unlocked(&qm);
	fake_did(TAKEN);
	assert_int_equal(f->lines, 0);
	f->alloc_result = 0;
	f->doorbells_result = -EINVAL;
	assert_int_equal(hisi_qm_qp_start(&qm, &qp, 0, 16, -1), -EINVAL);
	fake_unlocked(&qm);
	fake_did(TAKEN "free 1\n");
	f->doorbells_result = 0;
	for (int n = 0; n < 2; n++) {
		for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
			f->allocs = 1;
			f->status = faults[i].status;
			fake_fault(n, faults[i].fault);
			fake_forget();
			before = f->now;
			assert_int_equal(hisi_qm_qp_start(&qm, &qp, 0, 16, -1), faults[i].ret);
			fake_unlocked(&qm);
			fake_did(n == 0 ? TAKEN "mb 2000 q0 5b0000001900\nfree 1\n" :
				TAKEN SET "free 1\n");
			assert_int_equal(f->lines, faults[i].lines);
			/* What was not sent is not waited for. */
			if (faults[i].fault == FAKE_UNSENT)
				assert_int_equal(f->now, before);
			assert_int_equal(qm.used[0], 0);
			assert_int_equal(qm.resets, 0);
			f->gone = false;
			f->busy_until = 0;
			f->mb[0] = 0;
		}
	}
	f->allocs = 1;
	fake_start(&qm, &qp);
	assert_int_equal(qp.ring.qn, 0);
	fake_down(&qm, &qp, 1);
}

/* The rings go on where they were, on another function with the same doorbells. */
static void
test_restart(void **state)
{
	struct hisi_qm_qp qp;
	struct hisi_qm qm;

	(void)state;
	f->ops.wake = no_wake;
	fake_up(&qm);
	assert_int_equal(hisi_qm_qp_start(&qm, &qp, 3, 16, -1), 0);
	qp.ring.sq_tail = 9; /* the producer fills slots meanwhile: not yet rung for */
	qp.ring.sq_rung = 5;
	qp.ring.cq_head = 1;
	qp.ring.cq_phase = 0;
	fake_forget();

	f->db[0][0] = UINT64_MAX;
	qm.resets++;
	assert_int_equal(hisi_qm_qp_check(&qm, &qp), -ESTALE);
	assert_int_equal(hisi_qm_qp_restart(&qm, &qp), 0);
	fake_unlocked(&qm);
	fake_did(SET);
	check_contexts(&qp, 3, 16, 1, 0);
	assert_int_equal(hisi_qm_qp_check(&qm, &qp), 0);
	assert_int_equal(f->db[0][0], 5ull << 32);
	assert_int_equal(f->wakes, 1);

	/* What the producer rings after the function was made comes after our own ring. */
	f->db[0][0] = 7ull << 32;
	qp.ring.cq_head = 15;
	qp.ring.cq_phase = 1;
	assert_int_equal(hisi_qm_qp_restart(&qm, &qp), 0);
	assert_int_equal(f->db[0][0], 7ull << 32);
	check_contexts(&qp, 3, 16, 15, 1);
	assert_int_equal(f->wakes, 2);

	/* One that does not sleep is not woken. */
	qp.ring.wake_io = NULL;
	assert_int_equal(hisi_qm_qp_restart(&qm, &qp), 0);
	assert_int_equal(f->wakes, 2);
	fake_down(&qm, &qp, 1);
}

/* Whatever the one before wrote behind a CQE that it left out, only what comes now is ready. */
static void
test_restart_forgets(void **state)
{
	static const struct { uint16_t head, phase; } from[] = { { 0, 1 }, { 3, 0 }, { 15, 1 } };
	struct hisi_qm_qp qp;
	struct hisi_qm_ring *ring = &qp.ring;
	struct hisi_qm qm;

	(void)state;
	fake_up(&qm);
	assert_int_equal(hisi_qm_qp_start(&qm, &qp, 3, 16, -1), 0);
	for (unsigned int i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		ring->cq_head = from[i].head;
		ring->cq_phase = from[i].phase;
		for (unsigned int slot = 0; slot < 16; slot++) {
			bool next_pass = slot < ring->cq_head;

			ring->cq[slot].w7 = ring->cq_phase ^ next_pass;
		}
		ring->cq[ring->cq_head].w7 ^= 1; /* the one that was left out */
		assert_int_equal(hisi_qm_cq_ready(ring, 15), 0);
		assert_int_equal(hisi_qm_qp_restart(&qm, &qp), 0);
		for (unsigned int n = 1; n <= 3; n++) {
			unsigned int slot = (from[i].head + n - 1) & 15;

			ring->cq[slot].w7 ^= 1;
			assert_int_equal(hisi_qm_cq_ready(ring, 15), n);
		}
	}
	fake_down(&qm, &qp, 1);
}

static void
test_restart_fails(void **state)
{
	struct hisi_qm_qp qp[4];
	struct hisi_qm qm;

	(void)state;
	fake_up(&qm);
	for (int i = 0; i < 4; i++)
		fake_start(&qm, &qp[i]);
	f->db[2][0] = f->db[1][0] = UINT64_MAX;
	/* Fewer queues than before. */
	fake_queues(2);
	assert_int_equal(hisi_qm_reinit(&qm), 0);
	fake_forget();
	assert_int_equal(hisi_qm_qp_restart(&qm, &qp[2]), -EBUSY);
	fake_unlocked(&qm);
	fake_did("");
	assert_int_equal(hisi_qm_qp_restart(&qm, &qp[1]), 0);
	assert_int_equal(f->db[1][0], 1);
	for (int n = 0; n < 2; n++) {
		f->status = n == 0 ? HISI_QM_MB_STATUS_NO_QUEUE : 4;
		fake_fault(n, FAKE_STATUS);
		f->db[0][0] = UINT64_MAX;
		assert_int_equal(hisi_qm_qp_restart(&qm, &qp[0]), n == 0 ? -EBUSY : -EIO);
		fake_unlocked(&qm);
		assert_int_equal(f->db[0][0], UINT64_MAX); /* nothing was submitted */
	}
	fake_down(&qm, qp, 4);
}

static void
test_stop(void **state)
{
	struct hisi_qm_qp qp[2];
	struct hisi_qm qm;

	(void)state;
	fake_up(&qm);
	fake_start(&qm, &qp[0]);
	fake_start(&qm, &qp[1]);
	assert_int_equal(hisi_qm_qp_stop(&qm, &qp[1]), 0);
	fake_unlocked(&qm);
	fake_did("mb 2008 q1 0\n");
	/* It may take longer than other commands. */
	f->busy_ms = 4999;
	fake_fault(0, FAKE_LATE);
	assert_int_equal(hisi_qm_qp_stop(&qm, &qp[0]), 0);
	assert_int_equal(f->resets, 0);
	assert_int_equal(f->lines, 0);
	fake_down(&qm, qp, 2);
}

static unsigned int
fake_poll(struct hisi_qm_io *io, uint16_t qn, unsigned int budget)
{
	assert_ptr_equal(io, &f->io);
	assert_int_equal(budget, UINT32_MAX);
	f->wakes += qn + 1u;
	return 0;
}

/* V2 has no STOP_QP: both contexts are read until they agree (QM 2.5). */
static void
test_stop_v2(void **state)
{
	const struct hisi_qm_cqc dumps[] = {
		{ .tail = 6, .w11 = HISI_QM_CTX_TAIL_SIG },  /* behind */
		{ .tail = 7, .w11 = 0 },                     /* a lap behind */
		{ .tail = 7, .w11 = HISI_QM_CTX_HEAD_SIG },  /* still */
		/* Done: the head's flag and the rest do not matter. */
		{ .head = 3, .tail = 7, .w11 = 0xffff },
	};
	static const char round[] = "mb 6000 q1 5c0000001900\nmb 6001 q1 5c0000001920\n";
	char expected[512] = "";
	struct hisi_qm_qp qp[2];
	struct hisi_qm qm;

	(void)state;
	f->io.revision = HISI_QM_REV_V3 - 1;
	fake_up(&qm);
	fake_start(&qm, &qp[0]);
	fake_start(&qm, &qp[1]);
	f->sq_tail = 7;
	f->sq_w11 = HISI_QM_CTX_TAIL_SIG;
	f->dumps = dumps;
	f->dumps_left = ARRAY_LEN(dumps);
	f->slept = 0;
	assert_int_equal(hisi_qm_qp_stop(&qm, &qp[1]), 0);
	fake_unlocked(&qm);
	for (size_t i = 0; i < ARRAY_LEN(dumps); i++)
		strcat(expected, round);
	fake_did(expected);
	assert_int_equal(f->slept, 3 * 100000);
	/* One without threads of its own works while it is polled. */
	f->ops.poll = fake_poll;
	f->dumps = dumps;
	f->dumps_left = ARRAY_LEN(dumps);
	assert_int_equal(hisi_qm_qp_stop(&qm, &qp[1]), 0);
	assert_int_equal(f->wakes, 4 * 2);
	/* Who did not run for longer than the time-out looks once more before a reset. */
	f->dumps = &dumps[2];
	f->dumps_left = 2;
	f->steal_ms = 6000;
	assert_int_equal(hisi_qm_qp_stop(&qm, &qp[1]), 0);
	assert_int_equal(f->steal_ms, 0);
	assert_int_equal(f->resets, 0);
	fake_down(&qm, qp, 2);
}

static void
test_stop_v2_fails(void **state)
{
	const struct hisi_qm_cqc never = { .tail = 6 };
	struct hisi_qm_qp qp;
	struct hisi_qm qm;
	char line[100];

	(void)state;
	f->io.revision = HISI_QM_REV_V2;
	f->ops.reset = NULL;
	fake_up(&qm);
	fake_start(&qm, &qp);
	f->status = 3;
	for (int n = 0; n < 2; n++) {
		fake_fault(n, FAKE_STATUS);
		assert_int_equal(hisi_qm_qp_stop(&qm, &qp), -EIO);
		fake_unlocked(&qm);
		fake_did(n == 0 ? "mb 6000 q0 5b0000001900\n" :
			"mb 6000 q0 5b0000001900\nmb 6001 q0 5b0000001920\n");
	}
	f->sq_tail = 5;
	f->dumps = &never;
	f->dumps_left = 1;
	f->slept = 0;
	f->quiet = true;
	f->ops.reset = NULL;
	fake_forget();
	assert_int_equal(hisi_qm_qp_stop(&qm, &qp), -ETIMEDOUT);
	fake_unlocked(&qm);
	assert_in_range(f->slept / 1000, 5000100, 5001100);
	assert_int_equal(f->lines, 2); /* that, and that there is no reset */
	snprintf(line, sizeof(line), "fake: the function cannot be reset (%d)", -ENOTSUP);
	assert_string_equal(f->line, line);
	f->quiet = false;
	fake_down(&qm, &qp, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_start, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_start_where_it_sleeps, fake_setup,
			fake_teardown),
		cmocka_unit_test_setup_teardown(test_run_out, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_depth, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_start_fails, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_restart, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_restart_forgets, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_restart_fails, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_stop, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_stop_v2, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_stop_v2_fails, fake_setup, fake_teardown),
	};

	return cmocka_run_group_tests_name("hisi_qm_queue", tests, NULL, NULL);
}
