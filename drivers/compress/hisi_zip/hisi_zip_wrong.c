/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The spimdev authors
 */

#include "hisi_zip_answer.h"
#include "hisi_zip_wrong.h"

void
hisi_zip_paths_tell(struct hisi_zip_dev *dev)
{
	static const char *const whys[HISI_ZIP_WRONGS] = {
		[HISI_ZIP_WRONG_VERIFY] = "software had another result",
		[HISI_ZIP_WRONG_RESULT] = "its results are not what they were",
		[HISI_ZIP_WRONG_LIE] = "an answer cannot be true",
	};
	uint32_t wrong = hisi_zip_paths_found_wrong(dev);

	if ((wrong & ~rte_atomic_load_explicit(&dev->paths_told, rte_memory_order_relaxed)) == 0)
		return;
	/* Who has it may be asking the function: another time. */
	if (pthread_mutex_trylock(&dev->known.lock) != 0)
		return;
	/* There may be another function since, with which nothing is wrong. */
	wrong = hisi_zip_paths_found_wrong(dev);
	for (enum hisi_zip_wrong why = 0; why < HISI_ZIP_WRONGS; why++) {
		uint32_t paths = rte_atomic_load_explicit(&dev->paths_wrong[why],
			rte_memory_order_relaxed) & wrong;

		for (enum hisi_zip_path path = 0; path < HISI_ZIP_PATHS; path++) {
			if (paths & HISI_ZIP_PATH_BIT(path))
				hisi_zip_path_fails(dev, path, whys[why]);
		}
	}
	rte_atomic_store_explicit(&dev->paths_told, wrong, rte_memory_order_relaxed);
	pthread_mutex_unlock(&dev->known.lock);
}
