/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pmd_test.h"
#include "pmd_test_priv.h"

#define OPTIONS_MAX 16

static struct {
	const char *program, *sandbox;
	char folder[64], path[96], dev[112];
	pid_t pid;
} service = { .sandbox = "on" };

void
pmd_service_use(const char *program, const char *sandbox)
{
	if (program != NULL)
		service.program = program;
	if (sandbox != NULL)
		service.sandbox = sandbox;
}

bool
pmd_service_have(void)
{
	return service.program != NULL;
}

const char *
pmd_service_path(void)
{
	if (service.folder[0] != '\0')
		return service.path;
	snprintf(service.folder, sizeof(service.folder), "/tmp/pmd_test.XXXXXX");
	PMD_CHECK(mkdtemp(service.folder) != NULL, "no folder for a socket");
	snprintf(service.path, sizeof(service.path), "%s/socket", service.folder);
	snprintf(service.dev, sizeof(service.dev), "dev=unix:%s", service.path);
	return service.path;
}

const char *
pmd_service_dev(void)
{
	pmd_service_path();
	return service.dev;
}

static bool
answers(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", service.path);
	ok = connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0;
	close(fd);
	return ok;
}

void
pmd_service_start(const char *const *options)
{
	char listen[200];
	const char *argv[OPTIONS_MAX] = { service.program, "--listen", listen,
		"--control", "none", "--workers", "1", "--sandbox", service.sandbox };
	unsigned int argc = 9;

	PMD_CHECK(service.program != NULL, "no --spimdevd");
	snprintf(listen, sizeof(listen), "%s", pmd_service_path());
	for (; options != NULL && *options != NULL; options++) {
		if (options[0][0] == ',') {
			snprintf(listen, sizeof(listen), "%s%s", service.path, *options);
			continue;
		}
		PMD_CHECK(argc < OPTIONS_MAX - 1, "too many options");
		argv[argc++] = *options;
	}
	service.pid = fork();
	PMD_CHECK(service.pid >= 0, "no process");
	if (service.pid == 0) {
		/* Nobody else would end it after a test that has failed. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execv(service.program, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	for (int i = 0; !answers(); i++) {
		PMD_CHECK(i < 4000 && waitpid(service.pid, NULL, WNOHANG) == 0,
			"%s does not listen", service.program);
		usleep(5000);
	}
}

int
pmd_service_pid(void)
{
	return service.pid;
}

void
pmd_service_end(int sig)
{
	int status;

	PMD_CHECK(service.pid > 0, "no service runs");
	kill(service.pid, sig);
	PMD_CHECK(waitpid(service.pid, &status, 0) == service.pid, "waitpid");
	PMD_CHECK(sig != SIGTERM || (WIFEXITED(status) && WEXITSTATUS(status) == 0),
		"the service ended with 0x%x", status);
	service.pid = 0;
}

void
pmd_service_cleanup(void)
{
	if (service.pid > 0)
		kill(service.pid, SIGKILL);
	if (service.folder[0] == '\0')
		return;
	unlink(service.path);
	rmdir(service.folder);
	service.folder[0] = '\0';
}
