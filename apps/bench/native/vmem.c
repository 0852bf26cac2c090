/* The native limit of virtual memory: mappings made and touched by the system calls themselves.

   One command a line on standard input, answered by one line of numbers. Every mapping is new, and gone before the answer:

     s SIZE             reserve and commit      nanoseconds to reserve, to commit; resident bytes afterwards
     t SIZE HOW HUGE    map and touch           nanoseconds of both, resident bytes afterwards
     d SIZE             touch and discard       nanoseconds to discard, resident bytes afterwards

   HOW is m (mmap with MAP_POPULATE), w (a write to each page) or p (madvise with MADV_POPULATE_WRITE); HUGE is 1 where huge pages are asked for first, else 0.
   What is refused is answered by the negative errno, alone. */

#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#if !defined(MAP_ANONYMOUS)
#define MAP_ANONYMOUS MAP_ANON
#endif
#if !defined(MAP_NORESERVE)
#define MAP_NORESERVE 0
#endif
#if defined(__linux__) && !defined(MADV_POPULATE_WRITE)
#define MADV_POPULATE_WRITE 23
#endif

static size_t page_size, huge_page_size;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static size_t read_huge_page_size(void) {
  size_t size = 0;
  FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "r");
  if (file == NULL) return 0;
  if (fscanf(file, "%zu", &size) != 1) size = 0;
  fclose(file);
  return size;
}

/* Bytes of the range that have a page, -errno where the system does not tell. */
static double resident(unsigned char *start, size_t size) {
  size_t count = size / page_size, found = 0;
  unsigned char *vector = malloc(count);
  if (vector == NULL) return -ENOMEM;
  int result = mincore(start, size, (void *)vector);
  for (size_t i = 0; result == 0 && i < count; i += 1) found += vector[i] & 1;
  free(vector);
  return result == 0 ? (double)(found * page_size) : -errno;
}

static void answer_refusal(void) { printf("%d\n", -errno); }

static void write_pages(unsigned char *start, size_t size) {
  for (size_t offset = 0; offset < size; offset += page_size) *(volatile unsigned char *)(start + offset) = 1;
}

static void set_up(size_t size) {
  double start = now();
  unsigned char *base = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  double reserved = now();
  if (base == MAP_FAILED) return answer_refusal();
  if (mprotect(base, size, PROT_READ | PROT_WRITE) != 0) answer_refusal();
  else {
    double committed = now();
    printf("%.0f %.0f %.0f\n", reserved - start, committed - reserved, resident(base, size));
  }
  munmap(base, size);
}

/* 0, or -1 with the errno. */
static int touch_pages(unsigned char *base, size_t size, char how, int is_huge) {
#if defined(MADV_HUGEPAGE)
  if (is_huge && madvise(base, size, MADV_HUGEPAGE) != 0) return -1;
#endif
  if (how == 'w') write_pages(base, size);
#if defined(MADV_POPULATE_WRITE)
  if (how == 'p') return madvise(base, size, MADV_POPULATE_WRITE);
#endif
  return 0;
}

static int is_possible(char how, int is_huge) {
#if !defined(MAP_POPULATE)
  if (how == 'm') return 0;
#endif
#if !defined(MADV_POPULATE_WRITE)
  if (how == 'p') return 0;
#endif
#if !defined(MADV_HUGEPAGE)
  if (is_huge) return 0;
#endif
  /* MAP_POPULATE has brought the pages in before huge ones could be asked for. */
  return !is_huge || (how != 'm' && huge_page_size > 0);
}

static void touch(size_t size, char how, int is_huge) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS;
  size_t slack = is_huge ? huge_page_size : 0;
  if (!is_possible(how, is_huge)) {
    errno = ENOTSUP;
    return answer_refusal();
  }
#if defined(MAP_POPULATE)
  if (how == 'm') flags |= MAP_POPULATE;
#endif
  double start = now();
  unsigned char *room = mmap(NULL, size + slack, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (room == MAP_FAILED) return answer_refusal();
  unsigned char *base = slack == 0 ? room : (unsigned char *)(((uintptr_t)room + slack - 1) / slack * slack);
  if (touch_pages(base, size, how, is_huge) != 0) answer_refusal();
  else {
    double touched = now();
    printf("%.0f %.0f\n", touched - start, resident(base, size));
  }
  munmap(room, size + slack);
}

static void discard(size_t size) {
  unsigned char *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return answer_refusal();
  write_pages(base, size);
  double start = now();
  if (madvise(base, size, MADV_DONTNEED) != 0) answer_refusal();
  else {
    double discarded = now();
    printf("%.0f %.0f\n", discarded - start, resident(base, size));
  }
  munmap(base, size);
}

int main(void) {
  char line[128], how;
  size_t size;
  int is_huge;
  page_size = (size_t)sysconf(_SC_PAGESIZE);
  huge_page_size = read_huge_page_size();
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (sscanf(line, "s %zu", &size) == 1) set_up(size);
    else if (sscanf(line, "t %zu %c %d", &size, &how, &is_huge) == 3) touch(size, how, is_huge);
    else if (sscanf(line, "d %zu", &size) == 1) discard(size);
    else {
      fprintf(stderr, "vmem: no such command: %s", line);
      return 2;
    }
    fflush(stdout);
  }
  return 0;
}
