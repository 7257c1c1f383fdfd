/* What the desktop asks of the machine (platform.h). */
#include "hw/machine_ops.h"

#include "boot/gate.h"
#include "hw/io.h"
#include "hw/machine.h"
#include "hw/rtc.h"
#include "lib/text.h"

#include <linux/input-event-codes.h>

#define PM1_CONTROL   0x604
#define PM1_SLEEP_NOW 0x2000
#define RESET_PORT    0xcf9

static uint64_t ops_now_ms(void *context)
{
	return clock_now_ns(&((struct machine *)context)->clock) / 1000000;
}

static int64_t ops_wall_seconds(void *context)
{
	struct machine *machine = context;

	return machine->wall +
	       (int64_t)((clock_now_ns(&machine->clock) - machine->wall_read_ns) / 1000000000);
}

static void ops_sync_clock(void *context)
{
	struct machine *machine = context;

	machine->wall = rtc_read();
	machine->wall_read_ns = clock_now_ns(&machine->clock);
}

static uint64_t ops_idle_us(void *context)
{
	return ((struct machine *)context)->idle_ns / 1000;
}

static void ops_serial_write(void *context, const char *text, size_t size)
{
	uart_write(&((struct machine *)context)->uart, text, size);
}

static void ops_get_setting(void *context, const char *name, char *buffer, size_t size)
{
	char path[56];

	text_format(path, sizeof(path), "opt/tanmatsu/%s", name);
	(void)fwcfg_read_string(&((struct machine *)context)->fwcfg, path, buffer, size);
}

static bool ops_set_mode(void *context, int width, int height, struct surface *visible)
{
	struct machine *machine = context;

	if (!display_set_mode(&machine->display, width, height, &machine->screen)) {
		return false;
	}
	*visible = machine->screen;
	return true;
}

static void ops_set_leds(void *context, unsigned int leds)
{
	struct machine *machine = context;

	i8042_set_leds(&machine->i8042, leds);
	for (unsigned int i = 0; i < machine->input_count; i++) {
		if (!machine->inputs[i].tablet) {
			virtio_input_set_led(&machine->inputs[i], LED_CAPSL, leds & 2);
		}
	}
}

static void halt_for_ever(void)
{
	for (;;) {
		gate_halt();
		pending_any = 0;
	}
}

static void ops_power_off(void *context)
{
	uart_flush(&((struct machine *)context)->uart);
	io_write16(PM1_CONTROL, PM1_SLEEP_NOW);
	halt_for_ever();
}

static void ops_reboot(void *context)
{
	uart_flush(&((struct machine *)context)->uart);
	io_write8(RESET_PORT, 0x06);
	io_write8(0x64, 0xfe);
	halt_for_ever();
}

static const struct platform_ops machine_ops = {
	.now_ms = ops_now_ms,
	.wall_seconds = ops_wall_seconds,
	.sync_clock = ops_sync_clock,
	.idle_us = ops_idle_us,
	.serial_write = ops_serial_write,
	.get_setting = ops_get_setting,
	.set_mode = ops_set_mode,
	.set_leds = ops_set_leds,
	.power_off = ops_power_off,
	.reboot = ops_reboot,
};

void machine_ops_init(struct machine *machine)
{
	machine->platform = (struct platform){ &machine_ops, machine, &machine->info,
		machine->boot.command_line };
}
