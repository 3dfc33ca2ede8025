/*
 * LD_PRELOAD: the time of day is off by what the file $CLOCKSHIM_FILE says, 8 octets of milliseconds in the host's
 * order, read anew each time. Clocks that measure how long something takes are left alone. Who waits until a time of
 * day, as libmilter's idle workers do, waits as long as ever.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static const volatile int64_t *offset_ms;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void open_offset(void) {
    real_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int file = open(getenv("CLOCKSHIM_FILE"), O_RDONLY | O_CLOEXEC);
    void *map = mmap(NULL, sizeof *offset_ms, PROT_READ, MAP_SHARED, file, 0);
    if (file < 0 || map == MAP_FAILED) {
        abort();
    }
    offset_ms = map;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (real_clock_gettime == NULL) {
        open_offset(); /* another library's constructor came first */
    }
    int status = real_clock_gettime(clock, now);
    if (status == 0 && clock == CLOCK_REALTIME) {
        int64_t ms = (int64_t)now->tv_sec * 1000 + now->tv_nsec / 1000000 + *offset_ms;
        now->tv_nsec = (long)(ms % 1000) * 1000000 + now->tv_nsec % 1000000;
        now->tv_sec = ms / 1000;
    }
    return status;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result != NULL) {
        *result = now.tv_sec;
    }
    return now.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
    int64_t ms = (int64_t)until->tv_sec * 1000 + until->tv_nsec / 1000000 - *offset_ms;
    struct timespec real = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 + until->tv_nsec % 1000000};
    return pthread_cond_clockwait(condition, mutex, CLOCK_REALTIME, &real);
}
