/* Between a program and the disk: counts what a program does to files below one directory, and at the n-th time fails,
   tears or kills. Loaded by LD_PRELOAD; what it does is told by the environment, see mod.rs. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static char under[PATH_MAX];
static char what[32];
static long at;
static int record = -1;
static long calls;
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void start(void) {
    const char *directory = getenv("DISK_UNDER"), *fault = getenv("DISK_FAULT"), *n = getenv("DISK_AT");
    const char *journal = getenv("DISK_RECORD");
    if (!directory || !fault)
        return;
    snprintf(under, sizeof under, "%s/", directory);
    snprintf(what, sizeof what, "%s", fault);
    at = n ? atol(n) : 0;
    if (journal)
        record = REAL(open)(journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* The path of an open file, if it lies below the directory. */
static int is_ours(int fd, char *path) {
    char link[32];
    int keep = errno;
    if (!under[0] || fd == record)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    errno = keep;
    if (length < 0)
        return 0;
    path[length] = 0;
    return !strncmp(path, under, strlen(under));
}

/* One line per call, then its octets: kind, place, number of octets, path. */
static void note(char kind, const char *path, long long place, const void *octets, size_t count) {
    char line[PATH_MAX + 80];
    if (record < 0)
        return;
    int length = snprintf(line, sizeof line, "%c %lld %zu %s\n", kind, place, octets ? count : 0, path);
    if (REAL(write)(record, line, length) != length || (octets && REAL(write)(record, octets, count) != (ssize_t)count))
        abort();
}

enum { GO_ON, FAIL, TEAR };

static void die(void) { kill(getpid(), SIGKILL); for (;;) pause(); }

/* Counts a call; says how it goes on. Called with the lock, as is `after`. */
static int before(void) {
    int is_it = ++calls == at, is_past = at && calls >= at;
    if (is_it && !strcmp(what, "kill-before"))
        die();
    if (is_it && (!strcmp(what, "torn") || !strcmp(what, "kill-torn")))
        return TEAR;
    if ((is_it && !strcmp(what, "no-space")) || (is_past && (!strcmp(what, "no-space-on") || !strcmp(what, "torn")))) {
        errno = ENOSPC;
        return FAIL;
    }
    if ((is_it && !strcmp(what, "io")) || (is_past && !strcmp(what, "io-on"))) {
        errno = EIO;
        return FAIL;
    }
    if (is_past && !strcmp(what, "quota-on")) {
        errno = EDQUOT;
        return FAIL;
    }
    return GO_ON;
}

static void after(void) {
    if (calls == at && !strncmp(what, "kill-", 5))
        die();
}

/* `call` sets `result`; `how` may look at it. */
#define GUARDED(type, call, log)                   \
    pthread_mutex_lock(&one);                      \
    type result = -1;                              \
    int how = before();                            \
    if (how != FAIL) {                             \
        result = call;                             \
        if (result >= 0) { log; }                  \
        int keep = errno;                          \
        after();                                   \
        errno = keep;                              \
    }                                              \
    pthread_mutex_unlock(&one);                    \
    return result;

#define HALF(count) (how == TEAR ? ((count) + 1) / 2 : (count))

ssize_t write(int fd, const void *octets, size_t count) {
    char path[PATH_MAX];
    if (!is_ours(fd, path))
        return REAL(write)(fd, octets, count);
    off_t place = lseek(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
    GUARDED(ssize_t, REAL(write)(fd, octets, HALF(count)), note('w', path, place, octets, result))
}

ssize_t pwrite(int fd, const void *octets, size_t count, off_t place) {
    char path[PATH_MAX];
    if (!is_ours(fd, path))
        return REAL(pwrite)(fd, octets, count, place);
    GUARDED(ssize_t, REAL(pwrite)(fd, octets, HALF(count), place), note('w', path, place, octets, result))
}

ssize_t pwrite64(int fd, const void *octets, size_t count, off64_t place) { return pwrite(fd, octets, count, place); }

int ftruncate(int fd, off_t length) {
    char path[PATH_MAX];
    if (!is_ours(fd, path))
        return REAL(ftruncate)(fd, length);
    GUARDED(int, REAL(ftruncate)(fd, length), note('t', path, length, NULL, 0))
}

int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

int fsync(int fd) {
    char path[PATH_MAX];
    if (!is_ours(fd, path))
        return REAL(fsync)(fd);
    GUARDED(int, REAL(fsync)(fd), note('s', path, 0, NULL, 0))
}

int fdatasync(int fd) { return fsync(fd); }

int unlink(const char *path) {
    if (!under[0] || strncmp(path, under, strlen(under)))
        return REAL(unlink)(path);
    GUARDED(int, REAL(unlink)(path), note('u', path, 0, NULL, 0))
}

int rename(const char *from, const char *to) {
    if (!under[0] || strncmp(from, under, strlen(under)))
        return REAL(rename)(from, to);
    GUARDED(int, REAL(rename)(from, to), note('r', from, 0, to, strlen(to)))
}

/* Only the making of a file counts. */
int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (!under[0] || !(flags & O_CREAT) || strncmp(path, under, strlen(under)) || !access(path, F_OK))
        return REAL(open)(path, flags, mode);
    GUARDED(int, REAL(open)(path, flags, mode), note('c', path, 0, NULL, 0))
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open(path, flags | O_LARGEFILE, mode);
}
