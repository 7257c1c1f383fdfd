/*
 * MC146818 real-time clock and CMOS memory (ports 0x70, 0x71, IRQ 8; Motorola MC146818A data sheet). The time is always
 * the host's UTC: what a guest writes into the time registers is not kept, so a resumed guest reads the right time.
 * Alarm, periodic and update-ended interrupts; BCD and binary, 12 and 24 hours. CMOS bytes 0x15-0x18, 0x30, 0x31, 0x34,
 * 0x35 and 0x5B-0x5D tell the size of environment->memory, 0x32 is the century. All calls with the machine's lock held.
 */
#pragma once

#include "vmm/device.h"

struct rtc;

must_check int rtc_create(struct device_environment *environment, struct rtc **rtc);
struct device *rtc_device(struct rtc *rtc);
