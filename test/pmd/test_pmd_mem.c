/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * EAL's memory, and what a function is told of it: which pieces, and what follows when EAL or the
 * function refuses. Neither is there: the linker has their calls come here.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rte_errno.h>
#include <rte_memory.h>

#include "hisi_ap.h"
#include "hisi_extmem.h"
#include "hisi_mem.h"
#include "hisi_zip_dev.h"
#include "pmd_log.h"

#define PAGE 0x1000u
#define BASE 0x100000000ull /* of memory that nobody looks into */

/* ---- The function -------------------------------------------------------------------------- */

static struct hisi_ap ap;
static int map_result, unmap_result, extmem_result;
static bool locked; /* EAL's memory stays as it is */

int __wrap_spim_mem_map(struct spim_dev *spim, void *va, size_t len, int fd, uint64_t offset);
int __wrap_spim_mem_unmap(struct spim_dev *spim, void *va, size_t len);
int __wrap_hisi_extmem_register(struct hisi_ap *d);

int
__wrap_spim_mem_map(struct spim_dev *spim, void *va, size_t len, int fd, uint64_t offset)
{
	assert_ptr_equal(spim, ap.spim);
	assert_true(locked);
	did("map %llx+%zx of %d at %llx", (unsigned long long)(uintptr_t)va - BASE, len, fd,
		(unsigned long long)offset);
	return map_result;
}

int
__wrap_spim_mem_unmap(struct spim_dev *spim, void *va, size_t len)
{
	assert_ptr_equal(spim, ap.spim);
	did("unmap %llx+%zx", (unsigned long long)(uintptr_t)va - BASE, len);
	return unmap_result;
}

int
__wrap_hisi_extmem_register(struct hisi_ap *d)
{
	assert_ptr_equal(d, &ap);
	/* Who maps such memory holds its lock, and may need EAL's. */
	assert_false(locked);
	did("extmem");
	return extmem_result;
}

/* ---- EAL ----------------------------------------------------------------------------------- */

/* A segment, and what EAL says of its file. */
static struct segment {
	struct rte_memseg ms;
	int fd; /* or a negative errno */
	size_t offset;
	int offset_errno;
	bool external;
} segments[8];

static unsigned int nsegments;
static struct rte_memseg_list lists[2]; /* EAL's own; external */
static int hugepages;
static int register_errno;
static rte_mem_event_callback_t event;
static char event_name[64];

int __wrap_rte_eal_has_hugepages(void);
void __wrap_rte_mcfg_mem_read_lock(void);
void __wrap_rte_mcfg_mem_read_unlock(void);
int __wrap_rte_memseg_walk_thread_unsafe(rte_memseg_walk_t func, void *arg);
int __wrap_rte_memseg_get_fd_thread_unsafe(const struct rte_memseg *ms);
int __wrap_rte_memseg_get_fd_offset_thread_unsafe(const struct rte_memseg *ms, size_t *offset);
struct rte_memseg *__wrap_rte_mem_virt2memseg(const void *at, const struct rte_memseg_list *msl);
struct rte_memseg_list *__wrap_rte_mem_virt2memseg_list(const void *at);
int __wrap_rte_mem_event_callback_register(const char *name, rte_mem_event_callback_t clb,
		void *arg);
int __wrap_rte_mem_event_callback_unregister(const char *name, void *arg);

int
__wrap_rte_eal_has_hugepages(void)
{
	return hugepages;
}

void
__wrap_rte_mcfg_mem_read_lock(void)
{
	assert_false(locked);
	locked = true;
}

void
__wrap_rte_mcfg_mem_read_unlock(void)
{
	assert_true(locked);
	locked = false;
}

int
__wrap_rte_memseg_walk_thread_unsafe(rte_memseg_walk_t func, void *arg)
{
	assert_true(locked);
	for (unsigned int i = 0; i < nsegments; i++) {
		int ret = func(&lists[segments[i].external], &segments[i].ms, arg);

		if (ret != 0)
			return ret;
	}
	return 0;
}

static const struct segment *
segment_of(const struct rte_memseg *ms)
{
	unsigned int i = 0;

	while (i < nsegments && &segments[i].ms != ms)
		i++;
	assert_true(i < nsegments);
	return &segments[i];
}

int
__wrap_rte_memseg_get_fd_thread_unsafe(const struct rte_memseg *ms)
{
	if (segment_of(ms)->fd >= 0)
		return segment_of(ms)->fd;
	rte_errno = -segment_of(ms)->fd;
	return -1;
}

int
__wrap_rte_memseg_get_fd_offset_thread_unsafe(const struct rte_memseg *ms, size_t *offset)
{
	*offset = segment_of(ms)->offset;
	rte_errno = segment_of(ms)->offset_errno;
	return rte_errno != 0 ? -1 : 0;
}

static struct segment *
segment_at(const void *at)
{
	for (unsigned int i = 0; i < nsegments; i++)
		if (segments[i].ms.addr == at)
			return &segments[i];
	return NULL;
}

struct rte_memseg *
__wrap_rte_mem_virt2memseg(const void *at, const struct rte_memseg_list *msl)
{
	struct segment *s = segment_at(at);

	assert_ptr_equal(msl, &lists[0]);
	return s != NULL ? &s->ms : NULL;
}

struct rte_memseg_list *
__wrap_rte_mem_virt2memseg_list(const void *at)
{
	struct segment *s = segment_at(at);

	return s != NULL ? &lists[s->external] : NULL;
}

int
__wrap_rte_mem_event_callback_register(const char *name, rte_mem_event_callback_t clb, void *arg)
{
	assert_ptr_equal(arg, &ap);
	assert_in_range(strlen(name), 1, RTE_MEM_EVENT_CALLBACK_NAME_LEN - 1);
	did("register");
	strcpy(event_name, name);
	event = clb;
	rte_errno = register_errno;
	return register_errno != 0 ? -1 : 0;
}

int
__wrap_rte_mem_event_callback_unregister(const char *name, void *arg)
{
	assert_ptr_equal(arg, &ap);
	assert_string_equal(name, event_name);
	did("unregister");
	return 0;
}

/* ---- Helpers ------------------------------------------------------------------------------- */

/* One more page of a file. */
static struct segment *
add(uint64_t at, int fd, size_t offset)
{
	struct segment *s = &segments[nsegments++];

	*s = (struct segment){ .fd = fd, .offset = offset };
	s->ms.addr = (void *)(uintptr_t)(BASE + at);
	s->ms.len = PAGE;
	return s;
}

static int
setup(void **state)
{
	(void)state;
	nsegments = 0;
	lists[0] = (struct rte_memseg_list){ .page_sz = PAGE };
	lists[1] = (struct rte_memseg_list){ .page_sz = PAGE, .external = 1 };
	hugepages = 0;
	register_errno = map_result = unmap_result = extmem_result = 0;
	memset(&ap, 0, sizeof(ap));
	ap.driver = &hisi_zip_driver;
	strcpy(ap.name, "mem");
	strcpy(ap.args.dev, "unix:/there");
	forget_did();
	return 0;
}

static int
register_all(void)
{
	int ret;

	pmd_log_begin();
	/* Not yet known to the device: it is told here. */
	ret = hisi_mem_register((struct spim_dev *)&lists, &ap);
	pmd_log_end();
	assert_ptr_equal(ap.spim, &lists);
	assert_false(locked);
	return ret;
}

/* Memory comes or goes, and that is all that is said of it. */
static void
happens(enum rte_mem_event what, uint64_t at, size_t len, int error)
{
	char expected[512] = "";
	void *va = (void *)(uintptr_t)(BASE + at);

	pmd_log_begin();
	locked = true; /* by EAL */
	event(what, va, len, &ap);
	locked = false;
	pmd_log_end();
	if (error != 0)
		snprintf(expected, sizeof(expected), "HISI_ZIP: mem: %zu bytes of memory at %p "
			"could not be %s (%d), expected 0\n", len, va,
			what == RTE_MEM_EVENT_FREE ? "unregistered" : "registered", error);
	assert_string_equal(pmd_log, expected);
}

/* ---- Tests --------------------------------------------------------------------------------- */

/* What follows each other in memory and in one file is one piece; external memory is none. */
static void
test_pieces(void **state)
{
	(void)state;
	add(0, 3, 0);
	add(PAGE, 3, PAGE);
	add(2 * PAGE, 3, 4 * PAGE); /* not the next one in the file, */
	add(4 * PAGE, 3, 5 * PAGE); /* in memory, */
	add(5 * PAGE, 4, 6 * PAGE); /* of that file */
	add(6 * PAGE, 4, 7 * PAGE)->external = true;
	add(6 * PAGE, 4, 7 * PAGE);
	assert_int_equal(register_all(), 0);
	assert_string_equal(pmd_log, "");
	check_did("register, map 0+2000 of 3 at 0, map 2000+1000 of 3 at 4000, "
		"map 4000+1000 of 3 at 5000, map 5000+2000 of 4 at 6000, extmem");
	/* Another time, after a restart: events are told already. */
	nsegments = 1;
	assert_int_equal(register_all(), 0);
	check_did("map 0+1000 of 3 at 0, extmem");
	/* What can shrink is told in single pieces. */
	hugepages = 1;
	nsegments = 2;
	assert_int_equal(register_all(), 0);
	check_did("map 0+1000 of 3 at 0, map 1000+1000 of 3 at 1000, extmem");
	nsegments = 0;
	assert_int_equal(register_all(), 0);
	check_did("extmem");
	hisi_mem_unwatch(&ap);
	hisi_mem_unwatch(&ap);
	check_did("unregister");
}

/* What is refused ends it, and is returned and said. */
static void
refused(int expected, uint64_t at, const char *calls)
{
	char want[512];

	assert_int_equal(register_all(), expected);
	snprintf(want, sizeof(want), "HISI_ZIP: mem: memory at %p could not be registered with "
		"unix:/there (%d), expected 0; if it has no file, EAL was started with options "
		"that do not share memory\n", at != 0 ? (void *)(uintptr_t)at : NULL, expected);
	assert_string_equal(pmd_log, want);
	check_did(calls);
}

static void
test_refused(void **state)
{
	(void)state;
	add(0, 3, 0);
	add(2 * PAGE, 3, 0);
	ap.mem_watched = true;
	/* In between, and at the end. */
	map_result = -ENOSPC;
	refused(-ENOSPC, BASE, "map 0+1000 of 3 at 0");
	nsegments = 1;
	refused(-ENOSPC, BASE, "map 0+1000 of 3 at 0");
	/* An event has told of it. */
	nsegments = 2;
	map_result = -EEXIST;
	assert_int_equal(register_all(), 0);
	check_did("map 0+1000 of 3 at 0, map 2000+1000 of 3 at 0, extmem");
	map_result = 0;
	extmem_result = -EPROTO;
	assert_int_equal(register_all(), -EPROTO);
	check_did("map 0+1000 of 3 at 0, map 2000+1000 of 3 at 0, extmem");
	extmem_result = 0;
	segments[1].offset_errno = ENOTSUP;
	refused(-ENOTSUP, BASE, "");
	segments[0].fd = -ENODEV;
	refused(-ENODEV, 0, "");
	assert_true(ap.mem_watched);
}

static void
test_no_events(void **state)
{
	char want[100];

	(void)state;
	add(0, 3, 0);
	register_errno = ENOMEM;
	assert_int_equal(register_all(), -ENOMEM);
	snprintf(want, sizeof(want), "HISI_ZIP: mem: no events of memory (%d)\n", ENOMEM);
	assert_string_equal(pmd_log, want);
	assert_false(ap.mem_watched);
	check_did("register");
	hisi_mem_unwatch(&ap);
	check_did("");
	/* Memory that stays as it is. */
	register_errno = ENOTSUP;
	assert_int_equal(register_all(), 0);
	assert_string_equal(pmd_log, "");
	check_did("register, map 0+1000 of 3 at 0, extmem");
}

static void
test_grows(void **state)
{
	(void)state;
	add(0, 3, 0);
	assert_int_equal(register_all(), 0);
	forget_did();
	add(4 * PAGE, 5, 0);
	add(5 * PAGE, 5, PAGE);
	add(6 * PAGE, 5, 2 * PAGE);
	add(8 * PAGE, 6, 0)->external = true;
	/* All that came, and no more; not in one piece. */
	happens(RTE_MEM_EVENT_ALLOC, 4 * PAGE, 2 * PAGE, 0);
	check_did("map 4000+1000 of 5 at 0, map 5000+1000 of 5 at 1000");
	happens(RTE_MEM_EVENT_ALLOC, 8 * PAGE, PAGE, 0);
	happens(RTE_MEM_EVENT_ALLOC, 9 * PAGE, PAGE, 0); /* nobody's */
	check_did("");
	map_result = -EEXIST;
	happens(RTE_MEM_EVENT_ALLOC, 5 * PAGE, PAGE, 0);
	check_did("map 5000+1000 of 5 at 1000");
	/* It is gone, and is told when it is there again. */
	map_result = -ENOTCONN;
	happens(RTE_MEM_EVENT_ALLOC, 4 * PAGE, 3 * PAGE, 0);
	check_did("map 4000+1000 of 5 at 0");
	map_result = -ENOSPC;
	happens(RTE_MEM_EVENT_ALLOC, 4 * PAGE, 3 * PAGE, -ENOSPC);
	check_did("map 4000+1000 of 5 at 0");
	happens(RTE_MEM_EVENT_ALLOC, 4 * PAGE, PAGE, -ENOSPC);
	check_did("map 4000+1000 of 5 at 0");
	map_result = 0;
	/* A page that is not there. */
	happens(RTE_MEM_EVENT_ALLOC, 6 * PAGE, 2 * PAGE, -ENOENT);
	check_did("");
	segments[2].fd = -EBADF;
	happens(RTE_MEM_EVENT_ALLOC, 5 * PAGE, PAGE, -EBADF);
	check_did("");
}

static void
test_shrinks(void **state)
{
	(void)state;
	assert_int_equal(register_all(), 0);
	forget_did();
	happens(RTE_MEM_EVENT_FREE, 2 * PAGE, 3 * PAGE, 0);
	check_did("unmap 2000+3000");
	unmap_result = -ENOTCONN;
	happens(RTE_MEM_EVENT_FREE, 0, PAGE, 0);
	check_did("unmap 0+1000");
	unmap_result = -ENOENT;
	happens(RTE_MEM_EVENT_FREE, 0, PAGE, -ENOENT);
	check_did("unmap 0+1000");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pieces, setup),
		cmocka_unit_test_setup(test_refused, setup),
		cmocka_unit_test_setup(test_no_events, setup),
		cmocka_unit_test_setup(test_grows, setup),
		cmocka_unit_test_setup(test_shrinks, setup),
	};

	return cmocka_run_group_tests_name("pmd_mem", tests, NULL, NULL);
}
