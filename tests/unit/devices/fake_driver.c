/* The fake driver, after sections 3.1 and 4.1 of virtio 1.2. */
#include "fake_driver.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

static void check(int error)
{
	if (error < 0) {
		abort();
	}
}

bool fake_driver_probe(
    struct fake_machine *machine, unsigned slot, uint64_t space, struct fake_driver *driver)
{
	unsigned offset = fake_config_read(machine, slot, PCI_CAPABILITY_LIST, 1);

	*driver = (struct fake_driver){ .machine = machine, .slot = slot, .space = space };
	for (unsigned i = 0; offset != 0 && i < 48; i++) {
		if (fake_config_read(machine, slot, offset, 1) == PCI_CAP_ID_VNDR) {
			unsigned type = fake_config_read(machine, slot, offset + 3, 1);
			unsigned bar = fake_config_read(machine, slot, offset + 4, 1);
			uint64_t at = fake_bar(machine, slot, bar) +
				      fake_config_read(machine, slot, offset + 8, 4);

			if (type == VIRTIO_PCI_CAP_COMMON_CFG) {
				driver->common = at;
			} else if (type == VIRTIO_PCI_CAP_NOTIFY_CFG) {
				driver->notify = at;
				driver->notify_multiplier = fake_config_read(
				    machine, slot, offset + 16, 4);
			} else if (type == VIRTIO_PCI_CAP_ISR_CFG) {
				driver->isr = at;
			} else if (type == VIRTIO_PCI_CAP_DEVICE_CFG) {
				driver->config = at;
			}
		}
		offset = fake_config_read(machine, slot, offset + 1, 1);
	}
	return driver->common && driver->notify && driver->isr;
}

uint8_t fake_driver_status(struct fake_driver *driver)
{
	return (uint8_t)fake_load(driver->machine, driver->common + VIRTIO_PCI_COMMON_STATUS, 1);
}

void fake_driver_set_status(struct fake_driver *driver, uint8_t status)
{
	fake_store(driver->machine, driver->common + VIRTIO_PCI_COMMON_STATUS, 1, status);
}

static void set_up_msix(struct fake_driver *driver, unsigned vectors)
{
	struct fake_machine *machine = driver->machine;
	unsigned offset = fake_config_read(machine, driver->slot, PCI_CAPABILITY_LIST, 1);
	uint64_t table = fake_bar(machine, driver->slot, 2);

	while (
	    offset != 0 && fake_config_read(machine, driver->slot, offset, 1) != PCI_CAP_ID_MSIX) {
		offset = fake_config_read(machine, driver->slot, offset + 1, 1);
	}
	check(offset ? 0 : -1);
	for (unsigned i = 0; i < vectors; i++) {
		fake_store(machine, table + 16 * i, 4, 0xfee00000);
		fake_store(machine, table + 16 * i + 4, 4, 0);
		fake_store(machine, table + 16 * i + 8, 4, FAKE_VECTOR_DATA + i);
		fake_store(machine, table + 16 * i + 12, 4, 0);
	}
	fake_config_write(machine, driver->slot, offset + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
}

static void set_up_queue(struct fake_driver *driver, unsigned index, bool msix)
{
	struct fake_machine *machine = driver->machine;
	struct fake_queue *queue = &driver->queues[index];
	uint64_t base = driver->space + (uint64_t)index * FAKE_QUEUE_SPACE;

	fake_store(machine, driver->common + VIRTIO_PCI_COMMON_Q_SELECT, 2, index);
	queue->size = (uint16_t)fake_load(machine, driver->common + VIRTIO_PCI_COMMON_Q_SIZE, 2);
	queue->descriptors = base;
	queue->driver_area = base + 0x1000;
	queue->device_area = base + 0x2000;
	queue->next_available = queue->next_used = 0;
	check(guestmem_fill(&machine->memory, base, 0, FAKE_QUEUE_SPACE));
	fake_store(machine, driver->common + VIRTIO_PCI_COMMON_Q_DESCLO, 4, queue->descriptors);
	fake_store(
	    machine, driver->common + VIRTIO_PCI_COMMON_Q_DESCHI, 4, queue->descriptors >> 32);
	fake_store(machine, driver->common + VIRTIO_PCI_COMMON_Q_AVAILLO, 4, queue->driver_area);
	fake_store(
	    machine, driver->common + VIRTIO_PCI_COMMON_Q_AVAILHI, 4, queue->driver_area >> 32);
	fake_store(machine, driver->common + VIRTIO_PCI_COMMON_Q_USEDLO, 4, queue->device_area);
	fake_store(
	    machine, driver->common + VIRTIO_PCI_COMMON_Q_USEDHI, 4, queue->device_area >> 32);
	if (msix) {
		fake_store(machine, driver->common + VIRTIO_PCI_COMMON_Q_MSIX, 2, index + 1);
	}
	fake_store(machine, driver->common + VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
}

uint8_t fake_driver_start(struct fake_driver *driver, uint64_t features, unsigned queues, bool msix)
{
	struct fake_machine *machine = driver->machine;
	uint8_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	fake_driver_set_status(driver, 0);
	fake_driver_set_status(driver, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	fake_driver_set_status(driver, status);
	for (uint32_t i = 0; i < 2; i++) {
		fake_store(machine, driver->common + VIRTIO_PCI_COMMON_GFSELECT, 4, i);
		fake_store(machine, driver->common + VIRTIO_PCI_COMMON_GF, 4,
		    (uint32_t)(features >> (32 * i)));
	}
	status |= VIRTIO_CONFIG_S_FEATURES_OK;
	fake_driver_set_status(driver, status);
	if (!(fake_driver_status(driver) & VIRTIO_CONFIG_S_FEATURES_OK)) {
		return fake_driver_status(driver);
	}
	driver->features = features;
	if (msix) {
		set_up_msix(driver, queues + 1);
		fake_store(machine, driver->common + VIRTIO_PCI_COMMON_MSIX, 2, 0);
	}
	for (unsigned i = 0; i < queues; i++) {
		set_up_queue(driver, i, msix);
	}
	fake_driver_set_status(driver, status | VIRTIO_CONFIG_S_DRIVER_OK);
	return fake_driver_status(driver);
}

void fake_descriptor(struct fake_machine *machine, uint64_t table, unsigned index, uint64_t address,
    uint32_t length, uint16_t flags, uint16_t next)
{
	uint8_t bytes[16];
	struct wire out;

	wire_init_write(&out, bytes, sizeof(bytes));
	wire_put_u64(&out, address);
	wire_put_u32(&out, length);
	wire_put_u16(&out, flags);
	wire_put_u16(&out, next);
	check(guestmem_write(&machine->memory, table + 16ull * index, bytes, sizeof(bytes)));
}

void fake_give(struct fake_driver *driver, unsigned queue, uint16_t head)
{
	struct fake_queue *q = &driver->queues[queue];
	struct guestmem *memory = &driver->machine->memory;

	check(guestmem_store_u16(
	    memory, q->driver_area + 4 + 2ull * (q->next_available % q->size), head));
	q->next_available++;
	check(guestmem_store_u16(memory, q->driver_area + 2, q->next_available));
}

void fake_give_buffer(struct fake_driver *driver, unsigned queue, uint16_t index, uint64_t address,
    uint32_t length, bool writable)
{
	fake_descriptor(driver->machine, driver->queues[queue].descriptors, index, address, length,
	    writable ? VRING_DESC_F_WRITE : 0, 0);
	fake_give(driver, queue, index);
}

void fake_notify(struct fake_driver *driver, unsigned queue)
{
	fake_store(driver->machine, driver->notify + (uint64_t)queue * driver->notify_multiplier, 2,
	    queue);
}

bool fake_collect(struct fake_driver *driver, unsigned queue, uint32_t *id, uint32_t *length)
{
	struct fake_queue *q = &driver->queues[queue];
	struct guestmem *memory = &driver->machine->memory;
	uint8_t bytes[8];
	struct wire in;
	uint16_t index;

	check(guestmem_load_u16(memory, q->device_area + 2, &index));
	if (index == q->next_used) {
		return false;
	}
	check(guestmem_read(
	    memory, q->device_area + 4 + 8ull * (q->next_used % q->size), bytes, sizeof(bytes)));
	wire_init_read(&in, bytes, sizeof(bytes));
	*id = wire_get_u32(&in);
	*length = wire_get_u32(&in);
	q->next_used++;
	return true;
}

uint16_t fake_available_event(struct fake_driver *driver, unsigned queue)
{
	const struct fake_queue *q = &driver->queues[queue];
	uint16_t event;

	check(guestmem_load_u16(
	    &driver->machine->memory, q->device_area + 4 + 8ull * q->size, &event));
	return event;
}
