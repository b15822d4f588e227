/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "liar.h"
#include "qm_dev_func.h"
#include "qm_dev_pci.h"
#include "zip_dev.h"

/*
 * The function has rings of its own, in our memory. What the client rings for is copied there,
 * is executed in this thread, and is copied back, by way of the lie. Data, SGLs and stream
 * contexts are the client's: the function reaches them where the client says.
 */

#define OWN_IOVA   (1ull << 60) /* no client has memory there */
#define OWN_SQ     0u
#define OWN_CQ     ((size_t)HISI_QM_DEPTH_MAX << HISI_QM_SQE_LOG2)
#define OWN_IMAGE  (OWN_CQ + ((size_t)HISI_QM_DEPTH_MAX << HISI_QM_CQE_LOG2))
#define OWN_STRIDE (1u << 20)

#define REGIONS    (VFIO_USER_PCI_REGIONS + 1)
#define DOORBELLS  VFIO_USER_PCI_REGIONS

static struct vfio_user_region regions[REGIONS];
static struct vfio_user_irq irqs[VFIO_USER_PCI_IRQS];
static const struct vfio_user_spim spim = {
	.doorbell_region = DOORBELLS,
	.wake_region = VFIO_USER_PCI_BAR0 + QM_DEV_BAR_REGS,
	.wake_offset = HISI_QM_SHADOW_REG_WAKE,
};
static const struct vfio_user_device device = {
	.flags = VFIO_USER_DEVICE_F_PCI | VFIO_USER_DEVICE_F_RESET,
	.num_regions = REGIONS,
	.num_irqs = VFIO_USER_PCI_IRQS,
	.regions = regions,
	.irqs = irqs,
	.spim = &spim,
};

static struct qm_dev_view view; /* of the function's map */

void *
liar_client_mem(struct liar *l, uint64_t iova, uint64_t len)
{
	void *va;

	/* Nobody else changes the map: what is found stays until the client takes it back. */
	qm_dev_view_get(&l->dev->map, &view);
	va = qm_dev_view_at(&view, iova, len, QM_DEV_PROT_READ | QM_DEV_PROT_WRITE);
	qm_dev_view_put(&view);
	return va;
}

/* ---- Rings ---- */

/* Bring what the client rang for to the function. */
static bool
pass_requests(struct liar *l, uint16_t qn, struct pair *p)
{
	uint64_t sq = __atomic_load_n(&l->db[qn].sq, __ATOMIC_ACQUIRE);
	uint64_t cq = __atomic_load_n(&l->db[qn].cq, __ATOMIC_ACQUIRE);
	struct hisi_qm_shadow *own = qm_dev_doorbell(l->dev, qn);

	if (cq != p->db_cq) {
		p->db_cq = cq;
		__atomic_store_n(&own->cq, cq, __ATOMIC_RELEASE);
	}
	if (sq == p->db_sq)
		return false;
	p->db_sq = sq;
	for (uint16_t tail = (uint16_t)(sq >> HISI_QM_DB_INDEX_SHIFT) & p->mask; p->tail != tail;
			p->tail = (p->tail + 1) & p->mask) {
		const void *sqe = liar_client_mem(l, p->client_sq +
			((uint64_t)p->tail << HISI_QM_SQE_LOG2), sizeof(p->sq[0]));

		if (sqe != NULL)
			memcpy(&p->sq[p->tail], sqe, sizeof(p->sq[0]));
	}
	__atomic_store_n(&own->sq, sq, __ATOMIC_RELEASE);
	return true;
}

static void
write_cqe(struct liar *l, const struct pair *p, uint16_t slot, const struct hisi_qm_cqe *cqe)
{
	struct hisi_qm_cqe *to = liar_client_mem(l, p->client_cq +
		((uint64_t)slot << HISI_QM_CQE_LOG2), sizeof(*to));

	if (to == NULL)
		return;
	memcpy(to, cqe, offsetof(struct hisi_qm_cqe, w7));
	__atomic_store_n(&to->w7, cqe->w7, __ATOMIC_RELEASE);
}

/* Bring completions to the client. */
static bool
pass_results(struct liar *l, struct pair *p)
{
	bool any = false;

	while ((__atomic_load_n(&p->cq[p->head].w7, __ATOMIC_ACQUIRE) & HISI_QM_CQE_PHASE) ==
			p->phase) {
		struct result r = { .sqe = p->sq[p->head], .cqe = p->cq[p->head],
			.slot = p->head, .mask = p->mask, .sqe_first = true, .cqe_too = true };
		void *sqe = liar_client_mem(l, p->client_sq +
			((uint64_t)r.slot << HISI_QM_SQE_LOG2), sizeof(r.sqe));

		if (l->lie != NULL && l->lie->result != NULL && liar_strikes(l))
			l->lie->result(l, &r);
		if (r.sqe_first && sqe != NULL)
			memcpy(sqe, &r.sqe, sizeof(r.sqe));
		if (r.cqe_too)
			write_cqe(l, p, p->head, &r.cqe);
		p->head = (p->head + 1) & p->mask;
		p->phase ^= p->head == 0;
		if (r.twice) {
			r.cqe.w7 = p->phase;
			write_cqe(l, p, p->head, &r.cqe);
		}
		any = true;
	}
	return any;
}

bool
ring_work(struct liar *l)
{
	bool any = false;

	for (uint16_t qn = 0; l->dev != NULL && qn < l->queues; qn++) {
		struct pair *p = &l->pairs[qn];

		if (!p->live)
			continue;
		any |= pass_requests(l, qn, p);
		do
			any |= pass_results(l, p);
		while (qm_dev_poll(l->dev, qn, 1) != 0);
		any |= pass_results(l, p);
	}
	for (unsigned int vector = 0; l->irqs != 0; vector++, l->irqs >>= 1)
		if ((l->irqs & 1) != 0)
			(void)vfio_user_conn_irq(l->conn, VFIO_USER_PCI_MSI, vector);
	return any;
}

static void
op_irq(unsigned int vector, void *priv)
{
	((struct liar *)priv)->irqs |= 1u << vector;
}

/* ---- Registers ---- */

/* The client sets a context: the function gets one that names our rings. */
static void
set_context(struct liar *l, struct hisi_qm_mailbox *mb, unsigned int cmd)
{
	const uint16_t qn = mb->queue_num;
	struct pair *p = &l->pairs[qn];
	uint8_t *own = l->mem + (size_t)qn * OWN_STRIDE;
	uint64_t own_iova = OWN_IOVA + (uint64_t)qn * OWN_STRIDE;
	void *image = liar_client_mem(l, mb->base_l | (uint64_t)mb->base_h << 32, 32);

	if (image == NULL)
		return;
	memcpy(own + OWN_IMAGE, image, 32);
	if (cmd == HISI_QM_MB_SQC) {
		struct hisi_qm_sqc *sqc = (struct hisi_qm_sqc *)(own + OWN_IMAGE);

		*p = (struct pair){
			.client_sq = sqc->base_l | (uint64_t)sqc->base_h << 32,
			.sq = (struct hisi_zip_sqe *)(own + OWN_SQ),
			.cq = (struct hisi_qm_cqe *)(own + OWN_CQ),
			.mask = sqc->dw3 & HISI_QM_CTX_DEPTH_MASK,
			.tail = sqc->tail,
			.head = sqc->head,
			.db_sq = UINT64_MAX, .db_cq = UINT64_MAX,
		};
		memset(own, 0, OWN_IMAGE);
		sqc->base_l = (uint32_t)(own_iova + OWN_SQ);
		sqc->base_h = (uint32_t)((own_iova + OWN_SQ) >> 32);
	} else {
		struct hisi_qm_cqc *cqc = (struct hisi_qm_cqc *)(own + OWN_IMAGE);

		p->client_cq = cqc->base_l | (uint64_t)cqc->base_h << 32;
		p->phase = (cqc->dw6 & HISI_QM_CQC_PHASE) != 0;
		/* What is not valid yet must not look so, in this pass or the next. */
		for (uint16_t i = 0; i <= p->mask; i++)
			p->cq[i].w7 = i < p->head ? p->phase : p->phase ^ HISI_QM_CQE_PHASE;
		cqc->base_l = (uint32_t)(own_iova + OWN_CQ);
		cqc->base_h = (uint32_t)((own_iova + OWN_CQ) >> 32);
		/* What the client rings from now on is for this queue. */
		l->db[qn].cq = UINT64_MAX;
		l->db[qn].sq = UINT64_MAX;
		p->live = true;
	}
	mb->base_l = (uint32_t)(own_iova + OWN_IMAGE);
	mb->base_h = (uint32_t)((own_iova + OWN_IMAGE) >> 32);
}

static void
mailbox(struct liar *l, const void *buf)
{
	struct hisi_qm_mailbox mb;
	unsigned int cmd;

	memcpy(&mb, buf, sizeof(mb));
	cmd = mb.w0 & HISI_QM_MB_CMD_MASK;
	ring_work(l); /* what was rung for before a stop is still executed */
	if ((cmd == HISI_QM_MB_SQC || cmd == HISI_QM_MB_CQC) && mb.queue_num < l->queues &&
			(mb.w0 & HISI_QM_MB_OP_READ) == 0)
		set_context(l, &mb, cmd);
	qm_dev_mailbox(l->dev, &mb);
	ring_work(l);
}

static void
reset(struct liar *l)
{
	(void)qm_dev_pci_reset(l->dev);
	for (uint16_t qn = 0; qn < l->queues; qn++)
		l->pairs[qn].live = false;
}

static int
config_write(struct liar *l, uint32_t offset, const void *buf, uint32_t count)
{
	int rc = qm_dev_pci_config_write(l->dev, offset, buf, count);

	if (rc != QM_DEV_PCI_RESET)
		return rc;
	reset(l);
	return 0;
}

static int
op_write(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset,
		const void *buf, uint32_t count)
{
	struct liar *l = priv;
	uint32_t qn;

	(void)conn;
	if (region == VFIO_USER_PCI_CONFIG)
		return config_write(l, (uint32_t)offset, buf, count);
	if (region != spim.wake_region || (offset != HISI_QM_MAILBOX && offset != spim.wake_offset))
		return qm_dev_pci_bar_write(l->dev, region, offset, buf, count);
	if (offset == HISI_QM_MAILBOX && count == sizeof(struct hisi_qm_mailbox)) {
		mailbox(l, buf);
	} else if (count == sizeof(qn)) {
		memcpy(&qn, buf, sizeof(qn));
		/* Nobody sleeps here; but an event may be armed by this. */
		ring_work(l);
		if (qn < l->queues)
			qm_dev_write(l->dev, HISI_QM_DB_SQ_CQ, 8, l->db[qn].cq);
		ring_work(l);
	}
	return 0;
}

static int
op_read(struct vfio_user_conn *conn, void *priv, uint32_t region, uint64_t offset, void *buf,
		uint32_t count)
{
	struct liar *l = priv;

	(void)conn;
	if (region == VFIO_USER_PCI_CONFIG)
		return qm_dev_pci_config_read(l->dev, (uint32_t)offset, buf, count);
	return qm_dev_pci_bar_read(l->dev, region, offset, buf, count);
}

static int
op_mmap(struct vfio_user_conn *conn, void *priv, uint32_t region, struct vfio_user_mmap *mmap)
{
	struct liar *l = priv;

	(void)conn;
	mmap->fd = l->db_fd;
	return region == DOORBELLS ? 0 : -EINVAL;
}

/* ---- Memory, and the rest ---- */

static int
op_dma_map(struct vfio_user_conn *conn, void *priv, const struct vfio_user_dma *dma,
		const char **why)
{
	struct liar *l = priv;

	(void)conn;
	return qm_dev_dma_map_file(l->dev, dma->iova, dma->size, dma->fd, dma->offset,
		QM_DEV_PROT_READ | QM_DEV_PROT_WRITE, why);
}

static int
op_dma_unmap(struct vfio_user_conn *conn, void *priv, uint64_t iova, uint64_t size,
		uint64_t *bytes)
{
	struct liar *l = priv;
	uint64_t ticket;
	int n;

	(void)conn;
	ring_work(l);
	/* Nothing is being executed: the function has no workers. */
	n = qm_dev_dma_unmap_start(l->dev, iova, size, &ticket, bytes);
	return n < 0 ? n : 0;
}

static int
op_reset(struct vfio_user_conn *conn, void *priv)
{
	(void)conn;
	reset(priv);
	return 0;
}

static int
op_connected(struct vfio_user_conn *conn, void *priv, struct vfio_user_conn_conf *conf)
{
	struct liar *l = priv;

	l->conn = conn;
	conf->priv = l;
	conf->device = &device;
	return 0;
}

static void
op_closed(struct vfio_user_conn *conn, void *priv)
{
	struct liar *l = priv;

	qm_dev_destroy(l->dev);
	l->dev = NULL;
	vfio_user_conn_release(conn);
	l->conn = NULL;
}

const struct vfio_user_ops ring_ops = {
	.connected = op_connected,
	.region_read = op_read,
	.region_write = op_write,
	.region_mmap = op_mmap,
	.dma_map = op_dma_map,
	.dma_unmap = op_dma_unmap,
	.reset = op_reset,
	.closed = op_closed,
};

static void
describe(const struct liar *l)
{
	for (unsigned int i = 0; i < QM_DEV_PCI_BARS; i++)
		regions[VFIO_USER_PCI_BAR0 + i] = (struct vfio_user_region){
			.size = qm_dev_pci_bar_size(l->dev, i),
			.flags = VFIO_USER_REGION_F_READ | VFIO_USER_REGION_F_WRITE,
		};
	regions[VFIO_USER_PCI_CONFIG] = (struct vfio_user_region){
		.size = QM_DEV_PCI_CONFIG_SIZE,
		.flags = VFIO_USER_REGION_F_READ | VFIO_USER_REGION_F_WRITE,
	};
	regions[DOORBELLS] = (struct vfio_user_region){
		.size = l->db_len, .flags = VFIO_USER_REGION_F_MMAP,
	};
	irqs[VFIO_USER_PCI_MSI] = (struct vfio_user_irq){
		.count = qm_dev_pci_irqs(l->dev), .flags = VFIO_USER_IRQ_F_EVENTFD,
	};
}

int
ring_open(struct liar *l)
{
	const struct qm_dev_conf conf = {
		.name = "liar", .revision = l->revision, .ext = !l->plain, .queues = l->queues,
		.classes = { { &zip_dev_class, NULL } }, .fault = l->fault, .irq = op_irq,
		.priv = l,
	};
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	l->irqs = 0;
	l->db_len = (l->queues * sizeof(l->db[0]) + page - 1) & ~(page - 1);
	l->db_fd = memfd_create("doorbells", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (l->db_fd < 0 || ftruncate(l->db_fd, (off_t)l->db_len) != 0 ||
			fcntl(l->db_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
		return -errno;
	l->db = mmap(NULL, l->db_len, PROT_READ | PROT_WRITE, MAP_SHARED, l->db_fd, 0);
	l->mem = mmap(NULL, (size_t)l->queues * OWN_STRIDE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	l->pairs = calloc(l->queues, sizeof(l->pairs[0]));
	if (l->db == MAP_FAILED || l->mem == MAP_FAILED || l->pairs == NULL)
		return -ENOMEM;
	if (qm_dev_create(&conf, &l->dev) != 0)
		return -EINVAL;
	qm_dev_view_add(&l->dev->map, &view);
	describe(l);
	return qm_dev_dma_map(l->dev, OWN_IOVA, (uint64_t)l->queues * OWN_STRIDE, l->mem,
		QM_DEV_PROT_READ | QM_DEV_PROT_WRITE);
}

void
ring_close(struct liar *l)
{
	munmap(l->db, l->db_len);
	munmap(l->mem, (size_t)l->queues * OWN_STRIDE);
	free(l->pairs);
	close(l->db_fd);
}
