/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 *
 * Memory that goes away under requests.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attacker.h"

#define MEM_LEN (64u << 20)
#define DEPTH   16
#define BLOCK   (1u << 20)

static struct attacker a;
static struct queue q, udma;
static uint8_t *blocks;

/*
 * A function that is busy with large requests of both classes all over its memory: with every other
 * one, the copies wait for each other.
 */
static void
open_busy(const struct target *t, uint32_t salt)
{
	uint8_t *out, *copies;

	attacker_open(&a, t, MEM_LEN);
	queue_start(&q, &a, 0, HISI_ZIP_QC_COMPRESS, DEPTH);
	queue_start(&udma, &a, 1, HISI_UDMA_QC, DEPTH);
	blocks = attacker_alloc(&a, (DEPTH - 1) * BLOCK, 4096);
	copies = attacker_alloc(&a, (DEPTH - 1) * BLOCK, 4096);
	out = attacker_alloc(&a, (DEPTH - 1) * 2 * BLOCK, 4096);
	fill_text(blocks, (DEPTH - 1) * BLOCK, t->seed + salt);
	for (unsigned int i = 0; i < DEPTH - 1; i++) {
		sqe_compress(&a, queue_next(&q, HISI_ZIP_REQ_ZLIB), blocks + i * BLOCK, BLOCK,
				out + i * 2 * BLOCK, 2 * BLOCK);
		queue_next_udma(&udma, i % 4 == 3 ? HISI_UDMA_FILL : HISI_UDMA_COPY,
				attacker_iova(&a, blocks), attacker_iova(&a, copies),
				(DEPTH - 1) * BLOCK)->ext = salt % 2 != 0 ? HISI_UDMA_EXT_FENCE : 0;
	}
	queue_ring(&udma);
	queue_ring(&q);
}

/* Some time in which a request or two are executed. */
static void
wait_a_little(uint32_t *seed)
{
	const struct timespec ts = { .tv_nsec = (long)(rnd(seed) % 20000) * 1000 };

	nanosleep(&ts, NULL);
}

static void
must_be_closed(void)
{
	struct pollfd pfd = { .fd = vfio_user_client_fd(a.client), .events = POLLRDHUP };

	if (poll(&pfd, 1, 60000) != 1)
		die("the connection stays, although its memory vanished");
}

static void
shrunk(const struct target *t)
{
	uint32_t seed = t->seed;

	for (uint32_t i = 0; i < 4; i++) {
		open_busy(t, i);
		wait_a_little(&seed);
		/* Not all of it each time: rings may stay. */
		if (ftruncate(a.fd, i % 2 == 0 ? 0 : (off_t)(blocks - a.mem)) != 0)
			die("ftruncate: %s", strerror(errno));
		must_be_closed();
		/* Our own mappings would fault as well. */
		a.mem = NULL;
		attacker_close(&a);
	}
}

static void
punched(const struct target *t)
{
	double until = now_s() + t->seconds;
	uint32_t seed = t->seed;
	unsigned int rounds = 0;

	while (rounds < 2 || now_s() < until) {
		open_busy(t, rounds++);
		for (unsigned int i = 0; i < 50; i++) {
			/* Behind the rings; what is read there is then 0. */
			off_t at = (blocks - a.mem) + rnd(&seed) % (MEM_LEN - (2u << 20)) / 4096 *
				4096;

			if (fallocate(a.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
					1u << 20) != 0)
				die("fallocate: %s", strerror(errno));
		}
		for (unsigned int i = 0; i < DEPTH - 1; i++)
			if (queue_pop(&q, 60000) == NULL || queue_pop(&udma, 60000) == NULL)
				die("a request did not complete after its memory was punched");
		attacker_close(&a);
		/* And the rings themselves, with requests in them. */
		open_busy(t, rounds);
		if (fallocate(a.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				(off_t)MEM_LEN) != 0)
			die("fallocate: %s", strerror(errno));
		wait_a_little(&seed);
		attacker_close(&a);
	}
}

static void
unmapped(const struct target *t)
{
	uint32_t seed = t->seed;

	for (uint32_t i = 0; i < 5; i++) {
		uint8_t before;
		int rc;

		open_busy(t, i);
		wait_a_little(&seed);
		rc = vfio_user_client_dma_unmap(a.client, ATTACKER_IOVA, MEM_LEN);
		if (rc != 0)
			die("unmap: %d", rc);
		/* From here on nobody writes there: our bytes stay. */
		memset(a.mem, 0x5a, MEM_LEN);
		nap_ms(20);
		for (size_t at = 0; at < MEM_LEN; at++) {
			before = a.mem[at];
			if (before != 0x5a)
				die("byte %zu was written after the unmap", at);
		}
		/* A function without memory can have some again. */
		rc = vfio_user_client_dma_map(a.client, ATTACKER_IOVA, MEM_LEN, a.fd, 0,
				VFIO_USER_DMA_F_READ | VFIO_USER_DMA_F_WRITE);
		if (rc != 0)
			die("map again: %d", rc);
		a.used = 0;
		attacker_must_work(&a, 3);
		attacker_close(&a);
	}
}

/* Maps come and go all the time, while requests name all of them. */
static void
mapped_and_unmapped(const struct target *t)
{
	double until = now_s() + t->seconds;
	uint32_t seed = t->seed;
	struct hisi_zip_sqe *sqe;
	int fd = attacker_memfd(4u << 20);
	bool mapped[16] = { false };

	attacker_open(&a, t, MEM_LEN);
	queue_start(&q, &a, 0, HISI_ZIP_QC_COMPRESS, 64);
	while (now_s() < until) {
		unsigned int i = rnd(&seed) % 16, n = rnd(&seed) % 32;
		uint64_t iova = 4 * ATTACKER_IOVA + (uint64_t)i * (8u << 20);

		for (unsigned int k = 0; k < n; k++) {
			sqe = queue_next(&q, HISI_ZIP_REQ_ZLIB);
			hisi_zip_sqe_src(sqe, 4 * ATTACKER_IOVA + rnd(&seed) % (128u << 20),
					100000);
			hisi_zip_sqe_dst(sqe, 4 * ATTACKER_IOVA + rnd(&seed) % (128u << 20),
					200000);
		}
		queue_ring(&q);
		if (mapped[i])
			vfio_user_client_dma_unmap(a.client, iova, 8u << 20);
		else
			vfio_user_client_dma_map(a.client, iova, 4u << 20, fd, 0,
				VFIO_USER_DMA_F_READ | VFIO_USER_DMA_F_WRITE);
		mapped[i] = !mapped[i];
		for (unsigned int k = 0; k < n; k++)
			if (queue_pop(&q, 60000) == NULL)
				die("a request did not complete while maps came and went");
	}
	attacker_must_work(&a, 3);
	attacker_close(&a);
	close(fd);
}

const struct attack attacks_memory[] = {
	{ "memory shrunk while requests run", shrunk },
	{ "memory punched while requests run", punched },
	{ "memory unmapped while requests run", unmapped },
	{ "maps that come and go under requests", mapped_and_unmapped },
	{ NULL, NULL },
};
