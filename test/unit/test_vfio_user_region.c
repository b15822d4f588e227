/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* REGION_READ, REGION_WRITE, REGION_WRITE_MULTI; and operations that are deferred. */

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "test_vfio_user_util.h"

static const struct {
	uint64_t offset;
	uint32_t region, count;
	int error;
} wrong[] = {
	{ 0, VT_BAR2, 0, EINVAL },
	{ VT_BAR2_LEN, VT_BAR2, 1, EINVAL },
	{ VT_BAR2_LEN - 3, VT_BAR2, 4, EINVAL },
	{ 0, VT_BAR2, VT_BAR2_LEN + 1, EINVAL },
	{ 0, VT_BAR2, UINT32_MAX, EINVAL },
	{ UINT64_MAX, VT_BAR2, 4, EINVAL },
	{ UINT64_MAX - 3, VT_BAR2, 4, EINVAL },
	{ 1ull << 32, VT_BAR2, 4, EINVAL },
	{ 0, VFIO_USER_PCI_BAR0, 4, EINVAL },
	{ 0, VT_DOORBELL, 4, EINVAL },
	{ 0, VT_REGIONS, 4, EINVAL },
	{ 0, UINT32_MAX, 4, EINVAL },
};

static void
test_read(void **state)
{
	uint8_t body[64] = { 0 };
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	for (size_t len = 0; len <= sizeof(body); len++)
		if (len != sizeof(struct vfio_user_region_rw))
			vt_refused(&t, sock, VFIO_USER_REGION_READ, body, len, NULL, 0, EINVAL);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct vfio_user_region_rw m = { wrong[i].offset, wrong[i].region, wrong[i].count };

		vt_refused(&t, sock, VFIO_USER_REGION_READ, &m, sizeof(m), NULL, 0, wrong[i].error);
	}
	t.fail = -EIO;
	memcpy(body, &(struct vfio_user_region_rw){ 0, VT_BAR2, 4 }, 16);
	vt_error(sock, vt_send(sock, VFIO_USER_REGION_READ, 0, body, 16, NULL, 0), EIO);
	t.fail = 0;
	/* A posted read is a read of nothing. */
	vt_send(sock, VFIO_USER_REGION_READ, VFIO_USER_F_NO_REPLY, body, 16, NULL, 0);
	assert_int_equal(vt_read32(sock, VT_BAR2, 4), 0);
	close(sock);

	/* A client that takes little gets little. */
	sock = vt_connect(&t);
	vt_version(sock, "{\"capabilities\":{\"max_data_xfer_size\":8}}", NULL);
	memcpy(body, &(struct vfio_user_region_rw){ 0, VT_BAR2, 9 }, 16);
	vt_refused(&t, sock, VFIO_USER_REGION_READ, body, 16, NULL, 0, EINVAL);
	memcpy(body, &(struct vfio_user_region_rw){ 0, VT_BAR2, 8 }, 16);
	assert_int_equal(vt_ok(sock, vt_send(sock, VFIO_USER_REGION_READ, 0, body, 16, NULL, 0),
			body, sizeof(body)), 16 + 8);
	close(sock);
	vt_stop(&t);
}

static void
test_write(void **state)
{
	struct {
		struct vfio_user_region_rw rw;
		uint8_t data[64];
	} m = { { 0, VT_BAR2, 4 }, { 0 } };
	static uint8_t large[16 + 65536];
	unsigned int writes;
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	for (size_t len = 0; len <= sizeof(m); len++)
		if (len != sizeof(m.rw) + 4)
			vt_refused(&t, sock, VFIO_USER_REGION_WRITE, &m, len, NULL, 0, EINVAL);
	writes = t.seen.write;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		m.rw = (struct vfio_user_region_rw){ wrong[i].offset, wrong[i].region,
			wrong[i].count };
		vt_error(sock, vt_send(sock, VFIO_USER_REGION_WRITE, 0, &m, sizeof(m.rw) + 4, NULL,
				0), wrong[i].error);
	}
	m.rw = (struct vfio_user_region_rw){ 0, VT_RO, 4 };
	vt_error(sock, vt_send(sock, VFIO_USER_REGION_WRITE, 0, &m, sizeof(m.rw) + 4, NULL, 0),
			EPERM);
	assert_int_equal(t.seen.write, writes);

	/* As much as there may be. */
	memset(large, 0x3c, sizeof(large));
	memcpy(large, &(struct vfio_user_region_rw){ 0, VT_BAR2, 65536 }, 16);
	vt_ok(sock, vt_send(sock, VFIO_USER_REGION_WRITE, 0, large, sizeof(large), NULL, 0), &m.rw,
			sizeof(m.rw));
	assert_int_equal(vt_read32(sock, VT_BAR2, 65532), 0x3c3c3c3c);
	vt_victim_works(&t);
	close(sock);
	vt_stop(&t);
}

struct multi {
	struct vfio_user_multi head;
	struct vfio_user_multi_one one[VFIO_USER_MULTI_MAX + 1];
};

static void
test_multi(void **state)
{
	static struct multi m;
	uint64_t counts[] = { 0, 2, 3, VFIO_USER_MULTI_MAX + 1, UINT32_MAX, 1ull << 32, UINT64_MAX,
		(1ull << 61) + 1 };
	const size_t one = sizeof(m.one[0]);
	struct vfio_user_multi back;
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	for (uint32_t i = 0; i <= VFIO_USER_MULTI_MAX; i++) {
		m.one[i] = (struct vfio_user_multi_one){ 8 * i, VT_BAR2, 8, { 0 } };
		memset(m.one[i].data, (int)i, 8);
	}
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		m.head.cnt = counts[i];
		vt_refused(&t, sock, VFIO_USER_REGION_WRITE_MULTI, &m, 8 + one, NULL, 0, EINVAL);
	}
	m.head.cnt = VFIO_USER_MULTI_MAX + 1;
	vt_refused(&t, sock, VFIO_USER_REGION_WRITE_MULTI, &m, sizeof(m), NULL, 0, EINVAL);
	m.head.cnt = 1;
	for (size_t len = 0; len <= 8 + one + 8; len++)
		if (len != 8 + one)
			vt_refused(&t, sock, VFIO_USER_REGION_WRITE_MULTI, &m, len, NULL, 0,
					EINVAL);

	m.head.cnt = VFIO_USER_MULTI_MAX;
	vt_ok(sock, vt_send(sock, VFIO_USER_REGION_WRITE_MULTI, 0, &m, sizeof(m) - one, NULL, 0),
			&back, sizeof(back));
	assert_int_equal(back.cnt, VFIO_USER_MULTI_MAX);
	assert_int_equal(vt_read32(sock, VT_BAR2, 8 * 199), 199u * 0x01010101u);
	/* The wrong one ends it; those before it have been done. */
	m.head.cnt = 3;
	m.one[1].count = 9;
	memset(m.one[0].data, 0x77, 8);
	memset(m.one[2].data, 0x77, 8);
	vt_error(sock, vt_send(sock, VFIO_USER_REGION_WRITE_MULTI, 0, &m, 8 + 3 * one, NULL, 0),
			EINVAL);
	assert_int_equal(vt_read32(sock, VT_BAR2, 0), 0x77777777);
	assert_int_equal(vt_read32(sock, VT_BAR2, 16), 0x02020202);
	close(sock);
	vt_stop(&t);
}

/* ---- Deferred ---- */

static void
complete_in_loop(struct vt *t, void *arg)
{
	struct vfio_user_conn *c = t->deferred;
	const int *rc = arg;

	assert_non_null(c);
	t->deferred = NULL;
	vfio_user_conn_complete(c, *rc);
}

/* Complete what is deferred, once something is. */
static void
complete(struct vt *t, int rc)
{
	for (int i = 0; i < VT_TIMEOUT_MS && t->deferred == NULL; i++)
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	vt_call(t, complete_in_loop, &rc);
}

static void
test_deferred(void **state)
{
	struct {
		struct vfio_user_region_rw rw;
		uint32_t value;
	} m = { { 0x10, VT_BAR2, 4 }, 0xabcdef01 };
	struct vfio_user_dma_unmap um = { sizeof(um), 0, 0x1000, 0x1000 };
	struct multi multi = { .head.cnt = 3 };
	uint16_t id, next;
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	vt_map(sock, 0x1000, 0x1000, -1, 0, 0);
	vt_map(sock, 0x2000, 0x1000, -1, 0, 0);

	/* What comes after it waits, in order; the victim does not. */
	t.defer = true;
	id = vt_send(sock, VFIO_USER_REGION_WRITE, 0, &m, 20, NULL, 0);
	vt_wait(&t.seen.write, 2);
	t.defer = false;
	next = vt_send(sock, VFIO_USER_REGION_READ, 0, &m, 16, NULL, 0);
	for (int i = 0; i < 300; i++)
		vt_send(sock, VFIO_USER_REGION_WRITE, VFIO_USER_F_NO_REPLY,
				&(struct vfio_user_region_rw){ 0, VT_BAR2, 0 }, 16, NULL, 0);
	vt_victim_works(&t);
	complete(&t, 0);
	assert_int_equal(vt_ok(sock, id, &m, sizeof(m)), 16);
	m.value = 0;
	assert_int_equal(vt_ok(sock, next, &m, sizeof(m)), 20);
	assert_int_equal(m.value, 0xabcdef01);
	assert_int_equal(vt_read32(sock, VT_BAR2, 0x10), 0xabcdef01);
	assert_int_equal(vt_stats(&t).errors, 300);

	t.defer = true;
	id = vt_send(sock, VFIO_USER_REGION_READ, 0, &m, 16, NULL, 0);
	complete(&t, 0);
	m.value = 0;
	vt_ok(sock, id, &m, sizeof(m));
	assert_int_equal(m.value, 0xabcdef01);
	id = vt_send(sock, VFIO_USER_REGION_READ, 0, &m, 16, NULL, 0);
	complete(&t, -EIO);
	vt_error(sock, id, EIO);
	id = vt_send(sock, VFIO_USER_DEVICE_RESET, 0, NULL, 0, NULL, 0);
	complete(&t, 0);
	vt_ok(sock, id, NULL, 0);

	id = vt_send(sock, VFIO_USER_DMA_UNMAP, 0, &um, sizeof(um), NULL, 0);
	complete(&t, -EBUSY);
	vt_error(sock, id, EBUSY);
	um.iova = 0x2000;
	id = vt_send(sock, VFIO_USER_DMA_UNMAP, 0, &um, sizeof(um), NULL, 0);
	um.size = 0;
	complete(&t, 0);
	vt_ok(sock, id, &um, sizeof(um));
	assert_int_equal(um.iova, 0x2000);
	assert_int_equal(um.size, 0x1000);
	assert_int_equal(vt_memory(&t).maps, 0);

	/* Each of several writes. */
	for (uint32_t i = 0; i < 3; i++)
		multi.one[i] = (struct vfio_user_multi_one){ i, VT_BAR2, 1, { (uint8_t)(i + 1) } };
	id = vt_send(sock, VFIO_USER_REGION_WRITE_MULTI, 0, &multi, 8 + 3 * 24, NULL, 0);
	for (int i = 0; i < 3; i++)
		complete(&t, 0);
	vt_ok(sock, id, &multi.head, sizeof(multi.head));
	t.defer = false;
	assert_int_equal(vt_read32(sock, VT_BAR2, 0), 0x030201);
	close(sock);
	vt_stop(&t);
}

/* The client dies meanwhile: what was deferred dies with it. */
static void
test_deferred_death(void **state)
{
	struct vfio_user_region_rw rw = { 0, VT_BAR2, 4 };
	struct multi multi = { .head.cnt = 2 };
	struct vt t;
	int sock;

	(void)state;
	for (uint32_t i = 0; i < 2; i++)
		multi.one[i] = (struct vfio_user_multi_one){ i, VT_BAR2, 1, { 1 } };
	vt_start(&t, NULL);
	for (int i = 0; i < 3; i++) {
		sock = vt_open(&t);
		t.defer = true;
		if (i == 0)
			vt_send(sock, VFIO_USER_REGION_READ, 0, &rw, sizeof(rw), NULL, 0);
		else if (i == 1)
			vt_send(sock, VFIO_USER_REGION_WRITE_MULTI, 0, &multi, 8 + 48, NULL, 0);
		else
			vt_send(sock, VFIO_USER_DEVICE_RESET, 0, NULL, 0, NULL, 0);
		vt_send(sock, VFIO_USER_DEVICE_RESET, 0, NULL, 0, NULL, 0);
		while (t.deferred == NULL)
			nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
		t.defer = false;
		close(sock);
		vt_only_victim(&t);
		assert_int_equal(t.seen.closed, i + 1);
		assert_null(t.deferred);
		vt_victim_works(&t);
	}
	vt_stop(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_multi),
		cmocka_unit_test(test_deferred),
		cmocka_unit_test(test_deferred_death),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
