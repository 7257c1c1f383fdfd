# A boot sector for the peer that has no desktop of its own: every key changes one character of the text screen.
# as --32, then objcopy -O binary. The hardware cursor is switched off, so that nothing else changes.
.code16
.globl _start
_start:
	cli
	xorw %ax, %ax
	movw %ax, %ss
	movw $0x7c00, %sp
	movw %ax, %ds
	sti
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
.org 510
.word 0xaa55
