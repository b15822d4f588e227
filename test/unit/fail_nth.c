/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fail_nth.h"

static __thread unsigned int left; /* calls until the one that fails */
static __thread const char *only;  /* count those of this name; NULL: all */
static const char *but;            /* names that are not counted, with spaces; NULL: none */
static __thread const char *failed;
static __thread int failed_errno;
static const char *struck[64];     /* names, sorted */
static unsigned int nstruck;
static _Atomic size_t most;        /* bytes at a time */
static int told;                   /* by the environment: say it */
static _Atomic long blocks;

void
fail_nth(unsigned int n)
{
	fail_nth_of(NULL, n);
}

void
fail_nth_of(const char *name, unsigned int n)
{
	failed = NULL;
	failed_errno = 0;
	only = name;
	left = n;
}

const char *
fail_nth_end(void)
{
	left = 0;
	return failed;
}

int
fail_nth_errno(void)
{
	return failed_errno;
}

const char *
fail_nth_struck(void)
{
	static char text[1024];
	size_t at = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < nstruck; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i != 0 ? " " : "",
			struck[i]);
	nstruck = 0;
	return text;
}

void
fail_nth_short(size_t bytes)
{
	most = bytes;
}

long
fail_nth_blocks(void)
{
	return atomic_load(&blocks);
}

static void
keep(const char *name)
{
	unsigned int at = 0;

	while (at < nstruck && strcmp(struck[at], name) < 0)
		at++;
	if (at < nstruck && strcmp(struck[at], name) == 0)
		return;
	if (nstruck == sizeof(struck) / sizeof(struck[0]))
		abort();
	memmove(&struck[at + 1], &struck[at], (nstruck - at) * sizeof(struck[0]));
	struck[at] = name;
	nstruck++;
}

static bool
counts(const char *name)
{
	size_t len = strlen(name);

	if (only != NULL && strcmp(only, name) != 0)
		return false;
	for (const char *at = but; at != NULL && *at != '\0'; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n == len && memcmp(at, name, n) == 0)
			return false;
		at += n;
	}
	return true;
}

bool
fail_nth_now(const char *name, int err)
{
	if (left == 0 || !counts(name) || --left != 0)
		return false;
	failed = name;
	failed_errno = err;
	keep(name);
	if (told)
		dprintf(STDERR_FILENO, "fail_nth: %s\n", name);
	errno = err;
	return true;
}

int __real_fcntl(int fd, int cmd, ...);

/* Those with low numbers are all that our programs have. */
static unsigned int
descriptors(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += __real_fcntl(fd, F_GETFD) >= 0;
	return n;
}

static unsigned int descriptors_then;

/* What others do when the program has ended, such as to write what was covered, is not meant. */
static void
at_end(void)
{
	long left_blocks = fail_nth_blocks();
	unsigned int now = descriptors();

	fail_nth_end();
	if (left_blocks != 0 || now != descriptors_then)
		dprintf(STDERR_FILENO, "fail_nth: left are %ld blocks, and %u descriptors of %u\n",
			left_blocks, now, descriptors_then);
}

__attribute__((constructor)) static void
from_environment(void)
{
	const char *n = getenv("FAIL_NTH"), *of = getenv("FAIL_NTH_OF"),
		*bytes = getenv("FAIL_NTH_SHORT");

	told = n != NULL;
	but = getenv("FAIL_NTH_BUT");
	descriptors_then = descriptors();
	if (n != NULL && atexit(at_end) == 0)
		fail_nth_of(of, (unsigned int)atoi(n));
	if (bytes != NULL)
		fail_nth_short((size_t)atoi(bytes));
}

/*
 * What is made with flags: none of our descriptors is to be had by a program that the process
 * executes, so each must have this one from the beginning.
 */
static int
not_inherited(const char *name, int flags, int needed)
{
	if ((flags & needed) == 0) {
		dprintf(STDERR_FILENO, "fail_nth: %s makes a descriptor that stays open when a "
			"program is executed\n", name);
		abort();
	}
	return flags;
}

static size_t
shorter(size_t n)
{
	return most != 0 && n > most ? most : n;
}

/*
 * The linker has calls of symbol go to __wrap_symbol, and those of __real_symbol to symbol. A
 * test that has a __wrap_symbol of its own gets that.
 */
#define WRAP_AS(name, type, symbol, params, args, failure, err) \
	type __real_ ## symbol params; \
	type __wrap_ ## symbol params; \
	__attribute__((weak)) type \
	__wrap_ ## symbol params \
	{ \
		return fail_nth_now(name, err) ? failure : __real_ ## symbol args; \
	}
#define WRAP(type, name, params, args, failure, err) \
	WRAP_AS(#name, type, name, params, args, failure, err)

/* With large files, which is how all is compiled, the C library's headers call these name64. */
#define WRAP_FILE(type, name, params, args, failure, err) \
	WRAP_AS(#name, type, name, params, args, failure, err) \
	WRAP_AS(#name, type, name ## 64, params, args, failure, err)

/* Those that make a block, which is counted. */
#define WRAP_BLOCK(type, name, params, args) \
	type __real_ ## name params; \
	type __wrap_ ## name params; \
	type \
	__wrap_ ## name params \
	{ \
		type p = fail_nth_now(#name, ENOMEM) ? NULL : __real_ ## name args; \
		\
		if (p != NULL) \
			atomic_fetch_add(&blocks, 1); \
		return p; \
	}

WRAP_BLOCK(void *, malloc, (size_t n), (n))
WRAP_BLOCK(void *, calloc, (size_t n, size_t size), (n, size))
WRAP_BLOCK(void *, aligned_alloc, (size_t align, size_t n), (align, n))
WRAP_BLOCK(char *, strdup, (const char *s), (s))

#define WRAP_AGAIN(name, params, args) \
	void *__real_ ## name params; \
	void *__wrap_ ## name params; \
	void * \
	__wrap_ ## name params \
	{ \
		void *to = fail_nth_now(#name, ENOMEM) ? NULL : __real_ ## name args; \
		\
		if (p == NULL && to != NULL) \
			atomic_fetch_add(&blocks, 1); \
		return to; \
	}

WRAP_AGAIN(realloc, (void *p, size_t n), (p, n))
WRAP_AGAIN(reallocarray, (void *p, size_t n, size_t size), (p, n, size))

int __real_posix_memalign(void **p, size_t align, size_t n);
int __wrap_posix_memalign(void **p, size_t align, size_t n);
int
__wrap_posix_memalign(void **p, size_t align, size_t n)
{
	int ret = fail_nth_now("posix_memalign", ENOMEM) ? ENOMEM :
		__real_posix_memalign(p, align, n);

	if (ret == 0)
		atomic_fetch_add(&blocks, 1);
	return ret;
}

void __real_free(void *p);
void __wrap_free(void *p);
void
__wrap_free(void *p)
{
	if (p != NULL)
		atomic_fetch_sub(&blocks, 1);
	__real_free(p);
}

WRAP_FILE(void *, mmap, (void *at, size_t len, int prot, int flags, int fd, off_t off),
	(at, len, prot, flags, fd, off), MAP_FAILED, ENOMEM)
WRAP(int, memfd_create, (const char *name, unsigned int flags),
	(name, (unsigned int)not_inherited("memfd_create", (int)flags, MFD_CLOEXEC)), -1, EMFILE)
WRAP_FILE(int, ftruncate, (int fd, off_t len), (fd, len), -1, ENOSPC)
WRAP_FILE(int, fstat, (int fd, struct stat *st), (fd, st), -1, EIO)
WRAP(int, socket, (int domain, int type, int protocol),
	(domain, not_inherited("socket", type, SOCK_CLOEXEC), protocol), -1, EMFILE)
WRAP(int, connect, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len), -1,
	EAGAIN)
WRAP(int, bind, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len), -1,
	EACCES)
WRAP(int, listen, (int fd, int backlog), (fd, backlog), -1, EOPNOTSUPP)
WRAP(int, accept4, (int fd, struct sockaddr *addr, socklen_t *len, int flags),
	(fd, addr, len, not_inherited("accept4", flags, SOCK_CLOEXEC)), -1, ENFILE)
WRAP(int, getsockopt, (int fd, int level, int name, void *to, socklen_t *len),
	(fd, level, name, to, len), -1, ENOBUFS)
WRAP(int, setsockopt, (int fd, int level, int name, const void *to, socklen_t len),
	(fd, level, name, to, len), -1, ENOMEM)
WRAP(int, eventfd, (unsigned int count, int flags),
	(count, not_inherited("eventfd", flags, EFD_CLOEXEC)), -1, EMFILE)
WRAP(int, timerfd_create, (int clock, int flags),
	(clock, not_inherited("timerfd_create", flags, TFD_CLOEXEC)), -1, EMFILE)
WRAP(int, epoll_create1, (int flags), (not_inherited("epoll_create1", flags, EPOLL_CLOEXEC)), -1,
	EMFILE)
WRAP(int, epoll_ctl, (int epfd, int op, int fd, struct epoll_event *event), (epfd, op, fd, event),
	-1, ENOSPC)
WRAP(int, unlink, (const char *path), (path), -1, EACCES)
WRAP(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags), -1, EACCES)
WRAP(int, renameat2, (int from_dir, const char *from, int to_dir, const char *to,
	unsigned int flags), (from_dir, from, to_dir, to, flags), -1, EDQUOT)
WRAP(int, fsync, (int fd), (fd), -1, EIO)
WRAP_FILE(int, fstatfs, (int fd, struct statfs *st), (fd, st), -1, EIO)
WRAP_FILE(int, lstat, (const char *path, struct stat *st), (path, st), -1, EACCES)
WRAP(int, chmod, (const char *path, mode_t mode), (path, mode), -1, EPERM)
WRAP(ssize_t, readlink, (const char *path, char *to, size_t n), (path, to, n), -1, EACCES)
WRAP(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid), -1, EPERM)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), -1, EPERM)
WRAP(int, futimens, (int fd, const struct timespec *times), (fd, times), -1, EPERM)
WRAP(int, pthread_create, (pthread_t *t, const pthread_attr_t *attr, void *(*run)(void *),
	void *arg), (t, attr, run, arg), EAGAIN, EAGAIN)
WRAP(ssize_t, read, (int fd, void *buf, size_t n), (fd, buf, shorter(n)), -1, EIO)
WRAP(ssize_t, write, (int fd, const void *buf, size_t n), (fd, buf, shorter(n)), -1, ENOSPC)

/* As much of a message as may go at a time, in iov[cnt]. @return Elements. */
static size_t
cut(const struct msghdr *msg, struct iovec *iov, size_t cnt)
{
	size_t room = most, n = 0;

	for (; n < cnt && n < msg->msg_iovlen && room != 0; n++) {
		iov[n] = msg->msg_iov[n];
		if (iov[n].iov_len > room)
			iov[n].iov_len = room;
		room -= iov[n].iov_len;
	}
	return n;
}

static bool
something_there(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

#define WRAP_MSG(name, constness, err) \
	ssize_t __real_ ## name(int fd, constness struct msghdr *msg, int flags); \
	ssize_t __wrap_ ## name(int fd, constness struct msghdr *msg, int flags); \
	ssize_t \
	__wrap_ ## name(int fd, constness struct msghdr *msg, int flags) \
	{ \
		struct msghdr less = *msg; \
		struct iovec iov[8]; \
		ssize_t n; \
		\
		if (COUNTS(fd) && fail_nth_now(#name, err)) \
			return -1; \
		if (most == 0) \
			return __real_ ## name(fd, msg, flags); \
		less.msg_iovlen = cut(msg, iov, 8); \
		less.msg_iov = iov; \
		n = __real_ ## name(fd, &less, flags); \
		TAKE_BACK(msg, &less); \
		return n; \
	}

#define TAKE_BACK(msg, less) (void)0
#define COUNTS(fd) true
WRAP_MSG(sendmsg, const, ENOBUFS)
#undef TAKE_BACK
#undef COUNTS
/* How often one looks in vain is a matter of time: a sweep would not be the same twice. */
#define COUNTS(fd) (left != 0 && something_there(fd))
#define TAKE_BACK(msg, less) \
	((msg)->msg_controllen = (less)->msg_controllen, (msg)->msg_flags = (less)->msg_flags)
WRAP_MSG(recvmsg, , ENOMEM)

/* What may follow is one argument or none; as a long it is passed on as it came. */
#define WRAP_OPTIONAL(name, symbol, first, cmd, err, checked) \
	int __real_ ## symbol(first, int cmd, ...); \
	int __wrap_ ## symbol(first, int cmd, ...); \
	__attribute__((weak)) int \
	__wrap_ ## symbol(first, int cmd, ...) \
	{ \
		va_list ap; \
		long arg; \
		\
		va_start(ap, cmd); \
		arg = va_arg(ap, long); \
		va_end(ap); \
		return fail_nth_now(name, err) ? -1 : __real_ ## symbol(what, checked, arg); \
	}
WRAP_OPTIONAL("fcntl", fcntl, int what, cmd, EINVAL, cmd)
WRAP_OPTIONAL("fcntl", fcntl64, int what, cmd, EINVAL, cmd)
WRAP_OPTIONAL("open", open, const char *what, flags, EMFILE,
	not_inherited("open", flags, O_CLOEXEC))
WRAP_OPTIONAL("open", open64, const char *what, flags, EMFILE,
	not_inherited("open", flags, O_CLOEXEC))

#define WRAP_OPENAT(symbol) \
	int __real_ ## symbol(int dir, const char *path, int flags, ...); \
	int __wrap_ ## symbol(int dir, const char *path, int flags, ...); \
	int \
	__wrap_ ## symbol(int dir, const char *path, int flags, ...) \
	{ \
		mode_t mode = 0; \
		va_list ap; \
		\
		if ((flags & O_CREAT) != 0) { \
			va_start(ap, flags); \
			mode = va_arg(ap, mode_t); \
			va_end(ap); \
		} \
		return fail_nth_now("openat", EMFILE) ? -1 : __real_ ## symbol(dir, path, \
			not_inherited("openat", flags, O_CLOEXEC), mode); \
	}
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)
