# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
#
# What the ops of two runs of guest/counts.sh cost, from QEMU's trace: the second run's events less
# the first run's, so that coming up and going down do not count.
#
# usage: awk -v few=N -v many=N -f counts.awk TRACE

# The part after "0x" up to the next character that is no hexadecimal digit.
function hex(s,   i, n) {
	sub(/.*0x/, "", s)
	n = 0
	for (i = 1; i <= length(s); i++)
		n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
	return n
}

/^vfio_pci_write_config/ && /@0x3c, 0xa[12], / { run++; next }
run < 1 || run > 2 { next }
/^vfio_region_write/ {
	# (NAME:regionN+0xOFFSET, 0xVALUE, SIZE)
	split($0, part, ", ")
	offset = hex(part[1])
	# Isolated queues have a page each, the doorbell is at the same place in it.
	kind = "other writes"
	if (offset % 65536 == 4096)
		kind = int(hex(part[2]) / 4096) % 16 == 0 ? "SQ doorbells" : "CQ doorbells"
	n[kind, run]++
}
/^vfio_region_read/ { n["reads", run]++ }
/^vfio_msi_interrupt/ { n["MSI", run]++ }
/^vfio_user_dma_map/ { n["DMA_MAP", run]++ }
/^vfio_user_dma_unmap/ { n["DMA_UNMAP", run]++ }

END {
	if (run != 3) {
		print "counts: " run + 0 " marks in the trace; expected 3"
		exit 1
	}
	# An iteration is 32 ops compressed and 32 decompressed, and the program does all of it
	# twice, to warm up.
	ops = (many - few) * 128
	printf "VM: %d ops in bursts of 32:", ops
	kinds = split("SQ doorbells,CQ doorbells,other writes,reads,MSI,DMA_MAP,DMA_UNMAP",
		name, ",")
	for (i = 1; i <= kinds; i++) {
		d[i] = n[name[i], 2] - n[name[i], 1]
		printf "%s %s %d", (i > 1 ? "," : ""), name[i], d[i]
	}
	printf "; coming up and going down: %d DMA_MAP\n", n["DMA_MAP", 1]
	# What is done once in a while, whatever the ops, may differ a little.
	if (d[1] > ops / 32 * 1.05 || d[2] > ops / 32 || d[3] + d[4] + d[5] + d[6] + d[7] > 8) {
		print "counts: expected one SQ doorbell a burst, fewer CQ doorbells, no more"
		exit 1
	}
}
