/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail_nth.h"
#include "holdings.h"
#include "liar_run.h"
#include "spim_liar.h"

static const char *liar;
static char folder[64], path[96], name[112];
static struct liar_run run;
static struct holdings_now before;
static long blocks;

const char *spim_liar_name = name;
char spim_liar_lines[16384];
const struct spim_conf spim_liar_conf = {
	.owner = "unit", .device = HISI_PCI_DEVICE_ZIP_VF, .log = { .line = spim_liar_log },
};

void
spim_liar_log(enum base_log_level level, const char *line, void *priv)
{
	size_t at = strlen(spim_liar_lines);

	(void)priv;
	snprintf(spim_liar_lines + at, sizeof(spim_liar_lines) - at, "%c %s\n",
		level == BASE_LOG_ERR ? 'E' : 'I', line);
}

void
spim_liar_again(const char *const *args)
{
	if (liar_run_start(&run, liar, path, args) != 0) {
		run.pid = 0;
		fail_msg("%s does not start", liar);
	}
}

void
spim_liar_start_with(const char *const *args)
{
	/* One that a failed test has left. */
	if (run.pid != 0)
		spim_liar_leave();
	spim_liar_lines[0] = '\0';
	spim_liar_again(args);
	before = holdings_get();
	blocks = fail_nth_blocks();
}

void
spim_liar_start(const char *lie)
{
	spim_liar_start_with((const char *const[]){ "--lie", lie, "--late", "1000", NULL });
}

int
spim_liar_leave(void)
{
	int told = liar_run_end(&run);

	run.pid = 0;
	return told;
}

void
spim_liar_end(int told)
{
	int n;

	/* The pipe to the service counts: it is there since before. */
	holdings_same(&before);
	assert_int_equal(fail_nth_blocks(), blocks);
	n = spim_liar_leave();
	if (told < 0)
		assert_true(n > 0);
	else
		assert_int_equal(n, told);
}

void
spim_liar_said(const char *text)
{
	if (strstr(spim_liar_lines, text) == NULL)
		fail_msg("no line \"%s\" in\n%s", text, spim_liar_lines);
}

int
spim_liar_main(int argc, char **argv, const struct CMUnitTest *tests, size_t cnt)
{
	int failed;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: %s LIAR [TEST]\n", argv[0]);
		return 2;
	}
	if (argc == 3)
		cmocka_set_test_filter(argv[2]);
	liar = argv[1];
	snprintf(folder, sizeof(folder), "/tmp/spim_liar.XXXXXX");
	if (mkdtemp(folder) == NULL) {
		perror("mkdtemp");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/socket", folder);
	snprintf(name, sizeof(name), "unix:%s", path);
	failed = _cmocka_run_group_tests("spim_liar", tests, cnt, NULL, NULL);
	unlink(path);
	rmdir(folder);
	return failed;
}
