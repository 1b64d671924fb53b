/*
 * Names of Linux's numbers, both ways, and the fields of its tcp_info by name: one
 * table each, made from the lists in the header.
 */
#include "posix/linux_abi.h"

#include <string.h>

struct named {
	const char *name;
	int64_t number;
};

static const struct named constants[] = {
#define NAMED(name, number) { #name, number },
	LINUX_CONSTANTS(NAMED) LINUX_ERRORS(NAMED)
#undef NAMED
};

static const struct named errors[] = {
#define NAMED(name, number) { #name, number },
	LINUX_ERRORS(NAMED)
#undef NAMED
};

/* No strlen: the core has no C library beneath it. */
static bool is_called(const char *own, const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (own[i] == '\0' || own[i] != name[i])
			return false;
	return own[len] == '\0';
}

bool linux_constant(const char *name, size_t len, int64_t *number)
{
	for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
		if (is_called(constants[i].name, name, len)) {
			*number = constants[i].number;
			return true;
		}
	}
	return false;
}

const char *linux_error_name(int number)
{
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (errors[i].number == number)
			return errors[i].name;
	return NULL;
}

static const struct info_field {
	const char *name;
	uint16_t at, size;
	uint8_t shift, bits; /* bits 0: the whole field */
} fields[] = {
#define FIELD(type, name) { #name, offsetof(struct linux_tcp_info, name), sizeof(type), 0, 0 },
	LINUX_TCP_INFO(FIELD)
#undef FIELD
		{ "snd_wscale", offsetof(struct linux_tcp_info, wscales), 1, 0, 4 },
	{ "rcv_wscale", offsetof(struct linux_tcp_info, wscales), 1, 4, 4 },
	{ "delivery_rate_app_limited", offsetof(struct linux_tcp_info, limited), 1, 0, 1 },
	{ "fastopen_client_fail", offsetof(struct linux_tcp_info, limited), 1, 1, 2 },
	{ "ecn_mode", offsetof(struct linux_tcp_info, accurate), 4, 0, 2 },
	{ "accecn_opt_seen", offsetof(struct linux_tcp_info, accurate), 4, 2, 2 },
	{ "accecn_fail_mode", offsetof(struct linux_tcp_info, accurate), 4, 4, 4 },
	{ "options2", offsetof(struct linux_tcp_info, accurate), 4, 8, 24 },
};

static uint64_t field_value(const struct linux_tcp_info *i, const struct info_field *f)
{
	const uint8_t *at = (const uint8_t *)i + f->at;
	uint64_t value = 0;
	uint16_t two;
	uint32_t four;
	switch (f->size) {
	case 1: value = *at; break;
	case 2:
		memcpy(&two, at, sizeof two);
		value = two;
		break;
	case 4:
		memcpy(&four, at, sizeof four);
		value = four;
		break;
	default: memcpy(&value, at, sizeof value); break;
	}
	return f->bits ? value >> f->shift & ((1u << f->bits) - 1) : value;
}

bool linux_tcp_info_value(
	const struct linux_tcp_info *i, const char *name, size_t len, uint64_t *value)
{
	if (len > 5 && memcmp(name, "tcpi_", 5) == 0) {
		name += 5;
		len -= 5;
	}
	for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
		if (is_called(fields[k].name, name, len)) {
			*value = field_value(i, &fields[k]);
			return true;
		}
	}
	return false;
}

bool linux_meminfo_value(
	const uint32_t info[LINUX_SK_MEMINFO_VARS], const char *name, size_t len, uint64_t *value)
{
	static const char *const names[] = {
#define NAME(name) "SK_MEMINFO_" #name,
		LINUX_MEMINFO(NAME)
#undef NAME
	};
	for (size_t k = 0; k < LINUX_SK_MEMINFO_VARS; k++) {
		if (is_called(names[k], name, len)) {
			*value = info[k];
			return true;
		}
	}
	return false;
}

int64_t linux_seconds_as_retries(int seconds)
{
	int64_t retries = 0, period = 0, step = 1;
	while (seconds > period && retries < 255) {
		period += step;
		step = step * 2 < 120 ? step * 2 : 120;
		retries++;
	}
	return retries;
}

int linux_retries_as_seconds(int64_t retries)
{
	int64_t period = 0, step = 1;
	for (; retries > 0; retries--) {
		period += step;
		step = step * 2 < 120 ? step * 2 : 120;
	}
	return (int)period;
}
