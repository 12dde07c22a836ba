/**
 * What aerial needs of node:http, without importing it. An ES import of it reads all that it exports, among them `WebSocket`,
 * for which Node then loads its client for `fetch`: 12 MiB of resident memory that nothing here uses. BENCH.md has the figures.
 */
export const { Agent, createServer, request, ServerResponse, STATUS_CODES } = process.getBuiltinModule("node:http");
