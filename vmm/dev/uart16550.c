/*
 * 16550A UART. Register names and bits as in the PC16550D data sheet, section 8, and linux/serial_reg.h. What must stay
 * true: the interrupt line is a function of the saved state alone (THRE's "not yet told" bit included), so a machine that
 * is saved between a write and its interrupt gets the interrupt after it is loaded.
 */
#include "vmm/dev/uart16550.h"

#include <errno.h>
#include <linux/serial_reg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	PORT_COUNT = 8,
	FIFO_SIZE = 16,
	QUEUE_SIZE =
	    4096, /* beyond the FIFO: what the host side has sent and the guest not yet read */
	IER_WRITABLE = UART_IER_MSI | UART_IER_RLSI | UART_IER_THRI | UART_IER_RDI,
	MCR_WRITABLE = UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_OUT1 | UART_MCR_RTS | UART_MCR_DTR,
	FCR_STORED = UART_FCR_ENABLE_FIFO | UART_FCR_DMA_SELECT | UART_FCR_TRIGGER_MASK,
	MSR_LINES = UART_MSR_CTS | UART_MSR_DSR | UART_MSR_RI | UART_MSR_DCD,
	/* A peer that is always there. */
	MSR_CONNECTED = UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD,
	IIR_FIFOS = 0xc0,
};

struct uart16550 {
	struct device device;
	struct device_environment *environment;
	uint16_t port;
	unsigned gsi;
	void (*transmit)(void *context, uint8_t byte);
	void (*room)(void *context);
	void *context;
	bool refused; /* input, which `room` is to be told of; of the host's side, so not saved */

	uint8_t ier, fcr, lcr, mcr, msr, scratch;
	uint16_t divisor;
	bool overrun;      /* LSR bit 1 */
	bool thre_pending; /* the transmitter ran empty and the guest was not told yet */
	/* A ring: the first FIFO_SIZE (or one) bytes are the receive FIFO, the rest waits for room in it. */
	uint8_t queue[QUEUE_SIZE];
	uint32_t head, count;
};

static bool fifo_enabled(const struct uart16550 *uart)
{
	return uart->fcr & UART_FCR_ENABLE_FIFO;
}

static uint32_t trigger_level(const struct uart16550 *uart)
{
	static const uint8_t levels[] = { 1, 4, 8, 14 };

	return fifo_enabled(uart) ? levels[uart->fcr >> 6] : 1;
}

/* Section 8.6.1, table IV: the pending interrupt of the highest priority, or UART_IIR_NO_INT. */
static uint8_t pending_interrupt(const struct uart16550 *uart)
{
	if ((uart->ier & UART_IER_RLSI) && uart->overrun) {
		return UART_IIR_RLSI;
	}
	if ((uart->ier & UART_IER_RDI) && uart->count > 0) {
		return uart->count >= trigger_level(uart) ? UART_IIR_RDI : UART_IIR_RX_TIMEOUT;
	}
	if ((uart->ier & UART_IER_THRI) && uart->thre_pending) {
		return UART_IIR_THRI;
	}
	if ((uart->ier & UART_IER_MSI) && (uart->msr & UART_MSR_ANY_DELTA)) {
		return UART_IIR_MSI;
	}
	return UART_IIR_NO_INT;
}

static void update_interrupt(struct uart16550 *uart)
{
	/* OUT2 gates the line on a PC, unless the modem pins are looped back. */
	bool gate = (uart->mcr & UART_MCR_OUT2) && !(uart->mcr & UART_MCR_LOOP);

	irq_set_line(
	    uart->environment->irq, uart->gsi, gate && pending_interrupt(uart) != UART_IIR_NO_INT);
}

/* The modem lines as they are: the peer's, or our own outputs when looped back (section 8.7). */
static uint8_t modem_lines(const struct uart16550 *uart)
{
	uint8_t lines = 0;

	if (!(uart->mcr & UART_MCR_LOOP)) {
		return MSR_CONNECTED;
	}
	lines |= uart->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0;
	lines |= uart->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0;
	lines |= uart->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0;
	lines |= uart->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0;
	return lines;
}

static void update_modem_status(struct uart16550 *uart)
{
	uint8_t lines = modem_lines(uart);
	uint8_t changed = (uint8_t)((uart->msr ^ lines) & MSR_LINES);
	uint8_t delta = (uint8_t)(changed >> 4);

	/* The ring indicator tells of its trailing edge only. */
	if ((changed & UART_MSR_RI) && (lines & UART_MSR_RI)) {
		delta &= (uint8_t)~UART_MSR_TERI;
	}
	uart->msr = (uint8_t)((uart->msr & UART_MSR_ANY_DELTA) | delta | lines);
}

static bool enqueue(struct uart16550 *uart, uint8_t byte)
{
	if (uart->count == QUEUE_SIZE) {
		return false;
	}
	uart->queue[(uart->head + uart->count) % QUEUE_SIZE] = byte;
	uart->count++;
	return true;
}

size_t uart16550_receive(struct uart16550 *uart, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	size_t taken = 0;

	if (uart->mcr & UART_MCR_LOOP) {
		uart->refused = size > 0;
		return 0;
	}
	while (taken < size && enqueue(uart, from[taken])) {
		taken++;
	}
	uart->refused = taken < size;
	update_interrupt(uart);
	return taken;
}

void uart16550_set_room(struct uart16550 *uart, void (*room)(void *context))
{
	uart->room = room;
}

/* After whatever may have made room. */
static void tell_room(struct uart16550 *uart)
{
	if (uart->refused && !(uart->mcr & UART_MCR_LOOP) && uart->count < QUEUE_SIZE) {
		uart->refused = false;
		if (uart->room) {
			uart->room(uart->context);
		}
	}
}

static void transmit(struct uart16550 *uart, uint8_t byte)
{
	if (uart->mcr & UART_MCR_LOOP) {
		/* The wire back has no patience: a full FIFO loses the byte. */
		if (uart->count >= (fifo_enabled(uart) ? FIFO_SIZE : 1)) {
			uart->overrun = true;
		} else {
			(void)enqueue(uart, byte);
		}
	} else if (uart->transmit) {
		uart->transmit(uart->context, byte);
	}
	uart->thre_pending = true;
}

static uint8_t read_register(struct uart16550 *uart, unsigned offset)
{
	bool divisor = uart->lcr & UART_LCR_DLAB;
	uint8_t value;

	switch (offset) {
	case UART_RX:
		if (divisor) {
			return (uint8_t)uart->divisor;
		}
		if (uart->count == 0) {
			return 0;
		}
		value = uart->queue[uart->head];
		uart->head = (uart->head + 1) % QUEUE_SIZE;
		uart->count--;
		return value;
	case UART_IER:
		return divisor ? (uint8_t)(uart->divisor >> 8) : uart->ier;
	case UART_IIR:
		value = pending_interrupt(uart);
		if (value == UART_IIR_THRI) {
			uart->thre_pending = false;
		}
		return (uint8_t)(value | (fifo_enabled(uart) ? IIR_FIFOS : 0));
	case UART_LCR:
		return uart->lcr;
	case UART_MCR:
		return uart->mcr;
	case UART_LSR:
		value = UART_LSR_THRE | UART_LSR_TEMT;
		value |= uart->count > 0 ? UART_LSR_DR : 0;
		value |= uart->overrun ? UART_LSR_OE : 0;
		uart->overrun = false;
		return value;
	case UART_MSR:
		value = uart->msr;
		uart->msr &= (uint8_t)~UART_MSR_ANY_DELTA;
		return value;
	default:
		return uart->scratch;
	}
}

static void write_fifo_control(struct uart16550 *uart, uint8_t value)
{
	/* Switching the FIFOs on or off empties them, too (section 8.5). */
	if (((uart->fcr ^ value) & UART_FCR_ENABLE_FIFO) || (value & UART_FCR_CLEAR_RCVR)) {
		uart->head = 0;
		uart->count = 0;
	}
	if (((uart->fcr ^ value) & UART_FCR_ENABLE_FIFO) || (value & UART_FCR_CLEAR_XMIT)) {
		uart->thre_pending = true;
	}
	uart->fcr = value & UART_FCR_ENABLE_FIFO ? value & FCR_STORED : 0;
}

static void write_register(struct uart16550 *uart, unsigned offset, uint8_t value)
{
	bool divisor = uart->lcr & UART_LCR_DLAB;

	switch (offset) {
	case UART_TX:
		if (divisor) {
			uart->divisor = (uint16_t)((uart->divisor & 0xff00) | value);
		} else {
			transmit(uart, value);
		}
		break;
	case UART_IER:
		if (divisor) {
			uart->divisor = (uint16_t)((uart->divisor & 0x00ff) | value << 8);
			break;
		}
		/* Enabling it tells at once that the transmitter is empty, which it always is. */
		if ((value & UART_IER_THRI) && !(uart->ier & UART_IER_THRI)) {
			uart->thre_pending = true;
		}
		uart->ier = value & IER_WRITABLE;
		break;
	case UART_FCR:
		write_fifo_control(uart, value);
		break;
	case UART_LCR:
		uart->lcr = value;
		break;
	case UART_MCR:
		uart->mcr = value & MCR_WRITABLE;
		update_modem_status(uart);
		break;
	case UART_SCR:
		uart->scratch = value;
		break;
	default:
		break; /* line and modem status are for reading */
	}
}

static uint64_t port_read(void *context, uint64_t offset, unsigned size)
{
	struct uart16550 *uart = context;
	uint64_t value;

	if (size != 1) {
		return UINT64_MAX;
	}
	value = read_register(uart, (unsigned)offset);
	update_interrupt(uart);
	tell_room(uart);
	return value;
}

static void port_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct uart16550 *uart = context;

	if (size != 1) {
		return;
	}
	write_register(uart, (unsigned)offset, (uint8_t)value);
	update_interrupt(uart);
	tell_room(uart);
}

static const struct bus_ops port_ops = { .read = port_read, .write = port_write };

static void uart_reset(struct device *device)
{
	struct uart16550 *uart = (struct uart16550 *)device;

	uart->ier = 0;
	uart->fcr = 0;
	uart->lcr = 0;
	uart->mcr = 0;
	uart->msr = MSR_CONNECTED;
	uart->scratch = 0;
	uart->divisor = 12; /* 9600 baud */
	uart->overrun = false;
	uart->thre_pending = false;
	uart->head = 0;
	uart->count = 0;
	update_interrupt(uart);
	tell_room(uart);
}

static int uart_save(const struct device *device, struct wire *out)
{
	const struct uart16550 *uart = (const struct uart16550 *)device;

	wire_put_u8(out, uart->ier);
	wire_put_u8(out, uart->fcr);
	wire_put_u8(out, uart->lcr);
	wire_put_u8(out, uart->mcr);
	wire_put_u8(out, uart->msr);
	wire_put_u8(out, uart->scratch);
	wire_put_u16(out, uart->divisor);
	wire_put_bool(out, uart->overrun);
	wire_put_bool(out, uart->thre_pending);
	wire_put_u32(out, uart->count);
	for (uint32_t i = 0; i < uart->count; i++) {
		wire_put_u8(out, uart->queue[(uart->head + i) % QUEUE_SIZE]);
	}
	return wire_ok(out) ? 0 : -EMSGSIZE;
}

static int uart_load(struct device *device, uint32_t version, struct wire *in)
{
	struct uart16550 *uart = (struct uart16550 *)device;

	(void)version;
	uart->ier = wire_get_u8(in);
	uart->fcr = wire_get_u8(in);
	uart->lcr = wire_get_u8(in);
	uart->mcr = wire_get_u8(in);
	uart->msr = wire_get_u8(in);
	uart->scratch = wire_get_u8(in);
	uart->divisor = wire_get_u16(in);
	uart->overrun = wire_get_bool(in);
	uart->thre_pending = wire_get_bool(in);
	uart->head = 0;
	uart->count = wire_get_u32(in);
	if (uart->count > QUEUE_SIZE) {
		uart->count = 0;
		return -EPROTO;
	}
	wire_get_bytes(in, uart->queue, uart->count);
	if (!wire_ok(in) || (uart->ier & ~IER_WRITABLE) != 0 || (uart->mcr & ~MCR_WRITABLE) != 0 ||
	    (uart->fcr & ~FCR_STORED) != 0 || (uart->fcr != 0 && !fifo_enabled(uart)) ||
	    (uart->msr & MSR_LINES) != modem_lines(uart)) {
		return -EPROTO;
	}
	update_interrupt(uart);
	return 0;
}

static void uart_destroy(struct device *device)
{
	struct uart16550 *uart = (struct uart16550 *)device;

	bus_remove(uart->environment->bus, BUS_PORTS, uart->port);
	free(uart);
}

static const struct device_ops uart_ops = {
	.name = "uart16550",
	.version = 1,
	.reset = uart_reset,
	.save = uart_save,
	.load = uart_load,
	.destroy = uart_destroy,
};

int uart16550_create(struct device_environment *environment, uint16_t port, unsigned gsi,
    void (*transmit_byte)(void *context, uint8_t byte), void *context, struct uart16550 **uart)
{
	struct uart16550 *created = calloc(1, sizeof(*created));
	int error;

	if (!created) {
		return -ENOMEM;
	}
	created->device.ops = &uart_ops;
	created->environment = environment;
	created->port = port;
	created->gsi = gsi;
	created->transmit = transmit_byte;
	created->context = context;
	error = bus_add(environment->bus, BUS_PORTS, port, PORT_COUNT, &port_ops, created);
	if (error < 0) {
		free(created);
		return error;
	}
	uart_reset(&created->device);
	*uart = created;
	return 0;
}

struct device *uart16550_device(struct uart16550 *uart)
{
	return &uart->device;
}
