/* The UART as Linux's 8250 driver finds and drives it. Register numbers as in linux/serial_reg.h. */
#include <linux/serial_reg.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_prelude.h"
#include "fake_machine.h"

enum {
	PORT = 0x3f8,
	IRQ = 4,
};

static int setup(void **state)
{
	*state = fake_machine_create();
	return 0;
}

static int teardown(void **state)
{
	fake_machine_destroy(*state);
	return 0;
}

static uint8_t in(struct fake_machine *machine, unsigned offset)
{
	return (uint8_t)fake_in(machine, (uint16_t)(PORT + offset), 1);
}

static void out(struct fake_machine *machine, unsigned offset, uint8_t value)
{
	fake_out(machine, (uint16_t)(PORT + offset), 1, value);
}

/* autoconfig() and autoconfig_16550a() of drivers/tty/serial/8250/8250_port.c. */
static void test_autoconfig(void **state)
{
	struct fake_machine *machine = *state;
	uint8_t scratch, status;

	out(machine, UART_IER, 0);
	assert_int_equal(in(machine, UART_IER) & 0x0f, 0);
	out(machine, UART_IER, 0x0f);
	assert_int_equal(in(machine, UART_IER), 0x0f); /* all writable, no more */
	out(machine, UART_IER, 0xf0);
	assert_int_equal(in(machine, UART_IER), 0);

	/* The loopback test: RTS and OUT2 come back as CTS and DCD. */
	out(machine, UART_MCR, UART_MCR_LOOP | 0x0a);
	assert_int_equal(in(machine, UART_MSR) & 0xf0, 0x90);
	out(machine, UART_MCR, 0);

	/* No EFR behind LCR 0xbf, and FIFOs that work: a 16550A. */
	out(machine, UART_LCR, 0xbf);
	assert_int_equal(in(machine, UART_LCR), 0xbf);
	out(machine, UART_LCR, 0);
	out(machine, UART_FCR, UART_FCR_ENABLE_FIFO);
	assert_int_equal(in(machine, UART_IIR) >> 6, 3);
	out(machine, UART_FCR, 0);
	assert_int_equal(in(machine, UART_IIR) >> 6, 0);
	out(machine, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR | UART_FCR_CLEAR_XMIT);

	scratch = in(machine, UART_SCR);
	out(machine, UART_SCR, 0xa5);
	assert_int_equal(in(machine, UART_SCR), 0xa5);
	out(machine, UART_SCR, scratch);
	status = in(machine, UART_LSR);
	assert_int_equal(status, UART_LSR_TEMT | UART_LSR_THRE);
	assert_false(machine->level[IRQ]);
}

/* size_fifo(): 256 bytes through the loop, of which the FIFO holds 16. */
static void test_size_fifo(void **state)
{
	struct fake_machine *machine = *state;
	unsigned count = 0;

	out(machine, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR | UART_FCR_CLEAR_XMIT);
	out(machine, UART_MCR, UART_MCR_LOOP);
	out(machine, UART_LCR, UART_LCR_DLAB);
	out(machine, UART_DLL, 1);
	out(machine, UART_DLM, 0);
	assert_int_equal(in(machine, UART_DLL), 1);
	out(machine, UART_LCR, UART_LCR_WLEN8);
	for (int i = 0; i < 256; i++) {
		out(machine, UART_TX, (uint8_t)i);
	}
	assert_true(in(machine, UART_LSR) & UART_LSR_OE);
	while ((in(machine, UART_LSR) & UART_LSR_DR) && count < 256) {
		assert_int_equal(in(machine, UART_RX), count);
		count++;
	}
	assert_int_equal(count, 16);
	assert_int_equal(machine->output_count, 0);
}

static void open_port(struct fake_machine *machine, uint8_t ier)
{
	out(machine, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_8);
	out(machine, UART_LCR, UART_LCR_WLEN8);
	out(machine, UART_MCR, UART_MCR_OUT2 | UART_MCR_RTS | UART_MCR_DTR);
	(void)in(machine, UART_MSR);
	out(machine, UART_IER, ier);
}

/* serial8250_do_startup() tests for a missing THRI, and then transmission by interrupt. */
static void test_transmit_interrupt(void **state)
{
	struct fake_machine *machine = *state;

	open_port(machine, 0);
	machine->edges[IRQ] = 0;
	out(machine, UART_IER, UART_IER_THRI);
	assert_true(machine->level[IRQ]);
	assert_int_equal(in(machine, UART_IIR) & 0x0f, UART_IIR_THRI);
	/* Reading it takes it back. */
	assert_int_equal(in(machine, UART_IIR) & 0x0f, UART_IIR_NO_INT);
	assert_false(machine->level[IRQ]);
	out(machine, UART_IER, 0);
	out(machine, UART_IER, UART_IER_THRI);
	assert_int_equal(in(machine, UART_IIR) & 0x0f, UART_IIR_THRI);
	for (int i = 0; i < 3; i++) {
		out(machine, UART_TX, (uint8_t)("abc"[i]));
		assert_true(machine->level[IRQ]);
		assert_int_equal(in(machine, UART_IIR) & 0x0f, UART_IIR_THRI);
		assert_false(machine->level[IRQ]);
	}
	assert_int_equal(machine->output_count, 3);
	assert_memory_equal(machine->output, "abc", 3);
}

static void test_receive_interrupt(void **state)
{
	struct fake_machine *machine = *state;

	open_port(machine, UART_IER_RDI | UART_IER_RLSI);
	assert_false(machine->level[IRQ]);
	assert_int_equal(uart16550_receive(machine->uart, "hello", 5), 5);
	assert_true(machine->level[IRQ]);
	assert_int_equal(
	    in(machine, UART_IIR) & 0x0f, UART_IIR_RX_TIMEOUT); /* below the trigger level */
	assert_int_equal(uart16550_receive(machine->uart, " world", 6), 6);
	assert_int_equal(in(machine, UART_IIR) & 0x0f, UART_IIR_RDI);
	for (int i = 0; i < 11; i++) {
		assert_true(in(machine, UART_LSR) & UART_LSR_DR);
		assert_true(machine->level[IRQ]);
		assert_int_equal(in(machine, UART_RX), "hello world"[i]);
	}
	assert_false(machine->level[IRQ]);
	assert_false(in(machine, UART_LSR) & UART_LSR_DR);
	assert_int_equal(in(machine, UART_RX), 0);
}

static void test_receive_queue_is_bounded(void **state)
{
	static const uint8_t bytes[10000] = { 0 };
	struct fake_machine *machine = *state;
	size_t taken = uart16550_receive(machine->uart, bytes, sizeof(bytes));

	assert_in_range(taken, 16, 9999);
	assert_int_equal(uart16550_receive(machine->uart, bytes, 1), 0);
	(void)in(machine, UART_RX);
	assert_int_equal(uart16550_receive(machine->uart, bytes, 10), 1);
	out(machine, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	assert_int_equal(uart16550_receive(machine->uart, bytes, sizeof(bytes)), taken);
	/* A looped back line hears only itself. */
	out(machine, UART_MCR, UART_MCR_LOOP);
	out(machine, UART_FCR, UART_FCR_CLEAR_RCVR);
	assert_int_equal(uart16550_receive(machine->uart, bytes, 1), 0);
}

static void count_call(void *context)
{
	struct fake_machine *machine = context;

	machine->room_count++;
}

/* Told once for each refusal, as soon as there is room, however that came about. */
static void test_room(void **state)
{
	static const uint8_t bytes[10000] = { 0 };
	struct fake_machine *machine = *state;

	uart16550_set_room(machine->uart, count_call);
	assert_in_range(uart16550_receive(machine->uart, bytes, sizeof(bytes)), 16, 9999);
	(void)in(machine, UART_LSR);
	assert_int_equal(machine->room_count, 0);
	(void)in(machine, UART_RX);
	assert_int_equal(machine->room_count, 1);
	(void)in(machine, UART_RX);
	assert_int_equal(machine->room_count, 1);
	(void)uart16550_receive(machine->uart, bytes, 10);
	out(machine, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	assert_int_equal(machine->room_count, 2);
	out(machine, UART_MCR, UART_MCR_LOOP);
	assert_int_equal(uart16550_receive(machine->uart, bytes, 1), 0);
	(void)in(machine, UART_RX);
	assert_int_equal(machine->room_count, 2);
	out(machine, UART_MCR, 0);
	assert_int_equal(machine->room_count, 3);
	(void)uart16550_receive(machine->uart, bytes, sizeof(bytes));
	uart16550_device(machine->uart)->ops->reset(uart16550_device(machine->uart));
	assert_int_equal(machine->room_count, 4);
}

static void test_modem_status(void **state)
{
	struct fake_machine *machine = *state;

	open_port(machine, UART_IER_MSI);
	assert_false(machine->level[IRQ]);
	assert_int_equal(in(machine, UART_MSR), UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
	/* Looping back with nothing set drops all lines: three deltas, told once. OUT2 does not gate then. */
	out(machine, UART_MCR, UART_MCR_LOOP);
	assert_int_equal(in(machine, UART_IIR) & 0x0f, UART_IIR_MSI);
	assert_int_equal(in(machine, UART_MSR), UART_MSR_DDCD | UART_MSR_DDSR | UART_MSR_DCTS);
	assert_int_equal(in(machine, UART_MSR), 0);
	/* The ring indicator tells of its end. */
	out(machine, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT1);
	assert_int_equal(in(machine, UART_MSR), UART_MSR_RI);
	out(machine, UART_MCR, UART_MCR_LOOP);
	assert_int_equal(in(machine, UART_MSR), UART_MSR_TERI);
	out(machine, UART_MCR, UART_MCR_OUT2);
	assert_true(machine->level[IRQ]);
	(void)in(machine, UART_MSR);
	assert_false(machine->level[IRQ]);
}

static void test_priorities_and_gate(void **state)
{
	struct fake_machine *machine = *state;

	open_port(machine, 0x0f);
	out(machine, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2);
	for (int i = 0; i < 17; i++) {
		out(machine, UART_TX, 1);
	}
	assert_false(machine->level[IRQ]); /* the loop takes OUT2 away from the line */
	assert_int_equal(in(machine, UART_IIR) & 0x0f, UART_IIR_RLSI);
	(void)in(machine, UART_LSR);
	assert_int_equal(in(machine, UART_IIR) & 0x0f, UART_IIR_RDI);
	out(machine, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	assert_int_equal(in(machine, UART_IIR) & 0x0f, UART_IIR_THRI);
	assert_int_equal(in(machine, UART_IIR) & 0x0f, UART_IIR_MSI);
	(void)in(machine, UART_MSR);
	assert_int_equal(in(machine, UART_IIR) & 0x0f, UART_IIR_NO_INT);
	open_port(machine, UART_IER_RDI);
	out(machine, UART_MCR, 0);
	(void)uart16550_receive(machine->uart, "x", 1);
	assert_false(machine->level[IRQ]);
	out(machine, UART_MCR, UART_MCR_OUT2);
	assert_true(machine->level[IRQ]);
}

/* Saved between the byte and its interrupt: the loaded machine interrupts. */
static void test_save_in_mid_transmit(void **state)
{
	struct fake_machine *machine = *state;
	uint8_t *saved;
	struct wire in_wire;
	size_t size;

	open_port(machine, UART_IER_THRI);
	(void)in(machine, UART_IIR);
	out(machine, UART_TX, 'x');
	assert_true(machine->level[IRQ]);
	fake_save(uart16550_device(machine->uart), &saved, &size);
	fake_machine_destroy(machine);

	machine = fake_machine_create();
	*state = machine;
	assert_false(machine->level[IRQ]);
	wire_init_read(&in_wire, saved, size);
	assert_int_equal(uart16550_device(machine->uart)
			     ->ops->load(uart16550_device(machine->uart), 1, &in_wire),
	    0);
	assert_true(wire_done(&in_wire));
	assert_true(machine->level[IRQ]);
	assert_int_equal(in(machine, UART_IIR) & 0x0f, UART_IIR_THRI);
	assert_int_equal(machine->output_count, 0); /* it was sent before */
	free(saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_autoconfig, setup, teardown),
		cmocka_unit_test_setup_teardown(test_size_fifo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_transmit_interrupt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receive_interrupt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receive_queue_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modem_status, setup, teardown),
		cmocka_unit_test_setup_teardown(test_priorities_and_gate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_save_in_mid_transmit, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
