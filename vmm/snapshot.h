/*
 * A machine's whole state to and from files: the device state file here, the layer in ram.h, the last frame in
 * display/frame.h. vCPUs stand still and the machine's lock is held.
 *
 * The state file, little-endian: magic "TMSTATE1", u32 format version, u64 generation, u64 bytes of memory, u32 vCPUs,
 * u32 sections, XXH3-128 of the header up to here; then the sections, each with its header: string name, u32 instance,
 * u32 version, u64 length, XXH3-128 of the bytes, XXH3-128 of the section header up to here; and the bytes. Nothing
 * follows the last.
 */
#pragma once

#include "base/must_check.h"
#include "vmm/machine.h"

/* Writes and fsyncs files: 0 device state, 1 RAM layer, 2 last frame. 0, or -errno with `reason`. */
must_check int snapshot_save(struct machine *machine, uint64_t generation, const int files[3],
    struct vmm_suspend_report *report, char reason[MACHINE_REASON_MAX]);

/*
 * Restores into a machine that has memory, devices and no processors yet; `create_processors` makes them between the
 * devices (which set memory slots) and the processors' state. Nothing runs before everything was checked and loaded. 0,
 * or an error with `code` (VMM_EXIT_SNAPSHOT for what is damaged or foreign) and `reason`.
 */
must_check int snapshot_load(struct machine *machine,
    int (*create_processors)(struct machine *machine), enum vmm_exit *code,
    char reason[MACHINE_REASON_MAX]);
