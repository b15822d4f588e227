/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "qm_dev_fault.h"
#include "qm_dev_func.h"

static const struct {
	const char *name;
	enum qm_dev_fault_kind kind;
} names[] = {
	{ "status=", QM_DEV_FAULT_STATUS }, /* a number follows */
	{ "stall", QM_DEV_FAULT_STALL },
	{ "corrupt", QM_DEV_FAULT_CORRUPT },
	{ "quirk=", QM_DEV_FAULT_QUIRK }, /* a name follows */
	{ "aeq=cq_overflow", QM_DEV_FAULT_CQ_OVERFLOW },
	{ "aeq=cqe_error", QM_DEV_FAULT_CQE_ERROR },
	{ "aeq=eq_overflow", QM_DEV_FAULT_EQ_OVERFLOW },
	{ "mailbox_timeout", QM_DEV_FAULT_MAILBOX },
	{ "vanish", QM_DEV_FAULT_VANISH },
};

/* A number in C's notation at *at; steps over it. @return Whether it is in [1, max]. */
static bool
fault_number(const char **at, uint64_t max, uint64_t *n)
{
	char *end;

	/* strtoull would also take blanks and signs. */
	if (!isdigit((unsigned char)**at))
		return false;
	errno = 0;
	*n = strtoull(*at, &end, 0);
	*at = end;
	return errno == 0 && *n >= 1 && *n <= max;
}

/* Turn a quirk over; func NULL: only look for it. @return Whether a class has it. */
static bool
toggle(struct qm_dev *dev, const char *name, bool look)
{
	bool found = false;

	for (unsigned int i = 0; i < QM_DEV_CLASSES_MAX; i++) {
		const struct qm_dev_class *class = dev->conf.classes[i].class;

		if (class == NULL)
			break;
		if (class->toggle != NULL && class->toggle(look ? NULL : dev->cs[i].func, name))
			found = true;
	}
	return found;
}

/* The name of a quirk at *at; steps over it. */
static bool
fault_quirk(struct qm_dev *dev, const char **at, struct qm_dev_fault_item *item)
{
	size_t len = strcspn(*at, "@/,");

	if (len >= sizeof(item->quirk))
		return false;
	memcpy(item->quirk, *at, len);
	item->quirk[len] = '\0';
	if (!toggle(dev, item->quirk, true))
		return false;
	*at += len;
	return true;
}

/* One fault, up to a comma or the end. @return What was expected where *at is; NULL: all well. */
static const char *
parse_one(struct qm_dev *dev, const char **at, struct qm_dev_fault_item *item)
{
	size_t i = 0, len;
	uint64_t n;

	while (i < sizeof(names) / sizeof(names[0]) &&
			strncmp(*at, names[i].name, strlen(names[i].name)) != 0)
		i++;
	if (i == sizeof(names) / sizeof(names[0]))
		return "status=S, stall, corrupt, quirk=NAME, aeq=cq_overflow, aeq=cqe_error, "
			"aeq=eq_overflow, mailbox_timeout or vanish";
	len = strlen(names[i].name);
	*at += len;
	item->kind = names[i].kind;
	if (item->kind == QM_DEV_FAULT_STATUS) {
		if (!fault_number(at, UINT8_MAX, &n))
			return "a status of 0x01 to 0xff";
		item->status = (uint8_t)n;
	}
	if (item->kind == QM_DEV_FAULT_QUIRK && !fault_quirk(dev, at, item))
		return "the name of a quirk";
	if (**at != '@' && **at != '/')
		return "@n or /n";
	item->every = *(*at)++ == '/';
	if (!fault_number(at, UINT32_MAX, &item->n))
		return "a number of 1 to 4294967295";
	return **at == 0 || **at == ',' ? NULL : "a comma or the end";
}

int
qm_dev_fault_create(struct qm_dev *dev, const char *spec)
{
	struct qm_dev_fault *f;
	const char *at = spec, *expected = NULL;

	if (spec == NULL || *spec == 0)
		return 0;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return -ENOMEM;
	for (;;) {
		if (f->cnt == QM_DEV_FAULTS_MAX) {
			expected = "8 faults at most";
			break;
		}
		expected = parse_one(dev, &at, &f->item[f->cnt++]);
		if (expected != NULL || *at == 0)
			break;
		at++;
	}
	if (expected != NULL) {
		qm_dev_log(dev, BASE_LOG_ERR, "fault \"%s\": \"%s\" at character %zu, "
				"expected %s", spec, at, (size_t)(at - spec) + 1, expected);
		free(f);
		return -EINVAL;
	}
	dev->fault = f;
	return 0;
}

void
qm_dev_fault_destroy(struct qm_dev *dev)
{
	free(dev->fault);
}

static bool
is_at(const struct qm_dev_fault_item *item, uint64_t n)
{
	return item->every ? n % item->n == 0 : n == item->n;
}

/* Does one of the faults that count these events strike at the n-th? */
static const struct qm_dev_fault_item *
strikes(struct qm_dev_fault *f, bool commands, uint64_t n)
{
	for (unsigned int i = 0; i < f->cnt; i++) {
		const struct qm_dev_fault_item *item = &f->item[i];

		if ((item->kind == QM_DEV_FAULT_MAILBOX) == commands &&
				item->kind != QM_DEV_FAULT_QUIRK && is_at(item, n)) {
			atomic_fetch_add_explicit(&f->struck, 1, memory_order_relaxed);
			return item;
		}
	}
	return NULL;
}

enum qm_dev_fault_kind
qm_dev_fault_request(struct qm_dev *dev, uint8_t *status)
{
	struct qm_dev_fault *f = dev->fault;
	uint64_t n = atomic_fetch_add_explicit(&f->requests, 1, memory_order_relaxed) + 1;
	const struct qm_dev_fault_item *item = strikes(f, false, n);

	/* Quirks strike beside what else strikes. */
	for (unsigned int i = 0; i < f->cnt; i++)
		if (f->item[i].kind == QM_DEV_FAULT_QUIRK && is_at(&f->item[i], n)) {
			toggle(dev, f->item[i].quirk, false);
			atomic_fetch_add_explicit(&f->struck, 1, memory_order_relaxed);
		}
	if (item == NULL)
		return QM_DEV_FAULT_NONE;
	*status = item->status;
	return item->kind;
}

bool
qm_dev_fault_command(struct qm_dev *dev)
{
	struct qm_dev_fault *f = dev->fault;

	if (strikes(f, true, ++f->commands) != NULL)
		f->stuck = true;
	return f->stuck;
}
