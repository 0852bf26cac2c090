const E=Error; let sink;
function cap1(m){ const l=E.stackTraceLimit; E.stackTraceLimit=17; const h={}; E.captureStackTrace(h,m); const s=h.stack; E.stackTraceLimit=l; return s; }
function cap2(m){ const l=E.stackTraceLimit; E.stackTraceLimit=17; const h=new E(); const s=h.stack; E.stackTraceLimit=l; return s; }
function cap3(m){ const l=E.stackTraceLimit; E.stackTraceLimit=17; const h={}; E.captureStackTrace(h,m); E.stackTraceLimit=l; return h; }
function cap4(m){ const h=new E();return h }
class P{ a(f){ return f(P.prototype.a) } }
const p=new P();
function main(f){ let t=0; for(let i=0;i<20000;i++){ const t0=performance.now(); sink=p.a(f); t+=performance.now()-t0;} return t/20000*1e3 }
for (let r=0;r<2;r++) for(const [n,f] of Object.entries({cap1,cap2,cap3,cap4})) console.log(n, main(f).toFixed(2),'us');
console.log(cap1(main));
