/**
 * The page in front of a staged API. It serves the page as the daemon does, and answers in the contract's shapes; it leaves
 * out validation, limits and rebinding checks, which have tests of their own, and remembers what it was asked to do.
 */
import type { AddressInfo } from "node:net";
import { fastify, type FastifyReply } from "fastify";
import type { Event, HintMessage, RadioDetail } from "../../src/api/contract/types.ts";
import { addPage } from "../../src/api/page/serve-page.ts";
import type { House } from "./staged-house.ts";

export interface StagedApi extends AsyncDisposable {
  /** Ends with a slash. */
  readonly url: string;
  house: House;
  /** Where set, nothing answers without it. */
  token: string | undefined;
  /** Actions, as `POST /api/v1/rescan {…}`. */
  readonly asked: readonly string[];
  /** Tells those who follow. */
  tell(event: Event): void;
  hint(changed: HintMessage["event"]): void;
  /** Ends all streams and answers none from now on, or answers them again. */
  hangUp(isAway: boolean): void;
  /** How many follow. */
  readonly followers: number;
}

/** Of those that the page tells apart, by their detail. */
const codes: Readonly<Record<string, string>> = { "aerial may not list pods": "pods.forbidden" };

const problem = (reply: FastifyReply, status: number, detail: string): FastifyReply =>
  reply
    .code(status)
    .type("application/problem+json")
    .send(
      JSON.stringify({
        type: "about:blank",
        title: "Problem",
        status,
        detail,
        code: codes[detail] ?? "staged",
        hint: `mend it: ${status}`,
      }),
    );

export async function openStagedApi(house: House): Promise<StagedApi> {
  const app = fastify({ forceCloseConnections: true });
  const streams = new Set<FastifyReply>();
  const asked: string[] = [];
  let isAway = false;
  const staged = { house, token: undefined as string | undefined };

  app.addHook("onRequest", async (request, reply) => {
    if (isAway) {
      request.raw.socket.destroy();
      return reply.hijack();
    }
    if (!request.url.startsWith("/api/")) return undefined;
    if (request.method !== "GET") asked.push(`${request.method} ${request.url}`);
    if (staged.token !== undefined && request.headers.authorization !== `Bearer ${staged.token}`)
      return problem(reply, 401, "a token is needed here");
    return undefined;
  });
  addPage(app);

  app.get("/api/v1/node", () => staged.house.node);
  app.get("/api/v1/radios", () => ({ revision: 1, complete: true, radios: staged.house.radios }));
  app.get<{ Params: { id: string } }>("/api/v1/radios/:id", (request, reply) => {
    const { house } = staged;
    const radio = house.radios.find(({ id }) => id === request.params.id);
    if (radio === undefined) return problem(reply, 404, "no such radio");
    const holder = house.holders[radio.id];
    const detail: RadioDetail = {
      ...radio,
      holders: holder === undefined ? [] : [{ ...holder, path: radio.devicePaths[0] ?? "", deleted: false }],
      recent: house.events.filter(({ radioId }) => radioId === radio.id),
    };
    return detail;
  });
  app.patch<{ Params: { id: string }; Body: { name?: string | null; kind?: string | null } }>("/api/v1/radios/:id", (request, reply) => {
    const { house } = staged;
    const { name, kind } = request.body;
    asked.push(JSON.stringify(request.body));
    if (name === "taken") return problem(reply, 409, "another radio is called taken");
    const change = (radio: House["radios"][number]): House["radios"][number] => {
      const { name: old, ...rest } = radio;
      const given = name === undefined ? old : (name ?? undefined);
      return { ...rest, ...(given !== undefined && { name: given }), ...(typeof kind === "string" && { kinds: [kind] }) };
    };
    house.radios = house.radios.map((radio) => (radio.id === request.params.id ? change(radio) : radio));
    return house.radios.find(({ id }) => id === request.params.id);
  });
  app.get("/api/v1/conditions", () => ({ conditions: staged.house.conditions }));
  app.get("/api/v1/doctor", () => staged.house.report);
  app.post("/api/v1/doctor", () => staged.house.report);
  app.get("/api/v1/doctor/patch", (_request, reply) => reply.type("application/yaml").send(staged.house.patch));
  app.get("/api/v1/events", () => ({ events: staged.house.events, next: staged.house.events[0]?.id ?? "abc.0" }));
  app.get("/api/v1/events/stream", (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    reply.raw.write(": here\n\n");
    streams.add(reply);
    reply.raw.once("close", () => streams.delete(reply));
  });
  app.get("/api/v1/relay", (_request, reply) => staged.house.relay ?? problem(reply, 404, "no relay is configured here"));
  app.get("/api/v1/relay/services", (_request, reply) =>
    staged.house.relay === undefined ? problem(reply, 404, "none") : staged.house.services,
  );
  app.get("/api/v1/config", () => ({
    config: { node: { name: staged.house.node.name }, relay: { enabled: staged.house.relay !== undefined } },
  }));
  app.get("/api/v1/plugins", () => staged.house.plugins);
  app.get("/api/v1/cluster/radios", (_request, reply) => staged.house.cluster ?? problem(reply, 404, "there is no cluster"));
  app.get("/api/v1/pods", (_request, reply) => {
    const { pods } = staged.house;
    if (pods === undefined) return problem(reply, 404, "there is no cluster");
    return pods === "forbidden" ? problem(reply, 503, "aerial may not list pods") : { at: new Date().toISOString(), complete: true, pods };
  });
  app.post("/api/v1/rescan", () => ({ revision: 2, durationMs: 12 }));
  app.post("/api/v1/support-bundle", (_request, reply) =>
    reply
      .type("application/gzip")
      .header("content-disposition", 'attachment; filename="aerial-staged.tar.gz"')
      .send(Buffer.from([31, 139])),
  );

  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const write = (text: string): void => {
    for (const stream of streams) stream.raw.write(text);
  };
  return {
    url: `http://127.0.0.1:${port}/`,
    get house() {
      return staged.house;
    },
    set house(next) {
      staged.house = next;
    },
    get token() {
      return staged.token;
    },
    set token(next) {
      staged.token = next;
    },
    asked,
    tell(event) {
      staged.house.events = [event, ...staged.house.events];
      write(`id: ${event.id}\nevent: history\ndata: ${JSON.stringify(event)}\n\n`);
    },
    hint: (changed) => write(`event: ${changed}\ndata: {"revision":1}\n\n`),
    hangUp(away) {
      isAway = away;
      if (away) for (const stream of streams) stream.raw.destroy();
    },
    get followers() {
      return streams.size;
    },
    async [Symbol.asyncDispose]() {
      for (const stream of streams) stream.raw.destroy();
      await app.close();
    },
  };
}
