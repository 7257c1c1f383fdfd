/*
 * memcpy and its kin, which GCC calls even in a freestanding program. Only the kernel build has
 * this file. String instructions, because they are quick on every CPU with ERMS and short when
 * interpreted.
 */
#include <stddef.h>
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	void *result = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
	return result;
}

void *memset(void *to, int value, size_t size)
{
	void *result = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
	return result;
}

void *memmove(void *to, const void *from, size_t size)
{
	void *target = (char *)to + size - 1;
	const void *source = (const char *)from + size - 1;

	if (to <= from || size == 0) {
		return memcpy(to, from, size);
	}
	/* Backwards, so that an overlap is read before it is written. */
	__asm__ volatile("std\n\trep movsb\n\tcld"
			 : "+D"(target), "+S"(source), "+c"(size)
			 :
			 : "memory", "cc");
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *left = a;
	const unsigned char *right = b;

	for (; size; size--, left++, right++) {
		if (*left != *right) {
			return *left - *right;
		}
	}
	return 0;
}
