/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"
#include "spimctl.h"

#define CONTROL_DEFAULT "/run/spimdev/zip.control"

static const char usage[] =
	"Usage: spimctl [OPTION]... COMMAND\n"
	"Shows the state of spimdevd, and drains its access points.\n"
	"\n"
	"  list                    access points and clients\n"
	"  show                    the service\n"
	"  show PATH               an access point, with its clients\n"
	"  show ID                 a client, with its queues\n"
	"  top                     who does what now; live\n"
	"  drain PATH | --all      hand out nothing more at an access point, or at all of them\n"
	"  undrain PATH | --all    hand out again\n"
	"\n"
	"  -c, --control PATH      control socket of the service (" CONTROL_DEFAULT ")\n"
	"  -j, --json              JSON instead of text\n"
	"  -d, --delay SECONDS     top: between two polls, 0.1 to 3600 (1)\n"
	"  -n, --count N           top: end after N polls (0: never)\n"
	"  -a, --all               drain, undrain: every access point\n"
	"  -w, --wait SECONDS      drain: wait until no queue is in use there\n"
	"  -h, --help              print this, and end\n"
	"  -V, --version           print the version, and end\n"
	"\n"
	"Ends with 0, with 1 after an error, with 2 if it was called wrongly.\n";

static int
wrong_argument(const char *what, const char *text, const char *expected)
{
	complain("%s '%s', expected %s; see spimctl --help", what, text, expected);
	return STATUS_USAGE;
}

static int
seconds(const char *name, const char *text, double min, double *value)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end != '\0' || !(v >= min) || v > 3600)
		return wrong_argument(name, text,
				min > 0 ? "seconds, 0.1 to 3600" : "seconds, 0 to 3600");
	*value = v;
	return STATUS_OK;
}

static int
count(const char *text, unsigned long *value)
{
	char *end;

	errno = 0;
	*value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0)
		return wrong_argument("--count", text, "a number");
	return STATUS_OK;
}

/* What was given is for this command, and it has as many arguments as it needs. */
static int
run(const struct options *opt, char **args, int n, bool top_option)
{
	const char *command = args[0], *arg = n > 1 ? args[1] : NULL;
	bool drains = strcmp(command, "drain") == 0;
	bool either = drains || strcmp(command, "undrain") == 0;
	int most = strcmp(command, "show") == 0 || (either && !opt->all) ? 2 : 1;

	if (n > most)
		return wrong_argument("unexpected argument", args[most], "nothing more");
	if (top_option && strcmp(command, "top") != 0)
		return wrong_argument("--delay or --count with", command, "top");
	if (opt->all && !either)
		return wrong_argument("--all with", command, "drain or undrain");
	if (opt->wait >= 0 && !drains)
		return wrong_argument("--wait with", command, "drain");
	if (either && arg == NULL && !opt->all)
		return wrong_argument("nothing behind", command,
				"the path of an access point, or --all");
	if (either)
		return drain(opt, arg, drains);
	if (strcmp(command, "list") == 0)
		return list(opt);
	if (strcmp(command, "show") == 0)
		return show(opt, arg);
	if (strcmp(command, "top") == 0)
		return top(opt);
	return wrong_argument("command", command, "list, show, top, drain or undrain");
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "control", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "delay", required_argument, NULL, 'd' },
		{ "count", required_argument, NULL, 'n' },
		{ "all", no_argument, NULL, 'a' },
		{ "wait", required_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct options opt = { .control = CONTROL_DEFAULT, .wait = -1, .delay = 1 };
	bool top_option = false;
	int c, rc = STATUS_OK;

	while (rc == STATUS_OK &&
			(c = getopt_long(argc, argv, "c:jd:n:aw:hV", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			opt.control = optarg;
			break;
		case 'j':
			opt.json = true;
			break;
		case 'd':
			top_option = true;
			rc = seconds("--delay", optarg, 0.1, &opt.delay);
			break;
		case 'n':
			top_option = true;
			rc = count(optarg, &opt.count);
			break;
		case 'a':
			opt.all = true;
			break;
		case 'w':
			rc = seconds("--wait", optarg, 0, &opt.wait);
			break;
		case 'h':
			fputs(usage, stdout);
			return STATUS_OK;
		case 'V':
			puts("spimctl " SPIMDEV_VERSION);
			return STATUS_OK;
		default:
			fputs("See spimctl --help.\n", stderr);
			return STATUS_USAGE;
		}
	}
	if (rc != STATUS_OK)
		return rc;
	if (optind == argc) {
		fputs(usage, stderr);
		return STATUS_USAGE;
	}
	rc = run(&opt, argv + optind, argc - optind, top_option);
	if (rc == STATUS_OK && (fflush(stdout) != 0 || ferror(stdout))) {
		complain("standard output: %s", strerror(errno));
		rc = STATUS_FAILED;
	}
	return rc;
}
