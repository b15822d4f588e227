/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hisi_qm_regs.h"
#include "options.h"
#include "qm_classes.h"
#include "qm_dev.h"
#include "vfio_user_proto.h"

#define GIB (1024ull * 1024 * 1024)

enum {
	OPT_LISTEN = 256, OPT_CONTROL, OPT_REV, OPT_EXT, OPT_ISOLATION, OPT_WORKERS, OPT_QUEUES,
	OPT_RUN_AS, OPT_FAULT, OPT_ENGINE, OPT_SANDBOX, OPT_VERBOSE,
	OPT_LIMIT, /* OPT_LIMIT + 2 * i, and + 1 of a user: limit_options[i] */
};

/* --limit-NAME of a connection and --limit-user-NAME of a user id. */
static const struct {
	const char *name;
	size_t off;
	bool size; /* takes a suffix K, M, G, T */
	uint64_t max[2];
	uint64_t def[2];
} limit_options[] = {
#define LIMIT(field, ...) { #field, offsetof(struct limits, field), __VA_ARGS__ }
#define MANY (1u << 20)
	LIMIT(connections, false, { 0, MANY }, { 0, 8192 }),
	LIMIT(queues, false, { HISI_QM_QUEUES_MAX, HISI_QM_QUEUES_MAX }, { 64, 0 }),
	LIMIT(memory, true, { UINT64_MAX / 2, UINT64_MAX / 2 }, { 2048 * GIB, 8192 * GIB }),
	LIMIT(files, false, { 65535, 65535 }, { 20480, 24576 }),
	/* What a connection is told by the protocol. */
	LIMIT(maps, false, { VFIO_USER_DMA_MAPS_MAX, MANY },
		{ VFIO_USER_DMA_MAPS_MAX, 262144 }),
	LIMIT(streams, false, { MANY, MANY }, { 1024, 4096 }),
	LIMIT(ops, false, { MANY, MANY }, { 0, 0 }),
#undef MANY
#undef LIMIT
};
#define LIMITS (sizeof(limit_options) / sizeof(limit_options[0]))

static const char usage[] =
	"Usage: spimdevd --listen PATH[,OPTION=VALUE]... [OPTION]...\n"
	"Shares a software ZIP function (19e5:a251) with all who connect to PATH. Each has also\n"
	"queues of type 2 (UDMA: copy, fill).\n"
	"\n"
	"  --listen PATH[,...]     offer an access point at this socket; repeatable:\n"
	"      reserve=N             queues kept for its clients (0)\n"
	"      weight=N              its share of the workers, 1 to 1000 (1)\n"
	"      mode=OCTAL            permissions of the socket (0666)\n"
	"      quirk=NAME[:NAME]...  what its functions do otherwise, to test drivers (nothing)\n"
	"  --control PATH[,mode=OCTAL] | none\n"
	"                          socket for spimctl (PATH of the first --listen and .control,\n"
	"                          mode=0600)\n"
	"  --workers N             threads that execute requests, 1 to 64 (one per CPU)\n"
	"  --queues N              queues in use at a time, of all clients together (1024)\n"
	"  --rev v2|v3             revision of the functions (v3)\n"
	"  --ext on|off            offer the software extension and UDMA's queues; off: neither,\n"
	"                          plain silicon (on)\n"
	"  --isolation on|off      doorbells in BAR4, one page a queue; v3 only (off)\n"
	"  --run-as USER           become this user before the sockets are made\n"
	"  --sandbox on|off        allow only the system calls that are needed (on)\n"
	"  --verbose               log connections, too\n"
	"\n"
	"Limits; N = 0: none. Of a connection (default), and of a user's connections together:\n"
	"  --limit-queues N (64)        --limit-user-queues N (0)          queues in use\n"
	"  --limit-memory SIZE (2T)     --limit-user-memory SIZE (8T)      bytes mapped\n"
	"  --limit-files N (20480)      --limit-user-files N (24576)       files mapped\n"
	"  --limit-maps N (65535)       --limit-user-maps N (262144)       memory maps\n"
	"  --limit-streams N (1024)     --limit-user-streams N (4096)      streams kept\n"
	"  --limit-ops N (0)            --limit-user-ops N (0)             requests in flight\n"
	"                               --limit-user-connections N (8192)  connections\n"
	"The last eighth of --queues is for users who have fewer than 16. Users also share\n"
	"what the kernel has for the service: mappings and descriptors.\n"
	"\n"
	"  -h, --help              print this, and end\n"
	"  -V, --version           print the version, and end\n"
	"\n"
	"Only --listen may be given more than once.\n";

static int __attribute__((format(printf, 1, 2)))
wrong(const char *fmt, ...)
{
	va_list ap;

	fputs("spimdevd: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("; see spimdevd --help\n", stderr);
	return -EINVAL;
}

/* A decimal number; with size, one that may end in K, M, G or T. */
static int
option_number(const char *opt, const char *text, uint64_t min, uint64_t max, bool size,
		uint64_t *value)
{
	static const char suffixes[] = "KMGT";
	const char *suffix;
	uint64_t v = 0;
	unsigned int shift = 0;
	char *end = NULL;

	if (text[0] >= '0' && text[0] <= '9')
		v = strtoull(text, &end, 10);
	if (end != NULL && size && *end != '\0' && (suffix = strchr(suffixes, *end)) != NULL) {
		shift = 10 * (unsigned int)(suffix - suffixes + 1);
		end++;
	}
	/* What is too long for v is UINT64_MAX, more than any max. With suffix there is no min. */
	if (end == NULL || *end != '\0' || v < min || v > max >> shift)
		return wrong("%s '%s', expected a number from %" PRIu64 " to %" PRIu64 "%s", opt,
				text, min, max, size ? ", with K, M, G or T behind it if you like" :
				"");
	*value = v << shift;
	return 0;
}

static int
choice(const char *opt, const char *text, const char *no, const char *yes, bool *value)
{
	*value = strcmp(text, yes) == 0;
	if (!*value && strcmp(text, no) != 0)
		return wrong("%s '%s', expected %s or %s", opt, text, yes, no);
	return 0;
}

static int
mode_key(const char *opt, const char *value, mode_t *mode)
{
	char *end;
	unsigned long long v = strtoull(value, &end, 8);

	if (value[0] < '0' || value[0] > '7' || *end != '\0' || v > 0777)
		return wrong("%s mode='%s', expected octal permissions up to 0777", opt, value);
	*mode = (mode_t)v;
	return 0;
}

static int
quirk_key(const char *value, uint64_t *quirks)
{
	char all[ZIP_DEV_QUIRKS_TEXT_LEN];
	const char *bad = zip_dev_quirks_parse(value, quirks);

	if (bad != NULL)
		return wrong("--listen quirk='%.*s', expected some of %s",
				(int)strcspn(bad, ":"), bad, zip_dev_quirks_text(all));
	return 0;
}

static int
listen_key(struct listen_options *l, const char *key, const char *value)
{
	uint64_t v;

	if (strcmp(key, "reserve") == 0) {
		if (option_number("--listen reserve=", value, 0, HISI_QM_QUEUES_MAX, false,
				&v) != 0)
			return -EINVAL;
		l->reserve = (uint32_t)v;
		return 0;
	}
	if (strcmp(key, "weight") == 0) {
		if (option_number("--listen weight=", value, 1, OPTIONS_WEIGHT_MAX, false, &v) != 0)
			return -EINVAL;
		l->weight = (uint32_t)v;
		return 0;
	}
	if (strcmp(key, "mode") == 0)
		return mode_key("--listen", value, &l->mode);
	if (strcmp(key, "quirk") == 0)
		return quirk_key(value, &l->quirks);
	return wrong("--listen %s=: unknown key, expected reserve, weight, mode or quirk", key);
}

static int
control_key(struct listen_options *l, const char *key, const char *value)
{
	if (strcmp(key, "mode") == 0)
		return mode_key("--control", value, &l->mode);
	return wrong("--control %s=: unknown key, expected mode", key);
}

/* PATH[,KEY=VALUE]...; l has the defaults. */
static int
socket_option(const char *opt, char *text, struct listen_options *l, const char *keys,
		int (*set)(struct listen_options *l, const char *key, const char *value))
{
	const char *seen[8]; /* more than there are keys, and each is taken once */
	char *rest = text, *path = strsep(&rest, ","), *item;
	size_t seen_cnt = 0;

	if (path[0] == '\0')
		return wrong("%s without a path", opt);
	if (strlen(path) > OPTIONS_PATH_MAX)
		return wrong("%s '%s': %zu bytes, expected %d at most", opt, path, strlen(path),
				OPTIONS_PATH_MAX);
	memcpy(l->path, path, strlen(path) + 1);
	while ((item = strsep(&rest, ",")) != NULL) {
		char *eq = strchr(item, '=');

		if (eq == NULL)
			return wrong("%s '%s': '%s', expected %s", opt, path, item, keys);
		*eq = '\0';
		for (size_t i = 0; i < seen_cnt; i++)
			if (strcmp(seen[i], item) == 0)
				return wrong("%s '%s': %s= given twice", opt, path, item);
		if (set(l, item, eq + 1) != 0)
			return -EINVAL;
		seen[seen_cnt++] = item;
	}
	return 0;
}

static int
listen_add(struct options *opt, char *text)
{
	struct listen_options l = { .weight = 1, .mode = 0666 };

	if (opt->listen_cnt == OPTIONS_LISTEN_MAX)
		return wrong("--listen given more than %d times", OPTIONS_LISTEN_MAX);
	if (socket_option("--listen", text, &l, "reserve=, weight=, mode= or quirk=",
			listen_key) != 0)
		return -EINVAL;
	for (unsigned int i = 0; i < opt->listen_cnt; i++)
		if (strcmp(opt->listen[i].path, l.path) == 0)
			return wrong("--listen '%s' given twice", l.path);
	opt->listen[opt->listen_cnt++] = l;
	return 0;
}

/* Where the control socket is, unless it was said. */
static int
control_default(struct options *opt)
{
	const char *first = opt->listen[0].path;
	int n = snprintf(opt->control.path, sizeof(opt->control.path), "%s%s", first,
			OPTIONS_CONTROL_SUFFIX);

	if (n > OPTIONS_PATH_MAX)
		return wrong("--listen '%s': no room for " OPTIONS_CONTROL_SUFFIX " behind it, "
				"expected --control", first);
	return 0;
}

/* What depends on more than one option. */
static int
check(struct options *opt)
{
	uint64_t reserved = 0;

	if (opt->listen_cnt == 0)
		return wrong("--listen is missing, expected at least one");
	if (!opt->control_set && control_default(opt) != 0)
		return -EINVAL;
	for (unsigned int i = 0; i < opt->listen_cnt; i++) {
		reserved += opt->listen[i].reserve;
		if (strcmp(opt->listen[i].path, opt->control.path) == 0)
			return wrong("--control '%s' is the path of an access point",
					opt->control.path);
	}
	if (reserved > opt->queues)
		return wrong("--listen reserve=: %" PRIu64 " queues reserved in all, expected at "
				"most %u (--queues)", reserved, opt->queues);
	if (opt->isolation && opt->revision == HISI_QM_REV_V2)
		return wrong("--isolation 'on' with --rev v2, expected off: v2 has none");
	return 0;
}

static void
defaults(struct options *opt)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	*opt = (struct options){
		.revision = HISI_QM_REV_V3,
		.control.mode = OPTIONS_CONTROL_MODE,
		.ext = true,
		.sandbox = true,
		.queues = HISI_QM_QUEUES_MAX,
		.workers = cpus < 1 ? 1 : cpus > QM_DEV_WORKERS_MAX ? QM_DEV_WORKERS_MAX :
			(unsigned int)cpus,
	};
	for (size_t i = 0; i < LIMITS; i++) {
		*(uint64_t *)((char *)&opt->per_connection + limit_options[i].off) =
			limit_options[i].def[0];
		*(uint64_t *)((char *)&opt->per_user + limit_options[i].off) =
			limit_options[i].def[1];
	}
}

static int
one(struct options *opt, int c, const char *name, char *arg)
{
	bool flag;
	uint64_t v;
	int rc;

	switch (c) {
	case OPT_LISTEN:
		return listen_add(opt, arg);
	case OPT_CONTROL:
		opt->control = (struct listen_options){ .mode = OPTIONS_CONTROL_MODE };
		opt->control_set = true;
		return strcmp(arg, "none") == 0 ? 0 :
			socket_option("--control", arg, &opt->control, "mode=", control_key);
	case OPT_REV:
		rc = choice("--rev", arg, "v2", "v3", &flag);
		opt->revision = flag ? HISI_QM_REV_V3 : HISI_QM_REV_V2;
		return rc;
	case OPT_EXT:
		return choice("--ext", arg, "off", "on", &opt->ext);
	case OPT_ISOLATION:
		return choice("--isolation", arg, "off", "on", &opt->isolation);
	case OPT_SANDBOX:
		return choice("--sandbox", arg, "off", "on", &opt->sandbox);
	case OPT_ENGINE:
		return choice("--engine", arg, "deflate", "copy", &opt->copy);
	case OPT_WORKERS:
		rc = option_number("--workers", arg, 1, QM_DEV_WORKERS_MAX, false, &v);
		opt->workers = rc == 0 ? (unsigned int)v : 0;
		return rc;
	case OPT_QUEUES:
		rc = option_number("--queues", arg, 1, HISI_QM_QUEUES_MAX, false, &v);
		opt->queues = rc == 0 ? (unsigned int)v : 0;
		return rc;
	case OPT_RUN_AS:
		opt->run_as = arg;
		return arg[0] != '\0' ? 0 : wrong("--run-as '', expected the name of a user");
	case OPT_FAULT:
		opt->fault = arg;
		return 0;
	case OPT_VERBOSE:
		opt->verbose = true;
		return 0;
	default:
		break;
	}

	size_t i = (size_t)(c - OPT_LIMIT) / 2;
	size_t user = (size_t)(c - OPT_LIMIT) % 2;
	struct limits *limits = user == 0 ? &opt->per_connection : &opt->per_user;
	char opt_name[64];

	snprintf(opt_name, sizeof(opt_name), "--%s", name);
	return option_number(opt_name, arg, 0, limit_options[i].max[user], limit_options[i].size,
			(uint64_t *)((char *)limits + limit_options[i].off));
}

enum options_result
options_parse(int argc, char **argv, struct options *opt)
{
	static const struct option fixed[] = {
		{ "listen", required_argument, NULL, OPT_LISTEN },
		{ "control", required_argument, NULL, OPT_CONTROL },
		{ "rev", required_argument, NULL, OPT_REV },
		{ "ext", required_argument, NULL, OPT_EXT },
		{ "isolation", required_argument, NULL, OPT_ISOLATION },
		{ "workers", required_argument, NULL, OPT_WORKERS },
		{ "queues", required_argument, NULL, OPT_QUEUES },
		{ "run-as", required_argument, NULL, OPT_RUN_AS },
#ifdef QM_DEV_FAULTS
		{ "fault", required_argument, NULL, OPT_FAULT },
#endif
		{ "engine", required_argument, NULL, OPT_ENGINE }, /* for measurements */
		{ "sandbox", required_argument, NULL, OPT_SANDBOX },
		{ "verbose", no_argument, NULL, OPT_VERBOSE },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
	};
	struct option all[sizeof(fixed) / sizeof(fixed[0]) + 2 * LIMITS + 1];
	char names[2 * LIMITS][40];
	bool seen[OPT_LIMIT + 2 * LIMITS] = { false };
	size_t n = sizeof(fixed) / sizeof(fixed[0]);
	int c, index = 0;

	memcpy(all, fixed, sizeof(fixed));
	/* A connection has one connection: the first name of the first limit means nothing. */
	for (unsigned int i = 1; i < 2 * LIMITS; i++) {
		snprintf(names[i], sizeof(names[i]), "limit-%s%s", i % 2 == 0 ? "" : "user-",
				limit_options[i / 2].name);
		all[n++] = (struct option){ names[i], required_argument, NULL,
			OPT_LIMIT + (int)i };
	}
	all[n] = (struct option){ 0 };

	defaults(opt);
	opterr = 0;
	/* '-': in order; a word that is no option comes back as 1. ':': tell a missing value. */
	while ((c = getopt_long(argc, argv, "-:hV", all, &index)) != -1) {
		switch (c) {
		case 'h':
			fputs(usage, stdout);
			return OPTIONS_DONE;
		case 'V':
			puts("spimdevd " SPIMDEV_VERSION);
			return OPTIONS_DONE;
		case ':':
			wrong("%s without a value", argv[optind - 1]);
			return OPTIONS_WRONG;
		case '?':
			/* A letter may have others behind it in the same word. */
			if (optopt > 0 && optopt < OPT_LISTEN)
				wrong("unknown option -%c", optopt);
			else
				wrong("unknown option %s", argv[optind - 1]);
			return OPTIONS_WRONG;
		case 1:
			wrong("unexpected argument '%s', expected options only", optarg);
			return OPTIONS_WRONG;
		default:
			if (seen[c] && c != OPT_LISTEN) {
				wrong("--%s given twice", all[index].name);
				return OPTIONS_WRONG;
			}
			seen[c] = true;
			if (one(opt, c, all[index].name, optarg) != 0)
				return OPTIONS_WRONG;
		}
	}
	if (optind < argc) {
		wrong("unexpected argument '%s', expected options only", argv[optind]);
		return OPTIONS_WRONG;
	}
	return check(opt) == 0 ? OPTIONS_RUN : OPTIONS_WRONG;
}
