/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "hisi_zip_answer.h"
#include "hisi_zip_log.h"
#include "hisi_zip_stream.h"
#include "hisi_zip_wrong.h"

/* For all questions of a probe, and for those of a queue that was just taken. */
#define PROBE_MS  500
#define TAKE_MS   300
/* After they were late: the next client may have as many questions, and all of them are there. */
#define AGAIN_MS  1000
#define DEPTH     64

/* Paths of a direction that need answers. */
static uint32_t
asked_of(enum hisi_zip_dir dir)
{
	return hisi_zip_paths_of((uint8_t)dir) & ~(HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_EXT_COMP) |
		HISI_ZIP_PATH_BIT(HISI_ZIP_PATH_EXT_DECOMP));
}

static void
publish_paths(struct hisi_zip_dev *dev)
{
	/* What was found wrong and is not told yet must not be on for a moment. */
	rte_atomic_store_explicit(&dev->paths_on, hisi_zip_paths_usable(&dev->known.paths) &
		~hisi_zip_paths_found_wrong(dev), rte_memory_order_seq_cst);
	/* What dequeue has found meanwhile. */
	rte_atomic_fetch_and_explicit(&dev->paths_on, ~hisi_zip_paths_found_wrong(dev),
		rte_memory_order_seq_cst);
}

void
hisi_zip_path_fails(struct hisi_zip_dev *dev, enum hisi_zip_path path, const char *why)
{
	struct hisi_zip_path_info *info = &dev->known.paths.path[path];

	if (info->state == HISI_ZIP_PATH_OFF)
		return;
	info->state = HISI_ZIP_PATH_OFF;
	info->why = why;
	publish_paths(dev);
	HISI_ZIP_LOG(NOTICE, "%s: path %s is off: %s; its ops are done %s", dev->hisi.name,
		hisi_zip_path_name(path), why, dev->sw ? "another way, or in software" :
		"another way, or end with an error");
}

/* What was not tried is as the reference says (ZIP 5.7). */
static void
as_documented(struct hisi_zip_dev *dev)
{
	for (enum hisi_zip_path i = 0; i < HISI_ZIP_PATHS; i++) {
		struct hisi_zip_path_info *info = &dev->known.paths.path[i];

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

/* Why a function cannot have a path, whatever it answers, or NULL. */
static const char *
why_never(const struct hisi_zip_dev *dev, enum hisi_zip_path path)
{
	bool v3 = dev->hisi.info.revision >= HISI_QM_REV_V3;
	bool ext = (dev->hisi.info.ext_features & HISI_ZIP_EXT_F_ALL) != 0;

	if (hisi_zip_path_is_ext(path))
		return ext ? NULL : "no extension";
	if (!v3 && (path == HISI_ZIP_PATH_COMP_RAW || path == HISI_ZIP_PATH_DECOMP_RAW))
		return "not in V2";
	return ext && v3 ? "the extension has it" : NULL;
}

/* Nothing was asked. What another function has shown is kept up to the answers of this one. */
static void
all_untried(struct hisi_zip_dev *dev)
{
	for (enum hisi_zip_path path = 0; path < HISI_ZIP_PATHS; path++) {
		struct hisi_zip_path_info *info = &dev->known.paths.path[path];

		info->why = why_never(dev, path);
		info->state = info->why != NULL ? HISI_ZIP_PATH_OFF : hisi_zip_path_is_ext(path) ?
			HISI_ZIP_PATH_ON : HISI_ZIP_PATH_UNTRIED;
	}
	rte_atomic_store_explicit(&dev->known.opened, hisi_dev_opened(&dev->hisi),
		rte_memory_order_relaxed);
	for (unsigned int why = 0; why < HISI_ZIP_WRONGS; why++)
		rte_atomic_store_explicit(&dev->paths_wrong[why], 0, rte_memory_order_seq_cst);
	rte_atomic_store_explicit(&dev->paths_told, 0, rte_memory_order_relaxed);
	dev->known.late = 0;
	if (dev->untold)
		as_documented(dev);
	publish_paths(dev);
}

/* ---- One direction ---- */

static bool
untried(const struct hisi_zip_dev *dev, enum hisi_zip_dir dir)
{
	for (enum hisi_zip_path path = 0; path < HISI_ZIP_PATHS; path++) {
		if (asked_of(dir) & HISI_ZIP_PATH_BIT(path) &&
				dev->known.paths.path[path].state == HISI_ZIP_PATH_UNTRIED)
			return true;
	}
	return false;
}

void
hisi_zip_paths_begin(struct hisi_zip_dev *dev)
{
	TAILQ_INIT(&dev->known.owed);
	all_untried(dev);
	dev->asks = untried(dev, HISI_ZIP_COMP) || untried(dev, HISI_ZIP_DECOMP);
}

/* All paths of a direction fail, or those that are untried. */
static void
all_fail(struct hisi_zip_dev *dev, enum hisi_zip_dir dir, bool only_untried, const char *why)
{
	for (enum hisi_zip_path path = 0; path < HISI_ZIP_PATHS; path++) {
		if ((asked_of(dir) & HISI_ZIP_PATH_BIT(path)) && (!only_untried ||
				dev->known.paths.path[path].state == HISI_ZIP_PATH_UNTRIED))
			hisi_zip_path_fails(dev, path, why);
	}
}

/* The queue owes an answer: queue and memory are the function's. */
static void
leave(struct hisi_zip_asker *a, struct hisi_zip_owed *owed)
{
	*owed = (struct hisi_zip_owed){ .queue = a->queue, .mem = a->mem, .missing = a->missing };
	a->mem.va = NULL;
	TAILQ_INSERT_TAIL(&a->dev->known.owed, owed, next);
	rte_atomic_store_explicit(&a->dev->known.owes, 1, rte_memory_order_relaxed);
}

/* Ask on a queue. @return Whether it owes an answer, and is the device's now. */
static bool
ask_all(struct hisi_zip_asker *a, enum hisi_zip_dir dir, struct spim_queue *queue)
{
	struct hisi_zip_owed *owed = malloc(sizeof(*owed));
	struct hisi_zip_dev *dev = a->dev;
	uint64_t begin = rte_get_timer_cycles();
	uint32_t requests = dev->known.requests, rounds = dev->known.rounds, us;

	a->dir = dir;
	a->queue = queue;
	a->missing = 0;
	a->error = 0;
	if (owed == NULL || (a->mem.va == NULL && hisi_dev_alloc(&dev->hisi, HISI_ZIP_ASK_ARENA,
			HISI_ACC_SGL_ALIGN, dev->hisi.args.socket_id, &a->mem) != 0)) {
		free(owed);
		return false;
	}
	hisi_zip_answers_deflate(a);
	if (a->error == 0)
		hisi_zip_answers_stream(a);
	/* Nothing of it is right. */
	if (a->error == -EPROTO)
		all_fail(dev, dir, false, "an answer for another request");
	publish_paths(dev);
	us = (uint32_t)((rte_get_timer_cycles() - begin) * US_PER_S / rte_get_timer_hz());
	dev->known.us += us;
	HISI_ZIP_LOG(DEBUG, "%s: known answers of type %d took %u us: %u requests in %u rounds",
		dev->hisi.name, dir, us, dev->known.requests - requests,
		dev->known.rounds - rounds);
	if (a->missing == 0) {
		free(owed);
		return false;
	}
	leave(a, owed);
	return true;
}

/* The function is another one than the one that was asked. */
static bool
is_new(const struct hisi_zip_dev *dev)
{
	return rte_atomic_load_explicit(&dev->known.opened, rte_memory_order_relaxed) !=
		hisi_dev_opened(&dev->hisi);
}

/* Answers may be late once. @return Whether this was the first time. */
static bool
late_once(struct hisi_zip_dev *dev, enum hisi_zip_dir dir)
{
	struct hisi_zip_known *known = &dev->known;
	bool first = !(known->late & 1u << dir);

	known->late |= (uint8_t)(1u << dir);
	return first;
}

bool
hisi_zip_paths_try_on(struct hisi_zip_dev *dev, enum hisi_zip_dir dir, struct spim_queue *queue,
		bool *later)
{
	struct hisi_zip_known *known = &dev->known;
	struct hisi_zip_asker a;
	bool owes = false;

	*later = false;
	if (is_new(dev))
		all_untried(dev);
	if (!untried(dev, dir))
		return false;
	/* Another queue pair has just asked. */
	if ((known->late & 1u << dir) && rte_rdtsc() - known->late_at[dir] <
			rte_get_tsc_hz() / MS_PER_S * AGAIN_MS) {
		*later = true;
		return false;
	}
	if (hisi_zip_asker_begin(&a, dev, TAKE_MS))
		owes = ask_all(&a, dir, queue);
	/* A function that is gone has not shown anything. */
	if (untried(dev, dir) && a.error != -ENOTCONN) {
		*later = late_once(dev, dir);
		known->late_at[dir] = rte_rdtsc();
		if (!*later)
			all_fail(dev, dir, true, a.error == -ETIMEDOUT ? "no answer in time" :
				"no memory, or no time, to try it");
	}
	hisi_zip_asker_end(&a);
	return owes;
}

/* What the answers have shown, for app/silicon.sh and other reports. */
static void
log_paths(const struct hisi_zip_dev *dev)
{
	static const char *const states[] = { "untried", "on", "off" };
	static const char *const sums[] = { "none", "plain", "reversed" };

	for (enum hisi_zip_path path = 0; path < HISI_ZIP_PATHS; path++) {
		const struct hisi_zip_path_info *info = &dev->known.paths.path[path];

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
	struct hisi_zip_asker a = { .dev = NULL };
	bool ready = false;

	for (enum hisi_zip_dir dir = 0; dir < HISI_ZIP_DIRS; dir++) {
		struct spim_queue *queue;

		/* If none is free: when a queue pair takes one. */
		if (!untried(dev, dir) ||
				hisi_dev_queue_take(&dev->hisi, (uint8_t)dir, DEPTH, &queue) != 0)
			continue;
		if (a.dev == NULL)
			ready = hisi_zip_asker_begin(&a, dev, PROBE_MS);
		if (!ready || !ask_all(&a, dir, queue))
			hisi_dev_queue_put(&dev->hisi, queue, false);
		if (untried(dev, dir))
			late_once(dev, dir);
	}
	if (a.dev != NULL)
		hisi_zip_asker_end(&a);
	log_paths(dev);
}

bool
hisi_zip_paths_again(struct hisi_zip_dev *dev)
{
	/* With a queue that is taken it is asked. */
	if (dev->asks || !is_new(dev))
		return true;
	if (pthread_mutex_trylock(&dev->known.lock) != 0)
		return false;
	all_untried(dev);
	pthread_mutex_unlock(&dev->known.lock);
	return true;
}

/* ---- Queues that owe answers ---- */

/* Put one. What may still be written to is left to it. */
static void
owed_put(struct hisi_zip_dev *dev, struct hisi_zip_owed *owed)
{
	if (hisi_dev_queue_put(&dev->hisi, owed->queue, owed->missing != 0))
		hisi_dev_free(&dev->hisi, &owed->mem);
	TAILQ_REMOVE(&dev->known.owed, owed, next);
	free(owed);
}

void
hisi_zip_paths_reap(struct hisi_zip_dev *dev)
{
	struct hisi_zip_owed *owed, *next;

	if (!rte_atomic_load_explicit(&dev->known.owes, rte_memory_order_relaxed))
		return;
	pthread_mutex_lock(&dev->known.lock);
	for (owed = TAILQ_FIRST(&dev->known.owed); owed != NULL; owed = next) {
		struct hisi_qm_ring *ring = owed->queue->ring;
		uint16_t n;

		next = TAILQ_NEXT(owed, next);
		if (dev->hisi.info.polled)
			spim_queue_poll(owed->queue, ring->mask);
		if (owed->missing != UINT16_MAX) {
			n = hisi_qm_cq_ready(ring, owed->missing);
			hisi_qm_cq_skip(ring, n);
			owed->missing = (uint16_t)(owed->missing - n);
		}
		if (owed->missing == 0 ||
				hisi_dev_queue_check(&dev->hisi, owed->queue) == -ENOTCONN)
			owed_put(dev, owed);
	}
	rte_atomic_store_explicit(&dev->known.owes, !TAILQ_EMPTY(&dev->known.owed),
		rte_memory_order_relaxed);
	pthread_mutex_unlock(&dev->known.lock);
}

void
hisi_zip_paths_end(struct hisi_zip_dev *dev)
{
	while (!TAILQ_EMPTY(&dev->known.owed))
		owed_put(dev, TAILQ_FIRST(&dev->known.owed));
}
