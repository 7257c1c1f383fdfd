/*
 * QEMU's firmware configuration interface without DMA (docs/specs/fw_cfg): selector at port 0x510, data at 0x511. Items
 * are asked for their bytes when the guest selects them, so they are always current. All calls with the machine's lock.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vmm/device.h"

enum {
	FW_CFG_FILES_MAX = 16,
	FW_CFG_NAME_MAX = 56,     /* with its NUL */
	FW_CFG_ITEM_MAX = 2048,   /* bytes */
	FW_CFG_FILE_FIRST = 0x20, /* selector of the first file added, the others follow */
};

struct fw_cfg;

/* Writes at most `size` bytes of the item and returns how many. */
typedef size_t (*fw_cfg_get)(void *context, void *bytes, size_t size);

must_check int fw_cfg_create(struct device_environment *environment, struct fw_cfg **fw_cfg);
struct device *fw_cfg_device(struct fw_cfg *fw_cfg);
/* Adds a file, before the guest runs; `name` is copied. -ENOSPC, -EINVAL (name too long or empty), -EEXIST. */
must_check int fw_cfg_add(struct fw_cfg *fw_cfg, const char *name, fw_cfg_get get, void *context);
