/**
 * A node that is well, for ailments to be given to it: interfaces for the relay, a border router and a Matter server in name,
 * and the parameters that a node with them should have. What it lacks is what the guest lacks: pods, and the sticks' firmware.
 */
import type { DoctorReport, Finding } from "../../src/core/check.ts";
import { aerialCommand } from "./aerial-command.ts";
import { type GuestLab, openGuestLab } from "./guest-lab.ts";
import type { LabProcess } from "./lab.ts";
import { LabError } from "./lab-error.ts";

export interface DoctorNode extends AsyncDisposable {
  readonly lab: GuestLab;
  /** Runs a shell script; rejects with what it wrote when it fails. */
  sh(script: string): Promise<string>;
  /** The Talos patch for what the last examination found, in the form of 1.13. */
  patch(): Promise<string>;
  /** A new examination by the daemon. */
  examine(): Promise<DoctorReport>;
  /** Examines until a finding of this check is as wanted, and gives it; rejects at the deadline with what was there instead. */
  until(id: string, isRight: (findings: readonly Finding[]) => boolean): Promise<readonly Finding[]>;
}

const socket = "/run/aerial/aerial.sock";
const startMs = 180_000;
/** Links follow within a second and sticks within some; the rest is the emulated processor. */
const patienceMs = 60_000;

/** Programs that are only a name: `comm` is what the kernel makes of the file that was started. */
export const startNamed = (name: string): string => `cp /bin/sleep /run/${name}; setsid /run/${name} 100000 >/dev/null 2>&1 &`;

/** The kernel starts with the defaults of Linux, of which several are the very thing the doctor is about. */
const settle = `set -e
modprobe -a tun 8021q bridge nf_conntrack dummy
ip link add home type bridge 
ip link add port type dummy
ip link set port master home
ip link add trunk type dummy
ip link add link trunk name trunk.20 type vlan id 20
sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.conf.home.accept_ra=2 net.ipv6.conf.home.accept_ra_rt_info_max_plen=64
sysctl -qw net.ipv4.igmp_max_memberships=1024 net.core.optmem_max=131072 net.ipv4.ping_group_range="0 2147483647"
sysctl -qw net.netfilter.nf_conntrack_udp_timeout_stream=3600 net.ipv4.conf.all.rp_filter=0
for link in port home trunk trunk.20; do ip link set $link up; done
ip address add 10.72.10.2/24 dev home
ip address add 10.72.20.2/24 dev trunk.20
ip route add default via 10.72.10.1 dev home
ip tuntap add wpan0 mode tun
ip link set wpan0 up
${startNamed("otbr-agent")}
${startNamed("matter-server")}
`;

const config = `relay:
  enabled: true
  links: [home, trunk.20]
kubernetes:
  enabled: false
state:
  directory: /run/aerial-state
`;

export async function openDoctorNode(log: (line: string) => void = () => {}): Promise<DoctorNode> {
  await using stack = new AsyncDisposableStack();
  const lab = stack.use(await openGuestLab({ log }));
  const sh = async (script: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await lab.run(["sh", "-c", script]);
    if (exitCode !== 0) throw new LabError(`exit code ${exitCode} of:\n${script}\n${stdout}${stderr}`);
    return stdout;
  };
  await sh(settle);
  await lab.writeFile("/run/doctor.yaml", config);
  const daemon: LabProcess = stack.use(await lab.start([...(await aerialCommand(lab)), "run", "--config", "/run/doctor.yaml"]));
  await daemon.waitForLine(/aerial is up/, startMs);

  const examine = async (): Promise<DoctorReport> => {
    const answer = await sh(`curl -sS --fail-with-body --unix-socket ${socket} -X POST http://localhost/api/v1/doctor`);
    return JSON.parse(answer) as DoctorReport;
  };
  const lifetime = stack.move();
  return {
    lab,
    sh,
    examine,
    patch: () => sh(`curl -sS --fail-with-body --unix-socket ${socket} "http://localhost/api/v1/doctor/patch?version=1.13"`),
    async until(id, isRight) {
      const deadline = Date.now() + patienceMs;
      for (;;) {
        const report = await examine();
        const findings = report.findings.filter((finding) => finding.id === id);
        if (isRight(findings)) return findings;
        if (Date.now() < deadline) continue;
        const why = report.notApplicable.find((check) => check.id === id)?.why;
        throw new LabError(`${id} says instead: ${why ?? JSON.stringify(findings, undefined, 1)}\n${daemon.output.slice(-2_000)}`);
      }
    },
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}
