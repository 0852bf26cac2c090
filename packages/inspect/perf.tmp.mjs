import { generalPurpose, compile, O1Heap, WasmMemory, Tlsf } from '../allokit/dist/index.js';
import { Recorded, Profiled } from './dist/index.js';
const mode = process.argv[2], what = process.argv[3] ?? 'gp';
const mem = WasmMemory.create({ reserve: 2**30, commit: 2**29 });
const base = what==='gp'? generalPurpose(mem) : what==='o1' ? O1Heap.create(mem,{size:2**28}) : Tlsf.create(mem,{size:2**28});
let heap;
switch (mode) {
 case 'base': heap = base; break;
 case 'rec': heap = Recorded.create(base); break;
 case 'prof': heap = Profiled.create(base,{interval:+(process.argv[4]??2097152)}); break;
 case 'cbase': heap = compile(base); break;
 case 'crec': heap = compile(Recorded.create(base)); break;
 case 'cprof': heap = compile(Profiled.create(base,{interval:+(process.argv[4]??2097152)})); break;
}
// churn: 4096 slots, sizes 16..1039, first and last byte written
const N=4096; const slots=new Float64Array(N), sizes=new Int32Array(N);
let s=12345; const rnd=()=>{s^=s<<13;s^=s>>>17;s^=s<<5;return s>>>0};
let u8=heap.memory.u8;
function step(n){ for(let i=0;i<n;i++){ const k=rnd()&(N-1); const a=slots[k]; if(a!==0){heap.deallocate(a);} const size=16+(rnd()&1023); const b=heap.allocate(size); if(b===0) throw 1; if(b+size>u8.length)u8=heap.memory.u8; u8[b]=i; u8[b+size-1]=i; slots[k]=b; sizes[k]=size; } }
for(let i=0;i<60;i++) step(8192);
const t=[]; for(let i=0;i<150;i++){const t0=performance.now(); step(8192); t.push((performance.now()-t0)/8192*1e6);} t.sort((a,b)=>a-b);
console.log(what, mode, 'best',t[0].toFixed(1),'median',t[75].toFixed(1));
