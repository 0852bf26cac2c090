import { library } from '../../tsup.shared.ts';

export default library(
  { index: 'src/index.ts', 'native/index': 'src/native/index.ts' },
  {
    internal: { 'operating-system.none': 'src/operating-system.none.ts', 'native/find': 'src/native/find.ts' },
    tsconfig: 'tsconfig.native.json',
  },
);
