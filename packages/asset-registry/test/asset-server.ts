/** A server on loopback that misbehaves on purpose: what it does with a request is a function. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** Answers a request. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Bytes that differ from asset to asset and from place to place. */
export function bytesOf(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 1) bytes[i] = i * 31 + seed * 17 + (i >>> 8);
  return bytes;
}

/** A server and what it was asked. */
export class AssetServer {
  /** The base of the assets: a folder. */
  readonly base: string;
  /** The paths of all requests, in the order they came. */
  readonly requests: string[] = [];
  /** The most requests that were under way at once. */
  activeMax = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #answers = new Map<string, Answer>();
  #fallback: Answer = (_request, response) => response.writeHead(404).end();
  #active = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/assets/`;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  /** Starts one. */
  static async start(): Promise<AssetServer> {
    // Clients may be slow: a connection that the server gave up in the meantime would be a failure of the network.
    const server = createServer({ keepAliveTimeout: 60_000 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const own = new AssetServer(server);
    server.on('request', own.#listen);
    return own;
  }

  /** What to do with requests of a path below the base; `..` leads out of it. */
  on(path: string, answer: Answer): void {
    this.#answers.set(new URL(path, this.base).pathname, answer);
  }

  /** What to do with all other requests. */
  otherwise(answer: Answer): void {
    this.#fallback = answer;
  }

  /** Forgets all answers and figures. */
  reset(): void {
    this.#answers.clear();
    this.requests.length = 0;
    this.activeMax = 0;
    this.#fallback = (_request, response) => response.writeHead(404).end();
  }

  /** Ends it, whatever is under way. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  readonly #listen: RequestListener = (request, response) => {
    const path = request.url!;
    this.requests.push(path.replace(/^\/assets\//, ''));
    this.#active += 1;
    this.activeMax = Math.max(this.activeMax, this.#active);
    response.on('close', () => (this.#active -= 1));
    (this.#answers.get(path.replace(/\?.*/, '')) ?? this.#fallback)(request, response);
  };
}

/** Sends bytes as any server does. */
export function send(bytes: Uint8Array, headers: Record<string, string> = {}): Answer {
  return (_request, response) => response.writeHead(200, { 'Content-Length': String(bytes.length), ...headers }).end(bytes);
}

/** Sends bytes without saying how many there will be, in pieces. */
export function sendChunked(bytes: Uint8Array, pieceSize = bytes.length): Answer {
  return (_request, response) => {
    response.writeHead(200);
    for (let i = 0; i < bytes.length; i += pieceSize) response.write(bytes.subarray(i, i + pieceSize));
    response.end();
  };
}

/** Writes to the socket what it likes, then does something with it. */
export function sendRaw(text: string, then: (socket: Socket) => void = () => undefined): Answer {
  return ({ socket }) => {
    socket.write(text, () => setTimeout(() => then(socket), 5));
  };
}

/** Answers the first request so, the second so, and all further ones as the last. */
export function inTurn(...answers: readonly Answer[]): Answer {
  let count = 0;
  return (request, response) => {
    answers[Math.min(count, answers.length - 1)]!(request, response);
    count += 1;
  };
}

/** Answers with a status and nothing else. */
export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (_request, response) => response.writeHead(code, { 'Content-Length': '0', ...headers }).end();
}
