/* Pictures of a guest's screen as PNG files. */
#include <errno.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/vmm_harness.h"

int vmm_harness_screenshot(struct vmm_harness *vmm, const char *path)
{
	png_image image = { .version = PNG_IMAGE_VERSION, .format = PNG_FORMAT_BGRA };
	uint8_t *pixels;
	int error = vmm_harness_picture(vmm, &pixels, &image.width, &image.height);

	if (error) {
		return error;
	}
	for (size_t i = 3; i < (size_t)image.width * image.height * 4; i += 4) {
		pixels[i] = 0xff;
	}
	if (!png_image_write_to_file(&image, path, 0, pixels, 0, NULL)) {
		fprintf(stderr, "%s: %s\n", path, image.message);
		error = -EIO;
	}
	free(pixels);
	return error;
}
