/** How the program ends, as `sysexits.h` has it. */
export const ExitCode = {
  Ok: 0,
  /** The command line is wrong. */
  Usage: 64,
  /** The Lox program is wrong. */
  Compile: 65,
  /** It failed while it ran. */
  Run: 70,
  /** A file cannot be read or written. */
  File: 74,
} as const;
