/* Counts the calls by which a process changes files under one folder, and makes the n-th of them a disaster.
 *
 * Loaded with LD_PRELOAD; `chaos_arm` starts counting in the process that calls it. A kill by the clock nearly always
 * falls between two writes; here every write of a command can be met.
 *   mode 1: SIGKILL instead of the call.
 *   mode 2: half of the bytes of a write, then SIGKILL (a torn page); as mode 1 for calls that carry no bytes.
 *   mode 3: this call and all later ones fail with an error number (a disk that fills up, or fails).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static char watched[4096];
static int mode;
static int failure;
static long wanted;
static long seen;
static long failable;

void chaos_arm(const char *folder, int how, long nth, int error_number) {
    strncpy(watched, folder, sizeof watched - 1);
    mode = how;
    failure = error_number;
    wanted = nth;
    seen = 0;
    failable = 0;
}

long chaos_count(void) { return seen; }

/* Those among them that a disk without room makes fail. */
long chaos_count_failable(void) { return failable; }

static int is_watched_path(const char *path) {
    return watched[0] && path && strncmp(path, watched, strlen(watched)) == 0;
}

static int is_watched(int descriptor) {
    char link[64], path[4096];
    if (!watched[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return is_watched_path(path);
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* 0: go on; 1: tear the write, then die; -1: fail. */
static int trip(int can_fail) {
    if (can_fail) __atomic_add_fetch(&failable, 1, __ATOMIC_SEQ_CST);
    long place = __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
    if (mode == 3 && place >= wanted) {
        errno = failure;
        return -1;
    }
    if (place != wanted) return 0;
    if (mode == 1) die();
    return mode == 2;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define BYTES(name, declaration, torn, whole)                          \
    ssize_t name declaration {                                         \
        if (is_watched(fd)) {                                          \
            int tripped = trip(1);                                     \
            if (tripped < 0) return -1;                                \
            if (tripped) {                                             \
                ssize_t ignored = REAL(name) torn;                     \
                (void)ignored;                                         \
                die();                                                 \
            }                                                          \
        }                                                              \
        return REAL(name) whole;                                       \
    }

BYTES(write, (int fd, const void *data, size_t size), (fd, data, size / 2), (fd, data, size))
BYTES(pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size / 2, at), (fd, data, size, at))
BYTES(pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size / 2, at), (fd, data, size, at))

#define CALL(name, declaration, is_ours, can_fail, whole)              \
    int name declaration {                                             \
        if (is_ours) {                                                 \
            int tripped = trip(can_fail);                              \
            if (tripped < 0) return -1;                                \
            if (tripped) die();                                        \
        }                                                              \
        return REAL(name) whole;                                       \
    }

/* A full disk can still sync, truncate, rename and unlink: mode 3 leaves these alone. */
#define KEPT(name, declaration, is_ours, whole) CALL(name, declaration, mode != 3 && (is_ours), 0, whole)

KEPT(fsync, (int fd), is_watched(fd), (fd))
KEPT(fdatasync, (int fd), is_watched(fd), (fd))
KEPT(ftruncate, (int fd, off_t size), is_watched(fd), (fd, size))
KEPT(ftruncate64, (int fd, off64_t size), is_watched(fd), (fd, size))
KEPT(rename, (const char *old, const char *new), is_watched_path(new), (old, new))
KEPT(renameat2, (int from, const char *old, int to, const char *new, unsigned int flags), is_watched_path(new),
     (from, old, to, new, flags))
KEPT(unlink, (const char *path), is_watched_path(path), (path))
KEPT(unlinkat, (int folder, const char *path, int flags), is_watched_path(path) || is_watched(folder),
     (folder, path, flags))
KEPT(rmdir, (const char *path), is_watched_path(path), (path))
CALL(mkdir, (const char *path, mode_t rights), is_watched_path(path), 1, (path, rights))
