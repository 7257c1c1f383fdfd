/*
 * CPL 0 of the test guest: tables, controllers, interrupt handlers. As little as possible happens here, since on some
 * hosts this part is interpreted.
 */
#include "tiny.h"

enum {
	PIC1 = 0x20,
	PIC2 = 0xa0,
	VECTOR_PIC = 0x20,
	VECTOR_TIMER = 0x40,
	VECTOR_CALL = 6, /* invalid opcode: UD2 calls, since not every host lets CPL 3 use INT */
	UART = 0x3f8,
	QUEUE = 4096,
	MSR_TSC_DEADLINE = 0x6e0,
	MSR_SYSTEM_TIME_NEW = 0x4b564d01,
};

struct descriptor_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

struct gate {
	uint16_t low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t middle;
	uint32_t high;
	uint32_t zero;
};

struct task_state {
	uint32_t reserved;
	uint64_t rsp0;
	uint64_t unused[11];
	uint16_t unused2;
	uint16_t io_map;
	uint8_t io_bits[8193]; /* zeros: CPL 3 may use every port; the last byte is all ones */
} __attribute__((packed));

volatile uint32_t tiny_request;
volatile uint32_t tiny_ap_count;
volatile uint64_t tiny_sleep_cycles;
volatile uint64_t tiny_timer_ticks;
volatile struct clock_page tiny_clock_page __attribute__((aligned(64)));
const char *tiny_command_line;
volatile uint32_t *tiny_screen;
uint32_t tiny_screen_stride;

static volatile uint8_t queue[QUEUE];
static volatile uint32_t queue_head, queue_tail; /* head: next to send; tail: next free */

/* Used by name in start.S. */
extern uint64_t tiny_gdt[10];
extern uint64_t tiny_page_tables[6][512];
uint64_t tiny_gdt[10];
static struct gate idt[256] __attribute__((aligned(16)));
static struct task_state tss;
uint64_t tiny_page_tables[6][512] __attribute__((aligned(4096)));
static volatile uint32_t *const lapic = (volatile uint32_t *)0xfee00000;

extern char tiny_interrupt_stack_top[];
void tiny_on_uart_entry(void);
void tiny_on_timer_entry(void);
void tiny_on_call_entry(void);
void tiny_on_spurious_entry(void);
void tiny_on_exception_entry(void);
void tiny_on_uart(void);
void tiny_on_timer(void);
void tiny_on_call(uint64_t *frame);
void tiny_on_spurious(void);
void tiny_on_exception(const uint64_t *frame);

static void write_msr(uint32_t index, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

static void send_next(void)
{
	if (queue_head != queue_tail) {
		out8(UART, queue[queue_head % QUEUE]);
		queue_head++;
	}
}

void tiny_on_uart(void)
{
	(void)in8(UART + 2);
	if (in8(UART + 5) & 0x20) {
		send_next();
	}
	if (queue_head == queue_tail) {
		out8(UART + 1, 0); /* nothing to send: no more interrupts */
	}
	out8(PIC1, 0x20);
}

void tiny_on_timer(void)
{
	tiny_timer_ticks++;
	lapic[0xb0 / 4] = 0;
}

void tiny_on_spurious(void)
{
}

static void sleep(void)
{
	write_msr(MSR_TSC_DEADLINE, read_tsc() + tiny_sleep_cycles);
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

void tiny_on_call(uint64_t *frame)
{
	static const struct descriptor_register nothing;

	uint32_t request = tiny_request;

	tiny_request = 0;
	frame[0] += 2; /* past the UD2 */
	switch (request) {
	case TINY_SLEEP:
		sleep();
		break;
	case TINY_TRIPLE_FAULT:
		__asm__ volatile("lidt %0; ud2" : : "m"(nothing));
		break;
	case TINY_LOST:
		((void (*)(void))0xd0000000)();
		break;
	default:
		frame[0] -= 2;
		tiny_on_exception(frame);
		__asm__ volatile("1: hlt; jmp 1b");
	}
}

static void put_direct(char byte)
{
	while (!(in8(UART + 5) & 0x20)) {
	}
	out8(UART, (uint8_t)byte);
}

void tiny_on_exception(const uint64_t *frame)
{
	static const char text[] = "\nexception ";

	for (const char *c = text; *c; c++) {
		put_direct(*c);
	}
	for (int word = 0; word < 3; word++) {
		for (int shift = 60; shift >= 0; shift -= 4) {
			put_direct("0123456789abcdef"[(frame[word] >> shift) & 15]);
		}
		put_direct(word < 2 ? ' ' : '\n');
	}
}

static void set_gate(int vector, void (*entry)(void), int level)
{
	uint64_t address = (uint64_t)entry;

	idt[vector] = (struct gate){
		.low = (uint16_t)address,
		.selector = 0x10,
		.type = (uint8_t)(0x8e | level << 5),
		.middle = (uint16_t)(address >> 16),
		.high = (uint32_t)(address >> 32),
	};
}

static void set_tables(void)
{
	uint64_t base = (uint64_t)&tss;
	uint64_t limit = sizeof(tss) - 1;
	struct descriptor_register gdtr = { sizeof(tiny_gdt) - 1, (uint64_t)tiny_gdt };
	struct descriptor_register idtr = { sizeof(idt) - 1, (uint64_t)idt };

	tiny_gdt[2] = 0x00af9b000000ffff; /* 0x10: code, CPL 0 */
	tiny_gdt[3] = 0x00cf93000000ffff; /* 0x18: data, CPL 0 */
	tiny_gdt[5] = 0x00cff3000000ffff; /* 0x28: data, CPL 3 */
	tiny_gdt[6] = 0x00affb000000ffff; /* 0x30: code, CPL 3 */
	tiny_gdt[8] = (limit & 0xffff) | (base & 0xffffff) << 16 | 0x89ull << 40 |
		      (limit & 0xf0000) << 32 | (base & 0xff000000) << 32;
	tiny_gdt[9] = base >> 32;
	tss.rsp0 = (uint64_t)tiny_interrupt_stack_top;
	tss.io_map = (uint16_t) __builtin_offsetof(struct task_state, io_bits);
	tss.io_bits[8192] = 0xff;
	for (int vector = 0; vector < 32; vector++) {
		set_gate(vector, tiny_on_exception_entry, 0);
	}
	for (int vector = 32; vector < 256; vector++) {
		set_gate(vector, tiny_on_spurious_entry, 0);
	}
	set_gate(VECTOR_PIC + 4, tiny_on_uart_entry, 0);
	set_gate(VECTOR_TIMER, tiny_on_timer_entry, 0);
	set_gate(VECTOR_CALL, tiny_on_call_entry, 0);
	__asm__ volatile("lgdt %0; lidt %1; ltr %w2"
			 :
			 : "m"(gdtr), "m"(idtr), "r"(0x40)
			 : "memory");
}

/* The first 4 GiB, for everyone: CPL 3 does the work here. */
static void set_page_tables(void)
{
	tiny_page_tables[0][0] = (uint64_t)tiny_page_tables[1] | 7;
	for (uint64_t gib = 0; gib < 4; gib++) {
		tiny_page_tables[1][gib] = (uint64_t)tiny_page_tables[2 + gib] | 7;
		for (uint64_t i = 0; i < 512; i++) {
			tiny_page_tables[2 + gib][i] = gib << 30 | i << 21 | 0x87;
		}
	}
	__asm__ volatile("mov %0, %%cr3" : : "r"((uint64_t)tiny_page_tables) : "memory");
}

static void set_controllers(void)
{
	out8(PIC1, 0x11);
	out8(PIC2, 0x11);
	out8(PIC1 + 1, VECTOR_PIC);
	out8(PIC2 + 1, VECTOR_PIC + 8);
	out8(PIC1 + 1, 4);
	out8(PIC2 + 1, 2);
	out8(PIC1 + 1, 1);
	out8(PIC2 + 1, 1);
	out8(PIC1 + 1, (uint8_t) ~(1 << 4)); /* the UART's alone */
	out8(PIC2 + 1, 0xff);
	out8(UART + 1, 0);
	out8(UART + 3, 3);
	out8(UART + 2, 0);
	out8(UART + 4, 0x0b); /* OUT2 lets its interrupts through */
	lapic[0xf0 / 4] = 0x1ff;
	lapic[0x350 / 4] = 0x700;                   /* LINT0: what the PIC has */
	lapic[0x320 / 4] = 2u << 17 | VECTOR_TIMER; /* TSC deadline */
}

void tiny_setup(const uint8_t *zero_page)
{
	uint32_t screen_base = *(const uint32_t *)(zero_page + 0x18);

	tiny_command_line = (const char *)(uint64_t) * (const uint32_t *)(zero_page + 0x228);
	if (zero_page[0x0f] == 0x23) {
		tiny_screen = (volatile uint32_t *)(uint64_t)screen_base;
		tiny_screen_stride = *(const uint16_t *)(zero_page + 0x24) / 4u;
	}
	set_page_tables();
	set_tables();
	set_controllers();
	write_msr(MSR_SYSTEM_TIME_NEW, (uint64_t)&tiny_clock_page | 1);
}

void tiny_put(char byte)
{
	while (queue_tail - queue_head >= QUEUE) {
		__asm__ volatile("pause");
	}
	queue[queue_tail % QUEUE] = (uint8_t)byte;
	queue_tail++;
	/* As in any UART driver: enabling the interrupt while the transmitter is empty raises it. */
	out8(UART + 1, 2);
}
