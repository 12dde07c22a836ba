/** The lab played by hand: a prompt that plugs and unplugs. */
import { createInterface } from "node:readline/promises";
import type { GuestLab } from "./guest-lab.ts";
import type { Lab, PluggedStick } from "./lab.ts";
import { LabError } from "./lab-error.ts";
import { stickCatalogue } from "./sticks.ts";

type AddedKind = Parameters<Lab["add"]>[0];
const addedKinds: readonly AddedKind[] = ["bluetooth", "wifi", "wifi-station-only", "ieee802154", "spidev"];

const help = `  plug STICK [PORT]   plug a stick (list: sticks); the same port is the same physical port
  unplug PORT         pull it out
  ls                  what is plugged, what was added, and the ttys there are
  sticks              the sticks there are
  add KIND            ${addedKinds.join(", ")}
  remove NUMBER       take away what was added
  run COMMAND         run a shell command in the guest
  dmesg               the last lines of the kernel's log
  help, exit`;

interface Command {
  readonly words: readonly string[];
  /** All behind the command's name. */
  readonly rest: string;
}

/** Reads commands until `exit` or the end of input. A command that fails says why and the prompt goes on. */
export async function runShell(lab: GuestLab, say: (line: string) => void): Promise<void> {
  const commands = shellCommands(lab, say);
  using prompt = createInterface({ input: process.stdin, output: process.stdout, prompt: "lab> " });
  let open = true;
  prompt.once("close", () => (open = false));
  say(help);
  prompt.prompt();
  for await (const line of prompt) {
    const [name = "", ...words] = line.trim().split(/\s+/);
    if (name === "exit") return;
    try {
      if (name !== "") await (commands[name] ?? unknownCommand(name))({ words, rest: line.trim().slice(name.length).trim() });
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      say(error.message);
    }
    // Lines that were typed ahead are still carried out after the end of input.
    if (open) prompt.prompt();
  }
}

function unknownCommand(name: string): () => Promise<void> {
  return async () => {
    throw new LabError(`there is no command ${name}; help lists them`);
  };
}

function shellCommands(lab: GuestLab, say: (line: string) => void): Readonly<Record<string, (command: Command) => Promise<void>>> {
  const plugged = new Map<number, PluggedStick>();
  const added = new Map<number, { readonly what: AddedKind; readonly handle: AsyncDisposable }>();
  let lastAdded = 0;
  const run = async (command: string): Promise<void> => {
    const { exitCode, stdout, stderr } = await lab.run(["sh", "-c", command]);
    const output = `${stdout}${stderr}`.trimEnd();
    if (output !== "") say(output);
    if (exitCode !== 0) say(`exit code ${exitCode}`);
  };
  return {
    async plug({ words: [name = "", port] }) {
      const stick = stickCatalogue[name];
      if (!stick) throw new LabError(`there is no stick ${JSON.stringify(name)}; sticks lists them`);
      const result = await lab.plug(stick, port === undefined ? {} : { port: Number(port) });
      plugged.set(result.port, result);
      say(`${stick.name} is in port ${result.port}`);
    },
    async unplug({ words: [port = ""] }) {
      const stick = plugged.get(Number(port));
      if (!stick) throw new LabError(`nothing is in port ${port}; ls lists what is plugged`);
      plugged.delete(stick.port);
      await stick.unplug();
    },
    async ls() {
      for (const { port, stick } of plugged.values()) say(`port ${port}: ${stick.name}`);
      for (const [number, { what }] of added) say(`added ${number}: ${what}`);
      await run(
        "cd /dev; ls -d ttyUSB* ttyACM* spidev* 2>/dev/null; ls /sys/class/bluetooth /sys/class/ieee80211 /sys/class/ieee802154 2>/dev/null; true",
      );
    },
    async sticks() {
      for (const [name, stick] of Object.entries(stickCatalogue))
        say(`${name.padEnd(20)} ${stick.vendorId}:${stick.productId} ${stick.name}`);
    },
    async add({ words: [name] }) {
      const what = addedKinds.find((kind) => kind === name);
      if (!what) throw new LabError(`one can add ${addedKinds.join(", ")}`);
      const handle = await lab.add(what);
      added.set(++lastAdded, { what, handle });
      say(`${what} is number ${lastAdded}`);
    },
    async remove({ words: [number = ""] }) {
      const entry = added.get(Number(number));
      if (!entry) throw new LabError(`nothing was added as ${number}; ls lists what was`);
      added.delete(Number(number));
      await entry.handle[Symbol.asyncDispose]();
    },
    run: ({ rest }) => run(rest),
    dmesg: () => run("dmesg | tail -n 30"),
    help: async () => say(help),
  };
}
