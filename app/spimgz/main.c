/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "names.h"
#include "signals.h"
#include "spimgz.h"

/*
 * Have the standard descriptors open, so that nothing else gets their numbers: what is meant for
 * one that was closed would go to a file, or to the service. Reading and writing fail, as they do
 * on a closed one. 0 or -1.
 */
static int
open_standard(bool opened[3])
{
	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (open("/dev/null", (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC) != fd)
			return -1;
		opened[fd] = true;
	}
	return 0;
}

/* What was printed has gone where it should. */
static int
end_stdout(void)
{
	int fd, ret = fflush(stdout);

	/* Some file systems tell only at the end that they had no room. */
	fd = ret == 0 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0) : -1;
	if (fd >= 0)
		ret = close(fd);
	if (ret == 0)
		return SPIMGZ_OK;
	complain("stdout: %s", strerror(errno));
	return SPIMGZ_FAILED;
}

static int
do_all(struct run *r, int argc, char **argv)
{
	int worst = SPIMGZ_OK;

	if (engine_open(&r->engine, r->options.access_point, r->options.verbose) != SPIMGZ_OK)
		return SPIMGZ_FAILED;
	for (int i = optind; i < argc || i == optind; i++)
		worst = worse(worst, i == argc || strcmp(argv[i], "-") == 0 ? file_stdin(r) :
			file_path(r, argv[i]));
	engine_close(&r->engine);
	if (r->options.list)
		gzip_report_total(&r->report, &r->options);
	return worst;
}

int
main(int argc, char **argv)
{
	struct run r = { .options = { .level = 6, .save_name = true, .suffix = NAMES_SUFFIX,
		.progress = isatty(STDERR_FILENO) } };
	bool opened[3] = { false };
	int ret;

	if (open_standard(opened) != 0)
		return SPIMGZ_FAILED;
	ret = gzip_options_parse(argc, argv, &r.options);
	if (r.options.quiet)
		say_quiet();
	r.options.progress = r.options.progress && !r.options.quiet;
	signals_install();
	if (ret == 0)
		ret = do_all(&r, argc, argv);
	else if (ret < 0)
		ret = SPIMGZ_OK;
	ret = worse(ret, end_stdout());
	for (int fd = 0; fd < 3; fd++) {
		if (opened[fd])
			close(fd);
	}
	return ret;
}
