/** What a program prints, gathered into larger pieces unless somebody is looking. */

const CAPACITY = 65_536;
const NEWLINE = 0x0a;

/** Where lines go. */
export class Output {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #flushesLines: boolean;
  readonly #buffer = new Uint8Array(CAPACITY);
  readonly #encoder = new TextEncoder();
  #size = 0;

  /**
   * @param write - Takes the bytes, which are good only until it returns.
   * @param flushesLines - Whether each line is written as soon as it ends.
   */
  constructor(write: (bytes: Uint8Array) => void, flushesLines: boolean) {
    this.#write = write;
    this.#flushesLines = flushesLines;
  }

  /** Adds a line. */
  line(text: string): void {
    this.bytes(this.#encoder.encode(text));
    this.#end();
  }

  /** Adds a line that is there as bytes. */
  lineOf(bytes: Uint8Array): void {
    this.bytes(bytes);
    this.#end();
  }

  /** Adds bytes. */
  bytes(bytes: Uint8Array): void {
    if (this.#size + bytes.length > CAPACITY) this.flush();
    if (bytes.length > CAPACITY) this.#write(bytes);
    else {
      this.#buffer.set(bytes, this.#size);
      this.#size += bytes.length;
    }
  }

  /** Writes what was gathered. */
  flush(): void {
    if (this.#size > 0) this.#write(this.#buffer.subarray(0, this.#size));
    this.#size = 0;
  }

  #end(): void {
    if (this.#size === CAPACITY) this.flush();
    this.#buffer[this.#size] = NEWLINE;
    this.#size += 1;
    if (this.#flushesLines) this.flush();
  }
}
