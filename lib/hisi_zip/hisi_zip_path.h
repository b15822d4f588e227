/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef HISI_ZIP_PATH_H
#define HISI_ZIP_PATH_H

/**
 * @file
 * Paths: the kinds of requests that a driver may use on a function.
 *
 * What a plain function really does with each of them no public source says (U11 to U20). So a
 * path is used only once the function has given the right answers on it, which also show what
 * differs from one function to another. A function with the extension is our own contract: its
 * paths are on without being tried.
 *
 * Paths are tried on the control path. On the data path a path can only be turned off.
 */

#include <stdbool.h>
#include <stdint.h>

/** Paths. Each is a bit of struct hisi_zip_function.paths. */
enum hisi_zip_path {
	HISI_ZIP_PATH_COMP_RAW,      /**< Compression, raw DEFLATE requests; V3. */
	HISI_ZIP_PATH_COMP_ZLIB,     /**< The same by zlib requests, the trailer is cut off. */
	HISI_ZIP_PATH_COMP_GZIP,     /**< The same by gzip requests. */
	HISI_ZIP_PATH_COMP_SGL,      /**< Lists in these. */
	HISI_ZIP_PATH_DECOMP_RAW,    /**< Decompression, raw DEFLATE requests; V3. */
	/** The same by zlib requests: a trailer of the driver's own is the end of the source. */
	HISI_ZIP_PATH_DECOMP_ZLIB,
	HISI_ZIP_PATH_DECOMP_GZIP,   /**< The same by gzip requests. */
	HISI_ZIP_PATH_DECOMP_SGL,    /**< Lists in these. */
	HISI_ZIP_PATH_STREAM_COMP,   /**< Streams, compression. */
	HISI_ZIP_PATH_STREAM_COMP_SGL, /**< Lists in these. */
	HISI_ZIP_PATH_STREAM_DECOMP, /**< Streams, decompression. */
	HISI_ZIP_PATH_STREAM_DECOMP_SGL, /**< Lists in these. */
	HISI_ZIP_PATH_EXT_COMP,      /**< All compressions by a function with the extension. */
	HISI_ZIP_PATH_EXT_DECOMP,    /**< All decompressions by one. */
	HISI_ZIP_PATHS,
};

/** The bit of a path. */
#define HISI_ZIP_PATH_BIT(path) (1u << (path))

/** Whether a path is used. */
enum hisi_zip_path_state {
	HISI_ZIP_PATH_UNTRIED, /**< No queue was free to try it. */
	HISI_ZIP_PATH_ON,
	HISI_ZIP_PATH_OFF,     /**< The function has no such path, or answered it wrongly. */
};

/** Where a zlib or gzip request returns the checksum of the plain data (ZIP 5.7, U17). */
enum hisi_zip_sum {
	HISI_ZIP_SUM_NONE,     /**< Nowhere. */
	HISI_ZIP_SUM_PLAIN,    /**< dw31: as it is in the trailer. */
	HISI_ZIP_SUM_REVERSED, /**< dw31: its bits reversed and complemented. */
};

/** What is known of a path on a function. */
struct hisi_zip_path_info {
	uint8_t state;   /**< enum hisi_zip_path_state. */
	/**
	 * Bytes that `produced` of a compression, or `consumed` of a decompression, counts of the
	 * trailer (U16): 0, or all of it.
	 */
	uint8_t counted;
	uint8_t sum;     /**< enum hisi_zip_sum. */
	/**
	 * What known answers have shown of the end, so that a result without it is wrong.
	 * Compression: behind the data lies the trailer. Decompression: the status says that a
	 * trailer does not match. Compressions of streams: the output ends in an empty stored
	 * block (U15).
	 */
	bool ends;
	const char *why; /**< If off: why, in some words. Else NULL. */
};

/** All paths of a function. */
struct hisi_zip_paths {
	struct hisi_zip_path_info path[HISI_ZIP_PATHS];
};

/** Is it a path of the software extension? Such a path needs no known answers. */
static inline bool
hisi_zip_path_is_ext(enum hisi_zip_path path)
{
	return path == HISI_ZIP_PATH_EXT_COMP || path == HISI_ZIP_PATH_EXT_DECOMP;
}

/** Bits of all paths of a direction: HISI_ZIP_QC_COMPRESS or HISI_ZIP_QC_DECOMPRESS. */
uint32_t hisi_zip_paths_of(uint8_t dir);

/** Its name in log lines and telemetry: "comp_raw". */
const char *hisi_zip_path_name(enum hisi_zip_path path);

/** Bits of the paths that are not off: those that were not tried are, before they are used. */
uint32_t hisi_zip_paths_usable(const struct hisi_zip_paths *paths);

/** Bits of those of them whose requests return the checksum of the plain data. */
uint32_t hisi_zip_paths_sums(const struct hisi_zip_paths *paths);

#endif /* HISI_ZIP_PATH_H */
