/*
 * See vcpu.h. What must stay true, so that no kick is lost: whoever wants a processor out of
 * KVM_RUN sets `stopping`, then immediate_exit, then sends the signal; the processor clears
 * immediate_exit, then looks at `stopping`, then enters. Whichever way the two interleave, KVM_RUN
 * returns at once.
 */
#include "vmm/vcpu.h"

#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "base/fd.h"
#include "vmm/vcpu_exit.h"

enum {
	KICK_SIGNAL = SIGUSR1,
	FAILURE_TEXT_MAX = 512,
};

struct vcpu {
	struct vcpus *set;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool started;
	bool pending; /* own thread: the last exit's access is still to be completed by KVM_RUN */
	_Atomic uint64_t exits;
};

struct vcpus {
	struct kvm_vm *vm;
	struct bus *bus;
	pthread_mutex_t *lock; /* the machine's */
	const struct vcpus_ops *ops;
	void *context;

	pthread_mutex_t gate; /* guards what follows; never held around the machine's lock */
	pthread_cond_t changed;
	atomic_bool stopping;
	bool ending;
	uint32_t parked;

	uint32_t count;
	struct vcpu *items;
};

static void on_kick(int signal)
{
	/* Its arrival is all that matters: KVM_RUN returns with EINTR. */
	(void)signal;
}

static void kick(struct vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	if (vcpu->started) {
		pthread_kill(vcpu->thread, KICK_SIGNAL);
	}
}

void vcpus_stop_soon(struct vcpus *vcpus)
{
	atomic_store(&vcpus->stopping, true);
	for (uint32_t i = 0; i < vcpus->count; i++) {
		kick(&vcpus->items[i]);
	}
}

void vcpus_stop(struct vcpus *vcpus)
{
	vcpus_stop_soon(vcpus);
	pthread_mutex_lock(&vcpus->gate);
	while (vcpus->parked < vcpus->count) {
		pthread_cond_wait(&vcpus->changed, &vcpus->gate);
	}
	pthread_mutex_unlock(&vcpus->gate);
}

void vcpus_run(struct vcpus *vcpus)
{
	for (uint32_t i = 0; i < vcpus->count; i++) {
		/* -EINVAL: this guest has no kvmclock and so needs no telling. */
		(void)ioctl(vcpus->items[i].fd, KVM_KVMCLOCK_CTRL, 0);
	}
	pthread_mutex_lock(&vcpus->gate);
	atomic_store(&vcpus->stopping, false);
	pthread_cond_broadcast(&vcpus->changed);
	pthread_mutex_unlock(&vcpus->gate);
}

/* Stands still while it is asked to. False when the thread is to end. */
static bool pass_gate(struct vcpus *vcpus)
{
	bool ending;

	pthread_mutex_lock(&vcpus->gate);
	if (atomic_load(&vcpus->stopping) && !vcpus->ending) {
		vcpus->parked++;
		pthread_cond_broadcast(&vcpus->changed);
		while (atomic_load(&vcpus->stopping) && !vcpus->ending) {
			pthread_cond_wait(&vcpus->changed, &vcpus->gate);
		}
		vcpus->parked--;
	}
	ending = vcpus->ending;
	pthread_mutex_unlock(&vcpus->gate);
	return !ending;
}

static void fail(struct vcpu *vcpu, const char *text)
{
	vcpus_stop_soon(vcpu->set);
	vcpu->set->ops->on_failure(vcpu->set->context, text);
}

static void handle_exit(struct vcpu *vcpu)
{
	struct vcpus *vcpus = vcpu->set;
	char text[FAILURE_TEXT_MAX];

	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_IO:
		pthread_mutex_lock(vcpus->lock);
		vcpu_exit_ports(vcpu->run, vcpus->vm->run_size, vcpus->bus);
		pthread_mutex_unlock(vcpus->lock);
		vcpu->pending = true;
		break;
	case KVM_EXIT_MMIO:
		pthread_mutex_lock(vcpus->lock);
		vcpu_exit_memory(vcpu->run, vcpus->bus);
		pthread_mutex_unlock(vcpus->lock);
		vcpu->pending = true;
		break;
	case KVM_EXIT_SHUTDOWN:
		vcpus_stop_soon(vcpus);
		vcpus->ops->on_reset(vcpus->context);
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_SET_TPR:
		break;
	default:
		vcpu_exit_describe(vcpu->run, vcpu->fd, text, sizeof(text));
		fail(vcpu, text);
		break;
	}
}

/* One entry into the guest, or only the completion of a pending access. */
static void run_once(struct vcpu *vcpu, bool *stopping)
{
	struct vcpus *vcpus = vcpu->set;
	char text[FAILURE_TEXT_MAX];
	int error;

	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	*stopping = atomic_load(&vcpus->stopping);
	if (*stopping) {
		if (!vcpu->pending) {
			return;
		}
		__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	}
	error = ioctl(vcpu->fd, KVM_RUN, 0) < 0 ? errno : 0;
	vcpu->pending = false;
	atomic_fetch_add_explicit(&vcpu->exits, 1, memory_order_relaxed);
	if (error == 0) {
		handle_exit(vcpu);
	} else if (error != EINTR && error != EAGAIN) {
		snprintf(text, sizeof(text), "KVM_RUN: %s%s", strerrordesc_np(error),
		    error == EFAULT ? " (a page of the guest's memory cannot be had)" : "");
		fail(vcpu, text);
	}
}

static void *vcpu_thread(void *argument)
{
	struct vcpu *vcpu = argument;
	bool stopping = true;

	while (!(stopping && !vcpu->pending) || pass_gate(vcpu->set)) {
		run_once(vcpu, &stopping);
	}
	return NULL;
}

static int start_thread(struct vcpu *vcpu)
{
	sigset_t all;
	sigset_t old;
	int error;

	/* Only the kick reaches a vCPU thread; everything else is the loop thread's. */
	sigfillset(&all);
	sigdelset(&all, KICK_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&vcpu->thread, NULL, vcpu_thread, vcpu);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	vcpu->started = error == 0;
	return -error;
}

static int create_one(struct vcpus *vcpus, uint32_t index)
{
	struct vcpu *vcpu = &vcpus->items[index];
	void *run;
	int error;

	vcpu->set = vcpus;
	vcpu->fd = -1;
	error = kvm_vm_create_vcpu(vcpus->vm, index, &vcpu->fd);
	if (error) {
		return error;
	}
	run = mmap(NULL, vcpus->vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED) {
		error = -errno;
		fd_close(&vcpu->fd);
		return error;
	}
	vcpu->run = run;
	vcpus->count++;
	return 0;
}

int vcpus_create(struct kvm_vm *vm, uint32_t count, struct bus *bus, pthread_mutex_t *lock,
    const struct vcpus_ops *ops, void *context, struct vcpus **vcpus)
{
	struct sigaction action = { .sa_handler = on_kick };
	struct vcpus *created = calloc(1, sizeof(*created));
	int error = 0;

	if (!created) {
		return -ENOMEM;
	}
	created->vm = vm;
	created->bus = bus;
	created->lock = lock;
	created->ops = ops;
	created->context = context;
	atomic_init(&created->stopping, true);
	pthread_mutex_init(&created->gate, NULL);
	pthread_cond_init(&created->changed, NULL);
	created->items = calloc(count, sizeof(*created->items));
	if (!created->items) {
		error = -ENOMEM;
	}
	sigaction(KICK_SIGNAL, &action, NULL);
	for (uint32_t i = 0; i < count && !error; i++) {
		error = create_one(created, i);
	}
	for (uint32_t i = 0; i < count && !error; i++) {
		error = start_thread(&created->items[i]);
	}
	if (error) {
		vcpus_destroy(created);
		return error;
	}
	*vcpus = created;
	return 0;
}

void vcpus_destroy(struct vcpus *vcpus)
{
	if (!vcpus) {
		return;
	}
	vcpus_stop_soon(vcpus);
	pthread_mutex_lock(&vcpus->gate);
	vcpus->ending = true;
	pthread_cond_broadcast(&vcpus->changed);
	pthread_mutex_unlock(&vcpus->gate);
	for (uint32_t i = 0; i < vcpus->count; i++) {
		struct vcpu *vcpu = &vcpus->items[i];

		if (vcpu->started) {
			pthread_join(vcpu->thread, NULL);
		}
		munmap(vcpu->run, vcpus->vm->run_size);
		fd_close(&vcpu->fd);
	}
	pthread_cond_destroy(&vcpus->changed);
	pthread_mutex_destroy(&vcpus->gate);
	free(vcpus->items);
	free(vcpus);
}

uint32_t vcpus_count(const struct vcpus *vcpus)
{
	return vcpus->count;
}

int vcpus_fd(const struct vcpus *vcpus, uint32_t index)
{
	return vcpus->items[index].fd;
}

uint64_t vcpus_exits(const struct vcpus *vcpus)
{
	uint64_t exits = 0;

	for (uint32_t i = 0; i < vcpus->count; i++) {
		exits += atomic_load_explicit(&vcpus->items[i].exits, memory_order_relaxed);
	}
	return exits;
}

uint64_t vcpus_cpu_us(const struct vcpus *vcpus)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < vcpus->count; i++) {
		struct timespec time;
		clockid_t clock;

		if (pthread_getcpuclockid(vcpus->items[i].thread, &clock) == 0 &&
		    clock_gettime(clock, &time) == 0) {
			total += (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
		}
	}
	return total;
}
