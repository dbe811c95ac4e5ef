// build: -O1
// Files of /proc and /sys have no length and make their text when it is read: small pieces add up to what one read gives, each
// opening and each return to the start give fresh text.
#include "files.h"

static long read_in_pieces(int fd, char *text, long most, long piece)
{
    long have = 0, got;
    while (have + piece < most && (got = read(fd, text + have, (size_t)piece)) > 0)
        have += got;
    return have;
}

static void pieces_add_up(const char *name)
{
    static char whole[1 << 16], parts[1 << 16];
    int fd = open(name, O_RDONLY);
    if (fd < 0) {
        printf("%s: %s\n", name, strerror(errno));
        return;
    }
    long length = read_in_pieces(fd, whole, sizeof whole, 4096);
    for (long piece = 1; piece < 100; piece += 13) {
        CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
        CHECK_EQ(read_in_pieces(fd, parts, sizeof parts, piece), length);
        CHECK_EQ(memcmp(whole, parts, (size_t)length), 0);
        char byte;
        for (int i = 0; i < 20; i++)
            CHECK_EQ(read(fd, &byte, 1), 0);
    }
    for (long at = 0; at < length && at < MANY; at++) {
        char byte;
        CHECK_EQ(pread(fd, &byte, 1, at), 1);
        CHECK_EQ(byte, whole[at]);
    }
    printf("%s: %s, size %ld\n", name, length ? "text" : "nothing", size_of(fd));
    close(fd);
}

/* Text that changes is seen to change through one descriptor. */
static void text_is_fresh(void)
{
    int fd = open("/proc/thread-self/comm", O_RDWR);
    char text[20];
    for (int i = 0; i < MANY; i++) {
        char name[16];
        int length = snprintf(name, sizeof name, "name%d", i);
        CHECK_EQ(write(fd, name, (size_t)length), length);
        long got = pread(fd, text, sizeof text, 0);
        CHECK_EQ(got, length + 1);
        CHECK_EQ(memcmp(text, name, (size_t)length), 0);
    }
    close(fd);
    fd = open("/proc/self/stat", O_RDONLY);
    long long before = -1;
    for (int i = 0; i < MANY; i++) {
        char line[1000] = {0};
        CHECK(pread(fd, line, sizeof line - 1, 0) > 0);
        long long minor;
        CHECK_EQ(sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %lld", &minor), 1);
        CHECK(minor >= before);
        before = minor;
        if (i % 50 == 0)
            free(memset(malloc(1 << 20), 1, 1 << 20));
    }
    close(fd);
    /* An offset in such a file goes to a duplicate and to nobody else. */
    fd = open("/proc/version", O_RDONLY);
    int other = dup(fd), third = open("/proc/version", O_RDONLY);
    char a, b;
    CHECK_EQ(read(fd, text, 10), 10);
    CHECK_EQ(read(other, &a, 1), 1);
    CHECK_EQ(pread(third, &b, 1, 10), 1);
    CHECK_EQ(a, b);
    CHECK_EQ(offset_of(third), 0);
}

int main(void)
{
    static const char *const names[] = {"/proc/version", "/proc/filesystems", "/proc/sys/kernel/ostype",
                                        "/proc/sys/kernel/random/boot_id", "/proc/self/cmdline", "/proc/self/limits",
                                        "/proc/self/cgroup", "/proc/self/mountinfo", "/sys/kernel/mm/transparent_hugepage/enabled",
                                        "/sys/devices/system/cpu/online", "/sys/kernel/notes", "/proc/self/environ"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        pieces_add_up(names[i]);
    text_is_fresh();
    return done();
}
