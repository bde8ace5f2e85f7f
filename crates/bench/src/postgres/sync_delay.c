/* Preloaded into a server, makes its disk slower: every fsync and fdatasync takes so many microseconds more. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

typedef int sync_call(int);

static void pause_for_disk(void)
{
    const char *micros = getenv("ACTUM_SYNC_DELAY_MICROS");
    long delay = micros ? atol(micros) : 0;
    struct timespec left = {.tv_sec = delay / 1000000, .tv_nsec = delay % 1000000 * 1000};

    /* signals shorten a sleep, and are frequent in a server */
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

static int delayed(const char *name, int file)
{
    sync_call *real = (sync_call *)dlsym(RTLD_NEXT, name);
    int result = real(file);
    int error = errno;

    pause_for_disk();
    errno = error;
    return result;
}

int fsync(int file)
{
    return delayed("fsync", file);
}

int fdatasync(int file)
{
    return delayed("fdatasync", file);
}
