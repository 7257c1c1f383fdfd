/*
 * fw_cfg without DMA. What must stay true: an item's bytes are taken once, when it is selected, so a guest that reads it
 * byte by byte sees one version of it, also when it is suspended in between.
 */
#include "vmm/dev/fw_cfg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	PORT_SELECTOR = 0x510,
	PORT_COUNT = 2, /* data at offset 1 */
	ITEM_SIGNATURE = 0x00,
	ITEM_ID = 0x01,
	ITEM_FILE_DIRECTORY = 0x19,
	ID_TRADITIONAL = 1, /* no DMA */
	DIRECTORY_ENTRY = 64,
};

_Static_assert(
    4 + FW_CFG_FILES_MAX * DIRECTORY_ENTRY <= FW_CFG_ITEM_MAX, "the directory is an item, too");

struct fw_cfg_file {
	char name[FW_CFG_NAME_MAX];
	fw_cfg_get get;
	void *context;
};

struct fw_cfg {
	struct device device;
	struct device_environment *environment;
	struct fw_cfg_file files[FW_CFG_FILES_MAX];
	unsigned file_count;
	uint16_t selector;
	uint8_t item[FW_CFG_ITEM_MAX]; /* the selected one's bytes */
	uint32_t item_size;
	uint32_t position; /* of the next byte that is read; at most item_size */
};

static size_t get_file(const struct fw_cfg_file *file, uint8_t bytes[FW_CFG_ITEM_MAX])
{
	size_t size = file->get(file->context, bytes, FW_CFG_ITEM_MAX);

	return size > FW_CFG_ITEM_MAX ? FW_CFG_ITEM_MAX : size;
}

/* Big-endian: count, then size, selector, a reserved field and the name of each file. */
static void put_directory(struct fw_cfg *fw_cfg)
{
	uint8_t scratch[FW_CFG_ITEM_MAX];
	struct wire out;

	wire_init_write(&out, fw_cfg->item, sizeof(fw_cfg->item));
	wire_put_be32(&out, fw_cfg->file_count);
	for (unsigned i = 0; i < fw_cfg->file_count; i++) {
		const struct fw_cfg_file *file = &fw_cfg->files[i];

		wire_put_be32(&out, (uint32_t)get_file(file, scratch));
		wire_put_be16(&out, (uint16_t)(FW_CFG_FILE_FIRST + i));
		wire_put_be16(&out, 0);
		wire_put_bytes(&out, file->name, FW_CFG_NAME_MAX);
	}
	fw_cfg->item_size = (uint32_t)out.position;
}

static void select_item(struct fw_cfg *fw_cfg, uint16_t selector)
{
	static const uint8_t signature[4] = { 'Q', 'E', 'M', 'U' };
	static const uint8_t id[4] = { ID_TRADITIONAL };

	fw_cfg->selector = selector;
	fw_cfg->position = 0;
	fw_cfg->item_size = 0;
	if (selector == ITEM_SIGNATURE) {
		memcpy(fw_cfg->item, signature, sizeof(signature));
		fw_cfg->item_size = sizeof(signature);
	} else if (selector == ITEM_ID) {
		memcpy(fw_cfg->item, id, sizeof(id));
		fw_cfg->item_size = sizeof(id);
	} else if (selector == ITEM_FILE_DIRECTORY) {
		put_directory(fw_cfg);
	} else if (selector >= FW_CFG_FILE_FIRST &&
		   selector - FW_CFG_FILE_FIRST < (int)fw_cfg->file_count) {
		fw_cfg->item_size = (uint32_t)get_file(
		    &fw_cfg->files[selector - FW_CFG_FILE_FIRST], fw_cfg->item);
	}
}

static uint64_t port_read(void *context, uint64_t offset, unsigned size)
{
	struct fw_cfg *fw_cfg = context;

	if (offset == 0 && size == 2) {
		return fw_cfg->selector;
	}
	if (offset != 1) {
		return UINT64_MAX;
	}
	/* Past the end there are zeros. */
	return fw_cfg->position < fw_cfg->item_size ? fw_cfg->item[fw_cfg->position++] : 0;
}

static void port_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	if (offset == 0 && size == 2) {
		select_item(context, (uint16_t)value);
	}
}

static const struct bus_ops port_ops = { .read = port_read, .write = port_write };

static void fw_cfg_reset(struct device *device)
{
	select_item((struct fw_cfg *)device, ITEM_SIGNATURE);
}

static int fw_cfg_save(const struct device *device, struct wire *out)
{
	const struct fw_cfg *fw_cfg = (const struct fw_cfg *)device;

	wire_put_u16(out, fw_cfg->selector);
	wire_put_u32(out, fw_cfg->position);
	wire_put_u32(out, fw_cfg->item_size);
	wire_put_bytes(out, fw_cfg->item, fw_cfg->item_size);
	return wire_ok(out) ? 0 : -EMSGSIZE;
}

static int fw_cfg_load(struct device *device, uint32_t version, struct wire *in)
{
	struct fw_cfg *fw_cfg = (struct fw_cfg *)device;
	uint16_t selector = wire_get_u16(in);
	uint32_t position = wire_get_u32(in);
	uint32_t size = wire_get_u32(in);

	(void)version;
	if (!wire_ok(in) || size > FW_CFG_ITEM_MAX || position > size) {
		return -EPROTO;
	}
	fw_cfg->selector = selector;
	fw_cfg->position = position;
	fw_cfg->item_size = size;
	wire_get_bytes(in, fw_cfg->item, size);
	return wire_ok(in) ? 0 : -EPROTO;
}

static void fw_cfg_destroy(struct device *device)
{
	struct fw_cfg *fw_cfg = (struct fw_cfg *)device;

	bus_remove(fw_cfg->environment->bus, BUS_PORTS, PORT_SELECTOR);
	free(fw_cfg);
}

static const struct device_ops fw_cfg_ops = {
	.name = "fw-cfg",
	.version = 1,
	.reset = fw_cfg_reset,
	.save = fw_cfg_save,
	.load = fw_cfg_load,
	.destroy = fw_cfg_destroy,
};

int fw_cfg_create(struct device_environment *environment, struct fw_cfg **fw_cfg)
{
	struct fw_cfg *created = calloc(1, sizeof(*created));
	int error;

	if (!created) {
		return -ENOMEM;
	}
	created->device.ops = &fw_cfg_ops;
	created->environment = environment;
	error = bus_add(environment->bus, BUS_PORTS, PORT_SELECTOR, PORT_COUNT, &port_ops, created);
	if (error < 0) {
		free(created);
		return error;
	}
	fw_cfg_reset(&created->device);
	*fw_cfg = created;
	return 0;
}

struct device *fw_cfg_device(struct fw_cfg *fw_cfg)
{
	return &fw_cfg->device;
}

int fw_cfg_add(struct fw_cfg *fw_cfg, const char *name, fw_cfg_get get, void *context)
{
	size_t length = strlen(name);

	if (length == 0 || length >= FW_CFG_NAME_MAX) {
		return -EINVAL;
	}
	if (fw_cfg->file_count == FW_CFG_FILES_MAX) {
		return -ENOSPC;
	}
	for (unsigned i = 0; i < fw_cfg->file_count; i++) {
		if (strcmp(fw_cfg->files[i].name, name) == 0) {
			return -EEXIST;
		}
	}
	fw_cfg->files[fw_cfg->file_count] = (struct fw_cfg_file){ .get = get, .context = context };
	memcpy(fw_cfg->files[fw_cfg->file_count].name, name, length);
	fw_cfg->file_count++;
	return 0;
}
