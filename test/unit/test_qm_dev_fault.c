/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Injected faults: the list, and what each of them does. */

#include "test_qm_dev_util.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "test_qm_dev_left.h"
#include "qm_dev_pci.h"

#define ARENA    (8u << 20)
#define EQ_DEPTH 8u

static struct td td;
static char last_line[512];

static void
keep_line(enum base_log_level level, const char *line, void *priv)
{
	(void)level;
	(void)priv;
	snprintf(last_line, sizeof(last_line), "%s", line);
}

static void
open_with(const char *fault, unsigned int workers)
{
	struct qm_dev_conf conf = td_conf(workers);

	conf.fault = fault;
	td_open(&td, &conf, ARENA);
}

static void
push(struct tq *q, unsigned int n)
{
	while (n-- != 0) {
		tq_slot(q, HISI_ZIP_REQ_EXT_COPY)->dw10 = HISI_ZIP_EXT_VALID;
		tq_push(q);
	}
	tq_ring(q);
}

/* An AEQ, and an EQ that nobody reads. @return the AEQ. */
static const uint32_t *
start_events(void)
{
	uint32_t *ring = td_alloc(&td, 2 * EQ_DEPTH * sizeof(*ring), 64);
	uint64_t at = td_iova(&td, ring);

	for (int i = 0; i < 2; i++) {
		assert_int_equal(td_set_eq(&td, (enum qm_dev_irq)i,
			at + (uint64_t)i * EQ_DEPTH * sizeof(*ring), EQ_DEPTH), 0);
	}
	return ring + EQ_DEPTH;
}

static uint32_t
aeqe(enum hisi_qm_aeqe_type type, uint16_t qn)
{
	return qn | 1u << HISI_QM_EQE_PHASE_SHIFT | (uint32_t)type << HISI_QM_AEQE_TYPE_SHIFT;
}

static void
list_is_checked(void **state)
{
	/* Each with the place and the expectation that the line must name. */
	static const char *const bad[][2] = {
		{ "statu=1@1", "character 1, expected status=S" },
		{ "status=@1", "character 8, expected a status" },
		{ "status=0@1", "expected a status of 0x01 to 0xff" },
		{ "status=256@1", "expected a status" },
		{ "status=-1@1", "expected a status" },
		{ "status=14", "character 10, expected @n or /n" },
		{ "stall", "expected @n or /n" },
		{ "stall@", "expected a number of 1" },
		{ "stall@0", "expected a number of 1" },
		{ "stall@4294967296", "expected a number of 1" },
		{ "stall@99999999999999999999999", "expected a number of 1" },
		{ "stall@ 1", "expected a number of 1" },
		{ "stall@1x", "expected a comma or the end" },
		{ "stall@1,", "character 9, expected status=S" },
		{ ",stall@1", "character 1, expected status=S" },
		{ "corrupt=1@1", "character 8, expected @n or /n" },
		{ "quirk=rom-200@1", "character 7, expected the name of a quirk" },
		{ "quirk=@1", "character 7, expected the name of a quirk" },
		{ "quirk=room-200:sge-16@1", "character 7, expected the name of a quirk" },
		{ "quirk=room-200room-200room-200room-200@1", "expected the name of a quirk" },
		{ "quirk=room-200", "character 15, expected @n or /n" },
		{ "aeq=eq@1", "character 1, expected status=S" },
		{ "stall@1,stall@2,stall@3,stall@4,stall@5,stall@6,stall@7,stall@8,stall@9",
			"expected 8 faults at most" },
	};
	struct qm_dev_conf conf = td_conf(0);
	struct qm_dev *dev;

	(void)state;
	conf.log.line = keep_line;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct left before = left_now();

		conf.fault = bad[i][0];
		assert_int_equal(qm_dev_create(&conf, &dev), -EINVAL);
		left_check(&before);
		if (strstr(last_line, bad[i][1]) == NULL)
			fail_msg("\"%s\": %s", bad[i][0], last_line);
	}
	conf.fault = "status=0x0e@100,stall@0x32,aeq=cq_overflow@7,aeq=cqe_error/8,"
		"aeq=eq_overflow@9,mailbox_timeout@10,vanish@4294967295,status=255/1";
	assert_int_equal(qm_dev_create(&conf, &dev), 0);
	qm_dev_destroy(dev);
	conf.fault = "";
	assert_int_equal(qm_dev_create(&conf, &dev), 0);
	qm_dev_destroy(dev);
}

static void
status_of_the_nth(void **state)
{
	struct tq a, b;

	(void)state;
	open_with("status=0x0e@3,status=0x77/5", 0);
	tq_start(&a, &td, 0, HISI_ZIP_QC_COMPRESS, 16);
	tq_start(&b, &td, 1, HISI_ZIP_QC_COMPRESS, 16);
	for (unsigned int n = 1; n <= 20; n++) {
		struct tq *q = n % 2 != 0 ? &a : &b; /* counted over both */
		const struct hisi_zip_sqe *sqe;

		push(q, 1);
		sqe = tq_pop(q);
		assert_non_null(sqe);
		assert_int_equal(sqe->dw3, n == 3 ? 0x0e : n % 5 == 0 ? 0x77 : HISI_ZIP_OK);
		assert_int_equal(sqe->produced, 0);
	}
	assert_int_equal(td_stats(&td).faults, 5);
	assert_int_equal(td_stats(&td).errors, 5);
	td_close(&td);
}

/* The request ends as ever, but for a byte of its output. */
static void
output_of_the_nth_is_wrong(void **state)
{
	uint8_t *in, *out;
	struct tq q;

	(void)state;
	open_with("corrupt@2,corrupt@4", 0);
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 16);
	in = td_alloc(&td, 1000, 64);
	out = td_alloc(&td, 1000, 64);
	fill_text(in, 1000, 1);
	for (unsigned int n = 1; n <= 5; n++) {
		struct hisi_zip_sqe *sqe = tq_slot(&q, HISI_ZIP_REQ_EXT_COPY);
		uint32_t room = n == 4 ? 999 : 1000; /* too little: none of it counts */
		unsigned int wrong = 0;

		hisi_zip_sqe_src(sqe, td_iova(&td, in), 1000);
		hisi_zip_sqe_dst(sqe, td_iova(&td, out), room);
		memset(out, 0, 1000);
		assert_int_equal(tq_do(&q)->dw3, n == 4 ? HISI_ZIP_DSTLEN_OUT : HISI_ZIP_OK);
		for (unsigned int i = 0; i < 999; i++)
			wrong += out[i] != in[i];
		assert_int_equal(wrong, n == 2);
	}
	assert_int_equal(td_stats(&td).faults, 2);
	td_close(&td);
}

/* Each is turned over at its requests, also where another fault strikes. */
static void
quirks_come_and_go(void **state)
{
	uint8_t *out;
	struct tq q;

	(void)state;
	open_with("status=0x77@4,quirk=status-30/2,quirk=room-8m@5", 0);
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 16);
	out = td_alloc(&td, 1000, 64);
	for (unsigned int n = 1; n <= 8; n++) {
		struct hisi_zip_sqe *sqe = tq_slot(&q, HISI_ZIP_REQ_DEFLATE);
		uint32_t moved = n / 2 % 2 != 0 ? 0x10 : 0;

		hisi_zip_sqe_src(sqe, td_iova(&td, out), 100);
		/* Other addresses are no fault before "room-8m" looks at the length. */
		hisi_zip_sqe_dst(sqe, 0, (8u << 20) + 1);
		assert_int_equal(tq_do(&q)->dw3, n == 4 ? 0x77 :
				(n < 5 ? HISI_ZIP_BAD_ADDR : HISI_ZIP_BAD_SQE) + moved);
	}
	assert_int_equal(td_stats(&td).faults, 6);
	td_close(&td);
}

/* Requests before it complete, it and later ones do not; other queues do not notice. */
static void
check_dead(const char *fault, uint32_t event)
{
	const uint32_t *aeq;
	struct tq a, b;

	open_with(fault, 0);
	aeq = start_events();
	tq_start(&a, &td, 0, HISI_ZIP_QC_COMPRESS, 16);
	tq_start(&b, &td, 1, HISI_ZIP_QC_COMPRESS, 16);
	push(&a, 6);
	qm_dev_poll(td.dev, 0, 100);
	for (int i = 0; i < 3; i++)
		assert_true((a.cq[i].w7 & 1) == 0);
	assert_int_equal(aeq[0], event);
	push(&b, 5);
	for (int i = 0; i < 5; i++)
		assert_non_null(tq_pop(&b));
	push(&a, 1);
	assert_int_equal(qm_dev_poll(td.dev, 0, 100), 0);
	/* Stopping it does not hang, and setting it up again heals it. */
	assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, 0, 0, false), 0);
	assert_int_equal(tq_restart(&a, HISI_ZIP_QC_COMPRESS), 0);
	push(&a, 1);
	assert_non_null(tq_pop(&a));
	assert_int_equal(td_stats(&td).faults, 1);
	td_close(&td);
}

static void
queue_stops_at_the_nth(void **state)
{
	(void)state;
	check_dead("stall@1", 0);
	check_dead("aeq=cq_overflow@1", aeqe(HISI_QM_AEQE_CQ_OVERFLOW, 0));
	check_dead("aeq=cqe_error@1", aeqe(HISI_QM_AEQE_CQE_ERROR, 0));
}

/* An injected status stands alone: no byte was used, and a stream's state stays as it was. */
static void
a_refused_request_has_no_result(void **state)
{
	(void)state;
	open_with("status=0x33/1", 0);
	for (uint32_t i = 0; i < 2; i++) {
		const uint32_t dw7 = i == 0 ? 0 : HISI_ZIP_DW7_STREAM;
		struct hisi_zip_sqe want, *sqe;
		struct tq q;

		tq_start(&q, &td, (uint16_t)i, HISI_ZIP_QC_DECOMPRESS, 16);
		sqe = tq_slot(&q, HISI_ZIP_REQ_DEFLATE);
		sqe->dw7 |= dw7;
		sqe->consumed = sqe->produced = sqe->comp_data_length = sqe->dw3 = 77;
		sqe->ctx_dw0 = 15;
		sqe->ctx_dw1 = 28;
		sqe->ctx_dw2 = 29;
		sqe->isize = 30;
		sqe->checksum = 31;
		want = *sqe;
		want.consumed = want.produced = want.comp_data_length = 0;
		want.dw3 = 0x33;
		want.ctx_dw0 = i == 0 ? 0 : 15;
		assert_memory_equal(tq_do(&q), &want, sizeof(want));
		assert_int_equal(td_mb(&td, HISI_QM_MB_STOP_QP, q.qn, 0, false), 0);
	}
	assert_int_equal(td_stats(&td).bytes_in | td_stats(&td).bytes_out, 0);
	td_close(&td);
}

static void
what_was_before_the_nth_completes(void **state)
{
	struct tq q;

	(void)state;
	open_with("stall@4", 0);
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 16);
	push(&q, 10);
	assert_int_equal(qm_dev_poll(td.dev, 0, 100), 3);
	td_close(&td);
}

static void
event_queue_overflows(void **state)
{
	const uint32_t *aeq;
	struct tq q;

	(void)state;
	open_with("aeq=eq_overflow@2", 0);
	aeq = start_events();
	tq_start(&q, &td, 0, HISI_ZIP_QC_COMPRESS, 16);
	q.armed = true;
	assert_int_equal(tq_restart(&q, HISI_ZIP_QC_COMPRESS), 0);
	push(&q, 1);
	assert_non_null(tq_pop(&q));
	assert_int_equal(td_stats(&td).eqes, 1);
	push(&q, 1);
	assert_non_null(tq_pop(&q));
	assert_int_equal(aeq[0], aeqe(HISI_QM_AEQE_EQ_OVERFLOW, 0));
	qm_dev_write(td.dev, HISI_QM_DB_SQ_CQ, 8, hisi_qm_db(0, HISI_QM_DB_CQ, TD_RAND, 2, 1));
	push(&q, 1);
	assert_non_null(tq_pop(&q));
	assert_int_equal(td_stats(&td).eqes, 1);
	td_close(&td);
}

static uint32_t
mb_word(void)
{
	return (uint32_t)qm_dev_read(td.dev, HISI_QM_MAILBOX, 4);
}

static void
mailbox_stays_busy(void **state)
{
	struct hisi_qm_mailbox vft = {
		.w0 = HISI_QM_MB_SQC_VFT | HISI_QM_MB_BUSY | HISI_QM_MB_OP_READ };

	(void)state;
	open_with("mailbox_timeout@2", 0);
	qm_dev_mailbox(td.dev, &vft);
	assert_int_equal(mb_word() & HISI_QM_MB_BUSY, 0);
	qm_dev_mailbox(td.dev, &vft);
	assert_int_not_equal(mb_word() & HISI_QM_MB_BUSY, 0);
	/* A stuck mailbox takes nothing, whole or in pieces. */
	vft.w0 = HISI_QM_MB_SRC | HISI_QM_MB_BUSY;
	qm_dev_mailbox(td.dev, &vft);
	qm_dev_write(td.dev, HISI_QM_MAILBOX, 8, 0);
	qm_dev_write(td.dev, HISI_QM_MAILBOX + 8, 8, 0);
	assert_int_equal(mb_word(), HISI_QM_MB_SQC_VFT | HISI_QM_MB_BUSY | HISI_QM_MB_OP_READ);
	assert_int_equal(td_stats(&td).faults, 1);
	qm_dev_reset(td.dev);
	assert_int_equal(mb_word(), 0);
	qm_dev_mailbox(td.dev, &vft);
	assert_int_equal(mb_word() & HISI_QM_MB_BUSY, 0);
	td_close(&td);
}

static void
check_vanished(void)
{
	struct hisi_qm_mailbox mb = { .w0 = HISI_QM_MB_SRC | HISI_QM_MB_BUSY };
	uint8_t all[16], none[16];

	memset(all, 0xff, sizeof(all));
	assert_true(qm_dev_read(td.dev, HISI_QM_MAILBOX, 8) == UINT64_MAX);
	assert_int_equal(qm_dev_read(td.dev, HISI_QM_EQ_INT_SOURCE, 4), UINT32_MAX);
	assert_int_equal(qm_dev_read(td.dev, 0, 1), 0xff);
	assert_int_equal(qm_dev_pci_config_read(td.dev, 0, none, 16), 0);
	assert_memory_equal(none, all, 16);
	assert_int_equal(qm_dev_pci_bar_read(td.dev, 2, 0x300, none, 16), 0);
	assert_memory_equal(none, all, 16);
	qm_dev_mailbox(td.dev, &mb);
	qm_dev_write(td.dev, HISI_QM_MAILBOX, 4, 0);
	assert_true(qm_dev_read(td.dev, HISI_QM_MAILBOX, 8) == UINT64_MAX);
	assert_int_equal(qm_dev_pci_config_write(td.dev, 4, "\6", 1), 0);
}

static void
function_vanishes(void **state)
{
	struct tq a, b;

	(void)state;
	open_with("vanish@4", 0);
	tq_start(&a, &td, 0, HISI_ZIP_QC_COMPRESS, 16);
	tq_start(&b, &td, 1, HISI_ZIP_QC_COMPRESS, 16);
	push(&a, 2);
	assert_int_equal(qm_dev_poll(td.dev, 0, 100), 2);
	push(&b, 5);
	/* In the midst of a burst: not even the one before it completes. */
	qm_dev_poll(td.dev, 1, 100);
	assert_int_equal(b.cq[0].w7 & 1, 0);
	push(&a, 1);
	assert_int_equal(qm_dev_poll(td.dev, 0, 100), 0);
	check_vanished();
	qm_dev_reset(td.dev);
	check_vanished();
	assert_true(qm_dev_pci_reset(td.dev));
	check_vanished();
	assert_int_equal(td_stats(&td).queues_live, 0);
	td_close(&td);
}

static void
function_vanishes_under_workers(void **state)
{
	struct tq q[4];

	(void)state;
	open_with("vanish@500", 2);
	for (uint16_t i = 0; i < 4; i++) {
		tq_start(&q[i], &td, i, HISI_ZIP_QC_COMPRESS, 64);
		push(&q[i], 30);
	}
	while (qm_dev_read(td.dev, HISI_QM_VF_STATE, 4) == 0)
		for (uint16_t i = 0; i < 4; i++)
			while (tq_ready(&q[i])) {
				if (tq_pop(&q[i]) != NULL)
					push(&q[i], 1);
			}
	check_vanished();
	qm_dev_reset(td.dev);
	assert_int_equal(td_stats(&td).queues_live, 0);
	assert_true(td_stats(&td).requests >= 499 - 32);
	td_close(&td);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_is_checked), cmocka_unit_test(status_of_the_nth),
		cmocka_unit_test(output_of_the_nth_is_wrong),
		cmocka_unit_test(quirks_come_and_go),
		cmocka_unit_test(queue_stops_at_the_nth),
		cmocka_unit_test(a_refused_request_has_no_result),
		cmocka_unit_test(what_was_before_the_nth_completes),
		cmocka_unit_test(event_queue_overflows), cmocka_unit_test(mailbox_stays_busy),
		cmocka_unit_test(function_vanishes),
		cmocka_unit_test(function_vanishes_under_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
