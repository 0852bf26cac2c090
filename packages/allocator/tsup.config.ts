import { library } from '../../tsup.shared.ts';

export default library(
  { index: 'src/index.ts', 'testing/index': 'src/testing/index.ts', 'interleaving/index': 'src/interleaving/index.ts' },
  {
    internal: {
      'interleaving/worker': 'src/interleaving/worker.ts',
      // A class with a method named by a symbol never falls away by itself, as far as bundlers can tell, but a module of a package without side effects does.
      segregator: 'src/segregator.ts',
      fallback: 'src/fallback.ts',
    },
    tsconfig: 'tsconfig.interleaving.json',
  },
);
