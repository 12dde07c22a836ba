/** Long lists of USB ids in a form people can read and compare. */

/**
 * From a table with one line a vendor, its id first and then its products', to the form of `FingerprintMatch.usbIds`:
 * `"0846 9052 9053"` becomes `["0846:9052", "0846:9053"]`.
 */
export function usbIdsOf(table: string): readonly string[] {
  return table
    .trim()
    .split("\n")
    .flatMap((line) => {
      const [vendorId, ...productIds] = line.trim().split(/\s+/);
      return productIds.map((productId) => `${vendorId}:${productId}`);
    });
}
