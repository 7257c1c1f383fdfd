# Disks behind virtio-blk; read by vmm/CMakeLists.txt.
list(APPEND VMM_SOURCES
	disk/disk.c
	disk/disk_io.c
	disk/overlay.c
	disk/overlay_header.c
	disk/parts.c
	disk/raw.c
	disk/zeros.c)
