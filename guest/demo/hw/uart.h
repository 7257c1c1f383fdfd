/*
 * The serial port, COM1 at 115200 8N1, output only. What is written is gathered, and sent when
 * there is time for it, so that a line on the serial port never stands between a key and its pixel.
 */
#pragma once

#include <stddef.h>

#define UART_BUFFER 8192

struct uart {
	char buffer[UART_BUFFER];
	size_t count;
};

/* Sets the line parameters. */
void uart_init(struct uart *uart);

/* Gathers bytes ('\n' becomes CR LF); sends what is there first if they do not fit. */
void uart_write(struct uart *uart, const char *text, size_t size);

/* Sends all that was gathered, polling. A port that does not take bytes is given up on. */
void uart_flush(struct uart *uart);
