/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "qm_dev_func.h"

/* Append [iova, iova + len), which may lie in several adjacent maps. */
static int
buf_append(struct qm_dev_view *view, uint64_t iova, uint64_t len, unsigned int prot,
		struct qm_dev_buf *buf)
{
	while (len != 0) {
		struct iovec *last = buf->cnt != 0 ? &buf->iov[buf->cnt - 1] : NULL;
		void *va;
		uint64_t n = qm_dev_view_run(view, iova, len, prot, &va);

		/* NULL: address 0 of a map of the whole process is no memory. */
		if (n == 0 || va == NULL)
			return -EFAULT;
		/* Segments that touch become one: the codec's fast path wants a single one. */
		if (last != NULL &&
				(uintptr_t)last->iov_base + last->iov_len == (uintptr_t)va) {
			last->iov_len += n;
		} else {
			if (buf->cnt == QM_DEV_IOV_MAX)
				return -EINVAL;
			buf->iov[buf->cnt++] = (struct iovec){ .iov_base = va, .iov_len = n };
		}
		buf->len += n;
		len -= n;
		iova += n; /* wraps only when len is 0, or the next look-up fails */
		if (iova == 0 && len != 0)
			return -EFAULT;
	}
	return 0;
}

int
qm_dev_buf_flat(struct qm_dev_view *view, uint64_t iova, uint64_t len, unsigned int prot,
		struct qm_dev_buf *buf)
{
	buf->cnt = 0;
	buf->len = 0;
	buf->walked = 0;
	return buf_append(view, iova, len, prot, buf);
}

int
qm_dev_buf_sgl(struct qm_dev_view *view, uint64_t iova, uint64_t skip, uint64_t len,
		unsigned int prot, struct qm_dev_buf *buf)
{
	struct hisi_acc_sgl sgl;
	struct hisi_acc_sge sge;
	unsigned int empty = 0;

	buf->cnt = 0;
	buf->len = 0;
	buf->walked = 0;

	/* The bound on the number of lists is also what ends a loop. */
	for (unsigned int lists = 0; iova != 0 && buf->len < len; lists++, iova = sgl.next_dma) {
		void *va;

		if (lists == HISI_ACC_SGL_MAX || iova % HISI_ACC_SGL_ALIGN != 0)
			return -EINVAL;
		va = qm_dev_view_at(view, iova, sizeof(sgl), QM_DEV_PROT_READ);
		if (va == NULL)
			return -EFAULT;
		qm_dev_copy_in(&sgl, va, sizeof(sgl));
		if (sgl.entry_sum_in_sgl == 0 || sgl.entry_sum_in_sgl > HISI_ACC_SGE_MAX)
			return -EINVAL;

		for (unsigned int i = 0; i < sgl.entry_sum_in_sgl && buf->len < len; i++) {
			uint64_t off = sizeof(sgl) + (uint64_t)i * sizeof(sge);
			uint64_t take;
			int rc;

			if (iova > UINT64_MAX - off)
				return -EFAULT;
			va = qm_dev_view_at(view, iova + off, sizeof(sge), QM_DEV_PROT_READ);
			if (va == NULL)
				return -EFAULT;
			qm_dev_copy_in(&sge, va, sizeof(sge));
			buf->walked++;
			if (sge.len > HISI_ACC_SGE_LEN_MAX)
				return -EINVAL;
			/* A walk over nothing is work all the same. */
			if (sge.len == 0 && ++empty > QM_DEV_SGE_EMPTY_MAX)
				return -EINVAL;
			if (skip >= sge.len) {
				skip -= sge.len;
				continue;
			}
			take = sge.len - skip;
			if (take > len - buf->len)
				take = len - buf->len;
			if (sge.buf > UINT64_MAX - skip)
				return -EFAULT;
			rc = buf_append(view, sge.buf + skip, take, prot, buf);
			if (rc != 0)
				return rc;
			skip = 0;
		}
	}
	return 0;
}

/* Pairs up to which comparing all of them beats sorting. */
#define PAIRS_MAX 64

/* One segment for the sweep: where it begins and ends, and on which side it is. */
struct qm_dev_segment {
	uintptr_t from;
	uintptr_t to;
	unsigned int side; /* 0: source, 1: destination */
};

static void
sift_down(struct qm_dev_segment *p, size_t at, size_t n)
{
	struct qm_dev_segment moving = p[at];
	size_t child;

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && p[child].from < p[child + 1].from)
			child++;
		if (p[child].from <= moving.from)
			break;
		p[at] = p[child];
		at = child;
	}
	p[at] = moving;
}

/* Heap sort: no memory of its own, and no input makes it slow. */
static void
sort_segments(struct qm_dev_segment *p, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sift_down(p, i, n);
	while (n-- > 1) {
		struct qm_dev_segment last = p[n];

		p[n] = p[0];
		p[0] = last;
		sift_down(p, 0, n);
	}
}

static void
bounds(const struct qm_dev_buf *buf, uintptr_t *from, uintptr_t *to)
{
	*from = UINTPTR_MAX;
	*to = 0;
	for (unsigned int i = 0; i < buf->cnt; i++) {
		uintptr_t base = (uintptr_t)buf->iov[i].iov_base;

		if (base < *from)
			*from = base;
		if (base + buf->iov[i].iov_len > *to)
			*to = base + buf->iov[i].iov_len;
	}
}

struct qm_dev_segment *
qm_dev_segments_alloc(void)
{
	return malloc(2 * (size_t)QM_DEV_IOV_MAX * sizeof(struct qm_dev_segment));
}

bool
qm_dev_buf_overlap(const struct qm_dev_buf *src, const struct qm_dev_buf *dst,
		struct qm_dev_segment *scratch)
{
	uintptr_t src_from, src_to, dst_from, dst_to, end[2] = { 0, 0 };
	size_t n = 0;

	bounds(src, &src_from, &src_to);
	bounds(dst, &dst_from, &dst_to);
	if (src_from >= dst_to || dst_from >= src_to)
		return false;

	if ((uint64_t)src->cnt * dst->cnt <= PAIRS_MAX) {
		for (unsigned int i = 0; i < src->cnt; i++)
			for (unsigned int k = 0; k < dst->cnt; k++) {
				uintptr_t a = (uintptr_t)src->iov[i].iov_base;
				uintptr_t b = (uintptr_t)dst->iov[k].iov_base;

				if (a < b + dst->iov[k].iov_len && b < a + src->iov[i].iov_len)
					return true;
			}
		return false;
	}

	for (unsigned int side = 0; side < 2; side++) {
		const struct qm_dev_buf *buf = side == 0 ? src : dst;

		for (unsigned int i = 0; i < buf->cnt; i++) {
			uintptr_t from = (uintptr_t)buf->iov[i].iov_base;

			scratch[n++] = (struct qm_dev_segment){ .from = from,
				.to = from + buf->iov[i].iov_len, .side = side };
		}
	}
	sort_segments(scratch, n);
	/* In order of their beginnings: one overlaps if the other side reaches beyond it. */
	for (size_t i = 0; i < n; i++) {
		if (scratch[i].from < end[!scratch[i].side])
			return true;
		if (scratch[i].to > end[scratch[i].side])
			end[scratch[i].side] = scratch[i].to;
	}
	return false;
}

/* Copy between a buffer and flat memory; writes the buffer if in is not NULL. */
static void
buf_copy(const struct qm_dev_buf *buf, uint64_t off, const uint8_t *in, uint8_t *out, size_t n)
{
	for (unsigned int i = 0; n != 0 && i < buf->cnt; i++) {
		const struct iovec *v = &buf->iov[i];
		size_t take;

		if (off >= v->iov_len) {
			off -= v->iov_len;
			continue;
		}
		take = v->iov_len - off < n ? v->iov_len - off : n;
		if (in != NULL) {
			memcpy((uint8_t *)v->iov_base + off, in, take);
			in += take;
		} else {
			qm_dev_copy_in(out, (const uint8_t *)v->iov_base + off, take);
			out += take;
		}
		n -= take;
		off = 0;
	}
}

void
qm_dev_buf_read(const struct qm_dev_buf *buf, uint64_t off, void *dst, size_t n)
{
	buf_copy(buf, off, NULL, dst, n);
}

void
qm_dev_buf_write(const struct qm_dev_buf *buf, uint64_t off, const void *src, size_t n)
{
	buf_copy(buf, off, src, NULL, n);
}

void
qm_dev_buf_copy(const struct qm_dev_buf *src, const struct qm_dev_buf *dst)
{
	size_t in = 0, out = 0; /* in their segments */

	for (unsigned int i = 0, k = 0; i < src->cnt && k < dst->cnt;) {
		const struct iovec *s = &src->iov[i], *d = &dst->iov[k];
		size_t n = s->iov_len - in < d->iov_len - out ? s->iov_len - in : d->iov_len - out;

		memcpy((uint8_t *)d->iov_base + out, (const uint8_t *)s->iov_base + in, n);
		in += n;
		out += n;
		if (in == s->iov_len) {
			in = 0;
			i++;
		}
		if (out == d->iov_len) {
			out = 0;
			k++;
		}
	}
}
