/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * Every rule of the service's filter of system calls, and everything that has none. What is
 * expected stands here a second time on purpose: a call more or less is a decision.
 *
 * A child installs a filter of its own first, which has calls with a mark in argument 5 traced. As
 * nobody traces it, they fail with ENOSYS and do nothing; what the service's filter refuses is
 * refused before that, as the stricter result counts. So all calls can be tried with any argument.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"
#include "sandbox.h"

#define MARK    0x5b1de7c0u
#define NUMBERS 1024 /* that there may be */
#define HIGH    (1ull << 32)

void
log_line(enum base_log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

/* What the service does, and nothing else. */
static const int allowed[] = {
	SYS_futex, SYS_recvmsg, SYS_sendmsg, SYS_epoll_pwait, SYS_ppoll, SYS_read, SYS_write,
	SYS_writev, SYS_clock_gettime, SYS_clock_nanosleep, SYS_nanosleep, SYS_sched_yield,
	SYS_epoll_ctl, SYS_epoll_create1, SYS_eventfd2, SYS_io_submit, SYS_io_getevents,
	SYS_io_destroy, SYS_timerfd_create, SYS_timerfd_settime, SYS_signalfd4, SYS_membarrier,
	SYS_accept, SYS_accept4, SYS_recvfrom, SYS_sendto, SYS_getsockopt, SYS_setsockopt,
	SYS_getsockname, SYS_shutdown, SYS_close, SYS_dup, SYS_dup3, SYS_fcntl, SYS_fstat,
	SYS_fstatfs, SYS_statx, SYS_lseek, SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk,
	SYS_memfd_create, SYS_ftruncate, SYS_fallocate, SYS_mbind, SYS_get_mempolicy,
	SYS_set_mempolicy, SYS_move_pages, SYS_set_robust_list, SYS_rseq, SYS_sched_getaffinity,
	SYS_sched_setaffinity, SYS_getcpu, SYS_getpid, SYS_gettid, SYS_tgkill, SYS_getrandom,
	SYS_prctl, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack,
	SYS_restart_syscall, SYS_exit, SYS_exit_group, SYS_getdents64, SYS_readlinkat,
	SYS_unlinkat, SYS_flock, SYS_prlimit64, SYS_uname, SYS_sysinfo,
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
#ifdef SYS_poll
	SYS_poll,
#endif
#ifdef SYS_newfstatat
	SYS_newfstatat,
#endif
#ifdef SYS_readlink
	SYS_readlink,
#endif
#ifdef SYS_unlink
	SYS_unlink,
#endif
};

static const int deadly[] = {
	SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
};

/* Whose arguments decide; see below. */
static const int looked_at[] = {
	SYS_socket, SYS_mmap, SYS_mprotect, SYS_clone, SYS_clone3, SYS_openat,
};

#ifdef __x86_64__
/* Kernels that have them let them pass every filter: they are breakpoints, not requests. */
static const int never_filtered[] = { 335 /* uretprobe */, 336 /* uprobe */ };
#else
static const int never_filtered[] = { -1 };
#endif

static bool
is_one(int nr, const int *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == nr)
			return true;
	return false;
}
#define IS_ONE(nr, list) is_one((nr), (list), sizeof(list) / sizeof((list)[0]))

static void
trace_marked(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MARK, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = 4, .filter = code };

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) != 0)
		_exit(100);
}

/* Run it in a child that is filtered. @return The status that wait() tells. */
static int
in_sandbox(void (*run)(void *arg), void *arg)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* The framework's handlers would go on with the parent's tests. */
		for (int sig = 1; sig < NSIG; sig++)
			signal(sig, SIG_DFL);
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
			_exit(101);
		trace_marked();
		if (sandbox_filter() != 0)
			_exit(102);
		run(arg);
		syscall(SYS_exit_group, 0, 0, 0, 0, 0, 0); /* the mark is in no register any more */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* The errno of a call that is not carried out; ENOSYS: it would be. */
static int
probe(long nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
	return syscall(nr, a0, a1, a2, 0, 0, (uint64_t)MARK) == -1 ? errno : 0;
}

/* Shared with children. */
static int *result;

struct call {
	long nr;
	uint64_t arg[3];
	int want;
};

static void
probe_all(void *arg)
{
	(void)arg;
	for (int nr = 0; nr < NUMBERS; nr++)
		result[nr] = IS_ONE(nr, deadly) || IS_ONE(nr, never_filtered) ? -1 :
			probe(nr, 0, 0, 0);
}

static void
test_numbers(void **state)
{
	(void)state;
	memset(result, 0x55, NUMBERS * sizeof(*result));
	assert_int_equal(in_sandbox(probe_all, NULL), 0);
	for (int nr = 0; nr < NUMBERS; nr++) {
		int want = IS_ONE(nr, allowed) ? ENOSYS : EPERM;

		if (IS_ONE(nr, deadly) || IS_ONE(nr, never_filtered) || IS_ONE(nr, looked_at))
			continue;
		if (result[nr] != want)
			fail_msg("system call %d: errno %d; expected %d (%d: carried out)", nr,
					result[nr], want, ENOSYS);
	}
}

static void
probe_one(void *arg)
{
	const struct call *c = arg;

	*result = probe(c->nr, c->arg[0], c->arg[1], c->arg[2]);
}

static void
test_deadly(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
		struct call c = { deadly[i], { 0 }, 0 };
		int status = in_sandbox(probe_one, &c);

		/* SIGSYS ends all threads; a handler does not help. */
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("system call %d: status 0x%x; expected SIGSYS", deadly[i], status);
	}
}

static const struct call calls[] = {
	{ SYS_mmap, { 0, 4096, PROT_NONE }, ENOSYS },
	{ SYS_mmap, { 0, 4096, PROT_READ | PROT_WRITE }, ENOSYS },
	{ SYS_mmap, { 0, 4096, PROT_EXEC }, EPERM },
	{ SYS_mmap, { 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC }, EPERM },
	{ SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC | HIGH }, EPERM },
	/* Looked for in this argument, not in the others. */
	{ SYS_mmap, { PROT_EXEC, PROT_EXEC, PROT_READ }, ENOSYS },
	{ SYS_mprotect, { 0, 4096, PROT_NONE }, ENOSYS },
	{ SYS_mprotect, { 0, 4096, PROT_READ | PROT_WRITE }, ENOSYS },
	{ SYS_mprotect, { 0, 4096, PROT_EXEC }, EPERM },
	{ SYS_mprotect, { 0, 4096, PROT_READ | PROT_EXEC }, EPERM },
	{ SYS_mprotect, { 0, 4096, PROT_READ | PROT_EXEC | PROT_GROWSDOWN }, EPERM },
	{ SYS_mprotect, { PROT_EXEC, PROT_EXEC, PROT_READ }, ENOSYS },
	{ SYS_openat, { (uint64_t)AT_FDCWD, 0, O_RDONLY }, ENOSYS },
	{ SYS_openat, { (uint64_t)AT_FDCWD, 0, O_RDONLY | O_CLOEXEC | O_DIRECTORY }, ENOSYS },
	{ SYS_openat, { O_CREAT | O_WRONLY, O_CREAT, O_RDONLY }, ENOSYS },
	{ SYS_openat, { (uint64_t)AT_FDCWD, 0, O_WRONLY }, EPERM },
	{ SYS_openat, { (uint64_t)AT_FDCWD, 0, O_RDWR }, EPERM },
	{ SYS_openat, { (uint64_t)AT_FDCWD, 0, O_ACCMODE }, EPERM },
	{ SYS_openat, { (uint64_t)AT_FDCWD, 0, O_CREAT }, EPERM },
	{ SYS_openat, { (uint64_t)AT_FDCWD, 0, O_TRUNC }, EPERM },
	{ SYS_openat, { (uint64_t)AT_FDCWD, 0, O_TMPFILE | O_RDWR }, EPERM },
	{ SYS_openat, { (uint64_t)AT_FDCWD, 0, O_CREAT | HIGH }, EPERM },
	{ SYS_socket, { AF_UNIX, SOCK_STREAM, 0 }, ENOSYS },
	{ SYS_socket, { AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0 }, ENOSYS },
	{ SYS_socket, { AF_UNSPEC, AF_UNIX, AF_UNIX }, EPERM },
	{ SYS_clone, { CLONE_THREAD | CLONE_VM | CLONE_SIGHAND, 0, 0 }, ENOSYS },
	{ SYS_clone, { CLONE_THREAD, 0, 0 }, ENOSYS },
	{ SYS_clone, { SIGCHLD, CLONE_THREAD, CLONE_THREAD }, EPERM },
	{ SYS_clone, { CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0 }, EPERM },
	{ SYS_clone, { CLONE_VM | CLONE_SIGHAND | CLONE_FILES | CLONE_FS, 0, 0 }, EPERM },
	{ SYS_clone, { CLONE_NEWUSER | SIGCHLD, 0, 0 }, EPERM },
	{ SYS_clone, { 0x7ffeffff, 0, 0 }, EPERM }, /* all but CLONE_THREAD */
	{ NUMBERS, { 0 }, EPERM }, { 0x3fffffff, { 0 }, EPERM },
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

static void
probe_calls(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < CALLS; i++)
		result[i] = probe(calls[i].nr, calls[i].arg[0], calls[i].arg[1], calls[i].arg[2]);
	for (int family = 0; family < 64; family++)
		result[CALLS + (size_t)family] = probe(SYS_socket, (uint64_t)family, SOCK_RAW, 0);
}

static void
test_arguments(void **state)
{
	(void)state;
	memset(result, 0x55, NUMBERS * sizeof(*result));
	assert_int_equal(in_sandbox(probe_calls, NULL), 0);
	for (size_t i = 0; i < CALLS; i++)
		if (result[i] != calls[i].want)
			fail_msg("system call %ld, 0x%llx, 0x%llx, 0x%llx: errno %d; expected %d",
					calls[i].nr, (unsigned long long)calls[i].arg[0],
					(unsigned long long)calls[i].arg[1],
					(unsigned long long)calls[i].arg[2], result[i],
					calls[i].want);
	for (int family = 0; family < 64; family++)
		if (result[CALLS + (size_t)family] != (family == AF_UNIX ? ENOSYS : EPERM))
			fail_msg("socket of family %d: errno %d", family,
					result[CALLS + (size_t)family]);
}

/* ---- What is carried out, really ---- */

static void
attempt(void *arg)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char word[8] = "";
	int fd, *r = result;

	(void)arg;
	*r++ = page == MAP_FAILED ? errno : 0;
	*r++ = mprotect(page, 4096, PROT_READ) != 0 ? errno : 0;
	*r++ = mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0 ? errno : 0;
	fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
	*r++ = fd < 0 || read(fd, word, sizeof(word)) <= 0 ? errno : 0;
	*r++ = open("/proc/self/comm", O_RDWR | O_CLOEXEC) < 0 ? errno : 0;
	*r++ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 ? errno : 0;
	*r++ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 ? errno : 0;
	/* A bad argument would be EINVAL; a C library goes on to clone() after ENOSYS. */
	*r++ = syscall(SYS_clone3, NULL, 0) < 0 ? errno : 0;
	*r++ = kill(getpid(), 0) != 0 ? errno : 0;
	*r++ = setuid(getuid()) != 0 ? errno : 0;
	*r++ = chdir("/") != 0 ? errno : 0;
	*r++ = (int)syscall(SYS_tgkill, getpid(), gettid(), 0) != 0 ? errno : 0;
	*r++ = prctl(PR_SET_NAME, "renamed", 0, 0, 0) != 0 ? errno : 0;
}

static void
test_attempts(void **state)
{
	static const int want[] = { 0, 0, EPERM, 0, EPERM, 0, EPERM, ENOSYS, EPERM, EPERM, EPERM,
		0, 0 };

	(void)state;
	memset(result, 0x55, NUMBERS * sizeof(*result));
	assert_int_equal(in_sandbox(attempt, NULL), 0);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		if (result[i] != want[i])
			fail_msg("attempt %zu: errno %d; expected %d", i, result[i], want[i]);
}

static void
run_a_program(void *arg)
{
	char *const argv[] = { (char *)(uintptr_t)"true", NULL };

	(void)arg;
	execv("/bin/true", argv);
}

static void
look_into_the_parent(void *arg)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { result, 1 };

	(void)arg;
	if (process_vm_readv(getppid(), &here, 1, &there, 1, 0) < 0)
		_exit(1);
}

static void
trace_the_parent(void *arg)
{
	(void)arg;
	if (ptrace(PTRACE_SEIZE, getppid(), 0, 0) != 0)
		_exit(1);
}

#ifdef __x86_64__
/* The numbers of another architecture mean other calls: 20 is getpid() there, writev() here. */
static void
other_architecture(void *arg)
{
	long nr = 20;

	(void)arg;
	__asm__ volatile("int $0x80" : "+a"(nr) : : "memory");
}

/* Those of x32 are calls of x86-64 with a bit, and of another architecture all the same. */
static void
other_numbering(void *arg)
{
	(void)arg;
	probe(0x40000000 + SYS_read, 0, 0, 0);
}
#endif

static void
test_ends_of_the_service(void **state)
{
	static void (*const what[])(void *) = {
		run_a_program, look_into_the_parent, trace_the_parent,
#ifdef __x86_64__
		other_architecture, other_numbering,
#endif
	};

	(void)state;
	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		int status = in_sandbox(what[i], NULL);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("attempt %zu: status 0x%x; expected SIGSYS", i, status);
	}
}

/* A child that may not make this system call, with which filters are added. */
static void
without_call(uint32_t nr, int want)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct sock_filter code[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};
		struct sock_fprog prog = { .len = 4, .filter = code };

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
				prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) != 0)
			_exit(1);
		_exit(sandbox_filter() == want &&
				sandbox_drop_privileges(NULL) == (nr == SYS_prctl ? -EACCES : 0) ?
				0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_no_filter_is_told(void **state)
{
	(void)state;
	without_call(SYS_prctl, -EACCES);
	/* What the kernel can do is asked with it: a fence around the service must allow it. */
	without_call(SYS_seccomp, -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_deadly),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_ends_of_the_service),
		cmocka_unit_test(test_no_filter_is_told),
	};

	result = mmap(NULL, NUMBERS * sizeof(*result), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (result == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
