/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Devices of two classes on one open access point: compressdevs, and one of the class UDMA that
 * is the test's own and uses nothing but what drivers/common offers. Who may share, what stays when
 * one of them goes, in whichever order, and what both find after their service was killed.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_log.h>
#include <rte_malloc.h>

#include "hisi_ap.h"
#include "hisi_udma_sqe.h"
#include "hisi_watch.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_ext.h"
#include "hisi_zip_probe.h"
#include "hisi_zip_qp.h"
#include "pmd_test.h"

#define A "compress_hisi_zip_a"
#define B "compress_hisi_zip_b"
#define LEN 3000u
#define WAIT_MS 60000

/* ---- A class of our own -------------------------------------------------------------------- */

static void
log_line(enum base_log_level level, const char *line, void *priv)
{
	(void)priv;
	if (level == BASE_LOG_ERR)
		RTE_LOG(ERR, USER1, "%s\n", line);
	else
		RTE_LOG(INFO, USER1, "%s\n", line);
}

static const struct hisi_devarg no_keys[] = { { .key = NULL } };

static struct hisi_driver copy_driver = {
	.name = "copy",
	.class_name = "dma",
	.owner_name = "channel",
	.log = { .line = log_line },
	.device = HISI_PCI_DEVICE_ZIP_VF,
	.features = HISI_ZIP_EXT_F_UDMA,
	.feature_name = "UDMA",
	.keys = no_keys,
	.pci_ids = (const struct rte_pci_id[]){ { .vendor_id = 0 } },
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

HISI_REGISTER_DRIVER(copy_driver);

static struct {
	struct hisi_dev dev;
	struct hisi_hwq hwq;
	struct hisi_watch watch;
	uint32_t head;
	unsigned int restarts, fails;
} copy;

static int
copy_open(const char *text)
{
	struct hisi_hwq_conf conf = {
		.dev = &copy.dev, .type = HISI_UDMA_QC, .depth = 64, .socket = 0,
		.owner_id = 0, .what = "copy",
	};
	int ret;

	memset(&copy, 0, sizeof(copy));
	copy.dev.driver = &copy_driver;
	strcpy(copy.dev.name, "copy0");
	ret = hisi_devargs_parse(&copy_driver, copy.dev.name, text, HISI_BUS_VDEV, &copy.dev.args);
	PMD_CHECK(ret == 0, "%s: %d", text, ret);
	ret = hisi_dev_open(&copy.dev, NULL);
	if (ret != 0)
		return ret;
	hisi_dev_show(&copy.dev);
	hisi_hwq_init(&copy.hwq, &conf);
	return 0;
}

static void
copy_close(void)
{
	if (copy.hwq.queue != NULL) {
		hisi_hwq_stop(&copy.hwq);
		PMD_CHECK(!copy.hwq.stuck, "stuck");
		hisi_hwq_put(&copy.hwq);
	}
	hisi_dev_hide(&copy.dev);
	hisi_dev_close(&copy.dev);
}

/* Submit a copy. */
static void
copy_submit(const char *from, char *to, uint32_t len)
{
	struct hisi_udma_sqe *sqe;
	struct hisi_qm_ring *ring;
	int ret;

	if (copy.hwq.ring == NULL) {
		ret = hisi_hwq_take(&copy.hwq);
		PMD_CHECK(ret == 0, "no queue: %d", ret);
	}
	ring = copy.hwq.ring;
	sqe = hisi_qm_sq_slot(ring, ring->sq_tail);
	*sqe = (struct hisi_udma_sqe){
		.dw0 = HISI_UDMA_BD | HISI_UDMA_TASK << HISI_UDMA_DW0_TASK_SHIFT,
		.len = len,
		.dst_l = (uint32_t)(uintptr_t)to, .dst_h = (uint32_t)((uintptr_t)to >> 32),
		.src_l = (uint32_t)(uintptr_t)from, .src_h = (uint32_t)((uintptr_t)from >> 32),
	};
	ring->sq_tail = (ring->sq_tail + 1) & ring->mask;
	hisi_qm_sq_ring(ring);
}

/* Its result: that of the oldest one. @return Its wb, or 0: none for so long. */
static uint32_t
copy_result(unsigned int ms)
{
	struct hisi_qm_ring *ring = copy.hwq.queue->ring;
	uint64_t end = rte_rdtsc() + rte_get_tsc_hz() / 1000 * ms;

	for (unsigned int i = 1; rte_rdtsc() < end; i++) {
		const struct hisi_udma_sqe *sqe = hisi_qm_sq_slot(ring, ring->cq_head);
		enum hisi_watch_found found;

		if (copy.dev.info.polled)
			spim_queue_poll(copy.hwq.queue, 1);
		if (hisi_qm_cq_ready(ring, 1) != 0) {
			uint32_t wb = sqe->wb;

			hisi_qm_cq_skip(ring, 1);
			hisi_qm_cq_ring(ring);
			copy.head++;
			return wb;
		}
		if (i % HISI_WATCH_POLLS != 0)
			continue;
		found = hisi_hwq_watch(&copy.hwq, &copy.watch, copy.head, HISI_WATCH_WAIT,
			"with an error");
		copy.restarts += found == HISI_WATCH_RESTARTED;
		copy.fails += found < HISI_WATCH_FAILS;
	}
	return 0;
}

static void
copy_one(const char *what)
{
	char *mem = rte_zmalloc("copy", 2 * LEN, 0);
	uint32_t wb;

	PMD_CHECK(mem != NULL, "no memory");
	memset(mem, 'c', LEN);
	copy_submit(mem, mem + LEN, LEN);
	wb = copy_result(WAIT_MS);
	PMD_CHECK(wb == HISI_UDMA_WB_GOOD && memcmp(mem, mem + LEN, LEN) == 0, "%s: 0x%x", what,
		wb);
	rte_free(mem);
}

/* ---- compressdevs -------------------------------------------------------------------------- */

static uint8_t
zip_add(const char *name, const char *args)
{
	uint8_t dev = pmd_dev_add(name, args);

	pmd_dev_start(dev, 1, 64);
	return dev;
}

/* compressdev itself does not find a device when one with a lower id has gone. */
static uint8_t
id_of(const char *name)
{
	return (uint8_t)hisi_zip_find(name)->hisi.id;
}

static void
zip_remove(const char *name)
{
	if (id_of(name) < rte_compressdev_count())
		pmd_dev_stop(id_of(name));
	pmd_dev_remove(name);
}

static void
zip_one(const char *name, const char *what)
{
	char *va = rte_malloc("zip", 4 * LEN, 0);
	uint8_t status;

	PMD_CHECK(va != NULL, "no memory");
	status = pmd_compress_at(id_of(name), va, LEN, true);
	PMD_CHECK(status == RTE_COMP_OP_STATUS_SUCCESS, "%s: %s", what, pmd_status(status));
	PMD_CHECK(pmd_qp(id_of(name), 0)->deq.sw == 0, "%s: in software", what);
	rte_free(va);
}

static struct hisi_ap *
ap_of(const char *name)
{
	return hisi_zip_find(name)->hisi.ap;
}

/* ---- Cases --------------------------------------------------------------------------------- */

/* No device is made of these; the last line of the log is this one. */
static void
refused(const char *args, int err, const char *line)
{
	struct pmd_usage before = pmd_usage_get();
	const char *log;
	int ret;

	pmd_log_begin();
	ret = rte_vdev_init(B, args);
	log = pmd_log_end();
	PMD_CHECK(ret == err && strstr(log, line) != NULL, "%s: %d, %s", args, ret, log);
	PMD_CHECK(hisi_zip_find(B) == NULL, "%s: there is one", args);
	pmd_usage_check(args, &before);
}

#define NO_DEVICE "no such device, expected the name of an open --vdev of these drivers"

static void
no_such_device(void)
{
	/* What is kept from the first time on. */
	refused("dev=device:" A, -ENODEV, NO_DEVICE);
	for (int round = 0; round < 2; round++) {
		refused("dev=device:" A, -ENODEV, "HISI_ZIP: " B ": dev=device:" A ": " NO_DEVICE);
		refused("dev=device:", -ENODEV, NO_DEVICE);
		/* Itself is not there yet. */
		refused("dev=device:" B, -ENODEV, NO_DEVICE);
		zip_add(A, "");
		refused("dev=device:" A "0", -ENODEV, NO_DEVICE);
		refused("dev=device:compress_hisi_zip", -ENODEV, NO_DEVICE);
		refused("dev=device", -EINVAL, "could not be opened (-22)");
		zip_remove(A);
	}
}

/* The first or the last one goes first; what is left works on. */
static void
either_order(void)
{
	static const char *const args[] = { "", "workers=1", "ext=on,workers=2" };
	struct pmd_usage before = { 0 };

	for (size_t i = 0; i < 2 * RTE_DIM(args); i++) {
		const char *first = i % 2 == 0 ? A : B, *second = i % 2 == 0 ? B : A;

		if (i == RTE_DIM(args))
			before = pmd_usage_get();
		pmd_log_begin();
		zip_add(A, args[i % RTE_DIM(args)]);
		zip_add(B, "dev=device:" A);
		pmd_log_end();
		PMD_CHECK(ap_of(A) == ap_of(B) && ap_of(A)->users == 2, "%u users",
			ap_of(A)->users);
		PMD_CHECK(hisi_zip_find(B)->hisi.args.local.workers ==
			hisi_zip_find(A)->hisi.args.local.workers, "not what the function is");
		zip_one(A, "first of both");
		zip_one(B, "second of both");
		zip_remove(first);
		PMD_CHECK(ap_of(second)->users == 1, "%u users", ap_of(second)->users);
		zip_one(second, "the other one has gone");
		/* Of the one that is left, also if it has none of its own. */
		pmd_log_begin();
		zip_add(first, i % 2 == 0 ? "dev=device:" B : "dev=device:" A);
		pmd_log_end();
		PMD_CHECK(ap_of(A) == ap_of(B), "two access points");
		zip_one(first, "again");
		zip_remove(second);
		zip_remove(first);
		if (i >= RTE_DIM(args))
			pmd_usage_check("both are gone", &before);
	}
}

/* Classes on one connection, and one on its own. */
static void
two_classes(void)
{
	static const char *const args[] = { "", "workers=1" };

	for (size_t i = 0; i < 4 * RTE_DIM(args); i++) {
		bool compress_first = i & 1, opens = i & 2;
		int ret;

		pmd_log_begin();
		if (opens) {
			ret = copy_open(args[i / 4]);
			zip_add(A, "sw=off,dev=device:copy0");
		} else {
			zip_add(A, args[i / 4]);
			ret = copy_open("dev=device:" A);
		}
		pmd_log_end();
		PMD_CHECK(ret == 0 && copy.dev.ap == ap_of(A), "%d", ret);
		/* A queue of each class, of one function. */
		for (int n = 0; n < 100; n++) {
			copy_one("both");
			zip_one(A, "both");
		}
		PMD_CHECK(copy.hwq.qn != pmd_qp(id_of(A), 0)->hwq[HISI_ZIP_COMP].q.qn,
			"one queue for both");
		if (compress_first) {
			zip_remove(A);
			copy_one("alone");
			copy_close();
		} else {
			copy_close();
			zip_one(A, "alone");
			zip_remove(A);
		}
	}
}

/* A function that has not what the class needs. */
static void
no_udma(void)
{
	struct pmd_usage before;
	const char *log;
	int ret;

	pmd_log_begin();
	zip_add(A, "ext=off");
	pmd_log_end();
	before = pmd_usage_get();
	pmd_log_begin();
	ret = copy_open("dev=device:" A);
	log = pmd_log_end();
	PMD_CHECK(ret == -ENOTSUP && strcmp(log, "USER1: copy0: the function has no UDMA: features "
		"0x0 of revision 0x30, expected 0x10000 among them\n") == 0, "%d, %s", ret, log);
	PMD_CHECK(ap_of(A)->users == 1, "%u users", ap_of(A)->users);
	pmd_usage_check("no UDMA", &before);
	zip_one(A, "nothing else is lost");
	zip_remove(A);
	pmd_log_begin();
	ret = copy_open("ext=off,rev=v2");
	log = pmd_log_end();
	PMD_CHECK(ret == -ENOTSUP && strcmp(log, "USER1: copy0: the function has no UDMA: features "
		"0x0 of revision 0x21, expected 0x10000 among them\n") == 0, "%d, %s", ret, log);
}

/* The service is killed with a request of each class in flight, and started again. */
static void
restart(void)
{
	char *mem;
	struct rte_mbuf_ext_shared_info info[2];
	struct rte_comp_op *op, *back;
	uint32_t wb = 0;
	uint8_t dev;
	void *xform;

	mem = rte_zmalloc("both", 6 * LEN, 0);
	PMD_CHECK(mem != NULL, "no memory");
	for (int turn = 0; turn < 4; turn++) {
		bool copy_opens = turn & 1, opener_goes = turn & 2;
		char args[160];

		snprintf(args, sizeof(args), "%s,timeout=60000", pmd_service_dev());
		pmd_service_start(NULL);
		pmd_log_begin();
		if (copy_opens) {
			PMD_CHECK(copy_open(args) == 0, "not opened");
			dev = zip_add(A, "sw=off,dev=device:copy0");
		} else {
			snprintf(args + strlen(args), sizeof(args) - strlen(args), ",sw=off");
			dev = zip_add(A, args);
			PMD_CHECK(copy_open("dev=device:" A) == 0, "not opened");
		}
		zip_one(A, "before");
		copy_one("before");
		pmd_service_end(SIGKILL);
		memset(mem, 'r', LEN);
		memset(mem + LEN, 0, LEN);
		copy_submit(mem, mem + LEN, LEN);
		xform = pmd_xform(dev, &pmd_deflate_xform);
		op = pmd_op(xform, pmd_mbuf_at(mem, LEN, &info[0]), 0, LEN,
			pmd_mbuf_at(mem + 2 * LEN, 2 * LEN, &info[1]), 0);
		pmd_enqueue(dev, 0, &op, 1);
		PMD_CHECK(copy_result(60) == 0 &&
			rte_compressdev_dequeue_burst(dev, 0, &back, 1) == 0, "without a service");
		pmd_service_start(NULL);
		/* Either of them opens the function again, for both. */
		if (opener_goes)
			wb = copy_result(WAIT_MS);
		pmd_dequeue(dev, 0, &back, 1);
		if (!opener_goes)
			wb = copy_result(WAIT_MS);
		PMD_CHECK(wb == HISI_UDMA_WB_GOOD && memcmp(mem, mem + LEN, LEN) == 0, "0x%x", wb);
		PMD_CHECK(back == op && op->status == RTE_COMP_OP_STATUS_SUCCESS, "%s",
			pmd_status(op->status));
		PMD_CHECK(copy.restarts == 1 && copy.fails == 0 &&
			pmd_qp(dev, 0)->deq.restarts == 1,
			"%u and %u restarts, %u failed", copy.restarts,
			(unsigned int)pmd_qp(dev, 0)->deq.restarts, copy.fails);
		pmd_op_free(op);
		pmd_xform_free(dev, xform);
		/* With memory that is new, and with one of them only. */
		copy_one("after");
		zip_one(A, "after");
		if (opener_goes == copy_opens) {
			copy_close();
			zip_one(A, "alone");
			zip_remove(A);
		} else {
			zip_remove(A);
			copy_one("alone");
			copy_close();
		}
		pmd_log_end();
		pmd_service_end(SIGTERM);
	}
	rte_free(mem);
}

int
main(int argc, char **argv)
{
	static const char *const none[] = { NULL };
	static const struct pmd_case cases[] = {
		{ "no_such_device", no_such_device },
		{ "either_order", either_order },
		{ "two_classes", two_classes },
		{ "no_udma", no_udma },
		{ "restart", restart, PMD_FAULTS },
		{ 0 },
	};

	return pmd_main(argc, argv, &(struct pmd_program){
		.name = "test_pmd_share", .count = 1, .cases = cases, .vdevs = none,
		.own_service = true,
	});
}
