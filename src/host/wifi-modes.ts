/** Which Wi-Fi phys can be access points. */
export interface WifiModes {
  /** By phy index: whether it supports access-point mode. Undefined where nl80211 cannot be asked. */
  accessPoint(phys: readonly number[]): Promise<ReadonlyMap<number, boolean> | undefined>;
}
