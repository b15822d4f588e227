/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_XFORM_H
#define HISI_ZIP_XFORM_H

/** @file Transforms and streams: what ops ask for, in the terms of requests and of software. */

#include <stdbool.h>

#include <rte_comp.h>

#include "hisi_compat.h"
#include "hisi_dev.h"
#include "hisi_zip_request.h"
#include "hisi_zip_slot.h"
#include "hisi_zip_stream.h"
#include "zip_codec_checksum.h"

struct hisi_zip_dev;
struct rte_compressdev;

/** What a private_xform of compressdev points to; read-only once made. */
struct hisi_zip_xform {
	struct hisi_zip_dev *dev;      /**< Device that made it. */
	uint8_t dir;                   /**< enum hisi_zip_dir. */
	uint8_t sw;                    /**< enum hisi_zip_why: why all its ops are in software. */
	uint8_t chksum;                /**< enum rte_comp_checksum_type. */
	uint8_t algo;                  /**< enum rte_comp_algorithm. */
	struct hisi_zip_words words;   /**< Of its requests. */
	uint32_t paths;                /**< Bits of the paths that its requests need. */
	uint16_t slot_flags;           /**< HISI_ZIP_SLOT_F_* of its stateless ops. */
	uint8_t udc;                   /**< Checksum of the dictionary, if F_UDC. */
	struct zip_codec_params codec; /**< The same for software. */
	struct hisi_qm_mem dict;       /**< The dictionary that codec refers to; va NULL: none. */

	/* Of DEFLATE without the extension (hisi_zip_plain.h). */
	uint8_t trailer;               /**< Bytes of the trailer of its requests, or 0. */
	/**
	 * enum hisi_zip_path: what the known answers have shown of it. With a queue of the
	 * direction that is known for good, but when the transform is made it may not be.
	 */
	uint8_t path;
	bool sums;                     /**< A request may return the checksum: its path says how. */
};

/**
 * The checksums that a stateless op continues from, out of its input_chksum.
 * An Adler-32 of 0 is that of no data: it stands for a fresh start, which is 1.
 */
static inline void
hisi_zip_chksum_start(const struct hisi_zip_xform *x, uint64_t input, uint32_t *crc32,
		uint32_t *adler32)
{
	uint32_t adler = (uint32_t)(x->chksum == RTE_COMP_CHECKSUM_ADLER32 ? input : input >> 32);

	*crc32 = x->codec.checksum & ZIP_CODEC_CRC32 ? (uint32_t)input : 0;
	*adler32 = x->codec.checksum & ZIP_CODEC_ADLER32 && adler != 0 ? adler : 1;
}

/** What of these checksums op->output_chksum has. */
static inline uint64_t
hisi_zip_chksum(const struct hisi_zip_xform *x, uint32_t crc32, uint32_t adler32)
{
	switch (x->chksum) {
	case RTE_COMP_CHECKSUM_CRC32:
		return crc32;
	case RTE_COMP_CHECKSUM_ADLER32:
		return adler32;
	case RTE_COMP_CHECKSUM_CRC32_ADLER32:
		return (uint64_t)adler32 << 32 | crc32;
	default:
		return 0;
	}
}

/** A stateful stream. One op at a time may be in flight. */
struct hisi_zip_stream {
	struct hisi_zip_xform x;       /**< Its transform. */
	struct hisi_qm_mem ctx;        /**< Stream context buffer (ZIP 5.6). */
	/**
	 * What the function knows the stream by: the buffer's address, or, where its end is told
	 * (HISI_ZIP_EXT_F_RELEASE), a number that no other stream has, before or after it. What
	 * is told is posted, and must not come to be about another stream.
	 */
	uint64_t name;
	struct zip_codec_stream *sw;   /**< Set if software may have to do it. */
	/** For the next op; in software, only whether it goes on; not of `plain`. */
	struct hisi_zip_state state;
	bool ctx_owed;                 /**< The function may still write to ctx. */
	bool is_plain;                 /**< The function is without the extension: */
	bool in_software;              /**< Up to its end, software does it. */
	uint32_t delivered;            /**< Bytes of output that the op in software has already. */
	struct hisi_zip_plain_stream *plain; /**< Its state, in memory that no service sees. */
	struct zip_codec_sum sum;      /**< Checksums so far, but for those of the extension. */
	bool dead;                     /**< An error ended it. */
	/** 1 while an op is in flight: set by enqueue, cleared by dequeue with release. */
	RTE_ATOMIC(uint8_t) busy;
};

/** Is the dictionary that an op was compressed with the transform's, as far as it says so? */
static inline bool
hisi_zip_udc_matches(const struct hisi_zip_xform *x, const struct rte_comp_op *op)
{
	return !(x->slot_flags & HISI_ZIP_SLOT_F_UDC) || x->dir == HISI_ZIP_COMP ||
		op->input_chksum == x->udc;
}

int hisi_zip_xform_create(struct rte_compressdev *cdev, const struct rte_comp_xform *xform,
		void **private_xform);
int hisi_zip_xform_free(struct rte_compressdev *cdev, void *private_xform);
int hisi_zip_stream_create(struct rte_compressdev *cdev, const struct rte_comp_xform *xform,
		void **stream);
int hisi_zip_stream_free(struct rte_compressdev *cdev, void *stream);

#endif /* HISI_ZIP_XFORM_H */
