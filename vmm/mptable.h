/*
 * The table by which a guest without ACPI finds its processors and how interrupts reach the IOAPIC: Intel MultiProcessor
 * Specification 1.4, chapter 4. Put where firmware would have put it, at 0xF0000. Pure but for the bus.
 */
#pragma once

#include <stdint.h>

#include "base/must_check.h"
#include "vmm/bus.h"
#include "vmm/guestmem.h"

/*
 * Writes the table for `vcpus` processors whose CPUID leaf 1 says `signature` (EAX) and `features` (EDX). PCI interrupt
 * lines are read through configuration mechanism 1 of `bus`, so after the lines were assigned. 0 or -errno.
 */
must_check int mptable_write(struct guestmem *memory, struct bus *bus, uint32_t vcpus,
    uint32_t signature, uint32_t features);
