/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIM_LIAR_H
#define SPIM_LIAR_H

/**
 * @file
 * A test of libspimdev with the lying service: it is started, what is held is counted, the log
 * lines are kept; and at the end all has been given back.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spim.h"

/** The library's 30 s are 600 ms with hurry(SPIM_LIAR_SPEED), and --late is more. */
#define SPIM_LIAR_SPEED 50

extern const char *spim_liar_name;        /**< Of the access point. */
extern char spim_liar_lines[16384];       /**< "E line" or "I line", since the start. */
extern const struct spim_conf spim_liar_conf;

/** Start it with these options. */
void spim_liar_start_with(const char *const *args);
/** Start it with this lie. */
void spim_liar_start(const char *lie);
/** The same without looking at what is held: another one, in the middle of a test. */
void spim_liar_again(const char *const *args);
/** End it without looking at what is held. @return The lies that it told. */
int spim_liar_leave(void);
/** End it; all that was taken has been given back. @param told Lies, -1: at least one. */
void spim_liar_end(int told);
/** A line was logged that has this in it. */
void spim_liar_said(const char *text);
/** Takes the lines. */
void spim_liar_log(enum base_log_level level, const char *line, void *priv);

/** main(): usage NAME LIAR [TEST]. */
int spim_liar_main(int argc, char **argv, const struct CMUnitTest *tests, size_t cnt);

#endif /* SPIM_LIAR_H */
