/*
 * The C side of boot/entry.S: what it leaves in memory, and the two things the program cannot do at
 * CPL 3.
 */
#pragma once

#include "boot/vectors.h"

#include <stdbool.h>
#include <stdint.h>

/* The TSC at the first instruction, and the zero page of the Linux boot protocol. */
extern uint64_t boot_tsc;
extern uint64_t boot_params_address;

/* Noted by interrupts, by vector; whoever handles one clears it. pending_any is set with any of
 * them. */
extern volatile uint8_t pending[VECTOR_COUNT];
extern volatile uint8_t pending_any;

/* Why machine_fault() runs: vector, instruction, and the last page fault's address. */
extern uint64_t fault_vector;
extern uint64_t fault_address;
extern uint64_t fault_memory;

/* Halts until an interrupt is noted; returns at once if one is. */
static inline void gate_halt(void)
{
	uint32_t result = GATE_HALT;

	__asm__ volatile("ud2" : "+a"(result) : : "memory", "cc");
}

/* Writes a model-specific register; false if the machine refuses it. */
static inline bool gate_write_msr(uint32_t msr, uint64_t value)
{
	uint32_t result = GATE_WRMSR;

	__asm__ volatile("ud2" : "+a"(result) : "D"((uint64_t)msr), "S"(value) : "memory", "cc");
	return result == 0;
}
