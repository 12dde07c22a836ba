/** The lab's own failures: what was tried, and what a person can do about it. */

export class LabError extends Error {
  override readonly name = "LabError";
}
