/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* The driver side of the queue manager: a function is brought up, taken down, and asked. */

#include "test_hisi_qm_util.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* With the VFT read and the contexts of four queues allocated (QM 2.4, 2.6). */
#define ASKED    "mb 6006 q0 0\n"
#define ALLOCATED "alloc 256 32 -1\n"
#define TOLD     "mb 2004 q0 5a0000001000\nmb 2005 q0 5a0000001080\n"
#define MASKED   "w 4=1\nw c=1\n"
#define READY    "w 24=1\nw 60=0\n"

static void
test_up_and_down(void **state)
{
	struct hisi_qm qm;

	(void)state;
	memset(&qm, 0xa5, sizeof(qm));
	assert_int_equal(hisi_qm_init(&qm, &f->io, &f->mem, &fake_log), 0);
	fake_did(ASKED ALLOCATED TOLD MASKED READY);
	assert_int_equal(qm.queues, 4);
	assert_int_equal(qm.resets, 0);
	fake_unlocked(&qm);
	hisi_qm_fini(&qm);
	fake_did("w 204=1\nw 60=1\nfree 0\n");
	assert_int_equal(f->slept, 0);
	assert_int_equal(f->lines, 0);
}

/* What only V3 has is not touched before it. */
static void
test_up_and_down_v2(void **state)
{
	static const uint8_t revisions[] = { HISI_QM_REV_V2, 0x22, HISI_QM_REV_V3 - 1 };
	struct hisi_qm qm;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(revisions); i++) {
		f->io.revision = revisions[i];
		f->allocs = 0;
		assert_int_equal(hisi_qm_init(&qm, &f->io, &f->mem, &fake_log), 0);
		fake_did(ASKED ALLOCATED TOLD MASKED);
		hisi_qm_fini(&qm);
		fake_did("w 204=1\nfree 0\n");
	}
	f->io.revision = HISI_QM_REV_V2 - 1;
	assert_int_equal(hisi_qm_init(&qm, &f->io, &f->mem, &fake_log), -ENOTSUP);
	assert_string_equal(f->line, "fake: revision 0x20, expected 0x21 or later");
	assert_int_equal(f->line_error, 1);
	fake_did("");
}

static void
test_queues(void **state)
{
	static const unsigned int queues[] = { 1, 2, 64, 65, 512, 1023, 1024 };
	struct hisi_qm qm;

	(void)state;
	f->quiet = true;
	for (size_t i = 0; i < ARRAY_LEN(queues); i++) {
		fake_queues(queues[i]);
		assert_int_equal(hisi_qm_init(&qm, &f->io, &f->mem, &fake_log), 0);
		assert_int_equal(qm.queues, queues[i]);
		assert_int_equal(qm.ctx.len, queues[i] * 64);
		assert_int_equal(f->bt, qm.ctx.iova);
		hisi_qm_fini(&qm);
	}
	f->vft = 0;
	assert_int_equal(hisi_qm_init(&qm, &f->io, &f->mem, &fake_log), -ENODEV);
	assert_string_equal(f->line, "fake: function has no queues: 0x0, expected bit 44 set");
	assert_int_equal(f->line_error, 1);
}

/* What init has done when its mailbox command n fails. */
static const char * const done[] = {
	ASKED,
	ASKED ALLOCATED "mb 2004 q0 5a0000001000\n" "free 0\n",
	ASKED ALLOCATED TOLD "free 0\n",
};
static const unsigned int cmd[] = { HISI_QM_MB_SQC_VFT, HISI_QM_MB_SQC_BT, HISI_QM_MB_CQC_BT };

static void
test_status(void **state)
{
	struct hisi_qm qm;
	char line[100];

	(void)state;
	for (int n = 0; n < 3; n++) {
		for (f->status = 1; f->status < 16; f->status++) {
			bool wait = f->status == HISI_QM_MB_STATUS_NO_QUEUE;

			f->allocs = 0;
			fake_fault(n, FAKE_STATUS);
			fake_forget();
			assert_int_equal(hisi_qm_init(&qm, &f->io, &f->mem, &fake_log),
				wait ? -EBUSY : -EIO);
			fake_did(done[n]);
			snprintf(line, sizeof(line), "fake: mailbox command 0x%x for queue 0: "
				"status 0x%x, expected 0", cmd[n], f->status);
			assert_string_equal(f->line, wait ? "" : line);
			assert_int_equal(f->line_error, wait ? f->line_error : 1);
			assert_int_equal(f->lines, !wait);
		}
	}
	assert_int_equal(f->slept, 0);
}

static void
test_no_answer(void **state)
{
	struct hisi_qm qm;
	char line[100];

	(void)state;
	for (int n = 0; n < 3; n++) {
		f->allocs = 0;
		f->slept = 0;
		fake_fault(n, FAKE_BUSY);
		fake_forget();
		assert_int_equal(hisi_qm_init(&qm, &f->io, &f->mem, &fake_log), -ETIMEDOUT);
		fake_did(done[n]);
		snprintf(line, sizeof(line), "fake: mailbox command 0x%x for queue 0: "
			"no answer within 1000 ms (%d)", cmd[n], -ETIMEDOUT);
		assert_string_equal(f->line, line);
		assert_int_equal(f->line_error, 1);
		/* A poll every 10 us, until more than the time-out has passed by the ms. */
		assert_in_range(f->slept / 1000, 1000000, 1001010);
		assert_true(f->reads > 100000);

		/* One that hangs is not written over. */
		f->slept = 0;
		assert_int_equal(hisi_qm_init(&qm, &f->io, &f->mem, &fake_log), -ETIMEDOUT);
		fake_did("");
		assert_in_range(f->slept / 1000, 1000000, 1001010);
		f->busy_until = 0;
		f->mb[0] = 0;
		f->reads = 0;
	}
}

/* An answer that takes its time is one, up to the last moment. */
static void
test_late_answer(void **state)
{
	static const struct {
		uint64_t ms;
		int ret;
	} answers[] = { { 1, 0 }, { 500, 0 }, { 999, 0 }, { 1000, 0 }, { 1002, -ETIMEDOUT } };
	struct hisi_qm qm;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		f->busy_ms = answers[i].ms;
		f->busy_until = 0;
		f->mb[0] = 0;
		fake_fault(0, FAKE_LATE);
		assert_int_equal(hisi_qm_init(&qm, &f->io, &f->mem, &fake_log), answers[i].ret);
		if (answers[i].ret != 0)
			continue;
		assert_int_equal(qm.queues, 4);
		hisi_qm_fini(&qm);
	}
}

/* So is one that comes while the thread that waits for it does not run. */
static void
test_late_thread(void **state)
{
	struct hisi_qm qm;

	(void)state;
	f->busy_ms = 1;
	f->steal_ms = 5000;
	fake_fault(0, FAKE_LATE);
	assert_int_equal(hisi_qm_init(&qm, &f->io, &f->mem, &fake_log), 0);
	assert_int_equal(f->steal_ms, 0);
	hisi_qm_fini(&qm);
	f->busy_ms = 10000;
	f->steal_ms = 5000;
	fake_fault(0, FAKE_LATE);
	assert_int_equal(hisi_qm_init(&qm, &f->io, &f->mem, &fake_log), -ETIMEDOUT);
}

static void
test_gone(void **state)
{
	struct hisi_qm qm;

	(void)state;
	for (int n = 0; n < 3; n++) {
		f->allocs = 0;
		fake_fault(n, FAKE_GONE);
		assert_int_equal(hisi_qm_init(&qm, &f->io, &f->mem, &fake_log), -ENODEV);
		fake_did(done[n]);
		assert_int_equal(hisi_qm_init(&qm, &f->io, &f->mem, &fake_log), -ENODEV);
		fake_did(""); /* not even asked */
		f->gone = false;
		f->mb[0] = 0;
	}
	assert_int_equal(f->slept, 0);
}

static void
test_no_memory(void **state)
{
	struct hisi_qm qm;

	(void)state;
	f->alloc_result = -EXDEV; /* whatever it is, it is passed on */
	assert_int_equal(hisi_qm_init(&qm, &f->io, &f->mem, &fake_log), -EXDEV);
	fake_did(ASKED ALLOCATED);
	snprintf(f->did, sizeof(f->did), "fake: no memory for the contexts of 4 queues (%d)",
		-EXDEV);
	assert_string_equal(f->line, f->did);
	f->did[0] = '\0';
}

/* Nobody need listen. */
static void
test_no_log(void **state)
{
	struct hisi_qm qm;

	(void)state;
	f->vft = 0;
	assert_int_equal(hisi_qm_init(&qm, &f->io, &f->mem, &(struct base_log){ 0 }), -ENODEV);
	assert_int_equal(f->lines, 0);
}

/* The contexts are written back before their memory goes, if the function ever says so. */
static void
test_down(void **state)
{
	static const struct {
		uint32_t wb_done;
		unsigned int polls;
	} cases[] = { { 1, 1 }, { 3, 1 }, { 0, 100 }, { 2, 100 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct hisi_qm qm;

		fake_up(&qm);
		f->wb_done = cases[i].wb_done;
		f->reads = 0;
		f->slept = 0;
		f->qm = NULL;
		hisi_qm_fini(&qm);
		assert_int_equal(f->reads, cases[i].polls);
		assert_int_equal(f->slept, cases[i].polls == 1 ? 0 : 1000000);
		assert_int_equal(f->held, 0);
	}
}

/* Another function takes its place: with fewer queues, or more, of which it has no contexts. */
static void
test_again(void **state)
{
	static const struct {
		unsigned int queues, had;
	} cases[] = { { 2, 2 }, { 1, 1 }, { 4, 4 }, { 5, 4 }, { 1024, 4 }, { 3, 3 } };
	struct hisi_qm qm;

	(void)state;
	fake_up(&qm);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		fake_queues(cases[i].queues);
		f->bt = 0;
		assert_int_equal(hisi_qm_reinit(&qm), 0);
		fake_unlocked(&qm);
		fake_did(ASKED TOLD MASKED READY);
		assert_int_equal(qm.queues, cases[i].had);
	}
	f->io.revision = HISI_QM_REV_V2;
	assert_int_equal(hisi_qm_reinit(&qm), 0);
	fake_did(ASKED TOLD MASKED);
	fake_down(&qm, NULL, 0);
}

static void
test_again_fails(void **state)
{
	static const char * const sent[] = {
		ASKED, ASKED "mb 2004 q0 5a0000001000\n", ASKED TOLD,
	};
	struct hisi_qm qm;

	(void)state;
	fake_up(&qm);
	f->status = 2;
	for (int n = 0; n < 3; n++) {
		fake_fault(n, FAKE_STATUS);
		assert_int_equal(hisi_qm_reinit(&qm), -EIO);
		fake_unlocked(&qm);
		fake_did(sent[n]);
		fake_fault(n, FAKE_GONE);
		assert_int_equal(hisi_qm_reinit(&qm), -ENODEV);
		fake_unlocked(&qm);
		fake_did(sent[n]);
		f->gone = false;
		f->mb[0] = 0;
		fake_fault(n, FAKE_BUSY);
		assert_int_equal(hisi_qm_reinit(&qm), -ETIMEDOUT);
		fake_unlocked(&qm);
		fake_did(sent[n]);
		f->busy_until = 0;
		f->mb[0] = 0;
	}
	f->vft = 0;
	assert_int_equal(hisi_qm_reinit(&qm), -ENODEV);
	fake_did(ASKED);
	/* The contexts are there still, for a function that is well. */
	fake_queues(4);
	assert_int_equal(hisi_qm_reinit(&qm), 0);
	fake_did(ASKED TOLD MASKED READY);
	fake_down(&qm, NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_up_and_down, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_up_and_down_v2, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_queues, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_status, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_no_answer, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_late_answer, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_late_thread, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_gone, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_no_log, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_down, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_again, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_again_fails, fake_setup, fake_teardown),
	};

	return cmocka_run_group_tests_name("hisi_qm_init", tests, NULL, NULL);
}
