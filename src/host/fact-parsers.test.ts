/** What the doctor reads of the host: texts that the kernel, distributions and anybody else write. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { toAdapters } from "./bluez-adapters.ts";
import { createBreather } from "./breather.ts";
import { lookUp } from "./kernel-config.ts";
import { parseKernelRecord, readKernelLog } from "./kernel-log.ts";
import { parseModuleAliases } from "./module-aliases.ts";
import { fitsModuleGlob } from "./module-glob.ts";
import { toNumbers } from "./node-reader.ts";
import { parseOsRelease, readOs } from "./os-release.ts";
import { parseCgroup } from "./parse-cgroup.ts";

const uid = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
const id = "ab".repeat(32);
const anyText = fc.string({ unit: "binary", maxLength: 300 });

describe("cgroups", () => {
  const underscored = uid.replaceAll("-", "_");
  test.each([
    [
      "version 2, systemd, containerd",
      `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${underscored}.slice/cri-containerd-${id}.scope`,
    ],
    ["version 2, cgroupfs, as Talos has it", `0::/kubepods/burstable/pod${uid}/${id}`],
    ["version 2, seen from another cgroup namespace", `0::/../../kubepods-besteffort-pod${underscored}.slice/cri-containerd-${id}.scope`],
    ["version 2, CRI-O", `0::/kubepods.slice/kubepods-pod${underscored}.slice/crio-${id}.scope`],
    ["version 2, below the container's own", `0::/kubepods/pod${uid}/${id}/init.scope`],
    ["version 1", `12:cpuset:/\n11:memory:/kubepods/besteffort/pod${uid}/${id}\n1:name=systemd:/kubepods/besteffort/pod${uid}/${id}`],
  ])("%s", (_, text) => {
    expect(parseCgroup(text)).toEqual({ podUid: uid, containerId: id });
  });

  test("static pods have the hash the kubelet gave them, and what is no pod has nothing", () => {
    const hash = "cd".repeat(16);
    expect(parseCgroup(`0::/kubepods/burstable/pod${hash}/${id}`)).toEqual({ podUid: hash, containerId: id });
    for (const text of ["", "0::/", "0::/system.slice/docker.service", `0::/podman/libpod-${id}`, "0::/system.slice/podinfo.service"])
      expect(parseCgroup(text)).toEqual({});
  });

  it("survive anything", () => {
    fc.assert(fc.property(anyText, (text) => void parseCgroup(text)));
  });
});

describe("kernel messages", () => {
  test("are the kernel's own, unescaped and printable", () => {
    expect(parseKernelRecord("6,339,5140900,-;NET: Registered protocol family 10\n SUBSYSTEM=net")).toEqual({
      seconds: 5.1409,
      text: "NET: Registered protocol family 10",
    });
    expect(parseKernelRecord("3,1,1000000,-,caller=T1;usb 1-1: caf\\xc3\\xa9 \\x1b[31m")?.text).toBe("usb 1-1: café \u{fffd}[31m");
    // Facility 3 (daemon): a program wrote it.
    expect(parseKernelRecord("30,341,7000000,-;usb 1-1: USB disconnect, device number 5")).toBeUndefined();
    for (const text of ["", "garbage", "6,1;x", "6,1,x,-;y", " SUBSYSTEM=usb"]) expect(parseKernelRecord(text)).toBeUndefined();
  });

  it("survive anything", () => {
    fc.assert(fc.property(anyText, (text) => void parseKernelRecord(`6,1,1,-;${text}`)));
  });

  it("are read from this kernel without waiting, or not at all for a reason", async () => {
    const log = await readKernelLog("/dev/kmsg", createBreather(), AbortSignal.timeout(10_000));
    if (log.state === "unreadable") expect(log.why).toContain("CAP_SYSLOG");
    else expect(["read", "absent"]).toContain(log.state);
    expect(await readKernelLog("/nowhere", createBreather(), AbortSignal.timeout(1_000))).toEqual({ state: "absent" });
  });
});

describe("module patterns", () => {
  test.each([
    ["usb:v10C4pEA60d*dc*dsc*dp*ic*isc*ip*in*", "usb:v10C4pEA60d0100dc00dsc00dp00icFFisc00ip00in00", true],
    ["usb:v10C4pEA61d*", "usb:v10C4pEA60d0100", false],
    ["usb:v*p*d*dc*dsc*dp*ic02isc02ip0[1-6]in*", "usb:v0001p0002d0100dc02dsc00dp00ic02isc02ip01in00", true],
    ["usb:v*p*d*dc*dsc*dp*ic02isc02ip0[1-6]in*", "usb:v0001p0002d0100dc02dsc00dp00ic02isc02ip07in00", false],
    ["usb:v1199p68A3d*dc*dsc*dp*ic*isc*ip*in[!0]*", "usb:v1199p68A3d0001dc00dsc00dp00icFFisc00ip00in00", false],
    ["of:N*T*Cbrcm,bcm43438-bt", "of:NbluetoothT(null)Cbrcm,bcm43438_bt", true],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["a[]b]c", "a]c", true],
    ["a[b", "a[b", false],
    ["*", "", true],
    ["", "a", false],
  ])("%s with %s: %s", (glob, text, expected) => {
    expect(fitsModuleGlob(glob, text)).toBe(expected);
  });

  it("always fit what they were made from, in little time", () => {
    const part = fc.string({ unit: fc.constantFrom("a", "b", "0", ":", "-", "_"), maxLength: 8 });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), fc.array(part, { maxLength: 8 }), (literals, fillings) => {
        const text = literals.map((literal, index) => literal + (index < literals.length - 1 ? (fillings[index] ?? "") : "")).join("");
        expect(fitsModuleGlob(literals.join("*"), text)).toBe(true);
        expect(fitsModuleGlob(text, text)).toBe(true);
      }),
    );
    expect(fitsModuleGlob(`${"*a".repeat(400)}b`, "a".repeat(1_000))).toBe(false);
  });

  test("are looked up in all the lists, loadable modules first", () => {
    const lists = {
      aliases:
        "# Aliases extracted from modules themselves.\nalias usb:v10C4pEA60d* cp210x\nalias fs-ext4 ext4\nalias usb:v0403p6001d* ftdi_sio\n",
      builtInInfo: "cdc_acm.license=GPL\0cdc_acm.alias=usb:v*p*d*dc02*\0cp210x_old.alias=usb:v10C4pEA60d*\0",
      builtIn: "kernel/drivers/usb/class/cdc-acm.ko\nkernel/drivers/usb/core/usbcore.ko\n",
    };
    const modules = parseModuleAliases(lists);
    expect(modules.moduleFor("usb:v10C4pEA60d0100dc00")).toEqual({ state: "read", value: "cp210x" });
    expect(modules.moduleFor("usb:v1111p2222d0100dc02")).toEqual({ state: "read", value: "cdc_acm" });
    expect(modules.moduleFor("usb:v1111p2222d0100dc03")).toEqual({ state: "absent" });
    expect([modules.isBuiltIn("cdc_acm"), modules.isBuiltIn("cdc-acm"), modules.isBuiltIn("cp210x")]).toEqual([true, true, false]);
  });

  it("survive anything", () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, (aliases, builtInInfo, modalias) => {
        parseModuleAliases({ aliases, builtInInfo, builtIn: aliases }).moduleFor(modalias);
        fitsModuleGlob(aliases, modalias);
      }),
    );
  });
});

describe("the kernel's configuration", () => {
  test("tells set from not set", () => {
    const options = lookUp('#\n# x\n#\nCONFIG_BT=m\n# CONFIG_CFG80211 is not set\nCONFIG_LSM="a,b"\nCONFIG_BT_HCIBTUSB=m\nCONFIG_HZ=250');
    expect(["CONFIG_BT", "CONFIG_LSM", "CONFIG_HZ"].map((name) => options(name))).toEqual([
      { state: "read", value: "m" },
      { state: "read", value: "a,b" },
      { state: "read", value: "250" },
    ]);
    for (const name of ["CONFIG_CFG80211", "CONFIG_B", "BT", "CONFIG_BT=m\nCONFIG_X", ""])
      expect(options(name)).toEqual({ state: "absent" });
    expect(lookUp("CONFIG_FIRST=y\n")("CONFIG_FIRST")).toEqual({ state: "read", value: "y" });
  });
});

describe("the operating system", () => {
  const talos = 'NAME="Talos"\nID=talos\nVERSION_ID=v1.13.9\nPRETTY_NAME="Talos (v1.13.9)"\n';
  const debian = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n';

  function os(kernel: string, file: string | undefined, osImage?: string) {
    const directory = mkdtempSync(join(tmpdir(), "aerial-os-"));
    try {
      const osRelease = join(directory, "os-release");
      if (file !== undefined) writeFileSync(osRelease, file);
      return readOs({ paths: { proc: directory, osRelease }, kernel, inContainer: true, ...(osImage !== undefined && { osImage }) });
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  test("is what the kubelet and the kernel say, whatever an image's file says", () => {
    expect(os("6.18.45-talos", talos)).toEqual({ id: "talos", version: "1.13.9", name: "Talos (v1.13.9)" });
    expect(os("6.18.45-talos", debian)).toEqual({ id: "talos", name: "Talos" });
    expect(os("6.18.45-talos", undefined)).toEqual({ id: "talos", name: "Talos" });
    expect(os("6.1.0-56-amd64", talos)).toEqual({ id: "linux", name: "Linux" });
    expect(os("6.1.0-56-amd64", debian)).toEqual({ id: "debian", version: "13", name: "Debian GNU/Linux 13 (trixie)" });
    expect(os("6.18.45-custom", debian, "Talos (v1.14.0-rc.1)")).toEqual({
      id: "talos",
      version: "1.14.0-rc.1",
      name: "Talos (v1.14.0-rc.1)",
    });
    expect(os("6.1.0-56-amd64", talos, "Debian GNU/Linux 12 (bookworm)").id).toBe("debian");
  });

  test("is quoted as shells quote, and printable", () => {
    expect(parseOsRelease('ID=\'a\'\nPRETTY_NAME="say \\"hi\\" \\$1"\n')).toEqual({ id: "a", name: 'say "hi" $1' });
    expect(parseOsRelease('ID=a\nNAME="\u001b[31mx"')?.name).toBe("\u{fffd}[31mx");
    for (const text of ["", "NAME=x", "ID=", "# ID=x"]) expect(parseOsRelease(text)).toBeUndefined();
  });

  it("survives anything", () => {
    fc.assert(fc.property(anyText, (text) => void parseOsRelease(`ID=${text}`)));
  });
});

test("device numbers are split as the C library does", () => {
  expect(toNumbers(259)).toEqual({ major: 1, minor: 3 });
  expect(toNumbers(0xbc00)).toEqual({ major: 188, minor: 0 });
  // makedev(0x12345, 0x6789a), glibc's sysdeps/unix/sysv/linux/makedev.
  expect(toNumbers(0x12000 * 2 ** 32 + 0x67834500 + 0x9a)).toEqual({ major: 0x12345, minor: 0x6789a });
});

test("adapters are those of BlueZ, with what it says of them", () => {
  const adapter = (properties: readonly (readonly [string, string | boolean])[]) => new Map([["org.bluez.Adapter1", new Map(properties)]]);
  const objects = new Map([
    ["/org/bluez", new Map()],
    [
      "/org/bluez/hci1",
      adapter([
        ["Address", "aa:bb:cc:dd:ee:ff"],
        ["Powered", false],
      ]),
    ],
    ["/org/bluez/hci0", adapter([["Powered", true]])],
    ["/org/bluez/hci0/dev_1", adapter([["Powered", true]])],
  ]);
  expect(toAdapters(objects)).toEqual([
    { name: "hci0", powered: true },
    { name: "hci1", address: "AA:BB:CC:DD:EE:FF", powered: false },
  ]);
  expect(toAdapters(undefined)).toEqual([]);
  expect(toAdapters("nonsense")).toEqual([]);
});
