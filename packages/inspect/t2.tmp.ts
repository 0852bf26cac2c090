import { readTrace } from './src/native/trace-file.ts';
import { CANDIDATES } from './src/assemblies.ts';
import { Replay } from './src/replay.ts';
import { BufferMemory } from '@allokit/vmem';
const t = await readTrace(`/work/shared/traces/sqlite.altrace.gz`);
for (const size of [2**23, 2**26]) for (const c of CANDIDATES) {
  const memory = BufferMemory.create({ reserve: size, commit: size, pageSize: 4096 });
  const r = new Replay(t, c.create(memory, memory.stats().capacity));
  try { for (let i=0;i<3;i++){ r.run(); const f=r.failureCount; r.allocator.checkInvariants(); r.rewind(); r.allocator.checkInvariants(); if(i>0)r.allocator.reset(); r.allocator.checkInvariants(); console.log(size, c.name,i,f); } } catch(e){ console.log(size, c.name, String(e), r.position, r.failureCount) }
}
