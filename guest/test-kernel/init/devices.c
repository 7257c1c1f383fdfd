/* The devices as Linux's drivers found them: bound drivers, the screen, random numbers, the clock. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <linux/rtc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

static void report_bus(const char *bus)
{
	char path[512], vendor[32], device[32], driver[256];
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/sys/bus/%s/devices", bus);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		const char *name = entry->d_name;
		ssize_t length;

		if (name[0] == '.') {
			continue;
		}
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/vendor", bus, name);
		report_read(path, vendor, sizeof(vendor));
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/device", bus, name);
		report_read(path, device, sizeof(device));
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/driver", bus, name);
		length = readlink(path, driver, sizeof(driver) - 1);
		driver[length < 0 ? 0 : length] = '\0';
		report("device %s %s %s:%s %s", bus, name, vendor, device,
		    strrchr(driver, '/') ? strrchr(driver, '/') + 1 : "none");
	}
	if (folder) {
		closedir(folder);
	}
}

static void report_interrupts(void)
{
	char line[256];
	FILE *file = fopen("/proc/interrupts", "r");

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strstr(line, "virtio") || strstr(line, "i8042") || strstr(line, "rtc")) {
			report("irq %s", line);
		}
	}
	if (file) {
		fclose(file);
	}
}

static void report_random(void)
{
	unsigned char bytes[64] = { 0 };
	unsigned differing = 0;
	char name[64];
	int fd = open("/dev/hwrng", O_RDONLY);
	ssize_t size = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));

	if (size <= 0) {
		report_bad("hwrng");
	} else {
		for (ssize_t i = 1; i < size; i++) {
			differing += bytes[i] != bytes[i - 1];
		}
		report_read("/sys/class/misc/hw_random/rng_current", name, sizeof(name));
		report("hwrng %s %d bytes %s", name, (int)size,
		    differing > size / 2 ? "random" : "BAD");
	}
	if (fd >= 0) {
		close(fd);
	}
}

long devices_rtc(void)
{
	struct rtc_time rtc;
	struct tm tm = { 0 };
	int fd = open("/dev/rtc0", O_RDONLY);
	int error = fd < 0 ? -1 : ioctl(fd, RTC_RD_TIME, &rtc);

	if (fd >= 0) {
		close(fd);
	}
	if (error < 0) {
		report_bad("rtc");
		return 0;
	}
	tm.tm_year = rtc.tm_year;
	tm.tm_mon = rtc.tm_mon;
	tm.tm_mday = rtc.tm_mday;
	tm.tm_hour = rtc.tm_hour;
	tm.tm_min = rtc.tm_min;
	tm.tm_sec = rtc.tm_sec;
	return (long)timegm(&tm);
}

void devices_draw(void)
{
	struct fb_var_screeninfo var;
	struct fb_fix_screeninfo fix;
	uint8_t *screen;
	int fd = open("/dev/fb0", O_RDWR);

	if (fd < 0 || ioctl(fd, FBIOGET_VSCREENINFO, &var) < 0 ||
	    ioctl(fd, FBIOGET_FSCREENINFO, &fix) < 0) {
		report_bad("fb0");
		return;
	}
	report("fb %s %ux%u %u bits stride %u red %u green %u blue %u", fix.id, var.xres, var.yres,
	    var.bits_per_pixel, fix.line_length, var.red.offset, var.green.offset, var.blue.offset);
	/* Without a console on it nobody has set the mode yet. */
	var.activate = FB_ACTIVATE_NOW | FB_ACTIVATE_FORCE;
	if (ioctl(fd, FBIOPUT_VSCREENINFO, &var) < 0) {
		report_bad("fb0: mode");
	}
	screen = mmap(
	    NULL, (size_t)fix.line_length * var.yres, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (screen == MAP_FAILED) {
		report_bad("fb0: mmap");
		return;
	}
	for (uint32_t y = 0; y < var.yres; y++) {
		uint32_t *row = (uint32_t *)(screen + (size_t)y * fix.line_length);

		/* Every pixel is told from its neighbours. */
		for (uint32_t x = 0; x < var.xres; x++) {
			row[x] = (x & 0xff) << 16 | (y & 0xff) << 8 | ((x >> 8) * 16 + (y >> 8));
		}
	}
	munmap(screen, (size_t)fix.line_length * var.yres);
	/* The kernel may hold the picture back in a shadow of its own; this waits for it. */
	(void)ioctl(fd, FBIOPAN_DISPLAY, &var);
	close(fd);
	report("fb drawn");
}

void devices_report(void)
{
	report_bus("pci");
	report_bus("virtio");
	report_bus("serio");
	report_random();
	report_interrupts();
}
