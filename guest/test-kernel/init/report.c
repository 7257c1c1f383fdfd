/*
 * Lines on the console. What must stay true: a line is one write, so that the kernel's own messages never stand inside.
 */
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void say(const char *start, const char *format, va_list arguments, int error)
{
	char line[512];
	size_t length;

	snprintf(line, sizeof(line), "%s", start);
	length = strlen(line);
	vsnprintf(line + length, sizeof(line) - length - 64, format, arguments);
	if (error) {
		length = strlen(line);
		snprintf(line + length, sizeof(line) - length - 1, ": %s", strerror(error));
	}
	strcat(line, "\n");
	(void)!write(STDOUT_FILENO, line, strlen(line));
}

void report(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("", format, arguments, 0);
	va_end(arguments);
}

void report_bad(const char *format, ...)
{
	int error = errno;
	va_list arguments;

	va_start(arguments, format);
	say("BAD ", format, arguments, error);
	va_end(arguments);
}

void report_read(const char *path, char *text, unsigned size)
{
	int fd = open(path, O_RDONLY);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0) {
		close(fd);
	}
	text[length < 0 ? 0 : length] = '\0';
	text[strcspn(text, "\n")] = '\0';
}
