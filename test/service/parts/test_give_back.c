/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * What a client and its user have, counted after every step; and that nothing of it is left
 * when any call of the service fails, or the client is gone.
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin.h"
#include "fail_nth.h"
#include "in_process.h"
#include "log.h"
#include "said.h"
#include "qm_dev_guard.h"

/* ---- What is had ---- */

static void
test_counted(void **state)
{
	int one = open_client(), two = open_client(), three, other, fd[6];

	(void)state;
	has(0, 0, 0);
	/* A ROM, which only messages reach, is a map as others are. */
	assert_int_equal(map(one, -1, 0x80000000, 0x1000, 0), 0);
	has(0, 0, 1);
	assert_int_equal(map(one, memfd, MEM_IOVA, 0x1000, 0), 0);
	has(MEM_LEN, 1, 2);
	assert_int_equal(map(one, memfd, MEM_IOVA + 0x1000, 0x1000, 0x8000), 0);
	has(MEM_LEN, 1, 3);
	/* Another connection pays for its own. */
	assert_int_equal(map_memory(two), 0);
	has(2 * MEM_LEN, 2, 4);
	assert_int_equal(map_memory(two), EEXIST);
	has(2 * MEM_LEN, 2, 4);
	assert_int_equal(unmap(one, MEM_IOVA, 0x1000), 0);
	has(2 * MEM_LEN, 2, 3);
	assert_int_equal(unmap(one, MEM_IOVA, 0x2000), 0);
	has(MEM_LEN, 1, 2);
	assert_int_equal(unmap(one, MEM_IOVA, 0x2000), 0); /* of nothing */
	has(MEM_LEN, 1, 2);

	/* The user's limits, then the connection's. */
	for (int i = 0; i < 6; i++)
		fd[i] = vt_memfd(MEM_LEN);
	for (int i = 0; i < 4; i++)
		assert_int_equal(map(one, fd[i], 0x1000000u * (unsigned int)(i + 1), 0x1000, 0), 0);
	has(5 * MEM_LEN, 5, 6);
	assert_int_equal(map(one, fd[0], 0x9000000, 0x1000, 0), ENOSPC); /* the ROM is one, too */
	has(5 * MEM_LEN, 5, 6);
	assert_int_equal(unmap(one, 0x80000000, 0x1000), 0);
	assert_int_equal(map(one, fd[4], 0x9000000, 0x1000, 0), EMFILE);
	assert_int_equal(map(two, fd[4], 0x9000000, 0x1000, 0), EDQUOT); /* files */
	has(5 * MEM_LEN, 5, 5);
	assert_int_equal(map(one, fd[0], 0x9000000, 0x1000, 0x1000), 0);
	has(5 * MEM_LEN, 5, 6);
	assert_int_equal(map(two, memfd, 0x9000000, 0x1000, 0), EDQUOT); /* maps */
	has(5 * MEM_LEN, 5, 6);
	close(one);
	left_with(1, 1, 1);
	has(MEM_LEN, 1, 1);

	/* Bytes: of the connection, then of the user. */
	other = vt_memfd(USER_BYTES);
	one = open_client();
	assert_int_equal(map(one, other, 0x9000000, USER_BYTES, 0), ENOSPC);
	assert_int_equal(map(one, other, 0x9000000, 0x80000, 0), 0);
	has(MEM_LEN + 0x80000, 2, 2);
	assert_int_equal(map(two, other, 0x9000000, 0x70000, 0), 0);
	has(USER_BYTES, 3, 3);
	assert_int_equal(unmap(two, MEM_IOVA, MEM_LEN), 0);
	three = open_client();
	assert_int_equal(map(three, other, 0x9000000, MEM_LEN + 0x1000, 0), EDQUOT);
	has(USER_BYTES - MEM_LEN, 2, 2);
	assert_int_equal(map(three, other, 0x9000000, MEM_LEN, 0), 0);
	has(USER_BYTES, 3, 3);
	close(one);
	close(two);
	close(three);
	all_gone();
	has(0, 0, 0);
	close(other);
	for (int i = 0; i < 6; i++)
		close(fd[i]);
}

/* Memory that the kernel does not map. */
static void
test_no_mapping(void **state)
{
	int sock = open_client();

	(void)state;
	assert_int_equal(map(sock, memfd, MEM_IOVA + MEM_LEN, MEM_LEN, 0), 0);
	assert_int_equal(unmap(sock, MEM_IOVA + MEM_LEN, MEM_LEN), 0);
	mmap_fails = true;
	assert_int_equal(map_memory(sock), ENFILE);
	mmap_fails = false;
	has(0, 0, 0);
	assert_int_equal(map_memory(sock), 0);
	has(MEM_LEN, 1, 1);
	close_client(sock);
}

/* Memory that cannot be guarded is not mapped, and not paid for. */
static void
test_no_guard(void **state)
{
	int sock = open_client();
	unsigned int mappings = vt_mappings("vfio-user-test");

	(void)state;
	guard_rc = -ENOMEM;
	assert_int_equal(map_memory(sock), ENOMEM);
	guard_rc = 0;
	has(0, 0, 0);
	assert_int_equal(vt_mappings("vfio-user-test"), mappings);
	assert_int_equal(map_memory(sock), 0);
	has(MEM_LEN, 1, 1);
	close_client(sock);
	assert_int_equal(vt_mappings("vfio-user-test"), mappings);
}

/* A connection that is told to end because its function failed, and one that ends before. */
static void
test_failed_functions(void **state)
{
	int one = open_client(), two, three;
	void *priv = made.priv;
	char byte;

	(void)state;
	assert_int_equal(map_memory(one), 0);
	two = open_client();
	three = open_client();
	made.failed(priv);
	made.failed(made.priv);
	/* The first one goes now: nobody may look for it any more. */
	close(one);
	for (int ms = 0; connections() != 2; ms++) {
		assert_true(ms < PATIENCE);
		vfio_user_server_run(service.server, 0);
		nap();
	}
	assert_non_null(LIST_FIRST(&service.failed));
	assert_ptr_equal(LIST_FIRST(&service.failed), made.priv);
	turn();
	assert_null(LIST_FIRST(&service.failed));
	serve(three);
	assert_int_equal(recv(three, &byte, 1, 0), 0);
	assert_int_equal(reset(two), 0);
	close(two);
	close(three);
	all_gone();
	assert_null(LIST_FIRST(&service.failed));
}

/* ---- Who shares the list of those that failed ---- */

static atomic_uint asked; /* how often somebody asked for its lock */

/*
 * What another thread does, once: just before this one asks for the lock, or once it is free again.
 * The threads of the service ask for locks, too, and do nothing here.
 */
static _Thread_local struct {
	void (*run)(void);
	bool after;
} meanwhile;

static void
run_meanwhile(const pthread_mutex_t *lock, bool after)
{
	void (*run)(void) = meanwhile.run;

	if (run == NULL || lock != &service.lock || meanwhile.after != after)
		return;
	meanwhile.run = NULL;
	run();
}

int __real_pthread_mutex_lock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_lock(pthread_mutex_t *lock);
int
__wrap_pthread_mutex_lock(pthread_mutex_t *lock)
{
	run_meanwhile(lock, false);
	if (lock == &service.lock)
		atomic_fetch_add(&asked, 1);
	return __real_pthread_mutex_lock(lock);
}

int __real_pthread_mutex_unlock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock);
int
__wrap_pthread_mutex_unlock(pthread_mutex_t *lock)
{
	int rc = __real_pthread_mutex_unlock(lock);

	run_meanwhile(lock, true);
	return rc;
}

struct access {
	void (*run)(void);
	atomic_bool done;
};

static void *
access_thread(void *arg)
{
	struct access *a = arg;

	a->run();
	atomic_store(&a->done, true);
	return NULL;
}

/* While somebody has the lock, it asks for it and waits; with the lock it goes on. */
static void
waits_for_the_lock(void (*run)(void))
{
	struct access a = { .run = run };
	pthread_t thread;
	bool waits;

	assert_int_equal(pthread_mutex_lock(&service.lock), 0);
	atomic_store(&asked, 0);
	assert_int_equal(pthread_create(&thread, NULL, access_thread, &a), 0);
	for (int ms = 0; ms < PATIENCE && atomic_load(&asked) == 0 && !atomic_load(&a.done); ms++)
		nap();
	waits = atomic_load(&asked) == 1 && !atomic_load(&a.done);
	assert_int_equal(pthread_mutex_unlock(&service.lock), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(waits);
}

static void
function_fails(void)
{
	made.failed(made.priv);
}

static void
loop_closes_failed(void)
{
	client_close_failed(&service);
}

static void
connection_ends(void)
{
	assert_int_equal(vfio_user_server_run(service.server, 0), 1);
}

static void
test_failed_functions_are_shared(void **state)
{
	int first = open_client(), sock;
	void *priv = made.priv;
	eventfd_t n;

	(void)state;
	sock = open_client();
	made.failed(priv);
	waits_for_the_lock(function_fails);
	assert_ptr_equal(LIST_FIRST(&service.failed), made.priv);
	/* The loop is woken for it. */
	assert_int_equal(eventfd_read(service.wake_fd, &n), 0);
	waits_for_the_lock(loop_closes_failed);
	/* Both that failed are closed. */
	assert_null(LIST_FIRST(&service.failed));
	all_gone();
	close(first);
	close(sock);
	sock = open_client();
	close(sock);
	waits_for_the_lock(connection_ends);
	all_gone();
}

static void *first_priv;

static void
first_function_fails(void)
{
	made.failed(first_priv);
}

/* Whatever is done with the list, a function that fails meanwhile is not forgotten. */
static void
test_a_function_that_fails_meanwhile(void **state)
{
	static void (*const done[])(void) = { first_function_fails, loop_closes_failed,
		connection_ends };
	char byte;

	(void)state;
	for (unsigned int i = 0; i < 6; i++) {
		int first = open_client(), second;

		first_priv = made.priv;
		second = open_client();
		if (done[i / 2] != first_function_fails)
			first_function_fails();
		if (done[i / 2] == connection_ends)
			close(first);
		meanwhile.after = i % 2 != 0;
		meanwhile.run = function_fails;
		done[i / 2]();
		assert_null(meanwhile.run);
		turn();
		assert_null(LIST_FIRST(&service.failed));
		serve(second);
		assert_int_equal(recv(second, &byte, 1, 0), 0);
		close(second);
		if (done[i / 2] != connection_ends) {
			serve(first);
			assert_int_equal(recv(first, &byte, 1, 0), 0);
			close(first);
		}
		all_gone();
	}
}

/* The loop does not wait for what a client's function still executes, but the memory does. */
static void
test_who_waits_for_the_end(void **state)
{
	int sock = open_client(), other = open_client();
	unsigned int before = destroyed;

	(void)state;
	assert_int_equal(map_memory(sock), 0);
	shut_waits = true;
	close(sock);
	for (int i = 0; i < 10; i++)
		assert_int_equal(reset(other), 0);
	assert_int_equal(connections(), 1);
	assert_int_equal(destroyed, before);
	has(MEM_LEN, 1, 1);
	shut_waits = false;
	left_with(1, 0, 0);
	all_is_freed();
	assert_int_equal(destroyed, before + 1);
	/* In the same turn, if nothing is executed. */
	close(other);
	assert_true(vfio_user_server_run(service.server, 0) >= 1);
	assert_true(TAILQ_EMPTY(&service.waiting));
	all_is_freed();
	assert_int_equal(destroyed, before + 2);
	all_gone();
}

/* ---- Lines ---- */

/* What a function says is its client's fault, and limited. */
static void
test_lines_of_a_function(void **state)
{
	static const enum base_log_level levels[] = { BASE_LOG_ERR, BASE_LOG_WARNING,
		BASE_LOG_INFO };
	char text[2048], *at = text;
	int sock = open_client();
	struct said said;

	(void)state;
	said_begin(&said, SAID_ERR);
	for (int i = 0; i < 40; i++)
		made.log.line(levels[i % 3], "line", made.log.priv);
	said_end(&said, text, sizeof(text));
	for (int i = 0; i < 16; i++) {
		const char *want = i % 3 == 2 ? "spimdevd: line\n" : "spimdevd: warning: line\n";

		assert_memory_equal(at, want, strlen(want));
		at += strlen(want);
	}
	assert_memory_equal(at, "spimdevd: warning: connection ", 30);
	assert_non_null(strstr(at, ": no more lines of it after 16\n"));
	assert_ptr_equal(strchr(at, '\n'), text + strlen(text) - 1);
	close_client(sock);
}

/* ---- Any call fails ---- */

/* A connection that is not there yet. */
static int
connect_anew(int sock)
{
	int more = vt_connect(&vt), rc = say_version(more);

	(void)sock;
	close(more);
	return rc;
}

static const struct step {
	const char *name;
	int (*run)(int sock);
	unsigned int before; /* steps that must be done */
	int right;
} steps[] = {
	{ "connect", connect_anew, 1, 0 },
	{ "VERSION", say_version, 0, 0 },
	{ "DMA_MAP", map_memory, 1, 0 },
	{ "doorbells", doorbells, 1, 0 },
	{ "SET_IRQS", set_irqs, 2, 0 },
	{ "a queue", take_queue, 2, 0x100 },
	{ "a write that may wait", write_mailbox, 3, 0x103 },
	{ "DMA_UNMAP", unmap_memory, 3, 0 },
	{ "RESET", reset, 3, 0 },
};

/* What the client is told is what failed, or it is told nothing: its connection is closed. */
static void
check_errno(const struct step *s, int rc)
{
	/*
	 * A connection waits, a line is not logged, a thread closes what may take time, or frees
	 * it in the line of all who have none.
	 */
	bool can_be_missed = strcmp(what_failed, "accept4") == 0 ||
		strcmp(what_failed, "write") == 0 ||
		(strcmp(what_failed, "fcntl") == 0 && s->run == map_memory) ||
		(strcmp(what_failed, "calloc") == 0 && s->run == unmap_memory);
	int told = strcmp(what_failed, "readlink") == 0 ? EINVAL : errno_failed;

	if (rc == s->right && !can_be_missed)
		fail_msg("%s: %s failed, which nobody noticed", s->name, what_failed);
	if (rc > 0 && rc < 0x100 && rc != told)
		fail_msg("%s: %s failed with %d, which was told as error %d", s->name,
			what_failed, errno_failed, rc);
}

/* Up to a step, and that with the n-th call of the service failing. @return Whether one did. */
static bool
step_fails(const struct step *s, unsigned int n)
{
	int sock = vt_connect(&vt), rc = 0;

	turn();
	if (s->before > 0)
		assert_int_equal(say_version(sock), 0);
	if (s->before > 1)
		assert_int_equal(map_memory(sock), 0);
	if (s->before > 2)
		assert_int_equal(take_queue(sock), 0x100);
	let_fail(n);
	rc = s->run(sock);
	let_fail(0);
	if (what_failed == NULL && rc != s->right)
		fail_msg("%s: %d; expected %d", s->name, rc, s->right);
	if (what_failed != NULL)
		check_errno(s, rc);
	close(sock);
	all_gone();
	return what_failed != NULL;
}

static void
test_calls_that_fail(void **state)
{
	static const char struck[] = "accept4 aligned_alloc calloc epoll_ctl fcntl fstat fstatfs "
		"ftruncate getsockopt malloc memfd_create mmap readlink recvmsg sendmsg";
	unsigned int fds, mappings, n;
	int sock = open_client();
	long blocks;

	(void)state;
	/* What is kept once made. */
	assert_int_equal(map_memory(sock), 0);
	assert_int_equal(take_queue(sock), 0x100);
	close_client(sock);
	fds = vt_fds();
	mappings = vt_mappings("vfio-user-test");
	blocks = fail_nth_blocks();
	fail_nth_struck();
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		for (n = 1; step_fails(&steps[i], n); n++) {
			/* A thread closes what may take time. */
			for (int ms = 0; ms < PATIENCE && (vt_fds() != fds ||
					fail_nth_blocks() > blocks); ms++)
				nap();
			has(0, 0, 0);
			if (vt_fds() != fds || vt_mappings("vfio-user-test") != mappings ||
					fail_nth_blocks() > blocks)
				fail_msg("%s, call %u (%s) failed: %u descriptors, %u; %u "
						"mappings, %u; %ld blocks of memory, %ld",
						steps[i].name, n, what_failed, vt_fds(), fds,
						vt_mappings("vfio-user-test"), mappings,
						fail_nth_blocks(), blocks);
		}
		print_message("%s: each of %u calls\n", steps[i].name, n - 1);
		has(0, 0, 0);
	}
	/* And "write", if the log still had lines for this user. */
	assert_int_equal(strncmp(fail_nth_struck(), struck, strlen(struck)), 0);
	/* And all is as good as new. */
	sock = open_client();
	assert_int_equal(map_memory(sock), 0);
	assert_int_equal(take_queue(sock), 0x100);
	close_client(sock);
}

/* ---- Who connects when no descriptor is left ---- */

static void
test_no_descriptor_for_control(void **state)
{
	static const char request[] = "{\"command\":\"access_points\"}\n";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), filler[64];
	struct pollfd p = { .fd = admin_fd(service.admin), .events = POLLIN };
	struct rlimit old, low;
	unsigned int n = 0;
	char text[64];

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(admin_timeout(service.admin), -1);
	low = old;
	low.rlim_cur = (rlim_t)sock + 4;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	while (n < 64 && (filler[n] = dup(sock)) >= 0)
		n++;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s%s", vt.path, OPTIONS_CONTROL_SUFFIX);
	assert_int_equal(connect(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(send(sock, request, strlen(request), 0), strlen(request));
	admin_run(service.admin);
	/* It waits a while, and is not woken for what it cannot do. */
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(recv(sock, text, sizeof(text), MSG_DONTWAIT), -1);
	assert_int_equal(admin_timeout(service.admin), 1000);
	while (n != 0)
		close(filler[--n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	for (int ms = 0; recv(sock, text, 12, MSG_DONTWAIT | MSG_PEEK) != 12; ms++) {
		assert_true(ms < PATIENCE);
		admin_run(service.admin);
		nap();
	}
	assert_memory_equal(text, "{\"service\":{", 12);
	for (int ms = 0; recv(sock, text, sizeof(text), MSG_DONTWAIT) != 0; ms++) {
		if (ms == PATIENCE)
			fail_msg("an answer without an end");
		admin_run(service.admin);
		nap();
	}
	assert_int_equal(admin_timeout(service.admin), -1);
	close(sock);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_mapping, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_guard, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failed_functions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failed_functions_are_shared, set_up,
				tear_down),
		cmocka_unit_test_setup_teardown(test_a_function_that_fails_meanwhile, set_up,
				tear_down),
		cmocka_unit_test_setup_teardown(test_who_waits_for_the_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lines_of_a_function, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_calls_that_fail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_descriptor_for_control, set_up, tear_down),
	};

	log_init(false);
	if (qm_dev_guard_install() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
