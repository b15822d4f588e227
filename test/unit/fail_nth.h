/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef FAIL_NTH_H
#define FAIL_NTH_H

/**
 * @file
 * Makes the n-th system call or allocation of a test fail, to show that whatever can fail
 * leaves nothing behind and does not go unnoticed. A sweep:
 *
 * @code
 *   for (unsigned int n = 1;; n++) {
 *           fail_nth(n);
 *           ret = what_is_tested();
 *           what = fail_nth_end();
 *           ... an error, or the right result; nothing held that was not held before ...
 *           if (what == NULL)
 *                   break;       // fewer than n: all were made to fail
 *   }
 *   ... fail_nth_struck() is "calloc mmap open": a call that is not seen would be missed ...
 * @endcode
 *
 * Those calls that are listed in meson.build, that is. The others that our code makes are not
 * counted, as they fail for no reason but a wrong argument (epoll_wait, timerfd_settime, shutdown,
 * close, munmap), or as nobody looks at what they give (madvise, prctl).
 *
 * A call that makes a descriptor must ask for one that is closed when a program is executed: else
 * the test is aborted.
 *
 * Link with dep_fail_nth. Counted are calls by the code that is linked with it (not those
 * inside of shared libraries), in the thread that called fail_nth(). In a program, the
 * environment does it: FAIL_NTH=n counts from the start of main() in its first thread (those
 * that FAIL_NTH_OF names, if it is there; never those that FAIL_NTH_BUT names, with spaces), and a
 * line "fail_nth: NAME" on standard error says what was made to fail. Another one tells of blocks
 * and descriptors that are left at the end: there should be none. With FAIL_NTH=0 no call fails,
 * and only that is told.
 */

#include <stdbool.h>
#include <stddef.h>

/** Let the n-th call from now on fail; 0: none. */
void fail_nth(unsigned int n);

/** The same, of the calls of one name: "malloc". Also of mmap64 and its like the name is "mmap". */
void fail_nth_of(const char *name, unsigned int n);

/** No call fails any more. @return The name of the one that did, or NULL: there were too few. */
const char *fail_nth_end(void);

/** @return The errno that the one had which fail_nth_end() told. */
int fail_nth_errno(void);

/**
 * @return
 *   The names of all that were made to fail since this was asked for last, in any thread: each
 *   once, sorted, with a space between.
 */
const char *fail_nth_struck(void);

/**
 * For the __wrap_name() of a test's own, which takes the place of ours: count a call.
 * @return Whether it is to fail; then errno is err.
 */
bool fail_nth_now(const char *name, int err);

/**
 * From now on reads and writes move this many bytes at a time at most, as the kernel may
 * at any time; 0: as many as they can. All threads.
 */
void fail_nth_short(size_t bytes);

/** @return Blocks of memory allocated and not freed, by the code that this is linked with. */
long fail_nth_blocks(void);

#endif /* FAIL_NTH_H */
