/* See images.h. Offsets are those of the ELF-64 object file format and of Documentation/arch/x86/boot.rst. */
#include "images.h"

#include <string.h>

void image_put(uint8_t *image, size_t offset, uint64_t value, unsigned size)
{
	memcpy(image + offset, &value, size);
}

size_t image_make_elf(uint8_t image[IMAGE_MAX])
{
	memset(image, 0, IMAGE_MAX);
	memcpy(image, "\177ELF\2\1\1", 7);
	image_put(image, 16, 2, 2);  /* ET_EXEC */
	image_put(image, 18, 62, 2); /* EM_X86_64 */
	image_put(image, 20, 1, 4);
	image_put(image, 24, IMAGE_ELF_ADDRESS + 16, 8); /* e_entry */
	image_put(image, 32, 64, 8);                     /* e_phoff */
	image_put(image, 52, 64, 2);
	image_put(image, 54, 56, 2);                      /* e_phentsize */
	image_put(image, 56, 1, 2);                       /* e_phnum */
	image_put(image, 64, 1, 4);                       /* PT_LOAD */
	image_put(image, 64 + 8, 0x1000, 8);              /* p_offset */
	image_put(image, 64 + 16, 0xffffffff80200000, 8); /* p_vaddr */
	image_put(image, 64 + 24, IMAGE_ELF_ADDRESS, 8);  /* p_paddr */
	image_put(image, 64 + 32, 64, 8);                 /* p_filesz */
	image_put(image, 64 + 40, 8192, 8);               /* p_memsz */
	memset(image + 0x1000, 0x90, 64);
	return IMAGE_ELF_SIZE;
}

size_t image_make_bzimage(uint8_t image[IMAGE_MAX])
{
	memset(image, 0, IMAGE_MAX);
	image_put(image, 0x1f1, 4, 1); /* setup_sects */
	image_put(image, 0x1fe, 0xaa55, 2);
	image_put(image, 0x200, 0x66eb, 2); /* jump over the header: it ends at 0x202 + 0x66 */
	memcpy(image + 0x202, "HdrS", 4);
	image_put(image, 0x206, 0x020f, 2);
	image_put(image, 0x211, 1, 1); /* LOADED_HIGH */
	image_put(image, 0x214, 0x100000, 4);
	image_put(image, 0x22c, 0x7fffffff, 4);
	image_put(image, 0x230, 0x200000, 4);
	image_put(image, 0x234, 1, 1); /* relocatable */
	image_put(image, 0x236, 1, 2); /* XLF_KERNEL_64 */
	image_put(image, 0x238, 2047, 4);
	image_put(image, 0x258, IMAGE_BZIMAGE_ADDRESS, 8);
	image_put(image, 0x260, IMAGE_BZIMAGE_INIT, 4);
	memset(image + 5 * 512, 0x90, 1024);
	return IMAGE_BZIMAGE_SIZE;
}
