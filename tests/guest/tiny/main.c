/*
 * CPL 3 of the test guest: keeps a pattern in memory and checks it, checks that time never goes back, writes numbered
 * lines to the serial port without a gap, moves something on the screen, and does what single keys ask for:
 * r reset by port 0xCF9, o power off, t triple fault, x something that KVM cannot do, d dirty all of the pattern.
 *
 * A line is "L<number> c<checks> k<last key>"; what goes wrong is a line with "BAD".
 */
#include <stdbool.h>

#include "tiny.h"

enum {
	PATTERN_BASE = 16 * 1024 * 1024,
	PATTERN_SIZE = 16 * 1024 * 1024,
	PAGE_WORDS = 512,
	PAGES = PATTERN_SIZE / 4096,
	DIRTY_EACH_TURN = 16, /* pages */
	I8042_DATA = 0x60,
	I8042_STATUS = 0x64,
};

static uint64_t *const pattern = (uint64_t *)(uint64_t)PATTERN_BASE;
static uint32_t seeds[PAGES];
static uint64_t last_tsc, last_clock;
static uint32_t last_ap_count;
static bool has_ap;

static void put_text(const char *text)
{
	while (*text) {
		tiny_put(*text++);
	}
}

static void put_number(uint64_t value)
{
	char digits[20];
	int count = 0;

	do {
		digits[count++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (count > 0) {
		tiny_put(digits[--count]);
	}
}

static void bad(const char *what, uint64_t a, uint64_t b)
{
	put_text("BAD ");
	put_text(what);
	tiny_put(' ');
	put_number(a);
	tiny_put(' ');
	put_number(b);
	tiny_put('\n');
}

static uint64_t word_of(uint32_t page, uint32_t seed, uint32_t word)
{
	uint64_t x = ((uint64_t)page << 32 | seed) * 0x9e3779b97f4a7c15ull +
		     word * 0xd1b54a32d192ed03ull;

	return x ^ x >> 29;
}

static void write_page(uint32_t page, uint32_t seed)
{
	seeds[page] = seed;
	for (uint32_t word = 0; word < PAGE_WORDS; word++) {
		pattern[(uint64_t)page * PAGE_WORDS + word] = word_of(page, seed, word);
	}
}

static void check_pattern(void)
{
	for (uint32_t page = 0; page < PAGES; page++) {
		for (uint32_t word = 0; word < PAGE_WORDS; word++) {
			if (pattern[(uint64_t)page * PAGE_WORDS + word] !=
			    word_of(page, seeds[page], word)) {
				bad("pattern", page, word);
				write_page(page, seeds[page]);
				break;
			}
		}
	}
}

/* Nanoseconds by kvmclock: Documentation/virt/kvm/x86/msr.rst. */
static uint64_t read_clock(void)
{
	uint64_t result;
	uint32_t version;

	do {
		uint64_t delta;

		version = tiny_clock_page.version;
		__asm__ volatile("" : : : "memory");
		delta = read_tsc() - tiny_clock_page.tsc_timestamp;
		delta = tiny_clock_page.shift < 0 ? delta >> -tiny_clock_page.shift
						  : delta << tiny_clock_page.shift;
		result = tiny_clock_page.system_time +
			 (uint64_t)(((unsigned __int128)delta * tiny_clock_page.multiplier) >> 32);
		__asm__ volatile("" : : : "memory");
	} while ((version & 1) || version != tiny_clock_page.version);
	return result;
}

static void check_time(void)
{
	uint64_t tsc = read_tsc();
	uint64_t clock = read_clock();

	if (tsc < last_tsc) {
		bad("tsc", last_tsc, tsc);
	}
	if (clock < last_clock) {
		bad("clock", last_clock, clock);
	}
	/* It stands still while the machine does; 20 s are more than any turn takes. */
	if (last_clock && clock - last_clock > 20000000000ull) {
		bad("clock jumped", last_clock, clock);
	}
	last_tsc = tsc;
	last_clock = clock;
}

static void sleep(uint64_t cycles)
{
	tiny_sleep_cycles = cycles;
	tiny_request = TINY_SLEEP;
	__asm__ volatile("ud2" : : : "memory");
}

static void call(uint32_t request)
{
	tiny_request = request;
	__asm__ volatile("ud2" : : : "memory");
}

static void keyboard_wait_input_free(void)
{
	while (in8(I8042_STATUS) & 2) {
	}
}

static void keyboard_setup(void)
{
	keyboard_wait_input_free();
	out8(I8042_STATUS, 0x60);
	keyboard_wait_input_free();
	out8(I8042_DATA, 0x40); /* translated to set 1, no interrupts, both ports on */
	keyboard_wait_input_free();
	out8(I8042_DATA, 0xf4);
}

/* The last key pressed, set 1, or 0. */
static uint8_t keyboard_poll(void)
{
	uint8_t pressed = 0;

	while (in8(I8042_STATUS) & 1) {
		uint8_t code = in8(I8042_DATA);

		if (code < 0x59) {
			pressed = code;
		}
	}
	return pressed;
}

static void act(uint8_t key, uint32_t turn)
{
	switch (key) {
	case 0x13: /* r */
		out8(0xcf9, 6);
		break;
	case 0x18: /* o */
		out16(0x604, 1 << 13);
		break;
	case 0x14: /* t */
		call(TINY_TRIPLE_FAULT);
		break;
	case 0x2d: /* x */
		call(TINY_LOST);
		break;
	case 0x20: /* d */
		for (uint32_t page = 0; page < PAGES; page++) {
			write_page(page, turn * 7 + page);
		}
		break;
	default:
		break;
	}
}

static bool told(const char *word)
{
	for (const char *at = tiny_command_line; *at; at++) {
		int i = 0;

		while (word[i] && at[i] == word[i]) {
			i++;
		}
		if (!word[i]) {
			return true;
		}
	}
	return false;
}

/* INIT, SIPI, SIPI: Intel SDM volume 3, section 9.4.4.1. */
static void start_second_processor(void)
{
	volatile uint32_t *const lapic = (volatile uint32_t *)0xfee00000;
	volatile uint8_t *const to = (volatile uint8_t *)0x8000;

	for (int i = 0; i < tiny_ap_end - tiny_ap_start; i++) {
		to[i] = tiny_ap_start[i];
	}
	lapic[0x310 / 4] = 1 << 24;
	lapic[0x300 / 4] = 0x4500;
	sleep(30000000);
	for (int i = 0; i < 2; i++) {
		lapic[0x310 / 4] = 1 << 24;
		lapic[0x300 / 4] = 0x4608;
		sleep(1000000);
	}
	while (tiny_ap_count == 0) {
		sleep(1000000);
	}
	has_ap = true;
	put_text("second processor\n");
}

/* It must have counted since the last turn; on a busy host its thread may have to wait for that. */
static void check_second_processor(void)
{
	if (!has_ap) {
		return;
	}
	for (int i = 0; i < 5000 && tiny_ap_count == last_ap_count; i++) {
		sleep(1000000);
	}
	if (tiny_ap_count == last_ap_count) {
		bad("second processor stands at", last_ap_count, 0);
	}
	last_ap_count = tiny_ap_count;
}

static void draw(uint32_t turn)
{
	if (!tiny_screen) {
		return;
	}
	for (uint32_t y = 0; y < 16; y++) {
		for (uint32_t x = 0; x < 16; x++) {
			tiny_screen[y * tiny_screen_stride + x + (turn % 32) * 16] = 0x00102030 +
										     turn *
											 0x00050301;
		}
	}
}

void tiny_main(void)
{
	uint8_t last_key = 0;

	put_text("boot ");
	put_text(tiny_command_line);
	tiny_put('\n');
	keyboard_setup();
	for (uint32_t page = 0; page < PAGES; page++) {
		write_page(page, page * 3);
	}
	if (told("smp")) {
		start_second_processor();
	}
	put_text("ready\n");
	for (uint32_t turn = 1;; turn++) {
		uint8_t key = keyboard_poll();

		if (key) {
			last_key = key;
			act(key, turn);
		}
		check_time();
		check_second_processor();
		check_pattern();
		for (uint32_t i = 0; i < DIRTY_EACH_TURN; i++) {
			write_page((turn * 37 + i * 251) % PAGES, turn);
		}
		draw(turn);
		put_text("L");
		put_number(turn);
		put_text(" k");
		put_number(last_key);
		tiny_put('\n');
		sleep(20000000);
	}
}
