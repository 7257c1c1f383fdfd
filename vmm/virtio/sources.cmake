# The virtio devices; read by vmm/CMakeLists.txt.
list(APPEND VMM_SOURCES
	virtio/event_backlog.c
	virtio/virtio_blk.c
	virtio/virtio_blk_request.c
	virtio/virtio_input.c
	virtio/virtio_input_config.c
	virtio/virtio_input_state.c
	virtio/virtio_pci.c
	virtio/virtio_pci_capabilities.c
	virtio/virtio_rng.c
	virtio/virtqueue.c)
