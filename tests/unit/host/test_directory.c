/*
 * A folder's files, and nothing outside of it: "..", absolute paths, links that
 * lead out, devices, FIFOs; by openat2 and by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/directory.h"

#define ROOT "served"

static char folder[] = "/tmp/strata-directory-XXXXXX";
static struct directory by_kernel, by_hand;

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* A folder with files, and things beside it that must not be reached. */
static int set_up(void **state)
{
	(void)state;
	char why[200];
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(mkdir(ROOT, 0755) | mkdir(ROOT "/sub", 0755) | mkdir("beside", 0755), 0);
	put("secret", "secret");
	put(ROOT "/page.html", "page");
	put(ROOT "/empty", "");
	put(ROOT "/sub/inner.txt", "inner");
	assert_int_equal(symlink("../secret", ROOT "/link-out"), 0);
	assert_int_equal(symlink("/etc/passwd", ROOT "/link-absolute"), 0);
	assert_int_equal(symlink("..", ROOT "/link-up"), 0);
	assert_int_equal(symlink("loop", ROOT "/loop"), 0);
	assert_int_equal(symlink("page.html", ROOT "/link-in"), 0);
	assert_int_equal(mkfifo(ROOT "/fifo", 0644), 0);
	assert_int_equal(directory_open(&by_kernel, ROOT, why, sizeof why), ERR_OK);
	by_hand = (struct directory){ .fd = dup(by_kernel.fd), .walks = true };
	return 0;
}

static void remove_all(const char *path)
{
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));) {
		char inner[600];
		int len = snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
		if (len < 0 || (size_t)len >= sizeof inner)
			continue;
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			remove_all(inner);
		else
			unlink(inner);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

static int tear_down(void **state)
{
	(void)state;
	directory_close(&by_kernel);
	directory_close(&by_hand);
	assert_int_equal(chdir("/"), 0);
	remove_all(folder);
	return 0;
}

static enum error find(struct directory *d, const char *path, struct directory_file *f)
{
	return directory_find(d, span_of(path, strlen(path)), f);
}

static void holds(struct directory *d, const char *path, const char *text)
{
	struct directory_file f;
	char got[32];
	assert_int_equal(find(d, path, &f), ERR_OK);
	assert_false(f.folder);
	assert_int_equal(f.length, strlen(text));
	assert_int_equal(directory_read(f.fd, 0, got, sizeof got), f.length);
	assert_memory_equal(got, text, f.length);
	assert_int_equal(directory_read(f.fd, f.length, got, sizeof got), 0);
	if (f.length > 1) {
		assert_int_equal(directory_read(f.fd, 1, got, 1), 1);
		assert_int_equal(got[0], text[1]);
	}
	directory_file_close(&f);
	assert_int_equal(f.fd, -1);
}

static void is_folder(struct directory *d, const char *path)
{
	struct directory_file f;
	assert_int_equal(find(d, path, &f), ERR_OK);
	assert_true(f.folder);
	assert_int_equal(f.fd, -1);
}

static struct directory *both[] = { &by_kernel, &by_hand };

static void test_files(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		holds(both[i], "page.html", "page");
		holds(both[i], "empty", "");
		holds(both[i], "sub/inner.txt", "inner");
		is_folder(both[i], "");
		is_folder(both[i], "sub");
	}
	holds(&by_kernel, "link-in", "page"); /* by hand no link is followed at all */
}

static void test_nothing_outside(void **state)
{
	(void)state;
	static const char *const path[] = { "link-out", "link-absolute", "link-up/secret",
		"link-up", "..", "../secret", "sub/../../secret", "sub/..", "/etc/passwd", "loop",
		"fifo", "page.html/x", "nothing", "sub/nothing", "sub//inner.txt/",
		"link-up/beside" };
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned j = 0; j < sizeof path / sizeof *path; j++) {
			struct directory_file f = { .fd = -1 };
			enum error e = find(both[i], path[j], &f);
			/* Within the folder, the kernel allows what leads back in. */
			if (e == ERR_OK && f.folder && strcmp(path[j], "sub/..") == 0 && i == 0)
				continue;
			if (e != ERR_NOT_FOUND && e != ERR_PERMISSION)
				fail_msg("%s, %s: %s", path[j], i ? "by hand" : "by the kernel",
					error_text(e));
			assert_int_equal(f.fd, -1);
		}
	}
}

static void test_odd_names(void **state)
{
	(void)state;
	static char longest[5000];
	struct directory_file f;
	memset(longest, 'a', sizeof longest);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(directory_find(both[i], span_of(longest, sizeof longest), &f),
			ERR_NOT_FOUND);
		assert_int_equal(directory_find(both[i], span_of(longest, 300), &f), ERR_NOT_FOUND);
		assert_int_equal(
			directory_find(both[i], span_of("page.html\0x", 11), &f), ERR_NOT_FOUND);
	}
}

/* The identity changes with the content: what it is made of is its time and its inode. */
static void test_identity(void **state)
{
	(void)state;
	struct directory_file a, b;
	put(ROOT "/changing", "one");
	const struct timespec first[2] = { { 1000, 0 }, { 1000, 5 } };
	assert_int_equal(utimensat(AT_FDCWD, ROOT "/changing", first, 0), 0);
	assert_int_equal(find(&by_kernel, "changing", &a), ERR_OK);
	const struct timespec later[2] = { { 1000, 0 }, { 1000, 6 } };
	assert_int_equal(utimensat(AT_FDCWD, ROOT "/changing", later, 0), 0);
	assert_int_equal(find(&by_kernel, "changing", &b), ERR_OK);
	assert_int_equal(a.modified, 1000);
	assert_int_not_equal(a.identity, b.identity);
	directory_file_close(&a);
	directory_file_close(&b);
}

static void test_no_folder(void **state)
{
	(void)state;
	struct directory d;
	char why[200];
	assert_int_equal(directory_open(&d, "nowhere", why, sizeof why), ERR_NOT_FOUND);
	assert_non_null(strstr(why, "nowhere"));
	assert_int_equal(directory_open(&d, ROOT "/page.html", why, sizeof why), ERR_NOT_FOUND);
	assert_non_null(strstr(why, "is no folder"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_nothing_outside),
		cmocka_unit_test(test_odd_names),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_no_folder),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
