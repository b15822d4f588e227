/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Queues that a kernel hands out: no mailbox and no registers, a depth of its own, rings and
 * doorbell in regions of a file, words that say stop (UACCE 6). The kernel is the test's; the C
 * interface uses its queues as any others.
 */

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "hisi_zip_ext.h"
#include "hisi_zip_sqe.h"
#include "holdings.h"
#include "spim_ops.h"
#include "spimdev.h"

#define QUEUES   2
#define DEPTH    1024u
#define DUS_LEN  0x25000u
#define MMIO_LEN 0x2000u
#define DOORBELL 0x1000u
#define RX_STOP  (DUS_LEN - 8)
#define TX_STOP  (DUS_LEN - 4)

#define LEN  4000u
#define ROOM 6000u

/* ---- The kernel ---- */

struct kernel_queue {
	struct spim_queue queue; /* first */
	struct hisi_qm_ring ring;
	uint8_t *dus, *mmio;
	uint8_t type;
	bool started;
	/* The function's. */
	uint16_t head;
	uint16_t phase;
	bool armed;
};

static struct kernel {
	struct spim_dev dev; /* first */
	struct kernel_queue queues[QUEUES];
	unsigned int maps, unmaps, closes, stops;
	int stop_result;
	int epfd, eventfd;
} kernel;

static struct kernel_queue *
kernel_queue_of(const struct spim_queue *queue)
{
	return (struct kernel_queue *)(uintptr_t)queue;
}

static int
kernel_take(struct spim_dev *dev, uint8_t type, uint16_t depth, int socket,
		struct spim_queue **queue)
{
	volatile uint64_t *db[2];
	struct kernel_queue *q;
	uint16_t n = 0;

	(void)socket;
	assert_ptr_equal(dev, &kernel.dev);
	if (type > HISI_ZIP_QC_DECOMPRESS || depth > DEPTH)
		return -EINVAL;
	while (n < QUEUES && kernel.queues[n].dus != NULL)
		n++;
	if (n == QUEUES)
		return -EBUSY;
	q = &kernel.queues[n];
	memset(q, 0, sizeof(*q));
	q->dus = mmap(NULL, DUS_LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	q->mmio = mmap(NULL, MMIO_LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(q->dus != MAP_FAILED && q->mmio != MAP_FAILED);
	q->type = type;
	q->started = true;
	q->phase = 1;
	db[0] = db[1] = (uint64_t *)(q->mmio + DOORBELL);
	hisi_qm_ring_init(&q->ring, n, DEPTH, q->dus, q->dus + (DEPTH << HISI_QM_SQE_LOG2), db);
	q->queue.ring = &q->ring;
	*queue = &q->queue;
	return 0;
}

static int
kernel_check(struct spim_dev *dev, const struct spim_queue *queue)
{
	const uint8_t *dus = kernel_queue_of(queue)->dus;

	(void)dev;
	return *(const uint32_t *)(dus + RX_STOP) != 0 || *(const uint32_t *)(dus + TX_STOP) != 0 ?
		-ESTALE : 0;
}

static int
kernel_stop(struct spim_dev *dev, struct spim_queue *queue)
{
	(void)dev;
	kernel_queue_of(queue)->started = false;
	kernel.stops++;
	return kernel.stop_result;
}

static void
kernel_put(struct spim_dev *dev, struct spim_queue *queue)
{
	struct kernel_queue *q = kernel_queue_of(queue);

	(void)dev;
	assert_false(q->started);
	munmap(q->dus, DUS_LEN);
	munmap(q->mmio, MMIO_LEN);
	q->dus = NULL;
}

static int
kernel_event_fd(struct spim_dev *dev)
{
	struct epoll_event readable = { .events = EPOLLIN };

	(void)dev;
	if (kernel.epfd < 0) {
		kernel.epfd = epoll_create1(EPOLL_CLOEXEC);
		kernel.eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		assert_int_equal(epoll_ctl(kernel.epfd, EPOLL_CTL_ADD, kernel.eventfd, &readable),
			0);
	}
	return kernel.epfd;
}

static void
kernel_event_arm(struct spim_dev *dev, const struct spim_queue *queue)
{
	struct kernel_queue *q = kernel_queue_of(queue);

	(void)dev;
	q->armed = true;
	if (q->ring.cq_head != q->head)
		eventfd_write(kernel.eventfd, 1);
}

static void
kernel_event_take(struct spim_dev *dev)
{
	eventfd_t n;

	(void)dev;
	(void)eventfd_read(kernel.eventfd, &n);
}

static int
kernel_map(struct spim_dev *dev, void *va, size_t len, int fd, uint64_t offset)
{
	(void)dev;
	(void)fd;
	(void)offset;
	assert_non_null(va);
	assert_int_not_equal(len, 0);
	kernel.maps++;
	return 0;
}

static int
kernel_unmap(struct spim_dev *dev, void *va, size_t len)
{
	(void)dev;
	(void)va;
	(void)len;
	kernel.unmaps++;
	return 0;
}

static void
kernel_close(struct spim_dev *dev)
{
	spim_dev_fini(dev);
	if (kernel.epfd >= 0) {
		close(kernel.epfd);
		close(kernel.eventfd);
	}
	kernel.closes++;
}

static const struct spim_queue_ops kernel_ops = {
	.close = kernel_close,
	.take = kernel_take,
	.check = kernel_check,
	.stop = kernel_stop,
	.abort = kernel_stop,
	.put = kernel_put,
	.event_fd = kernel_event_fd,
	.event_arm = kernel_event_arm,
	.event_take = kernel_event_take,
	.mem_map = kernel_map,
	.mem_unmap = kernel_unmap,
};

__typeof__(spim_open) __wrap_spim_open;
int
__wrap_spim_open(const char *name, const struct spim_conf *conf, struct spim_dev **dev)
{
	assert_string_equal(name, "the kernel's");
	memset(&kernel, 0, sizeof(kernel));
	kernel.epfd = -1;
	spim_dev_init(&kernel.dev, &kernel_ops, conf);
	kernel.dev.info = (struct spim_info){ .revision = HISI_QM_REV_V3, .va = 1,
		.mem_register = 1, .queues = QUEUES,
		.ext_features = HISI_ZIP_EXT_F_ALL & ~HISI_ZIP_EXT_F_RELEASE };
	*dev = &kernel.dev;
	return spim_dev_mem_register(*dev);
}

/* ---- The function ---- */

/* Execute all requests that were rung for: a compression by zlib, a decompression too. */
static void
function_run(struct kernel_queue *q)
{
	const uint64_t db = *(volatile uint64_t *)(q->mmio + DOORBELL);
	const uint16_t tail = q->ring.sq_tail;

	assert_true(q->started);
	assert_true(db == hisi_qm_db((uint16_t)(q - kernel.queues), HISI_QM_DB_SQ, 0, tail, 0));
	while (q->head != tail) {
		struct hisi_zip_sqe *sqe = hisi_qm_sq_slot(&q->ring, q->head);
		z_stream z = {
			.next_in = (Bytef *)(uintptr_t)((uint64_t)sqe->source_addr_h << 32 |
				sqe->source_addr_l),
			.avail_in = sqe->input_data_length,
			.next_out = (Bytef *)(uintptr_t)((uint64_t)sqe->dest_addr_h << 32 |
				sqe->dest_addr_l),
			.avail_out = sqe->dest_avail_out,
		};
		const Bytef *plain = q->type == HISI_ZIP_QC_COMPRESS ? z.next_in : z.next_out;

		if (q->type == HISI_ZIP_QC_COMPRESS) {
			const int level = (int)(sqe->dw10 & HISI_ZIP_EXT_LEVEL_MASK);

			assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, -15, 8,
				Z_DEFAULT_STRATEGY), Z_OK);
			assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
			deflateEnd(&z);
		} else {
			assert_int_equal(inflateInit2(&z, -15), Z_OK);
			assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
			inflateEnd(&z);
		}
		sqe->consumed = (uint32_t)z.total_in;
		sqe->produced = (uint32_t)z.total_out;
		sqe->checksum = (uint32_t)crc32(0, plain, (uInt)(q->type == HISI_ZIP_QC_COMPRESS ?
			z.total_in : z.total_out));
		sqe->dw3 = HISI_ZIP_OK;
		q->ring.cq[q->head].sq_head = q->head;
		__atomic_store_n(&q->ring.cq[q->head].w7, q->phase, __ATOMIC_RELEASE);
		q->head = (q->head + 1) % DEPTH;
		q->phase ^= q->head == 0;
	}
	if (q->armed)
		eventfd_write(kernel.eventfd, 1);
	q->armed = false;
}

/* ---- Tests ---- */

static struct spim_zip *z;
static struct spim_zip_queue *comp, *decomp;
static struct holdings_now before;

static int
begin(void **state)
{
	(void)state;
	before = holdings_get();
	assert_int_equal(spim_zip_open("the kernel's", NULL, &z), 0);
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_DECOMPRESS, 4, &decomp), 0);
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 4, &comp), 0);
	assert_int_equal(kernel.queues[0].type, HISI_ZIP_QC_DECOMPRESS);
	assert_int_equal(kernel.queues[1].type, HISI_ZIP_QC_COMPRESS);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	spim_zip_queue_put(comp);
	spim_zip_queue_put(decomp);
	assert_int_equal(kernel.stops, 2);
	spim_zip_close(z);
	assert_int_equal(kernel.closes, 1);
	assert_int_equal(kernel.unmaps, kernel.maps);
	holdings_same(&before);
	return 0;
}

static struct spim_zip_op *
one(struct spim_zip_queue *q)
{
	struct spim_zip_op *done = NULL;

	assert_int_equal(spim_zip_poll(q, &done, 1), 1);
	return done;
}

/* More ops than its ring has entries, in both directions. */
static void
test_work(void **state)
{
	uint8_t *mem = spim_zip_alloc(z, 2 * LEN + ROOM);
	struct spim_zip_op pack = { .src = mem, .src_len = LEN, .dst = mem + LEN,
		.dst_len = ROOM, .level = 6, .last = 1 };
	struct spim_zip_op unpack = { .src = mem + LEN, .dst = mem + LEN + ROOM, .dst_len = LEN };

	(void)state;
	assert_non_null(mem);
	assert_int_equal(kernel.maps, 1);
	for (unsigned int i = 0; i < LEN; i++)
		mem[i] = (uint8_t)("the quick brown fox "[i % 20] + i / 997);
	for (unsigned int i = 0; i < 2 * DEPTH + 5; i++) {
		assert_int_equal(spim_zip_submit(comp, &pack), 0);
		function_run(&kernel.queues[1]);
		assert_ptr_equal(one(comp), &pack);
		assert_int_equal(pack.status, SPIM_ZIP_OK);
		assert_int_equal(pack.consumed, LEN);
		assert_in_range(pack.produced, 1, LEN);
		unpack.src_len = pack.produced;
		memset(unpack.dst, 0, LEN);
		assert_int_equal(spim_zip_submit(decomp, &unpack), 0);
		function_run(&kernel.queues[0]);
		assert_ptr_equal(one(decomp), &unpack);
		assert_int_equal(unpack.produced, LEN);
		assert_int_equal(unpack.crc32, pack.crc32);
		assert_memory_equal(unpack.dst, mem, LEN);
	}
	/* As many in flight as was asked for, whatever the ring has. */
	for (int i = 0; i < 4; i++)
		assert_int_equal(spim_zip_submit(comp, &pack), 0);
	assert_int_equal(spim_zip_submit(comp, &pack), -EAGAIN);
	function_run(&kernel.queues[1]);
	for (int i = 0; i < 4; i++)
		one(comp);
	spim_zip_free(z, mem);
}

static void
test_no_more(void **state)
{
	struct spim_zip_queue *q;

	(void)state;
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 4, &q), -EBUSY);
	spim_zip_queue_put(comp);
	kernel.stops = 0;
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 4, &comp), 0);
}

/* One that may still write keeps its rings: they are nobody else's. */
static void
test_stuck(void **state)
{
	struct kernel_queue *q = &kernel.queues[1];

	(void)state;
	kernel.stop_result = -EIO;
	spim_zip_queue_put(comp);
	assert_non_null(q->dus);
	kernel_put(&kernel.dev, &q->queue);
	/* One that is gone does not. */
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 4, &comp), 0);
	kernel.stop_result = -ENODEV;
	spim_zip_queue_put(comp);
	assert_null(q->dus);
	kernel.stop_result = 0;
	kernel.stops = 0;
	assert_int_equal(spim_zip_queue_take(z, SPIM_ZIP_COMPRESS, 4, &comp), 0);
}

static void
test_events(void **state)
{
	uint8_t *mem = spim_zip_alloc(z, LEN + ROOM);
	struct spim_zip_op op = { .src = mem, .src_len = LEN, .dst = mem + LEN, .dst_len = ROOM,
		.last = 1 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(spim_zip_submit(comp, &op), 0);
		assert_int_equal(spim_zip_wait(comp, 0), 0);
		function_run(&kernel.queues[1]);
		assert_int_equal(spim_zip_wait(comp, 0), 1);
		assert_ptr_equal(one(comp), &op);
	}
	spim_zip_free(z, mem);
}

/* The kernel says stop: there is no other function to go on with, and it is told so. */
static void
test_stopped(void **state)
{
	static const unsigned int words[] = { RX_STOP, TX_STOP };

	(void)state;
	for (unsigned int w = 0; w < 2; w++) {
		struct kernel_queue *q = &kernel.queues[w];
		struct spim_zip_queue *zq = w == 0 ? decomp : comp;
		uint8_t *mem = spim_zip_alloc(z, LEN + ROOM);
		struct spim_zip_op op = { .src = mem, .src_len = LEN, .dst = mem + LEN,
			.dst_len = ROOM, .last = 1 }, *done;
		int ret = 0;

		assert_int_equal(spim_zip_submit(zq, &op), 0);
		assert_int_equal(spim_queue_check(&kernel.dev, &q->queue), 0);
		*(uint32_t *)(q->dus + words[w]) = 1;
		assert_int_equal(spim_queue_check(&kernel.dev, &q->queue), -ESTALE);
		assert_int_equal(spim_queue_restart(&kernel.dev, &q->queue), -ENOTSUP);
		for (int i = 0; i < 5000 && ret == 0; i++)
			ret = spim_zip_poll(zq, &done, 1);
		assert_int_equal(ret, -ENOTCONN);
	}
	/* Nor are there registers. */
	spim_reg_write64(&kernel.dev, HISI_ZIP_EXT_REG_STREAM_RELEASE, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_work), T(test_no_more), T(test_stuck), T(test_events), T(test_stopped),
	};

	return cmocka_run_group_tests_name("spim_kernel", tests, NULL, NULL);
}
