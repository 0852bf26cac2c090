import { library } from '../../tsup.shared.ts';

export default library(
  { index: 'src/index.ts', 'testing/index': 'src/testing/index.ts', 'interleaving/index': 'src/interleaving/index.ts' },
  {
    internal: { 'interleaving/worker': 'src/interleaving/worker.ts' },
    tsconfig: 'tsconfig.interleaving.json',
  },
);
