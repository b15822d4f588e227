/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* Devices and channels: what they say of themselves, what they take, how they begin and end. */

#include "dma_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <dev_driver.h>
#include <rte_bus_vdev.h>
#include <rte_compressdev.h>
#include <rte_dmadev_pmd.h>
#include <rte_eal.h>
#include <rte_malloc.h>

#include "hisi_ap.h"
#include "hisi_udma_dev.h"

#define LEN 512u
#define ZIP_NAME "compress_hisi_zip_test"

__typeof__(rte_eal_iova_mode) __real_rte_eal_iova_mode, __wrap_rte_eal_iova_mode;
static bool physical;

enum rte_iova_mode
__wrap_rte_eal_iova_mode(void)
{
	return physical ? RTE_IOVA_PA : __real_rte_eal_iova_mode();
}

static void
test_info(void **state)
{
	int16_t dev = dma_add(DMA_NAME, "");
	struct rte_dma_info info;

	(void)state;
	assert_int_equal(rte_dma_info_get(dev, &info), 0);
	/* A service sees EAL's memory, and not what malloc() gives. */
	assert_int_equal(info.dev_capa, RTE_DMA_CAPA_MEM_TO_MEM | RTE_DMA_CAPA_HANDLES_ERRORS |
		RTE_DMA_CAPA_OPS_COPY | RTE_DMA_CAPA_OPS_FILL |
		(dma_on_service() ? 0 : RTE_DMA_CAPA_SVA));
	assert_string_equal(info.dev_name, DMA_NAME);
	assert_int_equal(info.min_desc, 16);
	assert_int_equal(info.max_desc, 1024);
	assert_in_range(info.max_vchans, 1, 1024);
	assert_int_equal(info.nb_vchans, 0);
	dma_remove(DMA_NAME);
}

static void
test_limits(void **state)
{
	int16_t dev = dma_add(DMA_NAME, "");
	struct rte_dma_conf conf = { .nb_vchans = 2 };
	struct rte_dma_vchan_conf vconf = { .direction = RTE_DMA_DIR_MEM_TO_MEM, .nb_desc = 16 };
	struct rte_dma_info info;

	(void)state;
	assert_int_equal(rte_dma_start(dev), -EINVAL);
	assert_int_equal(rte_dma_info_get(dev, &info), 0);
	conf.nb_vchans = info.max_vchans + 1;
	assert_int_equal(rte_dma_configure(dev, &conf), -EINVAL);
	conf.nb_vchans = 2;
	conf.enable_silent = true;
	assert_int_equal(rte_dma_configure(dev, &conf), -EINVAL);
	conf.enable_silent = false;
	assert_int_equal(rte_dma_configure(dev, &conf), 0);
	vconf.nb_desc = 15;
	assert_int_equal(rte_dma_vchan_setup(dev, 0, &vconf), -EINVAL);
	vconf.nb_desc = 1025;
	assert_int_equal(rte_dma_vchan_setup(dev, 0, &vconf), -EINVAL);
	vconf.nb_desc = 1024;
	assert_int_equal(rte_dma_vchan_setup(dev, 2, &vconf), -EINVAL);
	vconf.direction = RTE_DMA_DIR_MEM_TO_DEV;
	vconf.dst_port.port_type = RTE_DMA_PORT_PCIE;
	assert_int_equal(rte_dma_vchan_setup(dev, 0, &vconf), -EINVAL);
	vconf = (struct rte_dma_vchan_conf){ .direction = RTE_DMA_DIR_MEM_TO_MEM, .nb_desc = 64 };
	assert_int_equal(rte_dma_vchan_setup(dev, 0, &vconf), 0);
	/* Not both are set up. */
	dma_log_begin();
	assert_int_equal(rte_dma_start(dev), -EINVAL);
	dma_log_end(DMA_NAME ": channel 1 is not set up, expected all 2 to be");
	/* The driver checks, too: older libraries do not. */
	dma_log_begin();
	assert_int_equal(hisi_udma_vchan_setup(dma_vchan(dev, 0), 15), -EINVAL);
	dma_log_end(DMA_NAME ": channel 0: 15 descriptors, expected 16 to 1024");
	assert_int_equal(hisi_udma_vchan_setup(dma_vchan(dev, 0), 1025), -EINVAL);
	assert_int_equal(rte_dma_vchan_setup(dev, 1, &vconf), 0);
	assert_int_equal(rte_dma_start(dev), 0);
	assert_int_equal(rte_dma_configure(dev, &conf), -EBUSY);
	assert_int_equal(rte_dma_vchan_setup(dev, 1, &vconf), -EBUSY);
	dma_end(dev);
}

static void
test_channels(void **state)
{
	uint8_t *src = dma_mem(LEN, 1), *dst[3];
	int16_t dev = dma_add(DMA_NAME, "");
	struct rte_dma_stats stats;

	(void)state;
	dma_start(dev, 3, 32);
	/* A queue is taken at the first op. */
	for (uint16_t v = 0; v < 3; v++) {
		assert_int_equal(dma_vchan(dev, v)->hwq.qn, -1);
		dst[v] = dma_mem(LEN, 2);
	}
	for (uint16_t v = 0; v < 3; v += 2) {
		for (uint16_t i = 0; i <= v; i++)
			dma_copy_id(dev, v, src, dst[v], LEN, RTE_DMA_OP_FLAG_SUBMIT, i);
	}
	dma_wait(dev, 2, 3, 2);
	dma_wait(dev, 0, 1, 0);
	assert_memory_equal(dst[0], src, LEN);
	assert_memory_equal(dst[2], src, LEN);
	assert_true(dma_vchan(dev, 0)->hwq.qn >= 0);
	assert_int_equal(dma_vchan(dev, 1)->hwq.qn, -1);
	assert_int_equal(rte_dma_stats_get(dev, 2, &stats), 0);
	assert_int_equal(stats.submitted, 3);
	assert_int_equal(rte_dma_stats_get(dev, RTE_DMA_ALL_VCHAN, &stats), 0);
	assert_int_equal(stats.submitted, 4);
	assert_int_equal(stats.completed, 4);
	assert_int_equal(rte_dma_stats_reset(dev, 2), 0);
	assert_int_equal(rte_dma_stats_get(dev, RTE_DMA_ALL_VCHAN, &stats), 0);
	assert_int_equal(stats.submitted, 1);
	assert_int_equal(rte_dma_stats_reset(dev, RTE_DMA_ALL_VCHAN), 0);
	assert_int_equal(rte_dma_stats_get(dev, 0, &stats), 0);
	assert_int_equal(stats.submitted + stats.completed + stats.errors, 0);
	rte_free(src);
	for (uint16_t v = 0; v < 3; v++)
		rte_free(dst[v]);
	dma_end(dev);
}

static void
test_status(void **state)
{
	uint8_t *src = dma_mem(LEN, 1), *dst = dma_mem(LEN, 2);
	int16_t dev = dma_make("", 64);
	enum rte_dma_vchan_status st;

	(void)state;
	assert_int_equal(rte_dma_vchan_status(dev, 0, &st), 0);
	assert_int_equal(st, RTE_DMA_VCHAN_IDLE);
	dma_copy_id(dev, 0, src, dst, LEN, 0, 0);
	assert_int_equal(rte_dma_vchan_status(dev, 0, &st), 0);
	assert_int_equal(st, RTE_DMA_VCHAN_IDLE);
	assert_int_equal(rte_dma_submit(dev, 0), 0);
	/* Idle means that the data is there, though nobody asked for completions. */
	dma_idle(dev, 0);
	assert_memory_equal(dst, src, LEN);
	dma_wait(dev, 0, 1, 0);
	rte_free(src);
	rte_free(dst);
	dma_end(dev);
}

/* What was in flight is done and forgotten; then all begins anew. */
static void
test_stop(void **state)
{
	uint8_t *src = dma_mem(64 * LEN, 1), *dst = dma_mem(64 * LEN, 2);
	int16_t dev = dma_add(DMA_NAME, "");

	(void)state;
	for (int round = 0; round < 3; round++) {
		uint16_t idx = 0;

		memset(dst, round, 64 * LEN);
		dma_start(dev, 1, 64);
		for (uint16_t i = 0; i < 60; i++)
			dma_copy_id(dev, 0, src + i * LEN, dst + i * LEN, LEN, 0, i);
		assert_int_equal(rte_dma_submit(dev, 0), 0);
		if (round == 1)
			dma_wait(dev, 0, 20, 19);
		/* Not submitted. */
		for (uint16_t i = 60; i < 64; i++)
			dma_copy_id(dev, 0, src + i * LEN, dst + i * LEN, LEN, 0, i);
		assert_int_equal(rte_dma_stop(dev), 0);
		assert_memory_equal(dst, src, 60 * LEN);
		assert_int_equal(dma_copy(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT), -EPERM);
		assert_int_equal(rte_dma_submit(dev, 0), 0);
		assert_int_equal(rte_dma_completed(dev, 0, 64, &idx, NULL), 0);
		assert_int_equal(dma_vchan(dev, 0)->hwq.qn, -1);
		assert_int_equal(dst[60 * LEN], (uint8_t)round);
	}
	rte_free(src);
	rte_free(dst);
	dma_remove(DMA_NAME);
}

static void
test_dump(void **state)
{
	uint8_t *src = dma_mem(LEN, 1), *dst = dma_mem(LEN, 2);
	int16_t dev = dma_make("", 64);
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	dma_copy_id(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT, 0);
	dma_wait(dev, 0, 1, 0);
	dma_copy_id(dev, 0, src, dst, LEN, 0, 1);
	assert_int_equal(rte_dma_dump(dev, f), 0);
	fclose(f);
	assert_non_null(strstr(text, "  channel 0: depth 128, limit 64, hardware queue 0\n"
		"    next op 2, submitted before 1, oldest 1\n"
		"    submitted 1, completed 1, full 0, rejected 0, without a queue 0\n"));
	free(text);
	rte_free(src);
	rte_free(dst);
	dma_end(dev);
}

/* Made, used, closed or not, and removed: nothing is left (dma_test_after()). */
static void
test_life(void **state)
{
	uint8_t *src = dma_mem(LEN, 1), *dst = dma_mem(LEN, 2);

	(void)state;
	for (int i = 0; i < 8; i++) {
		int16_t dev = dma_add(DMA_NAME, "");

		if (i > 0)
			dma_start(dev, 1, 64);
		if (i > 1)
			dma_copy_id(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT, 0);
		if (i > 2)
			dma_wait(dev, 0, 1, 0);
		/* The application may leave without stop, and without close. */
		if (i > 3)
			assert_int_equal(rte_dma_stop(dev), 0);
		if (i > 4)
			assert_int_equal(rte_dma_close(dev), 0);
		dma_remove(DMA_NAME);
		assert_int_equal(rte_dma_get_dev_id_by_name(DMA_NAME), -EINVAL);
	}
	/* As many channels as there may be, and fewer afterwards. */
	int16_t dev = dma_add(DMA_NAME, "");
	struct rte_dma_conf conf;
	struct rte_dma_info info;

	assert_int_equal(rte_dma_info_get(dev, &info), 0);
	conf = (struct rte_dma_conf){ .nb_vchans = info.max_vchans };
	assert_int_equal(rte_dma_configure(dev, &conf), 0);
	conf.nb_vchans = 1;
	assert_int_equal(rte_dma_configure(dev, &conf), 0);
	dma_start(dev, 2, 64);
	dma_copy_id(dev, 1, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT, 0);
	dma_wait(dev, 1, 1, 0);
	rte_free(src);
	rte_free(dst);
	dma_end(dev);
}

/* ---- Sharing a function ---- */

/* With a device of the other class, which may go first; and as on a bus, which hands it over. */
static void
test_shared(void **state)
{
	uint8_t *src = dma_mem(LEN, 1), *dst = dma_mem(LEN, 2);
	struct rte_driver driver = { .name = "dma_hisi_udma_pci" };
	struct rte_device device = { .driver = &driver, .numa_node = -1 };
	struct hisi_ap *ap;

	(void)state;
	for (int order = 0; order < 2; order++) {
		int16_t dev;

		assert_int_equal(dma_try_add(ZIP_NAME, ""), 0);
		ap = hisi_dev_ap_of(ZIP_NAME);
		assert_non_null(ap);
		dev = dma_make("dev=device:" ZIP_NAME, 64);
		assert_int_equal(ap->users, 2);
		if (order == 0)
			dma_remove(ZIP_NAME);
		dma_copy_id(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT, 0);
		dma_wait(dev, 0, 1, 0);
		dma_end(dev);
		if (order == 1)
			dma_remove(ZIP_NAME);
	}
	dma_log_begin();
	assert_int_equal(dma_try_add(DMA_NAME, "dev=device:" ZIP_NAME), -ENODEV);
	dma_log_end("no such device, expected the name of an open --vdev");

	assert_int_equal(dma_try_add(ZIP_NAME, ""), 0);
	ap = hisi_dev_ap_of(ZIP_NAME);
	dma_log_begin();
	assert_int_equal(hisi_udma_driver.probe("bus", &device, "timeout=x", ap), -EINVAL);
	dma_log_end("bus: timeout=x, expected 0 (none) or 10 to ");
	assert_int_equal(rte_dma_get_dev_id_by_name("bus"), -EINVAL);
	/* Keys of another class are none of ours. */
	assert_int_equal(hisi_udma_driver.probe("bus", &device, "sw=off,timeout=50", ap), 0);
	assert_int_equal(ap->users, 2);
	assert_true(rte_dma_get_dev_id_by_name("bus") >= 0);
	/* No name twice; nothing is left of the second one. */
	dma_log_begin();
	assert_int_equal(hisi_udma_driver.probe("bus", &device, NULL, ap), -ENOMEM);
	dma_log_end("bus: no dmadev could be created");
	assert_int_equal(ap->users, 2);
	assert_int_equal(hisi_udma_driver.remove("bus"), 0);
	assert_int_equal(hisi_udma_driver.remove("bus"), 0);
	assert_int_equal(ap->users, 1);
	dma_remove(ZIP_NAME);
	rte_free(src);
	rte_free(dst);
}

/* All queues are taken: an error that does not last. */
static void
test_busy(void **state)
{
	uint8_t *src = dma_mem(LEN, 1), *dst = dma_mem(LEN, 2);
	struct rte_dma_info info;
	int16_t all, dev;
	int id;

	(void)state;
	all = dma_add("dma_hisi_udma_all", "");
	assert_int_equal(rte_dma_info_get(all, &info), 0);
	dma_start(all, info.max_vchans, 16);
	for (uint16_t v = 0; v < info.max_vchans; v++) {
		dma_copy_id(all, v, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT, 0);
		dma_wait(all, v, 1, 0);
	}
	dev = dma_make("dev=device:dma_hisi_udma_all", 64);
	dma_log_begin();
	assert_int_equal(dma_copy(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT), -EBUSY);
	dma_log_end("channel 0: no UDMA queue (-16), expected 0; said once");
	assert_int_equal(rte_dma_submit(dev, 0), 0);
	assert_int_equal(rte_dma_stop(all), 0);
	for (unsigned int n = 0; (id = dma_copy(dev, 0, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT)) < 0;
			n++) {
		assert_int_equal(id, -EBUSY);
		/* It is tried again by time. */
		assert_true(n < 600);
		usleep(100000);
	}
	assert_int_equal(id, 0);
	dma_wait(dev, 0, 1, 0);
	dma_end(dev);
	dma_remove("dma_hisi_udma_all");
	rte_free(src);
	rte_free(dst);
}

/* Pointers are addresses, so that IOVAs must be pointers. */
static void
test_physical(void **state)
{
	(void)state;
	physical = true;
	dma_log_begin();
	assert_int_equal(dma_try_add(DMA_NAME, ""), -ENOTSUP);
	dma_log_end(" takes pointers, expected EAL's option --iova-mode=va");
	physical = false;
	assert_int_equal(rte_dma_get_dev_id_by_name(DMA_NAME), -EINVAL);
}

/* ---- Telemetry ---- */

/* Ask, as dpdk-telemetry.py does; fail unless the answer is this, or has it in it. */
static void
check_telemetry(const char *command, const char *expected)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char text[16384];
	ssize_t n;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/dpdk_telemetry.v2",
		rte_eal_get_runtime_dir());
	assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_true(read(fd, text, sizeof(text)) > 0); /* its greeting */
	assert_int_equal(write(fd, command, strlen(command)), strlen(command));
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	close(fd);
	if (strstr(text, expected) == NULL)
		fail_msg("%s: no \"%s\" in: %s", command, expected, text);
	/* The thread of this connection ends now. */
	usleep(100000);
}

static void
test_telemetry(void **state)
{
	uint8_t *src = dma_mem(LEN, 1), *dst = dma_mem(LEN, 2);
	enum rte_dma_status_code status;
	int16_t dev;

	(void)state;
	check_telemetry("/dma_hisi_udma/list", "{\"/dma_hisi_udma/list\":[]}");
	dev = dma_add(DMA_NAME, "");
	assert_int_equal(dev, 0);
	check_telemetry("/dma_hisi_udma/queues,0", "{\"/dma_hisi_udma/queues\":{}}");
	dma_start(dev, 2, 64);
	dma_copy_id(dev, 1, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT, 0);
	dma_wait(dev, 1, 1, 0);
	dma_copy_id(dev, 1, NULL, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT, 1);
	dma_wait_status(dev, 1, 1, 1, &status);
	dma_copy_id(dev, 1, src, dst, LEN, RTE_DMA_OP_FLAG_SUBMIT, 2);
	assert_int_equal(dma_copy(dev, 1, src, dst, UINT32_MAX, 0), -EINVAL);
	check_telemetry("/dma_hisi_udma/list", "[0]");
	check_telemetry("/dma_hisi_udma/info,0", "{\"name\":\"" DMA_NAME "\",\"dev\":\"");
	check_telemetry("/dma_hisi_udma/queues,0", "{\"vchan_0\":{\"depth\":64,\"in_flight\":0,"
		"\"queue\":-1},\"vchan_1\":{\"depth\":64,\"in_flight\":1,\"queue\":0}}");
	check_telemetry("/dma_hisi_udma/stats,0", "{\"submitted\":3,\"completed\":2,\"errors\":1,"
		"\"enqueue_full\":0,\"enqueue_rejected\":1}");
	check_telemetry("/dma_hisi_udma/errors,0", "{\"bad_address\":1,\"requests_lost\":0,"
		"\"other\":0,\"impossible_answers\":0,\"no_hardware_queue\":0,"
		"\"queue_stalled\":0,\"queue_reset\":0,\"queue_gone\":0,"
		"\"queue_restarted\":0}");
	check_telemetry("/dma_hisi_udma/stats,1", "null");
	check_telemetry("/dma_hisi_udma/stats", "null");
	dma_wait(dev, 1, 1, 2);
	rte_free(src);
	rte_free(dst);
	dma_end(dev);
	check_telemetry("/dma_hisi_udma/info,0", "null");
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		DMA_TEST(test_info), DMA_TEST(test_limits), DMA_TEST(test_channels),
		DMA_TEST(test_status), DMA_TEST(test_stop), DMA_TEST(test_dump),
		DMA_TEST(test_life), DMA_TEST(test_shared), DMA_TEST(test_busy),
		DMA_TEST(test_physical), DMA_TEST(test_telemetry),
	};

	dma_telemetry = true;
	return dma_test_main(argc, argv, "dma_control", tests, RTE_DIM(tests));
}
