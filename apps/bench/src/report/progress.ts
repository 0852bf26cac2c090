/** Says how far a run is: a bar on a terminal, a line for each workload anywhere else. Always on standard error, where it is in nobody's way. */

import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  /** A workload begins. */
  start(title: string, stepCount: number): void;
  /** The next step begins. */
  advance(label: string): void;
  /** The workload is done. */
  stop(): void;
}

/** A bar where somebody can see it move. */
export function makeProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? barProgress(stream) : lineProgress(stream);
}

/** For whoever wants to hear nothing. */
export const silentProgress: Progress = { start: () => undefined, advance: () => undefined, stop: () => undefined };

function barProgress(stream: NodeJS.WriteStream): Progress {
  const bar = new SingleBar(
    { stream, format: '{bar} {percentage}% | {duration_formatted} | {label}', hideCursor: true, clearOnComplete: true, barsize: 30 },
    Presets.shades_classic,
  );
  return {
    start: (title, stepCount) => {
      stream.write(`${title}\n`);
      bar.start(stepCount, 0, { label: '' });
    },
    advance: (label) => {
      bar.increment(1, { label });
    },
    stop: () => {
      bar.stop();
    },
  };
}

function lineProgress(stream: NodeJS.WriteStream): Progress {
  return {
    ...silentProgress,
    start: (title) => {
      stream.write(`${title} ...\n`);
    },
  };
}
