/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <string.h>
#include <sys/types.h>

#include <libdeflate.h>

#include "stream.h"

/* A stream that is expanded. */
struct expansion {
	struct engine *e;
	struct stream *st;
	bool doubt; /* headers that say that a member is ours are not believed any more */
};

/* Whether a piece is what its trailer says; of what is there, not of what the service says. */
static bool
fits_trailer(const struct slot *s)
{
	return s->op.status == SPIM_ZIP_OK && s->op.produced == s->isize &&
		s->op.consumed == s->op.src_len &&
		libdeflate_crc32(0, s->op.dst, s->op.produced) == s->crc32;
}

/* Put a member back to be read again, with its header or without. */
static int
back_member(struct input *in, const struct slot *s, bool header)
{
	uint8_t trailer[GZIP_TRAILER];

	gzip_trailer(trailer, s->crc32, s->isize);
	if (input_back(in, trailer, sizeof(trailer)) != 0 ||
			input_back(in, s->in, s->op.src_len) != 0)
		return -1;
	return header ? input_back(in, s->head, s->head_len) : 0;
}

/*
 * A member that is not what its header says, or not what the service made of it: from here on
 * neither is believed, and zlib decides.
 */
static int
redo(struct expansion *x, const struct slot *s)
{
	struct engine *e = x->e;
	struct stream *st = x->st;
	const char *name = e->name;
	uint64_t size;
	int ret;

	x->doubt = true;
	for (unsigned int i = e->tail; i != e->head; i--) {
		const struct slot *later = &e->slots[(i - 1) % SPIMGZ_SLOTS];

		if (back_member(&st->in, later, true) != 0)
			return SPIMGZ_FAILED;
		st->framing -= later->head_len + GZIP_TRAILER;
	}
	if (back_member(&st->in, s, false) != 0)
		return SPIMGZ_FAILED;
	engine_end(e);
	ret = inflate_member(st, &size);
	if (ret == SPIMGZ_OK && size == s->op.src_len) {
		warn("%s: a wrong result; going on in software", name);
		ret = SPIMGZ_WARNING;
	}
	return ret;
}

/* Write the oldest piece. */
static int
put_plain(struct expansion *x)
{
	const struct slot *s = engine_result(x->e);
	struct stream *st = x->st;

	if (s == NULL)
		return SPIMGZ_FAILED;
	if (s->op.status == SPIM_ZIP_ERROR) {
		complain("%s: %s", x->e->name, spim_zip_status_text(s->op.status));
		return SPIMGZ_FAILED;
	}
	if (!fits_trailer(s))
		return redo(x, s);
	st->plain += s->op.produced;
	st->crc32 = s->crc32;
	return output_write(st->out, st->out_name, s->op.dst, s->op.produced) == 0 ? SPIMGZ_OK :
		SPIMGZ_FAILED;
}

/*
 * Whether what comes next may be a member of ours, that a slot has room for.
 * @return Bytes of its header, 0 if not, or -1 after a complaint.
 */
static ssize_t
is_ours(const struct expansion *x, uint32_t *size)
{
	struct input *in = &x->st->in;
	size_t n;

	if (x->doubt || x->st->begun)
		return 0;
	if (input_ahead(in, GZIP_OUR_MAX) != 0)
		return -1;
	n = gzip_ours(in->buf + in->pos, in->end - in->pos, size);
	return n != 0 && *size != 0 && *size <= SPIMGZ_OUT_MAX ? (ssize_t)n : 0;
}

/*
 * Submit what may be a member of ours. What is none, as it ends too early or as its trailer says,
 * is put back, for zlib.
 */
static int
submit_member(struct expansion *x, struct slot *s, size_t head_len, uint32_t size)
{
	struct input *in = &x->st->in;
	uint8_t trailer[GZIP_TRAILER];
	ssize_t n, more = 0;

	memcpy(s->head, in->buf + in->pos, head_len);
	s->head_len = head_len;
	in->pos += head_len;
	n = input_read(in, s->in, size);
	if (n == (ssize_t)size)
		more = input_read(in, trailer, sizeof(trailer));
	if (n < 0 || more < 0)
		return SPIMGZ_FAILED; /* which was said */
	if (more == (ssize_t)sizeof(trailer))
		gzip_trailer_read(trailer, &s->crc32, &s->isize);
	if (more != (ssize_t)sizeof(trailer) || s->isize > SPIMGZ_CHUNK) {
		x->doubt = true;
		return input_back(in, trailer, (size_t)more) == 0 &&
			input_back(in, s->in, (size_t)n) == 0 &&
			input_back(in, s->head, head_len) == 0 ? SPIMGZ_OK : SPIMGZ_FAILED;
	}
	s->op = (struct spim_zip_op){
		.src = s->in, .src_len = size,
		.dst = s->out, .dst_len = SPIMGZ_OUT_MAX,
	};
	if (engine_begin(x->e, SPIM_ZIP_DECOMPRESS) != SPIMGZ_OK)
		return SPIMGZ_FAILED;
	x->st->framing += head_len + GZIP_TRAILER;
	return engine_submit(x->e);
}

/* All that is left is passed on. */
static int
pass_on(struct stream *st)
{
	struct input *in = &st->in;

	for (;;) {
		if (input_ahead(in, 1) != 0)
			return SPIMGZ_FAILED;
		if (in->pos == in->end)
			return SPIMGZ_OK;
		if (output_write(st->out, st->out_name, in->buf + in->pos, in->end - in->pos) != 0)
			return SPIMGZ_FAILED;
		st->plain += in->end - in->pos;
		in->pos = in->end;
	}
}

/* Behind the last member there may be zeros (of a tape), and nothing else. */
static int
check_rest(struct stream *st)
{
	struct input *in = &st->in;
	bool zeros = false;

	for (;;) {
		if (input_ahead(in, 2) != 0)
			return SPIMGZ_FAILED;
		if (in->pos == in->end)
			return SPIMGZ_OK;
		if (in->buf[in->pos] != 0)
			break;
		zeros = true;
		in->pos++;
	}
	/* One byte may be the beginning of another member. */
	if (!zeros && in->end - in->pos == 1)
		return stream_cut(st);
	warn_data(in->name, "decompression OK, trailing garbage ignored");
	return SPIMGZ_WARNING;
}

/* What is said of a header that was not found. */
static int
no_member(const struct stream *st, enum gzip_found found, const char *bad)
{
	if (found == GZIP_UNREAD)
		return SPIMGZ_FAILED; /* which was said */
	if (found == GZIP_END || found == GZIP_CUT ||
			(found == GZIP_OTHER && st->in.end - st->in.pos == 1))
		return stream_cut(st);
	complain_data(st->in.name, found == GZIP_BAD ? bad : "not in gzip format");
	return SPIMGZ_FAILED;
}

int
expand_first(struct stream *st)
{
	uint8_t head[GZIP_OUR_MAX];
	enum gzip_found found;
	uint32_t size;
	size_t ours;

	if (input_ahead(&st->in, GZIP_OUR_MAX) != 0)
		return SPIMGZ_FAILED;
	ours = gzip_ours(st->in.buf + st->in.pos, st->in.end - st->in.pos, &size);
	memcpy(head, st->in.buf + st->in.pos, ours);
	found = gzip_next(&st->in, &st->header);
	if (found == GZIP_MEMBER && ours != 0)
		return input_back(&st->in, head, ours) == 0 ? SPIMGZ_OK : SPIMGZ_FAILED;
	st->begun = found == GZIP_MEMBER;
	/* Of a single byte that might be the first of a header nothing has been read. */
	if (st->begun || (st->pass && (found == GZIP_OTHER || found == GZIP_END ||
			(found == GZIP_CUT && st->header.size == 0))))
		return SPIMGZ_OK;
	return no_member(st, found, st->header.bad);
}

/* A member by zlib, or what there is instead. @return Whether it goes on. */
static bool
put_other(struct expansion *x, int *ret)
{
	struct stream *st = x->st;
	struct gzip_header h = st->header;
	enum gzip_found found = GZIP_MEMBER;
	uint64_t size;

	if (!st->begun)
		found = gzip_next(&st->in, &h);
	st->begun = false;
	if (found == GZIP_MEMBER) {
		st->framing += h.size + GZIP_TRAILER;
		*ret = worse(*ret, inflate_member(st, &size));
		return true;
	}
	if (found == GZIP_END)
		return false;
	if (found != GZIP_OTHER && !(found == GZIP_CUT && h.size == 0 && st->pass))
		*ret = worse(*ret, no_member(st, found, h.bad));
	else
		*ret = worse(*ret, st->pass ? pass_on(st) : check_rest(st));
	return false;
}

int
expand_stream(struct engine *e, struct stream *st)
{
	struct expansion x = { .e = e, .st = st };
	int ret = SPIMGZ_OK;
	bool more = true;

	while (ret != SPIMGZ_FAILED && more) {
		struct slot *s = engine_next(e);
		ssize_t ours = 0;
		uint32_t size;

		if (s != NULL) {
			ours = is_ours(&x, &size);
			if (ours < 0)
				return SPIMGZ_FAILED;
		}
		if (ours != 0)
			ret = worse(ret, submit_member(&x, s, (size_t)ours, size));
		else if (!engine_idle(e))
			ret = worse(ret, put_plain(&x));
		else
			more = put_other(&x, &ret);
	}
	st->packed = st->in.done;
	return ret;
}
