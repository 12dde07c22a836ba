/** What the kubelet and the API server take; all else is held back, and said. Pure. */

/** Of a device's id (kubernetes/kubelet pkg/apis/deviceplugin/v1beta1/api.proto). */
export const longestDeviceId = 63;

/** A DNS subdomain (RFC 1123), as prefixes of qualified names are. */
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const namePart = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const longestName = 63;
/** Quotas put `requests.` before it, which must fit as well. */
const longestDomain = 253 - "requests.".length;

/**
 * Whether `name` can be an extended resource: IsExtendedResourceName in kubernetes/kubernetes
 * pkg/apis/core/v1/helper/helpers.go, by which the kubelet judges registrations.
 */
export function isExtendedResourceName(name: string): boolean {
  const [domain = "", part = "", ...rest] = name.split("/");
  return (
    rest.length === 0 &&
    domain.length <= longestDomain &&
    subdomain.test(domain) &&
    !name.startsWith("requests.") &&
    !name.includes("kubernetes.io/") &&
    part.length <= longestName &&
    namePart.test(part)
  );
}
