/** `npm run bench:api`: the list of radios alone, without a cluster; `npm run bench` has it too. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getFromNode } from "../../lab/aerial-command.ts";
import { aerialOnLab } from "../../light/aerial-on-lab.ts";
import { openNamespaceLab } from "../../light/namespace-lab.ts";
import { measureList, plugRadios } from "./measure-list.ts";

const radios = 20;
const directory = await mkdtemp(join(tmpdir(), "aerial-bench-"));
const socket = join(directory, "aerial.sock");
{
  await using lab = await openNamespaceLab();
  await using daemon = await aerialOnLab(lab, { AERIAL__API__SOCKET: socket }).start();
  const get = async (path: string): Promise<{ readonly radios: readonly unknown[] }> =>
    (await getFromNode(lab, socket, path)) as { readonly radios: readonly unknown[] };
  await plugRadios({ lab, get }, radios);
  const { aerial, bare, radios: found, bytes } = await measureList({ lab, process: daemon.process, socket, get });
  const show = (name: string, { perCoreSecond, perSecond }: typeof aerial): void =>
    console.log(`${name.padEnd(22)} ${Math.round(perCoreSecond)} a second a core, ${Math.round(perSecond)} a second of the clock`);
  console.log(`GET /api/v1/radios, ${found} radios, ${bytes} bytes`);
  show("aerial", aerial);
  show("Node's bare server", bare);
  console.log(`${(aerial.perCoreSecond / bare.perCoreSecond).toFixed(2)} × the bare server; budget 10000 a second a core`);
}
await rm(directory, { recursive: true, force: true });
