/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "log.h"
#include "notify.h"
#include "options.h"
#include "sandbox.h"
#include "service.h"
#include "qm_dev_guard.h"

/* Exit statuses, as daemons have them. */
#define STATUS_FAILED 1
#define STATUS_USAGE  2

/* The signals that the loop takes from a descriptor. Inherited by all threads. */
static int
take_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN); /* standard error may be a pipe that nobody reads any more */
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		log_line(BASE_LOG_ERR, "signalfd: %s", strerror(errno));
	return fd;
}

/* Give up what is not needed, then take the sockets as who we are then. */
static int
prepare(struct service *service, const struct options *opt)
{
	int rc;

	sandbox_raise_nofile();
	rc = sandbox_drop_privileges(opt->run_as);
	if (rc == 0)
		rc = service_open(service, opt);
	if (rc == 0 && opt->sandbox)
		rc = sandbox_filter();
	return rc;
}

static void
tell_ready(const struct options *opt)
{
	char line[400];
	size_t n = 0;
	int rc;

	for (unsigned int i = 0; i < opt->listen_cnt && n < sizeof(line); i++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, "%s%s", i == 0 ? "" : ", ",
				opt->listen[i].path);
	log_line(BASE_LOG_INFO, "listening on %s; %u workers, %u queues", line, opt->workers,
			opt->queues);
	rc = notify_state("READY=1");
	if (rc != 0)
		log_line(BASE_LOG_WARNING, "cannot tell the service manager: %s", strerror(-rc));
}

int
main(int argc, char **argv)
{
	static struct options opt;
	static struct service service = { .opt = &opt, .wake_fd = -1 };
	int signal_fd, rc;

	switch (options_parse(argc, argv, &opt)) {
	case OPTIONS_DONE:
		return 0;
	case OPTIONS_WRONG:
		return STATUS_USAGE;
	case OPTIONS_RUN:
		break;
	}
	log_init(opt.verbose);
	signal_fd = take_signals();
	if (signal_fd < 0)
		return STATUS_FAILED;
	rc = qm_dev_guard_install();
	if (rc != 0)
		log_line(BASE_LOG_ERR, "SIGBUS: %s", strerror(-rc));
	else
		rc = prepare(&service, &opt);
	if (rc == 0)
		rc = service_start(&service);
	if (rc == 0) {
		tell_ready(&opt);
		rc = service_run(&service, signal_fd);
		(void)notify_state("STOPPING=1");
	}
	if (!service_close(&service))
		_exit(rc == 0 ? 0 : STATUS_FAILED);
	close(signal_fd);
	return rc == 0 ? 0 : STATUS_FAILED;
}
