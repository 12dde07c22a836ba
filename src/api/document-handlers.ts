/** The contract itself: for programs, and to read. */
import { readContract } from "./contract/document.ts";
import type { Handlers } from "./operations.ts";

export function documentHandlers(): Handlers<"getOpenApi" | "getDocs"> {
  return {
    getOpenApi: ({ reply }) => reply.type("application/json; charset=utf-8").send(readContract()),
    async getDocs({ reply }) {
      // Loaded with the first who asks: most never do.
      const { docsPage, docsPolicy } = await import("./docs-page.ts");
      void reply.header("content-security-policy", docsPolicy);
      return docsPage();
    },
  };
}
