/*
 * Entry of the test guest, its way from CPL 0 to CPL 3, and the frames of its interrupt handlers. Entered as the Linux
 * 64-bit boot protocol says: RSI is the zero page, interrupts are off.
 */
	.section .text.start, "ax"
	.globl tiny_start
tiny_start:
	cli
	lea tiny_stack_top(%rip), %rsp
	mov %rsi, %rdi
	call tiny_setup

	/* To CPL 3: SS, RSP, RFLAGS (interrupts on), CS, RIP. */
	mov $0x2b, %eax
	mov %eax, %ds
	mov %eax, %es
	pushq $0x2b
	lea tiny_user_stack_top(%rip), %rax
	pushq %rax
	pushq $0x202
	pushq $0x33
	lea tiny_main(%rip), %rax
	pushq %rax
	iretq

	.macro handler name
	.globl \name\()_entry
\name\()_entry:
	push %rax
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	cld
	lea 72(%rsp), %rdi
	call \name
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rax
	iretq
	.endm

	.text
	handler tiny_on_uart
	handler tiny_on_timer
	handler tiny_on_call
	handler tiny_on_spurious

	/* An exception: tells its address and stops. */
	.globl tiny_on_exception_entry
tiny_on_exception_entry:
	mov %rsp, %rdi
	call tiny_on_exception
1:	hlt
	jmp 1b

	.bss
	.balign 16
	.skip 8192
tiny_stack_top:
	.skip 8192
	.globl tiny_interrupt_stack_top
tiny_interrupt_stack_top:
	.skip 16384
tiny_user_stack_top:
	.section .note.GNU-stack, "", @progbits
