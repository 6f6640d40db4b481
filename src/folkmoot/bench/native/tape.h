/* A synthetic tape as the C programs of `bench audience` see it: the product's own files, mapped, and one more
 * that says when each part was published. Formats: folkmoot/tape/index.py and boxes.py. Little-endian machines. */
#pragma once
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { INDEX_HEADER = 64, INDEX_RECORD = 40, PART_MS = 100 };
static const size_t MAPPED_BYTES = 64 << 20; /* more than any tape of a bench; pages come with the file */

typedef struct {
  const uint8_t *sound, *index;
  const volatile uint64_t *published_ns; /* CLOCK_MONOTONIC, by part number; 0 for those to come */
  int index_file;
  uint32_t init_bytes;
} Tape;

typedef struct {
  uint64_t offset;
  uint32_t length;
} PartPlace;

static inline uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint32_t big32(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline int opened(const char *folder, unsigned long space, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%lu/%s", folder, space, name);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    perror(path);
    exit(2);
  }
  return file;
}

static inline const void *mapped(int file) {
  const void *at = mmap(NULL, MAPPED_BYTES, PROT_READ, MAP_SHARED, file, 0);
  if (at == MAP_FAILED) {
    perror("mmap");
    exit(2);
  }
  return at;
}

static inline PartPlace part_place(const Tape *tape, uint32_t number) {
  PartPlace place;
  const uint8_t *record = tape->index + INDEX_HEADER + (size_t)number * INDEX_RECORD;
  memcpy(&place.offset, record + 8, 8);
  memcpy(&place.length, record + 16, 4);
  return place;
}

/* How many parts the tape has now: their records are written after their sound. */
static inline uint32_t part_count(const Tape *tape) {
  struct stat found;
  fstat(tape->index_file, &found);
  return found.st_size < INDEX_HEADER ? 0 : (uint32_t)((found.st_size - INDEX_HEADER) / INDEX_RECORD);
}

/* Opens a tape that has at least one part. */
static inline Tape open_tape(const char *folder, unsigned long space, const char *codec) {
  char name[64];
  Tape tape;
  snprintf(name, sizeof name, "%s.index", codec);
  tape.index_file = opened(folder, space, name);
  tape.index = mapped(tape.index_file);
  snprintf(name, sizeof name, "%s.mp4", codec);
  int sound_file = opened(folder, space, name), published_file = opened(folder, space, "published");
  tape.sound = mapped(sound_file);
  tape.published_ns = mapped(published_file);
  close(sound_file);
  close(published_file);
  tape.init_bytes = (uint32_t)part_place(&tape, 0).offset;
  return tape;
}
