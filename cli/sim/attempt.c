/* The child writes its result to a pipe; one that ends without a result has crashed, or looped. */
#include "cli/sim/attempt.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void in_child(const struct trial *t, const char *pcap, bool quiet, int out)
{
	struct trial_result r;
	int nowhere = quiet ? open("/dev/null", O_WRONLY) : -1;
	if (nowhere >= 0)
		dup2(nowhere, STDERR_FILENO);
	trial_run(t, pcap, &r);
	ssize_t wrote = write(out, &r, sizeof r);
	_exit(wrote == (ssize_t)sizeof r ? 0 : 1);
}

static bool read_result(int in, struct trial_result *r)
{
	struct pollfd p = { .fd = in, .events = POLLIN };
	return poll(&p, 1, ATTEMPT_SECONDS * 1000) > 0 &&
		read(in, r, sizeof *r) == (ssize_t)sizeof *r;
}

void attempt(const struct trial *t, const char *pcap, bool quiet, struct trial_result *r)
{
	int ends[2], status = 0;
	*r = (struct trial_result){ .failed = true };
	fflush(NULL);
	if (pipe(ends) < 0 || fcntl(ends[0], F_SETFD, FD_CLOEXEC) < 0) {
		snprintf(r->why, sizeof r->why, "no pipe for a child");
		return;
	}
	pid_t child = fork();
	if (child == 0)
		in_child(t, pcap, quiet, ends[1]);
	close(ends[1]);
	if (child > 0 && read_result(ends[0], r)) {
		waitpid(child, &status, 0);
	} else if (child > 0) {
		r->failed = true;
		pid_t over = waitpid(child, &status, WNOHANG);
		if (over == 0) { /* still there: it crashes right now, or it loops */
			usleep(100000);
			over = waitpid(child, &status, WNOHANG);
		}
		if (over == 0) {
			kill(child, SIGKILL);
			waitpid(child, &status, 0);
			snprintf(r->why, sizeof r->why, "I21: no end within %d s of real time",
				ATTEMPT_SECONDS);
		} else if (WIFSIGNALED(status)) {
			snprintf(
				r->why, sizeof r->why, "I36: ended by signal %d", WTERMSIG(status));
		} else {
			snprintf(r->why, sizeof r->why, "I36: ended with exit code %d",
				WEXITSTATUS(status));
		}
	}
	close(ends[0]);
}

bool attempt_fails(void *user, const struct trial *t)
{
	struct trial_result r;
	(void)user;
	attempt(t, NULL, true, &r);
	return r.failed;
}
