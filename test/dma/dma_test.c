/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "dma_test.h"

#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_dmadev_pmd.h>
#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

#include "hisi_udma_dev.h"
#include "holdings.h"
#include "pmd_test.h"
#include "pmd_test_priv.h"

#define WAIT_S (60 * (1 + 4 * PMD_SLOW))

static struct {
	const char *dev, *count, *seconds;
	struct holdings_now held;
	size_t heap;
	unsigned int heap_blocks;
	FILE *log;
	char *lines;
	size_t lines_len;
} test = { .dev = "" };

bool dma_telemetry;
unsigned int dma_lcores = 1;

/* For what is shared with the tests of the compressdev driver. */
void
pmd_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	pmd_service_cleanup();
	_exit(1);
}

unsigned long
dma_count(unsigned long n)
{
	return test.count != NULL ? strtoul(test.count, NULL, 10) : PMD_SLOW ? n / 4 : n;
}

unsigned long
dma_seconds(void)
{
	return test.seconds != NULL ? strtoul(test.seconds, NULL, 10) : 2;
}

bool
dma_on_service(void)
{
	return pmd_service_have();
}

bool
dma_args_have(const char *arg)
{
	return strstr(test.dev, arg) != NULL;
}

/* ---- Devices ---- */

int
dma_try_add(const char *name, const char *args)
{
	const char *dev = test.dev;
	char buf[256];

	/* Each key is given once: an access point that the test names is the one. */
	if (strncmp(args, "dev=", 4) == 0 && strncmp(dev, "dev=", 4) == 0) {
		dev += strcspn(dev, ",");
		dev += dev[0] == ',';
	}
	snprintf(buf, sizeof(buf), "%s%s%s", dev, dev[0] != '\0' && args[0] != '\0' ? "," : "",
		args);
	return rte_vdev_init(name, buf);
}

int16_t
dma_add(const char *name, const char *args)
{
	int id;

	assert_int_equal(dma_try_add(name, args), 0);
	id = rte_dma_get_dev_id_by_name(name);
	assert_true(id >= 0);
	return (int16_t)id;
}

void
dma_remove(const char *name)
{
	assert_int_equal(rte_vdev_uninit(name), 0);
}

void
dma_start(int16_t dev, uint16_t vchans, uint16_t nb_desc)
{
	const struct rte_dma_conf conf = { .nb_vchans = vchans };
	const struct rte_dma_vchan_conf vconf = {
		.direction = RTE_DMA_DIR_MEM_TO_MEM, .nb_desc = nb_desc,
	};

	assert_int_equal(rte_dma_configure(dev, &conf), 0);
	for (uint16_t i = 0; i < vchans; i++)
		assert_int_equal(rte_dma_vchan_setup(dev, i, &vconf), 0);
	assert_int_equal(rte_dma_start(dev), 0);
}

int16_t
dma_make(const char *args, uint16_t nb_desc)
{
	int16_t dev = dma_add(DMA_NAME, args);

	dma_start(dev, 1, nb_desc);
	return dev;
}

void
dma_end(int16_t dev)
{
	assert_int_equal(rte_dma_stop(dev), 0);
	dma_remove(DMA_NAME);
}

struct hisi_udma_vchan *
dma_vchan(int16_t dev, uint16_t vchan)
{
	struct hisi_udma_dev *d = rte_dma_fp_objs[dev].dev_private;

	return &d->vchans[vchan];
}

/* ---- Memory and ops ---- */

uint8_t
dma_byte(unsigned int seed, size_t at)
{
	return (uint8_t)(seed * 131 + at * 7 + (at >> 8));
}

uint8_t *
dma_mem(size_t len, unsigned int seed)
{
	uint8_t *mem = rte_malloc("dma_test", len, 0);

	assert_non_null(mem);
	for (size_t i = 0; i < len; i++)
		mem[i] = dma_byte(seed, i);
	return mem;
}

int
dma_copy(int16_t dev, uint16_t vchan, const void *src, void *dst, uint32_t len, uint64_t flags)
{
	return rte_dma_copy(dev, vchan, (uintptr_t)src, (uintptr_t)dst, len, flags);
}

void
dma_copy_id(int16_t dev, uint16_t vchan, const void *src, void *dst, uint32_t len, uint64_t flags,
		uint16_t id)
{
	assert_int_equal(dma_copy(dev, vchan, src, dst, len, flags), id);
}

static uint64_t
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec;
}

void
dma_wait(int16_t dev, uint16_t vchan, uint16_t n, uint16_t last)
{
	uint16_t idx = 0, left = n;
	uint64_t end = now_s() + WAIT_S;
	bool error = false;

	while (left > 0) {
		uint16_t got = rte_dma_completed(dev, vchan, left, &idx, &error);

		assert_false(error);
		assert_true(got <= left);
		left -= got;
		assert_int_equal(idx, (uint16_t)(last - left));
		if (got == 0) {
			assert_true(now_s() < end);
			sched_yield();
		}
	}
}

void
dma_wait_status(int16_t dev, uint16_t vchan, uint16_t n, uint16_t last,
		enum rte_dma_status_code *status)
{
	uint64_t end = now_s() + WAIT_S;
	uint16_t idx = 0, done = 0;

	while (done < n) {
		uint16_t got = rte_dma_completed_status(dev, vchan, n - done, &idx, status + done);

		assert_true(got <= n - done);
		done += got;
		assert_int_equal(idx, (uint16_t)(last - (n - done)));
		if (got == 0) {
			assert_true(now_s() < end);
			sched_yield();
		}
	}
}

void
dma_idle(int16_t dev, uint16_t vchan)
{
	enum rte_dma_vchan_status st = RTE_DMA_VCHAN_ACTIVE;
	uint64_t end = now_s() + WAIT_S;

	while (st == RTE_DMA_VCHAN_ACTIVE) {
		assert_int_equal(rte_dma_vchan_status(dev, vchan, &st), 0);
		assert_true(now_s() < end);
		sched_yield();
	}
}

/* ---- Log ---- */

void
dma_log_begin(void)
{
	free(test.lines);
	test.lines = NULL;
	test.log = open_memstream(&test.lines, &test.lines_len);
	assert_non_null(test.log);
	rte_openlog_stream(test.log);
}

void
dma_log_end(const char *part)
{
	rte_openlog_stream(NULL);
	fclose(test.log);
	if (strstr(test.lines, part) == NULL)
		fail_msg("no \"%s\" in:\n%s", part, test.lines);
}

/* ---- Cases ---- */

static void
heap_get(size_t *bytes, unsigned int *blocks)
{
	*bytes = 0;
	*blocks = 0;
	for (unsigned int i = 0; i < rte_socket_count(); i++) {
		struct rte_malloc_socket_stats stats;

		if (rte_malloc_get_socket_stats(rte_socket_id_by_idx(i), &stats) != 0)
			continue;
		*bytes += stats.heap_allocsz_bytes;
		*blocks += stats.alloc_count;
	}
}

int
dma_test_before(void **state)
{
	(void)state;
	test.held = holdings_get();
	heap_get(&test.heap, &test.heap_blocks);
	return 0;
}

int
dma_test_after(void **state)
{
	unsigned int blocks;
	size_t bytes;

	(void)state;
	heap_get(&bytes, &blocks);
	assert_int_equal(blocks, test.heap_blocks);
	assert_int_equal(bytes, test.heap);
	holdings_same(&test.held);
	return 0;
}

int
dma_test_main(int argc, char **argv, const char *name, const struct CMUnitTest *tests, size_t n)
{
	char prefix[64], lcores[64];
	long last_cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	const char *const options[] = { argv[0], "--no-huge", "-m", "256", "--no-pci",
		dma_telemetry ? "--telemetry" : "--no-telemetry", "--file-prefix", prefix,
		"--lcores", lcores, "--log-level=*:warning" };
	char *args[RTE_DIM(options)];
	const char *spimdevd = NULL, *sandbox = NULL;
	int failed;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--dev") == 0)
			test.dev = argv[i + 1];
		else if (strcmp(argv[i], "--count") == 0)
			test.count = argv[i + 1];
		else if (strcmp(argv[i], "--seconds") == 0)
			test.seconds = argv[i + 1];
		else if (strcmp(argv[i], "--spimdevd") == 0)
			spimdevd = argv[i + 1];
		else if (strcmp(argv[i], "--sandbox") == 0)
			sandbox = argv[i + 1];
		else if (strcmp(argv[i], "--case") == 0)
			cmocka_set_test_filter(argv[i + 1]);
		else
			return 2;
	}
	snprintf(prefix, sizeof(prefix), "%s_%d", name, (int)getpid());
	snprintf(lcores, sizeof(lcores), "(0-%u)@(0-%ld)", dma_lcores - 1, last_cpu);
	memcpy(args, options, sizeof(args));
	if (rte_eal_init(RTE_DIM(args), args) < 0)
		return 2;
	/* dmadev has its arrays from the first device on, for good. */
	assert_int_equal(rte_vdev_init(DMA_NAME, ""), 0);
	assert_int_equal(rte_vdev_uninit(DMA_NAME), 0);
	pmd_service_use(spimdevd, sandbox);
	if (spimdevd != NULL) {
		pmd_service_start(NULL);
		test.dev = pmd_service_dev();
	}
	failed = _cmocka_run_group_tests(name, tests, n, NULL, NULL);
	if (spimdevd != NULL)
		pmd_service_end(SIGTERM);
	pmd_service_cleanup();
	free(test.lines);
	rte_eal_cleanup();
	pmd_runtime_remove();
	return failed != 0 || access(rte_eal_get_runtime_dir(), F_OK) == 0;
}
