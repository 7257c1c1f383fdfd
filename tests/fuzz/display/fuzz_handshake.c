/*
 * The handshake with any bytes, in pieces of any size. The first byte says what is offered and how TLS and the login end.
 * What is checked: it stays within its buffers, and success has a granted login or a known peer behind it.
 */
#include <stdint.h>
#include <stdlib.h>

#include "display/handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t types[] = { DISPLAY_SECURITY_X509_PLAIN, DISPLAY_SECURITY_TLS_PLAIN,
		DISPLAY_SECURITY_PLAIN, DISPLAY_SECURITY_NONE };
	struct handshake handshake;
	enum handshake_step step = HANDSHAKE_READ;
	uint8_t options;
	bool asked = false;

	if (size < 1) {
		return 0;
	}
	options = *data++;
	size--;
	handshake_init(&handshake, types, (options & 3u) + 1u, options & 4u, options & 8u);
	while (step != HANDSHAKE_DONE && step != HANDSHAKE_REFUSE) {
		size_t wanted = handshake_wanted(&handshake);
		size_t piece = options & 16u ? 1 : wanted;

		handshake_sent(&handshake, handshake.output_size);
		if (step == HANDSHAKE_START_TLS) {
			step = handshake_tls_done(&handshake);
			continue;
		}
		if (step == HANDSHAKE_ASK) {
			asked = true;
			step = handshake_answer(&handshake, options & 32u, "no");
			continue;
		}
		if (size == 0) {
			break;
		}
		piece = piece < size ? piece : size;
		step = handshake_feed(&handshake, data, piece);
		data += piece;
		size -= piece;
	}
	if (step == HANDSHAKE_DONE && !(asked && options & 32u) &&
	    !(handshake_chosen(&handshake) == DISPLAY_SECURITY_NONE && options & 4u)) {
		abort();
	}
	handshake_fini(&handshake);
	return 0;
}
