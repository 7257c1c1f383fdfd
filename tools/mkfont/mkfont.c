/*
 * tanmatsu-mkfont: turns a DejaVu face at one size into a C file with a `const struct font_face`
 * (base/font.h), so that programs without a font library (the demo guest, the sandboxed display
 * process) can draw text. It runs at build time only. Its output must keep the promises that
 * base/font.h lists, since nothing checks them at run time.
 *
 *   tanmatsu-mkfont --name NAME --size PX [--weight regular|bold|mono|mono-bold] [--ranges LIST]
 * [--font-dir DIR] -o FILE
 */
#include "base/font.h"

#include <ft2build.h>
#include FT_FREETYPE_H

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MKFONT_MAX_RANGES 128
#define MKFONT_LAST_CODE  0x10ffffu

struct options {
	const char *name;
	const char *weight;
	const char *font_dir;
	const char *output;
	unsigned int size;
	struct font_range ranges[MKFONT_MAX_RANGES];
	uint32_t range_count;
};

/* Everything that is emitted, gathered first so that the C file has three plain tables. */
struct tables {
	uint8_t *coverage;
	size_t coverage_size;
	struct font_glyph *glyphs;
	uint32_t glyph_count;
};

static const struct {
	const char *weight;
	const char *file;
} weights[] = {
	{ "regular", "DejaVuSans.ttf" },
	{ "bold", "DejaVuSans-Bold.ttf" },
	{ "mono", "DejaVuSansMono.ttf" },
	{ "mono-bold", "DejaVuSansMono-Bold.ttf" },
};

static void usage(FILE *out)
{
	fputs(
	    "usage: tanmatsu-mkfont --name NAME --size PX [--weight regular|bold|mono|mono-bold]\n"
	    "                       [--ranges 0x20-0x7e,0xa0-0xff,...] [--font-dir DIR] -o FILE\n",
	    out);
}

static void *grow(void *memory, size_t count, size_t size)
{
	void *grown = reallocarray(memory, count, size);

	if (!grown) {
		fputs("tanmatsu-mkfont: out of memory\n", stderr);
		exit(1);
	}
	return grown;
}

/* Parses "A-B,C,..." into sorted ranges without overlap; returns false with a message if it is
 * anything else. */
static bool parse_ranges(struct options *options, const char *list)
{
	uint32_t next_allowed = 1;

	options->range_count = 0;
	while (*list) {
		char *end;
		unsigned long first = strtoul(list, &end, 0);
		unsigned long last = first;

		if (end != list && *end == '-') {
			const char *second = end + 1;

			last = strtoul(second, &end, 0);
			if (end == second) {
				last = 0;
			}
		}
		if (end == list || (*end && *end != ',') || first < next_allowed || last < first ||
		    last > MKFONT_LAST_CODE || options->range_count == MKFONT_MAX_RANGES) {
			fprintf(stderr, "tanmatsu-mkfont: bad range at: %s (sorted, at most %d)\n",
			    list, MKFONT_MAX_RANGES);
			return false;
		}
		options->ranges[options->range_count++] = (struct font_range){ (uint32_t)first,
			(uint32_t)last, 0 };
		next_allowed = (uint32_t)last + 1;
		list = *end ? end + 1 : end;
	}
	return options->range_count > 0;
}

static bool parse_options(struct options *options, int argc, char **argv)
{
	static const struct option table[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "size", required_argument, NULL, 's' },
		{ "weight", required_argument, NULL, 'w' },
		{ "ranges", required_argument, NULL, 'r' },
		{ "font-dir", required_argument, NULL, 'd' },
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "n:s:w:r:d:o:h", table, NULL)) != -1) {
		switch (opt) {
		case 'n':
			options->name = optarg;
			break;
		case 's':
			options->size = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'w':
			options->weight = optarg;
			break;
		case 'r':
			if (!parse_ranges(options, optarg)) {
				return false;
			}
			break;
		case 'd':
			options->font_dir = optarg;
			break;
		case 'o':
			options->output = optarg;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			return false;
		}
	}
	return options->name && options->output && options->size >= 4 && options->size <= 256 &&
	       optind == argc;
}

/* Renders one glyph (by glyph index) to the tables. */
static bool add_glyph(struct tables *tables, FT_Face face, FT_UInt index)
{
	FT_Bitmap *bitmap;
	struct font_glyph *glyph;
	FT_Error error = FT_Load_Glyph(face, index, FT_LOAD_RENDER | FT_LOAD_TARGET_LIGHT);

	if (error) {
		fprintf(stderr, "tanmatsu-mkfont: glyph %u: FreeType error %d\n", index, error);
		return false;
	}
	bitmap = &face->glyph->bitmap;
	tables->glyphs = grow(tables->glyphs, tables->glyph_count + 1, sizeof(*tables->glyphs));
	glyph = &tables->glyphs[tables->glyph_count++];
	*glyph = (struct font_glyph){
		.offset = (uint32_t)tables->coverage_size,
		.left = (int16_t)face->glyph->bitmap_left,
		.top = (int16_t)face->glyph->bitmap_top,
		.width = (uint16_t)bitmap->width,
		.height = (uint16_t)bitmap->rows,
		.advance = (uint16_t)((face->glyph->advance.x + 32) >> 6),
	};
	tables->coverage = grow(
	    tables->coverage, tables->coverage_size + (size_t)bitmap->width * bitmap->rows + 1, 1);
	for (unsigned int row = 0; row < bitmap->rows; row++) {
		memcpy(tables->coverage + tables->coverage_size,
		    bitmap->buffer + (ptrdiff_t)row * bitmap->pitch, bitmap->width);
		tables->coverage_size += bitmap->width;
	}
	return true;
}

static bool render_face(const struct options *options, FT_Face face, struct tables *tables)
{
	for (uint32_t i = 0; i < options->range_count; i++) {
		for (uint32_t code = options->ranges[i].first; code <= options->ranges[i].last;
		     code++) {
			if (!add_glyph(tables, face, FT_Get_Char_Index(face, code))) {
				return false;
			}
		}
	}
	return add_glyph(tables, face, 0);
}

static void emit_tables(const struct options *options, const struct tables *tables, FILE *out)
{
	uint32_t index = 0;

	fprintf(out,
	    "/* Made by tanmatsu-mkfont: %s at %u pixels. Do not edit. */\n#include "
	    "\"base/font.h\"\n\n",
	    options->weight, options->size);
	fprintf(out, "static const uint8_t coverage[] = {");
	for (size_t i = 0; i < tables->coverage_size; i++) {
		fprintf(out, "%s%u,", i % 32 ? "" : "\n\t", tables->coverage[i]);
	}
	fprintf(out, "%s\n};\n\nstatic const struct font_glyph glyphs[] = {\n",
	    tables->coverage_size ? "" : " 0");
	for (uint32_t i = 0; i < tables->glyph_count; i++) {
		const struct font_glyph *glyph = &tables->glyphs[i];

		fprintf(out, "\t{ %u, %d, %d, %u, %u, %u },\n", glyph->offset, glyph->left,
		    glyph->top, glyph->width, glyph->height, glyph->advance);
	}
	fprintf(out, "};\n\nstatic const struct font_range ranges[] = {\n");
	for (uint32_t i = 0; i < options->range_count; i++) {
		const struct font_range *range = &options->ranges[i];

		fprintf(out, "\t{ 0x%x, 0x%x, %u },\n", range->first, range->last, index);
		index += range->last - range->first + 1;
	}
	fprintf(out, "};\n\n");
}

static void emit_face(
    const struct options *options, const struct tables *tables, FT_Face face, FILE *out)
{
	FT_Size_Metrics *metrics = &face->size->metrics;

	fprintf(out,
	    "extern const struct font_face %s;\n"
	    "const struct font_face %s = {\n"
	    "\t.name = \"%s %u\",\n\t.coverage = coverage,\n\t.glyphs = glyphs,\n\t.ranges = "
	    "ranges,\n"
	    "\t.range_count = %u,\n\t.fallback = %u,\n"
	    "\t.ascent = %ld,\n\t.descent = %ld,\n\t.line_height = %ld,\n};\n",
	    options->name, options->name, options->weight, options->size, options->range_count,
	    tables->glyph_count - 1, (metrics->ascender + 63) >> 6, (-metrics->descender + 63) >> 6,
	    (metrics->height + 63) >> 6);
}

/* Opens the face file of the wanted weight at the wanted size. */
static bool open_face(const struct options *options, FT_Library library, FT_Face *face)
{
	char path[4096];
	const char *file = NULL;

	for (size_t i = 0; i < sizeof(weights) / sizeof(weights[0]); i++) {
		if (strcmp(weights[i].weight, options->weight) == 0) {
			file = weights[i].file;
		}
	}
	if (!file) {
		fprintf(stderr, "tanmatsu-mkfont: unknown weight: %s\n", options->weight);
		return false;
	}
	snprintf(path, sizeof(path), "%s/%s", options->font_dir, file);
	if (FT_New_Face(library, path, 0, face) != 0 ||
	    FT_Set_Pixel_Sizes(*face, 0, options->size) != 0) {
		fprintf(
		    stderr, "tanmatsu-mkfont: cannot use %s at %u pixels\n", path, options->size);
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct options options = {
		.weight = "regular",
		.font_dir = "/usr/share/fonts/truetype/dejavu",
		.ranges = { { 0x20, 0x7e, 0 }, { 0xa0, 0xff, 0 } },
		.range_count = 2,
	};
	struct tables tables = { 0 };
	FT_Library library;
	FT_Face face = NULL;
	FILE *out = NULL;
	int status = 1;

	if (!parse_options(&options, argc, argv)) {
		usage(stderr);
		return 2;
	}
	if (FT_Init_FreeType(&library) != 0) {
		fputs("tanmatsu-mkfont: FreeType does not start\n", stderr);
		return 1;
	}
	if (!open_face(&options, library, &face) || !render_face(&options, face, &tables)) {
		goto done;
	}
	out = fopen(options.output, "w");
	if (!out) {
		fprintf(stderr, "tanmatsu-mkfont: %s: %s\n", options.output, strerror(errno));
		goto done;
	}
	emit_tables(&options, &tables, out);
	emit_face(&options, &tables, face, out);
	if (fflush(out) != 0 || ferror(out)) {
		fprintf(stderr, "tanmatsu-mkfont: %s: write error\n", options.output);
		goto done;
	}
	status = 0;
done:
	if (out) {
		fclose(out);
	}
	if (status != 0 && out) {
		remove(options.output);
	}
	free(tables.glyphs);
	free(tables.coverage);
	FT_Done_Face(face);
	FT_Done_FreeType(library);
	return status;
}
