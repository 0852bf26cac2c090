import { library } from '../../tsup.shared.ts';

export default library(
  { index: 'src/index.ts', 'native/index': 'src/native/index.ts', 'native/register': 'src/native/register.ts' },
  {
    internal: { 'native/cli': 'src/native/cli.ts', 'native/tune-worker': 'src/native/tune-worker.ts' },
    tsconfig: 'tsconfig.native.json',
  },
);
