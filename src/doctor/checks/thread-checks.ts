/** All checks of Thread and Matter. */
import type { Check } from "../../core/check.ts";
import { threadComfortChecks } from "./thread-comfort-checks.ts";
import { threadRouteChecks } from "./thread-route-checks.ts";
import { threadRouterChecks } from "./thread-router-checks.ts";

export const threadChecks: readonly Check[] = [...threadRouteChecks, ...threadRouterChecks, ...threadComfortChecks].toSorted(
  (left, right) => (left.id < right.id ? -1 : 1),
);
