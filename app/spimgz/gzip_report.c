/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <inttypes.h>
#include <stdio.h>

#include "gzip_report.h"

/* What was saved, in percent of the plain data, as gzip counts: headers and trailers do not. */
static double
saved(uint64_t plain, uint64_t packed, uint64_t framing)
{
	if (plain == 0)
		return 0;
	return 100.0 - 100.0 * (double)(packed - framing) / (double)plain;
}

void
gzip_report_done(const struct gzip_options *o, const struct stream *s, const char *name,
		const char *to)
{
	if (!o->verbose || o->list)
		return;
	if (name != NULL)
		fprintf(stderr, "%s:\t", name);
	if (o->test) {
		fprintf(stderr, " OK\n");
		return;
	}
	fprintf(stderr, "%5.1f%%", saved(s->plain, s->packed, s->framing));
	if (name != NULL)
		fprintf(stderr, " -- %s %s", o->keep && to != NULL ? "created" : "replaced with",
			to != NULL ? to : "stdout");
	fprintf(stderr, "\n");
}

static void
list_line(uint64_t plain, uint64_t packed, uint64_t framing, const char *name)
{
	printf("%19" PRIu64 " %19" PRIu64 " %5.1f%% %s\n", packed, plain,
		saved(plain, packed, framing), name);
}

void
gzip_report_list(struct gzip_report *r, const struct gzip_options *o, const struct stream *s,
		const char *name, time_t mtime)
{
	char date[32] = "";
	struct tm tm;

	if (r->files == 0 && !o->quiet)
		printf("%s%19s %19s  ratio uncompressed_name\n",
			o->verbose ? "method  crc     date  time  " : "", "compressed",
			"uncompressed");
	if (o->verbose) {
		if (mtime != 0 && localtime_r(&mtime, &tm) != NULL)
			strftime(date, sizeof(date), "%b %e %H:%M", &tm);
		printf("defla %08" PRIx32 " %12s ", s->crc32, date);
	}
	list_line(s->plain, s->packed, s->framing, name);
	r->files++;
	r->plain += s->plain;
	r->packed += s->packed;
	r->framing += s->framing;
}

void
gzip_report_total(const struct gzip_report *r, const struct gzip_options *o)
{
	if (r->files < 2 || o->quiet)
		return;
	if (o->verbose)
		printf("%28s", "");
	list_line(r->plain, r->packed, r->framing, "(totals)");
}
