/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "hisi_zip_request.h"
#include "hisi_zip_result.h"
#include "spim.h"
#include "spimdev.h"

/* What an op may ask for besides the job of its queue. */
#define FEATURES_NEEDED (HISI_ZIP_EXT_F_LEVEL | HISI_ZIP_EXT_F_FLUSH)

#define WINDOW_BITS 15

/* Polls in vain after which one asks whether the function is still there. */
#define POLLS_PER_CHECK 1024

struct spim_zip {
	struct spim_dev *dev;
	struct hisi_zip_function function;
	bool armed; /* there may be events to take */
	void (*log)(int error, const char *line); /* spim_zip_conf.log */
};

/* An op in flight. It may lie in memory that the function shares: what was asked is kept here. */
struct flight {
	struct spim_zip_op *op;
	struct hisi_zip_asked asked;
};

struct spim_zip_queue {
	struct spim_zip *z;
	struct spim_queue *queue;
	enum hisi_zip_dir dir;
	struct hisi_zip_words words; /* of all its requests */
	uint16_t limit;              /* ops in flight */
	uint16_t used;
	unsigned int polls;          /* in vain */
	uint16_t mask;               /* of flights; the ring may have more slots */
	struct flight flights[];     /* by ring slot */
};

/* What all requests of a queue ask for. Their level comes with the op. */
static struct hisi_zip_job
spim_job_of(enum hisi_zip_dir dir)
{
	return (struct hisi_zip_job){
		.dir = dir,
		.format = HISI_ZIP_FORMAT_DEFLATE,
		.checksums = HISI_ZIP_EXT_CRC32,
		.window = WINDOW_BITS,
	};
}

static void
public_log(enum base_log_level level, const char *line, void *priv)
{
	const struct spim_zip *z = priv;

	z->log(level == BASE_LOG_ERR, line);
}

int
spim_zip_open(const char *name, const struct spim_zip_conf *conf, struct spim_zip **out)
{
	struct spim_conf c = {
		.owner = conf != NULL && conf->name != NULL ? conf->name : "spimdev",
		.device = HISI_PCI_DEVICE_ZIP_VF,
		.local.workers = conf != NULL && conf->threads != 0 ? conf->threads : 1,
	};
	const struct hisi_zip_job job = spim_job_of(HISI_ZIP_COMP);
	struct spim_zip *z = calloc(1, sizeof(*z));
	struct spim_info info;
	int ret;

	if (z == NULL)
		return -ENOMEM;
	if (conf != NULL && conf->log != NULL) {
		z->log = conf->log;
		c.log = (struct base_log){ public_log, z };
	}
	ret = spim_open(name, &c, &z->dev);
	if (ret != 0) {
		free(z);
		return ret;
	}
	spim_info_get(z->dev, &info);
	z->function.revision = info.revision;
	z->function.features = info.ext_features & HISI_ZIP_EXT_F_ALL;
	if (!hisi_zip_can(&z->function, &job, FEATURES_NEEDED) || !info.va) {
		spim_zip_close(z);
		return -ENOTSUP;
	}
	*out = z;
	return 0;
}

void
spim_zip_close(struct spim_zip *z)
{
	if (z == NULL)
		return;
	spim_close(z->dev);
	free(z);
}

void *
spim_zip_alloc(struct spim_zip *z, size_t len)
{
	return spim_mem_alloc(z->dev, len);
}

void
spim_zip_free(struct spim_zip *z, void *mem)
{
	spim_mem_free(z->dev, mem);
}

int
spim_zip_queue_take(struct spim_zip *z, enum spim_zip_dir dir, uint16_t depth,
		struct spim_zip_queue **out)
{
	uint16_t slots = HISI_QM_RING_DEPTH_MIN;
	struct spim_zip_queue *q;
	struct hisi_zip_job job;
	int ret;

	if (depth == 0 || depth >= HISI_QM_RING_DEPTH_MAX || dir > SPIM_ZIP_DECOMPRESS)
		return -EINVAL;
	while (slots <= depth) /* one stays free (QM 4.3) */
		slots = (uint16_t)(slots * 2);
	q = calloc(1, sizeof(*q) + slots * sizeof(q->flights[0]));
	if (q == NULL)
		return -ENOMEM;
	q->z = z;
	q->dir = dir == SPIM_ZIP_COMPRESS ? HISI_ZIP_COMP : HISI_ZIP_DECOMP;
	job = spim_job_of(q->dir);
	hisi_zip_words_set(&q->words, &z->function, &job);
	q->limit = depth;
	q->mask = (uint16_t)(slots - 1);
	ret = spim_queue_take(z->dev, (uint8_t)q->dir, slots, -1, &q->queue);
	if (ret != 0) {
		free(q);
		return ret;
	}
	*out = q;
	return 0;
}

void
spim_zip_queue_put(struct spim_zip_queue *q)
{
	int ret;

	if (q == NULL)
		return;
	ret = spim_queue_stop(q->z->dev, q->queue);
	/* A function that may still write to its rings keeps them, as long as it is open. */
	if (ret == 0 || ret == -ENODEV)
		spim_queue_put(q->z->dev, q->queue);
	free(q);
}

/*
 * One word or byte of an op, which the function may write to at any time, read once: what is
 * checked is what is used.
 */
static uint32_t
word(const uint32_t *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

static uint8_t
byte(const uint8_t *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

int
spim_zip_submit(struct spim_zip_queue *q, struct spim_zip_op *op)
{
	struct hisi_qm_ring *ring = q->queue->ring;
	uint16_t slot = ring->sq_tail;
	struct hisi_zip_sqe *sqe = hisi_qm_sq_slot(ring, slot);
	struct flight *flight = &q->flights[slot & q->mask];
	const uint32_t src_len = word(&op->src_len);
	const uint8_t level = byte(&op->level), last = byte(&op->last);

	if (q->used == q->limit)
		return -EAGAIN;
	if (src_len > SPIM_ZIP_LEN_MAX || level > SPIM_ZIP_LEVEL_MAX || last > 1)
		return -EINVAL;
	flight->op = op;
	*sqe = (struct hisi_zip_sqe){ 0 };
	hisi_zip_req_buffers(sqe, &flight->asked, (uintptr_t)op->src, src_len,
		(uintptr_t)op->dst, word(&op->dst_len));
	hisi_zip_req_words(sqe, &q->words);
	hisi_zip_req_level(sqe, level);
	if (q->dir == HISI_ZIP_COMP && !last)
		hisi_zip_req_flush_full(sqe);
	q->used++;
	ring->sq_tail = (slot + 1) & ring->mask;
	hisi_qm_sq_ring(ring);
	return 0;
}

/* The status of an op whose request ended like this. */
static uint8_t
spim_status_of(enum hisi_zip_outcome outcome)
{
	switch (outcome) {
	case HISI_ZIP_DONE:
		return SPIM_ZIP_OK;
	case HISI_ZIP_DONE_PART:
	case HISI_ZIP_NO_SPACE:
		return SPIM_ZIP_NO_SPACE;
	case HISI_ZIP_CORRUPT:
		return SPIM_ZIP_BAD_DATA;
	default:
		return SPIM_ZIP_ERROR;
	}
}

/* The slot's SQE has been written back, by a function that need not tell the truth. */
static struct spim_zip_op *
spim_take_result(struct spim_zip_queue *q, uint16_t slot)
{
	const struct hisi_zip_sqe *sqe = hisi_qm_sq_slot(q->queue->ring, slot);
	const struct flight *flight = &q->flights[slot & q->mask];
	const struct hisi_zip_result r = hisi_zip_result_read(sqe);
	struct spim_zip_op *op = flight->op;
	uint8_t status = hisi_zip_result_possible(&flight->asked, q->dir == HISI_ZIP_COMP, r) ?
		spim_status_of(hisi_zip_result_outcome(q->dir, r)) : SPIM_ZIP_ERROR;

	op->status = status;
	op->consumed = status == SPIM_ZIP_OK ? r.consumed : 0;
	op->produced = status == SPIM_ZIP_OK ? r.produced : 0;
	op->crc32 = status == SPIM_ZIP_OK ? hisi_zip_result_crc32(sqe) : 0;
	return op;
}

int
spim_zip_poll(struct spim_zip_queue *q, struct spim_zip_op **ops, unsigned int n)
{
	struct hisi_qm_ring *ring = q->queue->ring;
	uint16_t ready, slot = ring->cq_head;

	/* Before the rings are polled: what comes behind this makes an event of its own. */
	if (q->z->armed) {
		q->z->armed = false;
		spim_event_take(q->z->dev);
	}
	ready = hisi_qm_cq_ready(ring, (uint16_t)(n < q->used ? n : q->used));
	if (ready == 0) {
		if (q->used == 0 || ++q->polls % POLLS_PER_CHECK != 0 ||
				spim_queue_check(q->z->dev, q->queue) == 0)
			return 0;
		/* What it wrote before it died is taken first, see spim_queue_restart(). */
		if (hisi_qm_cq_ready(ring, 1) == 0 &&
				spim_queue_restart(q->z->dev, q->queue) != 0) {
			q->polls--; /* ask again the next time */
			return -ENOTCONN;
		}
		return 0;
	}
	for (uint16_t i = 0; i < ready; i++) {
		ops[i] = spim_take_result(q, slot);
		slot = (slot + 1) & ring->mask;
	}
	hisi_qm_cq_skip(ring, ready);
	hisi_qm_cq_ring(ring);
	q->used = (uint16_t)(q->used - ready);
	q->polls = 0;
	return ready;
}

int
spim_zip_fd(struct spim_zip *z)
{
	return spim_event_fd(z->dev);
}

void
spim_zip_arm(struct spim_zip_queue *q)
{
	if (spim_zip_fd(q->z) < 0)
		return;
	q->z->armed = true;
	spim_event_arm(q->z->dev, q->queue);
	/* Whoever is woken checks whether the function is there. */
	q->polls = POLLS_PER_CHECK - 1;
}

int
spim_zip_wait(struct spim_zip_queue *q, int timeout_ms)
{
	struct pollfd pfd = { .fd = spim_zip_fd(q->z), .events = POLLIN };
	int ret;

	if (pfd.fd < 0)
		return pfd.fd;
	if (hisi_qm_cq_ready(q->queue->ring, 1) != 0)
		return 1;
	spim_zip_arm(q);
	ret = poll(&pfd, 1, timeout_ms);
	return ret < 0 ? -errno : ret;
}

const char *
spim_zip_status_text(uint8_t status)
{
	static const char *const text[] = {
		[SPIM_ZIP_OK] = "done",
		[SPIM_ZIP_NO_SPACE] = "the output does not fit",
		[SPIM_ZIP_BAD_DATA] = "corrupt data",
		[SPIM_ZIP_ERROR] = "not executed",
	};

	return status < sizeof(text) / sizeof(text[0]) ? text[status] : "unknown";
}
