/* The clock as Linux's rtc-cmos and mc146818 library read it: across updates, in every format, with its interrupts. */
#include <stdlib.h>
#include <time.h>

#include "cmocka_prelude.h"
#include "fake_machine.h"

enum {
	IRQ = 8,
	SECOND = 1000000,
	REG_A = 10,
	REG_B = 11,
	REG_C = 12,
	REG_D = 13,
	UIP = 0x80,
	SET = 0x80,
	PIE = 0x40,
	AIE = 0x20,
	UIE = 0x10,
	BINARY = 0x04,
	H24 = 0x02,
	IRQF = 0x80,
	PF = 0x40,
	AF = 0x20,
	UF = 0x10,
};

static int setup(void **state)
{
	*state = fake_machine_create();
	return 0;
}

static int teardown(void **state)
{
	fake_machine_destroy(*state);
	return 0;
}

static uint8_t in(struct fake_machine *machine, uint8_t index)
{
	fake_out(machine, 0x70, 1, index);
	return (uint8_t)fake_in(machine, 0x71, 1);
}

static void out(struct fake_machine *machine, uint8_t index, uint8_t value)
{
	fake_out(machine, 0x70, 1, index);
	fake_out(machine, 0x71, 1, value);
}

static unsigned bcd(uint8_t value)
{
	assert_true((value >> 4) < 10 && (value & 15) < 10);
	return (value >> 4) * 10u + (value & 15);
}

static void set_time(struct fake_machine *machine, uint64_t seconds)
{
	machine->realtime_us = seconds * SECOND;
}

static void check_time(struct fake_machine *machine, uint64_t seconds)
{
	time_t when = (time_t)seconds;
	struct tm tm;

	set_time(machine, seconds);
	gmtime_r(&when, &tm);
	assert_int_equal(bcd(in(machine, 0)), tm.tm_sec);
	assert_int_equal(bcd(in(machine, 2)), tm.tm_min);
	assert_int_equal(bcd(in(machine, 4)), tm.tm_hour);
	assert_int_equal(bcd(in(machine, 6)), tm.tm_wday + 1);
	assert_int_equal(bcd(in(machine, 7)), tm.tm_mday);
	assert_int_equal(bcd(in(machine, 8)), tm.tm_mon + 1);
	assert_int_equal(bcd(in(machine, 9)), tm.tm_year % 100);
	assert_int_equal(bcd(in(machine, 0x32)), (tm.tm_year + 1900) / 100);
}

static void test_dates(void **state)
{
	struct fake_machine *machine = *state;
	uint64_t seconds = 86399;

	check_time(machine, 0);
	check_time(machine, 951782400);  /* 2000-02-29 */
	check_time(machine, 1709164799); /* 2024-02-28 23:59:59 */
	check_time(machine, 1709164800);
	check_time(machine, 4107542399); /* 2100-02-28, no leap year */
	check_time(machine, 4107542400);
	for (int i = 0; i < 3000; i++) {
		check_time(machine, seconds);
		seconds += 86400 * 17 + 12345;
	}
}

static void test_formats(void **state)
{
	struct fake_machine *machine = *state;

	/* 12:34:56 on a Thursday, 2024-02-29. */
	assert_int_equal(in(machine, 4), 0x12);
	out(machine, REG_B, H24 | BINARY);
	assert_int_equal(in(machine, 4), 12);
	assert_int_equal(in(machine, 2), 34);
	assert_int_equal(in(machine, 9), 24);
	out(machine, REG_B, BINARY);
	assert_int_equal(in(machine, 4), 12 | 0x80); /* noon */
	out(machine, REG_B, 0);
	assert_int_equal(in(machine, 4), 0x12 | 0x80);
	machine->realtime_us -= 12ull * 3600 * SECOND;
	assert_int_equal(in(machine, 4), 0x12); /* 00:34 is 12 a.m. */
	machine->realtime_us += 23ull * 3600 * SECOND;
	assert_int_equal(in(machine, 4), 0x11 | 0x80);
	/* What a guest writes into the clock is not kept: it shows the host's. */
	out(machine, REG_B, SET | H24);
	out(machine, 4, 0x03);
	out(machine, REG_B, H24);
	assert_int_equal(in(machine, 4), 0x23);
	assert_int_equal(in(machine, REG_D), 0x80);
}

/* mc146818_avoid_UIP(): within 244 us of the second's end UIP is up; once it is down there is that much time left. */
static void test_update_in_progress(void **state)
{
	struct fake_machine *machine = *state;
	bool seen = false;

	set_time(machine, 1709210096);
	for (int i = 0; i < 3000; i++) {
		uint64_t before = machine->realtime_us;

		fake_advance(machine, 777);
		if (in(machine, REG_A) & UIP) {
			seen = true;
			assert_true(machine->realtime_us % SECOND >= SECOND - 244);
			continue;
		}
		/* Registers read within 244 us from here belong to one second. */
		uint8_t second = in(machine, 0);

		fake_advance(machine, 243);
		assert_int_equal(in(machine, 0), second);
		machine->realtime_us -= 243;
		assert_true(machine->realtime_us > before);
	}
	assert_true(seen);
	set_time(machine, 1709210096);
	fake_advance(machine, SECOND - 100);
	assert_true(in(machine, REG_A) & UIP);
	out(machine, REG_B, SET | H24);
	assert_false(in(machine, REG_A) & UIP);
}

static void test_update_interrupt(void **state)
{
	struct fake_machine *machine = *state;

	/* The periodic flag comes and goes at 1024 Hz, asked for or not. */
	(void)in(machine, REG_C);
	out(machine, REG_B, H24 | UIE);
	machine->edges[IRQ] = 0;
	fake_advance(machine, SECOND - 1);
	assert_int_equal(machine->edges[IRQ], 0);
	fake_advance(machine, 1);
	assert_int_equal(machine->edges[IRQ], 1);
	assert_true(machine->level[IRQ]);
	/* One until it is acknowledged. */
	fake_advance(machine, 5 * SECOND);
	assert_int_equal(machine->edges[IRQ], 1);
	assert_int_equal(in(machine, REG_C) & ~PF, IRQF | UF);
	assert_false(machine->level[IRQ]);
	assert_int_equal(in(machine, REG_C), 0);
	for (int i = 0; i < 10; i++) {
		fake_advance(machine, SECOND);
		assert_int_equal(in(machine, REG_C) & ~PF, IRQF | UF);
	}
	assert_int_equal(machine->edges[IRQ], 11);
	out(machine, REG_B, H24);
	fake_advance(machine, 10 * SECOND);
	assert_int_equal(machine->edges[IRQ], 11);
	assert_int_equal(in(machine, REG_C) & ~PF, UF); /* flagged all the same, for who polls */
}

static void set_alarm(struct fake_machine *machine, uint8_t hour, uint8_t minute, uint8_t second)
{
	out(machine, 5, hour);
	out(machine, 3, minute);
	out(machine, 1, second);
}

static void test_alarm(void **state)
{
	struct fake_machine *machine = *state;

	set_alarm(machine, 0x12, 0x36, 0x00);
	(void)in(machine, REG_C);
	machine->edges[IRQ] = 0;
	out(machine, REG_B, H24 | AIE);
	fake_advance(machine, 63ull * SECOND);
	assert_int_equal(machine->edges[IRQ], 0);
	fake_advance(machine, SECOND);
	assert_int_equal(machine->edges[IRQ], 1);
	assert_int_equal(in(machine, REG_C) & ~PF, IRQF | AF | UF);
	/* Every day. */
	fake_advance(machine, 86400ull * SECOND);
	assert_int_equal(machine->edges[IRQ], 2);
	(void)in(machine, REG_C);
	/* "Don't care" in hour and minute: every minute. */
	set_alarm(machine, 0xff, 0xc0, 0x30);
	machine->edges[IRQ] = 0;
	for (int i = 0; i < 3; i++) {
		fake_advance(machine, 60ull * SECOND);
		assert_true(in(machine, REG_C) & AF);
	}
	assert_int_equal(machine->edges[IRQ], 3);
}

static void test_alarm_12_hours_binary(void **state)
{
	struct fake_machine *machine = *state;

	out(machine, REG_B, BINARY);
	set_alarm(machine, 1 | 0x80, 0, 0);
	out(machine, REG_B, BINARY | AIE);
	(void)in(machine, REG_C);
	machine->edges[IRQ] = 0;
	fake_advance(machine, 25ull * 60 * SECOND);
	assert_int_equal(machine->edges[IRQ], 0);
	fake_advance(machine, 60ull * SECOND);
	assert_int_equal(machine->edges[IRQ], 1);
}

static void test_periodic(void **state)
{
	struct fake_machine *machine = *state;
	unsigned count = 0;

	out(machine, REG_A, 0x2f); /* 2 Hz */
	out(machine, REG_B, H24 | PIE);
	(void)in(machine, REG_C);
	machine->edges[IRQ] = 0;
	for (int i = 0; i < 10; i++) {
		fake_advance(machine, 500000);
		count += !!(in(machine, REG_C) & PF);
	}
	assert_int_equal(count, 10);
	assert_int_equal(machine->edges[IRQ], 10);
	out(machine, REG_A, 0x26); /* 1024 Hz, as it starts */
	count = 0;
	for (int i = 0; i < 4000; i++) {
		fake_advance(machine, 250);
		count += !!(in(machine, REG_C) & PF);
	}
	assert_in_range(count, 1020, 1026);
	/* No rate, or a divider in reset: none. */
	out(machine, REG_A, 0x20);
	(void)in(machine, REG_C);
	fake_advance(machine, SECOND);
	assert_false(in(machine, REG_C) & PF);
	out(machine, REG_A, 0x66);
	fake_advance(machine, SECOND);
	assert_false(in(machine, REG_C) & PF);
}

/* Nothing wakes the host for a guest that asked for nothing. */
static void test_idle(void **state)
{
	struct fake_machine *machine = *state;

	out(machine, REG_B, H24);
	for (size_t i = 0; i < FAKE_TIMERS; i++) {
		assert_true(!machine->timers[i].used || machine->timers[i].when_us == UINT64_MAX);
	}
}

static void load_into(struct fake_machine *machine, const uint8_t *saved, size_t size)
{
	struct device *device = rtc_device(machine->rtc);
	struct wire in_wire;

	wire_init_read(&in_wire, saved, size);
	assert_int_equal(device->ops->load(device, 1, &in_wire), 0);
	assert_true(wire_done(&in_wire));
}

/* Three days later on another host: the time is right, and the alarm that was missed is told. */
static void test_resume_later(void **state)
{
	struct fake_machine *machine = *state;
	uint8_t *saved;
	size_t size;

	set_alarm(machine, 0x11, 0x00, 0x00);
	out(machine, REG_B, H24 | AIE);
	(void)in(machine, REG_C);
	fake_save(rtc_device(machine->rtc), &saved, &size);
	fake_machine_destroy(machine);
	machine = fake_machine_create();
	*state = machine;
	machine->now_us = 5000; /* a clock that has just started */
	machine->realtime_us += 3ull * 86400 * SECOND;
	load_into(machine, saved, size);
	assert_int_equal(in(machine, 7), 0x03); /* March 3rd */
	fake_advance(machine, 1);
	assert_true(machine->level[IRQ]);
	assert_int_equal(in(machine, REG_C) & (IRQF | AF), IRQF | AF);

	/* A host whose clock is behind: no flags, and time goes on. */
	machine->realtime_us -= 4ull * 86400 * SECOND;
	load_into(machine, saved, size);
	(void)in(machine, REG_C);
	fake_advance(machine, SECOND);
	assert_true(in(machine, REG_C) & UF);
	free(saved);
}

static void test_cmos(void **state)
{
	struct fake_machine *machine = *state;
	unsigned extended = in(machine, 0x17) | (unsigned)in(machine, 0x18) << 8;
	unsigned sum = 0;

	assert_int_equal(in(machine, 0x15) | in(machine, 0x16) << 8, 640);
	assert_int_equal(extended, 3 * 1024);
	assert_int_equal(in(machine, 0x30) | in(machine, 0x31) << 8, extended);
	assert_int_equal(in(machine, 0x34) | in(machine, 0x35) << 8, 0);
	assert_int_equal(in(machine, 0x5b) | in(machine, 0x5c) << 8 | in(machine, 0x5d) << 16, 0);
	for (uint8_t i = 0x10; i <= 0x2d; i++) {
		sum += in(machine, i);
	}
	assert_int_equal(sum & 0xffff, in(machine, 0x2e) << 8 | in(machine, 0x2f));
	out(machine, 0x17, 0xff);
	assert_int_equal(in(machine, 0x17) | (unsigned)in(machine, 0x18) << 8, extended);
	out(machine, 0x0f, 0x0a);
	out(machine, 0x40, 0x99);
	fake_machine_reset(machine);
	assert_int_equal(in(machine, 0x0f), 0x0a); /* the battery keeps it */
	assert_int_equal(in(machine, 0x40), 0x99);
	/* Bit 7 of the index is the NMI mask; the index reads as nothing. */
	fake_out(machine, 0x70, 1, 0x80 | 0x40);
	assert_int_equal(fake_in(machine, 0x71, 1), 0x99);
	assert_int_equal(fake_in(machine, 0x70, 1), 0xff);
}

static void test_cmos_sizes(void **state)
{
	struct fake_machine *machine = *state;
	struct rtc *rtc;
	struct guestmem large = { .size = 6ull << 30, .low_size = 3ull << 30 };

	/* Only the numbers are looked at. */
	rtc_device(machine->rtc)->ops->destroy(rtc_device(machine->rtc));
	machine->environment.memory = &large;
	assert_int_equal(rtc_create(&machine->environment, &rtc), 0);
	for (size_t i = 0; i < machine->device_count; i++) {
		if (machine->devices[i] == rtc_device(machine->rtc)) {
			machine->devices[i] = rtc_device(rtc);
		}
	}
	machine->rtc = rtc;
	assert_int_equal(in(machine, 0x30) | in(machine, 0x31) << 8, 0xffff);
	assert_int_equal(
	    in(machine, 0x34) | in(machine, 0x35) << 8, ((3ull << 30) - (16 << 20)) / 65536);
	assert_int_equal(in(machine, 0x5b) | in(machine, 0x5c) << 8 | in(machine, 0x5d) << 16,
	    (3ull << 30) / 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_dates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_formats, setup, teardown),
		cmocka_unit_test_setup_teardown(test_update_in_progress, setup, teardown),
		cmocka_unit_test_setup_teardown(test_update_interrupt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alarm, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alarm_12_hours_binary, setup, teardown),
		cmocka_unit_test_setup_teardown(test_periodic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resume_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cmos, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cmos_sizes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
