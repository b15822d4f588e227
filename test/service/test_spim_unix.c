/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * The "unix" transport against a real service, which is killed and started again.
 *
 * usage: test_spim_unix SPIMDEVD [SANDBOX]
 *   SANDBOX  on (the default) or off: a sanitizer's runtime makes system calls of its own
 */

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "base_clock.h"
#include "hisi_zip_ext.h"
#include "hisi_zip_sqe.h"
#include "spim.h"

#define DEPTH   64
#define BUF_LEN 65536

static const char *spimdevd, *sandbox = "on";
static char folder[64], path[96], name[112];
static pid_t service;
static char last_line[512];

static void
take_line(enum base_log_level level, const char *line, void *priv)
{
	(void)level;
	(void)priv;
	snprintf(last_line, sizeof(last_line), "%s", line);
}

static void
nap_us(long us)
{
	struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

static double
now_us(void)
{
	return (double)base_now_ns() / 1e3;
}

static int
answers(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ok;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	ok = connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0;
	close(fd);
	return ok;
}

static void
service_start_ext(const char *ext)
{
	service = fork();
	assert_return_code(service, errno);
	if (service == 0) {
		execl(spimdevd, spimdevd, "--listen", path, "--workers", "1", "--ext",
			ext, "--sandbox", sandbox, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; !answers(); i++) {
		assert_true(i < 2000);
		nap_us(5000);
	}
}

static void
service_start(void)
{
	service_start_ext("on");
}

static void
service_end(int sig)
{
	int status;

	assert_return_code(kill(service, sig), errno);
	assert_int_equal(waitpid(service, &status, 0), service);
	if (sig == SIGTERM) {
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static int
setup(void **state)
{
	(void)state;
	last_line[0] = '\0';
	service_start();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	service_end(SIGTERM);
	return 0;
}

static const struct spim_conf conf = { .owner = "unit", .log = { .line = take_line } };

static struct hisi_zip_sqe
request(const void *src, uint32_t src_len, void *dst, uint32_t dst_len)
{
	struct hisi_zip_sqe sqe = {
		.dw7 = HISI_ZIP_SQE_TYPE3 << HISI_ZIP_DW7_TYPE_SHIFT,
		.dw9 = HISI_ZIP_REQ_DEFLATE,
		.dw10 = HISI_ZIP_EXT_VALID | 1u << HISI_ZIP_EXT_LEVEL_SHIFT |
			15u << HISI_ZIP_EXT_WINDOW_SHIFT,
	};

	hisi_zip_sqe_src(&sqe, (uintptr_t)src, src_len);
	hisi_zip_sqe_dst(&sqe, (uintptr_t)dst, dst_len);
	return sqe;
}

static void
submit(struct spim_queue *q, const struct hisi_zip_sqe *sqe)
{
	struct hisi_qm_ring *ring = q->ring;

	memcpy(hisi_qm_sq_slot(ring, ring->sq_tail), sqe, sizeof(*sqe));
	ring->sq_tail = (ring->sq_tail + 1) & ring->mask;
	hisi_qm_sq_ring(ring);
}

/* Wait for the next completion, up to 5 s. NULL: none came. */
static const struct hisi_zip_sqe *
complete(struct spim_queue *q)
{
	struct hisi_qm_ring *ring = q->ring;
	double until = now_us() + 5e6;
	const struct hisi_zip_sqe *sqe;

	while (!hisi_qm_cq_ready(ring, 1))
		if (now_us() > until)
			return NULL;
	sqe = hisi_qm_sq_slot(ring, ring->cq_head);
	hisi_qm_cq_skip(ring, 1);
	hisi_qm_cq_ring(ring);
	return sqe;
}

static void
fill(uint8_t *buf, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)"the quick brown fox "[(i * (seed + 1) + i / 37) % 20];
}

static void
inflated_equals(const uint8_t *comp, size_t comp_len, const uint8_t *plain, size_t len)
{
	uint8_t *out = malloc(len + 1);
	z_stream z = { .next_in = (Bytef *)(uintptr_t)comp, .avail_in = (uInt)comp_len,
		.next_out = out, .avail_out = (uInt)len + 1 };

	assert_int_equal(inflateInit2(&z, -15), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, len);
	assert_memory_equal(out, plain, len);
	inflateEnd(&z);
	free(out);
}

static void
test_round_trip(void **state)
{
	struct spim_queue *comp, *decomp;
	const struct hisi_zip_sqe *sqe;
	struct hisi_zip_sqe req;
	struct spim_info info;
	struct spim_dev *dev;
	uint8_t *mem;

	(void)state;
	assert_int_equal(spim_open(name, &conf, &dev), 0);
	spim_info_get(dev, &info);
	assert_int_equal(info.mem_register, 1);
	assert_int_equal(info.va, 1);
	assert_int_equal(info.polled, 0);
	mem = spim_mem_alloc(dev, 3 * BUF_LEN);
	assert_non_null(mem);
	fill(mem, BUF_LEN, 1);
	assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, DEPTH, -1, &comp), 0);
	assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_DECOMPRESS, DEPTH, -1, &decomp), 0);
	/* Several passes of the ring, with pauses in which the service falls asleep. */
	for (unsigned int i = 0; i < 3 * DEPTH; i++) {
		uint32_t produced;

		req = request(mem, BUF_LEN - i, mem + BUF_LEN, BUF_LEN);
		submit(comp, &req);
		sqe = complete(comp);
		assert_non_null(sqe);
		assert_int_equal(sqe->dw3 & HISI_ZIP_STATUS_MASK, HISI_ZIP_OK);
		produced = sqe->produced;
		inflated_equals(mem + BUF_LEN, produced, mem, BUF_LEN - i);
		req = request(mem + BUF_LEN, produced, mem + 2 * BUF_LEN, BUF_LEN);
		submit(decomp, &req);
		sqe = complete(decomp);
		assert_non_null(sqe);
		assert_int_equal(sqe->produced, BUF_LEN - i);
		assert_memory_equal(mem, mem + 2 * BUF_LEN, BUF_LEN - i);
		if (i % 16 == 0)
			nap_us(3000);
	}
	/* Memory that was not registered is out of reach, and nothing else happens. */
	req = request(&req, sizeof(req), mem + BUF_LEN, BUF_LEN);
	submit(comp, &req);
	sqe = complete(comp);
	assert_non_null(sqe);
	assert_int_not_equal(sqe->dw3 & HISI_ZIP_STATUS_MASK, HISI_ZIP_OK);
	req = request(mem, BUF_LEN, mem + BUF_LEN, BUF_LEN);
	submit(comp, &req);
	sqe = complete(comp);
	assert_non_null(sqe);
	assert_int_equal(sqe->dw3 & HISI_ZIP_STATUS_MASK, HISI_ZIP_OK);

	assert_int_equal(spim_queue_stop(dev, comp), 0);
	spim_queue_put(dev, comp);
	assert_int_equal(spim_queue_stop(dev, decomp), 0);
	spim_queue_put(dev, decomp);
	spim_mem_free(dev, mem);
	spim_close(dev);
}

static void
test_no_service(void **state)
{
	struct spim_dev *dev;

	(void)state;
	assert_int_equal(spim_open("unix:/nonexistent/socket", &conf, &dev), -ENOENT);
	assert_non_null(strstr(last_line, "/nonexistent/socket"));
	assert_int_not_equal(spim_open("unix:", &conf, &dev), 0);
}

/* The service is killed with requests in flight; they are executed by the next one. */
static void
test_killed(void **state)
{
	enum { OPS = 24 };
	struct hisi_zip_sqe req;
	struct spim_queue *q;
	struct spim_dev *dev;
	uint8_t *mem;

	(void)state;
	assert_int_equal(spim_open(name, &conf, &dev), 0);
	mem = spim_mem_alloc(dev, (size_t)2 * OPS * BUF_LEN);
	assert_non_null(mem);
	assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, DEPTH, -1, &q), 0);
	for (unsigned int round = 0; round < 20; round++) {
		unsigned int done = 0;

		for (unsigned int i = 0; i < OPS; i++) {
			fill(mem + (size_t)i * BUF_LEN, BUF_LEN, round + i);
			memset(mem + (size_t)(OPS + i) * BUF_LEN, 0, BUF_LEN);
		}
		/* Some before, some while it dies, some when it is dead. */
		for (unsigned int i = 0; i < OPS; i++) {
			req = request(mem + (size_t)i * BUF_LEN, BUF_LEN,
				mem + (size_t)(OPS + i) * BUF_LEN, BUF_LEN);
			submit(q, &req);
			if (i == OPS / 2)
				kill(service, SIGKILL);
		}
		waitpid(service, NULL, 0);
		assert_int_equal(spim_queue_check(dev, q), -ENOTCONN);
		/* What it had done must be taken before the rest is given to another. */
		while (hisi_qm_cq_ready(q->ring, 1)) {
			assert_non_null(complete(q));
			done++;
		}
		assert_int_not_equal(spim_queue_restart(dev, q), 0);
		assert_non_null(strstr(last_line, "gone"));
		service_start();
		assert_int_equal(spim_queue_restart(dev, q), 0);
		assert_int_equal(spim_queue_check(dev, q), 0);
		for (; done < OPS; done++)
			assert_non_null(complete(q));
		nap_us(1000);
		assert_int_equal(hisi_qm_cq_ready(q->ring, 1), 0);
		for (unsigned int i = 0; i < OPS; i++) {
			const struct hisi_zip_sqe *sqe = hisi_qm_sq_slot(q->ring,
				(uint16_t)((round * OPS + i) % DEPTH));

			assert_int_equal(sqe->dw3 & HISI_ZIP_STATUS_MASK, HISI_ZIP_OK);
			inflated_equals(mem + (size_t)(OPS + i) * BUF_LEN, sqe->produced,
				mem + (size_t)i * BUF_LEN, BUF_LEN);
		}
	}
	assert_int_equal(spim_queue_stop(dev, q), 0);
	spim_queue_put(dev, q);
	/* A service that is away when a queue is given back, and when one is wanted. */
	assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, DEPTH, -1, &q), 0);
	service_end(SIGKILL);
	assert_int_equal(spim_queue_stop(dev, q), 0);
	spim_queue_put(dev, q);
	assert_int_not_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, DEPTH, -1, &q), 0);
	service_start();
	assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, DEPTH, -1, &q), 0);
	req = request(mem, BUF_LEN, mem + BUF_LEN, BUF_LEN);
	submit(q, &req);
	assert_non_null(complete(q));
	assert_int_equal(spim_queue_stop(dev, q), 0);
	spim_queue_put(dev, q);
	spim_mem_free(dev, mem);
	spim_close(dev);
}

/*
 * A service that is told to end while it executes a request: once it seems lost, it writes
 * to the memory of the request no more, which may then be used for something else.
 */
static void
test_terminated(void **state)
{
	enum { LEN = 4 << 20 };
	struct hisi_zip_sqe req;
	struct spim_queue *q;
	struct spim_dev *dev;
	uint8_t *mem;
	int status;

	(void)state;
	assert_int_equal(spim_open(name, &conf, &dev), 0);
	mem = spim_mem_alloc(dev, (size_t)2 * LEN);
	assert_non_null(mem);
	for (size_t i = 0, seed = 1; i < LEN; i++, seed = seed * 1103515245 + 12345)
		mem[i] = (uint8_t)((seed >> 28 & 15) | (i / 50 % 7) << 4);
	assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, DEPTH, -1, &q), 0);
	req = request(mem, LEN, mem + LEN, LEN);
	req.dw10 |= 9u << HISI_ZIP_EXT_LEVEL_SHIFT;
	submit(q, &req);
	nap_us(5000);
	assert_return_code(kill(service, SIGTERM), errno);
	while (spim_queue_check(dev, q) != -ENOTCONN)
		nap_us(50);
	memset(mem + LEN, 0xa5, LEN);
	assert_int_equal(waitpid(service, &status, 0), service);
	for (size_t i = LEN; i < (size_t)2 * LEN; i++)
		assert_int_equal(mem[i], 0xa5);
	service_start();
	assert_int_equal(spim_queue_stop(dev, q), 0);
	spim_queue_put(dev, q);
	spim_close(dev);
}

/* A new service that will not do does not do the second time either. */
static void
test_lesser(void **state)
{
	struct pollfd pfd = { .events = POLLIN };
	struct spim_queue *q, *other;
	struct hisi_zip_sqe req;
	struct spim_dev *dev;
	uint8_t *mem;

	(void)state;
	assert_int_equal(spim_open(name, &conf, &dev), 0);
	mem = spim_mem_alloc(dev, (size_t)2 * BUF_LEN);
	assert_non_null(mem);
	assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, DEPTH, -1, &q), 0);
	assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, DEPTH, -1, &other), 0);
	pfd.fd = spim_event_fd(dev);
	assert_true(pfd.fd >= 0);
	service_end(SIGKILL);
	service_start_ext("off");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(spim_queue_restart(dev, q), -ENODEV);
		assert_int_equal(spim_queue_check(dev, q), -ENOTCONN);
	}
	service_end(SIGTERM);
	service_start();
	assert_int_equal(spim_queue_restart(dev, q), 0);
	/* The function is there again, the other queue is not: nothing would ever wake it. */
	assert_int_equal(spim_queue_check(dev, other), -ENOTCONN);
	assert_int_equal(poll(&pfd, 1, 0), 0);
	spim_event_arm(dev, other);
	assert_int_equal(poll(&pfd, 1, 0), 1);
	spim_event_take(dev);
	assert_int_equal(spim_queue_restart(dev, other), 0);
	for (int i = 0; i < 50; i++) {
		spim_event_arm(dev, other);
		req = request(mem, BUF_LEN, mem + BUF_LEN, BUF_LEN);
		submit(other, &req);
		assert_int_equal(poll(&pfd, 1, 20000), 1);
		spim_event_take(dev);
		assert_non_null(complete(other));
	}
	assert_int_equal(spim_queue_stop(dev, q), 0);
	spim_queue_put(dev, q);
	assert_int_equal(spim_queue_stop(dev, other), 0);
	spim_queue_put(dev, other);
	spim_close(dev);
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* From spim_open() to the first completed request; printed, as machines differ. */
static void
test_latency(void **state)
{
	enum { ROUNDS = 200 };
	double us[ROUNDS];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		double start = now_us();
		struct hisi_zip_sqe req;
		struct spim_queue *q;
		struct spim_dev *dev;
		uint8_t *mem;

		assert_int_equal(spim_open(name, &conf, &dev), 0);
		mem = spim_mem_alloc(dev, 8192);
		assert_non_null(mem);
		assert_int_equal(spim_queue_take(dev, HISI_ZIP_QC_COMPRESS, DEPTH, -1, &q), 0);
		req = request(mem, 4096, mem + 4096, 4096);
		submit(q, &req);
		assert_non_null(complete(q));
		us[i] = now_us() - start;
		spim_queue_stop(dev, q);
		spim_queue_put(dev, q);
		spim_mem_free(dev, mem);
		spim_close(dev);
	}
	qsort(us, ROUNDS, sizeof(us[0]), by_value);
	print_message("open to first completion: p50 %.0f us, p99 %.0f us\n", us[ROUNDS / 2],
		us[ROUNDS * 99 / 100]);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test(test_no_service),
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lesser, setup, teardown),
		cmocka_unit_test_setup_teardown(test_terminated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_latency, setup, teardown),
	};
	int failed;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: test_spim_unix SPIMDEVD [SANDBOX]\n");
		return 2;
	}
	spimdevd = argv[1];
	if (argc == 3)
		sandbox = argv[2];
	snprintf(folder, sizeof(folder), "/tmp/test_spim_unix.XXXXXX");
	if (mkdtemp(folder) == NULL) {
		perror("mkdtemp");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/socket", folder);
	snprintf(name, sizeof(name), "unix:%s", path);
	failed = cmocka_run_group_tests_name("spim_unix", tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
