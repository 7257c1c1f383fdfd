/*
 * Where a viewer comes from, as far as limits are concerned: an IPv4 address, or the /64 of an IPv6
 * address, since whoever has one address of a /64 has all of them. Pure. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;

struct source {
	uint8_t bytes[16];
};

/* Of an AF_INET or AF_INET6 address; all zeros for any other family. */
struct source source_from_address(const struct sockaddr *address);
bool source_equal(const struct source *a, const struct source *b);
/* The address in words ("192.0.2.7", "2001:db8::1") into `text`; "unix" for other families. Always
 * terminated. */
void source_describe(const struct sockaddr *address, char *text, size_t size);
