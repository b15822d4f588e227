/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef LOAD_H
#define LOAD_H

/**
 * @file
 * What the programs share that measure the service under load: a service of
 * their own, clients of lib/spimdev, real data, figures.
 *
 * Every program prints its figures, one a line, each with its bound, and ends
 * with 1 if one is broken. What cannot go wrong in a sane run ends it at once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hisi_udma_sqe.h"
#include "hisi_zip_sqe.h"
#include "spim.h"

/** End the program with a line that says what was not as expected. */
void load_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

#define LOAD_CHECK(cond, ...) do { \
	if (!(cond)) \
		load_fail(__FILE__, __LINE__, #cond ": " __VA_ARGS__); \
} while (0)

/**
 * Print a figure and compare it with its bound.
 * @param unit Printed behind both.
 * @return Whether it is kept; if not, load_result() remembers.
 */
bool load_at_most(const char *what, double value, double bound, const char *unit);
bool load_at_least(const char *what, double value, double bound, const char *unit);

/** The program's exit status. */
int load_result(void);

/* ---- Options ---- */

/** --NAME VALUE. Exactly one of number and text is set. */
struct load_option {
	const char *name;
	unsigned long *number;
	const char **text;
	const char *help;
};

/** Takes options from the command line; ended by one without a name. Ends the program if wrong. */
void load_options(int argc, char **argv, const struct load_option *options);

/* ---- Time ---- */

double load_now_us(void);
void load_nap_us(unsigned long us);

/** The share p (0 to 1) of the values is at most this. Sorts them. */
double load_percentile(double *values, size_t n, double p);

/* ---- Service ---- */

#define LOAD_POINTS_MAX 4

struct load_service {
	pid_t pid;
	char folder[64];
	char name[LOAD_POINTS_MAX][128]; /**< Of its access points, for spim_open(). */
	char path[LOAD_POINTS_MAX][123]; /**< The same without "unix:". */
	unsigned int points;
	unsigned int reports;            /**< Asked for so far. */
};

/**
 * Start a service in a folder of its own and wait until it listens.
 * @param program
 *   The program and further arguments of it, separated by spaces.
 * @param weights
 *   Of its access points, LOAD_POINTS_MAX at most, ended by 0. NULL: one of weight 1.
 * @param fmt
 *   More arguments.
 */
void load_service_start(struct load_service *s, const char *program, const unsigned int *weights,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/** SIGTERM. It must end with status 0, and leave nothing. */
void load_service_end(struct load_service *s);

/** What the service says of itself. */
struct load_report {
	unsigned int connections, queues, queues_max, queues_peak;
	unsigned long long requests;
};

/** Ask it. Limits of its log allow few of these while there are many connections. */
struct load_report load_service_report(struct load_service *s);

/** What /proc says of it. */
struct load_usage {
	unsigned int fds, maps, threads;
	unsigned long rss_kb, anon_kb; /**< anon: without what it shares with clients. */
	double cpu_s;                  /**< CPU time so far. */
};

struct load_usage load_usage_get(pid_t pid);

/* ---- Data ---- */

/** Real bytes: programs and text that are on every machine. */
extern const uint8_t *load_data;
extern size_t load_data_len;

/** Read them. Before processes are made, so that they share one copy. */
void load_data_read(void);

/** Random numbers; state is any number. */
uint32_t load_random(uint64_t *state);

/* ---- Clients ---- */

/** Memory of a client: source, compressed, again plain. Longest op in bytes as given. */
struct load_client {
	struct spim_dev *dev;
	struct spim_queue *queue[3]; /**< By queue type, of ZIP and UDMA; NULL: not taken. */
	uint8_t *src, *comp, *plain;
	size_t op_max, comp_max;
};

/** Connect and register memory. @return 0 or a negative errno. */
int load_client_open(struct load_client *c, const char *name, size_t op_max);
void load_client_close(struct load_client *c);

/** Take a queue of this type. @return 0, -EBUSY: none is free. Else see spim_queue_take(). */
int load_client_take(struct load_client *c, uint8_t type, uint16_t depth);
void load_client_put(struct load_client *c, uint8_t type);

/** A request on flat buffers, raw DEFLATE, level 1. */
struct hisi_zip_sqe load_request(const void *src, size_t src_len, void *dst, size_t dst_len);

/** Submit it. @return false: the ring is full. */
bool load_submit(struct spim_queue *q, const struct hisi_zip_sqe *sqe, uint16_t in_flight);

/** The next completion, waited for: spinning first, then in short sleeps. NULL: none in 60 s. */
const struct hisi_zip_sqe *load_complete(struct spim_queue *q);

/**
 * Compress len random bytes of the data, decompress that, and compare. Both
 * queues must be there.
 * @param zlib Have zlib check it, too.
 * @return Whether all was right; if not, a line says what was not.
 */
bool load_round_trip(struct load_client *c, size_t len, uint64_t *random, bool zlib);

/**
 * Copy len random bytes of the data twice, the second time behind a fence from where the first one
 * wrote, and compare. The queue of type UDMA must be there.
 * @return Whether all was right; if not, a line says what was not.
 */
bool load_copy_trip(struct load_client *c, size_t len, uint64_t *random);

#endif /* LOAD_H */
