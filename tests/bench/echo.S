# A boot sector for the peer that has no desktop of its own: every key changes one character of the text screen.
# as --32 --defsym FILL_MIB=N, then objcopy -O binary: memory from 2 MiB on is filled with N MiB of pages that are not zero first.
# The hardware cursor is switched off, so that nothing else changes.
.ifndef FILL_MIB
.set FILL_MIB, 0
.endif
.code16
.globl _start
_start:
	cli
	xorw %ax, %ax
	movw %ax, %ss
	movw $0x7c00, %sp
	movw %ax, %ds
	# A data segment of 4 GiB, kept over the return to real mode.
	lgdt gdt_pointer
	movl %cr0, %eax
	orb $1, %al
	movl %eax, %cr0
	movw $8, %bx
	movw %bx, %ds
	andb $0xfe, %al
	movl %eax, %cr0
	xorw %bx, %bx
	movw %bx, %ds
	movl $0x200000, %edi
	movl $(FILL_MIB << 8), %ecx
	jecxz 2f
3:	movl %edi, (%edi)
	addl $4096, %edi
	decl %ecx
	jnz 3b
2:	sti
	movw $0x3d4, %dx
	movb $0x0a, %al
	outb %al, %dx
	incw %dx
	movb $0x20, %al
	outb %al, %dx
	movw $0xb800, %ax
	movw %ax, %es
	movb $0x1f, %es:1
1:	xorb %ah, %ah
	int $0x16
	incb %es:0
	jmp 1b
gdt:
	.quad 0
	.quad 0x00cf92000000ffff
gdt_pointer:
	.word 15
	.long gdt
.org 510
.word 0xaa55
