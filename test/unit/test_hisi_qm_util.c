/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <pthread.h>
#include <time.h>

#include "test_hisi_qm_util.h"

struct fake *f;

/*
 * The library's clock and sleep are these (--wrap): a time-out of seconds takes none,
 * and its length can be asserted.
 */
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_nanosleep(const struct timespec *req, struct timespec *rem);

int
__wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	assert_int_equal(id, CLOCK_MONOTONIC);
	ts->tv_sec = (time_t)(f->now / 1000000000);
	ts->tv_nsec = (long)(f->now % 1000000000);
	return 0;
}

int
__wrap_nanosleep(const struct timespec *req, struct timespec *rem)
{
	(void)rem;
	f->now += (uint64_t)req->tv_sec * 1000000000 + (uint64_t)req->tv_nsec;
	f->slept += (uint64_t)req->tv_sec * 1000000000 + (uint64_t)req->tv_nsec;
	return 0;
}

static void __attribute__((format(printf, 1, 2)))
did(const char *fmt, ...)
{
	va_list ap;

	if (f->quiet)
		return;
	va_start(ap, fmt);
	f->did_len += (size_t)vsnprintf(f->did + f->did_len, sizeof(f->did) - f->did_len, fmt, ap);
	va_end(ap);
	assert_true(f->did_len < sizeof(f->did));
}

static void
keep_line(enum base_log_level level, const char *line, void *priv)
{
	assert_null(priv);
	snprintf(f->line, sizeof(f->line), "%s", line);
	f->line_error = level == BASE_LOG_ERR;
	f->lines++;
}

const struct base_log fake_log = { .line = keep_line };

static int
fake_alloc(void *priv, size_t len, size_t align, int socket, struct hisi_qm_mem *mem)
{
	unsigned int n = f->allocs;

	assert_ptr_equal(priv, f);
	did("alloc %zu %zu %d\n", len, align, socket);
	if (f->alloc_result != 0)
		return f->alloc_result;
	assert_true(n < FAKE_ALLOCS);
	assert_int_equal(posix_memalign(&mem->va, align < 64 ? 64 : align, len), 0);
	memset(mem->va, 0, len);
	mem->iova = FAKE_IOVA(n);
	mem->len = len;
	mem->handle = &f->mems[n];
	f->mems[n] = *mem;
	f->allocs++;
	f->held++;
	return 0;
}

static void
fake_free(void *priv, struct hisi_qm_mem *mem)
{
	struct hisi_qm_mem *was = mem->handle;
	unsigned int n = (unsigned int)(was - f->mems);

	assert_ptr_equal(priv, f);
	assert_true(n < f->allocs);
	assert_non_null(was->va);
	assert_memory_equal(mem, was, sizeof(*mem));
	did("free %u\n", n);
	free(was->va);
	was->va = NULL;
	f->held--;
}

static uint32_t
fake_read32(struct hisi_qm_io *io, uint32_t off)
{
	assert_ptr_equal(io, &f->io);
	assert_int_equal(off % 4, 0);
	f->reads++;
	if (f->gone)
		return UINT32_MAX;
	if (f->busy_until != 0 && f->now >= f->busy_until) {
		f->busy_until = 0;
		f->mb[0] &= ~HISI_QM_MB_BUSY;
	}
	/* Not the first time, when the time-out begins. */
	if ((f->mb[0] & HISI_QM_MB_BUSY) != 0 && off == HISI_QM_MAILBOX && f->slept != 0) {
		f->now += f->steal_ms * 1000000;
		f->steal_ms = 0;
	}
	if (off >= HISI_QM_MAILBOX && off < HISI_QM_MAILBOX + 16)
		return f->mb[(off - HISI_QM_MAILBOX) / 4];
	assert_int_equal(off, HISI_QM_CACHE_WB_DONE);
	return f->wb_done;
}

static void
fake_write32(struct hisi_qm_io *io, uint32_t off, uint32_t value)
{
	assert_ptr_equal(io, &f->io);
	assert_int_equal(off % 4, 0);
	did("w %x=%x\n", off, value);
}

static void
fake_write64(struct hisi_qm_io *io, uint32_t off, uint64_t value)
{
	assert_ptr_equal(io, &f->io);
	did("W %x=%llx\n", off, (unsigned long long)value);
}

/* What the device finds at an address. */
static void *
at_iova(uint64_t iova, size_t len)
{
	for (unsigned int i = 0; i < f->allocs; i++) {
		uint64_t off = iova - f->mems[i].iova;

		if (f->mems[i].va != NULL && iova >= f->mems[i].iova &&
				off + len <= f->mems[i].len)
			return (char *)f->mems[i].va + off;
	}
	fail_msg("the device is sent to 0x%llx", (unsigned long long)iova);
	return NULL;
}

static void
answer(uint64_t value)
{
	f->mb[1] = (uint32_t)value;
	f->mb[2] = (uint32_t)(value >> 32);
}

static void
dump(unsigned int cmd, void *image)
{
	struct hisi_qm_sqc sqc = { .tail = f->sq_tail, .w11 = f->sq_w11 };
	struct hisi_qm_cqc cqc = { .tail = f->sq_tail, .w11 = f->sq_w11 };

	if (cmd == HISI_QM_MB_SQC) {
		memcpy(image, &sqc, sizeof(sqc));
		return;
	}
	f->now += f->steal_ms * 1000000;
	f->steal_ms = 0;
	if (f->dumps_left > 0) {
		cqc = *f->dumps;
		if (f->dumps_left > 1) {
			f->dumps_left--;
			f->dumps++;
		}
	}
	memcpy(image, &cqc, sizeof(cqc));
}

static void
execute(const struct hisi_qm_mailbox *mb)
{
	unsigned int cmd = mb->w0 & HISI_QM_MB_CMD_MASK;
	uint64_t base = mb->base_l | (uint64_t)mb->base_h << 32;
	bool get = mb->w0 & HISI_QM_MB_OP_READ;

	if (cmd == HISI_QM_MB_SQC_VFT)
		answer(f->vft);
	else if (cmd == HISI_QM_MB_SQC_BT && get)
		answer(f->bt);
	else if (cmd == HISI_QM_MB_SQC_BT)
		f->bt = base;
	else if (cmd == HISI_QM_MB_SQC && !get)
		memcpy(&f->sqc[mb->queue_num], at_iova(base, 32), 32);
	else if (cmd == HISI_QM_MB_CQC && !get)
		memcpy(&f->cqc[mb->queue_num], at_iova(base, 32), 32);
	else if (cmd == HISI_QM_MB_EQC)
		memcpy(&f->eqc, at_iova(base, 32), 32);
	else if (cmd == HISI_QM_MB_SQC || cmd == HISI_QM_MB_CQC)
		dump(cmd, at_iova(base, 32));
}

static int
fake_mailbox(struct hisi_qm_io *io, const struct hisi_qm_mailbox *mb)
{
	bool fault = f->fault_at == 0 || f->fault_cmd == (int)(mb->w0 & HISI_QM_MB_CMD_MASK);

	assert_ptr_equal(io, &f->io);
	assert_int_equal(f->mb[0] & HISI_QM_MB_BUSY, 0);
	assert_int_equal(mb->rsvd, 0);
	if (f->qm != NULL)
		assert_int_equal(pthread_mutex_trylock(&f->qm->lock), EBUSY);
	did("mb %x q%u %llx\n", mb->w0, mb->queue_num,
		(unsigned long long)(mb->base_l | (uint64_t)mb->base_h << 32));
	f->commands++;
	if (fault && f->fault == FAKE_UNSENT) {
		f->fault_at--;
		return -f->status;
	}
	memcpy(f->mb, mb, sizeof(f->mb));
	if (f->fault_at >= 0)
		f->fault_at--;
	if (fault && f->fault == FAKE_STATUS) {
		f->mb[0] = (f->mb[0] & ~HISI_QM_MB_BUSY) |
			(uint32_t)f->status << HISI_QM_MB_STATUS_SHIFT;
		return 0;
	}
	if (fault && f->fault == FAKE_BUSY)
		f->busy_until = UINT64_MAX;
	if (fault && f->fault == FAKE_GONE)
		f->gone = true;
	if (fault && f->fault == FAKE_LATE)
		f->busy_until = f->now + f->busy_ms * 1000000;
	if (fault && f->fault != FAKE_LATE)
		return 0;
	if (!fault)
		f->mb[0] &= ~HISI_QM_MB_BUSY;
	execute(mb);
	return 0;
}

static int
fake_doorbells(struct hisi_qm_io *io, uint16_t qn, volatile uint64_t **sq, volatile uint64_t **cq)
{
	assert_ptr_equal(io, &f->io);
	assert_true(qn < HISI_QM_QUEUES_MAX);
	*sq = &f->db[qn][0];
	*cq = &f->db[qn][8];
	return f->doorbells_result;
}

static int
fake_reset(struct hisi_qm_io *io)
{
	assert_ptr_equal(io, &f->io);
	did("reset\n");
	f->resets++;
	if (f->reset_result != 0)
		return f->reset_result;
	f->fault_cmd = -1;
	f->busy_until = 0;
	f->gone = false;
	f->mb[0] = 0;
	f->bt = 0;
	return 0;
}

static int
setup(unsigned int queues)
{
	f = aligned_alloc(_Alignof(struct fake), sizeof(*f));
	if (f == NULL)
		return -1;
	memset(f, 0, sizeof(*f));
	f->ops = (struct hisi_qm_io_ops){
		.read32 = fake_read32,
		.write32 = fake_write32,
		.write64 = fake_write64,
		.mailbox = fake_mailbox,
		.doorbells = fake_doorbells,
		.reset = fake_reset,
	};
	f->mem = (struct hisi_qm_mem_ops){ .alloc = fake_alloc, .free = fake_free, .priv = f };
	f->io = (struct hisi_qm_io){ .ops = &f->ops, .name = "fake", .revision = HISI_QM_REV_V3 };
	f->fault_at = f->fault_cmd = -1;
	f->now = 123456789012345;
	f->wb_done = 1;
	fake_queues(queues);
	return 0;
}

/* An unlock finds the mutex locked. */
int __real_pthread_mutex_unlock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock);

int
__wrap_pthread_mutex_unlock(pthread_mutex_t *lock)
{
	int ret;

	assert_int_equal(pthread_mutex_trylock(lock), EBUSY);
	ret = __real_pthread_mutex_unlock(lock);
	if (f != NULL && f->reset_behind) {
		f->reset_behind = false;
		f->qm->resets++;
	}
	return ret;
}

int
fake_setup(void **state)
{
	(void)state;
	return setup(4);
}

int
fake_teardown(void **state)
{
	(void)state;
	assert_int_equal(f->held, 0);
	free(f);
	f = NULL;
	return 0;
}

void
fake_queues(unsigned int queues)
{
	/* With a first queue, which is for information only (QM 2.4). */
	f->vft = HISI_QM_VFT_VALID | 0x8421ull << HISI_QM_VFT_BASE_SHIFT |
		(uint64_t)(queues - 1) << HISI_QM_VFT_NUM_SHIFT;
}

void
fake_fault(int n, enum fake_fault fault)
{
	f->fault_at = n;
	f->fault = fault;
}

void
fake_forget(void)
{
	f->did[0] = '\0';
	f->did_len = 0;
	f->lines = 0;
	f->line[0] = '\0';
}

void
fake_did(const char *expected)
{
	assert_string_equal(f->did, expected);
	f->did[0] = '\0';
	f->did_len = 0;
}

void
fake_unlocked(struct hisi_qm *qm)
{
	assert_int_equal(pthread_mutex_trylock(&qm->lock), 0);
	pthread_mutex_unlock(&qm->lock);
}

void
fake_up(struct hisi_qm *qm)
{
	assert_int_equal(hisi_qm_init(qm, &f->io, &f->mem, &fake_log), 0);
	f->qm = qm;
	fake_forget();
}

void
fake_start(struct hisi_qm *qm, struct hisi_qm_qp *qp)
{
	assert_int_equal(hisi_qm_qp_start(qm, qp, 0, 16, -1), 0);
	fake_unlocked(qm);
	fake_forget();
}

void
fake_down(struct hisi_qm *qm, struct hisi_qm_qp *qp, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		hisi_qm_qp_free(qm, &qp[i]);
		fake_unlocked(qm);
	}
	for (size_t i = 0; i < sizeof(qm->used) / sizeof(qm->used[0]); i++)
		assert_int_equal(qm->used[i], 0);
	f->qm = NULL;
	hisi_qm_fini(qm);
}
