/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "print.h"
#include "table.h"

#define TERMINAL_COLUMNS 80 /* if it does not say how many it has */
#define PATH_TITLE_LEN   12
#define PATH_SHOWN       24 /* bytes of a path on a terminal */

unsigned int
table_width(void)
{
	struct winsize ws = { 0 };

	if (isatty(STDOUT_FILENO) != 1)
		return 0;
	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws);
	return ws.ws_col > 0 ? ws.ws_col : TERMINAL_COLUMNS;
}

void
table_line(FILE *out, const struct column *columns, unsigned int width, const char *const *texts)
{
	size_t end = 0, spaces = 0;

	for (size_t i = 0; columns[i].title != NULL; i++) {
		size_t room = (size_t)abs(columns[i].width), len = strlen(texts[i]);
		size_t pad = len < room ? room - len : 0;

		end += room + (i > 0);
		if (i > 0 && width != 0 && end > width)
			break;
		spaces += (i > 0) + (columns[i].width > 0 ? pad : 0);
		fprintf(out, "%*s%s", (int)spaces, "", texts[i]);
		spaces = columns[i].width > 0 ? 0 : pad;
	}
	fputc('\n', out);
}

void
table_head(FILE *out, const struct column *columns, unsigned int width)
{
	const char *titles[32];

	for (size_t i = 0; columns[i].title != NULL; i++)
		titles[i] = columns[i].title;
	table_line(out, columns, width, titles);
}

int
table_path_width(const struct snapshot *snap, unsigned int width)
{
	size_t longest = PATH_TITLE_LEN;

	for (size_t i = 0; i < snap->points_cnt; i++) {
		size_t len = strlen(snap->points[i].path);

		longest = len > longest ? len : longest;
	}
	return -(int)(width != 0 && longest > PATH_SHOWN ? PATH_SHOWN : longest);
}

const char *
table_path(const char *path, unsigned int width, char room[RECORD_PATH_MAX])
{
	size_t len;
	char *end;

	print_clean(path, room);
	len = strlen(room);
	if (width == 0 || len <= PATH_SHOWN)
		return room;
	end = room + len - PATH_SHOWN + 2;
	/* Not in the middle of a character. */
	while (((unsigned char)*end & 0xc0) == 0x80)
		end++;
	end -= 2;
	memcpy(end, "..", 2);
	return end;
}
