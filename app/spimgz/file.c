/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attributes.h"
#include "file.h"
#include "folder.h"
#include "names.h"
#include "output.h"
#include "place.h"
#include "spimgz.h"

/* Nothing was to be done, which is no matter. */
#define SKIPPED (-1)

/* A file that is worked on. */
struct item {
	struct run *r;
	const struct gzip_options *o;
	struct place place;
	bool to_file;   /* there is to be an output file, and the input is removed */
	bool linked;    /* it was found in a folder, by a symbolic link */
	bool done;
	int fd;
	struct stat st;
	struct stream s;
	char *out_name; /* in the same folder; NULL: none */
};

static const char *
out_base(const struct item *it)
{
	return it->out_name + it->place.base;
}

/* ---- Streams ---- */

/* What the header shall say of a time. @return SPIMGZ_OK or _WARNING, after a complaint. */
static int
header_time(const struct gzip_options *o, const struct stat *st, const char *name, uint32_t *mtime)
{
	*mtime = 0;
	if (!o->save_name || !S_ISREG(st->st_mode))
		return SPIMGZ_OK;
	if (st->st_mtime <= 0 || st->st_mtime > UINT32_MAX) {
		warn("%s: warning: file timestamp out of range for gzip format", name);
		return SPIMGZ_WARNING;
	}
	*mtime = (uint32_t)st->st_mtime;
	return SPIMGZ_OK;
}

/* Begin to read. @return SPIMGZ_OK, or another after a complaint. */
static int
begin(struct run *r, struct stream *s, int fd, const char *name, const struct stat *st)
{
	const struct gzip_options *o = &r->options;
	int ret;

	*s = (struct stream){ .out = -1, .out_name = "stdout", .level = o->level,
		.pass = o->force && o->to_stdout && !o->test && !o->list };
	if (input_open(&s->in, fd, name, S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0,
			o->progress) != 0)
		return SPIMGZ_FAILED;
	ret = o->expand ? expand_first(s) : header_time(o, st, name, &s->mtime);
	if (ret == SPIMGZ_FAILED)
		input_close(&s->in);
	return ret;
}

static int
run_file(struct run *r, struct stream *s)
{
	int ret = r->options.expand ? expand_stream(&r->engine, s) :
		compress_stream(&r->engine, s);

	engine_end(&r->engine);
	return ret;
}

/* Whether the name in the header is one that the file can have. */
static int
check_name(const struct stream *s)
{
	if (!s->header.long_name)
		return SPIMGZ_OK;
	complain_data(s->in.name, "corrupted input--file name too long");
	return SPIMGZ_FAILED;
}

/* The name in the header, without folders. */
static const char *
header_name(const struct stream *s)
{
	const char *slash = strrchr(s->header.name, '/');

	return slash != NULL ? slash + 1 : s->header.name;
}

/* ---- Input ---- */

/* Open it as it is called. -1 with errno. */
static int
open_input(struct item *it)
{
	const char *base = place_base(&it->place);
	const bool follow = !it->place.walked && (!it->to_file || it->o->force);
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY, fd;

	/* Nobody waits for who may write to a pipe in a folder, or to one that is not taken. */
	if (it->to_file || it->place.walked)
		flags |= O_NONBLOCK;
	fd = openat(it->place.dir, base, flags | (follow ? 0 : O_NOFOLLOW));
	if (fd >= 0 || errno != ELOOP || follow || !it->o->force)
		return fd;
	it->linked = true;
	return openat(it->place.dir, base, flags);
}

/* Open it; what is to be expanded may have been named without its suffix. */
static int
find_input(struct item *it)
{
	const char *suffix = it->o->suffix;
	char *plain, *first;

	it->fd = open_input(it);
	if (it->fd >= 0)
		return SPIMGZ_OK;
	if (errno == ENOENT && it->o->expand && !it->place.walked &&
			names_suffix(place_base(&it->place), suffix) == NULL) {
		plain = strdup(it->place.name);
		first = plain != NULL ? names_packed(plain, suffix) : NULL;
		for (unsigned int i = 0; first != NULL && names_try(i, suffix) != NULL; i++) {
			char *other = names_packed(plain, names_try(i, suffix));

			if (place_rename(&it->place, other) != 0)
				break;
			it->fd = open_input(it);
			if (it->fd >= 0 || errno != ENOENT)
				break;
		}
		if (it->fd < 0 && errno == ENOENT)
			(void)place_rename(&it->place, first);
		else
			free(first);
		free(plain);
	}
	if (it->fd >= 0)
		return SPIMGZ_OK;
	complain("%s: %s", it->place.name, strerror(errno));
	return SPIMGZ_FAILED;
}

/* Whether a file may be replaced by its output. @return SPIMGZ_OK, or another after a warning. */
static int
check_input(const struct item *it)
{
	const struct stat *st = &it->st;
	const char *name = it->place.name;

	if (it->o->force)
		return SPIMGZ_OK;
	if ((st->st_mode & (S_ISUID | S_ISGID | S_ISVTX)) != 0)
		warn("%s is set-%s -- ignored; -f takes it", name, st->st_mode & S_ISUID ?
			"user-ID" : st->st_mode & S_ISGID ? "group-ID" : "sticky");
	else if (st->st_nlink > 1)
		warn("%s has %ju other link%s -- ignored; -f takes it", name,
			(uintmax_t)st->st_nlink - 1, st->st_nlink == 2 ? "" : "s");
	else
		return SPIMGZ_OK;
	return SPIMGZ_WARNING;
}

/* Remove it, if it still is the file that was read. */
static int
remove_input(const struct item *it)
{
	const char *base = place_base(&it->place);
	struct stat now;

	/* Of a link it is the link that goes. */
	if (fstatat(it->place.dir, base, &now, 0) != 0)
		warn("%s: %s", it->place.name, strerror(errno));
	else if (now.st_dev != it->st.st_dev || now.st_ino != it->st.st_ino)
		warn("%s: another file has this name now; it stays", it->place.name);
	else if (unlinkat(it->place.dir, base, 0) != 0)
		warn("%s: %s", it->place.name, strerror(errno));
	else
		return SPIMGZ_OK;
	return SPIMGZ_WARNING;
}

/* ---- Output ---- */

/* Choose its name. @return SPIMGZ_OK, or another after a complaint. */
static int
choose_name(struct item *it)
{
	const char *suffix = it->o->suffix, *name = it->place.name, *at;
	const bool silent = it->o->recursive && !it->o->verbose;

	at = names_suffix(name, suffix);
	if (it->o->expand && at == NULL) {
		if (silent)
			return SKIPPED;
		warn("%s: unknown suffix -- ignored", name);
		return it->o->recursive ? SKIPPED : SPIMGZ_WARNING;
	}
	if (!it->o->expand && at != NULL && !it->o->force) {
		if (!silent)
			warn("%s already has %s suffix -- unchanged", name, at);
		return SKIPPED;
	}
	it->out_name = it->o->expand ? names_plain(name, suffix) : names_packed(name, suffix);
	return it->out_name != NULL ? SPIMGZ_OK : SPIMGZ_FAILED;
}

/* The name in the header, in the same folder. NULL after a complaint. */
static char *
header_path(const struct item *it)
{
	const char *base = header_name(&it->s);
	size_t size = it->place.base + strlen(base) + 1;
	char *name = malloc(size);

	if (name == NULL)
		complain("%s: no memory", it->place.name);
	else
		snprintf(name, size, "%.*s%s", (int)it->place.base, it->place.name, base);
	return name;
}

/* Take the name in the header instead. */
static int
take_header_name(struct item *it)
{
	const char *base = header_name(&it->s);

	if (!it->o->restore_name)
		return SPIMGZ_OK;
	if (it->s.header.name[0] == '\0')
		return check_name(&it->s);
	if (base[0] == '\0' || strcmp(base, ".") == 0 || strcmp(base, "..") == 0) {
		complain_data(it->place.name, "corrupted input--no file has the name in it");
		return SPIMGZ_FAILED;
	}
	free(it->out_name);
	it->out_name = header_path(it);
	return it->out_name != NULL ? SPIMGZ_OK : SPIMGZ_FAILED;
}

/* Ask at the terminal. */
static bool
may_overwrite(const struct item *it)
{
	int c, answer;

	fprintf(stderr, "%s: %s already exists; do you wish to overwrite (y or n)? ",
		program_invocation_short_name, it->out_name);
	fflush(stderr);
	for (answer = c = getchar(); c != '\n' && c != EOF;)
		c = getchar();
	if (answer == 'y' || answer == 'Y')
		return true;
	fprintf(stderr, "\tnot overwritten\n");
	return false;
}

/* Whether it may have its name. @param force Filled with whether it replaces what has it. */
static int
check_output(const struct item *it, bool *force)
{
	struct stat st;

	*force = it->o->force;
	if (fstatat(it->place.dir, out_base(it), &st, AT_SYMLINK_NOFOLLOW) != 0)
		return SPIMGZ_OK;
	if (st.st_dev == it->st.st_dev && st.st_ino == it->st.st_ino) {
		complain("%s and %s are the same file", it->place.name, it->out_name);
		return SPIMGZ_FAILED;
	}
	if (S_ISDIR(st.st_mode)) {
		complain("%s: %s", it->out_name, strerror(EISDIR));
		return SPIMGZ_FAILED;
	}
	if (*force)
		return SPIMGZ_OK;
	if (it->o->presume_tty || isatty(STDIN_FILENO)) {
		*force = may_overwrite(it);
		return *force ? SPIMGZ_OK : SPIMGZ_WARNING;
	}
	warn("%s already exists;\tnot overwritten", it->out_name);
	return SPIMGZ_WARNING;
}

/* ---- A file ---- */

/* Its output takes its place. */
static int
replace(struct item *it)
{
	struct output out;
	bool force;
	int ret;

	ret = take_header_name(it);
	if (ret == SPIMGZ_OK)
		ret = check_output(it, &force);
	if (ret == SPIMGZ_OK)
		ret = output_create(&out, it->place.dir, out_base(it), it->out_name);
	if (ret != SPIMGZ_OK)
		return ret;
	it->s.out = out.fd;
	it->s.out_name = it->out_name;
	ret = run_file(it->r, &it->s);
	if (ret == SPIMGZ_FAILED) {
		output_drop(&out);
		return ret;
	}
	if (it->o->expand && it->o->restore_name && it->s.header.mtime != 0)
		it->st.st_mtim = (struct timespec){ .tv_sec = it->s.header.mtime };
	ret = worse(ret, attributes_copy(out.fd, it->fd, &it->st, it->out_name));
	ret = worse(ret, output_commit(&out, force, it->o->synchronous));
	it->done = ret != SPIMGZ_FAILED;
	if (it->done && !it->o->keep)
		ret = worse(ret, remove_input(it));
	return ret;
}

/* It is listed by the name that it would be expanded to. */
static int
list(struct item *it)
{
	const struct stream *s = &it->s;
	const char *name = it->place.name;
	char *other = NULL;
	int ret = it->o->restore_name ? check_name(s) : SPIMGZ_OK;

	if (ret != SPIMGZ_OK)
		return ret;
	if (it->o->restore_name && s->header.name[0] != '\0')
		name = other = header_path(it);
	else if (names_suffix(name, it->o->suffix) != NULL)
		name = other = names_plain(name, it->o->suffix);
	if (name == NULL)
		return SPIMGZ_FAILED;
	gzip_report_list(&it->r->report, it->o, s, name,
		it->o->restore_name && s->header.mtime != 0 ? s->header.mtime : it->st.st_mtime);
	free(other);
	return SPIMGZ_OK;
}

/* A regular file, or what is read as if it were one. */
static int
do_file(struct item *it)
{
	const struct gzip_options *o = it->o;
	int ret, warned;

	/* Of those that are not named, only compressed ones are read. */
	if ((o->test || o->list) && it->place.walked &&
			names_suffix(it->place.name, o->suffix) == NULL)
		return SPIMGZ_OK;
	if (it->to_file) {
		ret = check_input(it);
		if (ret == SPIMGZ_OK)
			ret = choose_name(it);
		if (ret != SPIMGZ_OK)
			return ret == SKIPPED ? SPIMGZ_OK : ret;
	}
	warned = begin(it->r, &it->s, it->fd, it->place.name, &it->st);
	if (warned == SPIMGZ_FAILED)
		return warned;
	it->s.name = !o->expand && o->save_name ? place_base(&it->place) : NULL;
	if (it->to_file) {
		ret = replace(it);
	} else {
		it->s.out = o->test || o->list ? -1 : STDOUT_FILENO;
		ret = run_file(it->r, &it->s);
		it->done = ret != SPIMGZ_FAILED;
	}
	input_close(&it->s.in);
	if (it->done && o->list)
		ret = worse(ret, list(it));
	if (it->done)
		gzip_report_done(o, &it->s, it->place.name, it->out_name);
	return worse(warned, ret);
}

static int do_place(struct run *r, struct place *p);

/* All that is in a folder. */
static int
do_folder(struct item *it)
{
	char **names;
	ssize_t n = folder_read(it->fd, it->place.name, &names);
	int ret = n < 0 ? SPIMGZ_FAILED : SPIMGZ_OK;

	for (ssize_t i = 0; i < n; i++) {
		struct place p;
		int one = SPIMGZ_FAILED;

		if (place_within(&p, it->fd, it->place.name, names[i]) == 0)
			one = do_place(it->r, &p);
		ret = worse(ret, one);
	}
	folder_free(names, n);
	return ret;
}

/* What lies there, whose place is closed at the end. */
static int
do_place(struct run *r, struct place *p)
{
	const struct gzip_options *o = &r->options;
	struct item it = { .r = r, .o = o, .place = *p, .fd = -1,
		.to_file = !o->to_stdout && !o->test && !o->list };
	int ret = find_input(&it);

	if (ret != SPIMGZ_OK)
		goto out;
	if (fstat(it.fd, &it.st) != 0) {
		complain("%s: %s", it.place.name, strerror(errno));
		ret = SPIMGZ_FAILED;
	} else if (S_ISDIR(it.st.st_mode) && o->recursive && !it.linked) {
		ret = do_folder(&it);
	} else if (S_ISDIR(it.st.st_mode)) {
		warn("%s is a directory -- ignored", it.place.name);
		ret = SPIMGZ_WARNING;
	} else if (!S_ISREG(it.st.st_mode) && (it.to_file || it.place.walked)) {
		warn("%s is not a directory or a regular file -- ignored", it.place.name);
		ret = SPIMGZ_WARNING;
	} else {
		ret = do_file(&it);
	}
out:
	if (it.fd >= 0)
		close(it.fd);
	free(it.out_name);
	place_close(&it.place);
	return ret;
}

int
file_path(struct run *r, const char *path)
{
	struct place p;

	return place_open(&p, path) == 0 ? do_place(r, &p) : SPIMGZ_FAILED;
}

/* ---- Standard input ---- */

int
file_stdin(struct run *r)
{
	const struct gzip_options *o = &r->options;
	int terminal = o->expand ? STDIN_FILENO : STDOUT_FILENO, ret, warned;
	struct stream s;
	struct stat st;

	if (!o->force && !o->list && (isatty(terminal) || o->presume_tty)) {
		complain(o->expand ? "compressed data is not read from a terminal; -f forces it" :
			"compressed data is not written to a terminal; -f forces it");
		return SPIMGZ_FAILED;
	}
	if (fstat(STDIN_FILENO, &st) != 0) {
		complain("stdin: %s", strerror(errno));
		return SPIMGZ_FAILED;
	}
	warned = begin(r, &s, STDIN_FILENO, "stdin", &st);
	if (warned == SPIMGZ_FAILED)
		return warned;
	s.out = o->test || o->list ? -1 : STDOUT_FILENO;
	ret = run_file(r, &s);
	input_close(&s.in);
	if (ret != SPIMGZ_FAILED && o->list)
		gzip_report_list(&r->report, o, &s, o->restore_name && s.header.name[0] != '\0' ?
			header_name(&s) : "stdout", o->restore_name && s.header.mtime != 0 ?
			s.header.mtime : time(NULL));
	else if (ret != SPIMGZ_FAILED)
		gzip_report_done(o, &s, NULL, NULL);
	return worse(warned, ret);
}
