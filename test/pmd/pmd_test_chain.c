/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>

#include "pmd_test.h"
#include "pmd_test_priv.h"

#define MBUFS 16383
#define ROOM 2048       /* data room of an mbuf of its own */
#define SEG_MAX 65000   /* buf_len has 16 bits, and some headroom is in it */
#define FENCE 64        /* bytes behind a segment's memory */
#define PATTERN 0x5a    /* in what is not data */
#define FENCE_BYTE 0xfe

static struct rte_mempool *with_room, *without_room;

/* Memory of a segment: this, the buffer, the fence. */
struct segment {
	struct rte_mbuf_ext_shared_info shinfo;
	size_t len; /* of the buffer */
	uint8_t buf[];
};

void
pmd_pools_create(void)
{
	with_room = rte_pktmbuf_pool_create("pmd_test_room", MBUFS, 0, 0,
		ROOM + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	without_room = rte_pktmbuf_pool_create("pmd_test_ext", MBUFS, 0, 0, 0, SOCKET_ID_ANY);
	PMD_CHECK(with_room != NULL && without_room != NULL, "no memory for mbufs");
}

void
pmd_pools_free(void)
{
	PMD_CHECK(rte_mempool_full(with_room) && rte_mempool_full(without_room),
		"%u and %u mbufs were not given back", rte_mempool_in_use_count(with_room),
		rte_mempool_in_use_count(without_room));
	rte_mempool_free(with_room);
	rte_mempool_free(without_room);
}

static void
segment_free(void *addr, void *opaque)
{
	struct segment *seg = opaque;

	RTE_SET_USED(addr);
	ASAN_UNPOISON_MEMORY_REGION(seg->buf + seg->len, FENCE);
	for (size_t i = 0; i < FENCE; i++)
		PMD_CHECK(seg->buf[seg->len + i] == FENCE_BYTE,
			"byte %zu behind a segment of %zu bytes was written to", i, seg->len);
	free(seg);
}

/* A segment in heap memory that ends where the segment ends. */
static struct rte_mbuf *
external_segment(struct rng *rng, size_t len)
{
	size_t headroom = rng_below(rng, 70);
	struct rte_mbuf *m = rte_pktmbuf_alloc(without_room);
	struct segment *seg = malloc(sizeof(*seg) + headroom + len + FENCE);

	PMD_CHECK(m != NULL && seg != NULL, "no memory for a segment of %zu bytes", len);
	seg->shinfo.free_cb = segment_free;
	seg->shinfo.fcb_opaque = seg;
	rte_mbuf_ext_refcnt_set(&seg->shinfo, 1);
	seg->len = headroom + len;
	memset(seg->buf + seg->len, FENCE_BYTE, FENCE);
	ASAN_POISON_MEMORY_REGION(seg->buf + seg->len, FENCE);
	rte_pktmbuf_attach_extbuf(m, seg->buf, RTE_BAD_IOVA, (uint16_t)(headroom + len),
		&seg->shinfo);
	m->data_off = (uint16_t)headroom;
	m->data_len = (uint16_t)len;
	return m;
}

static struct rte_mbuf *
segment(struct rng *rng, size_t len)
{
	struct rte_mbuf *m;

	if (len > ROOM || rng_one_in(rng, 2))
		return external_segment(rng, len);
	m = rte_pktmbuf_alloc(with_room);
	PMD_CHECK(m != NULL, "no mbuf left");
	m->data_off = (uint16_t)rng_below(rng, ROOM - len + 1);
	m->data_len = (uint16_t)len;
	return m;
}

/* Length of the next of n segments that take left bytes together. */
static size_t
segment_len(struct rng *rng, size_t left, size_t n)
{
	/* What the others cannot take is for this one. */
	size_t min = left > (n - 1) * SEG_MAX ? left - (n - 1) * SEG_MAX : 0;
	size_t max = RTE_MIN(left, (size_t)SEG_MAX);

	if (n == 1)
		return left;
	if (min == 0 && rng_one_in(rng, 10))
		return 0;
	return rng_range(rng, min, RTE_MAX(min, RTE_MIN(max, 2 * left / n + 1)));
}

/* So that 256 segments at least have bytes, if there are as many: empty ones do not count. */
static size_t
segment_len_many(struct rng *rng, size_t left, size_t n)
{
	size_t len = segment_len(rng, left, n);

	if (len == 0 && left > 0)
		return 1;
	return n > 1 && left >= n && len > left - (n - 1) ? left - (n - 1) : len;
}

enum pmd_shape
pmd_random_shape(struct rng *rng)
{
	if (rng_one_in(rng, 20))
		return PMD_TOO_MANY;
	switch (rng_below(rng, 8)) {
	case 0:
	case 1:
	case 2:
		return PMD_LINEAR;
	case 3:
	case 4:
	case 5:
		return PMD_FEW;
	case 6:
		return PMD_MANY;
	default:
		return PMD_FULL;
	}
}

struct rte_mbuf *
pmd_chain(struct rng *rng, enum pmd_shape shape, const uint8_t *data, size_t skip, size_t len,
		size_t tail)
{
	size_t total = skip + len + tail, at = 0;
	size_t n = RTE_MAX((total + SEG_MAX - 1) / SEG_MAX, (size_t)1);
	struct rte_mbuf *head = NULL, **link = &head;

	switch (shape) {
	case PMD_FEW:
		n += rng_below(rng, 8);
		break;
	case PMD_MANY:
		n = RTE_MAX(n, rng_range(rng, 9, 200));
		break;
	case PMD_TOO_MANY:
		n = RTE_MAX(n, rng_range(rng, 256, 700));
		break;
	default:
		break;
	}
	for (size_t i = n; i > 0; i--) {
		struct rte_mbuf *m;
		size_t want = shape == PMD_FULL ? RTE_MIN(total - at, (size_t)SEG_MAX) :
			shape == PMD_TOO_MANY ? segment_len_many(rng, total - at, i) :
			segment_len(rng, total - at, i);
		uint8_t *p;

		m = segment(rng, want);
		p = rte_pktmbuf_mtod(m, uint8_t *);
		memset(p, PATTERN, want);
		if (data != NULL && at + want > skip && at < skip + len) {
			size_t from = RTE_MAX(at, skip), to = RTE_MIN(at + want, skip + len);

			memcpy(p + (from - at), data + (from - skip), to - from);
		}
		at += want;
		*link = m;
		link = &m->next;
	}
	head->nb_segs = (uint16_t)n;
	head->pkt_len = (uint32_t)total;
	return head;
}

void
pmd_chain_read(const struct rte_mbuf *m, size_t offset, uint8_t *data, size_t len)
{
	for (; len > 0 && m != NULL; m = m->next) {
		size_t n;

		if (offset >= m->data_len) {
			offset -= m->data_len;
			continue;
		}
		n = RTE_MIN(len, m->data_len - offset);
		memcpy(data, rte_pktmbuf_mtod_offset(m, uint8_t *, offset), n);
		data += n;
		len -= n;
		offset = 0;
	}
	PMD_CHECK(len == 0, "%zu bytes too short", len);
}

void
pmd_chain_check_skip(const struct rte_mbuf *m, size_t skip)
{
	for (; skip > 0 && m != NULL; m = m->next) {
		const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);

		for (size_t i = 0; i < m->data_len && skip > 0; i++, skip--)
			PMD_CHECK(p[i] == PATTERN, "byte %zu before the offset was written to",
				skip);
	}
}

size_t
pmd_chain_room(const struct rte_mbuf *m, size_t offset)
{
	size_t total = 0;

	for (; m != NULL; m = m->next)
		total += m->data_len;
	return total - offset;
}

void
pmd_chain_free(struct rte_mbuf *m)
{
	/* Not rte_pktmbuf_free(): tests make chains whose head lies. */
	while (m != NULL) {
		struct rte_mbuf *next = m->next;

		m->next = NULL;
		m->nb_segs = 1;
		rte_pktmbuf_free_seg(m);
		m = next;
	}
}

static void
keep(void *va, void *priv)
{
	RTE_SET_USED(va);
	RTE_SET_USED(priv);
}

struct rte_mbuf *
pmd_mbuf_at(void *va, uint16_t len, struct rte_mbuf_ext_shared_info *info)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(without_room);

	PMD_CHECK(m != NULL, "no mbuf");
	info->free_cb = keep;
	rte_mbuf_ext_refcnt_set(info, 1);
	rte_pktmbuf_attach_extbuf(m, va, RTE_BAD_IOVA, len, info);
	m->data_off = 0;
	m->data_len = len;
	m->pkt_len = len;
	return m;
}
