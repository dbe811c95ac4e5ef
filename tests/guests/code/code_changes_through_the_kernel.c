// build: -O1
// Code that ran is replaced by read, recv, pread, readv, process_vm_writev and /proc/self/mem, by another
// mapping of its file, by mmap over it, mremap, munmap, madvise and mprotect toggles.
#include "generated.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* The same page, mapped twice: written here, executed there. */
static void mapped_twice(void)
{
    unsigned char text[16];
    int shared = memfd_create("code", 0);
    CHECK_EQ(ftruncate(shared, 4096), 0);
    unsigned char *writable = mmap(NULL, 4096, RW, MAP_SHARED, shared, 0);
    unsigned char *executable = mmap(NULL, 4096, RX, MAP_SHARED, shared, 0);
    for (int value = 0; value < 1000; value++) {
        put(writable, value);
        CHECK_EQ(call(executable), value);
    }
    for (int value = 0; value < 100; value++) {
        put(text, value);
        CHECK_EQ(pwrite(shared, text, 6, 0), 6);
        CHECK_EQ(mprotect(executable, 4096, RX), 0);
        CHECK_EQ(call(executable), value);
    }
}

/* Written through a file of /proc. */
static void through_memory_file(unsigned char *code)
{
    unsigned char text[16];
    int memory = open("/proc/self/mem", O_RDWR);
    for (int value = 1; value < 50; value++) {
        put(text, value);
        CHECK_EQ(pwrite(memory, text, 6, (off_t)(uintptr_t)code), 6);
        /* Writers through files of /proc are not promised to be seen at once; a flush makes them. */
        __builtin___clear_cache((char *)code, (char *)code + 6);
        CHECK_EQ(mprotect(code, 4096, RX), 0);
        CHECK_EQ(mprotect(code, 4096, RWX), 0);
        CHECK_EQ(call(code), value);
    }
}

int main(void)
{
    unsigned char text[16], *code = pages(2, RWX);
    int pipes[2], sockets[2], file = open("code", O_RDWR | O_CREAT, 0644);
    CHECK_EQ(pipe(pipes), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    for (int i = 0; i < 300; i++) {
        int value = i * 10;
#define CHANGED(statement)                                                                         \
    put(text, ++value);                                                                            \
    statement;                                                                                     \
    CHECK_EQ(call(code), value)
        struct iovec local = {text, 6}, remote = {code, 6};
        CHANGED(put(code, value));
        CHANGED(CHECK_EQ(write(pipes[1], text, 6), 6); CHECK_EQ(read(pipes[0], code, 6), 6));
        CHANGED(CHECK_EQ(send(sockets[0], text, 6, 0), 6); CHECK_EQ(recv(sockets[1], code, 6, 0), 6));
        CHANGED(CHECK_EQ(pwrite(file, text, 6, 0), 6); CHECK_EQ(pread(file, code, 6, 0), 6));
        CHANGED(CHECK_EQ(preadv(file, &remote, 1, 0), 6); CHECK_EQ(pwrite(file, text, 6, 0), 6); CHECK_EQ(preadv(file, &remote, 1, 0), 6));
        CHANGED(CHECK_EQ(process_vm_writev(getpid(), &local, 1, &remote, 1, 0), 6));
        CHANGED(CHECK_EQ(process_vm_readv(getpid(), &remote, 1, &local, 1, 0), 6));
    }
    through_memory_file(code);
    /* Toggling between writable and executable. */
    for (int value = 0; value < 500; value++) {
        CHECK_EQ(mprotect(code, 4096, RW), 0);
        put(code, value);
        CHECK_EQ(mprotect(code, 4096, RX), 0);
        CHECK_EQ(call(code), value);
    }
    /* Other code at the same address. */
    for (int value = 0; value < 300; value++) {
        unsigned char *again;
        if (value % 3 == 0) {
            CHECK_EQ(munmap(code, 4096), 0);
            again = mmap(code, 4096, RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        } else if (value % 3 == 1) {
            again = mmap(code, 4096, RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        } else {
            put(text, value);
            CHECK_EQ(pwrite(file, text, 6, 0), 6);
            again = mmap(code, 4096, RWX, MAP_PRIVATE | MAP_FIXED, file, 0);
            CHECK_EQ(call(again), value);
        }
        CHECK_EQ(again, code);
        put(code, value + 1000);
        CHECK_EQ(call(code), value + 1000);
    }
    /* Moved by mremap onto code that ran. */
    for (int value = 0; value < 200; value++) {
        unsigned char *source = pages(1, RWX);
        put(source, value);
        CHECK_EQ(call(source), value);
        CHECK_EQ(mremap(source, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, code), code);
        CHECK_EQ(call(code), value);
    }
    /* MADV_DONTNEED brings the file's content back. */
    put(text, 5);
    CHECK_EQ(pwrite(file, text, 6, 0), 6);
    CHECK_EQ(mmap(code, 4096, RWX, MAP_PRIVATE | MAP_FIXED, file, 0), code);
    put(code, 6);
    CHECK_EQ(call(code), 6);
    CHECK_EQ(madvise(code, 4096, MADV_DONTNEED), 0);
    CHECK_EQ(call(code), 5);
    mapped_twice();
    /* A fork changes its own copy only. */
    put(code, 1);
    CHECK_EQ(call(code), 1);
    pid_t child = fork();
    if (child == 0) {
        put(code, 2);
        CHECK_EQ(call(code), 2);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(call(code), 1);
    return done();
}
