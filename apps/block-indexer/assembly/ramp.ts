/** Allocates so many megabytes so many times over, touches each page of them, and keeps everything. Fails by design beyond 4 GiB. */
export function ramp(megabytes: i32, iterations: i32): i32 {
  for (let i = 0; i < iterations; i += 1) {
    const size = <usize>megabytes << 20;
    const address = heap.alloc(size);
    for (let offset: usize = 0; offset < size; offset += 4096) store<u8>(address + offset, <u8>(i + 1));
  }
  return memory.size();
}
