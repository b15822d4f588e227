/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <stdlib.h>

#include "hisi_zip_sqe.h"
#include "hisi_zip_ext.h"
#include "zip_dev_stream.h"

/*
 * The context buffer lies in client memory, so nothing of a stream is kept
 * there: its address is only the name under which the state is found here.
 * How many silicon keeps is open (U36).
 */

void
zip_dev_streams_init(struct zip_dev_streams *streams, uint32_t max, struct qm_dev_quota *quota)
{
	unsigned int log2 = 1;

	while (log2 < 31 && 1u << log2 < max)
		log2++;
	*streams = (struct zip_dev_streams){ .max = max, .quota = quota,
		.shift = 64 - log2 };
}

void
zip_dev_streams_fini(struct zip_dev_streams *streams)
{
	struct zip_dev_stream *s;

	zip_dev_streams_reset(streams);
	for (unsigned int dir = 0; dir < 2; dir++) {
		while ((s = LIST_FIRST(&streams->free[dir])) != NULL) {
			LIST_REMOVE(s, link);
			zip_codec_stream_destroy(s->codec);
			free(s);
		}
	}
	free(streams->bucket);
	qm_dev_quota_put(streams->quota, QM_DEV_CONTEXTS, streams->made);
}

/* Multiplicative hash; addresses differ mostly in the middle bits. */
static struct zip_dev_stream_list *
bucket_of(struct zip_dev_streams *streams, uint64_t key)
{
	return &streams->bucket[key * 0x9e3779b97f4a7c15ull >> streams->shift];
}

static struct zip_dev_stream *
stream_find(struct zip_dev_streams *streams, uint64_t key)
{
	struct zip_dev_stream *s;

	if (streams->bucket == NULL)
		return NULL;
	LIST_FOREACH(s, bucket_of(streams, key), link)
		if (s->key == key)
			break;
	return s;
}

/* A function without streams has no memory for them, either. */
static struct zip_dev_stream *
stream_make(struct zip_dev_streams *streams)
{
	struct zip_dev_stream *s;

	if (qm_dev_quota_take(streams->quota, QM_DEV_CONTEXTS, 1) != 0)
		return NULL;
	if (streams->bucket == NULL)
		streams->bucket = calloc((size_t)1 << (64 - streams->shift),
				sizeof(streams->bucket[0]));
	s = streams->bucket != NULL ? calloc(1, sizeof(*s)) : NULL;
	if (s == NULL) {
		qm_dev_quota_put(streams->quota, QM_DEV_CONTEXTS, 1);
		return NULL;
	}
	streams->made++;
	return s;
}

/* Take an unused stream, best one whose codec state fits. */
static struct zip_dev_stream *
stream_take(struct zip_dev_streams *streams, uint64_t key, enum zip_codec_dir dir)
{
	struct zip_dev_stream *s = NULL;

	if (LIST_EMPTY(&streams->free[dir]) && streams->made < streams->max)
		s = stream_make(streams);
	if (s == NULL) {
		s = LIST_FIRST(&streams->free[dir]);
		if (s == NULL)
			s = LIST_FIRST(&streams->free[!dir]);
		if (s == NULL)
			return NULL;
		LIST_REMOVE(s, link);
	}
	s->key = key;
	LIST_INSERT_HEAD(bucket_of(streams, key), s, link);
	atomic_fetch_add_explicit(&streams->used, 1, memory_order_relaxed);
	return s;
}

static void
stream_put(struct zip_dev_streams *streams, struct zip_dev_stream *s)
{
	LIST_REMOVE(s, link);
	s->busy = false;
	LIST_INSERT_HEAD(&streams->free[s->dir], s, link);
	atomic_fetch_sub_explicit(&streams->used, 1, memory_order_relaxed);
}

/* Make the codec's state fresh; the stream is busy, so no lock is needed. */
static int
stream_prepare(struct zip_dev_stream *s, enum zip_codec_dir dir,
		const struct zip_codec_params *params)
{
	if (s->codec != NULL && s->dir != dir) {
		zip_codec_stream_destroy(s->codec);
		s->codec = NULL;
	}
	s->dir = (uint8_t)dir;
	if (s->codec != NULL)
		return zip_codec_stream_reset(s->codec, params);
	s->codec = zip_codec_stream_create(dir, params);
	return s->codec != NULL ? 0 : -errno;
}

uint32_t
zip_dev_stream_get(struct zip_dev_streams *streams, uint64_t key, bool first,
		enum zip_codec_dir dir, uint8_t req, const struct zip_codec_params *params,
		struct zip_dev_stream **stream)
{
	struct zip_dev_stream *s;

	qm_dev_lock(&streams->lock);
	s = stream_find(streams, key);
	if (s != NULL ? s->busy || (!first && (s->dir != dir || s->req != req)) : !first) {
		qm_dev_unlock(&streams->lock);
		return HISI_ZIP_BAD_STREAM;
	}
	if (s == NULL) {
		s = stream_take(streams, key, dir);
		if (s == NULL) {
			qm_dev_unlock(&streams->lock);
			return HISI_ZIP_NO_STREAM;
		}
	}
	s->busy = true;
	qm_dev_unlock(&streams->lock);

	*stream = s;
	if (!first)
		return HISI_ZIP_OK;
	s->req = req;
	s->ended = false;
	s->finishing = false;
	s->trailer_done = 0;
	s->at_block = true;
	s->block_bits = 0;
	s->head_len = 0;
	s->isize = 0;
	s->crc32 = params->crc32;
	s->adler32 = params->adler32;
	s->checksum = params->checksum;
	if (stream_prepare(s, dir, params) != 0) {
		zip_dev_stream_put(streams, s, false);
		return HISI_ZIP_INTERNAL;
	}
	return HISI_ZIP_OK;
}

void
zip_dev_stream_put(struct zip_dev_streams *streams, struct zip_dev_stream *s, bool keep)
{
	qm_dev_lock(&streams->lock);
	if (!keep || s->released)
		stream_put(streams, s);
	s->busy = false;
	s->released = false;
	qm_dev_unlock(&streams->lock);
}

void
zip_dev_streams_reset(struct zip_dev_streams *streams)
{
	qm_dev_lock(&streams->lock);
	for (size_t i = 0; streams->bucket != NULL && i < (size_t)1 << (64 - streams->shift); i++)
		while (!LIST_EMPTY(&streams->bucket[i]))
			stream_put(streams, LIST_FIRST(&streams->bucket[i]));
	qm_dev_unlock(&streams->lock);
}

void
zip_dev_stream_release(struct zip_dev_streams *streams, uint64_t key)
{
	struct zip_dev_stream *s;

	qm_dev_lock(&streams->lock);
	s = stream_find(streams, key);
	if (s != NULL && s->busy)
		s->released = true;
	else if (s != NULL)
		stream_put(streams, s);
	qm_dev_unlock(&streams->lock);
}
