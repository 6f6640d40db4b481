/* HLS players for `folkmoot bench hls`: each loads a live playlist by blocking reloads, part by part or segment by
 * segment, and fetches what is new in it, on one connection that is kept.
 *
 *   hls_players PORT FOLDER PLAYERS SECONDS SETTLE_SECONDS parts|segments
 *
 * Says "measuring" on stdout once all play and SETTLE_SECONDS have passed, and after SECONDS more what was noted since,
 * as JSON. `spread` is how much later something came to a player than to the first of them all, in milliseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_BYTES_MAX = 64 * 1024, HEAD_BYTES_MAX = 1024, EVENTS_MAX = 512, PARTS_MAX = 64, SPREAD_MS_MAX = 20000 };
enum kind { FIRST, RELOAD, MEDIA };

static const double JOINS_PER_S = 2000, AGAIN_AFTER_S = 0.5, JOINED_WITHIN_S = 60;

struct place { long segment; int part; };

struct player {
    int fd;
    enum kind kind;
    char head[HEAD_BYTES_MAX];
    int head_bytes;
    int status;
    long body_left; /* -1 while the head is read */
    char *text;
    long text_bytes;
    struct place next; /* what to fetch next */
    struct place edge; /* what the newest playlist hints at */
    double again_s;    /* when to try again after an error; 0 if there was none */
};

static struct { long requests, playlists, media, errors, reconnects, missed, bytes, joined; } noted;
static long spread[SPREAD_MS_MAX + 1];
static double first_s[1 << 16][PARTS_MAX];
static struct player *players;
static const char *folder;
static int port, epoll, by_parts, is_measuring;

static double now_s(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void open_connection(struct player *one) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    one->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int yes = 1;
    setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (one->fd < 0 || (connect(one->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)) fail("connect");
    one->kind = FIRST;
    struct epoll_event wanted = {.events = EPOLLOUT, .data.ptr = one};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, one->fd, &wanted) < 0) fail("epoll_ctl");
}

static void ask(struct player *one) {
    char query[128] = "", request[512], name[64] = "live.m3u8";
    if (one->kind == RELOAD && by_parts)
        sprintf(query, "?_HLS_msn=%ld&_HLS_part=%d&_HLS_skip=YES", one->edge.segment, one->edge.part);
    else if (one->kind == RELOAD)
        sprintf(query, "?_HLS_msn=%ld&_HLS_skip=YES", one->edge.segment);
    else if (one->kind == MEDIA && by_parts)
        sprintf(name, "%ld.%d.m4s", one->next.segment, one->next.part);
    else if (one->kind == MEDIA)
        sprintf(name, "%ld.m4s", one->next.segment);
    int length = snprintf(request, sizeof request, "GET %s/%s%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", folder, name, query);
    one->head_bytes = 0;
    one->body_left = -1;
    one->text_bytes = 0;
    if (is_measuring) noted.requests++;
    if (write(one->fd, request, length) != length) one->again_s = now_s() + AGAIN_AFTER_S;
}

static void give_up(struct player *one) {
    if (is_measuring) noted.reconnects++;
    close(one->fd);
    one->fd = -1;
    one->again_s = now_s() + AGAIN_AFTER_S;
}

static int is_before(struct place one, struct place other) {
    return one.segment < other.segment || (one.segment == other.segment && by_parts && one.part < other.part);
}

/* Goes on to the next part that is listed, past the end of a segment if there is none in it any more. */
static int find_next(struct player *one) {
    while (is_before(one->next, one->edge)) {
        char wanted[64];
        if (!by_parts) return 1;
        sprintf(wanted, "URI=\"%ld.%d.", one->next.segment, one->next.part);
        if (strstr(one->text, wanted)) return 1;
        if (one->next.part == 0 && is_measuring) noted.missed++;
        one->next = (struct place){one->next.segment + 1, 0};
    }
    return 0;
}

static void came(struct player *one) {
    double *first = &first_s[one->next.segment & 0xffff][by_parts ? one->next.part % PARTS_MAX : 0], at_s = now_s();
    if (*first == 0) *first = at_s;
    long late_ms = (at_s - *first) * 1000;
    if (is_measuring) {
        noted.media++;
        spread[late_ms > SPREAD_MS_MAX ? SPREAD_MS_MAX : late_ms]++;
    }
    one->next = by_parts ? (struct place){one->next.segment, one->next.part + 1} : (struct place){one->next.segment + 1, 0};
}

static void read_playlist(struct player *one) {
    one->text[one->text_bytes] = 0;
    char *hint = strstr(one->text, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"");
    if (!hint || sscanf(strchr(hint, '"') + 1, "%ld.%d", &one->edge.segment, &one->edge.part) != 2) {
        one->again_s = now_s() + AGAIN_AFTER_S;
        return;
    }
    if (one->kind == FIRST) {
        one->next = one->edge;
        noted.joined++;
    } else if (is_measuring) {
        noted.playlists++;
    }
}

static void answered(struct player *one) {
    if (one->status != 200) {
        if (is_measuring) noted.errors++;
        one->kind = FIRST;
        one->again_s = now_s() + AGAIN_AFTER_S;
        return;
    }
    if (one->kind == MEDIA) came(one);
    else read_playlist(one);
    if (one->again_s) return;
    one->kind = find_next(one) ? MEDIA : RELOAD;
    ask(one);
}

static void take(struct player *one, const char *data, long count) {
    if (is_measuring) noted.bytes += count;
    while (count > 0) {
        if (one->body_left < 0) {
            if (one->head_bytes + 1 >= HEAD_BYTES_MAX - 1) return give_up(one);
            one->head[one->head_bytes++] = *data++;
            count--;
            if (one->head_bytes < 4 || memcmp(one->head + one->head_bytes - 4, "\r\n\r\n", 4)) continue;
            one->head[one->head_bytes] = 0;
            char *length = strcasestr(one->head, "\r\ncontent-length:");
            if (!length || sscanf(one->head, "HTTP/1.1 %d", &one->status) != 1) return give_up(one);
            one->body_left = atol(length + 17);
        } else {
            long part = count < one->body_left ? count : one->body_left;
            if (one->kind != MEDIA && one->text_bytes + part < TEXT_BYTES_MAX) {
                memcpy(one->text + one->text_bytes, data, part);
                one->text_bytes += part;
            }
            data += part;
            count -= part;
            one->body_left -= part;
        }
        if (one->body_left == 0) answered(one);
    }
}

static void readable(struct player *one) {
    static char data[256 * 1024];
    ssize_t count = recv(one->fd, data, sizeof data, 0);
    if (count > 0) take(one, data, count);
    else if (count == 0 || errno != EAGAIN) give_up(one);
}

static void writable(struct player *one) {
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = one};
    epoll_ctl(epoll, EPOLL_CTL_MOD, one->fd, &wanted);
    ask(one);
}

static void try_again(long opened) {
    double at_s = now_s();
    for (long i = 0; i < opened; i++) {
        struct player *one = &players[i];
        if (!one->again_s || one->again_s > at_s) continue;
        one->again_s = 0;
        if (one->fd < 0) open_connection(one);
        else { one->kind = FIRST; ask(one); }
    }
}

static double percentile_ms(double share) {
    long all = 0, passed = 0;
    for (int i = 0; i <= SPREAD_MS_MAX; i++) all += spread[i];
    for (int i = 0; i <= SPREAD_MS_MAX; i++)
        if ((passed += spread[i]) >= share * all && all) return i;
    return 0;
}

static void run(long wanted, double seconds, double settle_s) {
    struct epoll_event events[EVENTS_MAX];
    double began_s = now_s(), settled_s = 0, ends_s = 0, looked_s = 0;
    long opened = 0;
    while (!ends_s || now_s() < ends_s) {
        for (; opened < wanted && opened < (now_s() - began_s) * JOINS_PER_S; opened++) {
            players[opened].text = malloc(TEXT_BYTES_MAX);
            open_connection(&players[opened]);
        }
        int count = epoll_wait(epoll, events, EVENTS_MAX, opened < wanted ? 1 : 50);
        for (int i = 0; i < count; i++)
            (events[i].events & EPOLLOUT ? writable : readable)(events[i].data.ptr);
        double at_s = now_s();
        if (at_s > looked_s + 0.1) { looked_s = at_s; try_again(opened); }
        if (!settled_s && noted.joined >= wanted) settled_s = at_s + settle_s;
        if (!settled_s && at_s > began_s + JOINED_WITHIN_S) { fprintf(stderr, "%ld of %ld players play\n", noted.joined, wanted); exit(1); }
        if (settled_s && !is_measuring && at_s > settled_s) {
            is_measuring = 1;
            ends_s = at_s + seconds;
            puts("measuring");
            fflush(stdout);
        }
    }
}

int main(int count, char **words) {
    if (count != 7) return 2;
    port = atoi(words[1]);
    folder = words[2];
    long wanted = atol(words[3]);
    by_parts = !strcmp(words[6], "parts");
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    players = calloc(wanted, sizeof *players);
    epoll = epoll_create1(0);
    run(wanted, atof(words[4]), atof(words[5]));
    printf("{\"requests\":%ld,\"playlists\":%ld,\"media\":%ld,\"errors\":%ld,\"reconnects\":%ld,\"missed\":%ld,\"bytes\":%ld,"
           "\"spread_p50_ms\":%.0f,\"spread_p99_ms\":%.0f}\n",
           noted.requests, noted.playlists, noted.media, noted.errors, noted.reconnects, noted.missed, noted.bytes,
           percentile_ms(0.5), percentile_ms(0.99));
    return 0;
}
