/** What is told of a Lease: to whoever wants to know the holder, to people, to the log. */
import { type AerialError, describeError, hasCode } from "../core/errors.ts";
import type { LeaseDependencies } from "./lease.ts";

export interface LeaseReport {
  /** Nobody, or somebody whose name is not empty. */
  holder(holder: string | undefined): void;
  works(): void;
  failed(error: AerialError): void;
  /** The API server has not answered for too long. */
  lost(): void;
  /** Nobody wants to know any more. */
  end(): void;
}

export function createLeaseReport(
  dependencies: Pick<LeaseDependencies, "conditions" | "log" | "name" | "consequence" | "onHolder">,
): LeaseReport {
  const { conditions, log, name, consequence, onHolder } = dependencies;
  const code = `lease.${name}.unknown`;
  let told: string | undefined;
  let trouble: AerialError | undefined;
  let raised = false;

  const tell = (holder: string | undefined): void => {
    if (holder === told) return;
    told = holder;
    onHolder(holder);
  };
  const raise = (): void => {
    const why = trouble === undefined ? "the API server does not answer" : `${describeError(trouble)}; ${hintFor(trouble)}`;
    conditions.raise(code, "warning", `${consequence}: ${why}`);
    if (!raised) log.warn({ lease: name, why }, "lease unknown");
    raised = true;
  };

  return {
    holder: (holder) => tell(holder === "" ? undefined : holder),
    works() {
      trouble = undefined;
      if (!raised) return;
      raised = false;
      conditions.clear(code);
      log.info({ lease: name }, "lease known again");
    },
    failed(error) {
      trouble = error;
      // One lost request is none yet.
      if (raised || !hasCode(error, "kube.unreachable")) raise();
    },
    lost() {
      tell(undefined);
      raise();
    },
    end() {
      tell(undefined);
      conditions.clear(code);
    },
  };
}

function hintFor({ code, hint }: AerialError): string {
  return code === "kube.forbidden" ? "apply the roles in daemonset/base" : hint;
}
