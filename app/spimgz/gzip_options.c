/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "gzip_options.h"
#include "spimgz.h"

#define SPACES " \t\n"

/* The variable whose options come before those of the command line. */
#define VARIABLE "GZIP"

enum { OPT_PRESUME_TTY = 256, OPT_RSYNCABLE, OPT_SYNCHRONOUS };

static const char shorts[] = "ab:cdfhHklLmMnNPqrs:S:tvVZ123456789";

static const struct option longs[] = {
	{ "ascii", no_argument, NULL, 'a' },
	{ "bits", required_argument, NULL, 'b' },
	{ "stdout", no_argument, NULL, 'c' },
	{ "to-stdout", no_argument, NULL, 'c' },
	{ "decompress", no_argument, NULL, 'd' },
	{ "uncompress", no_argument, NULL, 'd' },
	{ "force", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "keep", no_argument, NULL, 'k' },
	{ "list", no_argument, NULL, 'l' },
	{ "license", no_argument, NULL, 'L' },
	{ "no-name", no_argument, NULL, 'n' },
	{ "name", no_argument, NULL, 'N' },
	{ "progress", no_argument, NULL, 'P' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "silent", no_argument, NULL, 'q' },
	{ "recursive", no_argument, NULL, 'r' },
	{ "rsyncable", no_argument, NULL, OPT_RSYNCABLE },
	{ "service", required_argument, NULL, 's' },
	{ "suffix", required_argument, NULL, 'S' },
	{ "synchronous", no_argument, NULL, OPT_SYNCHRONOUS },
	{ "test", no_argument, NULL, 't' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ "lzw", no_argument, NULL, 'Z' },
	{ "fast", no_argument, NULL, '1' },
	{ "best", no_argument, NULL, '9' },
	{ "-presume-input-tty", no_argument, NULL, OPT_PRESUME_TTY },
	{ NULL, 0, NULL, 0 },
};

static void
usage(void)
{
	printf("Usage: %s [OPTION]... [FILE]...\n"
		"Compress or expand FILEs in the gzip format by a shared accelerator. With no\n"
		"FILE, or when FILE is -, from standard input to standard output.\n\n",
		program_invocation_short_name);
	fputs("  -c, --stdout         write to standard output, keep the input\n"
		"  -d, --decompress     expand\n"
		"  -f, --force          overwrite output; follow links; take what gzip would not\n"
		"  -k, --keep           keep the input\n"
		"  -l, --list           list sizes of compressed files\n"
		"  -n, --no-name        neither save nor restore name and time\n"
		"  -N, --name           save and restore name and time\n"
		"  -r, --recursive      the files in folders, too\n"
		"  -S, --suffix SUF     use the suffix SUF (.gz)\n"
		"  -t, --test           expand to nowhere\n"
		"  -1 to -9             fastest to smallest (6); also --fast and --best\n"
		"      --rsyncable      no effect: members of 512 KiB are found again anyway\n"
		"      --synchronous    have output on the disk before the input is removed\n"
		"  -s, --service NAME   access point: unix:PATH, or local for software in this\n"
		"                       process (default: unix:/run/spimdev/zip, else local)\n"
		"  -P, --progress       show it also where standard error is no terminal\n"
		"  -q, --quiet          no warnings, no progress\n"
		"  -v, --verbose        say what was done, and by whom\n"
		"  -h, --help           print this, and end\n"
		"  -L, --license        print the license, and end\n"
		"  -V, --version        print the version, and end\n\n"
		"Ends with 0, with 1 after an error, with 2 after a warning.\n", stdout);
}

static int
hint(void)
{
	fprintf(stderr, "Try '%s --help'.\n", program_invocation_short_name);
	return SPIMGZ_FAILED;
}

/* One option. @return As gzip_options_parse(). */
static int
option(int c, struct gzip_options *o)
{
	switch (c) {
	case 'a':
		warn("option --ascii ignored on this system");
		break;
	case 'b':
		if (optarg[0] == '\0' || strspn(optarg, "0123456789") != strlen(optarg)) {
			complain("-b %s: expected a number", optarg);
			return hint();
		}
		break;
	case 'c':
		o->to_stdout = true;
		break;
	case 'd':
		o->expand = true;
		break;
	case 'f':
		o->force = true;
		break;
	case 'h':
	case 'H':
		usage();
		return -1;
	case 'k':
		o->keep = true;
		break;
	case 'l':
		o->expand = o->list = true;
		break;
	case 'L':
	case 'V':
		printf("%s %s\n", program_invocation_short_name, SPIMDEV_VERSION);
		if (c == 'L')
			printf("Copyright(c) 2026 The spimdev authors\n"
				"License: BSD-3-Clause\n");
		return -1;
	case 'm':
	case 'n':
		o->save_name = o->restore_name = false;
		break;
	case 'M':
	case 'N':
		o->save_name = o->restore_name = true;
		break;
	case 'P':
		o->progress = true;
		break;
	case 'q':
		o->quiet = true;
		o->verbose = false;
		break;
	case 'r':
		o->recursive = true;
		break;
	case 's':
		o->access_point = optarg;
		break;
	case 'S':
		if (!names_suffix_valid(optarg)) {
			complain("invalid suffix '%s'", optarg);
			return SPIMGZ_FAILED;
		}
		o->suffix = optarg;
		break;
	case 't':
		o->expand = o->test = true;
		break;
	case 'v':
		o->verbose = true;
		o->quiet = false;
		break;
	case 'Z':
		complain("-Z: this format is not supported");
		return hint();
	case OPT_PRESUME_TTY:
		o->presume_tty = true;
		break;
	case OPT_RSYNCABLE:
		break;
	case OPT_SYNCHRONOUS:
		o->synchronous = true;
		break;
	case '?':
		return hint();
	default:
		o->level = (uint8_t)(c - '0');
		break;
	}
	return 0;
}

/* What the variable may have: nothing that decides what is done to files. */
static bool
is_harmless(int c)
{
	return (c >= '1' && c <= '9') || c == 'n' || c == 'N' || c == 'q' || c == 'v' ||
		c == OPT_RSYNCABLE || c == OPT_SYNCHRONOUS;
}

static int
parse_words(int argc, char **argv, struct gzip_options *o)
{
	int c, ret = 0;

	optind = 0; /* from the beginning */
	while (ret == 0 && (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (c == '?')
			return hint();
		if (!is_harmless(c)) {
			complain("%s: option not valid in the variable %s", argv[optind - 1],
				VARIABLE);
			return hint();
		}
		ret = option(c, o);
	}
	/* That which is no option is behind them now. */
	if (ret == 0 && (optind < argc || (argc > 1 && strcmp(argv[argc - 1], "--") == 0))) {
		complain("%s: no option, in the variable %s", argv[argc - 1], VARIABLE);
		return hint();
	}
	return ret;
}

static int
parse_variable(char *name, struct gzip_options *o)
{
	const char *value = getenv(VARIABLE);
	char *copy, *save = NULL;
	char **argv;
	int argc = 1, ret;

	if (value == NULL || value[strspn(value, SPACES)] == '\0')
		return 0;
	copy = strdup(value);
	argv = calloc(strlen(value) / 2 + 3, sizeof(*argv));
	if (copy == NULL || argv == NULL) {
		complain("no memory");
		ret = SPIMGZ_FAILED;
	} else {
		argv[0] = name;
		for (char *word = strtok_r(copy, SPACES, &save); word != NULL;
				word = strtok_r(NULL, SPACES, &save))
			argv[argc++] = word;
		ret = parse_words(argc, argv, o);
	}
	free(argv);
	free(copy);
	return ret;
}

/* gunzip and zcat are gzip with an option. */
static void
by_name(struct gzip_options *o)
{
	const char *name = program_invocation_short_name;

	o->expand = strcmp(name, "gunzip") == 0 || strcmp(name, "ungzip") == 0;
	if (strcmp(name, "zcat") == 0 || strcmp(name, "gzcat") == 0)
		o->expand = o->to_stdout = true;
}

int
gzip_options_parse(int argc, char **argv, struct gzip_options *o)
{
	int c, ret;

	/* getopt_long() tells errors by it. */
	argv[0] = program_invocation_short_name;
	by_name(o);
	ret = parse_variable(argv[0], o);
	optind = 0;
	while (ret == 0 && (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
		ret = option(c, o);
	return ret;
}
