/*
 * A node: a machine of a simulated world. One stack with its memory, its
 * interfaces, each on a port, and its applications. A router is a node that
 * forwards.
 *
 * In each instant in which something happened to it, a node runs once: it has
 * received all frames of that instant, then its timers fire, then applications
 * and transmit take turns until neither has anything left to do; then it sleeps
 * until its stack's or an application's next deadline.
 */
#ifndef STRATA_SIM_NODE_H
#define STRATA_SIM_NODE_H

#include "sim/port.h"
#include "sim/trouble.h"
#include "sim/work.h"
#include "socket/app.h"

#define NODE_NAME_MAX 16
#define NODE_ROUNDS   256 /* turns of applications and transmit in one instant, at most */

struct node_interface {
	struct port port;
	struct node *node;
	struct netif *netif;
	uint64_t oversized; /* frames sent that were larger than the MTU allows */
};

struct node_sink {
	struct list link;
	void (*sink)(void *user, struct node *n, const struct trace_event *event);
	void *user;
};

struct node {
	struct list in_world;
	char name[NODE_NAME_MAX];
	uint32_t index;
	struct world *world;
	struct stack *stack;
	struct list apps; /* struct app */
	unsigned interfaces;
	struct node_interface interface[ACCESS_NETIFS];
	uint64_t frames;  /* given to stack_receive */
	const char *role; /* what it is for, in a few words, or NULL */
	struct work_excess excess; /* I27 */
	/* private: */
	struct list dirty, sinks;
	struct event wake;
	void *memory;
	size_t memory_size;
	struct stack_config config;
	struct trouble *trouble; /* NULL: none */
	uint32_t lives;          /* reboots so far */
};

/* A config for the machines of a simulated world: like stack_config_default's, but small. */
void node_config_default(struct stack_config *c);
/* A machine. `config` NULL: node_config_default; its secret is replaced by one from the world's
 * seed and the name. NULL and *why where the config breaks a rule. */
struct node *node_new(
	struct world *w, const char *name, const struct stack_config *config, const char **why);
/* One more interface: "eth0". Its MAC address follows from the node and its number; MTU 1500. */
struct port *node_port(struct node *n, const char *name);
struct port *node_port_with(struct node *n, const struct netif_config *config);
struct netif *node_netif(struct node *n, const char *name); /* NULL: none is called so */

/* "192.0.2.1/24" on an interface. */
enum error node_address(struct node *n, const char *netif, const char *address);
/* An interface has no address any more: what comes is not for this machine. Connections keep
 * theirs, and send with it. */
void node_forget_addresses(struct node *n, const char *netif);
/* "default" (0.0.0.0/0 or ::/0, as the gateway's family says) or "198.51.100.0/24" by way of a
 * gateway. */
enum error node_route(struct node *n, const char *netif, const char *prefix, const char *gateway);
/* A neighbour that never has to be asked for, on an interface. */
enum error node_neighbour(
	struct node *n, const char *netif, const struct addr *address, const struct mac *mac);

void node_add_app(struct node *n, struct app *app);
/* For calls of sockets from outside: the stack, its clock set to the world's; the node will run in
 * the world's next instant. */
struct stack *node_use(struct node *n);
/* Something happened to the node: it runs in this instant. */
void node_touch(struct node *n);
/* Hears what the stack traces. `s` stays the caller's memory. */
void node_listen(struct node *n, struct node_sink *s);
void node_unlisten(struct node *n, struct node_sink *s);
/* The stack's time: the world's, where the machine's clock has no trouble. */
nanotime node_clock(const struct node *n);
/* A machine starts anew, with empty memory, another secret, and its interfaces, addresses and
 * routes as they were. Sockets are gone; who holds handles must forget them. */
void node_reboot(struct node *n);
/* Gives a frame to the node, as its port does. Takes the parcel over. */
void node_receive(struct port *port, struct parcel *p);
/* The node runs in this instant, whatever its CPU does. */
void node_run_soon(struct node *n);
/* Runs a node; the world does. */
void node_run(struct node *n);
void node_free(struct node *n);
struct node *world_node(struct world *w, const char *name); /* NULL: none is called so */

#endif
