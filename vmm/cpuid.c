/*
 * See cpuid.h. What must stay true: the hypervisor's leaves are left as KVM gives them (kvmclock and the rest hang on
 * them), and APIC ids are the processors' numbers, without gaps.
 */
#include "vmm/cpuid.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>

enum {
	LEAF1_ECX_TSC_DEADLINE = 1u << 24,
	LEAF1_ECX_OSXSAVE = 1u << 27,
	LEAF1_EDX_HTT = 1u << 28,
	LEAF6_EAX_ARAT = 1u << 2,
	LEAF7_ECX_OSPKE = 1u << 4,
};

static const struct cpuid_entry *find(const struct cpuid *cpuid, uint32_t leaf, uint32_t subleaf)
{
	for (uint32_t i = 0; i < cpuid->count; i++) {
		const struct cpuid_entry *entry = &cpuid->entries[i];

		if (entry->leaf == leaf && entry->subleaf == subleaf) {
			return entry;
		}
	}
	return NULL;
}

/* Bits that numbers 0 to count - 1 need. */
static uint32_t bits_for(uint32_t count)
{
	uint32_t bits = 0;

	while ((1u << bits) < count) {
		bits++;
	}
	return bits;
}

/* One package, a core for each processor, no threads; the APIC id is put in by cpuid_apply(). */
static void set_topology(struct cpuid_entry *entry, uint32_t vcpus)
{
	switch (entry->leaf) {
	case 1:
		entry->ebx = (entry->ebx & 0x0000ffff) | vcpus << 16;
		entry->ecx |= LEAF1_ECX_TSC_DEADLINE;
		entry->ecx &= ~(uint32_t)LEAF1_ECX_OSXSAVE;
		entry->edx &= ~(uint32_t)LEAF1_EDX_HTT;
		entry->edx |= vcpus > 1 ? LEAF1_EDX_HTT : 0;
		break;
	case 4:
		/* Caches: used by one core each at levels 1 and 2, by all above; cores in the package. */
		if (entry->eax & 0x1f) {
			uint32_t sharing = ((entry->eax >> 5) & 7) >= 3 ? vcpus : 1;

			entry->eax = (entry->eax & 0x00003fff) | (sharing - 1) << 14 |
				     ((1u << bits_for(vcpus)) - 1) << 26;
		}
		break;
	case 6:
		/* The APIC timer goes on whatever the processor sleeps in. */
		entry->eax |= LEAF6_EAX_ARAT;
		break;
	case 7:
		if (entry->subleaf == 0) {
			entry->ecx &= ~(uint32_t)LEAF7_ECX_OSPKE;
		}
		break;
	case 0xb:
	case 0x1f:
		entry->ecx = entry->subleaf & 0xff;
		entry->eax = 0;
		entry->ebx = 0;
		entry->edx = 0;
		if (entry->subleaf == 0) { /* threads of a core */
			entry->ebx = 1;
			entry->ecx |= 1u << 8;
		} else if (entry->subleaf == 1) { /* cores of the package */
			entry->eax = bits_for(vcpus);
			entry->ebx = vcpus;
			entry->ecx |= 2u << 8;
		}
		break;
	case 0x80000008:
		entry->ecx = (entry->ecx & ~0xf0ffu) | (vcpus - 1) | bits_for(vcpus) << 12;
		break;
	default:
		break;
	}
}

/* KVM reports leaf 0xB only as "level 0"; the second level is ours. */
static void add_core_level(struct cpuid *cpuid, uint32_t leaf)
{
	const struct cpuid_entry *first = find(cpuid, leaf, 0);

	if (!first || find(cpuid, leaf, 1) || cpuid->count == CPUID_ENTRIES_MAX) {
		return;
	}
	cpuid->entries[cpuid->count++] = (struct cpuid_entry){
		.leaf = leaf,
		.subleaf = 1,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
	};
}

int cpuid_query(int kvm_fd, uint32_t vcpus, struct cpuid *cpuid)
{
	struct kvm_cpuid2 *table = calloc(
	    1, sizeof(*table) + CPUID_ENTRIES_MAX * sizeof(struct kvm_cpuid_entry2));
	int error = 0;

	*cpuid = (struct cpuid){ 0 };
	if (!table) {
		return -ENOMEM;
	}
	table->nent = CPUID_ENTRIES_MAX;
	if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, table) < 0) {
		error = -errno;
		goto out;
	}
	for (uint32_t i = 0; i < table->nent; i++) {
		const struct kvm_cpuid_entry2 *from = &table->entries[i];

		cpuid->entries[i] = (struct cpuid_entry){
			.leaf = from->function,
			.subleaf = from->index,
			.flags = from->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			.eax = from->eax,
			.ebx = from->ebx,
			.ecx = from->ecx,
			.edx = from->edx,
		};
	}
	cpuid->count = table->nent;
	add_core_level(cpuid, 0xb);
	add_core_level(cpuid, 0x1f);
	for (uint32_t i = 0; i < cpuid->count; i++) {
		set_topology(&cpuid->entries[i], vcpus);
	}
out:
	free(table);
	return error;
}

int cpuid_apply(const struct cpuid *cpuid, int vcpu_fd, uint32_t index)
{
	struct kvm_cpuid2 *table = calloc(
	    1, sizeof(*table) + CPUID_ENTRIES_MAX * sizeof(struct kvm_cpuid_entry2));
	int error = 0;

	if (!table) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < cpuid->count; i++) {
		struct kvm_cpuid_entry2 *to = &table->entries[i];
		const struct cpuid_entry *from = &cpuid->entries[i];

		*to = (struct kvm_cpuid_entry2){
			.function = from->leaf,
			.index = from->subleaf,
			.flags = from->flags,
			.eax = from->eax,
			.ebx = from->ebx,
			.ecx = from->ecx,
			.edx = from->edx,
		};
		if (from->leaf == 1) {
			to->ebx = (from->ebx & 0x00ffffff) | index << 24;
		} else if (from->leaf == 0xb || from->leaf == 0x1f) {
			to->edx = index;
		} else if (from->leaf == 0x8000001e) {
			to->eax = index;
			to->ebx = index;
		}
	}
	table->nent = cpuid->count;
	if (ioctl(vcpu_fd, KVM_SET_CPUID2, table) < 0) {
		error = -errno;
	}
	free(table);
	return error;
}

/* Registers that hold feature bits: every bit that was there must be there again. */
static const struct {
	uint32_t leaf, subleaf;
	uint32_t eax, ebx, ecx, edx; /* masks of the bits that count */
} feature_bits[] = {
	{ 1, 0, 0, 0, ~(uint32_t)LEAF1_ECX_OSXSAVE, ~0u },
	{ 7, 0, 0, ~0u, ~(uint32_t)LEAF7_ECX_OSPKE, ~0u },
	{ 7, 1, ~0u, ~0u, ~0u, ~0u },
	{ 7, 2, 0, 0, 0, ~0u },
	{ 0xd, 0, ~0u, 0, 0, ~0u },
	{ 0xd, 1, ~0u, 0, ~0u, ~0u },
	{ 0x40000001, 0, ~0u, 0, 0, 0 },
	{ 0x80000001, 0, 0, 0, ~0u, ~0u },
	{ 0x80000007, 0, 0, 0, 0, ~0u },
	{ 0x80000008, 0, 0, ~0u, 0, 0 },
};

static bool lacks_feature(const struct cpuid *saved, const struct cpuid *host)
{
	static const struct cpuid_entry none;

	for (size_t i = 0; i < sizeof(feature_bits) / sizeof(feature_bits[0]); i++) {
		const struct cpuid_entry *was = find(
		    saved, feature_bits[i].leaf, feature_bits[i].subleaf);
		const struct cpuid_entry *is = find(
		    host, feature_bits[i].leaf, feature_bits[i].subleaf);

		was = was ? was : &none;
		is = is ? is : &none;
		if ((was->eax & ~is->eax & feature_bits[i].eax) ||
		    (was->ebx & ~is->ebx & feature_bits[i].ebx) ||
		    (was->ecx & ~is->ecx & feature_bits[i].ecx) ||
		    (was->edx & ~is->edx & feature_bits[i].edx)) {
			return true;
		}
	}
	return false;
}

/* Leaf 0xD from sub-leaf 2 on: where each component of the extended state lies. */
static bool state_layout_differs(const struct cpuid *saved, const struct cpuid *host)
{
	for (uint32_t i = 0; i < saved->count; i++) {
		const struct cpuid_entry *was = &saved->entries[i];
		const struct cpuid_entry *is;

		if (was->leaf != 0xd || was->subleaf < 2 || was->eax == 0) {
			continue;
		}
		is = find(host, was->leaf, was->subleaf);
		if (!is || is->eax != was->eax || is->ebx != was->ebx) {
			return true;
		}
	}
	return false;
}

const char *cpuid_obstacle(const struct cpuid *saved, const struct cpuid *host)
{
	const struct cpuid_entry *was = find(saved, 0, 0);
	const struct cpuid_entry *is = find(host, 0, 0);

	if (!was || !is || was->ebx != is->ebx || was->ecx != is->ecx || was->edx != is->edx) {
		return "it was made on a processor of another maker";
	}
	was = find(saved, 1, 0);
	is = find(host, 1, 0);
	/* Family and model; a stepping is a repair. */
	if (!was || !is || (was->eax & 0x0fff0ff0) != (is->eax & 0x0fff0ff0)) {
		return "it was made on another model of processor";
	}
	if (lacks_feature(saved, host)) {
		return "its processor had a feature that this one lacks";
	}
	if (state_layout_differs(saved, host)) {
		return "its processor lays out the extended state differently";
	}
	return NULL;
}

void cpuid_signature(const struct cpuid *cpuid, uint32_t *signature, uint32_t *features)
{
	const struct cpuid_entry *entry = find(cpuid, 1, 0);

	*signature = entry ? entry->eax : 0;
	*features = entry ? entry->edx : 0;
}

void cpuid_encode(const struct cpuid *cpuid, struct wire *wire)
{
	wire_put_u32(wire, cpuid->count);
	for (uint32_t i = 0; i < cpuid->count; i++) {
		const struct cpuid_entry *entry = &cpuid->entries[i];

		wire_put_u32(wire, entry->leaf);
		wire_put_u32(wire, entry->subleaf);
		wire_put_u32(wire, entry->flags);
		wire_put_u32(wire, entry->eax);
		wire_put_u32(wire, entry->ebx);
		wire_put_u32(wire, entry->ecx);
		wire_put_u32(wire, entry->edx);
	}
}

int cpuid_decode(struct wire *wire, struct cpuid *cpuid)
{
	*cpuid = (struct cpuid){ 0 };
	cpuid->count = wire_get_u32(wire);
	if (cpuid->count > CPUID_ENTRIES_MAX) {
		cpuid->count = 0;
		return -EPROTO;
	}
	for (uint32_t i = 0; i < cpuid->count; i++) {
		struct cpuid_entry *entry = &cpuid->entries[i];

		entry->leaf = wire_get_u32(wire);
		entry->subleaf = wire_get_u32(wire);
		entry->flags = wire_get_u32(wire);
		entry->eax = wire_get_u32(wire);
		entry->ebx = wire_get_u32(wire);
		entry->ecx = wire_get_u32(wire);
		entry->edx = wire_get_u32(wire);
		if (entry->flags & ~(uint32_t)KVM_CPUID_FLAG_SIGNIFCANT_INDEX) {
			wire_fail(wire);
		}
	}
	return wire_done(wire) ? 0 : -EPROTO;
}
