/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_pause.h>

#include "base_clock.h"
#include "hisi_zip_answer.h"
#include "hisi_zip_log.h"
#include "hisi_zip_stream.h"

/* A request that takes so long has no answer. */
#define ANSWER_MS  200
/* What was not asked of a direction in this time is not asked now. It takes some milliseconds. */
#define ANSWERS_MS 250
/* And no request is sent so long after that. */
#define LATE_MS    150
/* Spins for an answer, before the CPU is left to others: the function may be one of them. */
#define SPINS      2000
#define DEPTH      HISI_QM_RING_DEPTH_MIN

/* Paths by direction; a path that is not here needs no answers. */
static const uint32_t by_dir[HISI_ZIP_DIRS] = {
	[HISI_ZIP_COMP] = HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_COMP_RAW) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_COMP_ZLIB) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_COMP_GZIP) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_COMP_SGL) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_STREAM_COMP) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_STREAM_COMP_SGL),
	[HISI_ZIP_DECOMP] = HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_DECOMP_RAW) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_DECOMP_ZLIB) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_DECOMP_GZIP) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_DECOMP_SGL) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_STREAM_DECOMP) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_STREAM_DECOMP_SGL),
};

static void
publish_paths(struct hisi_zip_dev *dev)
{
	uint32_t wrong;

	rte_atomic_store_explicit(&dev->paths_on, hisi_zip_paths_usable(&dev->paths),
		rte_memory_order_seq_cst);
	wrong = rte_atomic_load_explicit(&dev->paths_wrong, rte_memory_order_seq_cst);
	rte_atomic_fetch_and_explicit(&dev->paths_on, ~wrong, rte_memory_order_seq_cst);
}

void
hisi_zip_path_fails(struct hisi_zip_dev *dev, enum hisi_zip_path path, const char *why)
{
	struct hisi_zip_path_info *info = &dev->paths.path[path];

	if (info->state == HISI_ZIP_PATH_OFF)
		return;
	info->state = HISI_ZIP_PATH_OFF;
	info->why = why;
	publish_paths(dev);
	HISI_ZIP_LOG(NOTICE, "%s: path %s is off: %s; its ops are done %s", dev->hisi.name,
		hisi_zip_path_name(path), why, dev->sw ? "another way, or in software" :
		"another way, or end with an error");
}

void
hisi_zip_paths_tell(struct hisi_zip_dev *dev)
{
	uint32_t wrong = rte_atomic_load_explicit(&dev->paths_wrong, rte_memory_order_relaxed);

	if ((wrong & ~rte_atomic_load_explicit(&dev->paths_told, rte_memory_order_relaxed)) == 0)
		return;
	/* Who has it may be asking the function: another time. */
	if (pthread_mutex_trylock(&dev->paths_lock) != 0)
		return;
	for (enum hisi_zip_path path = 0; path < HISI_ZIP_PATHS; path++) {
		if (wrong & HISI_ZIP_PATH_BIT(path))
			hisi_zip_path_fails(dev, path, "its results are not what they were");
	}
	rte_atomic_store_explicit(&dev->paths_told, wrong, rte_memory_order_relaxed);
	pthread_mutex_unlock(&dev->paths_lock);
}

/* What was not tried is as the reference says (ZIP 5.7). */
static void
as_documented(struct hisi_zip_dev *dev)
{
	for (enum hisi_zip_path i = 0; i < HISI_ZIP_PATHS; i++) {
		struct hisi_zip_path_info *info = &dev->paths.path[i];

		if (info->state != HISI_ZIP_PATH_UNTRIED)
			continue;
		info->state = HISI_ZIP_PATH_ON;
		info->counted = (uint8_t)hisi_zip_path_trailer(i);
		info->sum = info->counted == HISI_ZIP_TRAILER_ZLIB ? HISI_ZIP_SUM_PLAIN :
			info->counted == HISI_ZIP_TRAILER_GZIP ? HISI_ZIP_SUM_REVERSED :
			HISI_ZIP_SUM_NONE;
		if (i == HISI_ZIP_PATH_STREAM_DECOMP &&
				dev->hisi.info.revision < HISI_QM_REV_V3)
			info->counted = HISI_ZIP_STREAM_TRAILER_LEN;
	}
}

void
hisi_zip_paths_begin(struct hisi_zip_dev *dev)
{
	struct hisi_zip_path_info *path = dev->paths.path;
	bool v3 = dev->hisi.info.revision >= HISI_QM_REV_V3;
	bool ext = (dev->hisi.info.ext_features & HISI_ZIP_EXT_F_ALL) != 0;

	for (unsigned int i = 0; i < HISI_ZIP_PATHS; i++)
		path[i] = (struct hisi_zip_path_info){ .state = HISI_ZIP_PATH_UNTRIED };
	for (unsigned int i = 0; i < HISI_ZIP_PATHS; i++) {
		bool is_ext = i == HISI_ZIP_PATH_EXT_COMP || i == HISI_ZIP_PATH_EXT_DECOMP;

		if (is_ext && ext)
			path[i].state = HISI_ZIP_PATH_ON;
		else if (is_ext)
			path[i].why = "no extension";
		else if (ext && v3)
			path[i].why = "the extension has it";
		else if (!((by_dir[HISI_ZIP_COMP] | by_dir[HISI_ZIP_DECOMP]) &
				HISI_ZIP_PATH_BIT(i)))
			path[i].why = "not used";
		if (path[i].why != NULL)
			path[i].state = HISI_ZIP_PATH_OFF;
	}
	if (!v3) {
		path[HISI_ZIP_PATH_COMP_RAW].state = HISI_ZIP_PATH_OFF;
		path[HISI_ZIP_PATH_COMP_RAW].why = "not in V2";
		path[HISI_ZIP_PATH_DECOMP_RAW].state = HISI_ZIP_PATH_OFF;
		path[HISI_ZIP_PATH_DECOMP_RAW].why = "not in V2";
	}
	if (dev->untold)
		as_documented(dev);
	publish_paths(dev);
}

/* ---- Asking ---- */

/* The CQE of the one request, or none in time. */
static int
wait_answer(struct hisi_zip_asker *a)
{
	const struct hisi_qm_ring *ring = a->queue->ring;
	uint64_t deadline = base_now_ms() + ANSWER_MS;

	for (unsigned int n = 0; hisi_qm_cq_ready(ring, 1) == 0; n++) {
		if (a->dev->hisi.info.polled) {
			spim_queue_poll(a->queue, 1);
			if (hisi_qm_cq_ready(ring, 1) != 0)
				break;
		}
		if (n % SPINS == SPINS - 1) {
			if (base_now_ms() > deadline)
				return -ETIMEDOUT;
			sched_yield();
		}
		rte_pause();
	}
	return 0;
}

int
hisi_zip_ask(struct hisi_zip_asker *a, struct hisi_zip_sqe *sqe)
{
	struct hisi_qm_ring *ring = a->queue->ring;
	void *slot = hisi_qm_sq_slot(ring, ring->sq_tail);
	uint16_t at;

	if (a->error == 0 && base_now_ms() > a->deadline + LATE_MS)
		a->error = -ETIME;
	if (a->error != 0)
		return a->error;
	memcpy(slot, sqe, sizeof(*sqe));
	ring->sq_tail = (ring->sq_tail + 1) & ring->mask;
	hisi_qm_sq_ring(ring);
	a->error = wait_answer(a);
	if (a->error != 0)
		return a->error;
	at = __atomic_load_n(&ring->cq[ring->cq_head].sq_head, __ATOMIC_RELAXED);
	if (at != ring->cq_head)
		a->error = -EPROTO;
	memcpy(sqe, slot, sizeof(*sqe));
	memset(slot, 0, sizeof(*sqe));
	hisi_qm_cq_skip(ring, 1);
	hisi_qm_cq_ring(ring);
	return a->error;
}

bool
hisi_zip_ask_late(const struct hisi_zip_asker *a)
{
	return base_now_ms() > a->deadline;
}

/* ---- One direction ---- */

static bool
untried(const struct hisi_zip_dev *dev, enum hisi_zip_dir dir)
{
	for (enum hisi_zip_path path = 0; path < HISI_ZIP_PATHS; path++) {
		if (by_dir[dir] & HISI_ZIP_PATH_BIT(path) &&
				dev->paths.path[path].state == HISI_ZIP_PATH_UNTRIED)
			return true;
	}
	return false;
}

/* All paths of a direction fail, or those that are untried. */
static void
all_fail(struct hisi_zip_dev *dev, enum hisi_zip_dir dir, bool only_untried, const char *why)
{
	for (enum hisi_zip_path path = 0; path < HISI_ZIP_PATHS; path++) {
		if ((by_dir[dir] & HISI_ZIP_PATH_BIT(path)) && (!only_untried ||
				dev->paths.path[path].state == HISI_ZIP_PATH_UNTRIED))
			hisi_zip_path_fails(dev, path, why);
	}
}

static void
asker_free(struct hisi_zip_asker *a)
{
	zip_codec_destroy(a->codec);
	free(a->check);
	free(a->plain);
}

/*
 * Ask on a queue. Returns whether it owes an answer, and then the memory that the function may
 * still write to; else nothing is held. With that no path of the direction is untried: none other
 * comes to owe one.
 */
static bool
ask_all(struct hisi_zip_dev *dev, enum hisi_zip_dir dir, struct spim_queue *queue,
		struct hisi_zip_owed *owed)
{
	struct hisi_zip_asker a = { .dev = dev, .dir = dir, .queue = queue };
	uint64_t begin = rte_get_timer_cycles();

	if (hisi_dev_alloc(&dev->hisi, sizeof(struct hisi_zip_ask_mem), HISI_ACC_SGL_ALIGN,
			dev->hisi.args.socket_id, &a.mem) != 0)
		return false; /* not tried yet */
	a.codec = zip_codec_create(HISI_ZIP_REQ_LEN_MAX);
	a.check = malloc(HISI_ZIP_ASK_ROOM);
	a.plain = malloc(HISI_ZIP_ASK_ROOM);
	if (a.codec != NULL && a.check != NULL && a.plain != NULL) {
		a.deadline = base_now_ms() + ANSWERS_MS;
		hisi_zip_answers_deflate(&a);
		/* A request without an answer still has the memory that the questions are in. */
		if (a.error == 0)
			hisi_zip_answers_stream(&a);
		/* The function has not answered, or for another request: nothing of it is right. */
		if (a.error != 0 && a.error != -ETIME)
			all_fail(dev, dir, false, a.error == -ETIMEDOUT ? "no answer in time" :
				"an answer for another request");
	}
	publish_paths(dev);
	asker_free(&a);
	begin = (rte_get_timer_cycles() - begin) * US_PER_S / rte_get_timer_hz();
	dev->paths_us += (uint32_t)begin;
	HISI_ZIP_LOG(DEBUG, "%s: known answers of type %d took %u us", dev->hisi.name, dir,
		(uint32_t)begin);
	if (a.error != 0 && a.error != -ETIME) {
		owed->mem = a.mem;
		return true;
	}
	hisi_dev_free(&dev->hisi, &a.mem);
	return false;
}

bool
hisi_zip_paths_try_on(struct hisi_zip_dev *dev, enum hisi_zip_dir dir, struct spim_queue *queue)
{
	bool owes;

	if (!untried(dev, dir))
		return false;
	owes = ask_all(dev, dir, queue, &dev->owed[dir]);
	if (untried(dev, dir))
		all_fail(dev, dir, true, "no memory, or no time, to try it");
	return owes;
}

void
hisi_zip_paths_leave(struct hisi_zip_dev *dev, enum hisi_zip_dir dir, struct spim_queue *queue)
{
	/* To stop it may take seconds, which nobody has now. */
	dev->owed[dir].queue = queue;
}

/* What the answers have shown, for app/silicon.sh and other reports. */
static void
log_paths(const struct hisi_zip_dev *dev)
{
	static const char *const states[] = { "untried", "on", "off" };
	static const char *const sums[] = { "none", "plain", "reversed" };

	for (enum hisi_zip_path path = 0; path < HISI_ZIP_PATHS; path++) {
		const struct hisi_zip_path_info *info = &dev->paths.path[path];

		HISI_ZIP_LOG(DEBUG, "%s: path %s: %s%s%s, trailer %u, lengths count %u of it, "
			"checksum in dw31 %s", dev->hisi.name, hisi_zip_path_name(path),
			states[info->state], info->why != NULL ? ", " : "",
			info->why != NULL ? info->why : "", hisi_zip_path_trailer(path),
			info->counted, sums[info->sum]);
	}
}

void
hisi_zip_paths_try(struct hisi_zip_dev *dev)
{
	for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		struct spim_queue *queue;

		/* If none is free: when a queue pair takes one. */
		if (!untried(dev, dir) ||
				hisi_dev_queue_take(&dev->hisi, (uint8_t)dir, DEPTH, &queue) != 0)
			continue;
		if (ask_all(dev, dir, queue, &dev->owed[dir]))
			hisi_zip_paths_leave(dev, dir, queue);
		else
			hisi_dev_queue_put(&dev->hisi, queue, false);
	}
	log_paths(dev);
}

void
hisi_zip_paths_end(struct hisi_zip_dev *dev)
{
	for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		struct hisi_zip_owed *owed = &dev->owed[dir];

		if (owed->queue != NULL && hisi_dev_queue_put(&dev->hisi, owed->queue, true))
			hisi_dev_free(&dev->hisi, &owed->mem);
		*owed = (struct hisi_zip_owed){ .queue = NULL };
	}
}
