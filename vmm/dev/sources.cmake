# The emulated chips; read by vmm/CMakeLists.txt.
list(APPEND VMM_SOURCES
	dev/bochs_dispi.c
	dev/bochs_display.c
	dev/edid.c
	dev/fw_cfg.c
	dev/i8042.c
	dev/pci.c
	dev/pci_config.c
	dev/pci_msix.c
	dev/pm.c
	dev/ps2_keyboard.c
	dev/ps2_mouse.c
	dev/ps2_scancodes.c
	dev/rtc.c
	dev/uart16550.c
	input_router.c)
