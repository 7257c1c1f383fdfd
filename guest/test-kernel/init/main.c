/*
 * The first and only program of the Linux that the tests boot. It says on the serial port what the kernel made of our
 * devices, then every input event, and proves between them that memory and clock are right: a sum over memory that it
 * wrote itself, and the time. Keys are its commands (on_key). It must not use AVX, whose registers such a kernel may not
 * save.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <linux/reboot.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

enum {
	INPUTS_MAX = 8,
	SUM_WORDS = 1 << 20, /* 8 MiB */
	SUM_STEP = 1 << 16,  /* words between two looks at the keyboard */
	PM_STATUS = 0x600,
	PM_CONTROL = 0x604,
	PM_POWER_BUTTON = 1 << 8,
	PM_SLEEP_ENABLE = 1 << 13,
};

struct inputs {
	struct pollfd polls[INPUTS_MAX];
	char names[INPUTS_MAX][16];
	unsigned count;
};

static uint64_t words[SUM_WORDS];

static uint64_t word_at(uint64_t index)
{
	uint64_t x = (index + 1) * 0x9e3779b97f4a7c15ull;

	return x ^ x >> 29;
}

static void open_inputs(struct inputs *inputs)
{
	for (unsigned i = 0; i < INPUTS_MAX; i++) {
		char path[64], name[128] = "";
		int fd;

		snprintf(path, sizeof(path), "/dev/input/event%u", i);
		fd = open(path, O_RDONLY | O_NONBLOCK);
		if (fd < 0) {
			continue;
		}
		(void)ioctl(fd, EVIOCGNAME(sizeof(name)), name);
		report("input event%u %s", i, name);
		snprintf(inputs->names[inputs->count], sizeof(inputs->names[0]), "event%u", i);
		inputs->polls[inputs->count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
}

static void report_time(const char *why)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	report("time %s clock %ld rtc %ld", why, (long)now.tv_sec, devices_rtc());
}

static uint16_t port_read(unsigned port)
{
	uint16_t value = 0;
	int fd = open("/dev/port", O_RDONLY);

	if (fd < 0 || pread(fd, &value, 2, port) != 2) {
		report_bad("port %x", port);
	}
	close(fd);
	return value;
}

static void port_write(unsigned port, uint16_t value)
{
	int fd = open("/dev/port", O_WRONLY);

	if (fd < 0 || pwrite(fd, &value, 2, port) != 2) {
		report_bad("port %x", port);
	}
	close(fd);
}

/* As the kernel would do it if this machine had ACPI tables: S5. */
static void power_off(void)
{
	report("powering off");
	sync();
	port_write(PM_CONTROL, PM_SLEEP_ENABLE);
	report("BAD still on");
}

/* What stays are the keyboard and mouse of the keyboard controller. */
static void unbind(const char *device)
{
	int fd = open("/sys/bus/virtio/drivers/virtio_input/unbind", O_WRONLY);

	if (fd < 0 || write(fd, device, strlen(device)) < 0) {
		report_bad("unbinding %s", device);
	} else {
		report("unbound %s", device);
	}
	close(fd);
}

/* As a guest's agent does it after a resume: the clock went on where it was, the RTC did not. */
static void follow_rtc(void)
{
	struct timespec now;
	long rtc = devices_rtc();

	clock_gettime(CLOCK_REALTIME, &now);
	if (rtc > now.tv_sec + 1 || rtc < now.tv_sec - 1) {
		report("clock was %ld late", rtc - (long)now.tv_sec);
		now = (struct timespec){ .tv_sec = rtc };
		if (clock_settime(CLOCK_REALTIME, &now) < 0) {
			report_bad("clock_settime");
		}
	}
}

static void on_key(unsigned code)
{
	switch (code) {
	case KEY_F1:
		report_time("asked");
		break;
	case KEY_F2:
		devices_draw();
		break;
	case KEY_F3:
		disk_stop();
		break;
	case KEY_F4:
		unbind("virtio0");
		unbind("virtio1");
		break;
	case KEY_F9:
		report("rebooting");
		(void)reboot(RB_AUTOBOOT);
		break;
	case KEY_F10:
		power_off();
		break;
	default:
		break;
	}
}

static void read_events(struct inputs *inputs, unsigned index)
{
	struct input_event event;

	while (read(inputs->polls[index].fd, &event, sizeof(event)) == sizeof(event)) {
		if (event.type == EV_SYN || event.type == EV_MSC) {
			continue;
		}
		report("ev %s %u %u %d", inputs->names[index], event.type, event.code, event.value);
		if (event.type == EV_KEY && event.value == 1) {
			on_key(event.code);
		}
	}
}

/* A part of the sum; a line when it is all through. */
static void sum_step(void)
{
	static uint64_t at, sum, rounds, expected;

	for (uint64_t i = 0; i < SUM_STEP; i++, at++) {
		sum = (sum << 1 | sum >> 63) ^ words[at];
	}
	if (at < SUM_WORDS) {
		return;
	}
	expected = expected ? expected : sum;
	rounds++;
	if (sum != expected) {
		report("BAD sum %llu", (unsigned long long)rounds);
	}
	at = sum = 0;
}

static void tick(void)
{
	static unsigned count;
	static uint16_t button;
	uint16_t status = port_read(PM_STATUS);

	report("tick %u", ++count);
	follow_rtc();
	if ((status & PM_POWER_BUTTON) && !button) {
		port_write(PM_STATUS, PM_POWER_BUTTON);
		report("power button");
	}
	button = status & PM_POWER_BUTTON;
}

static void run(struct inputs *inputs)
{
	struct timespec now, last = { 0 };

	for (;;) {
		/* Half of the time asleep, so that idling is tested, too. */
		(void)poll(inputs->polls, inputs->count, 20);
		for (unsigned i = 0; i < inputs->count; i++) {
			if (inputs->polls[i].revents & POLLIN) {
				read_events(inputs, i);
			}
			if (inputs->polls[i].revents & (POLLERR | POLLHUP)) {
				inputs->polls[i].fd = -1; /* unbound */
			}
		}
		sum_step();
		disk_step();
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec != last.tv_sec) {
			last = now;
			tick();
		}
	}
}

static void mount_all(void)
{
	struct termios modes;
	int console;

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mkdir("/mnt", 0755);
	(void)mount("proc", "/proc", "proc", 0, NULL);
	(void)mount("sysfs", "/sys", "sysfs", 0, NULL);
	(void)mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	console = open("/dev/console", O_RDWR);
	if (console >= 0) {
		/* A newline is one byte. */
		(void)tcgetattr(console, &modes);
		cfmakeraw(&modes);
		(void)tcsetattr(console, TCSANOW, &modes);
		dup2(console, STDIN_FILENO);
		dup2(console, STDOUT_FILENO);
		dup2(console, STDERR_FILENO);
	}
}

int main(void)
{
	static struct inputs inputs;
	struct utsname name;
	const char *disk = getenv("disk");

	mount_all();
	uname(&name);
	report("init: Linux %s", name.release);
	for (uint64_t i = 0; i < SUM_WORDS; i++) {
		words[i] = word_at(i);
	}
	report_time("start");
	devices_report();
	devices_draw();
	open_inputs(&inputs);
	disk_start(disk ? disk : "");
	report("ready");
	run(&inputs);
	return 0;
}
