/* Requests for `folkmoot bench api`: each client asks again as soon as it was answered, on a connection that it keeps.
 *
 *   api_load PORT CLIENTS SECONDS PATH RUN < TOKENS
 *
 * The tokens, one a line, are taken in turn; without any nobody is signed in. Each client of each run (1 to 254) has an
 * address of its own (127.RUN.1.N), since the server counts requests by address. Prints what was noted as JSON; the first tenth of the
 * time warms up and isn't counted.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 250, TOKENS_MAX = 1024, TOKEN_BYTES = 256, ANSWER_BYTES_MAX = 4 * 1024 * 1024, SAMPLES_MAX = 1 << 22 };

static char tokens[TOKENS_MAX][TOKEN_BYTES];
static int token_count, port, seconds, run;
static const char *path;
static atomic_long next_token, sample_count, failed, bytes_read;
static float *samples; /* milliseconds */
static double counts_from_s, ends_s;

static double now_s(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int connected(int client) {
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in own = {.sin_family = AF_INET}, server = {.sin_family = AF_INET, .sin_port = htons(port)};
    own.sin_addr.s_addr = htonl(0x7f000101u + ((unsigned)run << 16) + (unsigned)client);
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own) || connect(fd, (struct sockaddr *)&server, sizeof server))
        fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/* Reads one answer; its status, 0 where the connection is over. */
static int answer(int fd, char *buffer) {
    long have = 0, whole = -1;
    while (whole < 0 || have < whole) {
        long got = recv(fd, buffer + have, ANSWER_BYTES_MAX - 1 - have, 0);
        if (got <= 0) return 0;
        have += got;
        buffer[have] = 0;
        char *end = whole < 0 ? strstr(buffer, "\r\n\r\n") : NULL;
        if (end == NULL) continue;
        char *length = strcasestr(buffer, "\r\ncontent-length:");
        if (length == NULL || length > end) fail("an answer without a length");
        whole = end + 4 - buffer + atol(length + 17);
    }
    atomic_fetch_add(&bytes_read, whole);
    return atoi(buffer + 9);
}

static void *ask(void *which) {
    int client = (int)(long)which, fd = connected(client);
    char request[1024], *buffer = malloc(ANSWER_BYTES_MAX);
    for (;;) {
        double asked_s = now_s();
        if (asked_s >= ends_s) break;
        int bytes = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n", path, port);
        if (token_count) {
            const char *token = tokens[atomic_fetch_add(&next_token, 1) % token_count];
            bytes += snprintf(request + bytes, sizeof request - bytes, "authorization: Bearer %s\r\n", token);
        }
        bytes += snprintf(request + bytes, sizeof request - bytes, "\r\n");
        if (send(fd, request, bytes, MSG_NOSIGNAL) != bytes) fail("send");
        int status = answer(fd, buffer);
        double answered_s = now_s();
        if (status == 0) {
            close(fd);
            fd = connected(client);
        }
        if (asked_s < counts_from_s || answered_s > ends_s) continue;
        if (status != 200) {
            atomic_fetch_add(&failed, 1);
            continue;
        }
        long at = atomic_fetch_add(&sample_count, 1);
        if (at < SAMPLES_MAX) samples[at] = (float)((answered_s - asked_s) * 1000);
    }
    close(fd);
    free(buffer);
    return NULL;
}

static int by_size(const void *one, const void *other) {
    float a = *(const float *)one, b = *(const float *)other;
    return (a > b) - (a < b);
}

int main(int count, char **words) {
    if (count != 6) return 2;
    int clients = atoi(words[2]);
    port = atoi(words[1]);
    seconds = atoi(words[3]);
    path = words[4];
    run = atoi(words[5]);
    if (clients < 1 || clients > CLIENTS_MAX || run < 1 || run > 254) return 2;
    while (token_count < TOKENS_MAX && scanf("%255s", tokens[token_count]) == 1) token_count++;
    samples = malloc(sizeof *samples * SAMPLES_MAX);
    counts_from_s = now_s() + seconds / 10.0;
    ends_s = counts_from_s + seconds;
    pthread_t threads[CLIENTS_MAX];
    for (long i = 0; i < clients; i++)
        if (pthread_create(&threads[i], NULL, ask, (void *)i)) fail("pthread_create");
    for (int i = 0; i < clients; i++) pthread_join(threads[i], NULL);
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    long n = sample_count < SAMPLES_MAX ? sample_count : SAMPLES_MAX;
    qsort(samples, n, sizeof *samples, by_size);
    printf("{\"answered\": %ld, \"failed\": %ld, \"bytes\": %ld, \"seconds\": %d, \"p50_ms\": %.4f, \"p99_ms\": %.4f, "
           "\"cpu_s\": %.3f}\n",
           n, (long)failed, (long)bytes_read, seconds, n ? samples[n / 2] : 0, n ? samples[n * 99 / 100] : 0,
           use.ru_utime.tv_sec + use.ru_stime.tv_sec + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
    return 0;
}
