/*
 * LD_PRELOAD: syslog(3) appends to the file $LOGSHIM_FILE. Sendmail knows no other log, and a test has
 * no /dev/log of its own.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[1024];

/* Sendmail clears its environment early, so the value is kept here. */
__attribute__((constructor)) static void remember_path(void) {
    const char *file = getenv("LOGSHIM_FILE");
    snprintf(path, sizeof path, "%s", file == NULL ? "/dev/null" : file);
}

static void write_line(const char *format, va_list arguments) {
    char text[8192];
    char line[8256];
    const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        return;
    }
    vsnprintf(text, sizeof text, format, arguments);
    const int length = snprintf(line, sizeof line, "[%ld] %s\n", (long)getpid(), text);
    if (write(fd, line, (size_t)length) < 0) {
        _exit(70);
    }
    close(fd);
}

void vsyslog(int priority, const char *format, va_list arguments) {
    (void)priority;
    write_line(format, arguments);
}

void syslog(int priority, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsyslog(priority, format, arguments);
    va_end(arguments);
}

/* What the two above become with _FORTIFY_SOURCE. */
void __vsyslog_chk(int priority, int flag, const char *format, va_list arguments) {
    (void)flag;
    vsyslog(priority, format, arguments);
}

void __syslog_chk(int priority, int flag, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    __vsyslog_chk(priority, flag, format, arguments);
    va_end(arguments);
}
