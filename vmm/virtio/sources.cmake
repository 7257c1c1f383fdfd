# The virtio devices; read by vmm/CMakeLists.txt.
list(APPEND VMM_SOURCES
	virtio/virtio_input.c
	virtio/virtio_pci.c
	virtio/virtio_rng.c
	virtio/virtqueue.c)
