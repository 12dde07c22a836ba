/** How a container runtime is told which radio a container gets. */

/** The class that all radios are of in CDI; the vendor is the domain. */
export const cdiClass = "radio";

/**
 * The qualified name (CDI SPEC, "Device naming"): `radio.mi.house/radio=10c4-ea60-0001`, from the second radio of a group in
 * one container on with `:2` and so on. Ids never hold a colon, so no radio can pass for another's second.
 */
export function cdiDeviceName(domain: string, radioId: string, ordinal: number): string {
  return `${domain}/${cdiClass}=${plainDeviceName(radioId, ordinal)}`;
}

/** The same without vendor and class, as it stands in the file. */
export function plainDeviceName(radioId: string, ordinal: number): string {
  return ordinal > 1 ? `${radioId}:${ordinal}` : radioId;
}
