/** Which namespace this pod is in. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { serviceAccountDirectory } from "./connection.ts";

/** As its service account's volume has it; undefined outside a pod. */
export async function readPodNamespace(directory = serviceAccountDirectory): Promise<string | undefined> {
  const text = await readFile(join(directory, "namespace"), "utf8").catch(() => "");
  return text.trim() === "" ? undefined : text.trim();
}
