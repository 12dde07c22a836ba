/** What was refused and what was done, in the log: a line each, and never a token. */
import type { IncomingMessage } from "node:http";
import type { Caller } from "../../core/access.ts";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { createRateLimiter } from "./rate-limiter.ts";
import { describeRequest } from "./refusal.ts";

interface Noted {
  readonly request: IncomingMessage;
  readonly entrance: { readonly address: string };
  readonly client: string;
}

/** Lines about refusals: whoever knocks all day must not fill the log. */
const lines = { perSecond: 1, burst: 30, mostClients: 1 } as const;

export function createRefusalLog(log: Log, clock: Clock) {
  const limiter = createRateLimiter(lines);
  let untold = 0;
  return {
    note({ request, entrance, client, status, detail }: Noted & { readonly status: number; readonly detail: string }): void {
      if (limiter.take("all", clock.now()) > 0) {
        untold += 1;
        return;
      }
      const told = { ...describeRequest(request), client, at: entrance.address, status, why: detail };
      log.warn(untold === 0 ? told : { ...told, refusedBefore: untold }, "request refused");
      untold = 0;
    },
    noteAction({ request, entrance, client, caller }: Noted & { readonly caller?: Caller | undefined }): void {
      log.info({ ...describeRequest(request), client, at: entrance.address, by: caller?.name }, "action");
    },
  };
}
