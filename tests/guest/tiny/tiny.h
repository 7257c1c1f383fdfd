/* The test guest's hardware, as docs/MACHINE.md has it. Freestanding. */
#pragma once

#include <stdint.h>

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* What CPL 3 asks of CPL 0, in tiny_request. */
enum tiny_call {
	TINY_SLEEP = 1,        /* until an interrupt, at most tiny_sleep_cycles */
	TINY_TRIPLE_FAULT = 2, /* ends the processor */
	TINY_LOST = 3,         /* executes where there is no memory */
};

/* struct pvclock_vcpu_time_info: Documentation/virt/kvm/x86/msr.rst, MSR_KVM_SYSTEM_TIME_NEW. */
struct clock_page {
	uint32_t version;
	uint32_t pad;
	uint64_t tsc_timestamp;
	uint64_t system_time;
	uint32_t multiplier;
	int8_t shift;
	uint8_t flags;
	uint8_t pad2[2];
};

extern volatile uint32_t tiny_request;
extern volatile uint64_t tiny_sleep_cycles;
extern volatile uint64_t tiny_timer_ticks;
extern volatile struct clock_page tiny_clock_page;
extern const char *tiny_command_line;
extern volatile uint32_t *tiny_screen; /* framebuffer, NULL without */
extern uint32_t tiny_screen_stride;    /* pixels */

extern volatile uint32_t tiny_ap_count; /* the second processor counts here */
extern const uint8_t tiny_ap_start[], tiny_ap_end[];

void tiny_setup(const uint8_t *zero_page);
void tiny_main(void);
/* Puts a byte into the transmit queue, which interrupts empty; waits while it is full. CPL 3. */
void tiny_put(char byte);
