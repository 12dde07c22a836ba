/** The one place where requests meet `Access`: before anything of them is read, and whether there is such a route or not. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { problemType } from "../problem.ts";
import type { Access, RequiredRole } from "./access.ts";
import type { Refusal } from "./refusal.ts";
import { policyFor, setSecurityHeaders } from "./security-headers.ts";

/** How often it is looked whether somebody to whom an answer is still being written is still let in. */
const lookAgainMs = 10_000;

/** To be added before any route. */
export function addAccess(app: FastifyInstance, access: Pick<Access, "admit" | "isLocalReading" | "outlives">): void {
  const admit = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const role = roleOf(request);
    const admission = await access.admit(request.raw, role);
    if (admission.state === "refused") return sendRefusal(reply, admission.refusal);
    endWithToken(request, reply, access.outlives(request.raw, role));
    // On the answer itself: streams are written past Fastify.
    for (const [name, value] of Object.entries(admission.headers)) reply.raw.setHeader(name, value);
    return admission.state === "preflight" ? reply.code(204).send() : undefined;
  };
  // Without a promise where there is nothing to wait for: that is what most requests are.
  app.addHook("onRequest", (request, reply, next) => {
    // Their answers are made elsewhere than those of other requests.
    if (request.headers.upgrade !== undefined) setSecurityHeaders(request.raw, reply.raw);
    if (!access.isLocalReading(request.raw)) return admit(request, reply);
    reply.raw.setHeader("aerial-role", "operator");
    next();
    return undefined;
  });
  app.addHook("onSend", async (_request, reply, payload) => {
    const policy = policyFor(reply.getHeader("content-type"));
    if (policy !== undefined && !reply.hasHeader("content-security-policy")) void reply.header("content-security-policy", policy);
    return payload;
  });
}

/** Streams last for days: one whose token was taken back is cut off. */
function endWithToken({ raw: { socket, headers } }: FastifyRequest, reply: FastifyReply, isLetIn: (() => Promise<boolean>) | undefined) {
  if (isLetIn === undefined) return;
  const look = async (): Promise<void> => {
    if (!(await isLetIn().catch(() => true))) socket.destroy();
  };
  const timer = setInterval(() => void look(), lookAgainMs).unref();
  // A WebSocket is taken away from its answer, which then never closes.
  (headers.upgrade === undefined ? reply.raw : socket).once("close", () => clearInterval(timer));
}

/** Reads of what is not there ask for what other reads do: to whom nothing is shown, it is not shown what there is. */
function roleOf({ method, is404, routeOptions }: FastifyRequest): RequiredRole {
  const role = is404 ? undefined : routeOptions.config.role;
  return role ?? (is404 || method === "GET" || method === "HEAD" ? "viewer" : "operator");
}

function sendRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  return reply.code(refusal.problem.status).headers(refusal.headers).type(problemType).send(refusal.problem);
}
