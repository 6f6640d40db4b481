/* The floor of `bench audience`: the least a program in C can do to send the same bytes to the same listeners.
 *
 * It accepts, answers every request with a fixed head, the init segment and the newest parts, and then sends each
 * group its parts at its own moment of the period, in a loop over send(). It looks at nothing, checks nothing and
 * closes whoever doesn't take everything.
 */
#include "tape.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { GROUPS = 50, EVENTS = 512, PARTS_SENT_MAX = 20, PART_BYTES_MAX = 2048 };

typedef struct {
  int *sockets;
  unsigned count, room, next_part;
} Group;

static Group groups[GROUPS];
static Tape tape;
static unsigned write_ms = 1000;

/* One HTTP chunk of the parts [from, to). */
static size_t chunk(uint8_t *at, unsigned from, unsigned to) {
  size_t bytes = 0;
  for (unsigned i = from; i < to; i++) bytes += part_place(&tape, i).length;
  size_t head = (size_t)sprintf((char *)at, "%zx\r\n", bytes);
  memcpy(at + head, tape.sound + part_place(&tape, from).offset, bytes);
  memcpy(at + head + bytes, "\r\n", 2);
  return head + bytes + 2;
}

static void greet(int socket) {
  static const char head[] =
      "HTTP/1.1 200 OK\r\ncontent-type: audio/mp4; codecs=\"opus\"\r\ncache-control: no-store\r\n"
      "connection: close\r\ntransfer-encoding: chunked\r\n\r\n";
  static unsigned next;
  uint8_t answer[4096 + PARTS_SENT_MAX * PART_BYTES_MAX];
  Group *group = &groups[next++ % GROUPS];
  if (group->count == 0) group->next_part = part_count(&tape);
  unsigned first = group->next_part > write_ms / PART_MS ? group->next_part - write_ms / PART_MS : 0;
  size_t bytes = sizeof head - 1;
  memcpy(answer, head, bytes);
  bytes += (size_t)sprintf((char *)answer + bytes, "%x\r\n", tape.init_bytes);
  memcpy(answer + bytes, tape.sound, tape.init_bytes);
  memcpy(answer + bytes + tape.init_bytes, "\r\n", 2);
  bytes += tape.init_bytes + 2;
  bytes += chunk(answer + bytes, first, group->next_part);
  send(socket, answer, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (group->count == group->room) {
    group->room = group->room ? group->room * 2 : 64;
    group->sockets = realloc(group->sockets, group->room * sizeof *group->sockets);
  }
  group->sockets[group->count++] = socket;
}

static void serve(Group *group) {
  static uint8_t data[PARTS_SENT_MAX * PART_BYTES_MAX];
  unsigned count = part_count(&tape);
  if (count == group->next_part || group->count == 0) return;
  size_t bytes = chunk(data, group->next_part, count);
  group->next_part = count;
  for (unsigned i = 0; i < group->count;) {
    if (send(group->sockets[i], data, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)bytes) {
      i++;
      continue;
    }
    close(group->sockets[i]);
    group->sockets[i] = group->sockets[--group->count];
  }
}

static void take_in(int door, int epoll) {
  int on = 1, send_buffer = 16 * 1024, receive_buffer = 4 * 1024;
  for (int i = 0; i < 64; i++) {
    int socket = accept4(door, NULL, NULL, SOCK_NONBLOCK);
    if (socket < 0) return;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
    setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = socket};
    epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
  }
}

static void asked(int socket, int epoll) {
  char request[4096];
  ssize_t bytes = recv(socket, request, sizeof request, 0);
  epoll_ctl(epoll, EPOLL_CTL_DEL, socket, NULL);
  if (bytes > 0) greet(socket);
  else close(socket);
}

static void run(int door) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = door}, events[EVENTS];
  epoll_ctl(epoll, EPOLL_CTL_ADD, door, &event);
  uint64_t step_ns = (uint64_t)write_ms * 1000000 / GROUPS, due_ns = now_ns() / step_ns * step_ns + step_ns;
  for (;;) {
    uint64_t now = now_ns();
    if (now >= due_ns) {
      serve(&groups[due_ns / step_ns % GROUPS]);
      due_ns += step_ns;
      continue;
    }
    int ready = epoll_wait(epoll, events, EVENTS, (int)((due_ns - now + 999999) / 1000000));
    for (int i = 0; i < ready; i++) {
      if (events[i].data.fd == door) take_in(door, epoll);
      else asked(events[i].data.fd, epoll);
    }
  }
}

/* floor FOLDER SPACE PROCESSES WRITE_MS: says its port, and runs until its stdin ends. */
int main(int count, char **arguments) {
  if (count != 5) return 2;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  tape = open_tape(arguments[1], strtoul(arguments[2], NULL, 10), "opus");
  unsigned processes = (unsigned)strtoul(arguments[3], NULL, 10);
  write_ms = (unsigned)strtoul(arguments[4], NULL, 10);
  int door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(door, (void *)&address, size) || listen(door, 4096) || getsockname(door, (void *)&address, &size)) return 2;
  for (unsigned i = 0; i < processes; i++) {
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      run(door);
    }
  }
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  while (getchar() != EOF) {
  }
  return 0;
}
