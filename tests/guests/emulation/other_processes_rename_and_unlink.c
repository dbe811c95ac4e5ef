// build: -O1
// options: --no-follow
// Names come and go under a descriptor in use: it stays with its file, the name leads to the new one; modes and links show.
#include "files.h"
#include "partner.h"

enum { UNLINK = 1, REPLACE, LINK, CHMOD, TOUCH, LINKS, READ_NAME };

static long answer(int question, long argument)
{
    struct stat stat;
    char byte = 0;
    int fd;
    switch (question) {
    case UNLINK: return unlink("data");
    case REPLACE:
        fd = open("fresh", O_WRONLY | O_CREAT | O_TRUNC, 0644);
        CHECK_EQ(write(fd, "fresh", 5), 5);
        close(fd);
        return rename("fresh", "data");
    case LINK: return link("data", "second");
    case CHMOD: return chmod("data", (mode_t)argument);
    case TOUCH: {
        struct timespec times[2] = {{argument, 0}, {argument, 0}};
        return utimensat(AT_FDCWD, "data", times, 0);
    }
    case LINKS: return lstat("data", &stat) == 0 ? (long)stat.st_nlink : -1;
    default:
        fd = open("data", O_RDONLY);
        CHECK_EQ(read(fd, &byte, 1), 1);
        close(fd);
        return (unsigned char)byte;
    }
}

static void round_of(int access)
{
    struct stat stat;
    make_file("data", 10000);
    int fd = open("data", access);
    read_burst(fd, 0, MANY, 3);
    if (access == O_RDWR) {
        write_burst(fd, MANY * 3, MANY, 2);
        CHECK_EQ(lseek(fd, MANY * 3, SEEK_SET), MANY * 3);
    }
    CHECK_EQ(ask(LINK, 0), 0);
    CHECK_EQ(fstat(fd, &stat), 0);
    CHECK_EQ(stat.st_nlink, 2);
    CHECK_EQ(ask(CHMOD, 0600), 0);
    CHECK_EQ(fstat(fd, &stat), 0);
    CHECK_EQ(stat.st_mode & 0777, 0600);
    CHECK_EQ(ask(TOUCH, 1000000000), 0);
    CHECK_EQ(fstat(fd, &stat), 0);
    CHECK_EQ(stat.st_mtime, 1000000000);
    read_burst(fd, MANY * 3, MANY, 2);
    /* Reading moves no modification time, whatever it is answered from. */
    CHECK_EQ(fstat(fd, &stat), 0);
    CHECK_EQ(stat.st_mtime, 1000000000);
    CHECK_EQ(ask(REPLACE, 0), 0);
    CHECK_EQ(ask(READ_NAME, 0), 'f');
    read_burst(fd, MANY * 5, MANY, 2);
    CHECK_EQ(fstat(fd, &stat), 0);
    CHECK_EQ(stat.st_nlink, 1);
    int fresh = open("data", O_RDONLY);
    char byte;
    CHECK_EQ(read(fresh, &byte, 1), 1);
    CHECK_EQ(byte, 'f');
    CHECK_EQ(ask(UNLINK, 0), 0);
    CHECK_EQ(ask(LINKS, 0), -1);
    CHECK_EQ(fstat(fresh, &stat), 0);
    CHECK_EQ(stat.st_nlink, 0);
    CHECK_EQ(read(fresh, &byte, 1), 1);
    CHECK_EQ(byte, 'r');
    close(fresh);
    read_burst(fd, MANY * 7, MANY, 2);
    CHECK_EQ(rename("second", "data"), 0);
    if (access == O_RDWR) {
        CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
        for (int i = 0; i < MANY; i++)
            CHECK_EQ(write(fd, "zz", 2), 2);
        CHECK_EQ(ask(READ_NAME, 0), 'z');
    } else {
        CHECK_EQ(ask(READ_NAME, 0), byte_at(0));
    }
    CHECK_EQ(unlink("data"), 0);
    CHECK_EQ(offset_of(fd), access == O_RDWR ? MANY * 2 : MANY * 9);
    close(fd);
}

int main(int argc, char **argv)
{
    start_partner(argc, argv);
    for (int i = 0; i < 10; i++) {
        round_of(O_RDONLY);
        round_of(O_RDWR);
    }
    return done_with_partner();
}
