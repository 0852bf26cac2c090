/* The native limit of copying: the C library's functions, called through pointers that the compiler cannot see through.

     copy

   Then one command a line on standard input, answered by one line of numbers:

     OPERATION SIZE COUNT    OPERATION is copy, fill, equal or find: that many calls      nanoseconds, mistakes

   The addresses vary as those of src/copy/ground.ts do, by the same numbers: how two ranges are aligned to each other matters. What a call did is looked at after the time was taken. */

#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OFFSETS = 256, SPREAD = 4096, SIZE_MAX_BYTES = 1 << 20 };

static void *(*volatile copy_bytes)(void *, const void *, size_t) = memcpy;
static void *(*volatile fill_bytes)(void *, int, size_t) = memset;
static int (*volatile compare_bytes)(const void *, const void *, size_t) = memcmp;
static void *(*volatile find_byte)(const void *, int, size_t) = memchr;

static unsigned char *source, *target;
static uint32_t from[OFFSETS], to[OFFSETS];

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static uint32_t state = 1;

static uint32_t next_random(void) {
  state = state * 1664525u + 1013904223u;
  return state >> 8;
}

static unsigned char *make_area(void) {
  size_t size = SIZE_MAX_BYTES + SPREAD;
  unsigned char *area = aligned_alloc(65536, (size + 65535) / 65536 * 65536);
  if (area == NULL) exit(1);
  for (size_t i = 0; i < size; i++) area[i] = (unsigned char)(next_random() % 251);
  return area;
}

/* Two areas that hold the same byte everywhere: comparing and searching go to the end. */
static void make_even(void) {
  memset(source, 0x55, SIZE_MAX_BYTES + SPREAD);
  memset(target, 0x55, SIZE_MAX_BYTES + SPREAD);
}

static int differs(const unsigned char *a, const unsigned char *b, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (a[i] != b[i]) return 1;
  return 0;
}

int main(void) {
  char operation[16];
  size_t size;
  long count;
  for (int i = 0; i < OFFSETS; i++) {
    to[i] = next_random() % SPREAD;
    from[i] = next_random() % SPREAD;
  }
  source = make_area();
  target = make_area();
  while (scanf("%15s %zu %ld", operation, &size, &count) == 3) {
    double start, end;
    long mistakes = 0;
    if (size > SIZE_MAX_BYTES || count < 1) return 1;
    const size_t last = (size_t)(count - 1) & (OFFSETS - 1);
    if (strcmp(operation, "copy") == 0) {
      start = now();
      for (long i = 0; i < count; i++) copy_bytes(target + to[i & (OFFSETS - 1)], source + from[i & (OFFSETS - 1)], size);
      end = now();
      mistakes = differs(target + to[last], source + from[last], size);
    } else if (strcmp(operation, "fill") == 0) {
      start = now();
      for (long i = 0; i < count; i++) fill_bytes(target + to[i & (OFFSETS - 1)], (int)(i & 255), size);
      end = now();
      for (size_t i = 0; i < size; i++) mistakes |= target[to[last] + i] != ((count - 1) & 255);
    } else if (strcmp(operation, "equal") == 0) {
      make_even();
      start = now();
      for (long i = 0; i < count; i++) mistakes += compare_bytes(target + to[i & (OFFSETS - 1)], source + from[i & (OFFSETS - 1)], size) != 0;
      end = now();
    } else if (strcmp(operation, "find") == 0) {
      make_even();
      start = now();
      for (long i = 0; i < count; i++) mistakes += find_byte(source + from[i & (OFFSETS - 1)], 0xaa, size) != NULL;
      end = now();
    } else {
      return 1;
    }
    printf("%.0f %ld\n", end - start, mistakes);
    fflush(stdout);
  }
  return 0;
}
