/* Records every call to malloc's family in a program, to be preloaded into it: LD_PRELOAD=record.so RECORD_FILE=... COMMAND. GNU C library only.

   Events of 32 bytes, little endian, appended to RECORD_FILE:

     u32 kind (0 malloc, 1 free, 2 realloc, 3 calloc) | alignLog2 << 8
     u32 0
     u64 size
     u64 old address (free, realloc)
     u64 new address (malloc, calloc, realloc)

   Recording stops after RECORD_LIMIT events, in a forked child, and in what the program executes. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The real ones, under the names by which the GNU C library calls them itself. */
extern void *__libc_malloc(size_t);
extern void __libc_free(void *);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_memalign(size_t, size_t);

enum { MALLOC, FREE, REALLOC, CALLOC };

typedef struct {
  uint32_t head, unused;
  uint64_t size, old_address, new_address;
} Event;

static Event buffer[4096];
static size_t buffered;
static uint64_t remaining;
static int file = -1;
/* Held from before a free to after an allocation, so that the order in the file is one that can have been. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void flush(void) {
  const char *from = (const char *)buffer;
  size_t left = buffered * sizeof(Event);
  buffered = 0;
  while (left > 0) {
    ssize_t written = write(file, from, left);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      remaining = 0;
      return;
    }
    from += written;
    left -= (size_t)written;
  }
}

static void note(uint32_t head, uint64_t size, void *old_address, void *new_address) {
  if (remaining == 0) return;
  buffer[buffered++] = (Event){head, 0, size, (uint64_t)(uintptr_t)old_address, (uint64_t)(uintptr_t)new_address};
  remaining -= 1;
  if (buffered == sizeof buffer / sizeof buffer[0] || remaining == 0) flush();
}

static void stop_in_child(void) {
  remaining = 0;
  buffered = 0;
  pthread_mutex_init(&mutex, NULL);
}

static void lock(void) { pthread_mutex_lock(&mutex); }
static void unlock(void) { pthread_mutex_unlock(&mutex); }

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("RECORD_FILE"), *limit = getenv("RECORD_LIMIT");
  if (path == NULL) return;
  file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return;
  pthread_atfork(lock, unlock, stop_in_child);
  remaining = limit == NULL ? UINT64_MAX : strtoull(limit, NULL, 10);
  unsetenv("LD_PRELOAD");
  unsetenv("RECORD_FILE");
}

__attribute__((destructor)) static void stop(void) {
  lock();
  if (remaining > 0) flush();
  remaining = 0;
  unlock();
}

void *malloc(size_t size) {
  lock();
  void *block = __libc_malloc(size);
  if (block != NULL) note(MALLOC, size, NULL, block);
  unlock();
  return block;
}

void free(void *block) {
  if (block == NULL) return;
  lock();
  note(FREE, 0, block, NULL);
  __libc_free(block);
  unlock();
}

void *realloc(void *old, size_t size) {
  lock();
  void *block = __libc_realloc(old, size);
  if (old == NULL && block != NULL) note(MALLOC, size, NULL, block);
  else if (block != NULL) note(REALLOC, size, old, block);
  else if (old != NULL && size == 0) note(FREE, 0, old, NULL);
  unlock();
  return block;
}

void *calloc(size_t count, size_t size) {
  lock();
  void *block = __libc_calloc(count, size);
  if (block != NULL) note(CALLOC, (uint64_t)count * size, NULL, block);
  unlock();
  return block;
}

void *memalign(size_t alignment, size_t size) {
  lock();
  void *block = __libc_memalign(alignment, size);
  if (block != NULL) note(MALLOC | (uint32_t)__builtin_ctzll(alignment) << 8, size, NULL, block);
  unlock();
  return block;
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
  void *block = memalign(alignment, size);
  if (block == NULL) return ENOMEM;
  *result = block;
  return 0;
}
