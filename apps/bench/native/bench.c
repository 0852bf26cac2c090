/* The native limit: the loops of src/loops, in C, on the allocator chosen when compiling (-DUSE_MIMALLOC, -DUSE_BUMP, else the C library's).

     bench LOOP TRACE WIDTH TOUCH

   LOOP is replay, pair, churn, bulk or reuse; TRACE an uncompressed trace that holds the same operations; WIDTH as in src/workload.ts; TOUCH is "touch", or
   "bare" for the loops of src/loops/bare.ts. Then one command a line on standard input, answered by one line of numbers:

     r    run one round               nanoseconds, refused requests, damaged blocks, sum of addresses
     t    time each operation         nothing of use; each keeps its fastest time of all passes
     o    write these times           how many; they are doubles in TRACE.times, nanoseconds, infinity for what was not done
     c    tell of the clock           nanoseconds that an operation of no duration seems to take (median, of as many passes)
     f    replay and sample           peak bytes held by the allocator, or -1 where it does not tell */

#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(USE_MIMALLOC)
#include <mimalloc.h>
#define ALLOCATE(size) mi_malloc(size)
#define ALLOCATE_ALIGNED(alignment, size) mi_malloc_aligned(size, alignment)
#define ALLOCATE_ZEROED(size) mi_calloc(1, size)
#define REALLOCATE(block, size) mi_realloc(block, size)
#define FREE(block) mi_free(block)
#define RESET()
#elif defined(USE_BUMP)
static unsigned char *arena;
static size_t cursor, capacity;
static inline void *bump(size_t size) {
  size_t at = cursor;
  if (size > capacity - at) return NULL;
  cursor = at + ((size + 7) & ~(size_t)7);
  return arena + at;
}
#define ALLOCATE(size) bump(size)
#define ALLOCATE_ALIGNED(alignment, size) bump(size)
#define ALLOCATE_ZEROED(size) bump(size)
#define REALLOCATE(block, size) bump(size)
#define FREE(block) ((void)(block))
#define RESET() (cursor = 0)
#define DIES_TOGETHER 1
#else
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#define ALLOCATE(size) malloc(size)
#define ALLOCATE_ALIGNED(alignment, size) aligned_alloc(alignment, size)
#define ALLOCATE_ZEROED(size) calloc(1, size)
#define REALLOCATE(block, size) realloc(block, size)
#define FREE(block) free(block)
#define RESET()
#endif

enum { MALLOC, FREE_BLOCK, REALLOC, CALLOC };

typedef struct {
  uint32_t head, slot, size;
} Operation;

static struct {
  uint32_t slot_count, operation_count;
  Operation *operations;
} trace;

static unsigned char **blocks;
static uint32_t *sizes;
static uint64_t checksum, failure_count, damage_count;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void die(const char *what) {
  fprintf(stderr, "bench: %s\n", what);
  exit(2);
}

static void read_trace(const char *path) {
  FILE *file = fopen(path, "rb");
  unsigned char header[24];
  if (file == NULL || fread(header, 1, sizeof header, file) != sizeof header || memcmp(header, "ALTRACE1", 8) != 0) die("no trace");
  memcpy(&trace.slot_count, header + 8, 4);
  memcpy(&trace.operation_count, header + 12, 4);
  trace.operations = malloc((size_t)trace.operation_count * sizeof(Operation) + 1);
  if (trace.operations == NULL) die("no memory for the trace");
  if (fread(trace.operations, sizeof(Operation), trace.operation_count, file) != trace.operation_count) die("truncated trace");
  fclose(file);
  blocks = calloc((size_t)trace.slot_count + 1, sizeof *blocks);
  sizes = calloc((size_t)trace.slot_count + 1, sizeof *sizes);
  if (blocks == NULL || sizes == NULL) die("no memory for the slots");
}

/* Writes both ends of a new block, as the loops in JavaScript do. */
static inline void mark(unsigned char *block, uint32_t size, uint32_t tag) {
  block[size - 1] = (unsigned char)tag;
  block[0] = (unsigned char)tag;
  checksum += (uintptr_t)block;
}

static inline void check(const unsigned char *block, uint32_t size, uint32_t tag) {
  if (block[0] != (unsigned char)tag || block[size - 1] != (unsigned char)tag) damage_count += 1;
}

static inline void perform(const Operation *operation, uint32_t index) {
  uint32_t kind = operation->head & 0xff, slot = operation->slot, size = operation->size;
  unsigned char *block;
  if (kind == FREE_BLOCK) {
    FREE(blocks[slot]);
    blocks[slot] = NULL;
    return;
  }
  if (kind == REALLOC) block = REALLOCATE(blocks[slot], size);
  else if (kind == CALLOC) block = ALLOCATE_ZEROED(size);
  else if (operation->head > 0xff) block = ALLOCATE_ALIGNED((size_t)1 << (operation->head >> 8), size);
  else block = ALLOCATE(size);
  if (block == NULL && size != 0) {
    failure_count += 1;
    return;
  }
  blocks[slot] = block;
  if (size == 0) return;
  checksum += (uintptr_t)block;
  block[0] = (unsigned char)index;
}

static void free_rest(void) {
  for (uint32_t slot = 0; slot < trace.slot_count; slot += 1) {
    FREE(blocks[slot]);
    blocks[slot] = NULL;
  }
  RESET();
}

static double run_replay(void) {
  double start = now();
  for (uint32_t i = 0; i < trace.operation_count; i += 1) perform(&trace.operations[i], i);
  double elapsed = now() - start;
  free_rest();
  return elapsed;
}

/* Operations 2i and 2i + 1 are the two halves of pair i. */
static double run_pair(void) {
  double start = now();
  for (uint32_t i = 0, count = trace.operation_count / 2; i < count; i += 1) {
    uint32_t size = trace.operations[2 * i].size;
    unsigned char *volatile visible = ALLOCATE(size);
    unsigned char *block = visible;
    mark(block, size, i);
    if (block[0] != (unsigned char)i) damage_count += 1;
    FREE(block);
  }
  return now() - start;
}

/* `width` blocks to start with, then a free and a malloc of one slot for each replacement, then `width` frees. */
static double run_churn(uint32_t width) {
  for (uint32_t i = 0; i < width; i += 1) {
    const Operation *operation = &trace.operations[i];
    blocks[operation->slot] = ALLOCATE(operation->size);
    sizes[operation->slot] = operation->size;
    mark(blocks[operation->slot], operation->size, operation->slot);
  }
  double start = now();
  for (uint32_t i = width + 1; i < trace.operation_count - width; i += 2) {
    uint32_t slot = trace.operations[i].slot, size = trace.operations[i].size;
    check(blocks[slot], sizes[slot], slot);
    FREE(blocks[slot]);
    unsigned char *block = ALLOCATE(size);
    blocks[slot] = block;
    sizes[slot] = size;
    mark(block, size, slot);
  }
  double elapsed = now() - start;
  free_rest();
  return elapsed;
}

/* All blocks first, then all frees. */
static double run_bulk(void) {
  uint32_t count = trace.operation_count / 2;
  double start = now();
  for (uint32_t i = 0; i < count; i += 1) {
    uint32_t size = trace.operations[i].size;
    unsigned char *block = ALLOCATE(size);
    blocks[i] = block;
    mark(block, size, i);
  }
  for (uint32_t i = 0; i < count; i += 1) {
    check(blocks[i], trace.operations[i].size, i);
    FREE(blocks[i]);
  }
  RESET();
  double elapsed = now() - start;
  memset(blocks, 0, trace.slot_count * sizeof *blocks);
  return elapsed;
}

/* Batches of `width` blocks and their frees. */
static double run_reuse(uint32_t width) {
  double start = now();
  for (uint32_t first = 0; first < trace.operation_count; first += 2 * width) {
    for (uint32_t i = 0; i < width; i += 1) {
      uint32_t size = trace.operations[first + i].size;
      unsigned char *block = ALLOCATE(size);
      blocks[i] = block;
      mark(block, size, i);
    }
    for (uint32_t i = 0; i < width; i += 1) {
      check(blocks[i], trace.operations[first + i].size, i);
      FREE(blocks[i]);
    }
  }
  double elapsed = now() - start;
  memset(blocks, 0, trace.slot_count * sizeof *blocks);
  return elapsed;
}

/* What is asked for, in order, as dense arrays like those that JavaScript reads. The bare loops are short enough to notice. */
static struct {
  uint32_t count, *sizes, *slots;
} requests;

static void list_requests(void) {
  requests.sizes = malloc((size_t)trace.operation_count * sizeof *requests.sizes + 1);
  requests.slots = malloc((size_t)trace.operation_count * sizeof *requests.slots + 1);
  if (requests.sizes == NULL || requests.slots == NULL) die("no memory for the requests");
  for (uint32_t i = 0; i < trace.operation_count; i += 1) {
    if ((trace.operations[i].head & 0xff) == FREE_BLOCK) continue;
    requests.sizes[requests.count] = trace.operations[i].size;
    requests.slots[requests.count] = trace.operations[i].slot;
    requests.count += 1;
  }
}

static double bare_pair(void) {
  uint64_t sum = 0, failures = 0;
  double start = now();
  for (uint32_t i = 0; i < requests.count; i += 1) {
    unsigned char *block = ALLOCATE(requests.sizes[i]);
    if (block == NULL) {
      failures += 1;
      continue;
    }
    sum += (uintptr_t)block;
    FREE(block);
  }
  double elapsed = now() - start;
  checksum += sum;
  failure_count += failures;
  return elapsed;
}

static inline void bare_free(unsigned char *block) {
  if (block == NULL) failure_count += 1;
  else FREE(block);
}

static double bare_churn(uint32_t width) {
  uint64_t sum = 0;
  for (uint32_t slot = 0; slot < width; slot += 1) blocks[slot] = ALLOCATE(requests.sizes[slot]);
  double start = now();
  for (uint32_t i = width; i < requests.count; i += 1) {
    uint32_t slot = requests.slots[i];
    bare_free(blocks[slot]);
    unsigned char *block = ALLOCATE(requests.sizes[i]);
    blocks[slot] = block;
    sum += (uintptr_t)block;
  }
  double elapsed = now() - start;
  for (uint32_t slot = 0; slot < width; slot += 1) {
    bare_free(blocks[slot]);
    blocks[slot] = NULL;
  }
  RESET();
  checksum += sum;
  return elapsed;
}

/* `count` blocks from the request `first` on. Who frees them all at once need not know where they are, and learns of no refusal. */
static inline void bare_allocate(uint32_t first, uint32_t count) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < count; i += 1) {
    unsigned char *block = ALLOCATE(requests.sizes[first + i]);
#if !defined(DIES_TOGETHER)
    blocks[i] = block;
#endif
    sum += (uintptr_t)block;
  }
  checksum += sum;
}

static inline void bare_free_all(uint32_t count) {
#if !defined(DIES_TOGETHER)
  for (uint32_t i = 0; i < count; i += 1) bare_free(blocks[i]);
#endif
  RESET();
}

/* Batches of `width` blocks and their frees; all blocks at once are one batch. */
static double bare_batches(uint32_t width) {
  double start = now();
  for (uint32_t first = 0; first < requests.count; first += width) {
    bare_allocate(first, width);
    bare_free_all(width);
  }
  double elapsed = now() - start;
  memset(blocks, 0, trace.slot_count * sizeof *blocks);
  return elapsed;
}

/* Operations that each pass does twice, untimed at first, and readings of nothing: as in src/operation-timer.ts. */
enum { PRELUDE_COUNT = 1 << 17, CLOCK_READINGS = 20000 };

static double *fastest, fastest_nothing[CLOCK_READINGS];

static void time_operations(uint32_t count, double *times) {
  for (uint32_t i = 0; i < count; i += 1) {
    const Operation *operation = &trace.operations[i];
    /* Nothing is there to be freed, as after a malloc of 0 bytes in JavaScript. */
    if ((operation->head & 0xff) == FREE_BLOCK && blocks[operation->slot] == NULL) continue;
    double start = now();
    perform(operation, i);
    double elapsed = now() - start;
    if (elapsed < times[i]) times[i] = elapsed;
  }
  free_rest();
}

static void time_each(void) {
  static double unused[PRELUDE_COUNT];
  if (fastest == NULL) {
    fastest = malloc((size_t)trace.operation_count * sizeof *fastest + 1);
    if (fastest == NULL) die("no memory for the times");
    for (uint32_t i = 0; i < trace.operation_count; i += 1) fastest[i] = INFINITY;
    for (uint32_t i = 0; i < CLOCK_READINGS; i += 1) fastest_nothing[i] = INFINITY;
  }
  time_operations(trace.operation_count < PRELUDE_COUNT ? trace.operation_count : PRELUDE_COUNT, unused);
  time_operations(trace.operation_count, fastest);
  for (uint32_t i = 0; i < CLOCK_READINGS; i += 1) {
    double start = now();
    double elapsed = now() - start;
    if (elapsed < fastest_nothing[i]) fastest_nothing[i] = elapsed;
  }
}

static void write_times(const char *trace_path) {
  char path[4096];
  if (snprintf(path, sizeof path, "%s.times", trace_path) >= (int)sizeof path) die("the path of the times is too long");
  FILE *file = fopen(path, "wb");
  if (file == NULL || fastest == NULL) die("no times");
  if (fwrite(fastest, sizeof *fastest, trace.operation_count, file) != trace.operation_count) die("the times cannot be written");
  if (fclose(file) != 0) die("the times cannot be written");
}

static int compare_doubles(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double clock_cost(void) {
  qsort(fastest_nothing, CLOCK_READINGS, sizeof *fastest_nothing, compare_doubles);
  return fastest_nothing[CLOCK_READINGS / 2];
}

#if defined(__GLIBC__) && !defined(USE_MIMALLOC) && !defined(USE_BUMP)
static double held_bytes(void) {
  struct mallinfo2 info = mallinfo2();
  return (double)info.uordblks + (double)info.fordblks + (double)info.hblkhd;
}
#endif

static double peak_footprint(void) {
#if defined(__GLIBC__) && !defined(USE_MIMALLOC) && !defined(USE_BUMP)
  malloc_trim(0);
  struct mallinfo2 before = mallinfo2();
  double used_before = (double)before.uordblks + (double)before.hblkhd, peak = 0;
  for (uint32_t i = 0; i < trace.operation_count; i += 1) {
    perform(&trace.operations[i], i);
    if (i % 256 == 0 || trace.operations[i].size > 65536) {
      double held = held_bytes() - used_before;
      if (held > peak) peak = held;
    }
  }
  free_rest();
  return peak;
#else
  return -1;
#endif
}

int main(int argc, char **argv) {
  if (argc != 5) die("usage: bench LOOP TRACE WIDTH TOUCH");
  const char *loop = argv[1];
  int is_bare = strcmp(argv[4], "bare") == 0;
  uint32_t width = (uint32_t)strtoul(argv[3], NULL, 10);
  read_trace(argv[2]);
  if (is_bare) list_requests();
#if defined(USE_BUMP)
  for (uint32_t i = 0; i < trace.operation_count; i += 1) capacity += trace.operations[i].size + 8;
  arena = malloc(capacity);
  if (arena == NULL) die("no memory for the arena");
#endif
  char command[16];
  while (fgets(command, sizeof command, stdin) != NULL) {
    if (command[0] == 'r') {
      double elapsed;
      if (is_bare && strcmp(loop, "pair") == 0) elapsed = bare_pair();
      else if (is_bare && strcmp(loop, "churn") == 0) elapsed = bare_churn(width);
      else if (is_bare && strcmp(loop, "bulk") == 0) elapsed = bare_batches(requests.count);
      else if (is_bare && strcmp(loop, "reuse") == 0) elapsed = bare_batches(width);
      else if (is_bare) die("unknown bare loop");
      else if (strcmp(loop, "replay") == 0) elapsed = run_replay();
      else if (strcmp(loop, "pair") == 0) elapsed = run_pair();
      else if (strcmp(loop, "churn") == 0) elapsed = run_churn(width);
      else if (strcmp(loop, "bulk") == 0) elapsed = run_bulk();
      else if (strcmp(loop, "reuse") == 0) elapsed = run_reuse(width);
      else die("unknown loop");
      printf("%.0f %llu %llu %llu\n", elapsed, (unsigned long long)failure_count, (unsigned long long)damage_count, (unsigned long long)checksum);
    } else if (command[0] == 't') {
      time_each();
      printf("0\n");
    } else if (command[0] == 'o') {
      write_times(argv[2]);
      printf("%u\n", trace.operation_count);
    } else if (command[0] == 'c') {
      printf("%.1f\n", clock_cost());
    } else if (command[0] == 'f') {
      printf("%.0f\n", peak_footprint());
    } else {
      die("unknown command");
    }
    fflush(stdout);
  }
  return 0;
}
