/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef SPIMGZ_H
#define SPIMGZ_H

/**
 * @file
 * spimgz: gzip files by a shared accelerator. What all of its files use.
 *
 *   main.c           start and end, standard descriptors
 *   gzip_options.c   the command line and the variable GZIP
 *   file.c           one file or pipe, and what is in a folder
 *   folder.c         the names in a folder
 *   place.c          where a file lies
 *   names.c          suffixes
 *   output.c         an output file: it has its name when it is complete, and not before
 *   attributes.c     owner, permissions and times of an output file
 *   signals.c        what a signal must not leave behind
 *   gzip_report.c    what -v and -l print
 *   say.c            errors and warnings
 *   compress.c       a stream in, members out
 *   expand.c         members in, a stream out
 *   inflate.c        a member that is not one of ours, by zlib
 *   gzip.c           the gzip format: headers and trailers
 *   io.c             reading and writing whole pieces, progress
 *   engine.c         the accelerator: service or software, ops in order
 *
 * What it writes is a sequence of gzip members of up to SPIMGZ_CHUNK bytes of input each,
 * so that many can be worked on at a time in both directions. Each has its compressed size
 * in an extra field, which other programs ignore. Files by other programs are read, too:
 * such a member is inflated by zlib.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SPIMGZ_CHUNK   (512u << 10) /**< Plain bytes of a member. */
#define SPIMGZ_SLOTS   8u           /**< Pieces worked on at a time. */

/** Room for a compressed chunk: DEFLATE grows data by little, and then stores it. */
#define SPIMGZ_OUT_MAX (SPIMGZ_CHUNK + SPIMGZ_CHUNK / 8 + 4096)

/** Exit codes, as gzip's. */
enum { SPIMGZ_OK = 0, SPIMGZ_FAILED = 1, SPIMGZ_WARNING = 2 };

/** The worse of two exit codes: an error, then a warning. */
static inline int
worse(int a, int b)
{
	return a == SPIMGZ_FAILED || b == SPIMGZ_OK ? a : b;
}

/** An error: the program's name and a line on standard error. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** An error in the data of an input. As gzip's, its line begins on a line of its own. */
void complain_data(const char *name, const char *what);

/** A warning: the same, but not with -q. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void warn_data(const char *name, const char *what);

/** From now on no warnings. */
void say_quiet(void);

#endif /* SPIMGZ_H */
