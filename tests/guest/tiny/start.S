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

/*
 * Where a second processor begins, in real mode, once this has been copied to 0x8000 (the vector 8 of its SIPI): straight
 * to long mode with the tables that the first one made. Then it counts.
 */
	.globl tiny_ap_start
	.globl tiny_ap_end
	.code16
tiny_ap_start:
	cli
	xor %ax, %ax
	mov %ax, %ds
	mov $0x20, %eax
	mov %eax, %cr4
	mov $tiny_page_tables, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	xor %edx, %edx
	mov $0x100, %eax
	wrmsr
	lgdtl 0x8000 + (tiny_ap_gdt - tiny_ap_start)
	mov $0x80000011, %eax
	mov %eax, %cr0
	ljmpl $0x10, $tiny_ap_long
	.balign 4
tiny_ap_gdt:
	.word 79
	.long tiny_gdt
tiny_ap_end:
	.code64
tiny_ap_long:
	lock incl tiny_ap_count(%rip)
	pause
	jmp tiny_ap_long

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
