/*
 * What the guest's processors say they are (CPUID): what KVM supports on this host, with a topology of our own. A
 * snapshot keeps the table, since a guest must not see its processor change, and a host that lacks any of its features
 * refuses the snapshot. Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E; the kernel's Documentation/virt/kvm/x86/
 * cpuid.rst. Pure but for cpuid_query() and cpuid_apply().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "base/wire.h"

enum {
	CPUID_ENTRIES_MAX = 128,
};

struct cpuid_entry {
	uint32_t leaf, subleaf;
	uint32_t flags; /* KVM_CPUID_FLAG_SIGNIFCANT_INDEX */
	uint32_t eax, ebx, ecx, edx;
};

struct cpuid {
	uint32_t count;
	struct cpuid_entry entries[CPUID_ENTRIES_MAX];
};

/* The table for a guest with `vcpus` processors on this host. 0 or -errno. */
must_check int cpuid_query(int kvm_fd, uint32_t vcpus, struct cpuid *cpuid);
/* Gives it to vCPU `index`, with its own numbers (APIC id) put in. 0 or -errno. */
must_check int cpuid_apply(const struct cpuid *cpuid, int vcpu_fd, uint32_t index);

/*
 * Whether a guest that was started with `saved` can go on where `host` is what can be had: same vendor and model, no
 * feature that the host lacks, same layout of the extended state. NULL, or what is in the way, in words.
 */
const char *cpuid_obstacle(const struct cpuid *saved, const struct cpuid *host);

/* EAX and EDX of leaf 1, for tables that repeat them. */
void cpuid_signature(const struct cpuid *cpuid, uint32_t *signature, uint32_t *features);

void cpuid_encode(const struct cpuid *cpuid, struct wire *wire);
/* 0 or -EPROTO. */
must_check int cpuid_decode(struct wire *wire, struct cpuid *cpuid);
