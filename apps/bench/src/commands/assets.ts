/** `assets`: what loading assets over HTTP into linear memory costs, in time and memory, beside reading them and nothing else. */

import { writeFile } from 'node:fs/promises';

import { measureAssets, type AssetRounds } from '../assets/measurement.ts';
import { ASSETS_LEGEND, claimsOf, formatAssets, formatAssetsCsv, formatClaims } from '../assets/report.ts';
import { describeMachine, thisMachine } from '../report/machine.ts';
import { makeProgress } from '../report/progress.ts';

export interface AssetsOptions extends AssetRounds {
  /** What was typed. */
  readonly commandLine: string;
  readonly json: boolean;
  readonly csv?: string | undefined;
}

/** Measures and reports. @returns Whether no Allokit row failed. Claims that are not met are reported, and no failure. */
export async function assets({ commandLine, json, csv, ...rounds }: AssetsOptions): Promise<boolean> {
  const machine = thisMachine();
  const colour = process.stdout.isTTY;
  const say = (text: string): void => {
    if (!json && text !== '') process.stdout.write(`${text}\n`);
  };
  say(
    `$ ${commandLine}\n${describeMachine(machine)}\n${rounds.rounds} rounds after ${rounds.warmRounds} warm ones, all in turn; memory: ${rounds.memoryRounds} processes each`,
  );
  const results = await measureAssets(rounds, makeProgress());
  const claims = claimsOf(results);
  say(
    `\n${rounds.count.toLocaleString('en')} assets of ${rounds.sizeBytes.toLocaleString('en')} bytes over loopback\n${formatAssets(results, colour)}\n${formatClaims(claims)}\n\n${ASSETS_LEGEND.join('\n')}`,
  );
  if (csv !== undefined) await writeFile(csv, formatAssetsCsv(results));
  if (json) process.stdout.write(`${JSON.stringify({ command: 'assets', commandLine, options: rounds, machine, claims, results }, undefined, 2)}\n`);
  return results.every(({ kind, status }) => kind !== 'allokit' || status === 'ok');
}
