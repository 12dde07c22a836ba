/** Which aerial this is. */
import { readFileSync } from "node:fs";
import { AerialError } from "../core/errors.ts";

/** The version in package.json, which stands above `src` here and above `dist/src` in a build. */
export function readVersion(): string {
  for (const place of ["../../package.json", "../../../package.json"]) {
    const version = versionIn(new URL(place, import.meta.url));
    if (version !== undefined) return version;
  }
  throw new AerialError("api.protocol", "package.json of aerial is missing");
}

function versionIn(file: URL): string | undefined {
  try {
    const manifest = JSON.parse(readFileSync(file, "utf8")) as { name?: unknown; version?: unknown };
    return manifest.name === "aerial" && typeof manifest.version === "string" ? manifest.version : undefined;
  } catch {
    return undefined;
  }
}
