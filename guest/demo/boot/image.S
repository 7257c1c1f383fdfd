/* The kernel's file as bytes of the VMM; see guest/demo_image.h. */
	.section .rodata
	.balign 16
	.globl guest_demo_elf
	.type guest_demo_elf, @object
guest_demo_elf:
	.incbin "demo.elf"
guest_demo_elf_end:
	.size guest_demo_elf, guest_demo_elf_end - guest_demo_elf
	.balign 8
	.globl guest_demo_elf_size
	.type guest_demo_elf_size, @object
guest_demo_elf_size:
	.quad guest_demo_elf_end - guest_demo_elf
	.size guest_demo_elf_size, 8

	.section .note.GNU-stack, "", @progbits
