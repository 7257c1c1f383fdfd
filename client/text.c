/* See text.h. UTF-8 is checked by hand: the result must not depend on the caller's locale. */
#include "client/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Bytes of the UTF-8 sequence at `text`, at most `size`; 0 when it is none, or a C1 control, a surrogate, too long. */
static size_t sequence_length(const unsigned char *text, size_t size)
{
	uint32_t code;
	size_t length;

	if (text[0] < 0x80) {
		return 1;
	}
	if (text[0] < 0xc2 || text[0] > 0xf4) {
		return 0;
	}
	length = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	if (length > size) {
		return 0;
	}
	code = text[0] & (0xffu >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80) {
			return 0;
		}
		code = code << 6 | (text[i] & 0x3fu);
	}
	if (code < 0xa0 || (length == 3 && code < 0x800) || (length == 4 && code < 0x10000) ||
	    code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
		return 0;
	}
	/* Marks that turn the direction of writing could make one name look like another. */
	if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) {
		return 0;
	}
	return length;
}

static bool is_control(unsigned char byte)
{
	return byte < 0x20 || byte == 0x7f;
}

char *text_clean(const char *text, char *buffer, size_t size)
{
	const unsigned char *in = (const unsigned char *)text;
	size_t left = strlen(text);
	size_t used = 0;

	while (left > 0) {
		size_t length = is_control(*in) ? 0 : sequence_length(in, left);
		char escaped[8];
		const char *piece = (const char *)in;
		size_t piece_length = length;

		if (length == 0) {
			piece_length = (size_t)snprintf(escaped, sizeof(escaped), "\\x%02x", *in);
			piece = escaped;
			length = 1;
		}
		if (used + piece_length + 1 > size) {
			break;
		}
		memcpy(buffer + used, piece, piece_length);
		used += piece_length;
		in += length;
		left -= length;
	}
	if (size > 0) {
		buffer[used] = 0;
	}
	return buffer;
}

void text_write_clean(FILE *file, const char *text, size_t size)
{
	const unsigned char *in = (const unsigned char *)text;

	while (size > 0) {
		size_t length = *in == '\n' || *in == '\t' ? 1
				: is_control(*in)          ? 0
							   : sequence_length(in, size);

		if (length > 0) {
			fwrite(in, 1, length, file);
		} else {
			fprintf(file, "\\x%02x", *in);
			length = 1;
		}
		in += length;
		size -= length;
	}
}

/* Bytes of the next word, and its columns as far as they can be told without fonts: one for each character. */
static size_t measure_word(const char *text, unsigned *columns)
{
	size_t length = 0;

	*columns = 0;
	while (text[length] && text[length] != ' ' && text[length] != '\n') {
		*columns += ((unsigned char)text[length] & 0xc0) != 0x80;
		length++;
	}
	return length;
}

void text_wrap(FILE *file, const char *text, unsigned indent, unsigned width)
{
	unsigned column = indent;
	bool first = true;

	while (*text) {
		unsigned columns;
		size_t length = measure_word(text, &columns);

		if (!first && length > 0) {
			if (width > 0 && column + 1 + columns > width) {
				fprintf(file, "\n%*s", (int)indent, "");
				column = indent;
			} else if (column > indent) {
				fputc(' ', file);
				column++;
			}
		}
		text_write_clean(file, text, length);
		column += columns;
		first = false;
		text += length;
		if (*text == '\n' && text[1]) {
			fprintf(file, "\n%*s", (int)indent, "");
			column = indent;
			first = true;
		}
		text += *text != 0;
	}
	fputc('\n', file);
}

char *text_to_utf8(const char *text, size_t size)
{
	static const char replacement[] = "\xef\xbf\xbd";
	const unsigned char *in = (const unsigned char *)text;
	char *result = malloc(size * 3 + 1);
	size_t used = 0;

	if (!result) {
		return NULL;
	}
	while (size > 0) {
		size_t length = *in == 0 ? 0 : sequence_length(in, size);

		if (length > 0) {
			memcpy(result + used, in, length);
			used += length;
		} else {
			memcpy(result + used, replacement, 3);
			used += 3;
			length = 1;
		}
		in += length;
		size -= length;
	}
	result[used] = 0;
	return result;
}

char *text_bytes(uint64_t bytes, char *buffer, size_t size)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(buffer, size, "%u bytes", (unsigned)bytes);
		return buffer;
	}
	while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		unit++;
	}
	/* Whole numbers without a fraction: "64 MiB", not "64.0 MiB". */
	if (value >= 99.95 || (uint64_t)(value * 10 + 0.5) % 10 == 0) {
		snprintf(buffer, size, "%.0f %s", value, units[unit]);
	} else {
		snprintf(buffer, size, "%.1f %s", value, units[unit]);
	}
	return buffer;
}

char *text_duration(uint64_t us, char *buffer, size_t size)
{
	uint64_t seconds = us / 1000000;

	if (us < 100000) {
		snprintf(buffer, size, "%u ms", (unsigned)(us / 1000));
	} else if (us < 10 * 1000000ull) {
		snprintf(buffer, size, "%u.%u s", (unsigned)seconds, (unsigned)(us / 100000 % 10));
	} else if (seconds < 120) {
		snprintf(buffer, size, "%u s", (unsigned)seconds);
	} else if (seconds < 120 * 60) {
		snprintf(buffer, size, "%u min", (unsigned)(seconds / 60));
	} else if (seconds < 48 * 3600) {
		snprintf(buffer, size, "%u h", (unsigned)(seconds / 3600));
	} else {
		snprintf(buffer, size, "%llu days", (unsigned long long)(seconds / 86400));
	}
	return buffer;
}

char *text_time(uint64_t utc_us, char *buffer, size_t size)
{
	time_t seconds = (time_t)(utc_us / 1000000);
	struct tm tm;

	if (utc_us == 0 || utc_us / 1000000 > 253402300799ull || !gmtime_r(&seconds, &tm) ||
	    strftime(buffer, size, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0) {
		snprintf(buffer, size, "-");
	}
	return buffer;
}
