/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef NEWER_API_H
#define NEWER_API_H

/**
 * @file
 * The transforms of DPDK 25.11 (LZ4, dictionaries, the checksum of UDC) on an older DPDK, so that
 * what the driver does with them runs everywhere. The compiler includes it before all else in a
 * second build of the driver's files. compressdev itself passes transforms on unread, and ops have
 * one layout in all releases.
 */

#include <rte_version.h>

/* The types that have grown get other names while the header that has the rest is read. */
#define rte_comp_deflate_params rte_comp_deflate_params_old
#define rte_comp_compress_xform rte_comp_compress_xform_old
#define rte_comp_decompress_xform rte_comp_decompress_xform_old
#define rte_comp_xform rte_comp_xform_old
#include <rte_comp.h>
#undef rte_comp_deflate_params
#undef rte_comp_compress_xform
#undef rte_comp_decompress_xform
#undef rte_comp_xform

/** For hisi_zip_compat.h. */
#define HISI_ZIP_COMP_VERSION RTE_VERSION_NUM(25, 11, 0, 0)

#define RTE_COMP_ALGO_LZ4 4
#define RTE_COMP_CHECKSUM_XXHASH32 4
#define RTE_COMP_CHECKSUM_3GPP_PDCP_UDC 5
#define RTE_COMP_OP_STATUS_CHECKSUM_VALIDATION_FAILED 7

#define RTE_COMP_FF_XXHASH32_CHECKSUM (1ULL << 15)
#define RTE_COMP_FF_LZ4_CONTENT_WITH_CHECKSUM (1ULL << 17)
#define RTE_COMP_FF_LZ4_CONTENT_SIZE (1ULL << 18)
#define RTE_COMP_FF_LZ4_BLOCK_INDEPENDENCE (1ULL << 19)
#define RTE_COMP_FF_LZ4_BLOCK_WITH_CHECKSUM (1ULL << 20)

#define RTE_COMP_LZ4_FLAG_DICT_ID 0x1
#define RTE_COMP_LZ4_FLAG_CONTENT_SIZE 0x8

struct rte_comp_lz4_params {
	uint8_t flags;
};

struct rte_comp_inflate_params {
	uint8_t *dictionary;
	uint16_t dictionary_len;
};

struct rte_comp_deflate_params {
	enum rte_comp_huffman huffman;
	uint8_t *dictionary;
	uint16_t dictionary_len;
};

struct rte_comp_compress_xform {
	enum rte_comp_algorithm algo;
	union {
		struct rte_comp_deflate_params deflate;
		struct rte_comp_lz4_params lz4;
	};
	int level;
	uint8_t window_size;
	enum rte_comp_checksum_type chksum;
	enum rte_comp_hash_algorithm hash_algo;
};

struct rte_comp_decompress_xform {
	enum rte_comp_algorithm algo;
	enum rte_comp_checksum_type chksum;
	uint8_t window_size;
	union {
		struct rte_comp_inflate_params inflate;
		struct rte_comp_lz4_params lz4;
	};
	enum rte_comp_hash_algorithm hash_algo;
};

struct rte_comp_xform {
	enum rte_comp_xform_type type;
	union {
		struct rte_comp_compress_xform compress;
		struct rte_comp_decompress_xform decompress;
	};
};

#endif /* NEWER_API_H */
