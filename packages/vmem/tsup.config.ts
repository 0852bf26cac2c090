import { library } from '../../tsup.shared.ts';

export default library(
  {
    index: 'src/index.ts',
    'operating-system.none': 'src/operating-system.none.ts',
    'native/index': 'src/native/index.ts',
    'native/find': 'src/native/find.ts',
  },
  'tsconfig.native.json',
);
