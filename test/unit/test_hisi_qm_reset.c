/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * The driver side of the queue manager: what does not do as it is told has the function
 * reset, and all its queues with it.
 */

#include "test_hisi_qm_util.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define STOP0   "mb 2008 q0 0\n"
#define ASK_BT  "mb 6004 q0 0\n"
#define UP      "mb 2004 q0 5a0000001000\nmb 2005 q0 5a0000001080\n" \
		"w 4=1\nw c=1\nw 24=1\nw 60=0\n"

/* Two queue pairs are started. */
static void
two_queues(struct hisi_qm *qm, struct hisi_qm_qp qp[2])
{
	fake_up(qm);
	for (int i = 0; i < 2; i++) {
		fake_start(qm, &qp[i]);
		assert_int_equal(hisi_qm_qp_check(qm, &qp[i]), 0);
	}
}

/* The function was reset, so often by now; nobody holds on to a queue, and new ones are well. */
static void
were_reset(struct hisi_qm *qm, struct hisi_qm_qp qp[2], uint32_t resets)
{
	struct hisi_qm_qp fresh;

	fake_unlocked(qm);
	assert_int_equal(qm->resets, resets);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(hisi_qm_qp_check(qm, &qp[i]), -ESTALE);
		/* A reset has stopped them all: no further command. */
		fake_forget();
		assert_int_equal(hisi_qm_qp_stop(qm, &qp[i]), 0);
		assert_int_equal(hisi_qm_qp_abort(qm, &qp[i]), 0);
		fake_unlocked(qm);
		fake_did("");
	}
	fake_start(qm, &fresh);
	assert_int_equal(fresh.ring.qn, 2);
	assert_int_equal(hisi_qm_qp_check(qm, &fresh), 0);
	assert_int_equal(hisi_qm_qp_stop(qm, &fresh), 0);
	fake_did("mb 2008 q2 0\n");
	hisi_qm_qp_free(qm, &fresh);
}

static const struct {
	enum fake_fault fault;
	int ret;
} faults[] = {
	{ FAKE_STATUS, -EIO }, { FAKE_BUSY, -ETIMEDOUT }, { FAKE_GONE, -ENODEV },
	{ FAKE_UNSENT, -EPERM }, /* the errno is the status, 1 */
};

/* As if the fault had not been. */
static void
mend(void)
{
	f->fault_cmd = -1;
	f->busy_until = 0;
	f->gone = false;
	f->mb[0] = 0;
}

static void
test_not_stopped(void **state)
{
	struct hisi_qm_qp qp[2];
	struct hisi_qm qm;

	(void)state;
	f->status = 1;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		f->allocs = 0;
		two_queues(&qm, qp);
		f->slept = 0;
		fake_fault(0, faults[i].fault);
		assert_int_equal(hisi_qm_qp_stop(&qm, &qp[0]), 0);
		fake_did(STOP0 "reset\n" UP);
		assert_string_equal(f->line, "fake: the function was reset, all its queues are "
			"lost; started again: 0");
		assert_int_equal(f->line_error, 0);
		if (faults[i].fault == FAKE_BUSY)
			assert_in_range(f->slept / 1000, 5000000, 5001010);
		else
			assert_int_equal(f->slept, 0);
		were_reset(&qm, qp, 1);
		fake_down(&qm, qp, 2);
	}
}

/* No queue in the pool is no reason to reset anything. */
static void
test_not_stopped_is_busy(void **state)
{
	struct hisi_qm_qp qp[2];
	struct hisi_qm qm;

	(void)state;
	two_queues(&qm, qp);
	f->status = HISI_QM_MB_STATUS_NO_QUEUE;
	fake_fault(0, FAKE_STATUS);
	assert_int_equal(hisi_qm_qp_stop(&qm, &qp[0]), -EBUSY);
	fake_unlocked(&qm);
	fake_did(STOP0);
	assert_int_equal(f->resets, 0);
	fake_down(&qm, qp, 2);
}

/* What cannot be reset may still write to memory, and that is what is returned. */
static void
test_nor_reset(void **state)
{
	struct hisi_qm_qp qp[2];
	struct hisi_qm qm;
	char line[100];

	(void)state;
	two_queues(&qm, qp);
	f->status = 1;
	for (int none = 0; none <= 1; none++) {
		f->reset_result = -ENOTTY;
		if (none)
			f->ops.reset = NULL;
		snprintf(line, sizeof(line), "fake: the function cannot be reset (%d)",
			none ? -ENOTSUP : -ENOTTY);
		for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
			const char *tried = none ? "" : "reset\n";
			char expected[200];

			fake_fault(0, faults[i].fault);
			assert_int_equal(hisi_qm_qp_stop(&qm, &qp[0]), faults[i].ret);
			fake_unlocked(&qm);
			snprintf(expected, sizeof(expected), STOP0 "%s", tried);
			fake_did(expected);
			assert_string_equal(f->line, line);
			assert_int_equal(f->line_error, 1);
			mend();

			fake_fault(0, faults[i].fault);
			assert_int_equal(hisi_qm_qp_abort(&qm, &qp[0]), faults[i].ret);
			fake_unlocked(&qm);
			snprintf(expected, sizeof(expected), ASK_BT "%s", tried);
			fake_did(expected);
			mend();

			fake_fault(1, faults[i].fault);
			assert_int_equal(hisi_qm_qp_abort(&qm, &qp[0]), faults[i].ret);
			fake_unlocked(&qm);
			snprintf(expected, sizeof(expected), ASK_BT STOP0 "%s", tried);
			fake_did(expected);
			mend();
		}
	}
	assert_int_equal(qm.resets, 0);
	assert_int_equal(hisi_qm_qp_check(&qm, &qp[1]), 0);
	fake_down(&qm, qp, 2);
}

static void
test_check(void **state)
{
	struct hisi_qm_qp qp[2];
	struct hisi_qm qm;

	(void)state;
	two_queues(&qm, qp);
	f->gone = true;
	assert_int_equal(hisi_qm_qp_check(&qm, &qp[0]), -ENODEV);
	f->gone = false;
	assert_int_equal(hisi_qm_qp_check(&qm, &qp[0]), 0);
	qp[0].resets = 1;
	assert_int_equal(hisi_qm_qp_check(&qm, &qp[0]), -ESTALE);
	f->gone = true;
	assert_int_equal(hisi_qm_qp_check(&qm, &qp[0]), -ENODEV);
	f->gone = false;
	qp[0].resets = 0;
	fake_did("");
	fake_down(&qm, qp, 2);
}

/* The contexts are where they were: it is only stopped. */
static void
test_abort(void **state)
{
	struct hisi_qm_qp qp[2];
	struct hisi_qm qm;

	(void)state;
	two_queues(&qm, qp);
	assert_int_equal(hisi_qm_qp_abort(&qm, &qp[0]), 0);
	fake_unlocked(&qm);
	fake_did(ASK_BT STOP0);
	assert_int_equal(qm.resets, 0);
	assert_int_equal(f->lines, 0);
	assert_int_equal(hisi_qm_qp_check(&qm, &qp[1]), 0);
	fake_down(&qm, qp, 2);
}

static void
test_abort_resets(void **state)
{
	struct hisi_qm_qp qp[2];
	struct hisi_qm qm;

	(void)state;
	f->status = 1;
	for (int n = 0; n < 2; n++) {
		for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
			f->allocs = 0;
			two_queues(&qm, qp);
			fake_fault(n, faults[i].fault);
			assert_int_equal(hisi_qm_qp_abort(&qm, &qp[0]), 0);
			fake_did(n == 0 ? ASK_BT "reset\n" UP : ASK_BT STOP0 "reset\n" UP);
			were_reset(&qm, qp, 1);
			fake_down(&qm, qp, 2);
		}
	}
}

/* Somebody else's reset shows by the contexts, which the function has forgotten. */
static void
test_reset_behind_our_back(void **state)
{
	struct hisi_qm_qp qp[2];
	struct hisi_qm qm;

	(void)state;
	two_queues(&qm, qp);
	f->bt = 0x1234500000;
	assert_int_equal(hisi_qm_qp_abort(&qm, &qp[0]), 0);
	fake_did(ASK_BT ASK_BT UP);
	assert_string_equal(f->line, "fake: the function was reset by somebody: contexts at "
		"0x1234500000, expected 0x5a0000001000");
	assert_int_equal(f->line_error, 1);
	assert_int_equal(f->resets, 0);
	were_reset(&qm, qp, 1);
	/* The function does not come up again: the next start of a queue says so. */
	f->bt = 0;
	f->status = 1;
	qp[0].resets = qm.resets;
	fake_fault(2, FAKE_STATUS);
	fake_forget();
	assert_int_equal(hisi_qm_qp_abort(&qm, &qp[0]), 0);
	fake_did(ASK_BT ASK_BT "mb 2004 q0 5a0000001000\n");
	assert_int_equal(qm.resets, 2);
	fake_unlocked(&qm);
	fake_down(&qm, qp, 2);
}

/* Another function's command may show at the first look, only. */
static unsigned int looks;

static uint32_t
other_first(struct hisi_qm_io *io, uint32_t off)
{
	uint32_t value = f->mb[(off - HISI_QM_MAILBOX) / 4];

	(void)io;
	return off == HISI_QM_MAILBOX + 4 && looks++ == 0 ? ~value : value;
}

static void
test_somebody_elses_command(void **state)
{
	uint32_t (*read32)(struct hisi_qm_io *io, uint32_t off) = NULL;
	struct hisi_qm_qp qp[2];
	struct hisi_qm qm;

	(void)state;
	two_queues(&qm, qp);
	read32 = f->ops.read32;
	f->ops.read32 = other_first;
	looks = 0;
	assert_int_equal(hisi_qm_qp_abort(&qm, &qp[0]), 0);
	fake_did(ASK_BT ASK_BT STOP0);
	assert_int_equal(qm.resets, 0);
	/* And the second command may fail. */
	looks = 0;
	f->status = 1;
	f->ops.reset = NULL;
	fake_fault(1, FAKE_STATUS);
	assert_int_equal(hisi_qm_qp_abort(&qm, &qp[0]), -EIO);
	fake_did(ASK_BT ASK_BT);
	fake_unlocked(&qm);
	f->ops.read32 = read32;
	fake_down(&qm, qp, 2);
}

/* A start that gets no answer resets, and then goes on. */
static void
test_start(void **state)
{
	static const char *const set = "mb 2000 q2 5d0000001900\nmb 2001 q2 5d0000001900\n";
	struct hisi_qm_qp qp[2], fresh;
	struct hisi_qm qm;

	(void)state;
	for (int n = 0; n < 2; n++) {
		char expected[600];

		f->allocs = 0;
		two_queues(&qm, qp);
		f->slept = 0;
		fake_fault(n, FAKE_BUSY);
		assert_int_equal(hisi_qm_qp_start(&qm, &fresh, 0, 16, -1), 0);
		snprintf(expected, sizeof(expected), "alloc 2368 4096 -1\n%.*sreset\n" UP "%s",
			n == 0 ? (int)strlen(set) / 2 : (int)strlen(set), set, set);
		fake_did(expected);
		assert_in_range(f->slept / 1000, 1000000, 1001010);
		assert_int_equal(hisi_qm_qp_check(&qm, &fresh), 0);
		assert_int_equal(fresh.resets, 1);
		hisi_qm_qp_free(&qm, &fresh);
		were_reset(&qm, qp, 1);
		fake_down(&qm, qp, 2);
	}
}

/* Not even after the reset. */
static void
test_start_fails_after_reset(void **state)
{
	struct hisi_qm_qp qp[2], fresh;
	struct hisi_qm qm;

	(void)state;
	two_queues(&qm, qp);
	f->reset_result = -EPERM;
	fake_fault(0, FAKE_BUSY);
	assert_int_equal(hisi_qm_qp_start(&qm, &fresh, 0, 16, -1), -ETIMEDOUT);
	fake_unlocked(&qm);
	fake_did("alloc 2368 4096 -1\nmb 2000 q2 5d0000001900\nreset\nfree 3\n");
	assert_int_equal(qm.resets, 0);
	assert_int_equal(qm.used[0], 3);
	f->mb[0] = 0;
	f->busy_until = 0;

	/* Only a command without an answer is worth a reset: the others would suffer. */
	f->reset_result = 0;
	f->status = 5;
	fake_fault(1, FAKE_STATUS);
	assert_int_equal(hisi_qm_qp_start(&qm, &fresh, 0, 16, -1), -EIO);
	assert_int_equal(f->resets, 1);
	assert_int_equal(qm.resets, 0);
	assert_int_equal(hisi_qm_qp_check(&qm, &qp[0]), 0);
	fake_down(&qm, qp, 2);
}

/* Reset, but gone for good: the restart is told, and nothing else is done. */
static int
reset_to_nothing(struct hisi_qm_io *io)
{
	(void)io;
	f->resets++;
	f->busy_until = 0;
	f->gone = true;
	return 0;
}

static void
test_down_after_reset(void **state)
{
	struct hisi_qm_qp qp[2], fresh;
	struct hisi_qm qm;
	char line[120];

	(void)state;
	two_queues(&qm, qp);
	f->ops.reset = reset_to_nothing;
	snprintf(line, sizeof(line), "fake: the function was reset, all its queues are lost; "
		"started again: %d", -ENODEV);
	fake_fault(0, FAKE_BUSY);
	assert_int_equal(hisi_qm_qp_start(&qm, &fresh, 0, 16, -1), -ENODEV);
	fake_unlocked(&qm);
	fake_did("alloc 2368 4096 -1\nmb 2000 q2 5d0000001900\nfree 3\n");
	assert_int_equal(qm.used[0], 3);
	assert_int_equal(qm.resets, 1);
	assert_int_equal(hisi_qm_qp_check(&qm, &qp[0]), -ENODEV);
	/* Gone, and so with nothing under way: stopped. */
	qp[0].resets = qm.resets;
	fake_forget();
	assert_int_equal(hisi_qm_qp_stop(&qm, &qp[0]), 0);
	assert_string_equal(f->line, line);
	assert_int_equal(f->line_error, 1);
	assert_int_equal(f->resets, 2);
	assert_int_equal(qm.resets, 2);
	fake_down(&qm, qp, 2);
}

/* A reset as soon as others are let in: whoever was just set up has lost it all. */
static void
test_reset_right_behind(void **state)
{
	struct hisi_qm_event ev;
	struct hisi_qm_qp qp;
	struct hisi_qm qm;

	(void)state;
	fake_up(&qm);
	f->reset_behind = true;
	fake_start(&qm, &qp);
	assert_int_equal(hisi_qm_qp_check(&qm, &qp), -ESTALE);
	assert_int_equal(hisi_qm_qp_restart(&qm, &qp), 0);
	assert_int_equal(hisi_qm_qp_check(&qm, &qp), 0);
	f->reset_behind = true;
	assert_int_equal(hisi_qm_qp_restart(&qm, &qp), 0);
	assert_int_equal(hisi_qm_qp_check(&qm, &qp), -ESTALE);
	f->reset_behind = true;
	assert_int_equal(hisi_qm_event_start(&qm, &ev, 8), 0);
	assert_true(hisi_qm_event_lost(&qm, &ev));
	f->reset_behind = true;
	assert_int_equal(hisi_qm_event_restart(&qm, &ev), 0);
	assert_true(hisi_qm_event_lost(&qm, &ev));
	assert_int_equal(qm.resets, 4);
	hisi_qm_event_stop(&qm, &ev);
	fake_down(&qm, &qp, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_not_stopped, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_not_stopped_is_busy, fake_setup,
			fake_teardown),
		cmocka_unit_test_setup_teardown(test_nor_reset, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_check, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_abort, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_abort_resets, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_reset_behind_our_back, fake_setup,
			fake_teardown),
		cmocka_unit_test_setup_teardown(test_somebody_elses_command, fake_setup,
			fake_teardown),
		cmocka_unit_test_setup_teardown(test_start, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_start_fails_after_reset, fake_setup,
			fake_teardown),
		cmocka_unit_test_setup_teardown(test_down_after_reset, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_reset_right_behind, fake_setup, fake_teardown),
	};

	return cmocka_run_group_tests_name("hisi_qm_reset", tests, NULL, NULL);
}
