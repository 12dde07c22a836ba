/** A doctor that is loaded when somebody first asks it: its checks cost memory, and most daemons are well. */
import type { DoctorView } from "./api/sources.ts";
import { Cell, type Watch } from "./core/cell.ts";
import type { DoctorReport } from "./core/check.ts";

export function lazyDoctor(load: () => Promise<DoctorView>): DoctorView & { readonly reports: Watch<DoctorReport | undefined> } {
  const reports = new Cell<DoctorReport | undefined>(undefined);
  let loaded: Promise<DoctorView> | undefined;
  const doctor = (): Promise<DoctorView> => (loaded ??= load());
  return {
    reports,
    async report(fresh) {
      const report = await (await doctor()).report(fresh);
      if (report !== reports.current) reports.set(report);
      return report;
    },
    patch: async (wanted) => (await doctor()).patch(wanted),
  };
}
