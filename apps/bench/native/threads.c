/* The native limit of threads: the loops of src/threads/loops.ts, in C, on the allocator chosen when compiling (-DUSE_MIMALLOC, else the C library's).

     threads

   Then one command a line on standard input, answered by one line of numbers:

     TASK SHARING THREADS COUNT CHECK     nanoseconds from the first thread's start to the last one's end; requests refused and blocks found changed

   TASK is spin, pair, mix, churn or hand-over; SHARING tells who frees in hand-over: apart, the thread that allocated; together, the next one. With CHECK 1 every word of every block is
   written, and looked at before the block is freed. The threads live from the first command that needs them to the end, and so does what they have for themselves. */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(USE_MIMALLOC)
#include <mimalloc.h>
#define ALLOCATE(size) mi_malloc(size)
#define FREE(block) mi_free(block)
#else
#define ALLOCATE(size) malloc(size)
#define FREE(block) free(block)
#endif

enum { THREADS_MAX = 8, STEP = 4096, NUMBERS = 1 << 16, KEEP_EVERY = 64, KEPT = 64, LIVE = 1024, BLOCK_SIZE = 64, MIX_MIN = 16, MIX_SPREAD = 1024, BATCH = 64, DEPTH = 8, LAG = 4 };

typedef struct {
  alignas(128) _Atomic long posted;
  alignas(128) _Atomic long taken;
  alignas(128) uint32_t *blocks[DEPTH * BATCH];
} Ring;

typedef struct {
  alignas(128) int index;
  pthread_t thread;
  uint32_t sizes[NUMBERS], places[NUMBERS];
  uint32_t *kept[KEPT], *live[LIVE];
  long next, seen;
  double start, end;
  long mistakes;
  uintptr_t checksum;
} Worker;

typedef struct {
  char task[16];
  int is_together, thread_count, is_checked;
  long count;
} Command;

static Ring rings[THREADS_MAX];
static Worker workers[THREADS_MAX];
static Command command;
static alignas(128) _Atomic long arrived;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t begun = PTHREAD_COND_INITIALIZER, ended = PTHREAD_COND_INITIALIZER;
static long command_number;
static int working_count;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Spins, as src/threads/meeting.ts does: on a busy machine the other thread may be waiting for just this processor. */
static void wait_until(_Atomic long *word, long value) {
  for (long looks = 1; atomic_load(word) < value; looks++) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
    if (looks % 8192 == 0) nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
  }
}

static uint32_t mark_of(const uint32_t *block) { return (uint32_t)(uintptr_t)block * 0x9e3779b1u | 1u; }

static inline __attribute__((always_inline)) uint32_t *take(Worker *worker, uint32_t size, const int is_checked) {
  uint32_t *block = ALLOCATE(size);
  if (block == NULL) worker->mistakes++;
  else if (is_checked) {
    block[0] = (size / 4) ^ mark_of(block);
    for (uint32_t i = 1; i < size / 4; i++) block[i] = mark_of(block);
  }
  return block;
}

static inline __attribute__((always_inline)) void give(Worker *worker, uint32_t *block, const int is_checked) {
  if (is_checked && block != NULL) {
    uint32_t count = block[0] ^ mark_of(block), i = 1;
    if (count > (MIX_MIN + MIX_SPREAD) / 4) count = 0;
    while (i < count && block[i] == mark_of(block)) i++;
    if (count < 4 || i < count) worker->mistakes++;
  }
  FREE(block);
}

static void spin(Worker *worker, long from, long to) {
  uint32_t x = (uint32_t)worker->checksum | 1u;
  for (long i = from; i < to; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    __asm__ volatile("" : "+r"(x));
  }
  worker->checksum = x;
}

static inline __attribute__((always_inline)) void pairs(Worker *worker, const uint32_t *sizes, uint32_t fixed, long from, long to, const int is_checked) {
  uintptr_t sum = 0;
  for (long i = from; i < to; i++) {
    uint32_t *block = take(worker, sizes == NULL ? fixed : sizes[i & (NUMBERS - 1)], is_checked);
    sum += (uintptr_t)block;
    if (i % KEEP_EVERY == 0) {
      uint32_t **place = &worker->kept[(i / KEEP_EVERY) & (KEPT - 1)], *old = *place;
      *place = block;
      block = old;
    }
    give(worker, block, is_checked);
  }
  worker->checksum += sum;
}

static inline __attribute__((always_inline)) void churn(Worker *worker, long from, long to, const int is_checked) {
  uintptr_t sum = 0;
  for (long i = from; i < to; i++) {
    uint32_t **place = &worker->live[worker->places[i & (NUMBERS - 1)]];
    give(worker, *place, is_checked);
    *place = take(worker, BLOCK_SIZE, is_checked);
    sum += (uintptr_t)*place;
  }
  worker->checksum += sum;
}

static inline __attribute__((always_inline)) void hand_over(Worker *worker, long count, int thread_count, const int is_together, const int is_checked) {
  Ring *own = &rings[worker->index], *theirs = &rings[(worker->index + thread_count - 1) % thread_count];
  const long batches = count / BATCH;
  for (long batch = 0; batch < batches + LAG; batch++) {
    if (batch < batches) {
      wait_until(&own->taken, batch + 1 - DEPTH);
      uint32_t **to = &own->blocks[batch % DEPTH * BATCH];
      for (int i = 0; i < BATCH; i++) to[i] = take(worker, BLOCK_SIZE, is_checked);
      atomic_store(&own->posted, batch + 1);
    }
    if (batch < LAG) continue;
    const long old = batch - LAG;
    wait_until(&theirs->posted, old + 1);
    uint32_t **mine = &own->blocks[old % DEPTH * BATCH], **others = &theirs->blocks[old % DEPTH * BATCH];
    uintptr_t sum = 0;
    for (int i = 0; i < BATCH; i++) {
      sum += (uintptr_t)(is_together ? mine[i] : others[i]);
      give(worker, is_together ? others[i] : mine[i], is_checked);
    }
    worker->checksum += sum;
    atomic_store(&theirs->taken, old + 1);
  }
}

static void step(Worker *worker, long from, long to) {
  const int is_checked = command.is_checked;
  if (strcmp(command.task, "spin") == 0) spin(worker, from, to);
  else if (strcmp(command.task, "churn") == 0) is_checked ? churn(worker, from, to, 1) : churn(worker, from, to, 0);
  else if (strcmp(command.task, "mix") == 0) is_checked ? pairs(worker, worker->sizes, 0, from, to, 1) : pairs(worker, worker->sizes, 0, from, to, 0);
  else is_checked ? pairs(worker, NULL, BLOCK_SIZE, from, to, 1) : pairs(worker, NULL, BLOCK_SIZE, from, to, 0);
}

static void work(Worker *worker) {
  const int count = command.thread_count;
  const long operations = command.count;
  worker->mistakes = 0;
  atomic_fetch_add(&arrived, 1);
  wait_until(&arrived, count);
  worker->start = now();
  if (strcmp(command.task, "hand-over") == 0) {
    if (command.is_checked) command.is_together ? hand_over(worker, operations, count, 1, 1) : hand_over(worker, operations, count, 0, 1);
    else command.is_together ? hand_over(worker, operations, count, 1, 0) : hand_over(worker, operations, count, 0, 0);
  } else {
    const long end = worker->next + operations;
    for (long from = worker->next; from < end; from += STEP) step(worker, from, from + STEP < end ? from + STEP : end);
    worker->next = end;
  }
  worker->end = now();
}

static void *serve(void *argument) {
  Worker *worker = argument;
  pthread_mutex_lock(&mutex);
  for (;;) {
    while (worker->seen == command_number) pthread_cond_wait(&begun, &mutex);
    worker->seen = command_number;
    /* Those who take no part must not look at a command that may be the next one already. */
    if (worker->index >= command.thread_count) continue;
    pthread_mutex_unlock(&mutex);
    work(worker);
    pthread_mutex_lock(&mutex);
    if (--working_count == 0) pthread_cond_signal(&ended);
  }
  return NULL;
}

static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

/* The numbers of src/threads/loops.ts. */
static void make_worker(int index) {
  Worker *worker = &workers[index];
  uint32_t sizes = (uint32_t)index + 1, places = (uint32_t)index + 1;
  worker->index = index;
  worker->seen = command_number;
  for (int i = 0; i < NUMBERS; i++) {
    worker->sizes[i] = MIX_MIN + next_random(&sizes) % MIX_SPREAD;
    worker->places[i] = next_random(&places) % LIVE;
  }
  if (pthread_create(&worker->thread, NULL, serve, worker) != 0) exit(2);
}

int main(void) {
  char task[16], sharing[16];
  int thread_count, is_checked, made = 0;
  long count;
  while (scanf("%15s %15s %d %ld %d", task, sharing, &thread_count, &count, &is_checked) == 5) {
    double start = 0, end = 0;
    long mistakes = 0;
    if (thread_count < 1 || thread_count > THREADS_MAX || count < 1) return 1;
    while (made < thread_count) make_worker(made++);
    pthread_mutex_lock(&mutex);
    strcpy(command.task, task);
    command.is_together = strcmp(sharing, "together") == 0;
    command.thread_count = thread_count;
    command.count = count;
    command.is_checked = is_checked;
    for (int i = 0; i < THREADS_MAX; i++) {
      atomic_store(&rings[i].posted, 0);
      atomic_store(&rings[i].taken, 0);
    }
    atomic_store(&arrived, 0);
    working_count = thread_count;
    command_number++;
    pthread_cond_broadcast(&begun);
    while (working_count > 0) pthread_cond_wait(&ended, &mutex);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < thread_count; i++) {
      if (i == 0 || workers[i].start < start) start = workers[i].start;
      if (i == 0 || workers[i].end > end) end = workers[i].end;
      mistakes += workers[i].mistakes;
    }
    printf("%.0f %ld\n", end - start, mistakes);
    fflush(stdout);
  }
  return 0;
}
