/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef PMD_TEST_XFORM_H
#define PMD_TEST_XFORM_H

/**
 * @file
 * Making transforms and streams, and failing to. The driver's own functions are called, as
 * compressdev keeps some wrong arguments from them. What they need is wrapped by the linker.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_comp.h>

#define NAME "compress_hisi_zip_xform" /* of the device under test */

enum maker { XFORM, STREAM };

/** Allocations of the driver that are left before one fails; -1: none does. */
extern int allocs_left;
/** No software stream can be had. */
extern bool no_stream;
/** Software streams that are there. */
extern int sw_streams;
/** Streams that the function was told are over, and the last one's address. */
extern unsigned int released;
extern uint64_t released_addr;

int make(uint8_t dev, enum maker maker, const struct rte_comp_xform *xform, void **made);
/** Free it; returns what the driver does. */
int unmake_try(uint8_t dev, enum maker maker, void *made);
void unmake(uint8_t dev, enum maker maker, void *made);

/**
 * It is refused with this errno, the log has this one line after the name of the device, and
 * neither memory nor the pointer has changed.
 */
void refused(uint8_t dev, enum maker maker, const struct rte_comp_xform *xform, int err,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/** By both makers. */
void refused_by_both(uint8_t dev, const struct rte_comp_xform *xform, int err, const char *line);

/** It can be made, and leaves nothing when it is freed. */
void accepted(uint8_t dev, enum maker maker, const struct rte_comp_xform *xform);

/** Each of its allocations fails once, in turn; the lines that say so, ended by NULL. */
void starve(uint8_t dev, enum maker maker, const struct rte_comp_xform *xform,
		const char *const *lines);

#endif /* PMD_TEST_XFORM_H */
