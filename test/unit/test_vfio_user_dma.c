/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Message DMA: answers in any order, answers that are wrong, none at all. */

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "test_vfio_user_util.h"

#define ERR (VFIO_USER_F_REPLY | VFIO_USER_F_ERROR)

/* An operation and how it ended. */
struct op {
	bool write;
	uint64_t iova;
	size_t len;
	uint8_t *buf;
	int submit; /* what the call returned */
	_Atomic unsigned int done;
	_Atomic int rc;
};

static void
done(void *arg, int rc)
{
	struct op *op = arg;

	op->rc = rc;
	op->done++;
}

static void
submit(struct vt *t, void *arg)
{
	struct op *op = arg;

	op->submit = op->write ?
		vfio_user_dma_write(t->last, op->iova, op->buf, op->len, done, op) :
		vfio_user_dma_read(t->last, op->iova, op->buf, op->len, done, op);
}

static int
go(struct vt *t, struct op *op)
{
	op->done = 0;
	vt_call(t, submit, op);
	return op->submit;
}

/* The next message is a request for that. */
static struct vfio_user_hdr
expect(int sock, uint16_t cmd, uint64_t iova, uint64_t count, void *data, size_t len)
{
	static uint8_t body[16 + 65536];
	struct vfio_user_dma_rw rw;
	struct vfio_user_hdr hdr;

	assert_int_equal(vt_recv(sock, &hdr, body, sizeof(body), NULL), sizeof(rw) + len);
	memcpy(&rw, body, sizeof(rw));
	assert_int_equal(hdr.cmd, cmd);
	assert_int_equal(hdr.flags, VFIO_USER_F_REQUEST);
	assert_int_equal(rw.iova, iova);
	assert_int_equal(rw.count, count);
	if (len != 0)
		memcpy(data, body + sizeof(rw), len);
	return hdr;
}

static void
reply(int sock, struct vfio_user_hdr hdr, uint32_t flags, uint32_t error, const void *body,
		size_t len)
{
	static uint8_t buf[2 * 65536];

	hdr.flags = flags;
	hdr.error = error;
	hdr.size = (uint32_t)(sizeof(hdr) + len);
	memcpy(buf, &hdr, sizeof(hdr));
	if (len != 0)
		memcpy(buf + sizeof(hdr), body, len);
	vt_raw(sock, buf, sizeof(hdr) + len, NULL, 0);
}

/* Answer a read as the specification has it. */
static void
reply_read(int sock, struct vfio_user_hdr hdr, uint64_t iova, uint32_t count, uint8_t fill)
{
	static uint8_t body[16 + 65536];
	struct vfio_user_dma_rw rw = { iova, count };

	memcpy(body, &rw, sizeof(rw));
	memset(body + sizeof(rw), fill, count);
	reply(sock, hdr, VFIO_USER_F_REPLY, 0, body, sizeof(rw) + count);
}

static void
test_spec(void **state)
{
	static uint8_t buf[150000], got[65536];
	struct op op = { .iova = 0x7000, .len = 150000, .buf = buf };
	struct vfio_user_dma_rw rw;
	struct vfio_user_hdr hdr;
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	assert_int_equal(go(&t, &op), 0);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t n = i < 2 ? 65536 : 150000 - 2 * 65536;

		hdr = expect(sock, VFIO_USER_DMA_READ, 0x7000 + i * 65536, n, NULL, 0);
		/* Requests are served while the server waits. */
		vt_write32(sock, VT_BAR2, 0, i);
		assert_int_equal(vt_read32(sock, VT_BAR2, 0), i);
		vt_victim_works(&t);
		assert_int_equal(op.done, 0);
		reply_read(sock, hdr, 0x7000 + i * 65536, n, (uint8_t)(i + 1));
	}
	vt_wait(&op.done, 1);
	assert_int_equal(op.rc, 0);
	assert_int_equal(buf[0], 1);
	assert_int_equal(buf[65536], 2);
	assert_int_equal(buf[149999], 3);

	op.write = true;
	op.len = 5000;
	memset(buf, 0x66, 5000);
	assert_int_equal(go(&t, &op), 0);
	hdr = expect(sock, VFIO_USER_DMA_WRITE, 0x7000, 5000, got, 5000);
	assert_memory_equal(got, buf, 5000);
	rw = (struct vfio_user_dma_rw){ 0x7000, 5000 };
	reply(sock, hdr, VFIO_USER_F_REPLY, 0, &rw, sizeof(rw));
	vt_wait(&op.done, 1);
	assert_int_equal(op.rc, 0);
	assert_int_equal(vt_stats(&t).dma_bytes, 155000);
	assert_int_equal(t.seen.lines, 0);
	close(sock);
	vt_stop(&t);
}

/* QEMU answers a write with a header, and nothing else; a read needs its data. */
static void
test_qemu(void **state)
{
	uint8_t buf[8] = "ABCDEFG", got[8];
	struct op op = { .write = true, .iova = 0x9000, .len = 8, .buf = buf };
	struct vfio_user_hdr hdr;
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	assert_int_equal(go(&t, &op), 0);
	hdr = expect(sock, VFIO_USER_DMA_WRITE, 0x9000, 8, got, sizeof(got));
	assert_memory_equal(got, buf, sizeof(got));
	reply(sock, hdr, VFIO_USER_F_REPLY, 0, NULL, 0);
	vt_wait(&op.done, 1);
	assert_int_equal(op.rc, 0);
	close(sock);
	vt_stop(&t);
}

/* Several at once, answered in the other order; more than there may be. */
static void
test_order(void **state)
{
	struct op op[VFIO_USER_DMA_OPS_MAX + 1];
	struct vfio_user_hdr hdr[VFIO_USER_DMA_OPS_MAX];
	uint8_t buf[VFIO_USER_DMA_OPS_MAX + 1][16];
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	memset(op, 0, sizeof(op));
	for (uint32_t i = 0; i <= VFIO_USER_DMA_OPS_MAX; i++) {
		op[i].iova = 0x1000 * i;
		op[i].len = 16;
		op[i].buf = buf[i];
		assert_int_equal(go(&t, &op[i]), i < VFIO_USER_DMA_OPS_MAX ? 0 : -EBUSY);
	}
	for (uint32_t i = 0; i < VFIO_USER_DMA_OPS_MAX; i++)
		hdr[i] = expect(sock, VFIO_USER_DMA_READ, 0x1000 * i, 16, NULL, 0);
	for (uint32_t i = VFIO_USER_DMA_OPS_MAX; i-- > 0;) {
		reply_read(sock, hdr[i], 0x1000 * i, 16, (uint8_t)i);
		vt_wait(&op[i].done, 1);
		assert_int_equal(op[i].rc, 0);
		assert_int_equal(buf[i][15], i);
	}
	op[0].len = 0;
	assert_int_equal(go(&t, &op[0]), -EINVAL);
	op[0] = (struct op){ .iova = UINT64_MAX, .len = 2, .buf = buf[0] };
	assert_int_equal(go(&t, &op[0]), -EINVAL);
	close(sock);
	vt_stop(&t);
}

/* Answers that are wrong in one thing: the operation fails, the connection lives. */
static void
test_wrong(void **state)
{
	uint8_t buf[32];
	struct op op = { .iova = 0x3000, .len = 32, .buf = buf };
	struct vfio_user_dma_rw rw;
	struct vfio_user_hdr hdr;
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	for (int i = 0; i < 8; i++) {
		uint8_t body[48] = { 0 };
		size_t len = sizeof(body);
		int want = -EPROTO;

		assert_int_equal(go(&t, &op), 0);
		hdr = expect(sock, VFIO_USER_DMA_READ, 0x3000, 32, NULL, 0);
		rw = (struct vfio_user_dma_rw){ 0x3000, 32 };
		switch (i) {
		case 0:
			rw.iova++;
			break;
		case 1:
			rw.count--;
			break;
		case 2:
			rw.count |= 1ull << 32;
			break;
		case 3:
			len--;
			break;
		case 4:
			len = 0;
			break;
		case 5:
			hdr.cmd = VFIO_USER_DMA_WRITE;
			break;
		case 6:
			reply(sock, hdr, ERR, EFAULT, NULL, 0);
			want = -EFAULT;
			break;
		default:
			reply(sock, hdr, ERR, UINT32_MAX, NULL, 0);
			break;
		}
		memcpy(body, &rw, sizeof(rw));
		if (i < 6)
			reply(sock, hdr, VFIO_USER_F_REPLY, 0, body, len);
		vt_wait(&op.done, 1);
		assert_int_equal(op.rc, want);
		vt_write32(sock, VT_BAR2, 0, 5);
		vt_victim_works(&t);
	}
	close(sock);
	vt_stop(&t);
}

/* The stream ends with operations in flight: each fails once. */
static void
test_ends(void **state)
{
	const struct vfio_user_server_conf conf = { .stall_ms = 300 };
	uint8_t buf[32];
	struct vfio_user_hdr hdr;
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, &conf);
	for (int i = 0; i < 4; i++) {
		struct op op = { .iova = 0x3000, .len = 32, .buf = buf };
		unsigned int closed = t.seen.closed;

		sock = vt_open(&t);
		assert_int_equal(go(&t, &op), 0);
		hdr = expect(sock, VFIO_USER_DMA_READ, 0x3000, 32, NULL, 0);
		if (i == 0) {
			close(sock);
		} else if (i == 1) { /* too long */
			reply(sock, hdr, VFIO_USER_F_REPLY, 0, (uint8_t[49]){ 0 }, 49);
		} else if (i == 2) { /* another's id */
			hdr.id++;
			reply(sock, hdr, ERR, E2BIG, NULL, 0);
		}             /* else: never */
		vt_wait(&op.done, 1);
		vt_wait(&t.seen.closed, closed + 1);
		assert_int_equal(op.rc, -ENOTCONN);
		if (i != 0) {
			vt_closed(sock);
			close(sock);
		}
		vt_victim_works(&t);
	}
	assert_non_null(strstr(t.line, "nothing answered for 300 ms"));
	vt_stop(&t);
}

/*
 * An operation that is deferred until the answer to its own DMA came, with more
 * requests before the answer: nobody waits for himself.
 */
static void
test_deferred(void **state)
{
	uint8_t buf[32];
	struct op op = { .iova = 0x3000, .len = 32, .buf = buf };
	struct vfio_user_conn *conn;
	struct vfio_user_hdr hdr;
	uint16_t id, later;
	struct vt t;
	int sock;

	(void)state;
	vt_start(&t, NULL);
	sock = vt_open(&t);
	t.defer = true;
	id = vt_send(sock, VFIO_USER_DEVICE_RESET, 0, NULL, 0, NULL, 0);
	while (t.deferred == NULL)
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	t.defer = false;
	assert_int_equal(go(&t, &op), 0);
	later = vt_send(sock, VFIO_USER_DEVICE_RESET, 0, NULL, 0, NULL, 0);
	hdr = expect(sock, VFIO_USER_DMA_READ, 0x3000, 32, NULL, 0);
	reply_read(sock, hdr, 0x3000, 32, 0x11);
	vt_wait(&op.done, 1);
	conn = t.deferred;
	vfio_user_conn_complete(conn, 0);
	vt_ok(sock, id, NULL, 0);
	vt_ok(sock, later, NULL, 0);
	close(sock);
	vt_stop(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spec),
		cmocka_unit_test(test_qemu),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_deferred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
