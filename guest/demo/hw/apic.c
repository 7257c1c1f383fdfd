/* Local APIC and IOAPIC through memory-mapped registers; see apic.h. */
#include "hw/apic.h"

#include "boot/vectors.h"
#include "hw/io.h"

#define LOCAL            0xfee00000u
#define LOCAL_TPR        (LOCAL + 0x80)
#define LOCAL_EOI        (LOCAL + 0xb0)
#define LOCAL_SVR        (LOCAL + 0xf0)
#define LOCAL_LVT_TIMER  (LOCAL + 0x320)
#define LOCAL_LVT_LINT0  (LOCAL + 0x350)
#define LOCAL_TIMER_INIT (LOCAL + 0x380)
#define LOCAL_TIMER_NOW  (LOCAL + 0x390)
#define LOCAL_TIMER_DIV  (LOCAL + 0x3e0)
#define LVT_MASKED       0x10000u
#define DIVIDE_64        0x9u

#define IO_INDEX         0xfec00000u
#define IO_DATA          0xfec00010u
#define IO_REDIRECT(n)   (0x10u + 2u * (n))
#define IO_PINS          24
#define REDIRECT_MASKED  0x10000u
#define REDIRECT_LEVEL   0x8000u

static void io_apic_write(uint32_t index, uint32_t value)
{
	mmio_write32(IO_INDEX, index);
	mmio_write32(IO_DATA, value);
}

void apic_init(struct apic *apic, struct clock *clock)
{
	uint64_t start;
	uint64_t now;

	io_write8(0x21, 0xff);
	io_write8(0xa1, 0xff);
	mmio_write32(LOCAL_SVR, 0x100 | VECTOR_SPURIOUS);
	mmio_write32(LOCAL_TPR, 0);
	mmio_write32(LOCAL_LVT_LINT0, LVT_MASKED);
	mmio_write32(LOCAL_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	mmio_write32(LOCAL_TIMER_DIV, DIVIDE_64);
	for (uint32_t pin = 0; pin < IO_PINS; pin++) {
		io_apic_write(IO_REDIRECT(pin), REDIRECT_MASKED);
	}
	start = clock_now_ns(clock);
	mmio_write32(LOCAL_TIMER_INIT, 0xffffffffu);
	do {
		now = clock_now_ns(clock);
	} while (now - start < 1000000);
	apic->ticks_per_ms = (uint64_t)(0xffffffffu - mmio_read32(LOCAL_TIMER_NOW)) * 1000000 /
			     (now - start);
	if (apic->ticks_per_ms == 0) {
		apic->ticks_per_ms = 1;
	}
	mmio_write32(LOCAL_TIMER_INIT, 0);
	mmio_write32(LOCAL_LVT_TIMER, VECTOR_TIMER);
	apic->armed = false;
}

void apic_route(uint8_t irq, bool level)
{
	io_apic_write(IO_REDIRECT(irq) + 1, 0);
	io_apic_write(
	    IO_REDIRECT(irq), (level ? REDIRECT_LEVEL : 0) | (uint32_t)(VECTOR_ISA + irq));
}

void apic_end_interrupt(void)
{
	mmio_write32(LOCAL_EOI, 0);
}

void apic_set_timer(struct apic *apic, uint64_t ms)
{
	uint64_t most = 0xffffffffu / apic->ticks_per_ms;

	if (ms == UINT64_MAX) {
		if (apic->armed) {
			mmio_write32(LOCAL_TIMER_INIT, 0);
			apic->armed = false;
		}
		return;
	}
	ms = ms < 1 ? 1 : ms > most ? most : ms;
	mmio_write32(LOCAL_TIMER_INIT, (uint32_t)(ms * apic->ticks_per_ms));
	apic->armed = true;
}
