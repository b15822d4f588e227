/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

/* How privileges are given up, and that each step that fails ends the start and is named. */

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"
#include "sandbox.h"

static char said[256], steps[256];
static const char *fails;           /* a step */
static unsigned int dropped;        /* capabilities of the bounding set */
static uid_t real_uid, effective_uid;
static struct rlimit nofile;

void
log_line(enum base_log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	assert_true(level == BASE_LOG_ERR || level == BASE_LOG_WARNING);
}

/* @return -1 if this is the step that fails. */
static int
step(const char *name)
{
	if (strlen(steps) + strlen(name) + 2 < sizeof(steps))
		strcat(strcat(steps, name), " ");
	if (fails == NULL || strcmp(fails, name) != 0)
		return 0;
	errno = EXDEV; /* as no other check gives */
	return -1;
}

int __wrap_prctl(int option, ...);
int
__wrap_prctl(int option, ...)
{
	va_list ap;
	long arg;

	va_start(ap, option);
	arg = va_arg(ap, long);
	va_end(ap);
	switch (option) {
	case PR_CAPBSET_DROP:
		if (fails != NULL && strcmp(fails, "bounding") == 0) {
			dropped++;
			errno = EPERM;
			return -1;
		}
		/* A kernel may know fewer than its headers. */
		assert_int_equal(arg, dropped++);
		errno = EINVAL;
		return arg > 35 ? -1 : 0;
	case PR_CAP_AMBIENT:
		assert_int_equal(arg, PR_CAP_AMBIENT_CLEAR_ALL);
		return step("ambient");
	case PR_SET_NO_NEW_PRIVS:
		assert_int_equal(arg, 1);
		return step("no_new_privs");
	default:
		fail_msg("prctl(%d)", option);
		return -1;
	}
}

scmp_filter_ctx __real_seccomp_init(uint32_t action);
scmp_filter_ctx __wrap_seccomp_init(uint32_t action);
scmp_filter_ctx
__wrap_seccomp_init(uint32_t action)
{
	return step("init") != 0 ? NULL : __real_seccomp_init(action);
}

int __wrap_seccomp_load(scmp_filter_ctx filter);
int
__wrap_seccomp_load(scmp_filter_ctx filter)
{
	assert_non_null(filter);
	return step("load") != 0 ? -EXDEV : 0;
}

long __wrap_syscall(long nr, ...);
long
__wrap_syscall(long nr, ...)
{
	const struct __user_cap_data_struct *data;
	va_list ap;

	va_start(ap, nr);
	(void)va_arg(ap, void *);
	data = va_arg(ap, const void *);
	va_end(ap);
	assert_int_equal(nr, SYS_capset);
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		assert_int_equal(data[i].effective | data[i].permitted | data[i].inheritable, 0);
	return step("capset");
}

struct passwd *__wrap_getpwnam(const char *name);
struct passwd *
__wrap_getpwnam(const char *name)
{
	static struct passwd pw = { .pw_uid = 12, .pw_gid = 34 };

	if (step("getpwnam") != 0)
		return NULL;
	pw.pw_uid = strcmp(name, "root") == 0 ? 0 : 12;
	return strcmp(name, "nobody-here") == 0 ? NULL : &pw;
}

int __wrap_initgroups(const char *name, gid_t gid);
int
__wrap_initgroups(const char *name, gid_t gid)
{
	assert_string_equal(name, "daemon");
	assert_int_equal(gid, 34);
	return step("initgroups");
}

int __wrap_setresgid(gid_t real, gid_t effective, gid_t saved);
int
__wrap_setresgid(gid_t real, gid_t effective, gid_t saved)
{
	assert_true(real == 34 && effective == 34 && saved == 34);
	return step("setresgid");
}

int __wrap_setresuid(uid_t real, uid_t effective, uid_t saved);
int
__wrap_setresuid(uid_t real, uid_t effective, uid_t saved)
{
	assert_true(real == 12 && effective == 12 && saved == 12);
	return step("setresuid");
}

uid_t __wrap_getuid(void);
uid_t
__wrap_getuid(void)
{
	return real_uid;
}

uid_t __wrap_geteuid(void);
uid_t
__wrap_geteuid(void)
{
	return effective_uid;
}

int __wrap_getrlimit64(int what, struct rlimit *lim);
int
__wrap_getrlimit64(int what, struct rlimit *lim)
{
	assert_int_equal(what, RLIMIT_NOFILE);
	*lim = nofile;
	return step("getrlimit");
}

int __wrap_setrlimit64(int what, const struct rlimit *lim);
int
__wrap_setrlimit64(int what, const struct rlimit *lim)
{
	assert_int_equal(what, RLIMIT_NOFILE);
	if (step("setrlimit") != 0)
		return -1;
	nofile = *lim;
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	said[0] = steps[0] = '\0';
	fails = NULL;
	dropped = 0;
	real_uid = effective_uid = 0;
	return 0;
}

static void
test_order(void **state)
{
	(void)state;
	/* What root has must not be lost before its groups and ids are set. */
	assert_int_equal(sandbox_drop_privileges("daemon"), 0);
	assert_string_equal(steps, "getpwnam initgroups setresgid setresuid ambient capset "
			"no_new_privs ");
	assert_int_equal(dropped, CAP_LAST_CAP + 1);
	assert_string_equal(said, "");
	set_up(NULL);
	assert_int_equal(sandbox_drop_privileges(NULL), 0);
	assert_string_equal(steps, "ambient capset no_new_privs ");
}

/* Who is no root cannot drop what could be gained, and needs not. */
static void
test_own_name(void **state)
{
	(void)state;
	fails = "bounding";
	real_uid = effective_uid = 12;
	assert_int_equal(sandbox_drop_privileges("daemon"), 0);
	assert_string_equal(steps, "getpwnam ambient capset no_new_privs ");
	assert_int_equal(dropped, 1);
	/* Only if it is so in every way. */
	for (int i = 0; i < 2; i++) {
		set_up(NULL);
		real_uid = i == 0 ? 0 : 12;
		effective_uid = i == 0 ? 12 : 0;
		assert_int_equal(sandbox_drop_privileges("daemon"), 0);
		assert_non_null(strstr(steps, "initgroups setresgid setresuid"));
	}
}

static void
test_each_step_fails(void **state)
{
	static const struct { const char *step, *want; } wrong[] = {
		{ "getpwnam", "--run-as 'daemon': Invalid cross-device link" },
		{ "initgroups", "--run-as 'daemon': initgroups: Invalid cross-device link" },
		{ "setresgid", "--run-as 'daemon': setresgid: Invalid cross-device link" },
		{ "setresuid", "--run-as 'daemon': setresuid: Invalid cross-device link" },
		{ "capset", "cannot drop capabilities: Invalid cross-device link" },
		{ "no_new_privs", "cannot drop capabilities: Invalid cross-device link" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		set_up(NULL);
		fails = wrong[i].step;
		assert_int_equal(sandbox_drop_privileges("daemon"), i == 0 ? -EINVAL : -EXDEV);
		assert_string_equal(said, wrong[i].want);
		/* Nothing is done after it. */
		assert_string_equal(strstr(steps, wrong[i].step) + strlen(wrong[i].step), " ");
	}
	/* Who is not there is no error of getpwnam(); one that was before is not of it either. */
	set_up(NULL);
	errno = EXDEV;
	assert_int_equal(sandbox_drop_privileges("nobody-here"), -EINVAL);
	assert_string_equal(said, "--run-as 'nobody-here': no such user");
	set_up(NULL);
	fails = "ambient"; /* older kernels have none */
	assert_int_equal(sandbox_drop_privileges("daemon"), 0);
}

static void
test_filter(void **state)
{
	(void)state;
	assert_int_equal(sandbox_filter(), 0);
	assert_string_equal(steps, "init load ");
	fails = "init";
	assert_int_equal(sandbox_filter(), -ENOMEM);
	fails = "load";
	assert_int_equal(sandbox_filter(), -EXDEV);
	assert_string_equal(said, "cannot filter system calls: Invalid cross-device link; "
			"--sandbox off does without");
}

static void
test_descriptors(void **state)
{
	(void)state;
	nofile = (struct rlimit){ 10, 20 };
	sandbox_raise_nofile();
	assert_int_equal(nofile.rlim_cur, 20);
	assert_int_equal(nofile.rlim_max, 20);
	assert_string_equal(steps, "getrlimit setrlimit ");
	set_up(NULL);
	sandbox_raise_nofile(); /* there is no more */
	assert_string_equal(steps, "getrlimit ");
	set_up(NULL);
	nofile.rlim_cur = 10;
	fails = "getrlimit";
	sandbox_raise_nofile();
	assert_string_equal(steps, "getrlimit ");
	assert_string_equal(said, "");
	set_up(NULL);
	fails = "setrlimit";
	sandbox_raise_nofile();
	assert_string_equal(said, "limit of open files: cannot raise it to 20: Invalid "
			"cross-device link");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_order, set_up),
		cmocka_unit_test_setup(test_own_name, set_up),
		cmocka_unit_test_setup(test_each_step_fails, set_up),
		cmocka_unit_test_setup(test_filter, set_up),
		cmocka_unit_test_setup(test_descriptors, set_up),
	};

	/* What the kernel can do is not asked: qemu-user's can do nothing of it. */
	if (seccomp_api_set(3) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
