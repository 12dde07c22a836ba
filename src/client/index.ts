/** `aerial/client`: asking aerial's API from TypeScript, in Node and in browsers. */
export type * from "../api/contract/types.ts";
export type { AerialClient, ClientOptions, Input } from "./client.ts";
export { createAerialClient } from "./client.ts";
export type { FollowOptions, StreamEvent } from "./follow-stream.ts";
export { AerialProblem } from "./problem.ts";
