/** A bar on standard error where somebody can see it move; nothing elsewhere. */

import { Presets, SingleBar } from 'cli-progress';

/** Says how far a run is. */
export interface Progress {
  /** Another part of the run begins. */
  readonly start: (what: string, total: number) => void;
  readonly set: (done: number, label: string) => void;
  readonly stop: () => void;
}

export function makeProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { start: () => undefined, set: () => undefined, stop: () => undefined };
  let bar: SingleBar | undefined;
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
  };
  return {
    start: (what, total) => {
      stop();
      bar = new SingleBar({ stream, format: `${what} {bar} {percentage}% | {value}/{total} | {eta_formatted} | {label}`, hideCursor: true }, Presets.shades_classic);
      bar.start(total, 0, { label: '' });
    },
    set: (done, label) => bar?.update(done, { label }),
    stop,
  };
}
