/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spimgz.h"

#define SUFFIX ".gz"

struct options {
	bool expand, to_stdout, keep, force, test, verbose, quiet, progress;
	uint8_t level;
	const char *access_point;
};

static bool quiet;

void
complain(const char *fmt, ...)
{
	va_list ap;

	if (quiet)
		return;
	va_start(ap, fmt);
	fprintf(stderr, "spimgz: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
}

static void
usage(FILE *to)
{
	fprintf(to,
		"Usage: spimgz [OPTION]... [FILE]...\n"
		"Compress or expand FILEs in the gzip format by a shared accelerator. With no\n"
		"FILE, or when FILE is -, from standard input to standard output.\n\n"
		"  -c, --stdout         write to standard output, keep the input\n"
		"  -d, --decompress     expand\n"
		"  -f, --force          overwrite output; take input that is no regular file\n"
		"  -k, --keep           keep the input\n"
		"  -t, --test           expand to nowhere\n"
		"  -1 to -9             fastest to smallest (6)\n"
		"  -s, --service NAME   access point: unix:PATH, or local for software in this\n"
		"                       process (default: unix:/run/spimdev/zip, else local)\n"
		"  -P, --progress       show it also where standard error is no terminal\n"
		"  -q, --quiet          no warnings, no progress\n"
		"  -v, --verbose        say what was done, and by whom\n"
		"  -h, --help           print this, and end\n"
		"  -V, --version        print the version, and end\n\n"
		"Ends with 0, with 1 after an error, with 2 after a warning.\n");
}

static int
stream(struct engine *e, const struct options *o, struct input *in, int out, const char *out_name,
		uint32_t mtime, uint64_t *written)
{
	int ret = engine_begin(e, o->expand ? SPIM_ZIP_DECOMPRESS : SPIM_ZIP_COMPRESS);

	if (ret != SPIMGZ_OK)
		return ret;
	if (o->expand)
		ret = expand_stream(e, in, out, out_name, written);
	else
		ret = compress_stream(e, in, out, out_name, o->level, mtime, written);
	engine_end(e);
	return ret;
}

static void
report(const struct options *o, const struct input *in, uint64_t written)
{
	uint64_t plain = o->expand ? written : in->done;
	uint64_t comp = o->expand ? in->done : written;

	if (o->verbose)
		fprintf(stderr, "%s: %" PRIu64 " bytes, %" PRIu64 " compressed, %.1f%%\n", in->name,
			plain, comp, plain != 0 ? (double)comp * 100 / (double)plain : 0.0);
}

/* Standard input to standard output. */
static int
do_pipe(struct engine *e, const struct options *o)
{
	uint64_t written = 0;
	struct input in;
	int ret;

	if (!o->expand && isatty(STDOUT_FILENO) && !o->force) {
		complain("compressed data is not written to a terminal; -f forces it");
		return SPIMGZ_FAILED;
	}
	if (input_open(&in, STDIN_FILENO, "stdin", 0, o->progress) != 0)
		return SPIMGZ_FAILED;
	ret = stream(e, o, &in, o->test ? -1 : STDOUT_FILENO, "stdout", 0, &written);
	input_close(&in);
	if (ret != SPIMGZ_FAILED)
		report(o, &in, written);
	return ret;
}

/* Where the output of a file goes. @return SPIMGZ_OK, or another after a complaint. */
static int
output_name(const struct options *o, const char *name, char **out)
{
	size_t len = strlen(name), cut = strlen(SUFFIX);
	bool has = len > cut && strcmp(name + len - cut, SUFFIX) == 0;

	if (o->expand != has) {
		complain(has ? "%s: has suffix %s already" : "%s: has no suffix %s", name, SUFFIX);
		return SPIMGZ_WARNING;
	}
	*out = malloc(len + cut + 1);
	if (*out == NULL) {
		complain("%s: no memory", name);
		return SPIMGZ_FAILED;
	}
	snprintf(*out, len + cut + 1, "%.*s%s", (int)(has ? len - cut : len), name,
		has ? "" : SUFFIX);
	return SPIMGZ_OK;
}

/* Make the output file like the input. @return SPIMGZ_OK or _WARNING, after a complaint. */
static int
copy_attributes(int fd, const char *name, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	int ret = SPIMGZ_OK;

	/* The owner first: a change takes set-user-id bits away. */
	if (fchown(fd, st->st_uid, st->st_gid) != 0 && geteuid() == 0) {
		complain("%s: owner: %s", name, strerror(errno));
		ret = SPIMGZ_WARNING;
	}
	if (fchmod(fd, st->st_mode & 07777) != 0 || futimens(fd, times) != 0) {
		complain("%s: mode and times: %s", name, strerror(errno));
		ret = SPIMGZ_WARNING;
	}
	return ret;
}

static int
do_file(struct engine *e, const struct options *o, const char *name)
{
	bool to_file = !o->to_stdout && !o->test;
	int out = o->test ? -1 : STDOUT_FILENO, ret = SPIMGZ_FAILED;
	char *out_name = NULL;
	uint64_t written = 0;
	struct input in;
	struct stat st;
	int fd;

	fd = open(name, O_RDONLY | O_CLOEXEC | (to_file ? O_NOFOLLOW * !o->force : 0));
	if (fd < 0 || fstat(fd, &st) != 0) {
		complain("%s: %s", name, strerror(errno));
		goto out;
	}
	if (S_ISDIR(st.st_mode) || (to_file && !S_ISREG(st.st_mode))) {
		complain("%s: not a regular file, ignored", name);
		ret = SPIMGZ_WARNING;
		goto out;
	}
	if (to_file) {
		ret = output_name(o, name, &out_name);
		if (ret != SPIMGZ_OK)
			goto out;
		ret = SPIMGZ_FAILED;
		if (o->force)
			unlink(out_name);
		out = open(out_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (out < 0) {
			complain("%s: %s", out_name, strerror(errno));
			goto out;
		}
	}
	if (input_open(&in, fd, name, S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0,
			o->progress) != 0) {
		if (to_file) {
			close(out);
			unlink(out_name);
		}
		goto out;
	}
	ret = stream(e, o, &in, out, to_file ? out_name : "stdout", (uint32_t)st.st_mtime,
		&written);
	input_close(&in);
	if (to_file) {
		if (ret != SPIMGZ_FAILED && copy_attributes(out, out_name, &st) != SPIMGZ_OK)
			ret = SPIMGZ_WARNING;
		if (close(out) != 0 && ret != SPIMGZ_FAILED) {
			complain("%s: %s", out_name, strerror(errno));
			ret = SPIMGZ_FAILED;
		}
		if (ret == SPIMGZ_FAILED) {
			unlink(out_name);
		} else if (!o->keep && unlink(name) != 0) {
			complain("%s: %s", name, strerror(errno));
			ret = SPIMGZ_WARNING;
		}
	}
	if (ret != SPIMGZ_FAILED)
		report(o, &in, written);
out:
	free(out_name);
	if (fd >= 0)
		close(fd);
	return ret;
}

static int
parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "stdout", no_argument, NULL, 'c' },
		{ "decompress", no_argument, NULL, 'd' },
		{ "force", no_argument, NULL, 'f' },
		{ "keep", no_argument, NULL, 'k' },
		{ "test", no_argument, NULL, 't' },
		{ "fast", no_argument, NULL, '1' },
		{ "best", no_argument, NULL, '9' },
		{ "service", required_argument, NULL, 's' },
		{ "progress", no_argument, NULL, 'P' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "cdfkt123456789s:PqvhV", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->to_stdout = true;
			break;
		case 'd':
			o->expand = true;
			break;
		case 'f':
			o->force = true;
			break;
		case 'k':
			o->keep = true;
			break;
		case 't':
			o->expand = o->test = true;
			break;
		case 's':
			o->access_point = optarg;
			break;
		case 'P':
			o->progress = true;
			break;
		case 'q':
			o->quiet = true;
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'h':
			usage(stdout);
			return -1;
		case 'V':
			printf("spimgz %s\n", SPIMDEV_VERSION);
			return -1;
		case '?':
			fprintf(stderr, "Try 'spimgz --help'.\n");
			return SPIMGZ_FAILED;
		default:
			o->level = (uint8_t)(c - '0');
			break;
		}
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct options o = { .level = 6, .progress = isatty(STDERR_FILENO) };
	int worst = SPIMGZ_OK, ret = parse(argc, argv, &o);
	struct engine e;

	if (ret != 0)
		return ret < 0 ? SPIMGZ_OK : ret;
	quiet = o.quiet;
	o.progress = o.progress && !o.quiet;
	if (engine_open(&e, o.access_point, o.verbose) != SPIMGZ_OK)
		return SPIMGZ_FAILED;
	for (int i = optind; i < argc || i == optind; i++) {
		ret = i == argc || strcmp(argv[i], "-") == 0 ? do_pipe(&e, &o) :
			do_file(&e, &o, argv[i]);
		if (worst == SPIMGZ_OK || ret == SPIMGZ_FAILED)
			worst = ret;
	}
	engine_close(&e);
	return worst;
}
