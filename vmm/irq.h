/*
 * Interrupts into the in-kernel controllers: GSI lines (KVM_IRQ_LINE) and messages (KVM_SIGNAL_MSI). Behind operations,
 * so that a unit test sees what a device raised. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct irq_ops {
	void (*set_line)(void *context, unsigned gsi, bool level);
	void (*send_msi)(void *context, uint64_t address, uint32_t data);
};

struct irq {
	const struct irq_ops *ops;
	void *context;
};

static inline void irq_set_line(const struct irq *irq, unsigned gsi, bool level)
{
	irq->ops->set_line(irq->context, gsi, level);
}

static inline void irq_send_msi(const struct irq *irq, uint64_t address, uint32_t data)
{
	irq->ops->send_msi(irq->context, address, data);
}
