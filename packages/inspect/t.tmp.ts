import { readTrace } from './src/native/trace-file.ts';
import { tune } from './src/tune.ts';
for (const n of ['sqlite','python']) { const t = await readTrace(`/work/shared/traces/${n}.altrace.gz`); const t0=performance.now(); console.dir(tune(t,{rounds:3})); console.log(performance.now()-t0); }
