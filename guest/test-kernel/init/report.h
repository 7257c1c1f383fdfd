/*
 * What the first program of the test Linux says on the serial port, one whole line at a time. The lines are what the
 * tests wait for; tests/guest/test_linux.c is their other end.
 */
#pragma once

/* A line; the newline is added. */
__attribute__((format(printf, 1, 2))) void report(const char *format, ...);
/* The same, with errno behind it; `BAD` first, which no test overlooks. */
__attribute__((format(printf, 1, 2))) void report_bad(const char *format, ...);
/* The first line of a file into `text`, without the newline; "" when there is none. */
void report_read(const char *path, char *text, unsigned size);

/* devices.c: which driver took which device, and what each of them does. */
void devices_report(void);
/* Draws the pattern of the tests into /dev/fb0. */
void devices_draw(void);
/* Seconds since the epoch by /dev/rtc0, 0 when it cannot be read. */
long devices_rtc(void);

/* disk.c: what `disk=` on the command line asks for. */
void disk_start(const char *what);
/* A further step of it; called between other things. */
void disk_step(void);
/* Unmounts. */
void disk_stop(void);
