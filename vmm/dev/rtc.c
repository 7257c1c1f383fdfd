/*
 * MC146818. What must stay true: time is computed from the host's clock whenever it is read, never counted here, so
 * nothing is lost or repeated by a suspend; flags of register C are caught up to the present before anything looks at
 * them. A second's boundaries are those of the host's clock; "update in progress" covers the 244 us before one.
 */
#include "vmm/dev/rtc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	PORT_INDEX = 0x70,
	PORT_COUNT = 2,
	GSI_RTC = 8,
	CMOS_SIZE = 128,

	REG_SECONDS = 0,
	REG_SECONDS_ALARM = 1,
	REG_MINUTES = 2,
	REG_MINUTES_ALARM = 3,
	REG_HOURS = 4,
	REG_HOURS_ALARM = 5,
	REG_WEEKDAY = 6,
	REG_DAY = 7,
	REG_MONTH = 8,
	REG_YEAR = 9,
	REG_A = 10,
	REG_B = 11,
	REG_C = 12,
	REG_D = 13,
	REG_CENTURY = 0x32,

	A_UIP = 0x80,
	A_DIVIDER = 0x70,
	A_DIVIDER_RUNS = 0x20, /* 32.768 kHz */
	A_RATE = 0x0f,
	B_SET = 0x80,
	B_PIE = 0x40,
	B_AIE = 0x20,
	B_UIE = 0x10,
	B_SQWE = 0x08,
	B_BINARY = 0x04,
	B_24H = 0x02,
	C_IRQF = 0x80,
	C_PF = 0x40,
	C_AF = 0x20,
	C_UF = 0x10,
	D_VALID = 0x80,
	HOUR_PM = 0x80,
	ALARM_ANY = 0xc0, /* both top bits: any value matches */

	UPDATE_US = 244,
	SECOND_US = 1000000,
	DAY_SECONDS = 86400,
	ALARM_WAIT_MAX_S = 60, /* the host's clock may be set while we wait */
};

struct rtc {
	struct device device;
	struct device_environment *environment;
	struct device_timer *timer;
	uint8_t index;
	uint8_t cmos
	    [CMOS_SIZE]; /* alarm and control registers at their index; time registers are not kept */
	uint64_t seen_second; /* of the epoch, the last for which UF and AF were decided */
	uint64_t
	    periodic_us; /* CLOCK_MONOTONIC of the next periodic event; 0 while there is none */
};

struct rtc_time {
	unsigned second, minute, hour, weekday, day, month, year; /* weekday 1 is Sunday */
};

/* Days to year, month and day after Howard Hinnant's "chrono-compatible low-level date algorithms". */
static void time_from_epoch(uint64_t seconds, struct rtc_time *time)
{
	uint64_t days = seconds / DAY_SECONDS, shifted = days + 719468, era = shifted / 146097;
	unsigned of_day = (unsigned)(seconds % DAY_SECONDS);
	unsigned day_of_era = (unsigned)(shifted - era * 146097);
	unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
				   day_of_era / 146096) /
			       365;
	unsigned day_of_year = day_of_era -
			       (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned month = (5 * day_of_year + 2) / 153; /* from March */

	time->second = of_day % 60;
	time->minute = of_day / 60 % 60;
	time->hour = of_day / 3600;
	time->weekday = (unsigned)((days + 4) % 7) + 1;
	time->day = day_of_year - (153 * month + 2) / 5 + 1;
	time->month = month < 10 ? month + 3 : month - 9;
	time->year = year_of_era + (unsigned)(era * 400) + (time->month <= 2 ? 1 : 0);
}

static uint8_t encode(const struct rtc *rtc, unsigned value)
{
	return (uint8_t)(rtc->cmos[REG_B] & B_BINARY ? value : value / 10 << 4 | value % 10);
}

static uint8_t encode_hour(const struct rtc *rtc, unsigned hour)
{
	if (rtc->cmos[REG_B] & B_24H) {
		return encode(rtc, hour);
	}
	return (uint8_t)(encode(rtc, hour % 12 == 0 ? 12 : hour % 12) | (hour >= 12 ? HOUR_PM : 0));
}

static uint64_t now_second(const struct rtc *rtc)
{
	return rtc->environment->realtime_us() / SECOND_US;
}

static bool alarm_matches(const struct rtc *rtc, uint64_t second)
{
	unsigned of_day = (unsigned)(second % DAY_SECONDS);
	const uint8_t *cmos = rtc->cmos;

	return ((cmos[REG_SECONDS_ALARM] & ALARM_ANY) == ALARM_ANY ||
		   cmos[REG_SECONDS_ALARM] == encode(rtc, of_day % 60)) &&
	       ((cmos[REG_MINUTES_ALARM] & ALARM_ANY) == ALARM_ANY ||
		   cmos[REG_MINUTES_ALARM] == encode(rtc, of_day / 60 % 60)) &&
	       ((cmos[REG_HOURS_ALARM] & ALARM_ANY) == ALARM_ANY ||
		   cmos[REG_HOURS_ALARM] == encode_hour(rtc, of_day / 3600));
}

/* Microseconds of one period, 0 when there is none (table 5 of the data sheet). */
static uint64_t period_us(const struct rtc *rtc)
{
	unsigned rate = rtc->cmos[REG_A] & A_RATE;

	if (rate == 0 || (rtc->cmos[REG_A] & A_DIVIDER) != A_DIVIDER_RUNS) {
		return 0;
	}
	if (rate <= 2) {
		rate += 7;
	}
	return ((uint64_t)SECOND_US << (rate - 1)) / 32768;
}

/* Brings register C up to the present. */
static void catch_up(struct rtc *rtc)
{
	uint64_t now = rtc->environment->now_us(), second = now_second(rtc),
		 period = period_us(rtc);
	uint64_t passed = second > rtc->seen_second ? second - rtc->seen_second : 0;
	uint8_t *flags = &rtc->cmos[REG_C];

	if (rtc->periodic_us != 0 && now >= rtc->periodic_us && period != 0) {
		*flags |= C_PF;
		rtc->periodic_us += ((now - rtc->periodic_us) / period + 1) * period;
	}
	if (passed > 0 && !(rtc->cmos[REG_B] & B_SET)) {
		*flags |= C_UF;
		/* A day holds every time of day: what has been missed longer ago than that matches there, too. */
		for (uint64_t i = 0; i < passed && i < DAY_SECONDS && !(*flags & C_AF); i++) {
			if (alarm_matches(rtc, second - i)) {
				*flags |= C_AF;
			}
		}
	}
	rtc->seen_second = second;
}

/* When the next alarm is due, in microseconds from now, or a while before. */
static uint64_t alarm_wait_us(const struct rtc *rtc, uint64_t to_boundary_us)
{
	uint64_t next = now_second(rtc) + 1;
	uint64_t i = 0;

	while (i < ALARM_WAIT_MAX_S && !alarm_matches(rtc, next + i)) {
		i++;
	}
	return to_boundary_us + i * SECOND_US;
}

/* Drives the line and sets the timer for the next enabled event. */
static void update(struct rtc *rtc)
{
	uint8_t enabled = rtc->cmos[REG_B] & (B_PIE | B_AIE | B_UIE);
	uint8_t *flags = &rtc->cmos[REG_C];
	uint64_t now = rtc->environment->now_us(), when = UINT64_MAX;
	uint64_t to_boundary = SECOND_US - rtc->environment->realtime_us() % SECOND_US;

	/* The enable bits of B are at the places of the flags of C. */
	if (*flags & enabled) {
		*flags |= C_IRQF;
	} else {
		*flags &= (uint8_t)~C_IRQF;
	}
	irq_set_line(rtc->environment->irq, GSI_RTC, *flags & C_IRQF);

	if ((enabled & B_PIE) && !(*flags & C_PF) && rtc->periodic_us != 0) {
		when = rtc->periodic_us;
	}
	if (!(rtc->cmos[REG_B] & B_SET)) {
		if ((enabled & B_UIE) && !(*flags & C_UF) && now + to_boundary < when) {
			when = now + to_boundary;
		}
		if ((enabled & B_AIE) && !(*flags & C_AF) &&
		    now + alarm_wait_us(rtc, to_boundary) < when) {
			when = now + alarm_wait_us(rtc, to_boundary);
		}
	}
	rtc->environment->timer_set(rtc->timer, when);
}

static void on_timer(void *context)
{
	struct rtc *rtc = context;

	catch_up(rtc);
	update(rtc);
}

static void restart_period(struct rtc *rtc)
{
	uint64_t period = period_us(rtc);

	rtc->periodic_us = period != 0 ? rtc->environment->now_us() + period : 0;
}

static uint8_t read_time(const struct rtc *rtc, unsigned index)
{
	struct rtc_time time;

	time_from_epoch(now_second(rtc), &time);
	switch (index) {
	case REG_SECONDS:
		return encode(rtc, time.second);
	case REG_MINUTES:
		return encode(rtc, time.minute);
	case REG_HOURS:
		return encode_hour(rtc, time.hour);
	case REG_WEEKDAY:
		return encode(rtc, time.weekday);
	case REG_DAY:
		return encode(rtc, time.day);
	case REG_MONTH:
		return encode(rtc, time.month);
	case REG_YEAR:
		return encode(rtc, time.year % 100);
	default:
		return encode(rtc, time.year / 100 % 100);
	}
}

static uint8_t read_register(struct rtc *rtc, unsigned index)
{
	uint8_t value;

	switch (index) {
	case REG_SECONDS:
	case REG_MINUTES:
	case REG_HOURS:
	case REG_WEEKDAY:
	case REG_DAY:
	case REG_MONTH:
	case REG_YEAR:
	case REG_CENTURY:
		return read_time(rtc, index);
	case REG_A:
		value = rtc->cmos[REG_A];
		if (!(rtc->cmos[REG_B] & B_SET) &&
		    rtc->environment->realtime_us() % SECOND_US >= SECOND_US - UPDATE_US) {
			value |= A_UIP;
		}
		return value;
	case REG_C:
		catch_up(rtc);
		update(rtc);
		value = rtc->cmos[REG_C];
		rtc->cmos[REG_C] = 0;
		update(rtc);
		return value;
	case REG_D:
		return D_VALID;
	default:
		return rtc->cmos[index];
	}
}

/* Bytes that say what machine this is, for whoever asks the CMOS: read-only, and not part of a snapshot. */
static bool is_fixed(unsigned index)
{
	return (index >= 0x10 && index <= 0x31) || (index >= 0x34 && index <= 0x35) ||
	       (index >= 0x5b && index <= 0x5d);
}

static bool is_time(unsigned index)
{
	return index == REG_SECONDS || index == REG_MINUTES || index == REG_HOURS ||
	       (index >= REG_WEEKDAY && index <= REG_YEAR) || index == REG_CENTURY;
}

static void write_register(struct rtc *rtc, unsigned index, uint8_t value)
{
	if (is_time(index) || is_fixed(index) || index == REG_C || index == REG_D) {
		return;
	}
	catch_up(rtc);
	if (index == REG_A) {
		uint8_t before = rtc->cmos[REG_A];

		rtc->cmos[REG_A] = value & (uint8_t)~A_UIP;
		if (rtc->cmos[REG_A] != before) {
			restart_period(rtc);
		}
	} else if (index == REG_B) {
		/* Setting the clock disables its update interrupt (section "Register B"). */
		rtc->cmos[REG_B] = value & B_SET ? value & (uint8_t)~B_UIE : value;
	} else {
		rtc->cmos[index] = value;
	}
	update(rtc);
}

static uint64_t port_read(void *context, uint64_t offset, unsigned size)
{
	struct rtc *rtc = context;

	if (offset != 1 || size != 1) {
		return UINT64_MAX;
	}
	return read_register(rtc, rtc->index);
}

static void port_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct rtc *rtc = context;

	if (size != 1) {
		return;
	}
	if (offset == 0) {
		rtc->index = value & (CMOS_SIZE - 1); /* bit 7 masks the NMI */
	} else {
		write_register(rtc, rtc->index, (uint8_t)value);
	}
}

static const struct bus_ops port_ops = { .read = port_read, .write = port_write };

static void put_u16(struct rtc *rtc, unsigned index, uint64_t value)
{
	uint16_t capped = value > UINT16_MAX ? UINT16_MAX : (uint16_t)value;

	rtc->cmos[index] = (uint8_t)capped;
	rtc->cmos[index + 1] = (uint8_t)(capped >> 8);
}

static void put_fixed(struct rtc *rtc)
{
	const struct guestmem *memory = rtc->environment->memory;
	const uint64_t kib = 1024, mib = 1024 * kib;
	uint64_t low = memory->low_size, high = (memory->size - low) / (64 * kib);
	uint16_t sum = 0;

	memset(&rtc->cmos[0x10], 0, 0x32 - 0x10);
	rtc->cmos[0x14] = 0x06; /* equipment: coprocessor, pointing device */
	put_u16(rtc, 0x15, 640);
	put_u16(rtc, 0x17, low > mib ? (low - mib) / kib : 0);
	for (unsigned i = 0x10; i <= 0x2d; i++) {
		sum = (uint16_t)(sum + rtc->cmos[i]);
	}
	rtc->cmos[0x2e] = (uint8_t)(sum >> 8);
	rtc->cmos[0x2f] = (uint8_t)sum;
	put_u16(rtc, 0x30, low > mib ? (low - mib) / kib : 0);
	put_u16(rtc, 0x34, low > 16 * mib ? (low - 16 * mib) / (64 * kib) : 0);
	rtc->cmos[0x5b] = (uint8_t)high;
	rtc->cmos[0x5c] = (uint8_t)(high >> 8);
	rtc->cmos[0x5d] = (uint8_t)(high >> 16);
}

static void rtc_reset(struct device *device)
{
	struct rtc *rtc = (struct rtc *)device;

	/* The battery keeps the rest. */
	rtc->cmos[REG_B] &= (uint8_t) ~(B_PIE | B_AIE | B_UIE | B_SQWE);
	rtc->cmos[REG_C] = 0;
	rtc->index = 0;
	update(rtc);
}

static int rtc_save(const struct device *device, struct wire *out)
{
	const struct rtc *rtc = (const struct rtc *)device;
	uint64_t now = rtc->environment->now_us();

	wire_put_u8(out, rtc->index);
	wire_put_bytes(out, rtc->cmos, CMOS_SIZE);
	wire_put_u64(out, rtc->seen_second);
	/* CLOCK_MONOTONIC means nothing to the next host process: only what is left. */
	wire_put_u64(out, rtc->periodic_us > now ? rtc->periodic_us - now : 0);
	return wire_ok(out) ? 0 : -EMSGSIZE;
}

static int rtc_load(struct device *device, uint32_t version, struct wire *in)
{
	struct rtc *rtc = (struct rtc *)device;
	uint64_t left, seen;

	(void)version;
	rtc->index = wire_get_u8(in);
	wire_get_bytes(in, rtc->cmos, CMOS_SIZE);
	seen = wire_get_u64(in);
	left = wire_get_u64(in);
	put_fixed(rtc);
	if (!wire_ok(in) || rtc->index >= CMOS_SIZE || (rtc->cmos[REG_A] & A_UIP) ||
	    (rtc->cmos[REG_C] & ~(C_IRQF | C_PF | C_AF | C_UF)) || left > SECOND_US) {
		return -EPROTO;
	}
	/* A host whose clock was set back since must not keep the guest's flags waiting for years. */
	rtc->seen_second = seen > now_second(rtc) ? now_second(rtc) : seen;
	rtc->periodic_us = period_us(rtc) != 0 ? rtc->environment->now_us() + left : 0;
	update(rtc);
	/* What has become due meanwhile is told as soon as the machine runs. */
	rtc->environment->timer_set(rtc->timer, rtc->environment->now_us());
	return 0;
}

static void rtc_destroy(struct device *device)
{
	struct rtc *rtc = (struct rtc *)device;

	bus_remove(rtc->environment->bus, BUS_PORTS, PORT_INDEX);
	rtc->environment->timer_destroy(rtc->timer);
	free(rtc);
}

static const struct device_ops rtc_ops = {
	.name = "rtc",
	.version = 1,
	.reset = rtc_reset,
	.save = rtc_save,
	.load = rtc_load,
	.destroy = rtc_destroy,
};

int rtc_create(struct device_environment *environment, struct rtc **rtc)
{
	struct rtc *created = calloc(1, sizeof(*created));
	int error;

	if (!created) {
		return -ENOMEM;
	}
	created->device.ops = &rtc_ops;
	created->environment = environment;
	created->timer = environment->timer_create(environment, on_timer, created);
	if (!created->timer) {
		error = -ENOMEM;
		goto fail_timer;
	}
	error = bus_add(environment->bus, BUS_PORTS, PORT_INDEX, PORT_COUNT, &port_ops, created);
	if (error < 0) {
		goto fail_bus;
	}
	created->cmos[REG_A] = A_DIVIDER_RUNS | 6; /* 1024 Hz */
	created->cmos[REG_B] = B_24H;
	created->seen_second = now_second(created);
	put_fixed(created);
	restart_period(created);
	*rtc = created;
	return 0;

fail_bus:
	environment->timer_destroy(created->timer);
fail_timer:
	free(created);
	return error;
}

struct device *rtc_device(struct rtc *rtc)
{
	return &rtc->device;
}
