/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Access points: names, options, queues taken on use and given back, and real
 * work through the rings of the local transport, without any driver.
 */

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "fail_nth.h"
#include "hisi_zip_ext.h"
#include "hisi_zip_sqe.h"
#include "holdings.h"
#include "spim_qm.h"

static char last_line[512];

static void
take_line(enum base_log_level level, const char *line, void *priv)
{
	(void)priv;
	if (level == BASE_LOG_ERR)
		snprintf(last_line, sizeof(last_line), "%s", line);
}

static struct spim_conf
conf_of(uint16_t workers, uint8_t plain, uint8_t revision, uint16_t queues)
{
	return (struct spim_conf){
		.owner = "unit",
		.log = { .line = take_line },
		.local = {
			.workers = workers,
			.plain = plain,
			.revision = revision,
			.queues = queues,
		},
	};
}

static void
test_names(void **state)
{
	static const struct {
		const char *name;
		int ret;
	} cases[] = {
		{ "", -EINVAL },
		{ "locale", -EINVAL },
		{ "LOCAL", -EINVAL },
		{ "unix", -EINVAL },
		{ "uacce:hisi_zip-0", -ENOTSUP },
	};
	struct spim_conf conf = conf_of(0, 0, 0, 0);
	char long_name[2000] = "";
	struct spim_dev *dev;

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[64];

		assert_int_equal(spim_open(cases[i].name, &conf, &dev), cases[i].ret);
		snprintf(want, sizeof(want), "unit: dev=%s: expected", cases[i].name);
		assert_non_null(strstr(last_line, want));
	}
	conf.local.revision = 0x77;
	assert_int_equal(spim_open("local", &conf, &dev), -EINVAL);
	assert_non_null(strstr(last_line, "revision 0x77"));
	conf = conf_of(1000, 0, 0, 0);
	assert_int_equal(spim_open("local", &conf, &dev), -EINVAL);
	assert_non_null(strstr(last_line, "1000 workers"));
	conf = conf_of(0, 0, 0, 0);
	conf.local.quirk = "room-200:rom-200:sge-16";
	assert_int_equal(spim_open("local", &conf, &dev), -EINVAL);
	assert_non_null(strstr(last_line, "quirk \"rom-200\", expected some of produced-data:"));
	conf.local.quirk = "";
	assert_int_equal(spim_open("local", &conf, &dev), 0);
	spim_close(dev);
	/* A name that does not fit in a line. */
	memset(long_name, 'x', sizeof(long_name) - 1);
	conf.owner = long_name;
	assert_int_equal(spim_open("locale", &conf, &dev), -EINVAL);
	assert_non_null(strstr(last_line, "dev=locale: expected"));
}

static int
not_asked(struct spim_dev *dev, void *priv)
{
	(void)dev;
	(void)priv;
	fail_msg("asked to register memory with a function that sees all of it");
	return -EIO;
}

static void
test_info(void **state)
{
	struct spim_conf conf = conf_of(0, 0, 0, 0);
	struct spim_info info;
	struct spim_dev *dev;

	(void)state;
	conf.mem_register = not_asked;
	assert_int_equal(spim_open("local", &conf, &dev), 0);
	spim_info_get(dev, &info);
	assert_int_equal(info.revision, HISI_QM_REV_V3);
	assert_int_equal(info.queues, 1024);
	assert_int_equal(info.va, 1);
	assert_int_equal(info.polled, 1);
	assert_int_equal(info.mem_register, 0);
	assert_int_equal(info.ext_features, (HISI_ZIP_EXT_F_ALL | HISI_ZIP_EXT_F_UDMA));
	spim_close(dev);

	conf = conf_of(1, 1, HISI_QM_REV_V2, 7);
	assert_int_equal(spim_open("local", &conf, &dev), 0);
	spim_info_get(dev, &info);
	assert_int_equal(info.revision, HISI_QM_REV_V2);
	assert_int_equal(info.queues, 7);
	assert_int_equal(info.polled, 0);
	assert_int_equal(info.ext_features, 0);
	spim_close(dev);
}

/* Submit one request and wait for its completion. */
static const struct hisi_zip_sqe *
run(struct spim_queue *q, const struct hisi_zip_sqe *sqe)
{
	struct hisi_qm_ring *ring = q->ring;
	struct hisi_zip_sqe *slot = hisi_qm_sq_slot(ring, ring->sq_tail);

	memcpy(slot, sqe, sizeof(*slot));
	ring->sq_tail = (ring->sq_tail + 1) & ring->mask;
	hisi_qm_sq_ring(ring);
	while (!hisi_qm_cq_ready(ring, 1)) {
		if (q->poll_io != NULL)
			assert_int_equal(spim_queue_poll(q, 1), 1);
	}
	hisi_qm_cq_skip(ring, 1);
	hisi_qm_cq_ring(ring);
	return slot;
}

static struct hisi_zip_sqe
request(const void *src, size_t src_len, void *dst, size_t dst_len)
{
	struct hisi_zip_sqe sqe = {
		.dw7 = HISI_ZIP_SQE_TYPE3 << HISI_ZIP_DW7_TYPE_SHIFT,
		.dw9 = HISI_ZIP_REQ_DEFLATE,
	};

	hisi_zip_sqe_src(&sqe, (uintptr_t)src, (uint32_t)src_len);
	hisi_zip_sqe_dst(&sqe, (uintptr_t)dst, (uint32_t)dst_len);
	return sqe;
}

static void
round_trip(uint16_t workers, uint8_t plain)
{
	enum { LEN = 20000 };
	struct spim_conf conf = conf_of(workers, plain, 0, 0);
	uint8_t *plain_text = malloc(LEN), *packed = malloc(LEN), *back = malloc(LEN);
	struct spim_queue *comp, *decomp;
	const struct hisi_zip_sqe *done;
	struct hisi_zip_sqe sqe;
	struct spim_dev *dev;

	for (int i = 0; i < LEN; i++)
		plain_text[i] = (uint8_t)(i % 251 * (i / 1000 + 1));
	assert_int_equal(spim_open("local", &conf, &dev), 0);
	assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, 16, -1, &comp), 0);
	assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_DECOMPRESS, 16, -1, &decomp), 0);
	/* More than a ring's worth, so that phases and wraps are used. */
	for (int i = 0; i < 100; i++) {
		z_stream z = { 0 };

		sqe = request(plain_text, LEN, packed, LEN);
		done = run(comp, &sqe);
		assert_int_equal(done->dw3 & HISI_ZIP_STATUS_MASK, HISI_ZIP_OK);
		assert_int_equal(done->consumed, LEN);
		assert_true(done->produced > 0 && done->produced < LEN);
		/* zlib is the judge of what came out. */
		assert_int_equal(inflateInit2(&z, -15), Z_OK);
		z.next_in = packed;
		z.avail_in = done->produced;
		z.next_out = back;
		z.avail_out = LEN;
		assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
		assert_int_equal(z.total_out, LEN);
		inflateEnd(&z);
		assert_memory_equal(back, plain_text, LEN);

		sqe = request(packed, done->produced, back, LEN);
		memset(back, 0, LEN);
		done = run(decomp, &sqe);
		assert_int_equal(done->dw3 & HISI_ZIP_STATUS_MASK, HISI_ZIP_OK);
		assert_int_equal(done->produced, LEN);
		assert_memory_equal(back, plain_text, LEN);
	}
	assert_int_equal(spim_queue_stop(dev, comp), 0);
	assert_int_equal(spim_queue_stop(dev, decomp), 0);
	spim_queue_put(dev, comp);
	spim_queue_put(dev, decomp);
	spim_close(dev);
	free(plain_text);
	free(packed);
	free(back);
}

static void
test_work(void **state)
{
	(void)state;
	round_trip(0, 0);
	round_trip(0, 1);
	round_trip(1, 0);
	round_trip(3, 0);
}

/* Stopping finishes what was submitted, and its completions can be read afterwards. */
static void
test_stop_drains(void **state)
{
	enum { LEN = 4096, OPS = 15 };
	static uint8_t src[LEN], dst[OPS][LEN * 2];

	(void)state;
	for (uint16_t workers = 0; workers < 3; workers++) {
		struct spim_conf conf = conf_of(workers, 0, 0, 0);
		struct spim_queue *q;
		struct spim_dev *dev;

		assert_int_equal(spim_open("local", &conf, &dev), 0);
		assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, 16, -1, &q), 0);
		for (int i = 0; i < OPS; i++) {
			struct hisi_zip_sqe sqe = request(src, LEN, dst[i], sizeof(dst[i]));

			memcpy(hisi_qm_sq_slot(q->ring, q->ring->sq_tail), &sqe, sizeof(sqe));
			q->ring->sq_tail++;
		}
		hisi_qm_sq_ring(q->ring);
		assert_int_equal(spim_queue_stop(dev, q), 0);
		for (int i = 0; i < OPS; i++) {
			const struct hisi_zip_sqe *sqe = hisi_qm_sq_slot(q->ring, (uint16_t)i);

			assert_int_equal(hisi_qm_cq_ready(q->ring, 1), 1);
			assert_int_equal(sqe->dw3 & HISI_ZIP_STATUS_MASK, HISI_ZIP_OK);
			assert_int_equal(sqe->consumed, LEN);
			hisi_qm_cq_skip(q->ring, 1);
		}
		assert_int_equal(hisi_qm_cq_ready(q->ring, 1), 0);
		spim_queue_put(dev, q);
		spim_close(dev);
	}
}

/* Taking a queue is the allocation: as many as there are, and again after they came back. */
static void
test_queues_on_use(void **state)
{
	enum { QUEUES = 6 };
	struct spim_conf conf = conf_of(0, 0, 0, QUEUES);
	struct spim_queue *q[QUEUES + 1];
	struct spim_dev *dev;

	(void)state;
	assert_int_equal(spim_open("local", &conf, &dev), 0);
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < QUEUES; i++)
			assert_int_equal(spim_queue_take(dev, i % 2, 16, -1, &q[i]), 0);
		assert_int_equal(spim_queue_take(dev, 0, 16, -1, &q[QUEUES]), -EBUSY);
		for (int i = 0; i < QUEUES; i++) {
			assert_int_equal(spim_queue_stop(dev, q[i]), 0);
			spim_queue_put(dev, q[i]);
		}
	}
	spim_close(dev);
}

/* A reset for the sake of one queue loses the others and the events: all can go on. */
static void
test_reset(void **state)
{
	struct spim_conf conf = conf_of(1, 0, 0, 8);
	struct pollfd pfd = { .events = POLLIN };
	struct spim_queue *q, *other;
	struct spim_dev *dev;

	(void)state;
	/* Of the first queue: 2 commands behind 3 of the start and 1 of the events. */
	conf.local.fault = "mailbox_timeout@7";
	assert_int_equal(spim_open("local", &conf, &dev), 0);
	pfd.fd = spim_event_fd(dev);
	assert_true(pfd.fd >= 0);
	assert_int_equal(spim_queue_take(dev, 0, 16, -1, &q), 0);
	assert_int_equal(spim_queue_check(dev, q), 0);
	assert_int_equal(spim_queue_take(dev, 0, 16, -1, &other), 0);
	assert_int_equal(spim_queue_check(dev, q), -ESTALE);
	assert_int_equal(poll(&pfd, 1, 0), 0);
	/* Nobody shall wait for it. */
	spim_event_arm(dev, q);
	assert_int_equal(poll(&pfd, 1, 0), 1);
	spim_event_take(dev);
	assert_int_equal(poll(&pfd, 1, 0), 0);
	assert_int_equal(spim_queue_restart(dev, q), 0);
	assert_int_equal(spim_queue_check(dev, q), 0);
	spim_event_arm(dev, q);
	assert_int_equal(poll(&pfd, 1, 0), 0);
	q->ring->sq_tail = 1; /* a request of zeroes: refused, which is an answer */
	hisi_qm_sq_ring(q->ring);
	assert_int_equal(poll(&pfd, 1, 20000), 1);
	assert_int_equal(hisi_qm_cq_ready(q->ring, 1), 1);
	assert_int_equal(spim_queue_stop(dev, q), 0);
	spim_queue_put(dev, q);
	assert_int_equal(spim_queue_stop(dev, other), 0);
	spim_queue_put(dev, other);
	spim_close(dev);
}

/* ---- Options of a function in this process ---- */

static unsigned int spawned;

static int
spawn(pthread_t *thread, void *(*run_it)(void *), void *arg, void *priv)
{
	unsigned int *most = priv;

	if (spawned == *most)
		return EAGAIN;
	spawned++;
	return pthread_create(thread, NULL, run_it, arg);
}

static void
test_threads(void **state)
{
	struct spim_conf conf = conf_of(3, 0, 0, 0);
	const struct holdings_now before = holdings_get();
	unsigned int most = 3;
	struct spim_dev *dev;

	(void)state;
	conf.local.spawn = spawn;
	conf.local.spawn_priv = &most;
	spawned = 0;
	assert_int_equal(spim_open("local", &conf, &dev), 0);
	assert_int_equal(spawned, 3);
	spim_close(dev);
	holdings_same(&before);
	spawned = 0;
	most = 2;
	assert_int_equal(spim_open("local", &conf, &dev), -EAGAIN);
	assert_non_null(strstr(last_line, "local function with 3 workers, revision 0x30: error "));
	holdings_same(&before);
}

static void
test_copies(void **state)
{
	struct spim_conf conf = conf_of(0, 0, 0, 0);
	uint8_t from[100], to[100] = { 0 };
	const struct hisi_zip_sqe *done;
	struct hisi_zip_sqe sqe;
	struct spim_queue *q;
	struct spim_dev *dev;

	(void)state;
	conf.local.copy = 1;
	memset(from, 'c', sizeof(from));
	assert_int_equal(spim_open("local", &conf, &dev), 0);
	assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, 16, -1, &q), 0);
	sqe = request(from, sizeof(from), to, sizeof(to));
	done = run(q, &sqe);
	assert_int_equal(done->produced, sizeof(from));
	assert_memory_equal(from, to, sizeof(from));
	assert_int_equal(spim_queue_stop(dev, q), 0);
	spim_queue_put(dev, q);
	spim_close(dev);
}

/* A faulty ring depth, and a queue number that the function does not have. */
static void
test_wrong_queues(void **state)
{
	static const uint16_t depths[] = { 0, 1, 15, 17, 3000, 8192 };
	struct spim_conf conf = conf_of(0, 0, 0, 4);
	volatile uint64_t *sq, *cq;
	struct hisi_qm_io *io;
	struct spim_queue *q;
	struct spim_dev *dev;

	(void)state;
	assert_int_equal(spim_open("local", &conf, &dev), 0);
	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++)
		assert_int_equal(spim_queue_take(dev, 0, depths[i], -1, &q), -EINVAL);
	io = spim_qm_of(dev)->io;
	assert_int_equal(io->ops->doorbells(io, 3, &sq, &cq), 0);
	assert_ptr_not_equal(sq, cq);
	assert_int_equal(io->ops->doorbells(io, 4, &sq, &cq), -EINVAL);
	spim_close(dev);
}

static uint32_t written_off;
static uint64_t written;

static void
note_write64(struct hisi_qm_io *io, uint32_t off, uint64_t value)
{
	(void)io;
	written_off = off;
	written = value;
}

/* A register of the class is written as it is asked for. */
static void
test_register(void **state)
{
	struct spim_conf conf = conf_of(0, 0, 0, 0);
	const struct hisi_qm_io_ops *ops;
	struct hisi_qm_io_ops noting;
	struct hisi_qm_io *io;
	struct spim_dev *dev;

	(void)state;
	assert_int_equal(spim_open("local", &conf, &dev), 0);
	io = spim_qm_of(dev)->io;
	ops = io->ops;
	noting = *ops;
	noting.write64 = note_write64;
	io->ops = &noting;
	spim_reg_write64(dev, HISI_ZIP_EXT_REG_STREAM_RELEASE, 0x123456789abcull);
	io->ops = ops;
	assert_true(written == 0x123456789abcull);
	assert_int_equal(written_off, HISI_ZIP_EXT_REG_STREAM_RELEASE);
	spim_close(dev);
}

/* ---- A function of the caller's own ---- */

/* All that is there for any function; it stays the caller's. */
static void
test_own_function(void **state)
{
	const struct spim_conf conf = conf_of(0, 0, HISI_QM_REV_V2, 5);
	const struct holdings_now before = holdings_get();
	const long blocks = fail_nth_blocks();
	struct hisi_qm_io *io;
	struct spim_queue *q;
	struct spim_info info;
	struct spim_dev *dev;
	uint32_t features;

	(void)state;
	assert_int_equal(spim_local_open(&conf, &io), 0);
	features = io->ops->read32(io, HISI_EXT_REG_FEATURES);
	for (int va = 0; va < 3; va++) {
		assert_int_equal(spim_open_io(io, va, &conf, &dev), 0);
		spim_info_get(dev, &info);
		assert_int_equal(info.revision, HISI_QM_REV_V2);
		assert_int_equal(info.va, va != 0);
		assert_int_equal(info.mem_register, 0);
		assert_int_equal(info.polled, 1);
		assert_int_equal(info.queues, 5);
		assert_int_equal(info.ext_features, features);
		assert_int_equal(spim_event_fd(dev), -ENOTSUP);
		assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, 16, -1, &q), 0);
		assert_int_equal(spim_queue_check(dev, q), 0);
		assert_int_equal(spim_queue_stop(dev, q), 0);
		spim_queue_put(dev, q);
		assert_int_equal(spim_mem_map(dev, &dev, 4096, -1, 0), 0);
		assert_int_equal(spim_mem_unmap(dev, &dev, 4096), 0);
		spim_close(dev);
		assert_int_equal(io->ops->read32(io, HISI_EXT_REG_FEATURES), features);
	}
	spim_local_transport.close(io);
	assert_int_equal(fail_nth_blocks(), blocks);
	holdings_same(&before);
}

/* Whatever fails when it is opened, it stays the caller's, and nothing else does. */
static void
test_own_function_fails(void **state)
{
	const struct spim_conf conf = conf_of(0, 0, 0, 8);
	const char *failed = "";
	struct hisi_qm_io *io;
	struct spim_dev *dev;
	long blocks;

	(void)state;
	assert_int_equal(spim_local_open(&conf, &io), 0);
	blocks = fail_nth_blocks();
	fail_nth_struck();
	for (unsigned int n = 1; failed != NULL; n++) {
		int ret;

		fail_nth(n);
		ret = spim_open_io(io, 1, &conf, &dev);
		failed = fail_nth_end();
		assert_int_equal(ret, -fail_nth_errno());
		if (ret == 0)
			spim_close(dev);
		assert_int_equal(fail_nth_blocks(), blocks);
		assert_int_equal(io->ops->read32(io, HISI_EXT_REG_MAGIC), HISI_EXT_MAGIC);
	}
	assert_string_equal(fail_nth_struck(), "calloc malloc mmap");
	spim_local_transport.close(io);
}

/* A way to a function that tells no events. */
static void
test_no_events(void **state)
{
	const struct spim_conf conf = conf_of(0, 0, 0, 0);
	const struct spim_qm_transport *whole;
	struct spim_qm_transport without;
	struct holdings_now before;
	struct spim_dev *dev;

	(void)state;
	assert_int_equal(spim_open("local", &conf, &dev), 0);
	whole = spim_qm_of(dev)->transport;
	without = *whole;
	without.events = NULL;
	spim_qm_of(dev)->transport = &without;
	before = holdings_get();
	assert_int_equal(spim_event_fd(dev), -ENOTSUP);
	holdings_same(&before);
	spim_qm_of(dev)->transport = whole;
	assert_true(spim_event_fd(dev) >= 0);
	spim_close(dev);
}

/* The numbers of descriptors that were closed belong to others. */
static void
test_events_end_once(void **state)
{
	const struct spim_conf conf = conf_of(1, 0, HISI_QM_REV_V3, 4);
	struct spim_dev *dev;
	int others[2];

	(void)state;
	assert_int_equal(spim_open("local", &conf, &dev), 0);
	assert_true(spim_event_fd(dev) >= 0);
	spim_qm_event_end(spim_qm_of(dev));
	assert_int_equal(pipe(others), 0);
	spim_close(dev);
	for (int i = 0; i < 2; i++)
		assert_int_equal(close(others[i]), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_work),
		cmocka_unit_test(test_stop_drains),
		cmocka_unit_test(test_queues_on_use),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_wrong_queues),
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_own_function),
		cmocka_unit_test(test_own_function_fails),
		cmocka_unit_test(test_no_events),
		cmocka_unit_test(test_events_end_once),
	};

	return cmocka_run_group_tests_name("spim", tests, NULL, NULL);
}
