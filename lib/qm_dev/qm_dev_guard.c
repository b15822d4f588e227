/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "qm_dev_guard.h"
#include "qm_dev_func.h"

/*
 * The handler may run at any instruction of any thread, so it takes no lock and reads
 * nothing that can be freed: guards lie in blocks that stay for good. It checks all of
 * them; that a client's memory vanishes is rare, and costs the client its function.
 */

#define BLOCK  1024 /**< Guards of a block. */
#define BLOCKS 1024

enum guard_state {
	GUARD_WHOLE,     /**< The mapping is the client's. */
	GUARD_REPLACING, /**< A handler is at work. */
	GUARD_REPLACED,
};

struct qm_dev_guard {
	/**
	 * Odd while the guard is being changed. The guard of an address that a thread
	 * has a fault at does not change: a view that the thread holds keeps its map.
	 */
	_Atomic uint32_t seq;
	_Atomic uint32_t state;
	_Atomic uintptr_t start; /**< 0: free. */
	_Atomic uintptr_t end;
	_Atomic(struct qm_dev *) dev;
	/** Handlers that came when all was replaced; each is for a thread at the same time. */
	_Atomic uint32_t late;
	SLIST_ENTRY(qm_dev_guard) link; /**< In the list of free guards. */
};

/** More late handlers than threads can be: the fault is not ours to repair. */
#define LATE_MAX 4096

/**
 * Mappings kept to be given up: where the process has as many as the kernel allows, nothing can be
 * put in place of another one unless one goes first, and other threads may take what has gone.
 */
#define SPARES 64u

static _Atomic(struct qm_dev_guard *) block[BLOCKS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards free_list and blocks */
static SLIST_HEAD(, qm_dev_guard) free_list;
static unsigned int blocks;
static struct sigaction previous;
static uintptr_t page_size;
static _Atomic uintptr_t spares[SPARES]; /* a page each; 0: given up */

/* ---- The handler ---- */

static struct qm_dev_guard *
guard_find(uintptr_t addr)
{
	for (unsigned int i = 0; i < BLOCKS; i++) {
		struct qm_dev_guard *b = atomic_load_explicit(&block[i], memory_order_acquire);

		if (b == NULL)
			return NULL;
		for (unsigned int k = 0; k < BLOCK; k++) {
			struct qm_dev_guard *g = &b[k];
			uint32_t seq = atomic_load(&g->seq);
			bool hit = addr >= atomic_load(&g->start) && addr < atomic_load(&g->end);

			if (hit && seq % 2 == 0 && atomic_load(&g->seq) == seq)
				return g;
		}
	}
	return NULL;
}

/* @return Whether there was one to be given up. */
static bool
give_up_spare(void)
{
	for (unsigned int i = 0; i < SPARES; i++) {
		uintptr_t at = atomic_exchange(&spares[i], 0);

		if (at == 0)
			continue;
		syscall(SYS_munmap, at, page_size);
		return true;
	}
	return false;
}

/*
 * The system calls themselves: nothing promises that mmap() may be called in a handler, and
 * tools that put their own in its place take other threads' accesses for races with it.
 */
static bool
map_zeros(uintptr_t start, uintptr_t end)
{
	/* More are never needed: of a mapping that loses its middle, two parts are left. */
	for (int spare = 0; spare <= 3; spare++) {
		if (syscall(SYS_mmap, start, end - start, PROT_READ | PROT_WRITE, MAP_PRIVATE |
				MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0l) == (long)start)
			return true;
		if (errno != ENOMEM || !give_up_spare())
			break;
	}
	return false;
}

/* A part that is replaced becomes one mapping with the part in front of it. */
static bool
map_zeros_in_steps(uintptr_t start, uintptr_t end)
{
	for (; end - start > QM_DEV_UNMAP_STEP; start += QM_DEV_UNMAP_STEP)
		if (!map_zeros(start, start + QM_DEV_UNMAP_STEP))
			break; /* part of a huge page: the rest in one, as that has few of them */
	return map_zeros(start, end);
}

/*
 * The whole mapping goes, not a page of it: a client could else cut the process's
 * mappings into more parts than the kernel allows.
 */
static bool
guard_replace(struct qm_dev_guard *g, uintptr_t addr)
{
	struct qm_dev *dev = atomic_load(&g->dev);
	uint32_t state = GUARD_WHOLE;
	bool ok;

	if (!atomic_compare_exchange_strong(&g->state, &state, GUARD_REPLACING))
		/* Another thread does it, or did since the fault: try the access again. */
		return state == GUARD_REPLACING || atomic_fetch_add(&g->late, 1) < LATE_MAX;
	atomic_store(&dev->broken, true);
	ok = map_zeros_in_steps(atomic_load(&g->start), atomic_load(&g->end));
	atomic_store(&g->state, ok ? GUARD_REPLACED : GUARD_WHOLE);
	/* Where memory is accounted strictly, there may be too little for all of it. */
	return ok || map_zeros(addr & ~(page_size - 1), (addr & ~(page_size - 1)) + page_size);
}

static void
on_sigbus(int sig, siginfo_t *info, void *context)
{
	int err = errno;
	uintptr_t addr = (uintptr_t)info->si_addr;
	/* Sent by a process, it has no address. */
	struct qm_dev_guard *g = info->si_code > 0 ? guard_find(addr) : NULL;
	bool repaired = g != NULL && guard_replace(g, addr);

	errno = err;
	if (repaired)
		return;
	if ((previous.sa_flags & SA_SIGINFO) != 0) {
		previous.sa_sigaction(sig, info, context);
	} else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
		previous.sa_handler(sig);
	} else {
		/* The access is tried again, or the signal sent again, and ends the process. */
		signal(SIGBUS, SIG_DFL);
		if (info->si_code <= 0)
			raise(SIGBUS);
	}
}

/*
 * Those that are not there. Each is shared memory of its own, as the kernel joins private mappings
 * that are alike, also with what others have beside them: then nothing is given up.
 */
static int
make_spares(void)
{
	for (unsigned int i = 0; i < SPARES; i++) {
		void *va;

		if (atomic_load(&spares[i]) != 0)
			continue;
		va = mmap(NULL, page_size, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (va == MAP_FAILED)
			return -errno;
		atomic_store(&spares[i], (uintptr_t)va);
	}
	return 0;
}

int
qm_dev_guard_install(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_RESTART };
	int rc;

	page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	rc = make_spares();
	if (rc != 0)
		return rc;
	sigemptyset(&sa.sa_mask);
	return sigaction(SIGBUS, &sa, &previous) == 0 ? 0 : -errno;
}

/* ---- Guards ---- */

/* Make a block of free guards; the lock is held. */
static int
block_add(void)
{
	struct qm_dev_guard *b = blocks < BLOCKS ? calloc(BLOCK, sizeof(*b)) : NULL;

	if (b == NULL)
		return -ENOMEM;
	for (unsigned int k = 0; k < BLOCK; k++)
		SLIST_INSERT_HEAD(&free_list, &b[k], link);
	atomic_store_explicit(&block[blocks++], b, memory_order_release);
	return 0;
}

int
qm_dev_guard_add(struct qm_dev *dev, void *addr, size_t len, struct qm_dev_guard **guard)
{
	uintptr_t start = (uintptr_t)addr;
	struct qm_dev_guard *g;
	int rc = 0;

	if (start == 0 || len == 0 || len > UINTPTR_MAX - start ||
			start % (uintptr_t)sysconf(_SC_PAGESIZE) != 0)
		return -EINVAL;
	pthread_mutex_lock(&lock);
	/* There was room for its mapping: maybe also for spares that were given up. */
	if (page_size != 0)
		(void)make_spares();
	if (SLIST_EMPTY(&free_list))
		rc = block_add();
	if (rc == 0) {
		g = SLIST_FIRST(&free_list);
		SLIST_REMOVE_HEAD(&free_list, link);
		atomic_fetch_add(&g->seq, 1);
		atomic_store(&g->state, GUARD_WHOLE);
		atomic_store(&g->late, 0);
		atomic_store(&g->dev, dev);
		atomic_store(&g->start, start);
		atomic_store(&g->end, start + len);
		atomic_fetch_add(&g->seq, 1);
		*guard = g;
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

void
qm_dev_guard_del(struct qm_dev_guard *g)
{
	if (g == NULL)
		return;
	pthread_mutex_lock(&lock);
	atomic_fetch_add(&g->seq, 1);
	atomic_store(&g->start, 0);
	atomic_store(&g->end, 0);
	atomic_fetch_add(&g->seq, 1);
	SLIST_INSERT_HEAD(&free_list, g, link);
	pthread_mutex_unlock(&lock);
}
