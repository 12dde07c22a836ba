/** Cases that once failed, kept as files so that they are tried for ever. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FuzzCase } from "./fuzz-packet.ts";

const folder = join(import.meta.dirname, "seeds");

export interface KeptCase extends FuzzCase {
  readonly file: string;
}

/** Returns the file's path. */
export function keepCase({ target, packet, choice }: FuzzCase, why: string): string {
  const hex = Buffer.from(packet).toString("hex");
  const digest = createHash("sha256").update(`${target} ${choice} ${hex}`).digest("hex").slice(0, 12);
  const file = join(folder, `${target}-${digest}.json`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify({ target, choice, why, packet: hex }, undefined, 2)}\n`);
  return file;
}

export function keptCases(): readonly KeptCase[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => {
      const { target, choice, packet } = JSON.parse(readFileSync(join(folder, file), "utf8")) as {
        target: string;
        choice: number;
        packet: string;
      };
      return { file, target, choice, packet: Buffer.from(packet, "hex") };
    });
}
