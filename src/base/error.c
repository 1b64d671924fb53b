/*
 * Names and texts of the errors, from error.h's one list. A number that is no
 * error (it may come through the public API) has a text too, never a crash.
 */
#include "base/error.h"

static const struct {
	const char *name, *text;
} error_table[ERR_COUNT] = {
#define ERROR_ROW(error, words) [ERR_##error] = { #error, words },
	ERRORS(ERROR_ROW)
#undef ERROR_ROW
};

const char *error_text(enum error e)
{
	return (unsigned)e < ERR_COUNT ? error_table[e].text : "unknown error";
}

const char *error_name(enum error e)
{
	return (unsigned)e < ERR_COUNT ? error_table[e].name : "UNKNOWN";
}
