/** A real kubelet beside real USB drivers: that the guest carries a node. */
import { expect, it } from "vitest";
import { openCluster } from "../cluster/cluster.ts";
import { openControlPlane } from "../cluster/control-plane.ts";
import { openGuestNode } from "../cluster/node/guest-node.ts";
import { startPod } from "../cluster/node/pods.ts";
import { sonoffDonglePlus } from "./sticks.ts";

/** Says how often a line of a tty came back. */
const script = `
  round=0
  while :; do
    for tty in /host/dev/ttyUSB*; do
      [ -c $tty ] || continue
      round=$((round + 1))
      stty -F $tty raw -echo || continue
      exec 3<>$tty && echo $round >&3 && read answer <&3 && echo $answer >/state/answered
      while read more <&3; do :; done
    done
    sleep 0.2
  done`;

it("runs a pod that talks to a stick through its driver, and again when it was replugged", { timeout: 300_000 }, async () => {
  await using cluster = await openCluster();
  await using _controlPlane = await openControlPlane(cluster, { nodeGraceSeconds: 120 });
  await using node = await openGuestNode(cluster, { name: "guest-1" });
  const hostPath = (path: string) => ({ hostPath: { path, type: "DirectoryOrCreate" } });
  const pod = {
    name: "talker",
    namespace: "kube-system",
    script,
    container: {
      securityContext: { privileged: true },
      volumeMounts: [
        { name: "dev", mountPath: "/host/dev" },
        { name: "state", mountPath: "/state" },
      ],
    },
    spec: {
      volumes: [
        { name: "dev", ...hostPath("/dev") },
        { name: "state", ...hostPath("/run/talker") },
      ],
    },
  };
  await startPod(cluster, pod, 120);
  const answered = (round: number) =>
    expect
      .poll(async () => (await node.lab.run(["cat", "/run/talker/answered"])).stdout.trim(), { timeout: 60_000, interval: 200 })
      .toBe(String(round));
  console.log(`node in the guest Ready in ${node.readyInMs} ms`);
  const stick = await node.lab.plug(sonoffDonglePlus);
  await answered(1);
  await stick.unplug();
  await node.lab.plug(sonoffDonglePlus);
  await answered(2);
});
