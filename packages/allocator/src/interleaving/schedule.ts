/**
 * A schedule as text: where it departs from what happens by default, such as `9>1 14x 20>0`. At decision 9 thread 1 went on, at decision 14 the
 * running thread died, at decision 20 thread 0 went on. The empty text is the schedule without departures.
 */

import { DIE, THREAD_COUNT_MAX, actionOf, defaultOf } from './situation.ts';

/** A decision and the action taken there, as `decision * 16 + action`. */
export type Departure = number;

/** The word for a departure. */
export function departure(decision: number, action: number): Departure {
  return decision * 16 + action;
}

/** The decision of a departure. */
export function decisionOf(word: Departure): number {
  return Math.floor(word / 16);
}

/** The action of a departure. */
export function departureAction(word: Departure): number {
  return word % 16;
}

/** Where a run departed from what happens by default, from the situations and actions of its decisions. O(decisions). */
export function departuresOf(trace: Int32Array, decisionCount: number): Departure[] {
  const found: Departure[] = [];
  for (let decision = 0; decision < decisionCount; decision += 1) {
    const action = actionOf(trace[decision]!);
    if (action !== defaultOf(trace[decision]!)) found.push(departure(decision, action));
  }
  return found;
}

/** The text of a schedule. O(departures). */
export function formatSchedule(departures: readonly Departure[]): string {
  return departures
    .map((word) => {
      const action = departureAction(word);
      return `${decisionOf(word)}${action === DIE ? 'x' : `>${action}`}`;
    })
    .join(' ');
}

/**
 * The departures in the text of a schedule. O(length).
 *
 * @throws RangeError when the text is no schedule.
 */
export function parseSchedule(text: string): Departure[] {
  let last = -1;
  return text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part) => {
      const [, decision = '', thread] = /^(\d{1,7})(?:x|>(\d))$/.exec(part) ?? [];
      const at = decision === '' ? -1 : Number(decision);
      const action = thread === undefined ? DIE : Number(thread);
      if (at <= last || action > DIE || (thread !== undefined && action >= THREAD_COUNT_MAX)) {
        throw new RangeError(`a schedule is a list of decisions in order, such as "9>1 14x 20>0", got ${JSON.stringify(text)}`);
      }
      last = at;
      return departure(at, action);
    });
}
