/** A doctor that is loaded when somebody first asks it: its checks cost memory, and most daemons are well. */
import type { DoctorView } from "./api/sources.ts";

export function lazyDoctor(load: () => Promise<DoctorView>): DoctorView {
  let loaded: Promise<DoctorView> | undefined;
  const doctor = (): Promise<DoctorView> => (loaded ??= load());
  return {
    report: async (fresh) => (await doctor()).report(fresh),
    patch: async (wanted) => (await doctor()).patch(wanted),
  };
}
