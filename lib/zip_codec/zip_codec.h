/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef ZIP_CODEC_H
#define ZIP_CODEC_H

/**
 * @file
 * DEFLATE over ISA-L, libdeflate and zlib, and LZ4 over liblz4, behind one interface.
 *
 * Each library is used where it measured best; the choice is made in
 * zip_codec_plan.c and nowhere else. This library knows nothing of devices,
 * rings or DPDK. Data is raw DEFLATE (RFC 1951); checksums are those of the
 * uncompressed bytes.
 *
 * Threads: a struct zip_codec and a struct zip_codec_stream belong to one
 * thread at a time. Different objects never share mutable state.
 *
 * Hostile input: every function accepts any bytes in src, also bytes that
 * change while it runs, without reading outside src or writing outside dst.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/** Kind of Huffman codes a compressor may use. */
enum zip_codec_huffman {
	ZIP_CODEC_HUFFMAN_DEFAULT, /**< Whatever gives the best result. */
	ZIP_CODEC_HUFFMAN_FIXED,   /**< Fixed codes (RFC 1951 3.2.6); stored blocks too. */
	ZIP_CODEC_HUFFMAN_DYNAMIC, /**< Dynamic codes; fixed or stored where smaller. */
};

/** How the output of a compression ends. */
enum zip_codec_flush {
	ZIP_CODEC_FLUSH_NONE,   /**< Streams only: output may stay inside the stream. */
	ZIP_CODEC_FLUSH_SYNC,   /**< All output, byte aligned, history kept. */
	ZIP_CODEC_FLUSH_FULL,   /**< All output, byte aligned, history dropped. */
	ZIP_CODEC_FLUSH_FINISH, /**< All output, last block has BFINAL set. */
	/**
	 * Streams only. Compressing: all output but for up to 7 bits, which wait for the next
	 * call. Decompressing: stop behind each block; see zip_codec_result.
	 */
	ZIP_CODEC_FLUSH_BLOCK,
};

/** Direction of a stream. */
enum zip_codec_dir {
	ZIP_CODEC_COMPRESS,
	ZIP_CODEC_DECOMPRESS,
};

#define ZIP_CODEC_CRC32   0x1u /**< Compute the CRC-32 of gzip (RFC 1952). */
#define ZIP_CODEC_ADLER32 0x2u /**< Compute the Adler-32 of zlib (RFC 1950). */
#define ZIP_CODEC_XXH32   0x4u /**< LZ4 only: compute the xxHash-32, from seed 0. */

/** Most bytes that one call can take: ISA-L and zlib count in 32 bits. */
#define ZIP_CODEC_LEN_MAX ((size_t)1 << 30)

#define ZIP_CODEC_LEVEL_MAX   9  /**< Levels are 0 (stored) to 9. */
#define ZIP_CODEC_WINDOW_MIN  8  /**< Smallest log2 of the window, in bytes. */
#define ZIP_CODEC_WINDOW_MAX  15 /**< Largest log2 of the window, in bytes. */

#define ZIP_CODEC_DICT_MAX    32768 /**< Most bytes of a dictionary: the largest window. */

#define ZIP_CODEC_LZ4_WINDOW_MAX 16 /**< Largest log2 of the window of LZ4, in bytes. */

/** What an LZ4 frame shall have; the bits of the FLG byte of its header. */
#define ZIP_CODEC_LZ4_CONTENT_CHECKSUM   0x04u /**< XXH32 of the data behind the end mark. */
#define ZIP_CODEC_LZ4_CONTENT_SIZE       0x08u /**< Length of the data in the header. */
#define ZIP_CODEC_LZ4_BLOCK_CHECKSUM     0x10u /**< XXH32 of each compressed block behind it. */
#define ZIP_CODEC_LZ4_BLOCK_INDEPENDENCE 0x20u /**< No block refers to another. */
#define ZIP_CODEC_LZ4_FLAGS              0x3cu /**< All of them. */

/** What to do; the same for one-shot calls and streams. */
struct zip_codec_params {
	uint8_t level;    /**< 0 to 9; compression only. */
	uint8_t window;   /**< log2 of the largest match distance, 8 to 15; compression only. */
	uint8_t huffman;  /**< enum zip_codec_huffman; compression only. */
	uint8_t checksum; /**< ZIP_CODEC_CRC32 | ZIP_CODEC_ADLER32, or 0; LZ4: ZIP_CODEC_XXH32. */
	uint8_t lz4_flags; /**< ZIP_CODEC_LZ4_*; LZ4 compression only. */
	/**
	 * Checksums to continue from, so that they can run over several calls.
	 * For a fresh start: 0 for the CRC-32, 1 for the Adler-32.
	 */
	uint32_t crc32;
	uint32_t adler32;
	/**
	 * One-shot DEFLATE: bytes that matches may refer to as if they came before
	 * the data. dict_len 0: none. Only their last ones that lie in the window count.
	 */
	const uint8_t *dict;
	uint32_t dict_len; /**< At most ZIP_CODEC_DICT_MAX. */
};

/** What a call did. Always written in full, also on error. */
struct zip_codec_result {
	size_t consumed;  /**< Bytes of src used. */
	size_t produced;  /**< Bytes of dst written that are part of the result. */
	uint32_t crc32;   /**< Running CRC-32; params->crc32 if not asked for. */
	uint32_t adler32; /**< Running Adler-32; params->adler32 if not asked for. */
	uint32_t xxh32;   /**< LZ4: xxHash-32 of all of the data; 0 if not asked for. */
	/** Inflate: the block with BFINAL was finished. Streams: also of a compression. */
	uint8_t end;
	/**
	 * Inflate streams: the last block boundary state. 1 if the call stopped
	 * between two blocks (nothing of the next block was decoded), else 0.
	 */
	uint8_t at_block;
	/** Inflate streams: bits of the last byte consumed that were not used yet. */
	uint8_t bits;
	/** Inflate streams: 1 from the header of the block with BFINAL on. */
	uint8_t last_block;
	/** Streams: output is pending that did not fit in dst (call again with more room). */
	uint8_t pending;
};

/** One thread's backends and scratch memory. */
struct zip_codec;

/** Bytes of a call whose scratch memory a codec keeps; longer ones: zip_codec_trim(). */
#define ZIP_CODEC_LEN_KEPT ((size_t)8 << 20)

/**
 * Make a codec: all the memory that one-shot calls ever need is reserved here
 * (address space; pages are touched on first use), so calls do not allocate.
 * A call of more than ZIP_CODEC_LEN_KEPT bytes asks the kernel for access to
 * what was reserved for it, and fails with -ENOMEM if that is refused.
 *
 * @param max_len
 *   Largest total src length of a call, and largest total dst length of a
 *   decompression, in bytes; at most ZIP_CODEC_LEN_MAX.
 * @return
 *   The codec, owned by the caller, or NULL with errno EINVAL or ENOMEM.
 */
struct zip_codec *zip_codec_create(size_t max_len);

/** Free a codec; NULL is allowed. */
void zip_codec_destroy(struct zip_codec *codec);

/** Return to the kernel what calls of more than ZIP_CODEC_LEN_KEPT bytes took, if one did. */
void zip_codec_trim(struct zip_codec *codec);

/**
 * Return to the kernel the memory of a codec that waits for its first call, or for one that may
 * never come: 2 MiB, which making it has touched. The next call takes it again.
 */
void zip_codec_discard(struct zip_codec *codec);

/**
 * Compress all of src into dst as one piece of raw DEFLATE, in one call.
 *
 * @param flush
 *   ZIP_CODEC_FLUSH_FINISH for a complete stream. ZIP_CODEC_FLUSH_SYNC or
 *   _FULL (the same here: there is no history) for a byte-aligned piece
 *   without BFINAL, to which another piece can be appended.
 * @param partial
 *   If not 0 and dst is too small, compress as long a prefix of src as fits
 *   and end it byte aligned without BFINAL; the rest of src can then be
 *   compressed by another call and appended. With a dictionary there are no
 *   such pieces: partial is ignored, and flush must be ZIP_CODEC_FLUSH_FINISH.
 * @return
 *   - 0: all of src was consumed.
 *   - -ENOSPC: dst is too small. With partial, result tells what prefix was
 *     consumed and produced (checksums cover that prefix); produced is 0 if
 *     not even one byte could be done. Without, consumed = produced = 0 and
 *     the contents of dst are undefined.
 *   - -EINVAL: a parameter is out of range; -E2BIG: src is longer than max_len.
 */
int zip_codec_deflate(struct zip_codec *codec, const struct zip_codec_params *params,
		enum zip_codec_flush flush, int partial,
		const struct iovec *src, unsigned int src_cnt,
		const struct iovec *dst, unsigned int dst_cnt,
		struct zip_codec_result *result);

/**
 * Decompress one complete raw DEFLATE stream from src into dst, in one call.
 * Bytes of src after the end of the stream are not consumed and are no error.
 *
 * What is valid: all that zlib finds valid, with the same result. libdeflate,
 * which does the work, also takes as valid what no compressor that keeps to
 * RFC 1951 makes: more than 286 literal/length or 30 distance code lengths; a
 * repeat that goes on past the last code length (the rest is ignored);
 * literal/length 286 and 287 (as 285) and distance codes 30 and 31 (as 29); the
 * unused bit of a code of one symbol (as that symbol), and distances where
 * there is no distance code (as 1). Streams are as strict as zlib in this.
 *
 * @return
 *   - 0: the end of the stream was reached.
 *   - -ENOSPC: dst is too small; consumed = produced = 0.
 *   - -EBADMSG: not a valid stream, or src ends before the stream does;
 *     consumed = produced = 0. Where both could be said, either is.
 *   - -EINVAL: a parameter is out of range; -E2BIG: src or dst is longer than
 *     max_len.
 */
int zip_codec_inflate(struct zip_codec *codec, const struct zip_codec_params *params,
		const struct iovec *src, unsigned int src_cnt,
		const struct iovec *dst, unsigned int dst_cnt,
		struct zip_codec_result *result);

/**
 * Copy src to dst unchanged (compressdev's NULL algorithm), with checksums.
 *
 * @return
 *   0, or -ENOSPC if dst is shorter than src: consumed = produced = the bytes
 *   that fit were copied.
 */
int zip_codec_copy(const struct zip_codec_params *params,
		const struct iovec *src, unsigned int src_cnt,
		const struct iovec *dst, unsigned int dst_cnt,
		struct zip_codec_result *result);

/**
 * Compress all of src into dst as one LZ4 frame.
 *
 * Level 0 stores, 1 and 2 are liblz4's fast compressor, 3 to 9 its HC levels.
 * A window of less than ZIP_CODEC_LZ4_WINDOW_MAX is kept by independent blocks
 * of that size. The frame has no dictionary id.
 *
 * @return
 *   0, or -ENOSPC: dst is too small; consumed = produced = 0; -EINVAL: a
 *   parameter is out of range; -E2BIG: src is longer than max_len.
 */
int zip_codec_lz4_compress(struct zip_codec *codec, const struct zip_codec_params *params,
		const struct iovec *src, unsigned int src_cnt,
		const struct iovec *dst, unsigned int dst_cnt,
		struct zip_codec_result *result);

/**
 * Decompress one LZ4 frame from src into dst. What it has is in its header:
 * params->lz4_flags is ignored. Bytes behind the frame are not consumed
 * and are no error. Neither skippable nor legacy frames are frames here.
 *
 * @return
 *   - 0: consumed and produced are set.
 *   - -ENOSPC: dst is too small; -EBADMSG: not a valid frame, or src ends before
 *     it does. Where both could be said, either is.
 *   - -EILSEQ: a checksum in the frame does not match.
 *   - -EINVAL: a parameter is out of range; -E2BIG: src or dst is longer than
 *     max_len.
 */
int zip_codec_lz4_decompress(struct zip_codec *codec, const struct zip_codec_params *params,
		const struct iovec *src, unsigned int src_cnt,
		const struct iovec *dst, unsigned int dst_cnt,
		struct zip_codec_result *result);

/** A stream: state and history that outlive a call. */
struct zip_codec_stream;

/**
 * Make a stream. Reserves all the memory it will ever need; of that it touches
 * about 270 KiB compressing, 48 KiB decompressing.
 *
 * @param params
 *   Without a dictionary.
 * @return
 *   The stream, owned by the caller, or NULL with errno EINVAL or ENOMEM.
 */
struct zip_codec_stream *zip_codec_stream_create(enum zip_codec_dir dir,
		const struct zip_codec_params *params);

/**
 * Make a stream fresh again, with new params; does not allocate.
 * @return 0, -EINVAL or -ENOMEM (the stream then can only be destroyed or reset).
 */
int zip_codec_stream_reset(struct zip_codec_stream *stream,
		const struct zip_codec_params *params);

/**
 * Before the first run of a fresh decompression stream: take distances of more than 2^bits bytes
 * as invalid, unless both ends lie in the output of one run.
 * @param bits
 *   ZIP_CODEC_WINDOW_MIN to ZIP_CODEC_WINDOW_MAX.
 * @return 0 or -EINVAL.
 */
int zip_codec_stream_window(struct zip_codec_stream *stream, unsigned int bits);

/** Free a stream; NULL is allowed. */
void zip_codec_stream_destroy(struct zip_codec_stream *stream);

/**
 * Feed a stream with src and take what it has for dst.
 *
 * Compressing: consumes all of src unless dst fills up. With a flush other
 * than NONE, all output is in dst on success.
 * Decompressing: goes on until src is used up, dst is full or the end of the
 * stream is reached (result->end); with ZIP_CODEC_FLUSH_BLOCK also, with 0, until
 * a block ends that is not the last one (result->at_block). No other flush counts.
 * consumed is what zlib's
 * inflate() would consume.
 * src may be empty: more output of earlier input is then delivered.
 *
 * @return
 *   - 0: src is used up (or the end of the stream is reached), nothing pending.
 *   - -ENOSPC: dst is full and there is more to come: call again with the rest
 *     of src, the same flush and a new dst. consumed and produced are valid.
 *   - -EBADMSG: decompressing: not a valid stream. The stream is dead until reset.
 *   - -EPIPE: called after the end of the stream, or on a dead stream.
 *   - -EINVAL: compressing: flush is out of range, or another one than before
 *     although FINISH is not done.
 */
int zip_codec_stream_run(struct zip_codec_stream *stream, enum zip_codec_flush flush,
		const struct iovec *src, unsigned int src_cnt,
		const struct iovec *dst, unsigned int dst_cnt,
		struct zip_codec_result *result);

#endif /* ZIP_CODEC_H */
