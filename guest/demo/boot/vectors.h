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

/* 0x20.. are ISA interrupts by number, then the timer, then MSI-X of the input devices, then the
 * gate. */
#define VECTOR_ISA       0x20
#define VECTOR_TIMER     0x30
#define VECTOR_MSI       0x31 /* and the next VECTOR_MSI_COUNT - 1 */
#define VECTOR_MSI_COUNT 4
#define VECTOR_SPURIOUS  0x3f
#define VECTOR_GATE      0x40
#define VECTOR_COUNT     0x41

#define GATE_HALT        0
#define GATE_WRMSR       1
