/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/*
 * main() of the service: what it does, in which order, and what is left out once something fails.
 * Each step is the test's and says what it was.
 */

#include <errno.h>
#include <getopt.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "holdings.h"
#include "log.h"
#include "options.h"
#include "said.h"
#include "service.h"

int spimdevd_main(int argc, char **argv);

/* ---- Steps ---- */

static char steps[400];
static const char *fails; /* the step that does */
static int error;         /* as which */
static char run_as[32];
static sigset_t blocked;
static int signals;       /* descriptor of them */

static int
step(const char *name)
{
	size_t n = strlen(steps);

	snprintf(steps + n, sizeof(steps) - n, "%s%s", n != 0 ? " " : "", name);
	return fails != NULL && strcmp(fails, name) == 0 ? -error : 0;
}

int __real_signalfd(int fd, const sigset_t *mask, int flags);
int __wrap_signalfd(int fd, const sigset_t *mask, int flags);
int
__wrap_signalfd(int fd, const sigset_t *mask, int flags)
{
	assert_int_equal(fd, -1);
	assert_int_equal(flags, SFD_CLOEXEC | SFD_NONBLOCK);
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	for (int sig = 1; sig < 32; sig++)
		assert_int_equal(sigismember(mask, sig), sig == SIGTERM || sig == SIGINT ||
				sig == SIGUSR1);
	if (step("signals") != 0) {
		errno = error;
		return -1;
	}
	signals = __real_signalfd(fd, mask, flags);
	return signals;
}

int __wrap_qm_dev_guard_install(void);
int
__wrap_qm_dev_guard_install(void)
{
	return step("guard");
}

void __wrap_sandbox_raise_nofile(void);
void
__wrap_sandbox_raise_nofile(void)
{
	(void)step("nofile");
}

int __wrap_sandbox_drop_privileges(const char *user);
int
__wrap_sandbox_drop_privileges(const char *user)
{
	snprintf(run_as, sizeof(run_as), "%s", user != NULL ? user : "");
	return step("drop");
}

int __wrap_sandbox_filter(void);
int
__wrap_sandbox_filter(void)
{
	return step("filter");
}

int __wrap_service_open(struct service *s, const struct options *opt);
int
__wrap_service_open(struct service *s, const struct options *opt)
{
	s->opt = opt;
	return step("open");
}

int __wrap_service_start(struct service *s);
int
__wrap_service_start(struct service *s)
{
	assert_non_null(s->opt);
	return step("start");
}

int __wrap_service_run(struct service *s, int signal_fd);
int
__wrap_service_run(struct service *s, int signal_fd)
{
	assert_non_null(s->opt);
	assert_int_equal(signal_fd, signals);
	return step("run");
}

bool __wrap_service_close(struct service *s);
bool
__wrap_service_close(struct service *s)
{
	assert_non_null(s->opt);
	return step("close") == 0;
}

static int verbose; /* that the log was told; -1: nothing */

void __real_log_init(bool verbose);
void __wrap_log_init(bool is_verbose);
void
__wrap_log_init(bool is_verbose)
{
	/* Before there is anything to be said. */
	assert_string_equal(steps, "");
	verbose = is_verbose;
	__real_log_init(is_verbose);
}

int __wrap_notify_state(const char *state);
int
__wrap_notify_state(const char *state)
{
	return step(state);
}

/* ---- The program ---- */

static char said[2000];
static bool no_input; /* is open: the number 0 is the next one that is opened */

/* A command line of words with spaces between them. @return The exit status. */
static int
run(const char *line, const char *failing, int as)
{
	int in = dup(0), argc = 0, rc;
	static char words[4000];
	char *argv[64], *rest = NULL;
	struct said s;

	snprintf(words, sizeof(words), "spimdevd %s", line);
	for (char *w = strtok_r(words, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest))
		argv[argc++] = w;
	argv[argc] = NULL;
	optind = 0;
	steps[0] = '\0';
	run_as[0] = '\0';
	signals = verbose = -1;
	fails = failing;
	error = as;
	sigemptyset(&blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	signal(SIGPIPE, SIG_DFL);
	said_begin(&s, SAID_BOTH);
	if (no_input)
		close(0);
	rc = spimdevd_main(argc, argv);
	if (no_input)
		dup2(in, 0);
	close(in);
	said_end(&s, said, sizeof(said));
	return rc;
}

#define ALL "signals guard nofile drop open filter start READY=1 run STOPPING=1 close"

static void
test_all_is_well(void **state)
{
	const struct holdings_now before = holdings_get();

	(void)state;
	assert_int_equal(run("--listen /a --workers 3 --queues 7", NULL, 0), 0);
	assert_int_equal(verbose, 0);
	assert_string_equal(steps, ALL);
	assert_string_equal(run_as, "");
	assert_string_equal(said, "spimdevd: listening on /a; 3 workers, 7 queues\n");
	for (int sig = 1; sig < 32; sig++)
		assert_int_equal(sigismember(&blocked, sig), sig == SIGTERM || sig == SIGINT ||
				sig == SIGUSR1);
	/* Nobody may read what is said: that ends nothing. */
	assert_ptr_equal(signal(SIGPIPE, SIG_DFL), SIG_IGN);
	holdings_same(&before);

	assert_int_equal(run("--listen /a --listen /b --run-as somebody --sandbox off "
			"--workers 1 --queues 1 --verbose", NULL, 0), 0);
	assert_int_equal(verbose, 1);
	assert_string_equal(steps, "signals guard nofile drop open start READY=1 run STOPPING=1 "
			"close");
	assert_string_equal(run_as, "somebody");
	assert_string_equal(said, "spimdevd: listening on /a, /b; 1 workers, 1 queues\n");
}

/* What does not begin is not ended; what was begun is. */
static void
test_each_step_fails(void **state)
{
	static const struct {
		const char *step, *want, *said;
	} cases[] = {
		{ "signals", "signals", "spimdevd: error: signalfd: Too many open files\n" },
		{ "guard", "signals guard close",
			"spimdevd: error: SIGBUS: Too many open files\n" },
		{ "drop", "signals guard nofile drop close", "" },
		{ "open", "signals guard nofile drop open close", "" },
		{ "filter", "signals guard nofile drop open filter close", "" },
		{ "start", "signals guard nofile drop open filter start close", "" },
		{ "run", ALL, "spimdevd: listening on /a; 1 workers, 1024 queues\n" },
	};
	const struct holdings_now before = holdings_get();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* EPERM is -1. */
		for (int as = EMFILE; as != 0; as = as == EPERM ? 0 : EPERM) {
			assert_int_equal(run("--listen /a --workers 1", cases[i].step, as), 1);
			assert_string_equal(steps, cases[i].want);
			if (as == EMFILE)
				assert_string_equal(said, cases[i].said);
		}
	}
	holdings_same(&before);
}

/* A service that nobody can tell of works. */
/* What workers still use must not be freed under them. */
static void
test_requests_are_left(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		run("--listen /a --workers 1", "close", EBUSY);
		_exit(77);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_no_manager(void **state)
{
	(void)state;
	assert_int_equal(run("--listen /a --workers 1 --queues 1", "READY=1", EPERM), 0);
	assert_string_equal(steps, ALL);
	assert_string_equal(said, "spimdevd: listening on /a; 1 workers, 1 queues\n"
			"spimdevd: warning: cannot tell the service manager: "
			"Operation not permitted\n");
	assert_int_equal(run("--listen /a --workers 1 --queues 1", "STOPPING=1", EPERM), 0);
	assert_string_equal(steps, ALL);
}

static void
test_no_input(void **state)
{
	(void)state;
	no_input = true;
	assert_int_equal(run("--listen /a --workers 1", NULL, 0), 0);
	no_input = false;
	assert_int_equal(signals, 0);
	assert_string_equal(steps, ALL);
}

static void
test_options(void **state)
{
	(void)state;
	assert_int_equal(run("--listen", NULL, 0), 2);
	assert_string_equal(steps, "");
	assert_int_equal(run("--version", NULL, 0), 0);
	assert_string_equal(steps, "");
}

/* More paths than a line has room for. */
static void
test_many_access_points(void **state)
{
	char line[2000], want[600] = "spimdevd: listening on /";
	size_t at = 0, n = strlen(want);

	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		at += (size_t)snprintf(line + at, sizeof(line) - at, "--listen /%c%059u ",
				'a' + i, 0u);
		n += (size_t)snprintf(want + n, sizeof(want) - n, "%c%059u, /", 'a' + i, 0u);
	}
	snprintf(line + at, sizeof(line) - at, "--control none --workers 1");
	assert_int_equal(run(line, NULL, 0), 0);
	assert_string_equal(steps, ALL);
	snprintf(want + strlen("spimdevd: listening on ") + 399, 100,
			"; 1 workers, 1024 queues\n");
	assert_string_equal(said, want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_well),
		cmocka_unit_test(test_each_step_fails),
		cmocka_unit_test(test_requests_are_left),
		cmocka_unit_test(test_no_manager),
		cmocka_unit_test(test_no_input),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_many_access_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
