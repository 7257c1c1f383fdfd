/*
 * Power management as in ACPI 6.5, section 4.8.3: the PM1a event block (status at port 0x600, enable at 0x602) and
 * control (0x604), interrupt SCI on IRQ 9. Writing SLP_EN with SLP_TYP 0 powers off. (The reset control register at
 * 0xCF9 lies within the ports of the PCI host bridge, which has it: dev/pci.c.) All calls with the machine's lock held.
 */
#pragma once

#include "vmm/device.h"

struct pm;

must_check int pm_create(struct device_environment *environment, struct pm **pm);
struct device *pm_device(struct pm *pm);
/* Sets PWRBTN_STS; interrupts when PWRBTN_EN is set. */
void pm_press_power_button(struct pm *pm);
