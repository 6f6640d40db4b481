/* Listeners for `bench audience --peers`: each asks any server for an endless stream and reads what comes, whatever it
 * is. The servers beside ours send other bytes than ours, so nothing is compared.
 *
 *   takers PORT PATH LISTENERS SECONDS SETTLE_SECONDS
 *
 * Says "measuring" on stdout once all hear something and SETTLE_SECONDS have passed, and after SECONDS more, as JSON,
 * how many bytes came since, how many connections ended, and the longest pause of any.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 512, LISTENERS_PER_ADDRESS = 20 };
static const double JOINS_PER_S = 500, JOINED_WITHIN_S = 60;

struct taker {
  int socket, is_asked, hears;
  double last_s;
};

static struct taker *takers;
static long joined, bytes, ended;
static double pause_max_s;
static int epoll, port, is_measuring;
static const char *path;

static double now_s(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec + at.tv_nsec / 1e9;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void join(struct taker *one) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  one->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (one->socket < 0) fail("socket");
  /* A few from each address: ours takes so many joins of one, and no more. */
  struct sockaddr_in from = {.sin_family = AF_INET};
  from.sin_addr.s_addr = htonl(0x7f010001 + (unsigned)((one - takers) / LISTENERS_PER_ADDRESS));
  int yes = 1;
  setsockopt(one->socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  if (bind(one->socket, (struct sockaddr *)&from, sizeof from) < 0) fail("bind");
  if (connect(one->socket, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) fail("connect");
  struct epoll_event wanted = {.events = EPOLLOUT, .data.ptr = one};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, one->socket, &wanted) < 0) fail("epoll_ctl");
}

static void ask(struct taker *one) {
  char request[512];
  int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);
  one->is_asked = 1;
  if (write(one->socket, request, length) != length) fail("write");
  struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = one};
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, one->socket, &wanted) < 0) fail("epoll_ctl");
}

static void take(struct taker *one) {
  static char data[64 * 1024];
  ssize_t count = recv(one->socket, data, sizeof data, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    ended++;
    close(one->socket);
    return;
  }
  double at_s = now_s();
  if (!one->hears) {
    if (memcmp(data, "HTTP/1.", 7) || !strstr(data, " 200 ")) fail("an answer that is no stream");
    one->hears = 1;
    joined++;
  } else if (is_measuring) {
    bytes += count;
    if (at_s - one->last_s > pause_max_s) pause_max_s = at_s - one->last_s;
  }
  one->last_s = at_s;
}

static void run(long wanted, double seconds, double settle_s) {
  struct epoll_event events[EVENTS_MAX];
  double began_s = now_s(), settled_s = 0, ends_s = 0;
  long opened = 0;
  while (!ends_s || now_s() < ends_s) {
    while (opened < wanted && opened < (now_s() - began_s) * JOINS_PER_S) join(&takers[opened++]);
    int count = epoll_wait(epoll, events, EVENTS_MAX, 10);
    for (int i = 0; i < count; i++) {
      struct taker *one = events[i].data.ptr;
      if (one->is_asked) take(one);
      else ask(one);
    }
    double at_s = now_s();
    if (!settled_s && joined >= wanted) settled_s = at_s + settle_s;
    if (!settled_s && at_s > began_s + JOINED_WITHIN_S) {
      fprintf(stderr, "%ld of %ld listeners hear something\n", joined, wanted);
      exit(1);
    }
    if (settled_s && !is_measuring && at_s > settled_s) {
      is_measuring = 1;
      ends_s = at_s + seconds;
      puts("measuring");
      fflush(stdout);
    }
  }
}

int main(int count, char **words) {
  if (count != 6) return 2;
  port = atoi(words[1]);
  path = words[2];
  long wanted = atol(words[3]);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  takers = calloc(wanted, sizeof *takers);
  epoll = epoll_create1(0);
  run(wanted, atof(words[4]), atof(words[5]));
  printf("{\"bytes\":%ld,\"ended\":%ld,\"pause_max_s\":%.3f}\n", bytes, ended, pause_max_s);
  return 0;
}
