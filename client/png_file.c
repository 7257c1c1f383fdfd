/* See png_file.h. libpng leaves by longjmp; what must survive that is volatile or lives in the caller's frame. */
#include "client/png_file.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>

struct writer {
	png_structp png;
	png_infop info;
	uint8_t *line; /* the row as RGB */
};

static void on_png_error(png_structp png, png_const_charp message)
{
	(void)message;
	png_longjmp(png, 1);
}

static void on_png_warning(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message;
}

static int write_rows(struct writer *writer, FILE *file, uint32_t width, uint32_t height,
    png_file_row row, void *context)
{
	if (setjmp(png_jmpbuf(writer->png))) {
		return -EIO;
	}
	png_init_io(writer->png, file);
	png_set_compression_level(writer->png, 6);
	png_set_IHDR(writer->png, writer->info, width, height, 8, PNG_COLOR_TYPE_RGB,
	    PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(writer->png, writer->info);
	for (uint32_t y = 0; y < height; y++) {
		const uint8_t *pixels;
		int error = row(context, y, &pixels);

		if (error) {
			return error;
		}
		for (uint32_t x = 0; x < width; x++) {
			writer->line[3 * x + 0] = pixels[4 * (size_t)x + 2];
			writer->line[3 * x + 1] = pixels[4 * (size_t)x + 1];
			writer->line[3 * x + 2] = pixels[4 * (size_t)x + 0];
		}
		png_write_row(writer->png, writer->line);
	}
	png_write_end(writer->png, writer->info);
	return 0;
}

int png_file_write(FILE *file, uint32_t width, uint32_t height, png_file_row row, void *context)
{
	struct writer writer = { 0 };
	int error = -ENOMEM;

	writer.line = malloc((size_t)width * 3);
	writer.png = png_create_write_struct(
	    PNG_LIBPNG_VER_STRING, NULL, on_png_error, on_png_warning);
	if (!writer.line || !writer.png) {
		goto done;
	}
	writer.info = png_create_info_struct(writer.png);
	if (!writer.info) {
		goto done;
	}
	error = write_rows(&writer, file, width, height, row, context);
	if (!error && (fflush(file) != 0 || ferror(file))) {
		error = -EIO;
	}
done:
	png_destroy_write_struct(&writer.png, &writer.info);
	free(writer.line);
	return error;
}
