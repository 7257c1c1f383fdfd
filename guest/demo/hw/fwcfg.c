/* fw_cfg: selector, then bytes; see fwcfg.h. The directory is big-endian and bounded here, whatever
 * the host says. */
#include "hw/fwcfg.h"

#include "hw/io.h"
#include "lib/text.h"

#define SELECTOR      0x510
#define DATA          0x511
#define KEY_SIGNATURE 0x00
#define KEY_DIRECTORY 0x19

static uint32_t read_number(size_t size)
{
	uint8_t bytes[4];
	uint32_t value = 0;

	io_read_string(DATA, bytes, size);
	for (size_t i = 0; i < size; i++) {
		value = value << 8 | bytes[i];
	}
	return value;
}

void fwcfg_init(struct fwcfg *fwcfg)
{
	uint32_t count;

	fwcfg->count = 0;
	io_write16(SELECTOR, KEY_SIGNATURE);
	if (read_number(4) != 0x51454d55) { /* QEMU */
		return;
	}
	io_write16(SELECTOR, KEY_DIRECTORY);
	count = read_number(4);
	for (uint32_t i = 0; i < count && i < FWCFG_MAX_FILES; i++) {
		fwcfg->files[i].size = read_number(4);
		fwcfg->files[i].key = (uint16_t)read_number(2);
		(void)read_number(2);
		io_read_string(DATA, fwcfg->files[i].name, FWCFG_NAME_SIZE);
		fwcfg->files[i].name[FWCFG_NAME_SIZE - 1] = '\0';
		fwcfg->count++;
	}
}

bool fwcfg_read_string(struct fwcfg *fwcfg, const char *name, char *buffer, size_t size)
{
	size_t length = 0;
	size_t most;

	buffer[0] = '\0';
	/* The host's texts grow: "9 times resumed" becomes 10, so the sizes are read anew. */
	fwcfg_init(fwcfg);
	for (unsigned int i = 0; i < fwcfg->count; i++) {
		if (!text_equal(fwcfg->files[i].name, name)) {
			continue;
		}
		io_write16(SELECTOR, fwcfg->files[i].key);
		most = fwcfg->files[i].size < size - 1 ? fwcfg->files[i].size : size - 1;
		io_read_string(DATA, buffer, most);
		while (length < most && buffer[length] && buffer[length] != '\n') {
			length++;
		}
		buffer[length] = '\0';
		return true;
	}
	return false;
}
