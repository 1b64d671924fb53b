/* The handler counts and kicks the loop, which is a write to a descriptor and nothing else. */
#include "cli/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>

static atomic_uint count;
static struct loop *_Atomic kicked;

static void handle(int number)
{
	struct loop *l = atomic_load(&kicked);
	(void)number;
	atomic_fetch_add(&count, 1);
	if (l)
		loop_kick(l);
}

static void set(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

void interrupt_begin(struct session *s)
{
	atomic_store(&count, 0);
	atomic_store(&kicked, s && s->site->machine ? &s->site->machine->loop : NULL);
	set(handle);
}

unsigned interrupt_count(void)
{
	return atomic_load(&count);
}

void interrupt_end(void)
{
	set(SIG_DFL);
	atomic_store(&kicked, NULL);
}
