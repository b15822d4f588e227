/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * The driver side of the queue manager: what the data path stores and expects, and the
 * events of those that wait instead of polling.
 */

#include "hisi_qm_mmio.h"
#include "test_hisi_qm_util.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static void
wake(struct hisi_qm_io *io, uint16_t qn)
{
	assert_ptr_equal(io, &f->io);
	f->wakes++;
	assert_int_equal(qn, 0);
}

/* One request at a time, over several passes. */
static void
test_one_by_one(void **state)
{
	struct hisi_qm_qp qp;
	struct hisi_qm qm;
	struct hisi_qm_ring *ring = &qp.ring;
	uint16_t device_phase = 1, slot = 0;

	(void)state;
	fake_up(&qm);
	fake_start(&qm, &qp);
	for (int i = 0; i < 16 * 5 + 3; i++) {
		assert_int_equal(hisi_qm_cq_ready(ring, 1), 0);
		assert_ptr_equal(hisi_qm_sq_slot(ring, slot), ring->sq + slot * 128);
		ring->sq_tail = (ring->sq_tail + 1) & ring->mask;
		assert_int_equal(ring->sq_rung, slot);
		hisi_qm_sq_ring(ring);
		slot = (slot + 1) % 16;
		assert_int_equal(ring->sq_rung, slot);
		assert_int_equal(f->db[0][0], (uint64_t)slot << 32);
		/* The device answers. */
		ring->cq[(slot + 15) % 16].w7 = device_phase;
		device_phase ^= slot == 0;
		assert_int_equal(hisi_qm_cq_ready(ring, 1), 1);
		hisi_qm_cq_skip(ring, 1);
		hisi_qm_cq_ring(ring);
		assert_int_equal(f->db[0][8], 1ull << 12 | (uint64_t)slot << 32);
	}
	fake_did(""); /* no register */
	fake_down(&qm, &qp, 1);
}

/* As many as are ready, from any place, across the end too; never more than asked for. */
static void
test_batches(void **state)
{
	struct hisi_qm_qp qp;
	struct hisi_qm qm;
	struct hisi_qm_ring *ring = &qp.ring;

	(void)state;
	fake_up(&qm);
	fake_start(&qm, &qp);
	for (uint16_t start = 0; start < 16; start++) {
		for (uint16_t n = 0; n < 16; n++) {
			uint16_t phase = start & 1, slot = start, now = phase;

			for (int i = 0; i < 16; i++) {
				bool passed = slot < start;

				ring->cq[slot].w7 = (uint16_t)(0xfffe |
					((phase ^ passed) ^ (i >= n)));
				slot = (slot + 1) % 16;
			}
			ring->cq_head = start;
			ring->cq_phase = phase;
			for (uint16_t max = 0; max <= 15; max++)
				assert_int_equal(hisi_qm_cq_ready(ring, max), max < n ? max : n);
			assert_int_equal(ring->cq_head, start);
			hisi_qm_cq_skip(ring, n);
			now ^= start + n >= 16;
			assert_int_equal(ring->cq_head, (start + n) % 16);
			assert_int_equal(ring->cq_phase, now);
			assert_int_equal(hisi_qm_cq_ready(ring, 15), 0);
			hisi_qm_cq_ring(ring);
			assert_int_equal(f->db[0][8], 0x1000 | (uint64_t)((start + n) % 16) << 32);
		}
	}
	fake_down(&qm, &qp, 1);
}

/* A queue that failed has nothing ready, whatever the device writes. */
static void
test_close(void **state)
{
	struct hisi_qm_qp qp;
	struct hisi_qm qm;

	(void)state;
	fake_up(&qm);
	fake_start(&qm, &qp);
	for (int bits = 0; bits <= 0xffff; bits += 0x5555) {
		qp.ring.cq[0].w7 = (uint16_t)bits;
		qp.ring.cq_phase = 1;
		hisi_qm_cq_close(&qp.ring);
		assert_int_equal(hisi_qm_cq_ready(&qp.ring, 1), 0);
	}
	for (uint16_t bits = 0; bits < 4; bits++) {
		qp.ring.cq[0].w7 = bits;
		assert_int_equal(hisi_qm_cq_ready(&qp.ring, 1), 0);
	}
	fake_down(&qm, &qp, 1);
}

/* A device that sleeps is woken once, after the word; one that is awake is not. */
static void
test_wake(void **state)
{
	struct hisi_qm_shadow *db;
	struct hisi_qm_qp qp;
	struct hisi_qm qm;

	(void)state;
	f->ops.wake = wake;
	fake_up(&qm);
	fake_start(&qm, &qp);
	db = (struct hisi_qm_shadow *)(uintptr_t)&f->db[0][0];
	for (uint32_t asleep = 0; asleep < 3; asleep++) {
		db->asleep = asleep;
		qp.ring.sq_tail = (uint16_t)(asleep + 3);
		hisi_qm_sq_ring(&qp.ring);
		assert_int_equal(db->sq, (uint64_t)(asleep + 3) << 32);
		assert_int_equal(qp.ring.sq_rung, asleep + 3);
		assert_int_equal(db->asleep, asleep); /* the device's to change */
		assert_int_equal(f->wakes, asleep);
	}
	fake_did("");
	fake_down(&qm, &qp, 1);
}

/* The device's side of it. */
static void
test_sleep(void **state)
{
	struct hisi_qm_shadow db = { .sq = 5ull << 32 };

	(void)state;
	assert_int_equal(hisi_qm_shadow_sleep(&db, 5ull << 32), 1);
	assert_int_equal(db.asleep, 1);
	assert_int_equal(hisi_qm_shadow_ring(&db, 6ull << 32), 1);
	assert_int_equal(db.sq, 6ull << 32);
	hisi_qm_shadow_wake(&db);
	assert_int_equal(db.asleep, 0);
	assert_int_equal(hisi_qm_shadow_ring(&db, 7ull << 32), 0);
	/* It was rung meanwhile. */
	assert_int_equal(hisi_qm_shadow_sleep(&db, 6ull << 32), 0);
	assert_int_equal(db.asleep, 0);
	assert_int_equal(db.sq, 7ull << 32);
	assert_int_equal(db.cq, 0);
}

static void
test_mailbox_store(void **state)
{
	struct hisi_qm_mailbox mb = { .w0 = 0x2345, .queue_num = 0x89ab, .base_l = 0xcdef0123,
		.base_h = 0x456789ab, .rsvd = 0xfedcba98 };
	_Alignas(16) uint8_t reg[48];

	(void)state;
	memset(reg, 0x11, sizeof(reg));
	hisi_qm_mailbox_store(reg + 16, &mb);
	assert_memory_equal(reg + 16, &mb, 16);
	for (int i = 0; i < 16; i++)
		assert_int_equal(reg[i] << 8 | reg[32 + i], 0x1111);
}

static void
test_event_start(void **state)
{
	static const struct {
		uint16_t depth;
		size_t image;
	} cases[] = { { 2, 32 }, { 8, 32 }, { 16, 64 }, { 64, 256 }, { 1024, 4096 } };
	struct hisi_qm qm;

	(void)state;
	fake_up(&qm);
	qm.resets = 3;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct hisi_qm_event ev;
		struct hisi_qm_eqc eqc;
		char expected[200];
		unsigned int n = f->allocs;

		memset(&ev, 0xa5, sizeof(ev));
		memset(&f->eqc, 0xa5, sizeof(f->eqc));
		fake_forget();
		assert_int_equal(hisi_qm_event_start(&qm, &ev, cases[i].depth), 0);
		fake_unlocked(&qm);
		snprintf(expected, sizeof(expected), "alloc %zu 4096 -1\nmb 2002 q0 %llx\nw c=0\n",
			cases[i].image + 32, (unsigned long long)FAKE_IOVA(n) + cases[i].image);
		fake_did(expected);
		eqc = (struct hisi_qm_eqc){
			.base_l = (uint32_t)FAKE_IOVA(n),
			.base_h = (uint32_t)(FAKE_IOVA(n) >> 32),
			.dw6 = 0x10000u | (cases[i].depth - 1u),
		};
		assert_memory_equal(&f->eqc, &eqc, sizeof(eqc));
		assert_int_equal(ev.mask, cases[i].depth - 1);
		assert_int_equal(ev.head, 0);
		assert_int_equal(ev.phase, 1);
		assert_int_equal(ev.resets, 3);
		assert_false(hisi_qm_event_lost(&qm, &ev));
		qm.resets++;
		assert_true(hisi_qm_event_lost(&qm, &ev));
		qm.resets--;
		/* First no vector any more, then no memory. */
		hisi_qm_event_stop(&qm, &ev);
		snprintf(expected, sizeof(expected), "w c=1\nfree %u\n", n);
		fake_did(expected);
	}
	fake_down(&qm, NULL, 0);
}

static void
test_event_start_fails(void **state)
{
	static const struct {
		enum fake_fault fault;
		int ret;
	} faults[] = {
		{ FAKE_STATUS, -EIO }, { FAKE_GONE, -ENODEV }, { FAKE_BUSY, -ETIMEDOUT },
	};
	struct hisi_qm_event ev;
	struct hisi_qm qm;

	(void)state;
	f->status = 1;
	fake_up(&qm);
	f->alloc_result = -EXDEV;
	assert_int_equal(hisi_qm_event_start(&qm, &ev, 8), -EXDEV);
	fake_did("alloc 64 4096 -1\n");
	f->alloc_result = 0;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		f->allocs = 1;
		fake_fault(0, faults[i].fault);
		assert_int_equal(hisi_qm_event_start(&qm, &ev, 8), faults[i].ret);
		fake_unlocked(&qm);
		fake_did("alloc 64 4096 -1\nmb 2002 q0 5b0000001020\nfree 1\n"); /* still masked */
		f->gone = false;
		f->busy_until = 0;
		f->mb[0] = 0;
	}
	fake_down(&qm, NULL, 0);
}

/* The device makes n events. */
static void
make_events(const struct hisi_qm_event *ev, uint16_t *at, uint32_t *phase, unsigned int n)
{
	uint32_t *entries = ev->mem.va;

	for (unsigned int i = 0; i < n; i++) {
		entries[*at] = 0xfff | *phase << 16 | 0xe0000;
		*at = (*at + 1) & ev->mask;
		*phase ^= *at == 0;
	}
}

static void
test_events(void **state)
{
	struct hisi_qm_event ev;
	struct hisi_qm qm;
	uint16_t at = 0;
	uint32_t phase = 1;

	(void)state;
	fake_up(&qm);
	assert_int_equal(hisi_qm_event_start(&qm, &ev, 8), 0);
	/* None, some, up to the end, all that fit: the head is told each time. */
	for (unsigned int n = 0; n < 60; n++) {
		char expected[64];

		make_events(&ev, &at, &phase, n % 8);
		fake_forget();
		hisi_qm_event_take(&qm, &ev);
		snprintf(expected, sizeof(expected), "W 2000=%llx\n",
			0x2000ull | (unsigned long long)at << 32);
		fake_did(expected);
		assert_int_equal(ev.head, at);
		assert_int_equal(ev.phase, phase);
	}
	/* It is lost, and starts anew: what was in it is no event. */
	make_events(&ev, &at, &phase, 5);
	qm.resets = 9;
	assert_true(hisi_qm_event_lost(&qm, &ev));
	fake_forget();
	assert_int_equal(hisi_qm_event_restart(&qm, &ev), 0);
	fake_unlocked(&qm);
	fake_did("mb 2002 q0 5b0000001020\nw c=0\n");
	assert_false(hisi_qm_event_lost(&qm, &ev));
	assert_int_equal(ev.head, 0);
	assert_int_equal(ev.phase, 1);
	for (int i = 0; i < 8; i++)
		assert_int_equal(((uint32_t *)ev.mem.va)[i], 0);
	hisi_qm_event_take(&qm, &ev);
	fake_did("W 2000=2000\n");

	f->status = 1;
	fake_fault(0, FAKE_STATUS);
	assert_int_equal(hisi_qm_event_restart(&qm, &ev), -EIO);
	fake_unlocked(&qm);
	fake_did("mb 2002 q0 5b0000001020\n");
	hisi_qm_event_stop(&qm, &ev);
	fake_down(&qm, NULL, 0);
}

/* A device that writes on for ever is not read for ever. */
static void
test_events_without_end(void **state)
{
	struct hisi_qm_event ev;
	struct hisi_qm qm;
	uint16_t at = 0;
	uint32_t phase = 1;

	(void)state;
	fake_up(&qm);
	assert_int_equal(hisi_qm_event_start(&qm, &ev, 8), 0);
	make_events(&ev, &at, &phase, 8);
	fake_forget();
	hisi_qm_event_take(&qm, &ev);
	assert_int_equal(ev.head, 7);
	fake_did("W 2000=700002000\n");
	hisi_qm_event_take(&qm, &ev);
	fake_did("W 2000=2000\n");
	assert_int_equal(ev.phase, 0);
	hisi_qm_event_stop(&qm, &ev);
	fake_down(&qm, NULL, 0);
}

/* By the word and a wake where there is a word, else by the register. */
static void
test_arm(void **state)
{
	struct hisi_qm_qp qp[2];
	struct hisi_qm qm;

	(void)state;
	f->ops.wake = wake;
	fake_up(&qm);
	fake_start(&qm, &qp[0]);
	qp[0].ring.cq_head = 9;
	hisi_qm_event_arm(&qm, &qp[0]);
	fake_did("");
	assert_int_equal(f->db[0][8], 1ull << 48 | 9ull << 32 | 0x1000);
	assert_int_equal(f->db[0][0], 0);
	assert_int_equal(f->wakes, 1);
	f->ops.wake = NULL;
	fake_start(&qm, &qp[1]);
	qp[1].ring.cq_head = 12;
	hisi_qm_event_arm(&qm, &qp[1]);
	fake_did("W 1000=1000c00001001\n");
	assert_int_equal(f->db[1][8], 0);
	assert_int_equal(f->wakes, 1);
	fake_down(&qm, qp, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_by_one, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_batches, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_close, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_wake, fake_setup, fake_teardown),
		cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_mailbox_store),
		cmocka_unit_test_setup_teardown(test_event_start, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_event_start_fails, fake_setup,
			fake_teardown),
		cmocka_unit_test_setup_teardown(test_events, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_events_without_end, fake_setup,
			fake_teardown),
		cmocka_unit_test_setup_teardown(test_arm, fake_setup, fake_teardown),
	};

	return cmocka_run_group_tests_name("hisi_qm_ring", tests, NULL, NULL);
}
