/* Time from the TSC; see clock.h. */
#include "hw/clock.h"

#include "boot/gate.h"
#include "hw/io.h"

#define MSR_KVM_SYSTEM_TIME_NEW 0x4b564d01u
#define PIT_HZ                  1193182u
#define CALIBRATION_MS          10

/* What the host writes (struct pvclock_vcpu_time_info). */
struct pvclock {
	volatile uint32_t version; /* odd while it is being written */
	uint32_t pad;
	uint64_t tsc_timestamp;
	uint64_t system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags;
	uint8_t pad2[2];
};

/* Its address is given to the host, and the two must not part: so it is not a part of any object
 * that could move. */
static struct pvclock pvclock_page __attribute__((aligned(64)));

/* (ticks shifted by `shift`) * mul / 2^32, as the interface defines it. */
static uint64_t scale(uint64_t ticks, int shift, uint32_t mul)
{
	ticks = shift >= 0 ? ticks << shift : ticks >> -shift;
	return (uint64_t)((unsigned __int128)ticks * mul >> 32);
}

static uint64_t read_kvm(uint64_t tsc)
{
	struct pvclock copy;
	uint32_t version;

	do {
		version = pvclock_page.version;
		io_barrier();
		copy = pvclock_page;
		io_barrier();
	} while ((version & 1) || version != pvclock_page.version);
	if (tsc == 0) {
		tsc = io_read_tsc();
	}
	if (tsc < copy.tsc_timestamp) {
		return copy.system_time -
		       scale(copy.tsc_timestamp - tsc, copy.tsc_shift, copy.tsc_to_system_mul);
	}
	return copy.system_time +
	       scale(tsc - copy.tsc_timestamp, copy.tsc_shift, copy.tsc_to_system_mul);
}

static uint16_t read_pit(void)
{
	uint16_t low;

	io_write8(0x43, 0x00); /* latch channel 0 */
	low = io_read8(0x40);
	return (uint16_t)(low | io_read8(0x40) << 8);
}

/* TSC ticks in a millisecond, counted while the PIT's channel 0 counts down. Its interrupt is
 * masked. */
static uint64_t calibrate(void)
{
	uint64_t start;
	uint64_t end;
	uint16_t from;
	uint16_t now;
	int patience = 1000000;

	io_write8(0x43, 0x30);
	io_write8(0x40, 0xff);
	io_write8(0x40, 0xff);
	from = read_pit();
	start = io_read_tsc();
	do {
		now = read_pit();
		end = io_read_tsc();
	} while ((uint16_t)(from - now) < PIT_HZ * CALIBRATION_MS / 1000 && --patience > 0);
	if (patience == 0 || from == now) {
		return 2000000;
	}
	return (end - start) * (PIT_HZ / 1000) / (uint16_t)(from - now);
}

static uint64_t read_raw(const struct clock *clock, uint64_t tsc)
{
	if (clock->kvm) {
		return read_kvm(tsc);
	}
	tsc = tsc ? tsc : io_read_tsc();
	return tsc / clock->ticks_per_ms * 1000000 +
	       tsc % clock->ticks_per_ms * 1000000 / clock->ticks_per_ms;
}

void clock_init(struct clock *clock)
{
	*clock = (struct clock){ .kvm = false };
	clock->kvm = gate_write_msr(MSR_KVM_SYSTEM_TIME_NEW, (uintptr_t)&pvclock_page | 1) &&
		     pvclock_page.tsc_to_system_mul != 0;
	if (!clock->kvm) {
		clock->ticks_per_ms = calibrate();
	}
	clock->start_ns = read_raw(clock, 0);
}

uint64_t clock_now_ns(struct clock *clock)
{
	uint64_t now = read_raw(clock, 0) - clock->start_ns;

	if (now > clock->last_ns && now < UINT64_MAX / 2) {
		clock->last_ns = now;
	}
	return clock->last_ns;
}

uint64_t clock_since_ns(const struct clock *clock, uint64_t tsc)
{
	return clock->start_ns - read_raw(clock, tsc);
}
