/*
 * The numbers of the public errors are those of base/error.h, one by one. The
 * last error of a thread is kept with a message that was made when the
 * particulars were still known; for errors that are no surprise (would block)
 * nothing is written but the number.
 */
#include "api/api_error.h"

#include <stdarg.h>
#include <stdio.h>

#define MESSAGE_MAX 512

#define SAME_NUMBER(name, text) \
	_Static_assert((int)ERR_##name == (int)STRATA_E_##name, "public and internal " #name);
ERRORS(SAME_NUMBER)
#undef SAME_NUMBER

static _Thread_local struct {
	enum error error;
	char message[MESSAGE_MAX]; /* empty: the error's text */
} last;

int api_fail(enum error e, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(last.message, sizeof last.message, format, arguments);
	va_end(arguments);
	last.error = e;
	return -(int)e;
}

int api_error(int e)
{
	last.error = (enum error)(e < 0 ? -e : e);
	last.message[0] = '\0';
	return -(int)last.error;
}

int api_null_handle(void)
{
	if (!last.error)
		api_fail(ERR_ARGUMENT, "the handle is NULL");
	return -ERR_ARGUMENT;
}

int strata_error(void)
{
	return (int)last.error;
}

const char *strata_error_message(void)
{
	return last.message[0] ? last.message : error_text(last.error);
}

static enum error from_number(int error)
{
	/* INT_MIN has no positive counterpart; as an unsigned number it is far from every error. */
	unsigned number = error < 0 ? 0u - (unsigned)error : (unsigned)error;
	return (enum error)number;
}

const char *strata_error_text(int error)
{
	return error_text(from_number(error));
}

const char *strata_error_name(int error)
{
	return error_name(from_number(error));
}
