/** What is wrong with this machine, and what mends it. */
import { AerialError } from "../core/errors.ts";
import type { Handlers } from "./operations.ts";
import type { ApiSources, DoctorView } from "./sources.ts";

type DoctorOperation = "getDoctorReport" | "runDoctor" | "getDoctorPatch" | "listFindings";

export function doctorHandlers({ doctor }: ApiSources): Handlers<DoctorOperation> {
  const present = (): DoctorView => {
    if (doctor === undefined) throw new AerialError("doctor.off", "there is no doctor in this aerial");
    return doctor;
  };
  return {
    getDoctorReport: () => present().report(false),
    runDoctor: () => present().report(true),
    getDoctorPatch: ({ query }) => present().patch(query),
    async listFindings({ query: { verdict, level, radio } }) {
      const { at, findings } = await present().report(false);
      return {
        at,
        findings: findings.filter(
          (finding) =>
            (verdict === undefined || finding.verdict === verdict) &&
            (level === undefined || finding.level === level) &&
            (radio === undefined || finding.radioId === radio),
        ),
      };
    },
  };
}
