/*
 * The devices of the machine: one visible table. Its order is the order in which they are made, reset, saved and loaded;
 * docs/MACHINE.md is the same table for whoever writes a guest. What must stay true: whatever has state is in
 * machine->devices, so that a snapshot holds it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "vmm/machine_internal.h"

enum {
	SLOT_DISPLAY = 1,
	SLOT_KEYBOARD = 2,
	SLOT_TABLET = 3,
	SLOT_RNG = 4,
	UART_PORT = 0x3f8,
	UART_GSI = 4,
};

static int create_pci_host(struct machine *machine, struct device **device)
{
	int error = pci_host_create(&machine->environment, &machine->pci);

	*device = error ? NULL : pci_host_device(machine->pci);
	return error;
}

static void on_mode(void *context, const struct scanout *scanout)
{
	struct machine *machine = context;

	machine->surroundings.ops->on_mode(machine->surroundings.context, scanout);
}

static int create_display(struct machine *machine, struct device **device)
{
	int error = bochs_display_create(&machine->environment, machine->pci, SLOT_DISPLAY,
	    machine->surroundings.framebuffer, on_mode, machine, &machine->display);

	if (error) {
		return error;
	}
	bochs_display_set_preferred(
	    machine->display, machine->config.width, machine->config.height);
	*device = bochs_display_device(machine->display);
	return 0;
}

static void on_leds(void *context, uint8_t leds)
{
	struct machine *machine = context;

	(void)leds;
	machine->surroundings.ops->on_leds(machine->surroundings.context, machine_leds(machine));
}

static int create_i8042(struct machine *machine, struct device **device)
{
	int error = i8042_create(&machine->environment, &machine->i8042);

	if (error) {
		return error;
	}
	i8042_set_on_leds(machine->i8042, on_leds, machine);
	*device = i8042_device(machine->i8042);
	return 0;
}

static int create_keyboard(struct machine *machine, struct device **device)
{
	int error = virtio_input_create(&machine->environment, machine->pci, SLOT_KEYBOARD,
	    VIRTIO_INPUT_KEYBOARD, &machine->keyboard);

	if (error) {
		return error;
	}
	virtio_input_set_on_leds(machine->keyboard, on_leds, machine);
	*device = virtio_input_device(machine->keyboard);
	return 0;
}

static int create_tablet(struct machine *machine, struct device **device)
{
	int error = virtio_input_create(&machine->environment, machine->pci, SLOT_TABLET,
	    VIRTIO_INPUT_TABLET, &machine->tablet);

	*device = error ? NULL : virtio_input_device(machine->tablet);
	return error;
}

static int create_rng(struct machine *machine, struct device **device)
{
	int error = virtio_rng_create(&machine->environment, machine->pci, SLOT_RNG, &machine->rng);

	*device = error ? NULL : virtio_rng_device(machine->rng);
	return error;
}

static void on_transmit(void *context, uint8_t byte)
{
	struct machine *machine = context;

	console_put(machine->console, byte);
	console_peer_put(machine->console_peer, byte);
}

static void on_serial_room(void *context)
{
	struct machine *machine = context;

	console_peer_room(machine->console_peer);
}

/* Lock. */
static size_t serial_receive(void *context, const void *bytes, size_t size)
{
	struct machine *machine = context;

	return uart16550_receive(machine->uart, bytes, size);
}

static int create_uart(struct machine *machine, struct device **device)
{
	const struct console_peer_setup setup = {
		.event = machine->surroundings.event,
		.timers = machine->timers,
		.lock = &machine->lock,
		.receive = serial_receive,
		.context = machine,
	};
	int error = console_peer_create(&setup, &machine->console_peer);

	if (error) {
		return error;
	}
	error = uart16550_create(
	    &machine->environment, UART_PORT, UART_GSI, on_transmit, machine, &machine->uart);
	if (error) {
		return error;
	}
	uart16550_set_room(machine->uart, on_serial_room);
	*device = uart16550_device(machine->uart);
	return 0;
}

static int create_rtc(struct machine *machine, struct device **device)
{
	int error = rtc_create(&machine->environment, &machine->rtc);

	*device = error ? NULL : rtc_device(machine->rtc);
	return error;
}

static int create_pm(struct machine *machine, struct device **device)
{
	int error = pm_create(&machine->environment, &machine->pm);

	*device = error ? NULL : pm_device(machine->pm);
	return error;
}

static size_t give(void *bytes, size_t size, const char *text)
{
	size_t length = strlen(text);

	length = length < size ? length : size;
	memcpy(bytes, text, length);
	return length;
}

static size_t get_user(void *context, void *bytes, size_t size)
{
	return give(bytes, size, ((const struct machine *)context)->config.user);
}

static size_t get_host(void *context, void *bytes, size_t size)
{
	return give(bytes, size, ((const struct machine *)context)->config.host);
}

static size_t get_timezone(void *context, void *bytes, size_t size)
{
	char text[16];

	snprintf(text, sizeof(text), "%d",
	    (int)((const struct machine *)context)->config.timezone_minutes);
	return give(bytes, size, text);
}

static size_t get_resumes(void *context, void *bytes, size_t size)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu",
	    (unsigned long long)((const struct machine *)context)->config.resumes);
	return give(bytes, size, text);
}

static size_t get_generation_id(void *context, void *bytes, size_t size)
{
	const struct machine *machine = context;
	size_t length = sizeof(machine->config.generation_id);

	length = length < size ? length : size;
	memcpy(bytes, machine->config.generation_id, length);
	return length;
}

static const struct {
	const char *name;
	fw_cfg_get get;
} fw_cfg_files[] = {
	{ "opt/tanmatsu/user", get_user },
	{ "opt/tanmatsu/host", get_host },
	{ "opt/tanmatsu/timezone", get_timezone },
	{ "opt/tanmatsu/resumes", get_resumes },
	{ "etc/vmgenid_guid", get_generation_id },
};

static int create_fw_cfg(struct machine *machine, struct device **device)
{
	int error = fw_cfg_create(&machine->environment, &machine->fw_cfg);

	if (error) {
		return error;
	}
	*device = fw_cfg_device(machine->fw_cfg);
	for (size_t i = 0; i < sizeof(fw_cfg_files) / sizeof(fw_cfg_files[0]) && !error; i++) {
		error = fw_cfg_add(
		    machine->fw_cfg, fw_cfg_files[i].name, fw_cfg_files[i].get, machine);
	}
	return error;
}

/* `*device` is set as soon as there is something to destroy, even when an error is returned. */
static const struct {
	const char *name; /* in messages */
	int (*create)(struct machine *machine, struct device **device);
} table[] = {
	{ "PCI host bridge", create_pci_host },
	{ "display", create_display },
	{ "keyboard controller", create_i8042 },
	{ "virtio keyboard", create_keyboard },
	{ "virtio tablet", create_tablet },
	{ "virtio random numbers", create_rng },
	{ "serial port", create_uart },
	{ "real-time clock", create_rtc },
	{ "power management", create_pm },
	{ "firmware configuration", create_fw_cfg },
};

int machine_create_devices(struct machine *machine)
{
	int error;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct device *device = NULL;

		error = table[i].create(machine, &device);
		if (device) {
			machine->devices[machine->device_count++] = device;
		}
		if (error) {
			log_error(
			    "machine: creating the %s: %s", table[i].name, strerrordesc_np(-error));
			return error;
		}
	}
	error = machine_create_disks(machine);
	if (error) {
		return error;
	}
	return input_router_create(
	    machine->i8042, machine->keyboard, machine->tablet, &machine->router);
}

void machine_destroy_devices(struct machine *machine)
{
	input_router_destroy(machine->router);
	machine->router = NULL;
	console_peer_destroy(machine->console_peer);
	machine->console_peer = NULL;
	while (machine->device_count > 0) {
		struct device *device = machine->devices[--machine->device_count];

		device->ops->destroy(device);
	}
}

void machine_reset_devices(struct machine *machine)
{
	for (size_t i = 0; i < machine->device_count; i++) {
		machine->devices[i]->ops->reset(machine->devices[i]);
	}
}

int machine_attach_console_take(struct machine *machine, int socket)
{
	return console_peer_attach_take(machine->console_peer, socket);
}

void machine_quiesce_devices(struct machine *machine)
{
	for (size_t i = 0; i < machine->device_count; i++) {
		if (machine->devices[i]->ops->quiesce) {
			machine->devices[i]->ops->quiesce(machine->devices[i]);
		}
	}
}
