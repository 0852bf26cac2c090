/** The server of `bench assets`, in a process of its own: bodies that are told apart by their number, with and without a length. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { markOf } from './bodies.ts';

const sizeBytes = Number(process.argv[2]);
const bodies = Array.from({ length: 256 }, (_, i) => Buffer.alloc(sizeBytes, markOf(i)));

const server = createServer(({ url = '' }, response) => {
  const [, folder, number] = url.split('/');
  const body = bodies[Number(number) % bodies.length]!;
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', ...(folder === 'sized' && { 'Content-Length': sizeBytes }) });
  response.end(body);
});
// Subjects wait for their turns longer than a server usually does.
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
