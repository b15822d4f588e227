/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/vfio.h>

#include <rte_interrupts.h>
#include <rte_malloc.h>
#include <rte_memzone.h>

#include "hisi_bar.h"
#include "hisi_zip_compat.h"
#include "hisi_zip_dev.h"
#include "hisi_zip_probe.h"
#include "hisi_zip_qp.h"
#include "pmd_fake_pci.h"
#include "pmd_test.h"
#include "udma_dev.h"
#include "zip_dev.h"

#define IRQ_FD 77

/* ---- The world, wrapped -------------------------------------------------------------------- */

struct fake_pci w = { .config_ret = 1, .revision = HISI_QM_REV_V3 };

void __wrap_rte_pci_register(struct rte_pci_driver *driver);
int __wrap_rte_pci_read_config(const struct rte_pci_device *device, void *buf, size_t len,
	off_t offset);
int __wrap_ioctl(int fd, unsigned long request, ...);
void *__real_rte_zmalloc_socket(const char *type, size_t size, unsigned int align, int socket);
void *__wrap_rte_zmalloc_socket(const char *type, size_t size, unsigned int align, int socket);
enum rte_proc_type_t __wrap_rte_eal_process_type(void);
int __real_hisi_bar_init(struct hisi_bar *bar, uint8_t revision, void *bar2,
	uint64_t bar2_len, void *bar4, uint64_t bar4_len);
int __wrap_hisi_bar_init(struct hisi_bar *bar, uint8_t revision, void *bar2,
	uint64_t bar2_len, void *bar4, uint64_t bar4_len);

void
__wrap_rte_pci_register(struct rte_pci_driver *driver)
{
	w.drv = driver;
}

int
__wrap_rte_pci_read_config(const struct rte_pci_device *device, void *buf, size_t len, off_t offset)
{
	PMD_CHECK(strcmp(device->device.name, NAME) == 0 && len == 1 && offset == 8,
		"%zu bytes at %ld of %s", len, (long)offset, device->device.name);
	w.config_reads++;
	if (w.config_ret == 1)
		*(uint8_t *)buf = w.revision;
	return w.config_ret;
}

int
__wrap_ioctl(int fd, unsigned long request, ...)
{
	PMD_CHECK(fd == IRQ_FD && request == VFIO_DEVICE_RESET, "%d, 0x%lx", fd, request);
	w.resets++;
	errno = w.ioctl_errno;
	return w.ioctl_errno == 0 ? 0 : -1;
}

void *
__wrap_rte_zmalloc_socket(const char *type, size_t size, unsigned int align, int socket)
{
	w.socket = socket;
	return w.no_memory ? NULL : __real_rte_zmalloc_socket(type, size, align, socket);
}

enum rte_proc_type_t
__wrap_rte_eal_process_type(void)
{
	return w.secondary ? RTE_PROC_SECONDARY : RTE_PROC_PRIMARY;
}

static uint32_t
fn_read32(struct hisi_qm_io *io, uint32_t off)
{
	(void)io;
	return (uint32_t)qm_dev_read(w.fn, off, 4);
}

static void
fn_write32(struct hisi_qm_io *io, uint32_t off, uint32_t value)
{
	(void)io;
	qm_dev_write(w.fn, off, 4, value);
}

static void
fn_write64(struct hisi_qm_io *io, uint32_t off, uint64_t value)
{
	(void)io;
	qm_dev_write(w.fn, off, 8, value);
}

static int
fn_mailbox(struct hisi_qm_io *io, const struct hisi_qm_mailbox *mb)
{
	(void)io;
	qm_dev_mailbox(w.fn, mb);
	return 0;
}

static int
fn_doorbells(struct hisi_qm_io *io, uint16_t qn, volatile uint64_t **sq, volatile uint64_t **cq)
{
	struct hisi_qm_shadow *db = qm_dev_doorbell(w.fn, qn);

	(void)io;
	*sq = &db->sq;
	*cq = &db->cq;
	return 0;
}

static unsigned int
fn_poll(struct hisi_qm_io *io, uint16_t qn, unsigned int budget)
{
	(void)io;
	return qm_dev_poll(w.fn, qn, budget);
}

int
__wrap_hisi_bar_init(struct hisi_bar *bar, uint8_t revision, void *bar2, uint64_t bar2_len,
		void *bar4, uint64_t bar4_len)
{
	static struct hisi_qm_io_ops ops;
	int ret = __real_hisi_bar_init(bar, revision, bar2, bar2_len, bar4, bar4_len);

	w.bar_revision = revision;
	w.bar2 = bar2;
	w.bar2_len = bar2_len;
	w.bar4 = bar4;
	w.bar4_len = bar4_len;
	if (ret == 0 && w.fn != NULL) {
		ops = *bar->io.ops;
		ops.read32 = fn_read32;
		ops.write32 = fn_write32;
		ops.write64 = fn_write64;
		ops.mailbox = fn_mailbox;
		ops.doorbells = fn_doorbells;
		ops.poll = fn_poll;
		bar->io.ops = &ops;
	}
	return ret;
}

/* ---- One device ---------------------------------------------------------------------------- */

_Alignas(64) uint8_t pci_bar2[HISI_QM_BAR2_SIZE], pci_bar4[HISI_QM_DB_PAGE_SIZE];
struct rte_pci_device pdev;
static struct rte_devargs devargs;
static char args[64];

void
pci_args(const char *text)
{
	snprintf(args, sizeof(args), "%s", text);
	devargs.args = args;
	pdev.device.devargs = text[0] != '\0' ? &devargs : NULL;
}

void
device_set(const char *text, uint8_t revision, bool ext)
{
	struct qm_dev_conf conf = {
		.name = NAME, .revision = revision, .ext = ext, .queues = 16,
		.classes = { { &zip_dev_class, NULL }, { w.udma ? &udma_dev_class : NULL, NULL } },
	};

	memset(&pdev, 0, sizeof(pdev));
	pdev.device.name = NAME;
	pdev.device.numa_node = 0;
	pdev.device.driver = &w.drv->driver;
	pci_args(text);
	pdev.kdrv = RTE_PCI_KDRV_VFIO;
	pdev.mem_resource[2].addr = pci_bar2;
	pdev.mem_resource[2].len = sizeof(pci_bar2);
	pdev.mem_resource[4].addr = pci_bar4;
	pdev.mem_resource[4].len = sizeof(pci_bar4);
	pdev.intr_handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	PMD_CHECK(pdev.intr_handle != NULL, "no memory");
	rte_intr_dev_fd_set(pdev.intr_handle, IRQ_FD);
	w.revision = revision;
	PMD_CHECK(qm_dev_create(&conf, &w.fn) == 0, "no function");
	PMD_CHECK(qm_dev_dma_map(w.fn, 0, UINT64_MAX, NULL, QM_DEV_PROT_READ |
		QM_DEV_PROT_WRITE) == 0, "no map");
}

void
device_unset(void)
{
	rte_intr_instance_free(pdev.intr_handle);
	if (w.fn != NULL)
		qm_dev_destroy(w.fn);
	w.fn = NULL;
}

int
probe(void)
{
	return w.drv->probe(w.drv, &pdev);
}

void
fails(int err, const char *line)
{
	struct pmd_usage before = pmd_usage_get();
	uint8_t devs = rte_compressdev_count();
	const char *log;
	int ret;

	pmd_log_begin();
	ret = probe();
	log = pmd_log_end();
	PMD_CHECK(ret == err, "%d, expected %d: %s", ret, err, log);
	PMD_CHECK(line == NULL || strcmp(log, line) == 0, "%s, expected %s", log, line);
	PMD_CHECK(rte_compressdev_count() == devs && hisi_zip_find(NAME) == NULL, "%u devices",
		rte_compressdev_count());
	PMD_CHECK(rte_memzone_lookup("rte_compressdev_data_0") == NULL, "its data is kept");
	pmd_usage_check("a probe that failed", &before);
}

void
works(void)
{
	struct pmd_usage before = pmd_usage_get();
	int ret = probe();

	PMD_CHECK(ret == 0, "%d", ret);
	ret = w.drv->remove(&pdev);
	PMD_CHECK(ret == 0, "%d", ret);
	PMD_CHECK(rte_compressdev_count() == 0, "%u devices", rte_compressdev_count());
	pmd_usage_check("probe and removal", &before);
}

/* A bus address for each segment: here it is the pointer. */
static void
give_iovas(struct rte_mbuf *m)
{
	for (; m != NULL; m = m->next)
		*(rte_iova_t *)((char *)m + HISI_ZIP_MBUF_IOVA) = (uintptr_t)m->buf_addr;
}

void
run_ops(uint8_t dev)
{
	struct rng rng;
	struct bytes plain, back;
	void *c, *d;
	struct rte_comp_op *op, *un;

	pmd_rng(&rng);
	pmd_dev_start(dev, 1, 16);
	c = pmd_xform(dev, &pmd_deflate_xform);
	d = pmd_xform(dev, &pmd_inflate_xform);
	plain = bytes_random(&rng, 20000);
	back = bytes_alloc(plain.len);
	op = pmd_op(c, pmd_chain(&rng, PMD_FEW, plain.data, 0, plain.len, 0), 0,
		(uint32_t)plain.len, pmd_chain(&rng, PMD_LINEAR, NULL, 0, 30000, 0), 0);
	give_iovas(op->m_src);
	give_iovas(op->m_dst);
	pmd_run(dev, 0, &op, 1);
	PMD_CHECK(op->status == RTE_COMP_OP_STATUS_SUCCESS && op->consumed == plain.len, "%s",
		pmd_status(op->status));
	un = pmd_op(d, op->m_dst, 0, op->produced,
		pmd_chain(&rng, PMD_FEW, NULL, 0, plain.len, 0), 0);
	op->m_dst = NULL;
	give_iovas(un->m_dst);
	pmd_run(dev, 0, &un, 1);
	PMD_CHECK(un->status == RTE_COMP_OP_STATUS_SUCCESS && un->produced == plain.len, "%s",
		pmd_status(un->status));
	pmd_chain_read(un->m_dst, 0, back.data, back.len);
	PMD_CHECK(memcmp(plain.data, back.data, plain.len) == 0, "not what it was");
	/* Not the pointers, which a device behind a bus knows nothing of: it goes elsewhere. */
	pmd_chain_free(un->m_dst);
	un->m_dst = pmd_chain(&rng, PMD_LINEAR, NULL, 0, plain.len, 0);
	*(rte_iova_t *)((char *)un->m_dst + HISI_ZIP_MBUF_IOVA) =
		(uintptr_t)back.data - un->m_dst->data_off;
	memset(back.data, 0, back.len);
	pmd_run(dev, 0, &un, 1);
	PMD_CHECK(un->status == RTE_COMP_OP_STATUS_SUCCESS &&
		memcmp(plain.data, back.data, plain.len) == 0, "%s", pmd_status(un->status));
	PMD_CHECK(TAILQ_FIRST(&hisi_zip_find(NAME)->qps)->deq.sw == 0, "done in software");
	pmd_chain_free(op->m_src);
	rte_comp_op_free(op);
	pmd_op_free(un);
	bytes_free(&plain);
	bytes_free(&back);
	pmd_xform_free(dev, c);
	pmd_xform_free(dev, d);
}
