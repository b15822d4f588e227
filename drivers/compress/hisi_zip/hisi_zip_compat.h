/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_COMPAT_H
#define HISI_ZIP_COMPAT_H

/**
 * @file
 * All of compressdev and of mbufs that differs between the DPDK releases that this driver is
 * built for (22.11, 24.11, 25.11); hisi_compat.h has what differs in EAL. No other file looks
 * at RTE_VERSION.
 */

#include <stddef.h>

#include <rte_comp.h>
#include <rte_version.h>

/** Version of the compressdev API to compile for; default: DPDK's own. */
#ifndef HISI_ZIP_COMP_VERSION
#define HISI_ZIP_COMP_VERSION RTE_VERSION
#elif HISI_ZIP_COMP_VERSION < RTE_VERSION
#error "HISI_ZIP_COMP_VERSION is older than DPDK, expected RTE_VERSION or newer"
#endif

/* ---- LZ4 and xxHash-32 --------------------------------------------------------------------- */

#if HISI_ZIP_COMP_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)

#define HISI_ZIP_HAVE_LZ4          1
#define HISI_ZIP_ALGO_LZ4          RTE_COMP_ALGO_LZ4
#define HISI_ZIP_CHECKSUM_XXHASH32 RTE_COMP_CHECKSUM_XXHASH32
/** What LZ4 frames can have; not a dictionary id, as the API has no field for it. */
#define HISI_ZIP_FF_LZ4 (RTE_COMP_FF_XXHASH32_CHECKSUM | RTE_COMP_FF_LZ4_CONTENT_WITH_CHECKSUM | \
	RTE_COMP_FF_LZ4_CONTENT_SIZE | RTE_COMP_FF_LZ4_BLOCK_INDEPENDENCE | \
	RTE_COMP_FF_LZ4_BLOCK_WITH_CHECKSUM)

static inline uint8_t
hisi_zip_lz4_flags(const struct rte_comp_compress_xform *c)
{
	return c->lz4.flags;
}

#else

#define HISI_ZIP_HAVE_LZ4          0 /**< The rest is not used then. */
#define HISI_ZIP_ALGO_LZ4          4
#define HISI_ZIP_CHECKSUM_XXHASH32 4
#define HISI_ZIP_FF_LZ4            0

static inline uint8_t
hisi_zip_lz4_flags(const struct rte_comp_compress_xform *c)
{
	(void)c;
	return 0;
}

#endif

/* ---- Dictionaries and checksums that do not match ------------------------------------------ */

/** A dictionary that a transform asks for; len 0: none. */
struct hisi_zip_dict {
	const uint8_t *data;
	uint16_t len;
};

#if HISI_ZIP_COMP_VERSION >= RTE_VERSION_NUM(25, 11, 0, 0)

#define HISI_ZIP_HAVE_UDC        1
#define HISI_ZIP_CHECKSUM_UDC    RTE_COMP_CHECKSUM_3GPP_PDCP_UDC
#define HISI_ZIP_STATUS_MISMATCH RTE_COMP_OP_STATUS_CHECKSUM_VALIDATION_FAILED

static inline struct hisi_zip_dict
hisi_zip_dict_of(const struct rte_comp_xform *x)
{
	if (x->type == RTE_COMP_COMPRESS)
		return (struct hisi_zip_dict){
			.data = x->compress.deflate.dictionary,
			.len = x->compress.deflate.dictionary_len,
		};
	return (struct hisi_zip_dict){
		.data = x->decompress.inflate.dictionary,
		.len = x->decompress.inflate.dictionary_len,
	};
}

#else

#define HISI_ZIP_HAVE_UDC        0
#define HISI_ZIP_CHECKSUM_UDC    5 /**< Not used. */
#define HISI_ZIP_STATUS_MISMATCH RTE_COMP_OP_STATUS_ERROR

static inline struct hisi_zip_dict
hisi_zip_dict_of(const struct rte_comp_xform *x)
{
	(void)x;
	return (struct hisi_zip_dict){ 0 };
}

#endif

/* ---- Mbufs --------------------------------------------------------------------------------- */

#if RTE_VERSION < RTE_VERSION_NUM(23, 3, 0, 0)
#define RTE_IOVA_IN_MBUF RTE_IOVA_AS_PA
#endif

/** Where an mbuf keeps the IOVA of its buffer: without a field for it, IOVAs are pointers. */
#if RTE_IOVA_IN_MBUF
#define HISI_ZIP_MBUF_IOVA offsetof(struct rte_mbuf, buf_iova)
#else
#define HISI_ZIP_MBUF_IOVA offsetof(struct rte_mbuf, buf_addr)
#endif

#endif /* HISI_ZIP_COMPAT_H */
