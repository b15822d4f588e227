/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_pause.h>

#include "base_clock.h"
#include "hisi_zip_ask.h"
#include "hisi_zip_dev.h"
#include "zip_codec.h"

/* A function that is silent for so long has no answer. */
#define SILENT_MS 150
/*
 * Between two looks at the clock no more than this is counted: the process may have been stopped,
 * or have had to wait for a CPU. Nobody who waits for the function looks less often.
 */
#define STEP_MS   5
#define NS_MS     UINT64_C(1000000)
/* Spins for an answer, before the CPU is left to others: the function may be one of them. */
#define SPINS     2000

/* ---- Who asks ---- */

/*
 * Memory in which all parts of long output lie in the same place: to touch so many pages would
 * take longer than all questions. The window of DEFLATE is shorter than a part.
 */
static void *
map_repeated(void)
{
	int fd = memfd_create("hisi_zip_check", MFD_CLOEXEC);
	uint8_t *va = MAP_FAILED;
	size_t at = 0;

	if (fd >= 0 && ftruncate(fd, HISI_ZIP_ASK_LEN) == 0)
		va = mmap(NULL, HISI_ZIP_REQ_LEN_MAX, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
			MAP_NORESERVE, -1, 0);
	while (va != MAP_FAILED && at < HISI_ZIP_REQ_LEN_MAX && mmap(va + at, HISI_ZIP_ASK_LEN,
			PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) !=
			MAP_FAILED)
		at += HISI_ZIP_ASK_LEN;
	if (fd >= 0)
		close(fd);
	if (va != MAP_FAILED && at < HISI_ZIP_REQ_LEN_MAX) {
		munmap(va, HISI_ZIP_REQ_LEN_MAX);
		va = MAP_FAILED;
	}
	return va != MAP_FAILED ? va : NULL;
}

void
hisi_zip_asker_end(struct hisi_zip_asker *a)
{
	zip_codec_destroy(a->codec);
	if (a->check != NULL)
		munmap(a->check, HISI_ZIP_REQ_LEN_MAX);
	free(a->plain);
	free(a->zeros);
	if (a->mem.va != NULL)
		hisi_dev_free(&a->dev->hisi, &a->mem);
}

bool
hisi_zip_asker_begin(struct hisi_zip_asker *a, struct hisi_zip_dev *dev, unsigned int ms)
{
	*a = (struct hisi_zip_asker){ .dev = dev, .left_ns = ms * NS_MS,
		.seen_ns = base_now_ns() };
	a->codec = zip_codec_create(HISI_ZIP_REQ_LEN_MAX);
	a->check = map_repeated();
	a->plain = malloc(HISI_ZIP_ASK_LEN);
	a->zeros = calloc(1, HISI_ZIP_ASK_LEN);
	return a->codec != NULL && a->check != NULL && a->plain != NULL && a->zeros != NULL;
}

/* ---- Asking ---- */

void *
hisi_zip_ask_alloc(struct hisi_zip_asker *a, size_t len)
{
	size_t at = a->used;

	if (len > HISI_ZIP_ASK_ARENA - at)
		return NULL;
	a->used = at + RTE_ALIGN(len, (size_t)HISI_ACC_SGL_ALIGN);
	return (char *)a->mem.va + at;
}

/* Answers that are there, for the next requests. */
static uint16_t
take_answers(struct hisi_zip_asker *a, struct hisi_zip_sqe *const *sqes)
{
	struct hisi_qm_ring *ring = a->queue->ring;
	uint16_t n = hisi_qm_cq_ready(ring, a->missing);

	for (uint16_t i = 0; i < n; i++) {
		struct hisi_zip_sqe *slot = hisi_qm_sq_slot(ring, ring->cq_head);

		if (__atomic_load_n(&ring->cq[ring->cq_head].sq_head, __ATOMIC_RELAXED) !=
				ring->cq_head) {
			/* How many are still to come cannot be told now. */
			a->missing = UINT16_MAX;
			a->error = -EPROTO;
			return i;
		}
		memcpy(sqes[i], slot, sizeof(*slot));
		memset(slot, 0, sizeof(*slot));
		hisi_qm_cq_skip(ring, 1);
		a->missing--;
	}
	if (n > 0)
		hisi_qm_cq_ring(ring);
	return n;
}

/* Count the time. @return How much of it has gone since the last time. */
static uint64_t
count_time(struct hisi_zip_asker *a)
{
	int64_t now = base_now_ns();
	uint64_t gone = RTE_MIN((uint64_t)(now - a->seen_ns), STEP_MS * NS_MS);

	a->seen_ns = now;
	a->left_ns -= RTE_MIN(gone, a->left_ns);
	return gone;
}

static void
wait_answers(struct hisi_zip_asker *a, struct hisi_zip_sqe *const *sqes)
{
	uint64_t silent = 0;

	for (unsigned int spins = 1; a->missing > 0 && a->error == 0; spins++) {
		uint16_t n;

		if (a->dev->hisi.info.polled)
			spim_queue_poll(a->queue, a->missing);
		n = take_answers(a, sqes);
		sqes += n;
		if (n > 0)
			silent = 0;
		if (n > 0 || spins % SPINS != 0) {
			rte_pause();
			continue;
		}
		silent += count_time(a);
		if (silent > SILENT_MS * NS_MS)
			a->error = hisi_dev_queue_check(&a->dev->hisi, a->queue) == -ENOTCONN ?
				-ENOTCONN : -ETIMEDOUT;
		else if (a->left_ns == 0)
			a->error = -ETIME;
		sched_yield();
	}
}

int
hisi_zip_ask(struct hisi_zip_asker *a, struct hisi_zip_sqe *const *sqes, unsigned int n)
{
	struct hisi_qm_ring *ring = a->queue->ring;

	while (n > 0 && a->error == 0) {
		uint16_t now = (uint16_t)RTE_MIN(n, (unsigned int)ring->mask);

		count_time(a);
		if (a->left_ns == 0) {
			a->error = -ETIME;
			break;
		}
		for (uint16_t i = 0; i < now; i++) {
			memcpy(hisi_qm_sq_slot(ring, ring->sq_tail), sqes[i], sizeof(**sqes));
			ring->sq_tail = (ring->sq_tail + 1) & ring->mask;
		}
		a->missing = now;
		a->dev->known.requests += now;
		a->dev->known.rounds++;
		hisi_qm_sq_ring(ring);
		wait_answers(a, sqes);
		sqes += now;
		n -= now;
	}
	return a->error;
}
