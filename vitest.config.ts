/** Test lanes: `unit` needs nothing, `light` Linux namespaces, `api` other programs that speak its API, `page` Chromium, `system` other mDNS and SSDP programs, `cluster` an API server, `lab` QEMU. */
import { defineConfig } from "vitest/config";

interface Lane {
  readonly name: string;
  readonly include: string[];
  readonly timeoutMs: number;
  /**
   * Lanes that own ports, namespaces or the machine's whole speed run one file at a time. They keep time with kernels, kubelets
   * and other programs, so a machine that stands still for a second can fail any of them: what failed is tried once more, and
   * scripts/test names it at its end.
   */
  readonly serial: boolean;
}

const project = ({ name, include, timeoutMs, serial }: Lane) => ({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"], externalConditions: ["source"] } },
  test: { name, include, testTimeout: timeoutMs, hookTimeout: timeoutMs * 4, fileParallelism: !serial, retry: serial ? 1 : 0 },
});

export default defineConfig({
  test: {
    projects: [
      project({
        name: "unit",
        include: ["src/**/*.test.ts", "plugins/**/*.test.ts", "test/house/**/*.test.ts"],
        timeoutMs: 10_000,
        serial: false,
      }),
      project({ name: "light", include: ["test/light/**/*.test.ts"], timeoutMs: 30_000, serial: true }),
      project({ name: "api", include: ["test/api/**/*.test.ts"], timeoutMs: 60_000, serial: true }),
      project({ name: "page", include: ["test/page/**/*.test.ts"], timeoutMs: 60_000, serial: true }),
      project({ name: "system", include: ["test/system/**/*.test.ts"], timeoutMs: 30_000, serial: true }),
      project({
        name: "cluster",
        include: ["test/cluster/**/*.test.ts", "test/doctor/**/*.test.ts", "test/end-to-end/namespace.test.ts"],
        timeoutMs: 60_000,
        serial: true,
      }),
      project({ name: "lab", include: ["test/lab/**/*.test.ts", "test/end-to-end/guest.test.ts"], timeoutMs: 300_000, serial: true }),
    ],
  },
});
