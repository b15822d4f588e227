/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#ifndef BASE_TEXT_H
#define BASE_TEXT_H

/** @file Text of somebody hostile, to be shown on a terminal or in a log. Any thread. */

#include <stddef.h>

/**
 * @param text
 *   UTF-8, ended by a NUL.
 * @return
 *   Bytes of the character that it begins with, if that is seen and changes nothing around it;
 *   else 0. That leaves out what is no UTF-8, control characters, and what has no width or turns
 *   the direction of a line.
 */
size_t base_text_character(const char *text);

#endif /* BASE_TEXT_H */
