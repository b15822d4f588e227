/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef DMA_TEST_H
#define DMA_TEST_H

/**
 * @file
 * What the test programs of the dmadev driver share: EAL, devices, memory, waiting for ops. They
 * use the driver as an application does; cmocka runs their cases.
 *
 * usage: PROGRAM [OPTION...]
 *   --dev    device arguments of every device
 *   --count  iterations of cases that have any
 *   --seconds  how long cases take that take a time
 *   --spimdevd, --sandbox  path of the service, and on or off: devices are on an access point of it
 *   --case   only cases of this name, which may have a *
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <rte_dmadev.h>

struct hisi_udma_vchan;

/** Run all cases, between which nothing may be left. @return The program's exit status. */
int dma_test_main(int argc, char **argv, const char *name, const struct CMUnitTest *tests,
		size_t n);
/** Set before: EAL answers telemetry. */
extern bool dma_telemetry;
/** Set before: how many lcores EAL has; default 1. */
extern unsigned int dma_lcores;
/** For cmocka_unit_test_setup_teardown(): what is held, and that no more is held afterwards. */
int dma_test_before(void **state);
int dma_test_after(void **state);
#define DMA_TEST(f) cmocka_unit_test_setup_teardown(f, dma_test_before, dma_test_after)

/** What --count says, or n; a quarter of n if a sanitizer makes it slow. */
unsigned long dma_count(unsigned long n);
/** What --seconds says, or 2. */
unsigned long dma_seconds(void);
/** Is there --spimdevd? */
bool dma_on_service(void);
/** Does --dev contain this? */
bool dma_args_have(const char *arg);

/* ---- Devices ---- */

#define DMA_NAME "dma_hisi_udma_test"

/** Make a device with these arguments, those of --dev before them. @return 0 or what was wrong. */
int dma_try_add(const char *name, const char *args);
/** Make one that there must be. @return Its id. */
int16_t dma_add(const char *name, const char *args);
void dma_remove(const char *name);
/** Configure, set up, start. */
void dma_start(int16_t dev, uint16_t vchans, uint16_t nb_desc);
/** DMA_NAME with one channel. */
int16_t dma_make(const char *args, uint16_t nb_desc);
/** Stop it and remove it. */
void dma_end(int16_t dev);
/** The driver's own struct. */
struct hisi_udma_vchan *dma_vchan(int16_t dev, uint16_t vchan);

/* ---- Memory and ops ---- */

/** Memory of EAL, filled with what depends on seed and place; freed by rte_free(). */
uint8_t *dma_mem(size_t len, unsigned int seed);
/** What dma_mem() has at a place. */
uint8_t dma_byte(unsigned int seed, size_t at);

int dma_copy(int16_t dev, uint16_t vchan, const void *src, void *dst, uint32_t len, uint64_t flags);
/** Fail unless this number is given to the next op. */
void dma_copy_id(int16_t dev, uint16_t vchan, const void *src, void *dst, uint32_t len,
		uint64_t flags, uint16_t id);

/**
 * Wait until n ops, the last of which has this number, are completed; fail if that takes more than
 * a minute, or one has an error.
 */
void dma_wait(int16_t dev, uint16_t vchan, uint16_t n, uint16_t last);
/** The same with completed_status(), whatever the statuses are. */
void dma_wait_status(int16_t dev, uint16_t vchan, uint16_t n, uint16_t last,
		enum rte_dma_status_code *status);
/** Wait until nothing that was submitted is to be done; looks at no completion. */
void dma_idle(int16_t dev, uint16_t vchan);

/* ---- Log ---- */

/** Collect lines. */
void dma_log_begin(void);
/** Fail unless there is such a line among those that were collected; end it. */
void dma_log_end(const char *part);

#endif /* DMA_TEST_H */
