/*
 * The kernel's C start, at CPL 3: clears its memory, starts the machine and the desktop, and then
 * goes round: events, what is due, draw, halt. Also the last words after a fault.
 */
#include "boot/gate.h"
#include "hw/machine.h"
#include "lib/text.h"
#include "ui/desktop.h"

#include <string.h>

#define FALLBACK_WIDTH  1024
#define FALLBACK_HEIGHT 768

extern char bss_start[];
extern char bss_end[];

/* Called by boot/entry.S only. */
void machine_main(void);
void machine_fault(void);

/* The one object there is; devices know its address, so it never moves. */
static struct machine machine;
static struct heap heap;

static void die(const char *why)
{
	char line[128];
	size_t length = text_format(line, sizeof(line), "tanmatsu-demo: %s\n", why);

	uart_write(&machine.uart, line, length);
	uart_flush(&machine.uart);
	for (;;) {
		gate_halt();
		pending_any = 0;
	}
}

void machine_fault(void)
{
	static bool again;
	char why[96];

	while (again) {
		/* A fault on the way to report a fault: be quiet. */
	}
	again = true;
	text_format(why, sizeof(why), "fault %lu at 0x%lx, memory 0x%lx", fault_vector,
	    fault_address, fault_memory);
	die(why);
}

static struct desktop *start_desktop(void)
{
	struct desktop *desktop = NULL;
	int width = 0;
	int height = 0;

	if (!display_preferred(&machine.display, &width, &height)) {
		width = machine.boot.width;
		height = machine.boot.height;
	}
	if (desktop_create(&machine.platform, &heap, width, height, &desktop) != 0 &&
	    desktop_create(&machine.platform, &heap, FALLBACK_WIDTH, FALLBACK_HEIGHT, &desktop) !=
		0) {
		die("no display mode");
	}
	return desktop;
}

void machine_main(void)
{
	static const char hello[] = "tanmatsu-demo: start\n";
	struct platform_event event;
	struct desktop *desktop;
	bool timed;

	memset(bss_start, 0, (size_t)(bss_end - bss_start));
	machine_init(&machine);
	uart_write(&machine.uart, hello, sizeof(hello) - 1);
	if (machine.boot.free_size == 0) {
		die("no memory");
	}
	heap_init(&heap, (void *)machine.boot.free_start,
	    machine.boot.free_size - machine.info.spare_size);
	desktop = start_desktop();
	desktop_render(desktop);
	desktop_announce(desktop);
	timed = text_find(machine.boot.command_line, "demo.time=1") != NULL;
	for (;;) {
		uint64_t woken = clock_now_ns(&machine.clock);
		int events = 0;

		for (; machine_next_event(&machine, &event); events++) {
			desktop_handle_event(desktop, &event);
		}
		desktop_run_timers(desktop);
		desktop_render(desktop);
		if (timed && events > 0) {
			desktop_log(desktop, "drawn: %d events in %lu us", events,
			    (clock_now_ns(&machine.clock) - woken) / 1000);
		}
		machine_flush(&machine);
		machine_wait(&machine, desktop_next_deadline(desktop));
	}
}
