/*
 * The built-in desktop: an ELF64 kernel for the Linux 64-bit boot protocol, linked at 1 MiB, as
 * bytes in read-only memory. The library tanmatsu_guest has them.
 */
#pragma once

/* The file's bytes, 16-byte aligned, and how many there are. */
extern const unsigned char guest_demo_elf[];
extern const unsigned long guest_demo_elf_size;
