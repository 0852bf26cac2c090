/** A worker as one of the threads of a scenario: runs its function once a schedule, and says how it ended. */

import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import {
  COMMAND,
  DIED,
  EXIT,
  EXPLORER,
  FAILED,
  FINISHED,
  GENERATION,
  STATE,
  THREAD_COUNT,
  VALUE_COUNT,
  VALUE_MESSAGE,
  VALUE_NONE,
  VALUE_NUMBER,
  VALUES_MAX,
  openGate,
  waitAtGate,
  type Control,
} from './control.ts';
import { quietly, setMemory, setParticipant } from './hooks.ts';
import type { Equipment } from './messages.ts';
import { KIND } from './operation.ts';
import { Participant } from './participant.ts';
import type { Scenario, ThreadContext, ThreadError } from './scenario.ts';

/** Runs the thread `index` whenever its gate opens, until told to exit. */
export function runThread(control: Control, index: number, definition: Scenario['definition'], port: MessagePort): void {
  const { words } = control;
  const run = definition.threads[index]!;
  const participant = new Participant(control, index);
  setParticipant(participant);
  let generation = 0;
  let equipment: Equipment | undefined;
  for (;;) {
    waitAtGate(words, index);
    if (words[COMMAND] === EXIT) return;
    if (equipment === undefined || generation !== words[GENERATION]) {
      generation = words[GENERATION]!;
      equipment = (receiveMessageOnPort(port) as { message: Equipment }).message;
      setMemory(equipment.memory);
    }
    const state = runOnce(participant, run, contextOf(participant, words, equipment), (value) => deliver(control, index, value, port), port);
    if (state === undefined) openGate(words, EXPLORER);
    else participant.end(state);
  }
}

function contextOf(participant: Participant, words: Int32Array, { memory, given }: Equipment): ThreadContext {
  const setOf = (threads: readonly number[]): number => {
    let set = 0;
    for (const thread of threads) {
      if (!Number.isInteger(thread) || thread < 0 || thread >= words[THREAD_COUNT]! || thread === participant.index) {
        throw new RangeError(`thread must be another one of ${words[THREAD_COUNT]!}, got ${thread}`);
      }
      set |= 1 << thread;
    }
    if (set === 0) throw new RangeError('there must be threads to wait for, got none');
    return set;
  };
  return {
    thread: participant.index,
    memory,
    given,
    quietly,
    point: () => {
      if (!participant.isWatched && !participant.isUnwinding) return;
      participant.arrive(KIND.point, -1, 0, 0);
      participant.done(true);
      participant.record(KIND.point, -1, 0, 0, 0);
    },
    join: (thread) => {
      participant.join(setOf([thread]));
      const state = words[STATE + thread];
      return state === FINISHED ? 'finished' : state === DIED ? 'died' : 'failed';
    },
    joinAny: (threads) => participant.join(setOf(threads)),
  };
}

/** Runs the thread's function. Returns its state, `undefined` when it was unwound. */
function runOnce(
  participant: Participant,
  run: Scenario['definition']['threads'][number],
  context: ThreadContext,
  deliverValue: (value: unknown) => void,
  port: MessagePort,
): number | undefined {
  let error: unknown;
  let value: unknown;
  let hasThrown = false;
  participant.begin();
  try {
    value = run(context);
  } catch (thrown) {
    hasThrown = true;
    error = thrown;
  }
  participant.isWatched = false;
  // Code that catches everything may have swallowed the end of the thread; that it was ended still counts.
  if (participant.isUnwinding) {
    participant.isUnwinding = false;
    return undefined;
  }
  if (!hasThrown) {
    try {
      deliverValue(value);
      participant.record(KIND.returns, -1, 0, 0, 0);
      return FINISHED;
    } catch (thrown) {
      // A value that cannot be cloned.
      error = thrown;
    }
  }
  participant.record(KIND.throws, -1, 0, 0, 0);
  port.postMessage(describeError(error));
  return FAILED;
}

/** Leaves a value for the explorer. Numbers go without a message, which takes longer than a schedule. */
function deliver({ words, values }: Control, index: number, value: unknown, port: MessagePort): void {
  const at = index * VALUES_MAX;
  if (value === undefined) {
    words[VALUE_COUNT + index] = VALUE_NONE;
  } else if (typeof value === 'number') {
    words[VALUE_COUNT + index] = VALUE_NUMBER;
    values[at] = value;
  } else if (Array.isArray(value) && value.length <= VALUES_MAX && value.every((item) => typeof item === 'number')) {
    words[VALUE_COUNT + index] = value.length;
    values.set(value, at);
  } else {
    words[VALUE_COUNT + index] = VALUE_MESSAGE;
    port.postMessage(value);
  }
}

/** An error in a form that can be sent. */
export function describeError(error: unknown): ThreadError {
  if (!(error instanceof Error)) return { name: typeof error, message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { name: error.name, message: error.message, code, stack: error.stack };
}
