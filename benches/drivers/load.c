/* Sends one request again and again over connections that stay open, each with one request under way.
 *
 *     load PORT CLIENTS MILLISECONDS REQUEST REPLY [SETUP SETUP_REPLY]
 *
 * In requests and replies \r and \n stand for themselves. A reply must begin with REPLY; its length is that of the first one, and
 * each must have it. Prints the lines of measure.h: `per_s`, `repetitions`, and quantiles of the time from a request to the
 * end of its reply.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REPLY_ROOM 65536
#define MAX_CLIENTS 4096
#define MAX_LATENCIES 4000000
#define WARM_UP_NS 300000000

static struct client {
    int fd;
    size_t got;
    uint64_t sent_ns;
} clients[MAX_CLIENTS];

static char request[4096], expected[256];
static size_t request_len, expected_len, reply_len;
static uint32_t *latencies;
static size_t latency_count;

static void check(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "wrong result");
        exit(1);
    }
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static size_t unescape(char *to, size_t room, const char *from)
{
    size_t len = 0;
    for (; *from && len + 1 < room; from++) {
        int escaped = from[0] == '\\' && (from[1] == 'r' || from[1] == 'n');
        to[len++] = !escaped ? from[0] : from[1] == 'r' ? '\r' : '\n';
        from += escaped;
    }
    to[len] = 0;
    return len;
}

static int connect_to(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    check(fd >= 0, "socket");
    check(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
    return fd;
}

/* One exchange whose end is that nothing more comes for 200 ms: what comes is the model of all replies. */
static size_t first_exchange(int port, const char *send_text, const char *begin)
{
    static char text[4096], start[256], reply[REPLY_ROOM];
    size_t len = unescape(text, sizeof text, send_text), start_len = unescape(start, sizeof start, begin), got = 0;
    int fd = connect_to(port);
    check(write(fd, text, len) == (ssize_t)len, "first request");
    struct pollfd waiting = { fd, POLLIN, 0 };
    while (got < sizeof reply && poll(&waiting, 1, got ? 200 : 10000) == 1) {
        ssize_t count = read(fd, reply + got, sizeof reply - got);
        if (count <= 0)
            break;
        got += (size_t)count;
    }
    close(fd);
    errno = 0;
    if (got < start_len || memcmp(reply, start, start_len)) {
        fprintf(stderr, "load: the reply begins with %.*s\n", (int)(got < 60 ? got : 60), reply);
        exit(1);
    }
    return got;
}

static void send_request(struct client *client)
{
    client->got = 0;
    client->sent_ns = now_ns();
    check(write(client->fd, request, request_len) == (ssize_t)request_len, "request");
}

/* Whether the reply is complete. */
static int take_reply(struct client *client)
{
    static char piece[REPLY_ROOM];
    ssize_t count = read(client->fd, piece, sizeof piece);
    errno = count < 0 ? errno : 0;
    check(count > 0, "the server closed a connection");
    if (client->got == 0)
        check((size_t)count >= expected_len && !memcmp(piece, expected, expected_len), "the beginning of a reply");
    client->got += (size_t)count;
    check(client->got <= reply_len, "the length of a reply");
    return client->got == reply_len;
}

static int by_value(const void *one, const void *other)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 8) {
        fprintf(stderr, "usage: load PORT CLIENTS MILLISECONDS REQUEST REPLY [SETUP SETUP_REPLY]\n");
        return 2;
    }
    int port = atoi(argv[1]), count = atoi(argv[2]), queue = epoll_create1(0);
    uint64_t duration_ns = strtoull(argv[3], NULL, 10) * 1000000u;
    errno = 0;
    check(count > 0 && count <= MAX_CLIENTS, "clients");
    latencies = malloc(MAX_LATENCIES * sizeof *latencies);
    check(latencies != NULL && queue >= 0, "epoll");
    if (argc == 8)
        first_exchange(port, argv[6], argv[7]);
    request_len = unescape(request, sizeof request, argv[4]);
    expected_len = unescape(expected, sizeof expected, argv[5]);
    reply_len = first_exchange(port, argv[4], argv[5]);
    for (int i = 0; i < count; i++) {
        struct epoll_event event = { EPOLLIN, { .ptr = &clients[i] } };
        clients[i].fd = connect_to(port);
        check(epoll_ctl(queue, EPOLL_CTL_ADD, clients[i].fd, &event) == 0, "epoll_ctl");
    }
    for (int i = 0; i < count; i++)
        send_request(&clients[i]);
    /* Before that it warms up. */
    uint64_t start = now_ns(), begin = start + WARM_UP_NS, end = begin + duration_ns, now = start, done = 0;
    uint64_t counted_from = 0;
    while (now < end) {
        struct epoll_event events[256];
        int ready = epoll_wait(queue, events, 256, 10000);
        check(ready > 0, "no reply for 10 s");
        for (int i = 0; i < ready; i++) {
            struct client *client = events[i].data.ptr;
            if (!take_reply(client))
                continue;
            now = now_ns();
            if (now >= begin) {
                counted_from = counted_from ? counted_from : now;
                done++;
                if (latency_count < MAX_LATENCIES)
                    latencies[latency_count++] = (uint32_t)(now - client->sent_ns > UINT32_MAX ? UINT32_MAX : now - client->sent_ns);
            }
            send_request(client);
        }
    }
    errno = 0;
    check(done > 1, "too few replies");
    printf("per_s %.2f\nrepetitions %llu\nquantiles", (double)(done - 1) * 1e9 / (double)(now - counted_from),
           (unsigned long long)done);
    qsort(latencies, latency_count, sizeof *latencies, by_value);
    for (unsigned i = 0; i <= 100; i++)
        printf(" %u", latencies[(latency_count - 1) * i / 100]);
    printf("\n");
    return 0;
}
