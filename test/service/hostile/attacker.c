/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "attacker.h"
#include "base_clock.h"

#define RAND       0x5ac3 /* of all doorbells */
#define TIMEOUT_MS 60000  /* sanitized servers on busy machines */

void
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	_exit(1);
}

uint32_t
rnd(uint32_t *seed)
{
	uint32_t x = *seed != 0 ? *seed : 1;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return *seed = x;
}

uint64_t
rnd64(uint32_t *seed)
{
	uint64_t high = rnd(seed);

	return high << 32 | rnd(seed);
}

void
fill_random(void *buf, size_t len, uint32_t seed)
{
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(rnd(&seed) >> 11);
}

void
fill_text(void *buf, size_t len, uint32_t seed)
{
	static const char words[] = "the quick brown fox jumps over a lazy dog and so it goes ";
	uint8_t *p = buf;

	for (size_t i = 0; i < len;) {
		size_t at = rnd(&seed) % (sizeof(words) - 12), n = 3 + rnd(&seed) % 9;

		for (; n != 0 && i < len; n--)
			p[i++] = (uint8_t)words[at++];
	}
}

double
now_s(void)
{
	return (double)base_now_ns() / 1e9;
}

void
nap_ms(unsigned int ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

/* ---- A connection of a driver ---- */

int
attacker_memfd(size_t len)
{
	int fd = memfd_create("spimdevd-hostile", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)len) != 0)
		die("memfd of %zu bytes: %s", len, strerror(errno));
	return fd;
}

void
attacker_connect(struct attacker *a, const struct target *t)
{
	const struct vfio_user_client_conf conf = { .timeout_ms = TIMEOUT_MS, .spim = 1 };
	struct vfio_user_client_region region;
	const struct vfio_user_spim *spim;
	int rc;

	*a = (struct attacker){ .fd = -1 };
	rc = vfio_user_client_connect(t->path, &conf, &a->client);
	if (rc != 0)
		die("%s: connect: %s", t->path, strerror(-rc));
	spim = vfio_user_client_spim(a->client);
	if (spim == NULL)
		die("the service offers no shadow doorbells");
	rc = vfio_user_client_region_info(a->client, spim->doorbell_region, &region);
	if (rc != 0 || region.fd < 0)
		die("doorbell region: %s", strerror(-rc));
	a->db_len = region.size;
	a->db = mmap(NULL, a->db_len, PROT_READ | PROT_WRITE, MAP_SHARED, region.fd,
			(off_t)region.offset);
	close(region.fd);
	if (a->db == MAP_FAILED)
		die("doorbells: mmap: %s", strerror(errno));
}

void
attacker_open(struct attacker *a, const struct target *t, size_t len)
{
	int rc;

	attacker_connect(a, t);
	a->len = len;
	a->fd = attacker_memfd(len);
	a->mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, a->fd, 0);
	if (a->mem == MAP_FAILED)
		die("memory: mmap: %s", strerror(errno));
	rc = vfio_user_client_dma_map(a->client, ATTACKER_IOVA, len, a->fd, 0,
			VFIO_USER_DMA_F_READ | VFIO_USER_DMA_F_WRITE);
	if (rc != 0)
		die("DMA map: %s", strerror(-rc));
}

void
attacker_close(struct attacker *a)
{
	vfio_user_client_close(a->client);
	munmap(a->db, a->db_len);
	if (a->mem != NULL)
		munmap(a->mem, a->len);
	if (a->fd >= 0)
		close(a->fd);
}

void *
attacker_alloc(struct attacker *a, size_t len, size_t align)
{
	size_t at = (a->used + align - 1) & ~(align - 1);

	if (at + len > a->len)
		die("an attack needs more than its %zu bytes", a->len);
	a->used = at + len;
	memset(a->mem + at, 0, len);
	return a->mem + at;
}

uint64_t
attacker_iova(const struct attacker *a, const void *va)
{
	return ATTACKER_IOVA + (uint64_t)((const uint8_t *)va - a->mem);
}

unsigned int
attacker_mailbox(struct attacker *a, uint16_t cmd, uint16_t qn, uint64_t base)
{
	struct hisi_qm_mailbox mb = {
		.w0 = cmd | HISI_QM_MB_BUSY, .queue_num = qn,
		.base_l = (uint32_t)base, .base_h = (uint32_t)(base >> 32),
	};
	double until = now_s() + TIMEOUT_MS / 1000;
	int rc;

	rc = vfio_user_client_region_post(a->client, VFIO_USER_PCI_BAR2, HISI_QM_MAILBOX, &mb,
			sizeof(mb));
	while (rc == 0) {
		rc = vfio_user_client_region_read(a->client, VFIO_USER_PCI_BAR2,
				HISI_QM_MAILBOX, &mb, sizeof(mb));
		if ((mb.w0 & HISI_QM_MB_BUSY) == 0)
			break;
		if (now_s() > until)
			die("mailbox command %u: no end", cmd);
		nap_ms(1);
	}
	if (rc != 0)
		die("mailbox command %u: %s", cmd, strerror(-rc));
	return mb.w0 >> HISI_QM_MB_STATUS_SHIFT & HISI_QM_MB_STATUS_MASK;
}

unsigned int
queue_try(struct queue *q, struct attacker *a, uint16_t qn, uint8_t type, uint16_t depth)
{
	struct hisi_qm_sqc *sqc = attacker_alloc(a, sizeof(*sqc), 64);
	struct hisi_qm_cqc *cqc = attacker_alloc(a, sizeof(*cqc), 64);
	unsigned int status;
	uint64_t base;

	*q = (struct queue){ .a = a, .qn = qn, .depth = depth, .phase = 1 };
	q->sq = attacker_alloc(a, depth * sizeof(*q->sq), 4096);
	q->cq = attacker_alloc(a, depth * sizeof(*q->cq), 4096);
	base = attacker_iova(a, q->sq);
	*sqc = (struct hisi_qm_sqc){
		.base_l = (uint32_t)base, .base_h = (uint32_t)(base >> 32),
		.dw3 = (depth - 1u) | HISI_QM_SQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT, .w8 = RAND,
		.cq_num = qn,
		.w13 = (uint16_t)(HISI_QM_SQC_ORDER | type << HISI_QM_SQC_TYPE_SHIFT),
	};
	base = attacker_iova(a, q->cq);
	*cqc = (struct hisi_qm_cqc){
		.base_l = (uint32_t)base, .base_h = (uint32_t)(base >> 32),
		.dw3 = (depth - 1u) | HISI_QM_CQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT, .w8 = RAND,
		.dw6 = HISI_QM_CQC_PHASE,
	};
	status = attacker_mailbox(a, HISI_QM_MB_SQC, qn, attacker_iova(a, sqc));
	return status != 0 ? status :
		attacker_mailbox(a, HISI_QM_MB_CQC, qn, attacker_iova(a, cqc));
}

void
queue_start(struct queue *q, struct attacker *a, uint16_t qn, uint8_t type, uint16_t depth)
{
	unsigned int status = queue_try(q, a, qn, type, depth);

	if (status != 0)
		die("queue %u: mailbox status %u", qn, status);
}

struct hisi_zip_sqe *
queue_next(struct queue *q, uint8_t req)
{
	struct hisi_zip_sqe *sqe = &q->sq[q->tail];

	*sqe = (struct hisi_zip_sqe){
		.dw7 = HISI_ZIP_SQE_TYPE3 << HISI_ZIP_DW7_TYPE_SHIFT,
		.dw9 = req | HISI_ZIP_WINDOW_32K << HISI_ZIP_DW9_WINDOW_SHIFT,
	};
	q->tail = (uint16_t)((q->tail + 1) % q->depth);
	return sqe;
}

void
queue_ring_index(struct queue *q, uint16_t index)
{
	uint64_t value = hisi_qm_db(q->qn, HISI_QM_DB_SQ, RAND, index, 0);
	uint32_t qn = q->qn;

	if (hisi_qm_shadow_ring(&q->a->db[q->qn], value) != 0)
		vfio_user_client_region_post(q->a->client, VFIO_USER_PCI_BAR2,
				HISI_QM_SHADOW_REG_WAKE, &qn, sizeof(qn));
}

void
queue_ring(struct queue *q)
{
	queue_ring_index(q, q->tail);
}

const struct hisi_zip_sqe *
queue_pop(struct queue *q, unsigned int ms)
{
	double until = now_s() + ms * 1e-3;
	const struct hisi_zip_sqe *sqe;

	while ((__atomic_load_n(&q->cq[q->head].w7, __ATOMIC_ACQUIRE) & 1) != q->phase) {
		if (now_s() > until)
			return NULL;
		sched_yield();
	}
	sqe = &q->sq[q->cq[q->head].sq_head % q->depth];
	q->head = (uint16_t)((q->head + 1) % q->depth);
	q->phase ^= q->head == 0;
	__atomic_store_n(&q->a->db[q->qn].cq, hisi_qm_db(q->qn, HISI_QM_DB_CQ, RAND, q->head, 0),
			__ATOMIC_RELEASE);
	return sqe;
}

static const struct hisi_zip_sqe *
queue_wait(struct queue *q)
{
	const struct hisi_zip_sqe *sqe;

	queue_ring(q);
	sqe = queue_pop(q, TIMEOUT_MS);
	if (sqe == NULL)
		die("queue %u: no completion in %u ms", q->qn, TIMEOUT_MS);
	return sqe;
}

unsigned int
queue_do(struct queue *q)
{
	return queue_wait(q)->dw3 & HISI_ZIP_STATUS_MASK;
}

struct hisi_udma_sqe *
queue_next_udma(struct queue *q, enum hisi_udma_op op, uint64_t from, uint64_t at, uint32_t len)
{
	struct hisi_udma_sqe *sqe = (struct hisi_udma_sqe *)queue_next(q, 0);

	*sqe = (struct hisi_udma_sqe){
		.dw0 = HISI_UDMA_BD | HISI_UDMA_TASK << HISI_UDMA_DW0_TASK_SHIFT |
			(uint32_t)op << HISI_UDMA_DW0_EXT_SHIFT,
		.len = len,
		.dst_l = (uint32_t)at, .dst_h = (uint32_t)(at >> 32),
		.src_l = (uint32_t)from, .src_h = (uint32_t)(from >> 32),
	};
	return sqe;
}

uint32_t
queue_do_udma(struct queue *q)
{
	return ((const struct hisi_udma_sqe *)queue_wait(q))->wb;
}

void
sqe_compress(struct attacker *a, struct hisi_zip_sqe *sqe, const void *in, uint32_t len,
		void *out, uint32_t room)
{
	hisi_zip_sqe_src(sqe, attacker_iova(a, in), len);
	hisi_zip_sqe_dst(sqe, attacker_iova(a, out), room);
}

void
attacker_must_work(struct attacker *a, uint16_t qn)
{
	uint8_t *in = attacker_alloc(a, 4096, 64), *out = attacker_alloc(a, 8192, 64);
	unsigned int status;
	struct queue q;

	fill_text(in, 4096, qn + 1u);
	queue_start(&q, a, qn, HISI_ZIP_QC_COMPRESS, 16);
	sqe_compress(a, queue_next(&q, HISI_ZIP_REQ_ZLIB), in, 4096, out, 8192);
	status = queue_do(&q);
	if (status != HISI_ZIP_OK)
		die("a proper request got status 0x%x", status);
}

/* ---- A socket ---- */

int
raw_connect(const struct target *t)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", t->path);
	if (sock < 0 || connect(sock, (const struct sockaddr *)&addr, sizeof(addr)) != 0)
		die("%s: connect: %s", t->path, strerror(errno));
	return sock;
}

ssize_t
raw_send(int sock, const void *buf, size_t len, const int *fds, unsigned int nfds, int flags)
{
	union {
		struct cmsghdr hdr;
		char room[CMSG_SPACE(64 * sizeof(int))];
	} anc = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)buf, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (nfds != 0) {
		msg.msg_control = &anc;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		anc.hdr.cmsg_level = SOL_SOCKET;
		anc.hdr.cmsg_type = SCM_RIGHTS;
		anc.hdr.cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(&anc.hdr), fds, nfds * sizeof(int));
	}
	n = sendmsg(sock, &msg, MSG_NOSIGNAL | flags);
	return n < 0 ? -errno : n;
}

size_t
raw_message(uint8_t *buf, uint16_t id, uint16_t cmd, uint32_t flags, const void *body, size_t len)
{
	const struct vfio_user_hdr hdr = {
		.id = id, .cmd = cmd, .size = (uint32_t)(sizeof(hdr) + len), .flags = flags,
	};

	memcpy(buf, &hdr, sizeof(hdr));
	if (len != 0)
		memcpy(buf + sizeof(hdr), body, len);
	return sizeof(hdr) + len;
}

size_t
raw_version(uint8_t *buf)
{
	static const char caps[] = "{\"capabilities\":{\"max_msg_fds\":16,"
		"\"spim\":{\"version\":1}}}";
	uint8_t body[sizeof(struct vfio_user_version) + sizeof(caps)] = { 0 };

	memcpy(body + sizeof(struct vfio_user_version), caps, sizeof(caps));
	return raw_message(buf, 1, VFIO_USER_VERSION, VFIO_USER_F_REQUEST, body, sizeof(body));
}

void
raw_negotiate(int sock)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	uint8_t buf[512];

	raw_send(sock, buf, raw_version(buf), NULL, 0, 0);
	if (poll(&pfd, 1, TIMEOUT_MS) != 1 || !raw_drain(sock))
		die("no answer to VERSION");
}

bool
raw_drain(int sock)
{
	union {
		struct cmsghdr hdr;
		char room[CMSG_SPACE(64 * sizeof(int))];
	} anc;
	char buf[65536];

	for (;;) {
		struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &anc,
			.msg_controllen = sizeof(anc) };
		ssize_t n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		struct cmsghdr *c;

		if (n == 0 || (n < 0 && errno != EAGAIN))
			return false;
		if (n < 0)
			return true;
		for (c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
			size_t cnt = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

			for (size_t i = 0; c->cmsg_type == SCM_RIGHTS && i < cnt; i++) {
				int fd;

				memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
				close(fd);
			}
		}
	}
}
