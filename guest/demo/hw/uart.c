/* 16550A output by polling; see uart.h. The 16 byte FIFO saves most of the polls. */
#include "hw/uart.h"

#include "hw/io.h"

#define COM1     0x3f8
#define FIFO     16
#define PATIENCE 100000

void uart_init(struct uart *uart)
{
	uart->count = 0;
	io_write8(COM1 + 1, 0x00); /* no interrupts */
	io_write8(COM1 + 3, 0x80); /* divisor latch */
	io_write8(COM1 + 0, 0x01); /* 115200 */
	io_write8(COM1 + 1, 0x00);
	io_write8(COM1 + 3, 0x03); /* 8N1 */
	io_write8(COM1 + 2, 0x07); /* FIFO on and empty */
	io_write8(COM1 + 4, 0x03); /* DTR, RTS */
}

void uart_flush(struct uart *uart)
{
	for (size_t at = 0; at < uart->count;) {
		int patience = PATIENCE;
		size_t count;

		while (!(io_read8(COM1 + 5) & 0x20) && --patience > 0) {
		}
		if (patience == 0) {
			break;
		}
		count = uart->count - at < FIFO ? uart->count - at : FIFO;
		io_write_string(COM1, uart->buffer + at, count);
		at += count;
	}
	uart->count = 0;
}

void uart_write(struct uart *uart, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (uart->count + 2 > UART_BUFFER) {
			uart_flush(uart);
		}
		if (text[i] == '\n') {
			uart->buffer[uart->count++] = '\r';
		}
		uart->buffer[uart->count++] = text[i];
	}
}
