/*
 * Numbers that the assembly and the C of the kernel share: segment selectors, interrupt vectors,
 * gate functions. Only preprocessor lines, because the assembler reads it too.
 */
#pragma once

#define GDT_KERNEL_CODE 0x10
#define GDT_KERNEL_DATA 0x18
#define GDT_USER_DATA   0x23
#define GDT_USER_CODE   0x2b
#define GDT_TASK        0x30

/* Exceptions first; 0x20.. are ISA interrupts by number, then the timer, then MSI-X of the input
 * devices. */
#define VECTOR_UNDEFINED 0x06 /* the gate, see boot/gate.h */
#define VECTOR_ISA       0x20
#define VECTOR_TIMER     0x30
#define VECTOR_MSI       0x31 /* and the next VECTOR_MSI_COUNT - 1 */
#define VECTOR_MSI_COUNT 4
#define VECTOR_SPURIOUS  0x3f
#define VECTOR_COUNT     0x40

/* What the gate is asked for in EAX; odd numbers, so that no stray UD2 is taken for a call. */
#define GATE_HALT  0x54544d01
#define GATE_WRMSR 0x54544d02
