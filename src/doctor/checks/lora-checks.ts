/** Whether a LoRa concentrator on SPI can be reached. Those on USB are serial ports like any other. */
import type { Check, DeviceNodeFacts, Facts, FindingEvidence } from "../../core/check.ts";
import { valueOf } from "../../core/reading.ts";
import { evidenceOf, fail, pass, unknown, whyNot } from "../judge.ts";

const spiNode = /^\/dev\/spidev\d/;
/** What a HAT's EEPROM says of it (Raspberry Pi, HAT design guide). */
const hatProduct = "/proc/device-tree/hat/product";
const loraProduct = /lora|sx1[23]\d\d|concentrator|\brak[0-9]/i;
const nobody = "nothing here asks for SPI: no pod mounts /dev/spidev…, and no LoRa board names itself";

/** Why SPI is wanted here; empty where nobody wants it. */
function wishes(facts: Facts): readonly FindingEvidence[] {
  const pods = facts.cluster === undefined ? [] : (valueOf(facts.cluster.pods) ?? []);
  const mounted = pods.flatMap(({ namespace, name, hostDevices }) =>
    hostDevices.filter((path) => spiNode.test(path)).map((path) => ({ source: `pod ${namespace}/${name}`, value: path })),
  );
  const board = facts.file(hatProduct);
  return [...mounted, ...(loraProduct.test(valueOf(board) ?? "") ? [evidenceOf(hatProduct, board)] : [])];
}

const spiNodes = ({ deviceNodes }: Facts): readonly DeviceNodeFacts[] => deviceNodes.filter(({ path }) => spiNode.test(path));

/** Talos' kernel for x86 has no SPI at all; that for ARM has, where the device tree says so. */
const machineHasSpi: Check = {
  id: "LORA-01",
  level: "fail",
  title: "The machine can have SPI",
  source: "siderolabs/pkgs kernel/build/config-amd64: CONFIG_SPI is not set",
  reads: [hatProduct],
  judge(facts) {
    const wanted = wishes(facts);
    if (wanted.length === 0) return nobody;
    if (spiNodes(facts).length > 0) return [pass("The machine has SPI.", wanted)];
    const option = facts.kernelOption("CONFIG_SPI_SPIDEV");
    const evidence = [...wanted, { source: "uname -m", value: facts.machine }, evidenceOf("kernel option CONFIG_SPI_SPIDEV", option)];
    if (option.state === "unreadable") return [unknown(`Whether this kernel has SPI cannot be told: ${option.why}.`, evidence)];
    if (option.state === "read") return [pass("The kernel has SPI.", evidence)];
    return [
      fail({
        text: `A LoRa concentrator on SPI is wanted, but this kernel (${facts.machine}) was built without it.`,
        evidence,
        remedy: { text: "Use a concentrator on USB, or a LoRaWAN gateway on the network." },
      }),
    ];
  },
};

const enabled: Check = {
  id: "LORA-02",
  level: "fail",
  title: "SPI is switched on",
  source: "siderolabs/sbc-raspberrypi: SPI is off in its config.txt; Linux Documentation/spi/spidev.rst",
  reads: [hatProduct],
  judge(facts) {
    const wanted = wishes(facts);
    if (wanted.length === 0) return nobody;
    const [first] = spiNodes(facts);
    if (first !== undefined) return [pass(`SPI is on: ${first.path}.`, wanted)];
    const option = facts.kernelOption("CONFIG_SPI_SPIDEV");
    if (option.state === "absent") return "the kernel has no SPI at all";
    const root = facts.deviceNode("/dev/spidev0.0");
    if (root.state === "unreadable") return [unknown(`Whether SPI is on cannot be told: ${whyNot(root)}.`, wanted)];
    return [
      fail({
        text: "A LoRa concentrator on SPI is wanted, but SPI is not switched on.",
        evidence: [...wanted, { source: "/dev/spidev*", value: "not there" }],
        remedy: {
          text: "Switch SPI on in the board's firmware: dtparam=spi=on in config.txt; on Talos by an image whose overlay has configTxtAppend: dtparam=spi=on.",
          linux: ["echo dtparam=spi=on >> /boot/firmware/config.txt"],
        },
      }),
    ];
  },
};

const gpio = /^\/dev\/gpiochip\d+$/;

const resetLine: Check = {
  id: "LORA-03",
  level: "warning",
  title: "The concentrator's reset line can be reached",
  source: "chirpstack-concentratord: reset_pin on a gpiochip; Linux Documentation/ABI/testing/gpio-cdev",
  reads: [hatProduct],
  judge(facts) {
    const wanted = wishes(facts);
    if (wanted.length === 0) return nobody;
    if (spiNodes(facts).length === 0) return "there is no SPI yet";
    const chips = facts.deviceNodes.filter(({ path, type }) => gpio.test(path) && type === "character");
    if (chips.length > 0) return [pass(`Its reset line can be reached over ${chips.map(({ path }) => path).join(", ")}.`, wanted)];
    return [
      fail({
        text: "The LoRa concentrator cannot be reset: this machine has no GPIO lines for programs.",
        evidence: [...wanted, { source: "/dev/gpiochip*", value: "not there" }],
        remedy: {
          text: "Use a kernel with GPIO character devices (CONFIG_GPIO_CDEV), or a concentrator that resets itself, such as one on USB.",
        },
      }),
    ];
  },
};

export const loraChecks: readonly Check[] = [machineHasSpi, enabled, resetLine];
