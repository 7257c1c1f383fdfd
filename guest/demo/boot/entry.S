/*
 * From the Linux 64-bit boot protocol to a C program at CPL 3, and the few instructions that stay at CPL 0: interrupt
 * entry, and the gate through which the program halts and writes model-specific registers.
 *
 * The program runs at CPL 3, with a TSS that lets it use all I/O ports and page tables that let it use all memory. It
 * runs with interrupts off; they are taken only while it halts in the gate. So nothing here needs locks, and what runs
 * at CPL 0 is a few dozen instructions.
 *
 * What must stay true: general registers only at CPL 0; an interrupt leaves the gate at most once; the vectors are what
 * boot/vectors.h says.
 */
#include "boot/vectors.h"

	.section .text.entry, "ax"
	.code64
	.globl _start
_start:
	cli
	cld
	/* RDTSC, before anything else, is when the machine started. */
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	mov %rax, boot_tsc(%rip)
	mov %rsi, boot_params_address(%rip)
	lea kernel_stack_top(%rip), %rsp

	/* Our own page tables, which the program may use. */
	lea page_map(%rip), %rax
	mov %rax, %cr3
	/* SSE for the program: OSFXSR and OSXMMEXCPT on; EM off, MP on. */
	mov %cr4, %rax
	or $0x600, %eax
	mov %rax, %cr4
	mov %cr0, %rax
	and $~0xc, %eax
	or $2, %eax
	mov %rax, %cr0

	/* The TSS descriptor's base is in pieces. */
	lea task_state(%rip), %rax
	mov %ax, gdt_task + 2(%rip)
	shr $16, %rax
	mov %al, gdt_task + 4(%rip)
	mov %ah, gdt_task + 7(%rip)
	lgdt gdt_pointer(%rip)
	mov $GDT_KERNEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	mov $GDT_TASK, %eax
	ltr %ax
	call build_idt
	lidt idt_pointer(%rip)

	/* The program begins with an IRETQ to CPL 3, interrupts off. */
	pushq $GDT_USER_DATA
	lea user_stack_top(%rip), %rax
	sub $8, %rax
	push %rax
	pushq $2
	pushq $GDT_USER_CODE
	lea machine_main(%rip), %rax
	push %rax
	xor %eax, %eax
	xor %ebx, %ebx
	xor %ebp, %ebp
	iretq

	.text
/* Fills in the IDT: every vector enters through its stub, 16 bytes apart. */
build_idt:
	lea stubs(%rip), %rax
	lea idt(%rip), %rdi
	mov $VECTOR_COUNT, %ecx
1:	mov %ax, (%rdi)
	movw $GDT_KERNEL_CODE, 2(%rdi)
	movw $0x8e00, 4(%rdi)
	mov %rax, %rdx
	shr $16, %rdx
	mov %dx, 6(%rdi)
	add $16, %rax
	add $16, %rdi
	dec %ecx
	jnz 1b
	ret

/* One stub for each vector. The first 32 are exceptions, of which some come with an error code. */
	.align 16
stubs:
	.set vector, 0
	.rept VECTOR_COUNT
	.align 16
	.if vector < 32
	.if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21)
	.else
	pushq $0
	.endif
	pushq $vector
	jmp exception
	.else
	push %rax
	mov $vector, %eax
	jmp interrupt
	.endif
	.set vector, vector + 1
	.endr

/*
 * An interrupt: it is noted by its stub; whoever was interrupted goes on with interrupts off. If that was the gate just
 * before its HLT, it must not halt any more.
 */
	.align 16
interrupt:
	movb $1, pending(%rax)
	movb $1, pending_any(%rip)
	lea gate_hlt(%rip), %rax
	cmp %rax, 8(%rsp)
	jne 1f
	incq 8(%rsp)
1:	andq $~0x200, 24(%rsp)
	pop %rax
	iretq

/*
 * The gate, UD2 with GATE_x in EAX, which is the answer too:
 *   GATE_HALT   halts until an interrupt came; not at all if one is noted already. Answers 0.
 *   GATE_WRMSR  writes RSI to the MSR in EDI. Answers 0, or 1 if the machine refuses.
 * It is entered with interrupts off, so that nothing can come between the look at pending_any and the HLT. On entry
 * the stack has vector and error code above the frame.
 */
	.align 16
gate_halt_entry:
	add $16, %rsp
	addq $2, (%rsp)
	cmpb $0, pending_any(%rip)
	jne 1f
	sti
gate_hlt:
	hlt
	cli
1:	xor %eax, %eax
	iretq
gate_wrmsr_entry:
	add $16, %rsp
	addq $2, (%rsp)
	push %rcx
	push %rdx
	mov %edi, %ecx
	mov %esi, %eax
	mov %rsi, %rdx
	shr $32, %rdx
gate_wrmsr_try:
	wrmsr
	xor %eax, %eax
gate_wrmsr_done:
	pop %rdx
	pop %rcx
	iretq
gate_wrmsr_refused:
	mov $1, %eax
	jmp gate_wrmsr_done

/* An exception: the refused WRMSR goes on; anything else is reported by the program's own code, at CPL 3. */
	.align 16
exception:
	cmpq $VECTOR_UNDEFINED, (%rsp)
	jne 1f
	cmp $GATE_HALT, %eax
	je gate_halt_entry
	cmp $GATE_WRMSR, %eax
	je gate_wrmsr_entry
1:	push %rax
	lea gate_wrmsr_try(%rip), %rax
	cmp %rax, 24(%rsp)
	jne 1f
	lea gate_wrmsr_refused(%rip), %rax
	mov %rax, 24(%rsp)
	pop %rax
	add $16, %rsp
	iretq
1:	mov 8(%rsp), %rax	/* vector */
	mov %rax, fault_vector(%rip)
	mov 24(%rsp), %rax	/* where */
	mov %rax, fault_address(%rip)
	mov %cr2, %rax
	mov %rax, fault_memory(%rip)
	/* A stack of its own, since a bad stack may be the reason. */
	lea kernel_stack_top(%rip), %rsp
	pushq $GDT_USER_DATA
	lea user_stack_top(%rip), %rax
	sub $8, %rax
	push %rax
	pushq $2
	pushq $GDT_USER_CODE
	lea machine_fault(%rip), %rax
	push %rax
	iretq

	.data
	.align 16
gdt:
	.quad 0
	.quad 0			/* 0x08 unused: the boot protocol's code segment is 0x10 */
	.quad 0x00af9b000000ffff	/* 0x10 CPL 0 code */
	.quad 0x00cf93000000ffff	/* 0x18 CPL 0 data */
	.quad 0x00cff3000000ffff	/* 0x20 CPL 3 data */
	.quad 0x00affb000000ffff	/* 0x28 CPL 3 code */
gdt_task:
	.quad 0x0000890000000000 | (task_state_end - task_state - 1)
	.quad 0
gdt_end:
gdt_pointer:
	.word gdt_end - gdt - 1
	.quad gdt
idt_pointer:
	.word VECTOR_COUNT * 16 - 1
	.quad idt

/* The task state: the stack for CPL 0, and an I/O permission bitmap that permits every port. */
	.align 16
task_state:
	.long 0
	.quad kernel_stack_top	/* RSP0 */
	.quad 0, 0
	.quad 0
	.quad kernel_stack_top, 0, 0, 0, 0, 0, 0
	.quad 0
	.word 0
	.word task_ports - task_state
task_ports:
	.fill 8192, 1, 0
	.byte 0xff
task_state_end:

/* Page tables: the first 4 GiB in pages of 2 MiB, present, writable, user, accessed and dirty. */
	.align 4096
page_map:
	.quad page_pointers + 0x67
	.fill 511, 8, 0
page_pointers:
	.quad page_tables + 0x0067
	.quad page_tables + 0x1067
	.quad page_tables + 0x2067
	.quad page_tables + 0x3067
	.fill 508, 8, 0
page_tables:
	.set page, 0
	.rept 2048
	.quad page * 0x200000 + 0xe7
	.set page, page + 1
	.endr

/* What the C side reads. Not in .bss, because that is cleared by C. */
	.globl boot_tsc, boot_params_address, pending, pending_any, fault_vector, fault_address, fault_memory
	.align 8
boot_tsc:
	.quad 0
boot_params_address:
	.quad 0
fault_vector:
	.quad 0
fault_address:
	.quad 0
fault_memory:
	.quad 0
pending:
	.fill VECTOR_COUNT, 1, 0
pending_any:
	.byte 0
	.align 16
idt:
	.fill VECTOR_COUNT * 16, 1, 0
kernel_stack:
	.fill 4096, 1, 0
kernel_stack_top:

	.section .stack, "aw", @nobits
	.align 4096
	.skip 131072
user_stack_top:

	.section .note.GNU-stack, "", @progbits
