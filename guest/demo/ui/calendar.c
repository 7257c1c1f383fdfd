/* Dates from seconds, after Howard Hinnant's days-to-civil algorithm; no time zone data, the caller
 * adds the offset. */
#include "lib/text.h"
#include "ui/parts.h"

static const char *const weekdays[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	"Oct", "Nov", "Dec" };

struct date {
	int year;
	int month; /* 0..11 */
	int day;   /* 1..31 */
	const char *weekday;
	int second; /* of the day */
};

static struct date split(int64_t local)
{
	int64_t days = (local >= 0 ? local : 0) / 86400;
	int64_t shifted = days + 719468;
	int64_t era = shifted / 146097;
	int64_t of_era = shifted - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t m = (5 * of_year + 2) / 153;

	return (struct date){
		.year = (int)(year + era * 400 + (m >= 10)),
		.month = (int)(m < 10 ? m + 2 : m - 10),
		.day = (int)(of_year - (153 * m + 2) / 5 + 1),
		.weekday = weekdays[days % 7],
		.second = (int)((local >= 0 ? local : 0) % 86400),
	};
}

void calendar_format_clock(int64_t local, char *buffer, size_t size)
{
	struct date date = split(local);

	text_format(buffer, size, "%02d:%02d", date.second / 3600, date.second / 60 % 60);
}

void calendar_format_date(int64_t local, char *buffer, size_t size)
{
	struct date date = split(local);

	text_format(buffer, size, "%s %d %s", date.weekday, date.day, months[date.month]);
}

void calendar_format_full(int64_t local, char *buffer, size_t size)
{
	struct date date = split(local);

	text_format(buffer, size, "%s %d %s %d %02d:%02d:%02d", date.weekday, date.day,
	    months[date.month], date.year, date.second / 3600, date.second / 60 % 60,
	    date.second % 60);
}

const char *calendar_greeting(int64_t local)
{
	int hour = split(local).second / 3600;

	return hour < 5    ? "Good night"
	       : hour < 12 ? "Good morning"
	       : hour < 18 ? "Good afternoon"
			   : "Good evening";
}
