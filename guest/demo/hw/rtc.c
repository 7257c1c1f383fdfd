/* Reads the clock twice until both agree, so that an update in between cannot be seen half. */
#include "hw/rtc.h"

#include "hw/io.h"

#include <stdbool.h>

#define INDEX 0x70
#define DATA  0x71

struct reading {
	int second;
	int minute;
	int hour;
	int day;
	int month;
	int year;
	int century;
};

static int get(uint8_t reg)
{
	io_write8(INDEX, reg);
	return io_read8(DATA);
}

static struct reading take(void)
{
	return (struct reading){ get(0), get(2), get(4), get(7), get(8), get(9), get(0x32) };
}

static bool same(const struct reading *a, const struct reading *b)
{
	return a->second == b->second && a->minute == b->minute && a->hour == b->hour &&
	       a->day == b->day && a->month == b->month && a->year == b->year;
}

static int binary(int bcd)
{
	return (bcd >> 4) * 10 + (bcd & 15);
}

/* Days from 1970-01-01 (Howard Hinnant's algorithm). */
static int64_t days(int year, int month, int day)
{
	int y = year - (month <= 2);
	int era = y / 400;
	int of_era = y - era * 400;
	int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t rtc_read(void)
{
	struct reading before;
	struct reading r;
	int format = get(0x0b);
	bool afternoon;

	for (int i = 0; i < 1000 && (get(0x0a) & 0x80); i++) {
	}
	r = take();
	do {
		before = r;
		r = take();
	} while (!same(&before, &r));
	afternoon = r.hour & 0x80;
	r.hour &= 0x7f;
	if (!(format & 4)) {
		r = (struct reading){ binary(r.second), binary(r.minute), binary(r.hour),
			binary(r.day), binary(r.month), binary(r.year), binary(r.century) };
	}
	if (!(format & 2)) {
		r.hour = r.hour % 12 + (afternoon ? 12 : 0);
	}
	r.century = r.century >= 19 && r.century <= 21 ? r.century : 20;
	if (r.month < 1 || r.month > 12 || r.day < 1 || r.day > 31) {
		return 0;
	}
	return days(r.century * 100 + r.year, r.month, r.day) * 86400 + r.hour * 3600 +
	       r.minute * 60 + r.second;
}
