/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef TEST_SPIMCTL_UTIL_H
#define TEST_SPIMCTL_UTIL_H

/** @file Commands of spimctl in the test's process: a scripted service, and what they print. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

/**
 * What is asked, without the newline, and answered; request NULL: whatever it is. In both,
 * ' stands for ".
 */
struct told {
	const char *request, *answer;
};

#define ASK_POINTS  "{'command':'access_points'}"
#define ASK_CLIENTS "{'command':'clients'}"
#define END         "{'end':true}\n"

/** Text with " for '. @return It, in a buffer of its own until the next call. */
const char *util_json(const char *text);

/** Path of the service's socket. */
extern const char *const util_control;

/** Listen, and answer so many times. */
void util_service(const struct told *told, size_t cnt);

/** End it. @return How often it was asked; 1000 more if other than expected. */
unsigned int util_service_end(void);

/** What was printed between the two that follow. */
extern char util_out[16384], util_err[1024];
void util_print_begin(void);
void util_print_end(void);

/** So many calls of recv() fail from now on, with this errno. */
void util_recv_fails(unsigned int times, int err);

/** Seconds that the service may take, by setsockopt() of the last socket: both directions. */
extern time_t util_receive_s, util_send_s;

/**
 * Time as the code under test sees it: it stands at now_s, and each look adds step_s. Sleep ends at
 * once; how long and until when it was to be is kept.
 */
void util_clock(double now_s, double step_s);
/** Time as it is. */
void util_clock_real(void);
extern double util_slept_until, util_slept;
extern unsigned int util_sleeps;
/** So many calls of clock_nanosleep() are interrupted. */
extern unsigned int util_interrupted;

/** What open_memstream() gives: a stream; none; one that leaves no text. */
extern enum util_memstream { UTIL_STREAM, UTIL_NO_STREAM, UTIL_NO_TEXT } util_memstream;

/** Make and remove the folder of the socket: for the group of tests. */
int util_setup(void **state);
int util_teardown(void **state);

#endif /* TEST_SPIMCTL_UTIL_H */
