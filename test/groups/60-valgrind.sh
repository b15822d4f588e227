# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# Use of what was never written, which no sanitizer above sees. Tests of the suite "slow" would
# take too long under it, and those of threads and of the service are for ASAN and TSAN: valgrind
# lets one thread run at a time, and must be told to let each have its turn: one that waits in a
# loop for another may keep it from running for minutes.

set -eu
. test/lib.sh

need "gcc build is there" config/build.sh build
export ZIP_TEST_FEWER=7
valgrind="valgrind -q --fair-sched=yes --error-exitcode=99 --leak-check=full
	--errors-for-leak-kinds=definite"
# shellcheck disable=SC2086 # a list of words on purpose
check "a bad access is found" ends_with 99 "Invalid read of size 4" bad_access gcc $valgrind
unit_tests valgrind build "base hisi_qm_init hisi_qm_queue hisi_qm_reset hisi_qm_ring
	hisi_qm_words spim spimctl udma_dev zip_codec zip_codec_dict zip_codec_fit
	zip_codec_frame zip_codec_memory zip_codec_stream qm_dev_event zip_dev_ext qm_dev_pci
	qm_dev_regs zip_dev_request qm_dev_reset qm_dev_ring qm_dev_sgl zip_dev_stream" \
	--timeout-multiplier 5 --wrap "$valgrind"
