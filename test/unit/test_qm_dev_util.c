/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "test_qm_dev_util.h"

#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "test_qm_dev_left.h"
#include "qm_dev_queue.h"
#include "qm_dev_pci.h"
#include "qm_dev_pool.h"

#define GUARD  (16u << 20)
#define WAIT_S 60 /* far beyond what a completion takes under any sanitizer */
#define MB_TURNS_MAX 1000000u /* the same, of turns of qm_dev_wait() */

static void
log_quiet(enum base_log_level level, const char *line, void *priv)
{
	(void)level;
	(void)priv;
	assert_non_null(strchr(line, ':')); /* every line names the device first */
}

/* Of the td_conf() that was asked for last. */
static _Thread_local struct zip_dev_conf zip_conf;

struct qm_dev_conf
td_conf(unsigned int workers)
{
	zip_conf = (struct zip_dev_conf){ 0 };
	return (struct qm_dev_conf){
		.name = "test", .classes = { { &zip_dev_class, &zip_conf } },
		.revision = HISI_QM_REV_V3, .ext = 1, .queues = 4,
		.workers = (uint16_t)workers, .log = { .line = log_quiet },
	};
}

struct zip_dev_conf *
td_zip(struct qm_dev_conf *conf)
{
	assert_ptr_equal(conf->classes[0].conf, &zip_conf);
	return &zip_conf;
}

/* ---- What is left when the last function of a test has ended ---- */

static struct {
	unsigned int depth;      /* functions that the main thread has open */
	bool valid;
	struct left left;
	struct qm_dev_quota *quota;
	uint64_t used[QM_DEV_RESOURCES];
} before;

/* Functions that other threads have open: then nothing can be said. */
static _Atomic unsigned int others;

static bool
in_main_thread(void)
{
	return gettid() == getpid();
}

static void
baseline_take(const struct qm_dev_conf *conf)
{
	if (!in_main_thread()) {
		others++;
		return;
	}
	if (before.depth++ != 0)
		return;
	before.valid = others == 0;
	before.left = left_now();
	before.quota = conf->quota;
	for (unsigned int r = 0; conf->quota != NULL && r < QM_DEV_RESOURCES; r++)
		before.used[r] = conf->quota->used[r];
}

static void
baseline_check(struct qm_dev_group *group)
{
	struct qm_dev_group_stats gs;

	if (!in_main_thread()) {
		others--;
		return;
	}
	if (--before.depth != 0 || !before.valid || others != 0)
		return;
	left_check(&before.left);
	for (unsigned int r = 0; before.quota != NULL && r < QM_DEV_RESOURCES; r++)
		assert_int_equal(before.quota->used[r], before.used[r]);
	if (group == NULL)
		return;
	qm_dev_group_stats_get(group, &gs);
	assert_int_equal(gs.functions, 0);
	assert_int_equal(gs.queues_live, 0);
}

int
td_unmap(struct qm_dev *dev, uint64_t iova, uint64_t size)
{
	unsigned int turns = 0;
	uint64_t ticket;
	int rc = qm_dev_dma_unmap_start(dev, iova, size, &ticket, NULL);

	if (rc >= 0)
		while (!qm_dev_dma_unmap_done(dev, ticket))
			qm_dev_wait(&turns);
	return rc;
}

/* Nothing is held and every account is right, if the function has nothing to do. */
static void
check_accounts(struct qm_dev *dev)
{
	uint32_t live = 0, taken = 0, slots = 0;
	time_t end = time(NULL) + WAIT_S;
	const struct qm_dev_view *v;

	for (unsigned int i = 0; i < dev->conf.queues; i++) {
		const struct qm_dev_queue *q = qm_dev_queue_find(dev, i);

		if (q == NULL)
			continue;
		if (q->ring.waiting != 0 || q->ring.inflight != 0 || (q->sched.running &&
				qm_dev_queue_peek(q)))
			return;
		live += q->sched.running;
		taken += q->counted != 0;
		slots += q->counted;
	}
	assert_int_equal(dev->queues_live, live);
	assert_int_equal(dev->queues_taken, taken);
	assert_int_equal(dev->slots_taken, slots);
	/* A worker may need a moment to let go of what it looked at last. */
	while (!qm_dev_dma_unmap_done(dev, UINT64_MAX))
		assert_true(time(NULL) < end);
	SLIST_FOREACH(v, &dev->map.views, link)
		assert_null(v->held);
}

void
td_open(struct td *td, const struct qm_dev_conf *conf, size_t size)
{
	baseline_take(conf);
	*td = (struct td){ .workers = conf->workers, .revision = conf->revision,
		.wake = conf->wake != 0, .group = conf->group, .size = size };
	/* Whoever leaves the arena by less than GUARD bytes dies. */
	td->arena = mmap(NULL, size + 2 * GUARD, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(td->arena != MAP_FAILED);
	td->arena += GUARD;
	assert_int_equal(mprotect(td->arena, size, PROT_READ | PROT_WRITE), 0);
	assert_int_equal(qm_dev_create(conf, &td->dev), 0);
	assert_int_equal(qm_dev_dma_map(td->dev, TD_IOVA, size, td->arena,
			QM_DEV_PROT_READ | QM_DEV_PROT_WRITE), 0);
}

void
td_close(struct td *td)
{
	check_accounts(td->dev);
	qm_dev_destroy(td->dev);
	munmap(td->arena - GUARD, td->size + 2 * GUARD);
	baseline_check(td->group);
}

int
td_setup(void **state, struct td *td, size_t size)
{
	struct qm_dev_conf conf = td_conf(0);

	*state = td;
	td_open(td, &conf, size);
	return 0;
}

int
td_teardown(void **state)
{
	td_close(*state);
	return 0;
}

void *
td_alloc(struct td *td, size_t size, size_t align)
{
	size_t at = (td->used + align - 1) / align * align;

	assert_true(at + size <= td->size);
	td->used = at + size;
	return memset(td->arena + at, 0, size);
}

uint64_t
td_iova(const struct td *td, const void *va)
{
	return TD_IOVA + (uint64_t)((const uint8_t *)va - td->arena);
}

uint32_t
td_rd(const struct td *td, uint32_t off)
{
	return (uint32_t)qm_dev_read(td->dev, off, 4);
}

void
td_wr(const struct td *td, uint32_t off, uint32_t value)
{
	qm_dev_write(td->dev, off, 4, value);
}

uint32_t
td_cfg(const struct td *td, uint32_t off, size_t len)
{
	uint32_t v = 0;

	assert_int_equal(qm_dev_pci_config_read(td->dev, off, &v, len), 0);
	return v;
}

void
td_cfg_wr(const struct td *td, uint32_t off, size_t len, uint32_t value)
{
	int rc = qm_dev_pci_config_write(td->dev, off, &value, len);

	assert_true(rc == 0 || rc == QM_DEV_PCI_RESET);
	while (rc == QM_DEV_PCI_RESET && !qm_dev_pci_reset(td->dev))
		qm_dev_relax();
}

struct qm_dev_stats
td_stats(const struct td *td)
{
	struct qm_dev_stats s;

	qm_dev_stats_get(td->dev, &s);
	return s;
}

unsigned int
td_mb(struct td *td, enum hisi_qm_mb_cmd cmd, uint16_t qn, uint64_t base, bool read)
{
	struct hisi_qm_mailbox mb = {
		.w0 = (uint16_t)(cmd | HISI_QM_MB_BUSY | (read ? HISI_QM_MB_OP_READ : 0)),
		.queue_num = qn, .base_l = (uint32_t)base, .base_h = (uint32_t)(base >> 32),
	};

	qm_dev_mailbox(td->dev, &mb);
	return td_mb_done(td);
}

unsigned int
td_mb_done(struct td *td)
{
	unsigned int turns = 0;
	uint64_t w0;

	while (((w0 = qm_dev_read(td->dev, HISI_QM_MAILBOX, 4)) & HISI_QM_MB_BUSY) != 0) {
		assert_true(turns < MB_TURNS_MAX);
		qm_dev_wait(&turns);
	}
	return w0 >> HISI_QM_MB_STATUS_SHIFT & HISI_QM_MB_STATUS_MASK;
}

unsigned int
td_set_eq(struct td *td, enum qm_dev_irq which, uint64_t base, uint32_t depth)
{
	size_t mark = td->used;
	struct hisi_qm_eqc *eqc = td_alloc(td, sizeof(*eqc), 32);
	unsigned int st;

	eqc->base_l = (uint32_t)base;
	eqc->base_h = (uint32_t)(base >> 32);
	eqc->dw6 = (depth - 1) | HISI_QM_EQC_PHASE;
	st = td_mb(td, which == QM_DEV_IRQ_EQ ? HISI_QM_MB_EQC : HISI_QM_MB_AEQC, 0,
			td_iova(td, eqc), false);
	td->used = mark;
	return st;
}

void
tq_start(struct tq *q, struct td *td, uint16_t qn, enum hisi_zip_qc_type type, uint16_t depth)
{
	*q = (struct tq){ .td = td, .qn = qn, .depth = depth };
	q->sq = td_alloc(td, depth * sizeof(*q->sq), 4096);
	q->cq = td_alloc(td, depth * sizeof(*q->cq), 4096);
	q->db = qm_dev_doorbell(td->dev, qn);
	assert_non_null(q->db);
	assert_int_equal(tq_restart(q, type), 0);
}

unsigned int
tq_set(struct tq *q, enum hisi_zip_qc_type type, uint64_t sq, uint64_t cq)
{
	struct td *td = q->td;
	size_t mark = td->used;
	struct hisi_qm_sqc *sqc = td_alloc(td, sizeof(*sqc), 32);
	struct hisi_qm_cqc *cqc = td_alloc(td, sizeof(*cqc), 32);
	unsigned int st;

	q->tail = q->head = 0;
	q->phase = 1;
	*sqc = (struct hisi_qm_sqc){
		.base_l = (uint32_t)sq, .base_h = (uint32_t)(sq >> 32),
		.dw3 = (q->depth - 1u) | HISI_QM_SQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT,
		.w8 = TD_RAND, .cq_num = q->qn,
		.w13 = (uint16_t)(HISI_QM_SQC_ORDER | type << HISI_QM_SQC_TYPE_SHIFT),
	};
	*cqc = (struct hisi_qm_cqc){
		.base_l = (uint32_t)cq, .base_h = (uint32_t)(cq >> 32),
		.dw3 = (q->depth - 1u) | HISI_QM_CQE_LOG2 << HISI_QM_CTX_ENTRY_SHIFT,
		.w8 = TD_RAND, .dw6 = HISI_QM_CQC_PHASE | (q->armed ? HISI_QM_CQC_C_FLAG : 0),
	};
	st = td_mb(td, HISI_QM_MB_SQC, q->qn, td_iova(td, sqc), false);
	if (st == 0)
		st = td_mb(td, HISI_QM_MB_CQC, q->qn, td_iova(td, cqc), false);
	td->used = mark; /* the device has copied them */
	return st;
}

unsigned int
tq_restart(struct tq *q, enum hisi_zip_qc_type type)
{
	memset(q->cq, 0, q->depth * sizeof(*q->cq));
	return tq_set(q, type, td_iova(q->td, q->sq), td_iova(q->td, q->cq));
}

struct hisi_zip_sqe *
tq_slot(struct tq *q, uint32_t req)
{
	struct hisi_zip_sqe *sqe = &q->sq[q->tail];

	memset(sqe, 0, sizeof(*sqe));
	sqe->dw9 = req;
	if (q->td->revision >= HISI_QM_REV_V3)
		sqe->dw7 = HISI_ZIP_SQE_TYPE3 << HISI_ZIP_DW7_TYPE_SHIFT;
	return sqe;
}

struct hisi_zip_sqe *
tq_push(struct tq *q)
{
	struct hisi_zip_sqe *sqe = &q->sq[q->tail];

	q->tail = (uint16_t)(q->tail + 1 == q->depth ? 0 : q->tail + 1);
	return sqe;
}

void
tq_ring(struct tq *q)
{
	uint64_t value = hisi_qm_db(q->qn, HISI_QM_DB_SQ, TD_RAND, q->tail, 0);

	if (!q->td->wake)
		__atomic_store_n(&q->db->sq, value, __ATOMIC_RELEASE);
	else if (hisi_qm_shadow_ring(q->db, value))
		qm_dev_write(q->td->dev, HISI_QM_SHADOW_REG_WAKE, 4, q->qn);
}

bool
tq_ready(struct tq *q)
{
	if (q->td->workers == 0)
		qm_dev_poll(q->td->dev, q->qn, 1);
	return (__atomic_load_n(&q->cq[q->head].w7, __ATOMIC_ACQUIRE) & HISI_QM_CQE_PHASE) ==
		q->phase;
}

struct hisi_zip_sqe *
tq_pop(struct tq *q)
{
	time_t end = time(NULL) + WAIT_S;
	const struct hisi_qm_cqe *cqe = &q->cq[q->head];

	while (!tq_ready(q)) {
		if (time(NULL) > end)
			return NULL;
		sched_yield();
	}
	assert_int_equal(cqe->sq_num, q->qn);
	assert_true(cqe->sq_head < q->depth);
	if (++q->head == q->depth) {
		q->head = 0;
		q->phase ^= 1;
	}
	__atomic_store_n(&q->db->cq, hisi_qm_db(q->qn, HISI_QM_DB_CQ, TD_RAND, q->head, 0),
			__ATOMIC_RELEASE);
	return &q->sq[cqe->sq_head];
}

struct hisi_zip_sqe *
tq_do(struct tq *q)
{
	struct hisi_zip_sqe *sqe = tq_push(q), *done;

	tq_ring(q);
	done = tq_pop(q);
	assert_ptr_equal(done, sqe);
	return done;
}

uint32_t
ext_level(unsigned int level)
{
	return HISI_ZIP_EXT_VALID | 15u << HISI_ZIP_EXT_WINDOW_SHIFT |
		level << HISI_ZIP_EXT_LEVEL_SHIFT;
}

uint64_t
td_sgl(struct td *td, const void *va, size_t len, unsigned int cnt, unsigned int per_sgl)
{
	uint64_t first = 0, at = td_iova(td, va);
	struct hisi_acc_sgl *prev = NULL;
	size_t left = len;

	while (cnt != 0) {
		unsigned int n = cnt < per_sgl ? cnt : per_sgl;
		struct hisi_acc_sgl *sgl = td_alloc(td, sizeof(*sgl) +
				n * sizeof(struct hisi_acc_sge), HISI_ACC_SGL_ALIGN);
		struct hisi_acc_sge *sge = (struct hisi_acc_sge *)(sgl + 1);

		sgl->entry_sum_in_chain = (uint16_t)cnt;
		sgl->entry_sum_in_sgl = (uint16_t)n;
		sgl->entry_length_in_sgl = (uint16_t)n;
		for (unsigned int i = 0; i < n; i++, cnt--) {
			sge[i].buf = at;
			sge[i].len = (uint32_t)(left / cnt);
			at += sge[i].len;
			left -= sge[i].len;
		}
		if (prev != NULL)
			prev->next_dma = td_iova(td, sgl);
		else
			first = td_iova(td, sgl);
		prev = sgl;
	}
	return first;
}

uint32_t
rnd(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

uint32_t
wild_len(uint32_t *state, uint32_t max, uint32_t few)
{
	switch (rnd(state) % 8) {
	case 0: return rnd(state);
	case 1: return max - 2 + rnd(state) % 4;
	case 2: return rnd(state) % few;
	default: return rnd(state) % 70000;
	}
}

void
fill_text(uint8_t *buf, size_t len, uint32_t seed)
{
	static const char *const words[] = { "queue ", "doorbell ", "of ", "the ", "ring ", "a ",
		"completion ", "window\n", "stream ", "block ", "is ", "0x1000 " };
	uint32_t state = seed * 2654435761u + 1;
	size_t at = 0;

	while (at < len) {
		const char *w = words[rnd(&state) % (sizeof(words) / sizeof(words[0]))];

		while (*w != 0 && at < len)
			buf[at++] = (uint8_t)*w++;
	}
}

void
fill_noise(uint8_t *buf, size_t len, uint32_t seed)
{
	uint32_t state = seed * 2654435761u + 1;

	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(rnd(&state) >> 11);
}

size_t
z_deflate(int wbits, const uint8_t *src, size_t len, uint8_t *dst, size_t cap)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)src, .avail_in = (uInt)len,
		.next_out = dst, .avail_out = (uInt)cap };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

size_t
z_inflate(int wbits, const uint8_t *src, size_t len, uint8_t *dst, size_t cap)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)src, .avail_in = (uInt)len,
		.next_out = dst, .avail_out = (uInt)cap };
	int rc;

	assert_int_equal(inflateInit2(&z, wbits), Z_OK);
	rc = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	return rc == Z_STREAM_END ? z.total_out : SIZE_MAX;
}
