/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "hisi_zip_ext.h"
#include "load.h"

/*
 * Completions that do not come while a client spins for so long are slept for, each time for
 * a quarter of what was waited so far: thousands who look often would be all that the
 * machine is busy with.
 */
#define SPIN_US    20
#define NAP_MAX_US 50000
#define PATIENCE_US 60e6

const uint8_t *load_data;
size_t load_data_len;

void
load_data_read(void)
{
	/* A program, a library as programs load it, and text. */
	static const char *const files[] = {
		"/proc/self/exe", "/usr/share/common-licenses/GPL-3", "/bin/sh", "/usr/bin/env",
		"/etc/services", "/usr/share/common-licenses/Artistic",
	};
	uint8_t *all = NULL;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int fd = open(files[i], O_RDONLY | O_CLOEXEC);
		struct stat st;

		/* One or the other may not be there; enough of them are. */
		if (fd < 0)
			continue;
		LOAD_CHECK(fstat(fd, &st) == 0, "%s: %s", files[i], strerror(errno));
		all = realloc(all, load_data_len + (size_t)st.st_size);
		LOAD_CHECK(all != NULL, "%s", files[i]);
		for (ssize_t n; (n = read(fd, all + load_data_len, (size_t)st.st_size)) > 0 &&
				st.st_size > 0; st.st_size -= n)
			load_data_len += (size_t)n;
		close(fd);
	}
	LOAD_CHECK(load_data_len > 100000, "%zu bytes of data only", load_data_len);
	load_data = all;
}

/* xorshift64* */
uint32_t
load_random(uint64_t *state)
{
	uint64_t x = *state != 0 ? *state : 0x9e3779b97f4a7c15u;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return (uint32_t)(x * 0x2545f4914f6cdd1du >> 32);
}

static void
log_error(enum base_log_level level, const char *line, void *priv)
{
	(void)priv;
	if (level == BASE_LOG_ERR)
		fprintf(stderr, "  %s\n", line);
}

int
load_client_open(struct load_client *c, const char *name, size_t op_max)
{
	static const struct spim_conf conf = { .owner = "load", .log = { .line = log_error } };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int ret;

	*c = (struct load_client){ .op_max = (op_max + page - 1) & ~(page - 1) };
	/* Stored blocks are the worst that can come of it. */
	c->comp_max = c->op_max + c->op_max / 8 + page;
	ret = spim_open(name, &conf, &c->dev);
	if (ret != 0)
		return ret;
	c->src = spim_mem_alloc(c->dev, 2 * c->op_max + c->comp_max);
	if (c->src == NULL) {
		ret = -errno;
		spim_close(c->dev);
		return ret;
	}
	c->plain = c->src + c->op_max;
	c->comp = c->plain + c->op_max;
	return 0;
}

void
load_client_close(struct load_client *c)
{
	load_client_put(c, HISI_ZIP_QC_COMPRESS);
	load_client_put(c, HISI_ZIP_QC_DECOMPRESS);
	load_client_put(c, HISI_UDMA_QC);
	spim_mem_free(c->dev, c->src);
	spim_close(c->dev);
}

int
load_client_take(struct load_client *c, uint8_t type, uint16_t depth)
{
	int ret = spim_queue_take(c->dev, type, depth, -1, &c->queue[type]);

	if (ret != 0)
		c->queue[type] = NULL;
	return ret;
}

void
load_client_put(struct load_client *c, uint8_t type)
{
	if (c->queue[type] == NULL)
		return;
	spim_queue_stop(c->dev, c->queue[type]);
	spim_queue_put(c->dev, c->queue[type]);
	c->queue[type] = NULL;
}

struct hisi_zip_sqe
load_request(const void *src, size_t src_len, void *dst, size_t dst_len)
{
	struct hisi_zip_sqe sqe = {
		.dw7 = HISI_ZIP_SQE_TYPE3 << HISI_ZIP_DW7_TYPE_SHIFT,
		.dw9 = HISI_ZIP_REQ_DEFLATE,
		.dw10 = HISI_ZIP_EXT_VALID | 1u << HISI_ZIP_EXT_LEVEL_SHIFT |
			15u << HISI_ZIP_EXT_WINDOW_SHIFT,
	};

	hisi_zip_sqe_src(&sqe, (uintptr_t)src, (uint32_t)src_len);
	hisi_zip_sqe_dst(&sqe, (uintptr_t)dst, (uint32_t)dst_len);
	return sqe;
}

bool
load_submit(struct spim_queue *q, const struct hisi_zip_sqe *sqe, uint16_t in_flight)
{
	struct hisi_qm_ring *ring = q->ring;

	if (in_flight >= ring->mask)
		return false;
	memcpy(hisi_qm_sq_slot(ring, ring->sq_tail), sqe, sizeof(*sqe));
	ring->sq_tail = (ring->sq_tail + 1) & ring->mask;
	hisi_qm_sq_ring(ring);
	return true;
}

const struct hisi_zip_sqe *
load_complete(struct spim_queue *q)
{
	struct hisi_qm_ring *ring = q->ring;
	double start = load_now_us(), waited;
	const struct hisi_zip_sqe *sqe;

	while (!hisi_qm_cq_ready(ring, 1)) {
		waited = load_now_us() - start;
		if (waited > PATIENCE_US)
			return NULL;
		if (waited < SPIN_US)
			continue;
		load_nap_us(waited / 4 < NAP_MAX_US ? (unsigned long)(waited / 4) : NAP_MAX_US);
	}
	sqe = hisi_qm_sq_slot(ring, ring->cq_head);
	hisi_qm_cq_skip(ring, 1);
	hisi_qm_cq_ring(ring);
	return sqe;
}

/* Run one request. @return What it produced, or 0: said what went wrong. */
static uint32_t
run(struct spim_queue *q, const struct hisi_zip_sqe *req, const char *what)
{
	const struct hisi_zip_sqe *sqe;

	load_submit(q, req, 0);
	sqe = load_complete(q);
	if (sqe == NULL) {
		fprintf(stderr, "pid %d: %s: no completion\n", (int)getpid(), what);
		return 0;
	}
	if ((sqe->dw3 & HISI_ZIP_STATUS_MASK) != HISI_ZIP_OK) {
		fprintf(stderr, "pid %d: %s: status 0x%x of %u bytes, expected 0x%x\n",
			(int)getpid(), what, sqe->dw3 & HISI_ZIP_STATUS_MASK,
			req->input_data_length, HISI_ZIP_OK);
		return 0;
	}
	return sqe->produced;
}

static bool
zlib_agrees(const struct load_client *c, size_t comp_len, size_t len)
{
	z_stream z = { .next_in = c->comp, .avail_in = (uInt)comp_len,
		.next_out = c->plain, .avail_out = (uInt)c->op_max };
	bool ok;

	memset(c->plain, 0xa5, len);
	ok = inflateInit2(&z, -15) == Z_OK && inflate(&z, Z_FINISH) == Z_STREAM_END &&
		z.total_out == len && memcmp(c->plain, c->src, len) == 0;
	inflateEnd(&z);
	return ok;
}

bool
load_round_trip(struct load_client *c, size_t len, uint64_t *random, bool zlib)
{
	size_t at = load_random(random) % (load_data_len - len);
	struct hisi_zip_sqe req;
	uint32_t comp_len, plain_len;

	memcpy(c->src, load_data + at, len);
	memset(c->comp, 0xee, len / 4);
	memset(c->plain, 0xee, len);
	req = load_request(c->src, len, c->comp, c->comp_max);
	comp_len = run(c->queue[HISI_ZIP_QC_COMPRESS], &req, "compression");
	if (comp_len == 0)
		return false;
	req = load_request(c->comp, comp_len, c->plain, c->op_max);
	plain_len = run(c->queue[HISI_ZIP_QC_DECOMPRESS], &req, "decompression");
	if (plain_len != len || memcmp(c->plain, c->src, len) != 0) {
		fprintf(stderr, "pid %d: %zu bytes at %zu came back as %u, or others\n",
			(int)getpid(), len, at, plain_len);
		return false;
	}
	if (zlib && !zlib_agrees(c, comp_len, len)) {
		fprintf(stderr, "pid %d: zlib does not inflate %u bytes to the %zu at %zu\n",
			(int)getpid(), comp_len, len, at);
		return false;
	}
	return true;
}

static struct hisi_zip_sqe
copy_request(const void *src, void *dst, size_t len, uint32_t ext)
{
	const uint64_t from = (uintptr_t)src, at = (uintptr_t)dst;
	const struct hisi_udma_sqe copy = {
		.dw0 = HISI_UDMA_BD | HISI_UDMA_TASK << HISI_UDMA_DW0_TASK_SHIFT,
		.len = (uint32_t)len, .ext = ext,
		.dst_l = (uint32_t)at, .dst_h = (uint32_t)(at >> 32),
		.src_l = (uint32_t)from, .src_h = (uint32_t)(from >> 32),
	};
	struct hisi_zip_sqe sqe;

	/* Rings have slots of one size. */
	memcpy(&sqe, &copy, sizeof(sqe));
	return sqe;
}

bool
load_copy_trip(struct load_client *c, size_t len, uint64_t *random)
{
	size_t at = load_random(random) % (load_data_len - len);
	struct spim_queue *q = c->queue[HISI_UDMA_QC];
	const struct hisi_zip_sqe req[] = {
		copy_request(c->src, c->comp, len, 0),
		copy_request(c->comp, c->plain, len, HISI_UDMA_EXT_FENCE),
	};

	memcpy(c->src, load_data + at, len);
	memset(c->comp, 0xee, len);
	memset(c->plain, 0xee, len);
	for (uint16_t i = 0; i < 2; i++)
		load_submit(q, &req[i], i);
	for (unsigned int i = 0; i < 2; i++) {
		const struct hisi_zip_sqe *sqe = load_complete(q);
		struct hisi_udma_sqe copy = { 0 };

		if (sqe != NULL)
			memcpy(&copy, sqe, sizeof(copy));
		if (copy.wb != HISI_UDMA_WB_GOOD) {
			fprintf(stderr, "pid %d: copy %u of %zu bytes: wb 0x%x, expected 0x%x\n",
				(int)getpid(), i, len, copy.wb, HISI_UDMA_WB_GOOD);
			return false;
		}
	}
	if (memcmp(c->plain, load_data + at, len) != 0) {
		fprintf(stderr, "pid %d: %zu bytes at %zu were copied to others\n",
			(int)getpid(), len, at);
		return false;
	}
	return true;
}
