/* QEMU's fw_cfg interface by ports, without DMA (QEMU docs/specs/fw_cfg): named items from the
 * host, read only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FWCFG_MAX_FILES 16
#define FWCFG_NAME_SIZE 56

struct fwcfg {
	struct {
		char name[FWCFG_NAME_SIZE];
		uint16_t key;
		uint32_t size;
	} files[FWCFG_MAX_FILES];
	unsigned int count;
};

/* Reads the directory; leaves it empty if there is no such device. */
void fwcfg_init(struct fwcfg *fwcfg);

/* Reads an item as a string, without line end; false (and "") if there is none. */
bool fwcfg_read_string(struct fwcfg *fwcfg, const char *name, char *buffer, size_t size);
