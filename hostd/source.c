/* Where a viewer comes from: see source.h. An IPv4 address counts the same whether it came mapped into IPv6 or not. */
#include "hostd/source.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct source source_from_address(const struct sockaddr *address)
{
	struct source source = { 0 };

	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, address, sizeof(in));
		source.bytes[10] = 0xff;
		source.bytes[11] = 0xff;
		memcpy(source.bytes + 12, &in.sin_addr, 4);
	} else if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, address, sizeof(in6));
		memcpy(source.bytes, &in6.sin6_addr, 16);
		if (!IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
			memset(source.bytes + 8, 0, 8);
		}
	}
	return source;
}

bool source_equal(const struct source *a, const struct source *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void source_describe(const struct sockaddr *address, char *text, size_t size)
{
	char buffer[INET6_ADDRSTRLEN] = "unix";

	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, address, sizeof(in));
		(void)inet_ntop(AF_INET, &in.sin_addr, buffer, sizeof(buffer));
	} else if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, address, sizeof(in6));
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
			(void)inet_ntop(
			    AF_INET, in6.sin6_addr.s6_addr + 12, buffer, sizeof(buffer));
		} else {
			(void)inet_ntop(AF_INET6, &in6.sin6_addr, buffer, sizeof(buffer));
		}
	}
	(void)snprintf(text, size, "%s", buffer);
}
