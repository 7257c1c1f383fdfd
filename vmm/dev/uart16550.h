/*
 * A 16550A UART (National Semiconductor PC16550D data sheet): FIFOs, interrupt identification, modem status, loopback.
 * Bytes sent leave at once; there is no baud rate. All calls with the machine's lock held.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vmm/device.h"

struct uart16550;

/* Answers at eight ports from `port`, interrupts on GSI `gsi`. `transmit` gets each byte sent; it may be NULL. */
must_check int uart16550_create(struct device_environment *environment, uint16_t port, unsigned gsi,
    void (*transmit)(void *context, uint8_t byte), void *context, struct uart16550 **uart);
struct device *uart16550_device(struct uart16550 *uart);
/* `room`, with the context of `transmit`: after uart16550_receive() refused bytes it would take some now. */
void uart16550_set_room(struct uart16550 *uart, void (*room)(void *context));
/* Bytes for the guest to read; what does not fit into the receive queue is not taken. Returns how many were. */
size_t uart16550_receive(struct uart16550 *uart, const void *bytes, size_t size);
