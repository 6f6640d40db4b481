/* Listeners of `bench audience`: real connections that compare every byte with what the tape holds.
 *
 * The stream is HTTP/1.1 chunks of an init segment and then parts. A part's place is found by the sequence number
 * in its moof box; every byte of it is compared with the tape's file, and its number with the one before it.
 * Several processes share the connections. Each takes its commands from the first, which reads them from stdin:
 * "settle", "measure", "report" and "stop". Results are one JSON object on stdout.
 */
#include "tape.h"
#include "tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { PROCESSES_MAX = 16, BUCKETS = 1280, EVENTS = 512, READ_BYTES = 256 * 1024, HEAD_BYTES = 512 };
enum { PER_ADDRESS = 200, TICK_MS = 20, LATER = 5 };
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum { CONNECTING, SHAKING, HEAD, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, IGNORED, GONE };
enum { JOINING, SETTLING, MEASURING, STOPPING };

typedef struct {
  volatile uint64_t bucket[BUCKETS], count, highest;
} Histogram;

typedef struct {
  volatile uint64_t joined, connected, answered, failed, refused, closed, ended, never_reading, dropped, bytes, parts, writes, missed,
      repeated, corrupted, early;
  Histogram join, part_delay, delivery, reading, closing;
} Counts;

typedef struct {
  volatile int phase;
  volatile uint64_t measured_from_ns, marked_ns;
  Counts counts[PROCESSES_MAX];
} Shared;

typedef struct {
  int fd;
  uint32_t space;
  uint8_t state, matched, never_reads, has_parts, chunk_has_part, in_part, status_bytes, phase_known, held;
  uint32_t chunk_left, init_left, part, part_at, part_bytes;
  uint64_t part_offset, began_ns, phase_ns;
  int64_t earliest_ns;
  void *tls;
  uint8_t *begun; /* the start of a part that came in pieces */
} Listener;

static Shared *shared;
static Counts *counts;
static Tape *tapes;
static unsigned listeners_wanted = 1000, processes = 1, rate = 2000, spaces = 1, write_ms = 1000, never_read = 0;
static unsigned first_address = 0;
static unsigned long first_space = 1;
static unsigned port;
static int tls = PLAIN;
static uint64_t read_ns;
static const char *folder = ".", *codec = "opus", *query = "";

/* --- figures */

/* 32 buckets for each doubling, of microseconds: 3% wide. */
static int bucket_of(uint64_t ns) {
  uint64_t us = ns / 1000;
  if (us < 32) return (int)us;
  int doubling = 63 - __builtin_clzll(us);
  int bucket = (doubling - 4) * 32 + (int)(us >> (doubling - 5) & 31);
  return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static double bucket_ms(int bucket) {
  if (bucket < 32) return bucket / 1000.0;
  return (double)((32ull + (unsigned)(bucket & 31)) << (bucket / 32 - 1)) / 1000.0;
}

static void note(Histogram *histogram, uint64_t ns) {
  histogram->bucket[bucket_of(ns)]++;
  histogram->count++;
  if (ns > histogram->highest) histogram->highest = ns;
}

/* --- what has arrived */

static int measuring(void) { return shared->phase == MEASURING; }

static void corrupted(Listener *listener) {
  counts->corrupted++;
  listener->state = IGNORED;
}

/* Who only watches a tape grow may note a part a little later than it arrives. */
static uint64_t published_at(const Tape *tape, uint32_t number, uint64_t now) {
  uint64_t at = tape->published_ns[number];
  return at && at < now ? at : now;
}

/* `read_ns`: when this program had it, which may be a while after the kernel did. */
static void delivered(uint64_t after_ns, uint64_t now) {
  note(&counts->delivery, after_ns);
  note(&counts->reading, after_ns + read_ns - now);
}

/* Where a listener's writes fall in the period is learned while all is settling, before measuring: the fan-out writes to each at its own
 * multiple of TICK_MS, and the earliest that was seen is taken for it. With a write for each part it is simply when
 * the part was published. */
static void write_arrived(Listener *listener, uint64_t now) {
  counts->writes += measuring();
  if (shared->phase == JOINING) return; /* who just came gets the newest at once, not at its moment */
  if (write_ms <= PART_MS) {
    uint64_t published = published_at(&tapes[listener->space], listener->part - 1, now);
    if (measuring()) delivered(now - published, now);
    return;
  }
  int64_t period = (int64_t)write_ms * 1000000, half = period / 2;
  if (!listener->phase_known) {
    listener->phase_known = 1;
    listener->phase_ns = now % (uint64_t)period;
    listener->earliest_ns = 0;
  }
  int64_t off = ((int64_t)(now % (uint64_t)period) - (int64_t)listener->phase_ns + period + half) % period - half;
  int64_t tick = (int64_t)TICK_MS * 1000000;
  int64_t past_tick = ((int64_t)listener->phase_ns + listener->earliest_ns + period) % period % tick;
  if (off < listener->earliest_ns - past_tick) counts->early += measuring();
  if (off < listener->earliest_ns) {
    past_tick = ((int64_t)listener->phase_ns + off + period) % period % tick;
    listener->earliest_ns = off;
  }
  if (measuring()) delivered((uint64_t)(off - listener->earliest_ns + past_tick), now);
}

static void part_arrived(Listener *listener, uint64_t now) {
  const Tape *tape = &tapes[listener->space];
  uint32_t number = listener->part;
  listener->in_part = 0;
  listener->chunk_has_part = 1;
  listener->part = number + 1;
  if (!listener->has_parts) {
    listener->has_parts = 1;
    counts->joined++;
    note(&counts->join, now - listener->began_ns);
  }
  if (!measuring()) return;
  counts->parts++;
  note(&counts->part_delay, now - published_at(tape, number, now));
}

/* The bytes needed to find the sequence number of the part that starts here; 0 if this is no part. */
static uint32_t bytes_to_number(const uint8_t *at, uint32_t length) {
  if (length < 8) return 8;
  uint32_t event = memcmp(at + 4, "emsg", 4) == 0 ? big32(at) : 0;
  if (event > HEAD_BYTES - 24) return 0;
  if (length < event + 24) return event + 24;
  return memcmp(at + event + 4, "moof", 4) == 0 && memcmp(at + event + 12, "mfhd", 4) == 0 ? event + 24 : 0;
}

static int part_begins(Listener *listener, const uint8_t *at, uint32_t needed) {
  const Tape *tape = &tapes[listener->space];
  uint32_t number = big32(at + needed - 4) - 1;
  if (number >= part_count(tape)) return 0;
  if (listener->has_parts && number != listener->part) {
    if (number < listener->part) counts->repeated++;
    if (number > listener->part && measuring()) counts->missed += number - listener->part;
  }
  PartPlace place = part_place(tape, number);
  listener->in_part = 1;
  listener->part = number;
  listener->part_at = 0;
  listener->part_offset = place.offset;
  listener->part_bytes = place.length;
  return 1;
}

static void compare(Listener *listener, const uint8_t *at, uint32_t length, uint64_t now) {
  const uint8_t *sound = tapes[listener->space].sound;
  if (memcmp(at, sound + listener->part_offset + listener->part_at, length) != 0) {
    corrupted(listener);
    return;
  }
  listener->part_at += length;
  if (listener->part_at == listener->part_bytes) part_arrived(listener, now);
}

/* The start of a part, maybe with bytes held from before. Returns how many of the new bytes were used. */
static uint32_t begin_part(Listener *listener, const uint8_t *at, uint32_t length, uint64_t now) {
  if (!listener->held && length >= 8 && memcmp(at + 4, "free", 4) == 0) return 8; /* the server has nothing to say */
  uint32_t used = 0, needed;
  const uint8_t *start = at;
  uint32_t have = length;
  if (listener->held || (needed = bytes_to_number(at, length)) > length) {
    if (!listener->begun) listener->begun = malloc(HEAD_BYTES);
    while ((needed = bytes_to_number(listener->begun, listener->held)) > listener->held) {
      if (used == length) return used;
      listener->begun[listener->held++] = at[used++];
    }
    start = listener->begun;
    have = listener->held;
    listener->held = 0;
  }
  if (needed == 0 || !part_begins(listener, start, needed)) {
    corrupted(listener);
    return length;
  }
  if (start == at) return 0;
  compare(listener, start, have, now);
  return used;
}

static void body(Listener *listener, const uint8_t *at, uint32_t length, uint64_t now) {
  const Tape *tape = &tapes[listener->space];
  while (length && listener->state == CHUNK_DATA) {
    uint32_t used;
    if (listener->init_left) {
      used = length < listener->init_left ? length : listener->init_left;
      if (memcmp(at, tape->sound + tape->init_bytes - listener->init_left, used) != 0) corrupted(listener);
      listener->init_left -= used;
    } else if (listener->in_part) {
      uint32_t left = listener->part_bytes - listener->part_at;
      used = length < left ? length : left;
      compare(listener, at, used, now);
    } else {
      used = begin_part(listener, at, length, now);
    }
    at += used;
    length -= used;
  }
}

/* Chunks hold whole parts, each write is one chunk. */
static void chunk_over(Listener *listener, uint64_t now) {
  if (listener->in_part || listener->held) corrupted(listener);
  else if (listener->chunk_has_part) write_arrived(listener, now);
  listener->chunk_has_part = 0;
}

static int hex(uint8_t digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static void head_byte(Listener *listener, uint8_t byte) {
  static const char status[] = "HTTP/1.1 200", end[] = "\r\n\r\n";
  if (listener->status_bytes < sizeof status - 1) {
    if (byte != (uint8_t)status[listener->status_bytes++]) {
      counts->refused++;
      listener->state = IGNORED;
    }
    return;
  }
  listener->matched = byte == (uint8_t)end[listener->matched] ? listener->matched + 1 : byte == '\r';
  if (listener->matched == 4) {
    listener->state = CHUNK_SIZE, listener->matched = 0, listener->chunk_left = 0;
    counts->answered++;
  }
}

static void size_byte(Listener *listener, uint8_t byte, uint64_t now) {
  if (byte == '\r') return;
  if (byte == '\n') {
    listener->state = CHUNK_DATA;
    if (listener->chunk_left == 0) {
      counts->ended++, listener->state = IGNORED;
      if (shared->marked_ns) note(&counts->closing, now - shared->marked_ns);
    }
  } else if (hex(byte) < 0 || listener->chunk_left > 1 << 24) {
    corrupted(listener);
  } else {
    listener->chunk_left = listener->chunk_left * 16 + (uint32_t)hex(byte);
  }
}

static void consume(Listener *listener, const uint8_t *at, uint32_t length, uint64_t now) {
  while (length) {
    uint32_t used = 1;
    switch (listener->state) {
      case HEAD: head_byte(listener, *at); break;
      case CHUNK_SIZE: size_byte(listener, *at, now); break;
      case CHUNK_DATA:
        used = length < listener->chunk_left ? length : listener->chunk_left;
        body(listener, at, used, now);
        listener->chunk_left -= used;
        if (listener->chunk_left == 0 && listener->state == CHUNK_DATA) {
          chunk_over(listener, now);
          if (listener->state == CHUNK_DATA) listener->state = CHUNK_END;
        }
        break;
      case CHUNK_END:
        if (*at == '\n') listener->state = CHUNK_SIZE;
        else if (*at != '\r') corrupted(listener);
        break;
      default: return;
    }
    at += used;
    length -= used;
  }
}

/* --- connections */

static void leave(Listener *listener) {
  if (listener->tls) tls_free(listener->tls), listener->tls = NULL;
  close(listener->fd);
  listener->fd = -1;
  listener->state = GONE;
}

static void begin(Listener *listener, unsigned number, int epoll, uint32_t place) {
  struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  unsigned address = first_address + number / PER_ADDRESS;
  from.sin_addr.s_addr = htonl(0x7f010001u + (address / 250 << 8) + address % 250);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  listener->space = number % spaces;
  listener->init_left = tapes[listener->space].init_bytes;
  listener->never_reads = number + never_read >= listeners_wanted; /* the last to come */
  listener->began_ns = now_ns();
  listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1, small = 4096;
  if (listener->fd < 0) {
    perror("socket");
    exit(2);
  }
  setsockopt(listener->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  setsockopt(listener->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (listener->never_reads) setsockopt(listener->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  struct epoll_event event = {.events = EPOLLOUT, .data.u32 = place};
  if (bind(listener->fd, (void *)&from, sizeof from) ||
      (connect(listener->fd, (void *)&to, sizeof to) && errno != EINPROGRESS)) {
    counts->failed++;
    leave(listener);
  } else {
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener->fd, &event);
  }
}

static void fail(Listener *listener) {
  counts->failed++;
  leave(listener);
}

static void ask(Listener *listener, int epoll, uint32_t place) {
  char request[512];
  int length = snprintf(request, sizeof request,
                        "GET /api/folkmoot/v1/spaces/%lu/listen?codec=%s%s HTTP/1.1\r\nHost: bench\r\n\r\n",
                        first_space + listener->space, codec, query);
  if (listener->tls ? tls_send(listener->tls, request, (size_t)length) != TLS_DONE
                    : send(listener->fd, request, (size_t)length, MSG_NOSIGNAL) != length) {
    fail(listener);
    return;
  }
  listener->state = HEAD;
  counts->connected++;
  struct epoll_event event = {.events = listener->never_reads ? 0 : EPOLLIN, .data.u32 = place};
  epoll_ctl(epoll, EPOLL_CTL_MOD, listener->fd, &event);
  counts->never_reading += listener->never_reads;
}

static void shake(Listener *listener, int epoll, uint32_t place) {
  if (!listener->tls) listener->tls = tls_connect(listener->fd);
  switch (tls_handshake(listener->tls)) {
    case TLS_DONE: ask(listener, epoll, place); return;
    case TLS_FAILED: fail(listener); return;
  }
  if (listener->state == SHAKING) return;
  listener->state = SHAKING;
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = place};
  epoll_ctl(epoll, EPOLL_CTL_MOD, listener->fd, &event);
}

static void connected(Listener *listener, int epoll, uint32_t place) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(listener->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) fail(listener);
  else if (tls) shake(listener, epoll, place);
  else ask(listener, epoll, place);
}

static void cut_off(Listener *listener) {
  if (listener->state != IGNORED) {
    counts->closed++;
    if (shared->marked_ns) note(&counts->closing, now_ns() - shared->marked_ns);
  }
  leave(listener);
}

static void read_records(Listener *listener) {
  static uint8_t buffer[READ_BYTES];
  ssize_t length;
  while ((length = tls_receive(listener->tls, buffer, sizeof buffer)) > 0) {
    counts->bytes += measuring() ? (uint64_t)length : 0;
    read_ns = now_ns();
    consume(listener, buffer, (uint32_t)length, read_ns);
  }
  if (length != -1) cut_off(listener);
}

/* When the kernel had the last of what was just received (SO_TIMESTAMPNS): how long it waited for this program, which
 * reads thousands of sockets one after the other, is no delay of the server's. */
static uint64_t arrived_ns(struct msghdr *message, uint64_t now) {
  struct cmsghdr *stamp = CMSG_FIRSTHDR(message);
  if (!stamp || stamp->cmsg_level != SOL_SOCKET || stamp->cmsg_type != SCM_TIMESTAMPNS) return now;
  struct timespec at, real;
  memcpy(&at, CMSG_DATA(stamp), sizeof at);
  clock_gettime(CLOCK_REALTIME, &real);
  int64_t ago = (int64_t)(real.tv_sec - at.tv_sec) * 1000000000 + (real.tv_nsec - at.tv_nsec);
  if (ago < 0 || (uint64_t)ago > now) return now;
  return now - (uint64_t)ago;
}

static ssize_t receive(int file, uint8_t *buffer, size_t size, uint64_t *at) {
  char control[CMSG_SPACE(sizeof(struct timespec))];
  struct iovec into = {.iov_base = buffer, .iov_len = size};
  struct msghdr message = {
      .msg_iov = &into, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t length = recvmsg(file, &message, 0);
  read_ns = now_ns();
  *at = length > 0 ? arrived_ns(&message, read_ns) : read_ns;
  return length;
}

static void read_some(Listener *listener) {
  static uint8_t buffer[READ_BYTES];
  uint64_t at;
  if (listener->tls) {
    read_records(listener);
    return;
  }
  ssize_t length = receive(listener->fd, buffer, sizeof buffer, &at);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) {
    cut_off(listener);
    return;
  }
  counts->bytes += measuring() ? (uint64_t)length : 0;
  uint64_t refused = counts->refused;
  consume(listener, buffer, (uint32_t)length, at);
  if (refused == 0 && counts->refused) fprintf(stderr, "The first refusal: %.*s\n", (int)length, buffer);
}

static void happened(Listener *listener, uint32_t events, int epoll, uint32_t place) {
  if (listener->state == CONNECTING) {
    connected(listener, epoll, place);
  } else if (listener->state == SHAKING) {
    shake(listener, epoll, place);
  } else if (listener->never_reads) {
    if (events & (EPOLLERR | EPOLLHUP)) counts->dropped++, leave(listener);
  } else {
    read_some(listener);
  }
}

/* Parts that should have come by now and have not: those published two writes and a second ago. */
static void count_missing(const Listener *listener) {
  if (listener->never_reads) return;
  const Tape *tape = &tapes[listener->space];
  uint64_t due_ns = now_ns() - (2ull * write_ms + 1000) * 1000000u;
  uint32_t number = part_count(tape);
  while (number && tape->published_ns[number - 1] > due_ns) number--;
  int is_listening = listener->fd >= 0 && listener->has_parts && listener->state != IGNORED;
  uint32_t have = is_listening ? listener->part : 0;
  while (number > have && tape->published_ns[number - 1] >= shared->measured_from_ns) number--, counts->missed++;
}

static void run(unsigned process) {
  unsigned count = listeners_wanted / processes + (process < listeners_wanted % processes), started = 0;
  Listener *listeners = calloc(count, sizeof *listeners);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event events[EVENTS];
  uint64_t pause_ns = 1000000000ull * processes / rate, next_ns = now_ns() + pause_ns * process / processes;
  counts = &shared->counts[process];
  if (tls) tls_start(tls);
  while (shared->phase != STOPPING) {
    uint64_t now = now_ns();
    for (int burst = 0; started < count && now >= next_ns && burst < 64; burst++, started++, next_ns += pause_ns)
      begin(&listeners[started], started * processes + process, epoll, started);
    int ready = epoll_wait(epoll, events, EVENTS, started < count ? 1 : 20);
    for (int i = 0; i < ready; i++) {
      uint32_t place = events[i].data.u32;
      if (listeners[place].state != GONE) happened(&listeners[place], events[i].events, epoll, place);
    }
  }
  for (unsigned i = 0; i < count; i++) count_missing(&listeners[i]);
}

/* --- the first process */

static Counts total;

static void add_histogram(Histogram *to, const Histogram *from) {
  for (int i = 0; i < BUCKETS; i++) to->bucket[i] += from->bucket[i];
  to->count += from->count;
  if (from->highest > to->highest) to->highest = from->highest;
}

static void add_up(void) {
  memset(&total, 0, sizeof total);
  for (unsigned i = 0; i < processes; i++) {
    const Counts *one = &shared->counts[i];
    volatile uint64_t *to = &total.joined;
    const volatile uint64_t *from = &one->joined;
    for (size_t k = 0; k < offsetof(Counts, join) / sizeof(uint64_t); k++) to[k] += from[k];
    add_histogram(&total.join, &one->join);
    add_histogram(&total.part_delay, &one->part_delay);
    add_histogram(&total.delivery, &one->delivery);
    add_histogram(&total.reading, &one->reading);
    add_histogram(&total.closing, &one->closing);
  }
}

static void print_histogram(const char *name, const Histogram *histogram) {
  static const double shares[] = {0.5, 0.99, 0.999};
  static const char *names[] = {"p50_ms", "p99_ms", "p999_ms"};
  uint64_t passed = 0;
  unsigned next = 0;
  printf(",\"%s\":{\"count\":%lu,\"max_ms\":%.3f", name, histogram->count, histogram->highest / 1e6);
  for (int i = 0; i < BUCKETS && histogram->count; i++)
    for (passed += histogram->bucket[i]; next < 3 && (double)passed >= shares[next] * (double)histogram->count; next++)
      printf(",\"%s\":%.3f", names[next], bucket_ms(i));
  printf("}");
}

static void print_report(void) {
  add_up();
  printf("{\"joined\":%lu,\"connected\":%lu,\"answered\":%lu,\"failed\":%lu,\"refused\":%lu,", total.joined,
         total.connected, total.answered, total.failed, total.refused);
  printf("\"closed\":%lu,\"ended\":%lu,\"never_reading\":%lu,", total.closed, total.ended, total.never_reading);
  printf("\"dropped\":%lu,\"bytes\":%lu,\"parts\":%lu,\"writes\":%lu,\"missed\":%lu,", total.dropped, total.bytes,
         total.parts, total.writes, total.missed);
  printf("\"repeated\":%lu,\"corrupted\":%lu,\"early\":%lu", total.repeated, total.corrupted, total.early);
  print_histogram("join", &total.join);
  print_histogram("part_delay", &total.part_delay);
  print_histogram("delivery", &total.delivery);
  print_histogram("reading", &total.reading);
  print_histogram("closing", &total.closing);
  printf("}\n");
  fflush(stdout);
}

static void obey(const char *command) {
  if (strcmp(command, "settle\n") == 0) {
    shared->phase = SETTLING;
  } else if (strcmp(command, "measure\n") == 0) {
    shared->measured_from_ns = now_ns();
    shared->phase = MEASURING;
  } else if (strcmp(command, "report\n") == 0) {
    print_report();
  } else if (strncmp(command, "mark ", 5) == 0) {
    shared->marked_ns = strtoull(command + 5, NULL, 10);
  } else {
    shared->phase = STOPPING;
  }
}

static void read_arguments(int count, char **arguments) {
  int option;
  while ((option = getopt(count, arguments, "n:P:r:p:s:f:t:c:w:x:a:q:T:")) > 0) {
    unsigned number = (unsigned)strtoul(optarg, NULL, 10);
    switch (option) {
      case 'n': listeners_wanted = number; break;
      case 'P': processes = number; break;
      case 'r': rate = number; break;
      case 'p': port = number; break;
      case 's': spaces = number; break;
      case 'f': first_space = strtoul(optarg, NULL, 10); break;
      case 't': folder = optarg; break;
      case 'c': codec = optarg; break;
      case 'w': write_ms = number; break;
      case 'x': never_read = number; break;
      case 'a': first_address = number; break;
      case 'q': query = optarg; break;
      case 'T': tls = (int)number; break;
      default: exit(2);
    }
  }
  if (processes < 1 || processes > PROCESSES_MAX || spaces < 1 || rate < 1) exit(2);
}

int main(int count, char **arguments) {
  read_arguments(count, arguments);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGPIPE, SIG_IGN);
  nice(LATER); /* it stands for other machines, whose processors the server hasn't */
  tapes = calloc(spaces, sizeof *tapes);
  for (unsigned i = 0; i < spaces; i++) tapes[i] = open_tape(folder, first_space + i, codec);
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t children[PROCESSES_MAX];
  for (unsigned i = 0; i < processes; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      run(i);
      _exit(0);
    }
  }
  char command[64];
  while (shared->phase != STOPPING) {
    if (fgets(command, sizeof command, stdin) == NULL) shared->phase = STOPPING;
    else obey(command);
  }
  int failed = 0;
  for (unsigned i = 0; i < processes; i++) {
    int status = 0;
    waitpid(children[i], &status, 0);
    failed |= status;
  }
  print_report();
  return failed ? 2 : 0;
}
