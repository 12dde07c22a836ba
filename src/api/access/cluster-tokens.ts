/** Tokens of the cluster: what the API server said of them is believed for a while, so that it is not asked each time. */
import { createHash } from "node:crypto";
import type { TokenReviewer, TokenVerdict } from "../../core/access.ts";
import type { Clock } from "../../core/clock.ts";
import type { Conditions } from "../../core/condition.ts";
import { AerialError, describeError, isAerialError } from "../../core/errors.ts";

export interface ClusterTokens {
  /** Throws `kube.*` when the cluster cannot be asked, `api.busy` when too much is asked of it already. */
  find(token: string, signal: AbortSignal): Promise<TokenVerdict>;
}

export interface ClusterTokenDependencies {
  readonly review: TokenReviewer;
  readonly clock: Clock;
  readonly conditions: Pick<Conditions, "raise" | "clear">;
}

/** A right that was taken back still holds for so long. */
const keepAcceptedMs = 60_000;
/** Rights that were just given are not to be waited for. */
const keepRefusedMs = 10_000;
const mostKept = 1_024;
const mostAsked = 8;
const condition = "api.kubernetes-tokens";

interface Kept {
  readonly verdict: TokenVerdict;
  readonly until: number;
}

export function createClusterTokens({ review, clock, conditions }: ClusterTokenDependencies): ClusterTokens {
  // Apart, so that made-up tokens cannot push out those of people who may come in.
  const accepted = new Map<string, Kept>();
  const refused = new Map<string, Kept>();
  const asked = new Map<string, Promise<TokenVerdict>>();

  const keep = (key: string, verdict: TokenVerdict): void => {
    const isAccepted = verdict.state === "caller";
    const kept = isAccepted ? accepted : refused;
    kept.set(key, { verdict, until: clock.now() + (isAccepted ? keepAcceptedMs : keepRefusedMs) });
    for (const oldest of kept.keys()) {
      if (kept.size <= mostKept) break;
      kept.delete(oldest);
    }
  };
  const recall = (key: string): TokenVerdict | undefined => {
    for (const kept of [accepted, refused]) {
      const found = kept.get(key);
      if (found === undefined) continue;
      const left = found.until - clock.now();
      // The time of day may jump back: nothing is believed for longer than meant.
      if (left > 0 && left <= keepAcceptedMs) return found.verdict;
      kept.delete(key);
    }
    return undefined;
  };
  const ask = async (key: string, token: string, signal: AbortSignal): Promise<TokenVerdict> => {
    try {
      const verdict = await review(token, signal);
      keep(key, verdict);
      conditions.clear(condition);
      return verdict;
    } catch (error) {
      if (!signal.aborted) {
        const hint = isAerialError(error) && error.code === "kube.forbidden" ? "; apply daemonset/components/kubernetes-tokens" : "";
        conditions.raise(condition, "warning", `Tokens of the cluster cannot be checked: ${describeError(error)}${hint}.`);
      }
      throw error;
    }
  };

  return {
    async find(token, signal) {
      const key = createHash("sha256").update(token).digest("base64");
      const known = recall(key);
      if (known !== undefined) return known;
      const running = asked.get(key);
      if (running !== undefined) return running;
      if (asked.size >= mostAsked) throw new AerialError("api.busy", `${mostAsked} other tokens are being checked`);
      const asking = ask(key, token, signal).finally(() => asked.delete(key));
      asked.set(key, asking);
      return asking;
    },
  };
}
