/** A client that asks a unix socket for the same thing over and over. */
import { Agent, get } from "node:http";

const connections = 8;

export interface Requester {
  /** Sends so many requests over a few connections that stay open; gives how many were answered a second. */
  perSecond(requests: number): Promise<number>;
}

export function openRequester(socketPath: string, path: string): Requester {
  return {
    async perSecond(requests) {
      const agent = new Agent({ keepAlive: true, maxSockets: connections });
      const ask = (): Promise<void> =>
        new Promise((resolve, reject) => {
          get({ socketPath, path, agent }, (answer) => {
            if (answer.statusCode !== 200) reject(new Error(`${path} answered ${answer.statusCode}`));
            answer.resume().on("end", resolve);
          }).on("error", reject);
        });
      const from = performance.now();
      const perConnection = Math.ceil(requests / connections);
      await Promise.all(
        Array.from({ length: connections }, async () => {
          for (let turn = 0; turn < perConnection; turn += 1) await ask();
        }),
      );
      agent.destroy();
      return (perConnection * connections) / ((performance.now() - from) / 1_000);
    },
  };
}
