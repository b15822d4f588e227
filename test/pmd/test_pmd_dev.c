/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * A device as it is made: what it says that it can do, for each feature of a function, what it
 * opens the function with, what it gives back when that fails, and what compressdev asks of it.
 * Neither EAL nor a function is there: the linker has their calls come here.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_memzone.h>

#include "hisi_ap.h"
#include "hisi_extmem.h"
#include "hisi_mem.h"
#include "hisi_telemetry.h"
#include "hisi_zip_compat.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_log.h"
#include "hisi_zip_qp.h"
#include "pmd_log.h"

/* ---- The function, and other parts of the driver ------------------------------------------- */

static struct hisi_zip_dev dev;
static struct spim_info info;
static struct spim_conf conf; /* that it was opened with */
static int open_result;
static struct hisi_qm_io *bus_io; /* of a function that a bus has mapped */
static bool is_made;                 /* dev is one */

__typeof__(spim_open) __wrap_spim_open;
__typeof__(spim_open_io) __wrap_spim_open_io;
__typeof__(spim_close) __wrap_spim_close;
__typeof__(spim_info_get) __wrap_spim_info_get;
__typeof__(spim_opened) __wrap_spim_opened;
__typeof__(hisi_mem_unwatch) __wrap_hisi_mem_unwatch;
__typeof__(hisi_extmem_fini) __wrap_hisi_extmem_fini;
__typeof__(hisi_telemetry_add) __wrap_hisi_telemetry_add;
__typeof__(hisi_telemetry_remove) __wrap_hisi_telemetry_remove;

static int
opened(const struct spim_conf *with, struct spim_dev **spim)
{
	conf = *with;
	if (open_result == 0)
		*spim = (struct spim_dev *)&info;
	return open_result;
}

int
__wrap_spim_open(const char *name, const struct spim_conf *with, struct spim_dev **spim)
{
	assert_string_equal(name, dev.hisi.args.dev);
	did("open");
	return opened(with, spim);
}

int
__wrap_spim_open_io(struct hisi_qm_io *io, int va, const struct spim_conf *with,
		struct spim_dev **spim)
{
	assert_ptr_equal(io, bus_io);
	assert_int_equal(va, 0);
	did("open_io");
	return opened(with, spim);
}

void
__wrap_spim_close(struct spim_dev *spim)
{
	assert_ptr_equal(spim, &info);
	did("close");
}

uint32_t
__wrap_spim_opened(struct spim_dev *spim)
{
	assert_ptr_equal(spim, &info);
	return 0;
}

void
__wrap_spim_info_get(const struct spim_dev *spim, struct spim_info *out)
{
	assert_ptr_equal(spim, &info);
	*out = info;
}

void
__wrap_hisi_mem_unwatch(struct hisi_ap *ap)
{
	assert_string_equal(ap->name, "zip");
	did("unwatch");
}

void
__wrap_hisi_extmem_fini(struct hisi_ap *ap)
{
	assert_string_equal(ap->name, "zip");
	did("extmem_fini");
}

void
__wrap_hisi_telemetry_add(struct hisi_dev *d)
{
	assert_ptr_equal(d, &dev.hisi);
	did("telemetry");
}

void
__wrap_hisi_telemetry_remove(struct hisi_dev *d)
{
	assert_ptr_equal(d, &dev.hisi);
	did("no_telemetry");
}

/* ---- EAL's memory -------------------------------------------------------------------------- */

static enum rte_iova_mode iova_mode;
static struct rte_memzone zone;
static char piece[256] __rte_aligned(256);
static bool no_memory;
static char zone_name[2][RTE_MEMZONE_NAMESIZE];
static size_t asked_align;

__typeof__(rte_eal_iova_mode) __wrap_rte_eal_iova_mode;
__typeof__(rte_zmalloc_socket) __wrap_rte_zmalloc_socket;
__typeof__(rte_free) __wrap_rte_free;
__typeof__(rte_memzone_reserve_aligned) __wrap_rte_memzone_reserve_aligned;
__typeof__(rte_memzone_free) __wrap_rte_memzone_free;

enum rte_iova_mode
__wrap_rte_eal_iova_mode(void)
{
	return iova_mode;
}

void *
__wrap_rte_zmalloc_socket(const char *type, size_t size, unsigned int align, int socket)
{
	assert_string_equal(type, "hisi_zip");
	assert_int_equal(size, 200);
	assert_int_equal(socket, 3);
	asked_align = align;
	did("zmalloc");
	return no_memory ? NULL : piece;
}

void
__wrap_rte_free(void *p)
{
	assert_ptr_equal(p, piece);
	did("free");
}

const struct rte_memzone *
__wrap_rte_memzone_reserve_aligned(const char *name, size_t len, int socket, unsigned int flags,
		unsigned int align)
{
	assert_int_equal(len, 200);
	assert_int_equal(socket, 3);
	assert_int_equal(flags, RTE_MEMZONE_IOVA_CONTIG);
	asked_align = align;
	memcpy(zone_name[0], zone_name[1], sizeof(zone_name[0]));
	snprintf(zone_name[1], sizeof(zone_name[1]), "%s", name);
	did("reserve");
	memset(piece, 0xa5, sizeof(piece));
	zone = (struct rte_memzone){ .addr = piece, .iova = 0x77000 };
	return no_memory ? NULL : &zone;
}

int
__wrap_rte_memzone_free(const struct rte_memzone *mz)
{
	assert_ptr_equal(mz, &zone);
	did("zone_free");
	return 0;
}

/* ---- Helpers ------------------------------------------------------------------------------- */

/* The one that was made before goes. */
static void
drop(void)
{
	if (is_made)
		hisi_zip_dev_fini(&dev);
	is_made = false;
	forget_did();
}

static int
setup(void **state)
{
	(void)state;
	drop();
	memset(&dev, 0, sizeof(dev));
	dev.hisi.driver = &hisi_zip_driver;
	strcpy(dev.hisi.name, "zip");
	strcpy(dev.hisi.args.dev, "local");
	dev.sw = true;
	dev.untold = 1; /* the function is none that could answer */
	info = (struct spim_info){ .revision = HISI_QM_REV_V3, .queues = 7 };
	open_result = 0;
	no_memory = false;
	iova_mode = RTE_IOVA_VA;
	forget_did();
	return 0;
}

/* As each bus does. */
static int
make(struct hisi_qm_io *io)
{
	struct hisi_ap *ap;
	int ret;

	if (io == NULL)
		return hisi_zip_dev_init(&dev, NULL);
	bus_io = io;
	ret = hisi_ap_open(&hisi_zip_driver, dev.hisi.name, &dev.hisi.args, io, &ap);
	if (ret != 0)
		return ret;
	ret = hisi_zip_dev_init(&dev, ap);
	hisi_ap_put(ap);
	return ret;
}

/* Make it; the log then says this, or what was made. */
static void
init(struct hisi_qm_io *io, int expected, const char *line)
{
	char want[512], made[200];
	int ret;

	drop();
	pmd_log_begin();
	ret = make(io);
	pmd_log_end();
	is_made = ret == 0;
	snprintf(made, sizeof(made), "zip: dev=%s revision 0x%x, %u queues, features 0x%x",
		dev.hisi.args.dev, info.revision, info.queues, info.ext_features);
	snprintf(want, sizeof(want), "HISI_ZIP: %s\n", line != NULL ? line : made);
	assert_int_equal(ret, expected);
	assert_string_equal(pmd_log, want);
}

static void
fini(void)
{
	hisi_zip_dev_fini(&dev);
	is_made = false;
	check_did("no_telemetry, unwatch, close, extmem_fini");
}

/* ---- Tests --------------------------------------------------------------------------------- */

static void
test_opens(void **state)
{
	struct hisi_qm_io io;

	(void)state;
	strcpy(dev.hisi.args.fault, "stall@1");
	dev.hisi.args.local.workers = 5;
	init(NULL, 0, NULL);
	check_did("open, telemetry");
	assert_ptr_equal(dev.hisi.ap->spim, &info);
	assert_ptr_equal(conf.owner, dev.hisi.ap->name);
	assert_string_equal(conf.owner, "zip");
	assert_int_equal(conf.device, 0xa251);
	assert_ptr_equal(conf.mem, &dev.hisi.ap->mem);
	assert_ptr_equal(conf.mem->priv, dev.hisi.ap);
	assert_non_null(conf.log.line);
	assert_ptr_equal(conf.mem_register, hisi_mem_register);
	assert_ptr_equal(conf.mem_register_priv, dev.hisi.ap);
	assert_int_equal(conf.local.workers, 5);
	assert_string_equal(conf.local.fault, "stall@1");
	assert_non_null(conf.local.spawn);
	assert_int_equal(dev.hisi.info.queues, 7);
	assert_int_equal(dev.addr_off, offsetof(struct rte_mbuf, buf_addr));
	assert_int_equal(dev.feature_flags, 0);
	assert_true(TAILQ_EMPTY(&dev.qps));
	assert_int_equal(pthread_mutex_trylock(&dev.hisi.ap->extmem_lock), 0);
	pthread_mutex_unlock(&dev.hisi.ap->extmem_lock);
	fini();
	info.polled = 1;
	init(NULL, 0, NULL);
	assert_int_equal(dev.feature_flags, RTE_COMPDEV_FF_OP_DONE_IN_DEQUEUE);
	check_did("open, telemetry");
	init(&io, 0, NULL);
	assert_int_equal(dev.feature_flags, RTE_COMPDEV_FF_OP_DONE_IN_DEQUEUE |
		RTE_COMPDEV_FF_HW_ACCELERATED);
	info.polled = 0;
	forget_did();
	init(&io, 0, NULL);
	assert_int_equal(dev.feature_flags, RTE_COMPDEV_FF_HW_ACCELERATED);
	assert_int_equal(dev.addr_off, HISI_ZIP_MBUF_IOVA);
	check_did("open_io, telemetry");
	fini();
}

static void
test_cannot_open(void **state)
{
	struct hisi_qm_io io;

	(void)state;
	open_result = -EPROTO;
	init(NULL, -EPROTO, "zip: dev=local could not be opened (-71)");
	check_did("open, unwatch, extmem_fini");
	strcpy(dev.hisi.args.dev, "pci");
	init(&io, -EPROTO, "zip: dev=pci could not be opened (-71)");
	check_did("open_io, unwatch, extmem_fini");
}

/* The lines of the function go to the log of the device: errors where nothing else does. */
static void
test_log(void **state)
{
	int level = rte_log_get_level(hisi_zip_logtype);

	(void)state;
	init(NULL, 0, NULL);
	pmd_log_begin();
	conf.log.line(BASE_LOG_INFO, "all is well", conf.log.priv);
	rte_log_set_level(hisi_zip_logtype, RTE_LOG_ERR);
	conf.log.line(BASE_LOG_INFO, "it is quiet", conf.log.priv);
	conf.log.line(BASE_LOG_ERR, "it is broken", conf.log.priv);
	rte_log_set_level(hisi_zip_logtype, (uint32_t)level);
	pmd_log_end();
	assert_string_equal(pmd_log, "HISI_ZIP: all is well\nHISI_ZIP: it is broken\n");
}

#define SGL (RTE_COMP_FF_OOP_SGL_IN_SGL_OUT | RTE_COMP_FF_OOP_SGL_IN_LB_OUT | \
	RTE_COMP_FF_OOP_LB_IN_SGL_OUT | RTE_COMP_FF_SHAREABLE_PRIV_XFORM)
#define CHECKSUMS (RTE_COMP_FF_CRC32_CHECKSUM | RTE_COMP_FF_ADLER32_CHECKSUM | \
	RTE_COMP_FF_CRC32_ADLER32_CHECKSUM)
#define STREAMS (RTE_COMP_FF_STATEFUL_COMPRESSION | RTE_COMP_FF_STATEFUL_DECOMPRESSION)
#define RAW (SGL | RTE_COMP_FF_HUFFMAN_DYNAMIC)

/* Of an algorithm: its flags, or 0 if there is no such capability; and the smallest window. */
static void
check_cap(enum rte_comp_algorithm algo, uint64_t flags, unsigned int window)
{
	const struct rte_compressdev_capabilities *c = dev.caps;
	unsigned int max = algo == RTE_COMP_ALGO_DEFLATE ? 15 : 16;

	while (c->algo != RTE_COMP_ALGO_UNSPECIFIED && c->algo != algo)
		c++;
	assert_int_equal(c->algo, flags != 0 ? algo : RTE_COMP_ALGO_UNSPECIFIED);
	if (flags == 0)
		return;
	assert_int_equal(c->comp_feature_flags, flags);
	assert_int_equal(c->window_size.min, window);
	assert_int_equal(c->window_size.max, window != 0 ? max : 0);
	assert_int_equal(c->window_size.increment, window != 0);
}

/* The same of LZ4, which older releases of DPDK do not know. */
static void
check_lz4(bool there)
{
	check_cap((enum rte_comp_algorithm)HISI_ZIP_ALGO_LZ4, HISI_ZIP_HAVE_LZ4 && there ?
		SGL | RTE_COMP_FF_NONCOMPRESSED_BLOCKS | HISI_ZIP_FF_LZ4 : 0, 8);
}

/* Without software, each feature of the function gives what it stands for, and nothing else. */
static void
test_features(void **state)
{
	static const struct {
		uint32_t feature;
		uint64_t deflate, copy;
		unsigned int window;
	} rows[] = {
		{ 0, RAW | STREAMS | CHECKSUMS, 0, 12 },
		{ HISI_ZIP_EXT_F_LEVEL, RAW | RTE_COMP_FF_NONCOMPRESSED_BLOCKS, 0, 12 },
		{ HISI_ZIP_EXT_F_HUFFMAN, RAW | RTE_COMP_FF_HUFFMAN_FIXED, 0, 12 },
		{ HISI_ZIP_EXT_F_WINDOW, RAW, 0, 8 },
		{ HISI_ZIP_EXT_F_CHECKSUM, RAW | CHECKSUMS, 0, 12 },
		{ HISI_ZIP_EXT_F_FLUSH, RAW | STREAMS, 0, 12 },
		{ HISI_ZIP_EXT_F_PARTIAL, RAW, 0, 12 },
		{ HISI_ZIP_EXT_F_COPY, RAW, SGL, 12 },
		{ HISI_ZIP_EXT_F_COPY | HISI_ZIP_EXT_F_CHECKSUM, RAW | CHECKSUMS, SGL | CHECKSUMS,
			12 },
		{ HISI_ZIP_EXT_F_LZ4, RAW, 0, 12 },
		{ HISI_ZIP_EXT_F_RELEASE | HISI_ZIP_EXT_F_DICT, RAW, 0, 12 },
	};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		memset(&dev.caps, 0, sizeof(dev.caps));
		dev.sw = false;
		info.ext_features = rows[i].feature;
		init(NULL, 0, NULL);
		check_cap(RTE_COMP_ALGO_DEFLATE, rows[i].deflate, rows[i].window);
		check_cap(RTE_COMP_ALGO_NULL, rows[i].copy, 0);
		check_lz4(rows[i].feature == HISI_ZIP_EXT_F_LZ4);
		forget_did();
	}
}

static void
test_software(void **state)
{
	const uint64_t all = RAW | STREAMS | CHECKSUMS | RTE_COMP_FF_HUFFMAN_FIXED |
		RTE_COMP_FF_NONCOMPRESSED_BLOCKS;

	(void)state;
	/* Whatever the function is, software does the rest. */
	for (int v3 = 0; v3 < 2; v3++) {
		memset(&dev.caps, 0, sizeof(dev.caps));
		info.revision = v3 ? HISI_QM_REV_V3 : HISI_QM_REV_V2;
		init(NULL, 0, NULL);
		check_cap(RTE_COMP_ALGO_DEFLATE, all, 8);
		check_cap(RTE_COMP_ALGO_NULL, SGL | CHECKSUMS, 0);
		check_lz4(true);
		check_did("open, telemetry");
	}
	/* V2 has no raw DEFLATE of its own, but zlib's and gzip's requests, and no windows. */
	memset(&dev.caps, 0, sizeof(dev.caps));
	dev.sw = false;
	info.revision = HISI_QM_REV_V3 - 1;
	info.ext_features = HISI_ZIP_EXT_F_COPY;
	init(NULL, 0, NULL);
	check_cap(RTE_COMP_ALGO_DEFLATE, RAW | STREAMS | CHECKSUMS, 15);
	check_cap(RTE_COMP_ALGO_NULL, SGL, 0);
	check_lz4(false);
	check_did("open, telemetry");
}

/* Heap memory where addresses are pointers. */
static void
check_heap(void)
{
	struct hisi_qm_mem mem;

	assert_int_equal(hisi_dev_alloc(&dev.hisi, 200, 32, 3, &mem), 0);
	assert_int_equal(asked_align, RTE_CACHE_LINE_SIZE);
	assert_ptr_equal(mem.va, piece);
	assert_int_equal(mem.iova, (uintptr_t)piece);
	assert_int_equal(mem.len, 200);
	hisi_dev_free(&dev.hisi, &mem);
	assert_null(mem.va);
	check_did("zmalloc, free");
	assert_int_equal(hisi_dev_alloc(&dev.hisi, 200, 4096, 3, &mem), 0);
	assert_int_equal(asked_align, 4096);
	no_memory = true;
	assert_int_equal(hisi_dev_alloc(&dev.hisi, 200, 4096, 3, &mem), -ENOMEM);
	no_memory = false;
	check_did("zmalloc, zmalloc");
}

static void
check_zone(void)
{
	static const char zeros[200];
	struct hisi_qm_mem mem;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(hisi_dev_alloc(&dev.hisi, 200, 32, 3, &mem), 0);
		assert_int_equal(asked_align, RTE_CACHE_LINE_SIZE);
		assert_ptr_equal(mem.va, piece);
		assert_int_equal(mem.iova, 0x77000);
		assert_int_equal(mem.len, 200);
		assert_memory_equal(piece, zeros, sizeof(zeros));
		/* No more than what was asked for is written. */
		assert_int_equal((uint8_t)piece[200], 0xa5);
		hisi_dev_free(&dev.hisi, &mem);
		assert_null(mem.va);
		check_did("reserve, zone_free");
	}
	assert_string_not_equal(zone_name[0], zone_name[1]);
	no_memory = true;
	assert_int_equal(hisi_dev_alloc(&dev.hisi, 200, 4096, 3, &mem), -ENOMEM);
	assert_int_equal(asked_align, 4096);
	check_did("reserve");
	no_memory = false;
}

static void
test_memory(void **state)
{
	struct hisi_qm_io io;

	(void)state;
	for (int pa = 0; pa < 2; pa++) {
		iova_mode = pa ? RTE_IOVA_PA : RTE_IOVA_VA;
		init(NULL, 0, NULL);
		check_did("open, telemetry");
		check_heap();
		init(&io, 0, NULL);
		check_did("open_io, telemetry");
		if (pa)
			check_zone();
		else
			check_heap();
	}
}

static struct rte_compressdev_data data;
static struct rte_compressdev cdev = { .data = &data };

static void
test_info(void **state)
{
	static const uint16_t pairs[][2] = {
		{ 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 2 }, { 1024, 512 },
	};
	struct rte_driver driver = { .name = "the driver" };
	struct rte_device device = { .driver = &driver };

	(void)state;
	data.dev_private = &dev;
	cdev.device = &device;
	cdev.feature_flags = 0x1234;
	for (size_t i = 0; i < RTE_DIM(pairs); i++) {
		struct rte_compressdev_info told = { 0 };

		dev.hisi.info.queues = pairs[i][0];
		hisi_zip_ops.dev_infos_get(&cdev, &told);
		assert_ptr_equal(told.driver_name, driver.name);
		assert_int_equal(told.feature_flags, 0x1234);
		assert_ptr_equal(told.capabilities, dev.caps);
		assert_int_equal(told.max_nb_queue_pairs, pairs[i][1]);
	}
}

/* The sums over all queue pairs that there are. */
static void
test_stats(void **state)
{
	static const struct hisi_zip_qp none;
	static struct hisi_zip_qp qp[2];
	void *pairs[] = { &qp[0], NULL, &qp[1] };
	struct rte_compressdev_stats stats = { 0 };

	(void)state;
	data.queue_pairs = pairs;
	data.nb_queue_pairs = RTE_DIM(pairs);
	qp[0].enq.ops = 1;
	qp[1].enq.ops = 20;
	qp[0].deq.ops = 300;
	qp[1].deq.ops = 4000;
	qp[0].deq.errors = 50000;
	qp[1].deq.errors = 600000;
	hisi_zip_ops.stats_get(&cdev, &stats);
	assert_int_equal(stats.enqueued_count, 21);
	assert_int_equal(stats.dequeued_count, 4300);
	assert_int_equal(stats.dequeue_err_count, 650000);
	assert_int_equal(stats.enqueue_err_count, 0);
	/* Those that are not there any more do not count. */
	data.nb_queue_pairs = 2;
	memset(&stats, 0, sizeof(stats));
	hisi_zip_ops.stats_get(&cdev, &stats);
	assert_int_equal(stats.dequeued_count, 300);
	for (int i = 0; i < 2; i++) {
		memset(&qp[i].enq, 0xff, sizeof(qp[i].enq));
		memset(&qp[i].deq, 0xff, sizeof(qp[i].deq));
	}
	hisi_zip_ops.stats_reset(&cdev);
	assert_memory_equal(&qp[0].enq, &none.enq, sizeof(none.enq));
	assert_memory_equal(&qp[0].deq, &none.deq, sizeof(none.deq));
	assert_int_equal(qp[1].enq.ops, UINT64_MAX);
	data.nb_queue_pairs = RTE_DIM(pairs);
	hisi_zip_ops.stats_reset(&cdev);
	assert_memory_equal(&qp[1].enq, &none.enq, sizeof(none.enq));
	assert_memory_equal(&qp[1].deq, &none.deq, sizeof(none.deq));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_opens, setup),
		cmocka_unit_test_setup(test_cannot_open, setup),
		cmocka_unit_test_setup(test_log, setup),
		cmocka_unit_test_setup(test_features, setup),
		cmocka_unit_test_setup(test_software, setup),
		cmocka_unit_test_setup(test_memory, setup),
		cmocka_unit_test_setup(test_info, setup),
		cmocka_unit_test_setup(test_stats, setup),
	};

	return cmocka_run_group_tests_name("pmd_dev", tests, NULL, setup);
}
