/** The operating system's refusals, as errors that name them. */

import { AllocatorError, type AllocatorErrorCode } from '@allokit/allocator';

/** What the system said, as the `cause` of the AllocatorError; shaped as Node.js shapes its own. */
export class SystemError extends Error {
  /** `SystemError`. */
  override readonly name = 'SystemError';
  /** The name of the error: `ENOMEM`, `ERROR_COMMITMENT_LIMIT` ... */
  readonly code: string;
  /** Its number. */
  readonly errno: number;
  /** The function that failed. */
  readonly syscall: string;

  /**
   * @param syscall - The function that failed.
   * @param code - The name of the error.
   * @param errno - Its number.
   */
  constructor(syscall: string, code: string, errno: number) {
    super(`${syscall}: ${code} (${errno})`);
    this.syscall = syscall;
    this.code = code;
    this.errno = errno;
  }
}

/** Errors that mean there is no memory, or no more of it allowed. */
const SHORTAGES = new Set([
  ...['ENOMEM', 'EAGAIN', 'ENOSPC', 'EDQUOT', 'EFBIG'],
  ...['ERROR_NOT_ENOUGH_MEMORY', 'ERROR_OUTOFMEMORY', 'ERROR_COMMITMENT_LIMIT', 'ERROR_WORKING_SET_QUOTA'],
  ...['ERROR_PAGEFILE_QUOTA', 'ERROR_NO_SYSTEM_RESOURCES', 'ERROR_NOT_ENOUGH_QUOTA'],
]);

/** The error to throw when the system refused. */
export function refusal(what: string, error: SystemError, code: AllocatorErrorCode = SHORTAGES.has(error.code) ? 'out-of-memory' : 'system'): AllocatorError {
  return new AllocatorError(code, `the operating system refuses to ${what}: ${error.message}`, { cause: error });
}
