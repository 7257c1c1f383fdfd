/* Bounded strings for a program without a C library; see text.h. What must stay true: no write past
 * `size`. */
#include "lib/text.h"

struct sink {
	char *buffer;
	size_t size;
	size_t length;
};

struct spec {
	bool left;
	char pad;
	size_t width;
	size_t precision;
	int longs;
};

static void sink_put(struct sink *sink, char c)
{
	if (sink->length + 1 < sink->size) {
		sink->buffer[sink->length++] = c;
	}
}

static void sink_field(struct sink *sink, const struct spec *spec, const char *text, size_t length)
{
	size_t fill = spec->width > length ? spec->width - length : 0;

	for (size_t i = 0; !spec->left && i < fill; i++) {
		sink_put(sink, spec->pad);
	}
	for (size_t i = 0; i < length; i++) {
		sink_put(sink, text[i]);
	}
	for (size_t i = 0; spec->left && i < fill; i++) {
		sink_put(sink, ' ');
	}
}

static void sink_number(
    struct sink *sink, const struct spec *spec, uint64_t value, bool negative, unsigned int base)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative) {
		digits[--at] = '-';
	}
	sink_field(sink, spec, digits + at, sizeof(digits) - at);
}

static const char *parse_spec(struct spec *spec, const char *format)
{
	*spec = (struct spec){ .pad = ' ', .precision = SIZE_MAX };
	for (; *format == '-' || *format == '0'; format++) {
		if (*format == '-') {
			spec->left = true;
		} else {
			spec->pad = '0';
		}
	}
	for (; *format >= '0' && *format <= '9'; format++) {
		spec->width = spec->width * 10 + (size_t)(*format - '0');
	}
	if (*format == '.') {
		spec->precision = 0;
		for (format++; *format >= '0' && *format <= '9'; format++) {
			spec->precision = spec->precision * 10 + (size_t)(*format - '0');
		}
	}
	for (; *format == 'l' || *format == 'z'; format++) {
		spec->longs++;
	}
	return format;
}

size_t text_vformat(char *buffer, size_t size, const char *format, va_list args)
{
	struct sink sink = { buffer, size, 0 };

	for (; *format; format++) {
		struct spec spec;
		const char *string;
		int64_t number;
		size_t length;
		char c;

		if (*format != '%') {
			sink_put(&sink, *format);
			continue;
		}
		format = parse_spec(&spec, format + 1);
		switch (*format) {
		case 'd':
			number = spec.longs ? va_arg(args, long) : va_arg(args, int);
			sink_number(&sink, &spec,
			    number < 0 ? 0 - (uint64_t)number : (uint64_t)number, number < 0, 10);
			break;
		case 'u':
		case 'x':
			sink_number(&sink, &spec,
			    spec.longs ? va_arg(args, unsigned long) : va_arg(args, unsigned int),
			    false, *format == 'x' ? 16 : 10);
			break;
		case 'c':
			c = (char)va_arg(args, int);
			sink_field(&sink, &spec, &c, 1);
			break;
		case 's':
			string = va_arg(args, const char *);
			for (length = 0; length < spec.precision && string[length]; length++) {
			}
			sink_field(&sink, &spec, string, length);
			break;
		case '\0':
			format--;
			break;
		default:
			sink_put(&sink, *format);
			break;
		}
	}
	buffer[sink.length] = '\0';
	return sink.length;
}

size_t text_format(char *buffer, size_t size, const char *format, ...)
{
	va_list args;
	size_t length;

	va_start(args, format);
	length = text_vformat(buffer, size, format, args);
	va_end(args);
	return length;
}

size_t text_copy(char *buffer, size_t size, const char *string)
{
	size_t length = 0;

	for (; length + 1 < size && string[length]; length++) {
		buffer[length] = string[length];
	}
	buffer[length] = '\0';
	return length;
}

size_t text_encode(char *buffer, uint32_t code)
{
	if (code < 0x80) {
		buffer[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		buffer[0] = (char)(0xc0 | code >> 6);
		buffer[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		buffer[0] = (char)(0xe0 | code >> 12);
		buffer[1] = (char)(0x80 | (code >> 6 & 0x3f));
		buffer[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	buffer[0] = (char)(0xf0 | (code >> 18 & 7));
	buffer[1] = (char)(0x80 | (code >> 12 & 0x3f));
	buffer[2] = (char)(0x80 | (code >> 6 & 0x3f));
	buffer[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

size_t text_length(const char *string)
{
	size_t length = 0;

	while (string[length]) {
		length++;
	}
	return length;
}

bool text_equal(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++) {
	}
	return *a == *b;
}

bool text_starts(const char *string, const char *prefix)
{
	for (; *prefix; string++, prefix++) {
		if (*string != *prefix) {
			return false;
		}
	}
	return true;
}

const char *text_find(const char *string, const char *needle)
{
	for (; *string; string++) {
		if (text_starts(string, needle)) {
			return string;
		}
	}
	return *needle ? NULL : string;
}

int text_parse_int(const char *string, int fallback)
{
	bool negative = *string == '-';
	int value = 0;

	string += negative || *string == '+';
	if (*string < '0' || *string > '9') {
		return fallback;
	}
	for (; *string >= '0' && *string <= '9'; string++) {
		value = value < 100000000 ? value * 10 + (*string - '0') : 1000000000;
	}
	return negative ? -value : value;
}

bool text_get_option(const char *line, const char *name, char *buffer, size_t size)
{
	size_t name_length = text_length(name);
	size_t length = 0;

	buffer[0] = '\0';
	while (*line) {
		while (*line == ' ') {
			line++;
		}
		if (text_starts(line, name) && line[name_length] == '=') {
			line += name_length + 1;
			for (; line[length] && line[length] != ' ' && length + 1 < size; length++) {
				buffer[length] = line[length];
			}
			buffer[length] = '\0';
			return true;
		}
		while (*line && *line != ' ') {
			line++;
		}
	}
	return false;
}
